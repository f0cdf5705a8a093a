"""Move depth edges onto image edges, and fill in the background that the near sides of depth edges hide.

CoC is the signed radius of the circle of confusion in px. It is larger where the scene is nearer.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.filling import calm_weight, push_pull
from depthapps.core.scene import FloatMap
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

EDGE_PX = 2.0  # a larger CoC step between neighbours makes blur show background that the photo does not contain
_RIM_PX = 1.5  # width of a depth edge itself (1 px) plus half a pixel
# CoC step above which the light of an edge pixel is separated into a near and a far part. Lamps in front of a nearby
# wall need a threshold this low.
_SPLIT_PX = 1.0
_SHIFTS = range(-2, 5)  # px between a depth edge and its image edge; positive where the near side is too large
# Standard deviation of the smoothing along the edge; a shorter one follows texture, a longer one rounds corners.
_SNAP_SIGMA_PX = 5.0
_SNAP_CELL_PX = 2  # side of the cells in which gradients are summed; smoothing with 5 px leaves no finer detail
_REMAP_COLUMNS = 4096  # row length of the maps for cv2.remap
# An image edge is clear if its gradient is this many times the median over all shifts. A depth edge that lies on one
# stays there, or else the highlight along a rod takes half of it; but the next pixel inwards may be taken, as pixels on
# an edge mix both sides' colours. Pixels that moved and were off by more than 2 px, before and after, in percent of 26
# real pairs that are blurred by up to 20 px:
#                                 the engine's depth   OpenCV's matcher, holes filled
#     edges move to any clear one     0.05, 0.09           1.01, 0.76
#     with this rule                  0.04, 0.06           1.00, 0.75
_CLEAR = 1.5

Color = NDArray[np.floating]
_split_rows = Kernel(
    "depthapps.bokeh._edge_kernels",
    "split_rows",
    "float32[:,:,::1] float32[:,::1] int64 int64 float64 float32[:,:,::1] float32[:,::1] float32[:,::1] "
    "float32[:,:,::1] float64[:,::1]",
)


class Layer(NamedTuple):
    """One source of light per pixel.

    color: (H, W, 3) linear. coc: (H, W) signed px. weight: (H, W), 0 where there is no source.
    """

    color: Color
    coc: FloatMap
    weight: FloatMap


class Sources(NamedTuple):
    """All sources of light that the lens may see, from front to back.

    shown: what the photo shows, in groups of layers. hidden: what the photo hides behind near sides. closed: mask
    (H, W) of near pixels that are farther from the depth edge than their own blur radius; nothing hidden shows there.
    """

    shown: list[list[Layer]]
    hidden: list[Layer]
    closed: NDArray[np.bool_]


def snap_edges(encoded: Color, coc: FloatMap) -> FloatMap:
    """Move the edges of the CoC (H, W) onto those of the picture, (H, W, 3) sRGB in 0..1; see `snapped_from`."""
    return coc.ravel()[snapped_from(encoded, coc)]


def snapped_from(encoded: Color, coc: FloatMap) -> NDArray[np.int64]:
    """Find for each pixel the pixel whose depth it takes, so that depth edges lie on clear image edges.

    The result is (H, W) flat pixel indices. Most stereo makes near objects too large, by a similar amount everywhere.
    The amount is estimated from the strength of the picture's gradient at each distance from the depth edges: the mean
    over the whole picture plus the local mean. Depth edges that lie on image edges already move by a pixel at most.
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
    clear = _CLEAR * np.median(strength, axis=0)
    leaves = (best == 1) | (strength[_SHIFTS.index(0)] < clear)
    shift = np.where(leaves & (strength.max(axis=0) > clear), best, 0).ravel()
    behind.take_edge(source, 0.5 - shift[behind.cell])
    in_front.take_edge(source, shift[in_front.cell] + 0.5)
    return source


class _Side:
    """The N pixels on one side of the depth edges, within `reach` px of them, and the picture's gradients there.

    edge: mask (H, W) of the pixels along the edges on the other side. sign: 1 if this side is the nearer one, else -1.
    distance: (N,) px from each pixel to its nearest edge pixel. cell: (N,) flat index of the cell that contains that
    edge pixel.
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
        # the difference in colour between a pixel and the point one pixel nearer to the edge
        far = np.maximum(self.distance, 1e-6)
        nearer = _sample(encoded, x - (x - edge_x) / far, y - (y - edge_y) / far)
        self._step = np.abs(encoded[y, x] - nearer).sum(axis=1)

    def profile(self, distance_px: int) -> tuple[FloatMap, FloatMap]:
        """Sum and count, per cell, of the colour differences at a distance from the edges (within half a pixel)."""
        here = np.abs(self.distance - distance_px) <= 0.5
        count = math.prod(self._cells)
        sums = np.bincount(self.cell[here], self._step[here], count), np.bincount(self.cell[here], minlength=count)
        total, number = (m.reshape(self._cells).astype(np.float32) for m in sums)
        return total, number

    def take_edge(self, source: NDArray[np.int64], within_px: NDArray[np.floating]) -> None:
        """Give the pixels that are nearer to the edge than `within_px` (N,) the source of their edge pixel."""
        moved = self.distance < within_px
        source.ravel()[self._pixel[moved]] = self._edge[moved]


def _sample(image: Color, x: NDArray[np.floating], y: NDArray[np.floating]) -> Color:
    """Sample an image (H, W, C) at N points with bilinear interpolation; returns (N, C)."""
    shape = (-(-len(x) // _REMAP_COLUMNS), _REMAP_COLUMNS)  # cv2.remap takes rows of at most 32767 points
    x_map, y_map = (np.resize(m, shape).astype(np.float32) for m in (x, y))
    found = cv2.remap(image, x_map, y_map, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32).reshape(-1, image.shape[2])[: len(x)]


def _nearest(mask: NDArray[np.bool_]) -> tuple[FloatMap, NDArray[np.int64]]:
    """Find each pixel's distance (H, W) in px to the nearest pixel of a mask, and the flat index of that pixel."""
    distance, label = cv2.distanceTransformWithLabels(
        (~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    index = np.zeros(int(label.max()) + 1, np.int64)
    label = np.asarray(label, np.int64)
    places = np.flatnonzero(mask)
    index[label.ravel()[places]] = places
    return np.asarray(distance, np.float32), index[label]


def sources_of(linear: Color, coc: FloatMap) -> Sources:
    """Separate a picture's light into the near sides of depth edges, all the rest, and the hidden background.

    The hidden background has the CoC of the nearest far-side pixel and a colour that is filled in from the far side. It
    extends under the near side as far as the rim of the lens can see; along this strip the near side is in the front
    group. The light of edge pixels is split: the near part is in the front group, the background part is behind it.
    """
    near = Layer(np.zeros_like(linear), coc.copy(), np.zeros_like(coc))
    behind = linear.copy()

    def band(first: int, end: int) -> None:
        _split_rows(linear, coc, first, end, _SPLIT_PX, near.color, near.coc, near.weight, behind, np.zeros((3, 3)))

    for_bands(len(coc), band)
    shown = 1 - near.weight
    kernel = np.ones((3, 3), np.uint8)
    # A pixel of a soft edge, with a depth between both sides, is not far side: its colour is that of the near side.
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
    # The front group ends where its discs meet those of the second group. It extends so far inside the near side that
    # no disc of the far side reaches this place.
    front = before & (distance <= step + 2 * np.abs(coc) + _RIM_PX)
    return Sources(
        [[Layer(behind, coc, shown * front), near], [Layer(behind, coc, shown * ~front)]],
        [Layer(*hidden, np.maximum(near.weight, reached.astype(np.float32)))],
        before & (distance > np.abs(coc) + 1),
    )
