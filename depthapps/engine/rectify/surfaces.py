"""Find points of one rectified view in the other all over the picture, to about a tenth of a pixel of a copy."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.engine.front.coarse import CoarseMatch, Shown
from depthapps.engine.matching.sgbm import SgbmParams, match

SIDE_PX = 1200  # longest side of the copies that points are followed in, and ...
MATCHED_PX = 400  # ... the width of those that tell where they are to about a pixel
POINTS = 3000  # about as many are found at most: the surest one of each cell of the picture
SURE_PX = 0.2  # largest standard error of a point's row and of its column
STEPS = 4
_SURE = SgbmParams(block=5, uniqueness=15, speckle_px=30)
_MARGIN = 0.02  # by which disparities may leave the range of the coarse match, as a share of the width
_WINDOW_PX, _SMOOTH_PX = 9, 0.8
_EVEN_PX = 2.0  # most that the disparity may change within a window: more is an edge between two surfaces
_ASIDE_PX = 1.0, 1.5  # farther from the match, along the row and across, it is another point
_NOISE = 1.0  # variance of the grey levels' noise

Points = NDArray[np.floating]


def follow_surfaces(left: Image, right: Image, coarse: CoarseMatch, shown: Shown) -> tuple[Points, Points]:
    """Points (N, 2) px of a roughly rectified left view (H, W) uint8 grey, and where the right view has them.

    A point is followed by Lucas and Kanade's method, once the right view is warped by the disparity: a slanted surface
    then looks alike in both. shown: the pixels of each view that show the scene.
    """
    if not np.isfinite(coarse.disparity).any():
        return np.empty((0, 2)), np.empty((0, 2))
    shrink = min(1.0, SIDE_PX / max(left.shape))
    size = round(left.shape[1] * shrink), round(left.shape[0] * shrink)
    first, second = (_resized(v, size).astype(np.float32) for v in (left, right))
    known = [_resized(v.astype(np.uint8), size) for v in shown]
    disparity = _disparity(left, right, coarse, size)
    aside, down, error = _followed(first, second, disparity)
    columns, rows = np.meshgrid(np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32))
    there = columns - np.nan_to_num(disparity) + aside
    inside = cv2.remap(known[1], there, rows + down, cv2.INTER_NEAREST, borderValue=0) * known[0]
    inside[~(np.isfinite(disparity) & (np.abs(aside) < _ASIDE_PX[0]) & (np.abs(down) < _ASIDE_PX[1]))] = 0
    around = np.ones((_WINDOW_PX, _WINDOW_PX), np.uint8)
    inside = cv2.erode(inside, around, borderValue=0)
    level = np.nan_to_num(disparity)  # where a window holds an unknown one, its middle is not inside
    error[(inside == 0) | (cv2.dilate(level, around) - cv2.erode(level, around) >= _EVEN_PX)] = np.inf
    y, x = _surest(error)
    enlarge = np.divide(left.shape[::-1], size)
    start, end = np.column_stack([x, y]), np.column_stack([there[y, x], y + down[y, x]])
    return (start + 0.5) * enlarge - 0.5, (end + 0.5) * enlarge - 0.5


def _resized(view: Image, size: tuple[int, int]) -> Image:
    return view if view.shape[::-1] == size else cv2.resize(view, size, interpolation=cv2.INTER_AREA)


def _disparity(left: Image, right: Image, coarse: CoarseMatch, size: tuple[int, int]) -> FloatMap:
    """Disparity (H, W) px of a view of `size` by matching smaller copies; NaN where it is unsure."""
    scale = min(1.0, MATCHED_PX / left.shape[1])
    small = max(1, round(left.shape[1] * scale)), max(1, round(left.shape[0] * scale))
    found = coarse.disparity[np.isfinite(coarse.disparity)] / coarse.scale
    low, high = np.percentile(found, [1, 99]) * scale + np.array([-1, 1]) * _MARGIN * small[0]
    matched = match(_resized(left, small), _resized(right, small), float(low), float(high), _SURE)
    sure = cv2.erode(np.isfinite(matched).astype(np.uint8), np.ones((3, 3), np.uint8))
    disparity = np.asarray(cv2.resize(np.nan_to_num(matched), size, interpolation=cv2.INTER_LINEAR), np.float32)
    disparity *= np.float32(size[0] / small[0])
    disparity[cv2.resize(sure, size, interpolation=cv2.INTER_NEAREST) == 0] = np.nan
    return disparity


def _followed(first: FloatMap, second: FloatMap, disparity: FloatMap) -> tuple[FloatMap, FloatMap, FloatMap]:
    """How far right and down of its match every pixel is seen, and the larger standard error of both, (H, W) px."""
    first, second = (np.asarray(cv2.GaussianBlur(v, (0, 0), _SMOOTH_PX), np.float32) for v in (first, second))
    rows, columns = first.shape
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    x -= np.nan_to_num(disparity)
    known = np.isfinite(disparity).astype(np.float32)
    aside, down, error = (np.zeros_like(first) for _ in range(3))

    def summed(values: FloatMap) -> FloatMap:
        return np.asarray(cv2.boxFilter(values * known, -1, (_WINDOW_PX, _WINDOW_PX)), np.float32)

    share = summed(np.ones_like(first)) + np.float32(1e-6)
    slope = _slopes(first)
    for _ in range(STEPS):
        # neighbours move alike: without the mean, each pixel's window would hold as many motions as pixels
        aside, down = summed(aside) / share, summed(down) / share
        seen = cv2.remap(second, x + aside, y + down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        warped = np.asarray(seen, np.float32)
        across, along = (0.5 * (a + b) for a, b in zip(slope, _slopes(warped), strict=True))
        left_over = first - warped
        left_over -= summed(left_over) / share
        a, b, c = summed(across**2) + 0.5, summed(across * along), summed(along**2) + 0.5
        p, q = summed(across * left_over), summed(along * left_over)
        area = a * c - b * b
        aside += np.clip((c * p - b * q) / area, -1, 1)
        down += np.clip((a * q - b * p) / area, -1, 1)
        # smoothing and the window share noise between neighbours: a third of the pixels is independent
        error = np.sqrt((summed(left_over**2) + _NOISE) * np.maximum(a, c) / area / (_WINDOW_PX**2 / 3))
    return aside, down, error


def _slopes(view: FloatMap) -> tuple[FloatMap, FloatMap]:
    """Slopes (H, W) of a view along the row and down the column, in levels a pixel."""
    across, down = (np.asarray(cv2.Scharr(view, -1, *way), np.float32) / 32 for way in ((1, 0), (0, 1)))
    return across, down


def _surest(error: FloatMap) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column of the pixel of the smallest error (H, W) in each cell that has one below SURE_PX."""
    height, width = error.shape
    side = max(1, math.ceil(math.sqrt(height * width / POINTS)))
    down, across = -(-height // side), -(-width // side)
    cells = np.full((down * side, across * side), np.inf, np.float32)
    cells[:height, :width] = error
    cells = cells.reshape(down, side, across, side).swapaxes(1, 2).reshape(down, across, side * side)
    best = cells.argmin(axis=2)
    y, x = np.nonzero(cells.min(axis=2) < SURE_PX)
    return y * side + best[y, x] // side, x * side + best[y, x] % side
