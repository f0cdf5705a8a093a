"""Guess the background where a view shows something that no photo saw."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.filling import fill_background, push_pull
from depthapps.core.scene import FloatMap

_SURFACE_PX, _SURFACE_SHARE = 1.0, 0.05  # disparity by which neighbours on one surface may differ
# The guess goes over from the next colours in the row to a smooth one within this share of a view's width. In the rooms
# of `new_views`, from both places outside, the row's alone have 29.65 and 29.65 dB, the smooth ones 29.71 and 29.83.
_ROW_SHARE = 1 / 80
_EVEN_SHARE = 1 / 320  # of the width: half the window over which the colours of neighbouring rows are averaged


def guess_background(colors: FloatMap, seen: NDArray[np.bool_], disparity: FloatMap) -> FloatMap:
    """Colours (H, W, 3) of a view with those of the background where nobody has seen it, a guess.

    colors: (H, W, 3) float32 sRGB. seen: (H, W). disparity: (H, W), or 1/Z times some thousand; known where `seen` is.
    Beside what is seen, these are the next colours in the row, of what is farther; from there they go over to a smooth
    guess from the same surface. The row's alone would be stripes.
    """
    width = seen.shape[1]
    sure = cv2.erode(seen.astype(np.uint8), np.ones((1, 3), np.uint8)) > 0  # an edge's own pixels are mixed colours
    if not sure.any():
        return colors
    smooth = _smoothly(colors, sure & alike(disparity, of_nearest(~seen, behind_hole(~seen, sure, disparity))))
    row, column, source = _sources(~seen, sure, disparity)
    beside = smooth.copy()
    beside[row, column] = colors[row, source]
    cv2.blur(beside, (1, 2 * round(_EVEN_SHARE * width) + 1), dst=beside)
    share = np.exp(-np.abs(column - source) / np.float32(_ROW_SHARE * width)).astype(np.float32)
    smooth[row, column] += share[:, None] * (beside[row, column] - smooth[row, column])
    return smooth


def behind_hole(hole: NDArray[np.bool_], sure: NDArray[np.bool_], disparity: FloatMap) -> FloatMap:
    """The disparity (H, W), at the pixels of a hole that of their background: the farther of the next sure pixels.

    A row without any has the values of the nearest row that has one.
    """
    behind = np.where(hole, np.float32(np.nan), disparity)
    row, column, source = _sources(hole, sure, disparity)
    behind[row, column] = disparity[row, source]
    return fill_background(behind)


def _sources(
    hole: NDArray[np.bool_], sure: NDArray[np.bool_], disparity: FloatMap
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.integer]]:
    """The row and column (N,) of each pixel of a hole, and the column of the pixel in the row that is its background.

    hole, sure: (H, W). Of the next sure pixels on both sides that is the farther one. Rows without any are left out.
    """
    width = hole.shape[1]
    columns = np.arange(width, dtype=np.int32)
    before = np.maximum.accumulate(np.where(sure, columns, np.int32(-1)), axis=1)[hole]
    after = np.minimum.accumulate(np.where(sure, columns, np.int32(width))[:, ::-1], axis=1)[:, ::-1][hole]
    row, column = np.nonzero(hole)
    far_before = np.where(before >= 0, disparity[row, before], np.float32(np.inf))
    far_after = np.where(after < width, disparity[row, np.minimum(after, width - 1)], np.float32(np.inf))
    source = np.where(far_after < far_before, after, before)
    known = (source >= 0) & (source < width)
    return row[known], column[known], source[known]


def _smoothly(colors: FloatMap, known: NDArray[np.bool_]) -> FloatMap:
    """Colours (H, W, 3) interpolated from known ones, a mask (H, W), on a picture of half the size."""
    height, width = known.shape
    half = max(width // 2, 1), max(height // 2, 1)
    share = np.asarray(cv2.resize(known.astype(np.float32), half, interpolation=cv2.INTER_AREA))
    mean = np.asarray(cv2.resize(colors * known[..., None], half, interpolation=cv2.INTER_AREA))
    mean /= np.maximum(share, np.float32(1e-6))[..., None]
    return np.asarray(cv2.resize(push_pull(mean, np.minimum(4 * share, 1)), (width, height)), np.float32)


def of_nearest(pixels: NDArray[np.bool_], values: FloatMap) -> FloatMap:
    """The value (H, W) of the nearest of these pixels, a mask (H, W)."""
    found = cv2.distanceTransformWithLabels((~pixels).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    label = np.asarray(found[1], np.int32)
    of_label = np.zeros(int(label.max()) + 1, np.float32)
    of_label[label[pixels]] = values[pixels]
    return of_label[label]


def alike(disparity: FloatMap, other: FloatMap) -> NDArray[np.bool_]:
    """Whether two disparities (H, W) are close enough to be those of one surface."""
    return np.abs(disparity - other) <= np.maximum(_SURFACE_PX, _SURFACE_SHARE * np.abs(other))
