"""Depth edges: put where the picture has them, and what stands behind them."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.bands import for_bands
from depthapps.color import srgb_encode
from depthapps.scene import FloatMap

EDGE_PX = 2.0  # CoC: a step between neighbours above this shows background that the photo does not have
_SPLIT_PX = 1.0  # CoC: above this an edge pixel's light is divided; lamps before a near wall are what needs it
_SHIFTS = range(-2, 5)  # px that a depth edge may be off its image edge, positive where the near side is too large
_SNAP_SIGMA_PX = 5.0  # along the edge; shorter follows texture, longer rounds corners
_CLEAR = 1.5  # by how much an image edge must exceed what is usual around it

Color = NDArray[np.floating]


class Layer(NamedTuple):
    """Sources of light: color (H, W, 3) linear, coc (H, W) signed px, weight (H, W), 0 where there is none."""

    color: Color
    coc: FloatMap
    weight: FloatMap


def snap_edges(linear: Color, coc: FloatMap) -> FloatMap:
    """The CoC (H, W) with its edges moved onto the edges of the picture, where these are clear.

    Stereo makes near things too large, by about as much everywhere. How strong the picture's gradient is at each
    distance from the depth edges tells by how much: over the whole picture, and here. At exact depth nothing moves.
    """
    kernel = np.ones((3, 3), np.uint8)
    far = (cv2.dilate(coc, kernel) - coc) > EDGE_PX
    if not far.any():
        return coc
    near = (coc - cv2.erode(coc, kernel)) > EDGE_PX
    encoded = srgb_encode(linear)
    from_far, at_far = _nearest(far)
    from_near, at_near = _nearest(near)
    far_coc, near_coc = coc.ravel()[at_far], coc.ravel()[at_near]
    in_front, behind = coc - far_coc > EDGE_PX / 2, near_coc - coc > EDGE_PX / 2
    step_far, step_near = _step_towards(encoded, from_far, at_far), _step_towards(encoded, from_near, at_near)
    profile = []
    for shift in _SHIFTS:
        if shift >= 0:
            here, at, step = in_front & (np.abs(from_far - (shift + 1)) <= 0.5), at_far, step_far
        else:
            here, at, step = behind & (np.abs(from_near - (1 - shift)) <= 0.5), at_near, step_near
        total = np.bincount(at[here], step[here], coc.size).reshape(coc.shape).astype(np.float32)
        count = np.bincount(at[here], minlength=coc.size).reshape(coc.shape).astype(np.float32)
        everywhere = total.sum() / max(float(count.sum()), 1.0)
        total, count = (cv2.GaussianBlur(m, (0, 0), _SNAP_SIGMA_PX) for m in (total, count))
        profile.append(np.where(count > 1e-4, total / np.maximum(count, 1e-9), 0) + everywhere)
    strength = np.array(profile)
    best = strength.argmax(axis=0) + _SHIFTS[0]
    shift = np.where(strength.max(axis=0) > _CLEAR * np.median(strength, axis=0), best, 0).ravel()
    to_far = in_front & (from_far < shift[at_far] + 0.5)
    to_near = behind & (from_near < 0.5 - shift[at_near])
    return np.where(to_far, far_coc, np.where(to_near, near_coc, coc)).astype(np.float32)


def _step_towards(encoded: Color, distance: FloatMap, at: NDArray[np.int64]) -> FloatMap:
    """By how much each pixel differs from the point one pixel nearer to its edge pixel `at`, (H, W)."""
    height, width = distance.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    far = np.maximum(distance, 1e-6)
    to_x, to_y = x - (x - at % width) / far, y - (y - at // width) / far
    nearer = cv2.remap(encoded, to_x.astype(np.float32), to_y.astype(np.float32), cv2.INTER_LINEAR)
    return np.abs(encoded - nearer).sum(axis=2)


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


def layers_of(linear: Color, coc: FloatMap) -> list[Layer]:
    """What the lens may see: the picture, the near side's part of edge pixels, and the background behind near edges.

    The background has the depth of the nearest far side and a colour filled in from there; it reaches as far under
    the near side as the rim of the lens can look.
    """
    from depthapps.bokeh._kernels import split_rows

    near = Layer(np.zeros_like(linear), coc.copy(), np.zeros_like(coc))
    behind = linear.copy()

    def band(first: int, end: int) -> None:
        split_rows(linear, coc, first, end, _SPLIT_PX, near.color, near.coc, near.weight, behind)

    for_bands(len(coc), band)
    layers = [Layer(behind, coc, 1 - near.weight), near]
    far = (cv2.dilate(coc, np.ones((3, 3), np.uint8)) - coc) > EDGE_PX
    if far.any():
        distance, at = _nearest(far)
        depth = coc.ravel()[at]
        step = coc - depth
        reached = ~far & (step > EDGE_PX) & (distance <= step + 1.5)
        filled = _push_pull(behind, far * calm_weight(behind))
        layers.append(Layer(filled, depth, reached.astype(np.float32)))
    return layers


def calm_weight(linear: Color) -> FloatMap:
    """Weights (H, W) for means that a lamp, far brighter than white, must not decide."""
    brightness = linear.sum(axis=2)
    return 1 / (1 + brightness * brightness)


def _push_pull(color: Color, weight: FloatMap) -> Color:
    """Colours filled in from where there is weight: means at ever coarser scales, then back (Gortler et al. 1996)."""
    levels = [(color * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 2:
        light, known = levels[-1]
        size = ((light.shape[1] + 1) // 2, (light.shape[0] + 1) // 2)
        light, known = (4 * cv2.resize(m, size, interpolation=cv2.INTER_AREA) for m in (light, known))
        full = np.minimum(1, 1 / np.maximum(known, 1e-6))
        levels.append((light * full[..., None], known * full))
    light, known = levels.pop()
    filled = light / np.maximum(known, 1e-6)[..., None]
    for light, known in reversed(levels):
        coarse = cv2.resize(filled, (light.shape[1], light.shape[0]), interpolation=cv2.INTER_LINEAR)
        filled = light + coarse * (1 - known)[..., None]
    return filled.astype(np.float32)
