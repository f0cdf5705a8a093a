"""Depth edges: put where the picture has them, and what stands behind them."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.filling import push_pull
from depthapps.core.scene import FloatMap
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

EDGE_PX = 2.0  # CoC: a step between neighbours above this shows background that the photo does not have
_RIM_PX = 1.5  # an edge's own width, and half a pixel
_SPLIT_PX = 1.0  # CoC: above this an edge pixel's light is divided; lamps before a near wall are what needs it
_SHIFTS = range(-2, 5)  # px that a depth edge may be off its image edge, positive where the near side is too large
_SNAP_SIGMA_PX = 5.0  # along the edge; shorter follows texture, longer rounds corners
_SNAP_CELL_PX = 2  # profiles are smoothed at half size: a sigma of 5 px has nothing finer
_REMAP_COLUMNS = 4096
_CLEAR = 1.5  # by how much an image edge must exceed what is usual around it

Color = NDArray[np.floating]
_split_rows = Kernel(
    "depthapps.bokeh._edge_kernels",
    "split_rows",
    "float32[:,:,::1] float32[:,::1] int64 int64 float64 float32[:,:,::1] float32[:,::1] float32[:,::1] "
    "float32[:,:,::1] float64[:,::1]",
)


class Layer(NamedTuple):
    """Sources of light: color (H, W, 3) linear, coc (H, W) signed px, weight (H, W), 0 where there is none."""

    color: Color
    coc: FloatMap
    weight: FloatMap


class Sources(NamedTuple):
    """What the lens may see, from front to back: what the photo shows, in groups of layers, and what it hides.

    closed: mask (H, W) of where nothing hidden shows: farther inside what stands before an edge than it is blurred.
    """

    shown: list[list[Layer]]
    hidden: list[Layer]
    closed: NDArray[np.bool_]


def snap_edges(encoded: Color, coc: FloatMap) -> FloatMap:
    """The CoC (H, W) with its edges moved onto the edges of the picture, (H, W, 3) sRGB in 0..1: see `snapped_from`."""
    return coc.ravel()[snapped_from(encoded, coc)]


def snapped_from(encoded: Color, coc: FloatMap) -> NDArray[np.int64]:
    """From which pixel each takes its depth so that depth edges lie on the picture's, where these are clear, (H, W).

    Stereo makes near things too large, by about as much everywhere. How strong the picture's gradient is at each
    distance from the depth edges tells by how much: over the whole picture, and here. At exact depth nothing moves.
    """
    kernel = np.ones((3, 3), np.uint8)
    far = (cv2.dilate(coc, kernel) - coc) > EDGE_PX
    source = np.arange(coc.size).reshape(coc.shape)
    if not far.any():
        return source
    near = (coc - cv2.erode(coc, kernel)) > EDGE_PX
    in_front = _Side(encoded, coc, far, _SHIFTS.stop, 1)
    behind = _Side(encoded, coc, near, 1 - _SHIFTS.start, -1)
    strength = []
    for shift in _SHIFTS:
        total, count = in_front.profile(shift + 1) if shift >= 0 else behind.profile(1 - shift)
        everywhere = total.sum() / max(float(count.sum()), 1.0)
        total, count = (cv2.GaussianBlur(m, (0, 0), _SNAP_SIGMA_PX / _SNAP_CELL_PX) for m in (total, count))
        strength.append(np.where(count > 1e-4, total / np.maximum(count, 1e-9), 0) + everywhere)
    strength = np.array(strength)
    best = strength.argmax(axis=0) + _SHIFTS[0]
    shift = np.where(strength.max(axis=0) > _CLEAR * np.median(strength, axis=0), best, 0).ravel()
    behind.take_edge(source, 0.5 - shift[behind.cell])
    in_front.take_edge(source, shift[in_front.cell] + 0.5)
    return source


class _Side:
    """The pixels (N,) on one side of a picture's depth edges, within reach of them: how the picture changes there.

    edge: mask (H, W) of the pixels of the other side that the edges run along; sign: 1 if this side is nearer.
    distance: (N,) px from the nearest of those; cell: (N,) where that lies among the cells that profiles are kept in.
    """

    def __init__(self, encoded: Color, coc: FloatMap, edge: NDArray[np.bool_], reach: int, sign: int) -> None:
        height, width = coc.shape
        distance, at = _nearest(edge)
        pixel = np.flatnonzero(distance < reach + 0.5)
        at = at.ravel()[pixel]
        here = sign * (coc.ravel()[pixel] - coc.ravel()[at]) > EDGE_PX / 2
        self._pixel, at = pixel[here], at[here]
        self.distance, self._edge = distance.ravel()[self._pixel], at
        y, x = np.divmod(self._pixel, width)
        edge_y, edge_x = np.divmod(at, width)
        self._cells = -(-height // _SNAP_CELL_PX), -(-width // _SNAP_CELL_PX)
        self.cell = edge_y // _SNAP_CELL_PX * self._cells[1] + edge_x // _SNAP_CELL_PX
        # by how much a pixel differs from the point one pixel nearer to the edge
        far = np.maximum(self.distance, 1e-6)
        nearer = _sample(encoded, x - (x - edge_x) / far, y - (y - edge_y) / far)
        self._step = np.abs(encoded[y, x] - nearer).sum(axis=1)

    def profile(self, distance_px: int) -> tuple[FloatMap, FloatMap]:
        """Sum and number of the steps at a distance from the edges, in cells of the picture."""
        here = np.abs(self.distance - distance_px) <= 0.5
        count = math.prod(self._cells)
        sums = np.bincount(self.cell[here], self._step[here], count), np.bincount(self.cell[here], minlength=count)
        total, number = (m.reshape(self._cells).astype(np.float32) for m in sums)
        return total, number

    def take_edge(self, source: NDArray[np.int64], within_px: NDArray[np.floating]) -> None:
        """Let the pixels nearer to the edge than `within_px` (N,) take what the other side has."""
        moved = self.distance < within_px
        source.ravel()[self._pixel[moved]] = self._edge[moved]


def _sample(image: Color, x: NDArray[np.floating], y: NDArray[np.floating]) -> Color:
    """The image (H, W, C) at N points, linear in between, (N, C)."""
    shape = (-(-len(x) // _REMAP_COLUMNS), _REMAP_COLUMNS)  # cv2 takes no longer rows than 32767
    x_map, y_map = (np.resize(m, shape).astype(np.float32) for m in (x, y))
    found = cv2.remap(image, x_map, y_map, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32).reshape(-1, image.shape[2])[: len(x)]


def _nearest(mask: NDArray[np.bool_]) -> tuple[FloatMap, NDArray[np.int64]]:
    """The distance (H, W) of each pixel to the nearest of a mask, and that pixel's flat index."""
    distance, label = cv2.distanceTransformWithLabels(
        (~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    index = np.zeros(int(label.max()) + 1, np.int64)
    label = np.asarray(label, np.int64)
    places = np.flatnonzero(mask)
    index[label.ravel()[places]] = places
    return np.asarray(distance, np.float32), index[label]


def sources_of(linear: Color, coc: FloatMap) -> Sources:
    """Of a picture's light: in front what stands before an edge, then the rest, and what is hidden behind near edges.

    What is hidden has the depth of the nearest far side and a colour filled in from there; it reaches as far under
    the near side as the rim of the lens can look, and so far the near side stands in front. Edge pixels are in front
    with the near side's part; what they show of the background goes on behind it.
    """
    near = Layer(np.zeros_like(linear), coc.copy(), np.zeros_like(coc))
    behind = linear.copy()

    def band(first: int, end: int) -> None:
        _split_rows(linear, coc, first, end, _SPLIT_PX, near.color, near.coc, near.weight, behind, np.zeros((3, 3)))

    for_bands(len(coc), band)
    shown = 1 - near.weight
    kernel = np.ones((3, 3), np.uint8)
    # a depth on the way between the sides of a soft edge is no far side: its colour is the near one's
    far = (cv2.dilate(coc, kernel) - coc > EDGE_PX) & (coc - cv2.erode(coc, kernel) <= EDGE_PX)
    if not far.any():
        return Sources([[near], [Layer(behind, coc, shown)]], [Layer(behind, coc, near.weight)], far)
    distance, at = _nearest(far)
    depth = coc.ravel()[at]
    step = coc - depth
    before = ~far & (step > EDGE_PX)
    reached = before & (distance <= step + _RIM_PX)
    filled = push_pull(behind, far * calm_weight(behind))
    hidden = (np.where(reached[..., None], filled, behind), np.where(reached, depth, coc))
    # so far inside that where this ends, and discs of both parts meet, none of the far side's reaches
    front = before & (distance <= step + 2 * np.abs(coc) + _RIM_PX)
    return Sources(
        [[Layer(behind, coc, shown * front), near], [Layer(behind, coc, shown * ~front)]],
        [Layer(*hidden, np.maximum(near.weight, reached.astype(np.float32)))],
        before & (distance > np.abs(coc) + 1),
    )


def calm_weight(linear: Color) -> FloatMap:
    """Weights (H, W) for means that a lamp, far brighter than white, must not decide."""
    brightness = linear.sum(axis=2)
    return 1 / (1 + brightness * brightness)
