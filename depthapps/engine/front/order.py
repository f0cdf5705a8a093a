"""Tell from occlusions, and from where the ground lies, which of two views was taken from the left."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.scene import FloatMap, Image
from depthapps.engine.front.exposure import equalize_exposure
from depthapps.engine.matching.sgbm import SgbmParams, match

_WIDTH, _FAST_WIDTH = 640, 480  # px, width of the copies that are examined
# Matched pixels needed on each side of an occluded strip, each side on one surface. With 5 instead of 3, 39 instead of
# 62 strips spoke in the real pair with the fewest, and not clearly.
_SIDE = 3
_FLAT_PX = 1.5  # largest disparity difference among the pixels of one side
_NARROWEST_PX = 4  # narrowest strip: the windows in which the contours at its two ends are sought must not overlap
_MISPLACED_PX = 4  # a strip is sought this far from where the matches end: matching displaces depth edges by 3 px
_FIT_PX = 6  # right pixels on each side of a depth edge that tell where it is
_MISFIT = 20.0  # largest difference of two grey levels that counts: beyond it a pixel is simply another one
_REACH_PX = 1  # search distance from a strip's end to its contour, once the strip is placed
_NOISE = 8.0  # noise of a contrast, in grey levels summed over luma and the two differences of colour
_BLUR_PX = 0.7  # sigma of the blur that takes single pixels' noise out of contrasts and differences
# Weight of the ground: what a correlation of 1 between disparity and row counts, in standard deviations. Nearer things
# are lower in most pictures (Torralba & Oliva 2002); in 26 real pairs and 7 photos the correlation is 0.07 to 0.95. It
# is a habit of photographers and no law, so by itself it must not exceed _SURE.
_GROUND = 2.0
_ROWS_SAMPLED = 7  # every 7th matched pixel enters that correlation: some 20 000, and no column more than another
# How clear the evidence must be, in standard deviations of the strips' sum if each strip were a coin toss. Of 26 real
# pairs, none exceeds -5.0 (fast: -2.1) in order, and all reach 5.2 (3.9) exchanged. Upside down, where the ground
# speaks against the truth, none exceeds -2.4 (-1.6) in order.
_SURE = 2.0


def look_exchanged(
    left: Image, right: Image, low_px: float, high_px: float, *, fast: bool = False, as_named: bool = True
) -> bool:
    """Whether the scene shows that the left view was taken from the right; views (H, W, 3) with common rows.

    The test does not need to know where infinity lies: low_px and high_px are the disparity range of any signs. Where
    the disparity rises from left to right along a row, the left view shows a strip that is occluded in the right view.
    The strip belongs to the background, so it continues the surface on its left, and the contour between the two
    surfaces is at its right end. If the views are exchanged, the contour is at its left end. Each strip speaks for one
    order by the difference of the contrasts at its ends. Strips that only the right view shows speak too, unless the
    left view is clear about the given order. Where little is hidden, the ground helps: it is nearer further down.

    as_named: the user named the views in this order, which only clear evidence refutes. Otherwise somebody guessed that
    they are exchanged, and any evidence against that counts.
    """
    height, width = left.shape[:2]
    widest = _FAST_WIDTH if fast else _WIDTH
    scale = min(1.0, widest / width)
    if scale < 1:
        size = (widest, round(height * scale))
        left, right = (cv2.resize(view, size, interpolation=cv2.INTER_AREA) for view in (left, right))
    left, right = to_8bit(left), to_8bit(right)
    mode = cv2.STEREO_SGBM_MODE_SGBM_3WAY if fast else cv2.STEREO_SGBM_MODE_HH4
    range_px, params = (low_px * scale, high_px * scale), SgbmParams(mode=mode)
    shares, ground = _evidence(left, right, range_px, params)
    if _deviations(shares, ground) >= -_SURE:
        mirrored_left, mirrored_right = (np.ascontiguousarray(view[:, ::-1]) for view in (right, left))
        more, again = _evidence(mirrored_left, mirrored_right, range_px, params)
        shares, ground = np.concatenate([shares, more]), (ground + again) / 2
    return _deviations(shares, ground) > (_SURE if as_named else 0)


def _deviations(shares: FloatMap, ground: float) -> float:
    """How clearly strips (N,) and ground, as `_evidence` returns them, speak for exchanged views, in deviations."""
    return float(-shares.sum() / np.sqrt((shares**2).sum() + 1) - _GROUND * ground)


def _evidence(left: Image, right: Image, range_px: tuple[float, float], params: SgbmParams) -> tuple[FloatMap, float]:
    """What the strips that only the left view shows, and the ground, say about the order; positive: it is as given.

    Returns (N,) from -1 to 1, the contrast at each strip's right end less that at its left one as a share of both, and
    the rank correlation of disparity and row, from -1 to 1.
    """
    left_grey, right_grey = (cv2.cvtColor(view, cv2.COLOR_RGB2GRAY) for view in (left, right))
    right_grey = equalize_exposure(left_grey, right_grey)
    disparity = match(left_grey, right_grey, *range_px, params)
    row, start, wide = _placed(left_grey, right_grey, *_strips(disparity))
    contrast = _contrast(left)
    left_end, right_end = contrast[row, start], contrast[row, start + wide]
    return (right_end - left_end) / (right_end + left_end + _NOISE), _rise_downwards(disparity)


def _strips(disparity: FloatMap) -> tuple[NDArray[np.intp], ...]:
    """Gaps between matches that are as wide as the disparity rises across them, so that occlusion explains them.

    Returns row, column of the first pixel in the gap, column after the last one, disparity on the left and on the
    right in whole px; each (N,).
    """
    width, values = disparity.shape[1], disparity.ravel()
    matched = np.flatnonzero(np.isfinite(values))
    before = np.flatnonzero(np.diff(matched) > 1)  # indices of the last matched pixel before each gap
    before = before[(before >= _SIDE - 1) & (before < len(matched) - _SIDE)]
    sides = [matched[before[:, None] + np.arange(a, a + _SIDE)] for a in (1 - _SIDE, 1)]
    last, first = matched[before], matched[before + 1]
    hidden = last // width == first // width
    for side in sides:
        hidden &= (np.ptp(side, axis=1) == _SIDE - 1) & (np.ptp(values[side], axis=1) <= _FLAT_PX)
    behind, before_it = (np.median(values[side], axis=1) for side in sides)
    rise, wide = before_it - behind, first - last - 1
    hidden &= np.abs(wide - rise) <= 0.35 * rise + 2
    behind, before_it = (np.rint(side[hidden]).astype(np.intp) for side in (behind, before_it))
    return last[hidden] // width, last[hidden] % width + 1, first[hidden] % width, behind, before_it


def _placed(
    left: Image,
    right: Image,
    row: NDArray[np.intp],
    start: NDArray[np.intp],
    end: NDArray[np.intp],
    one: NDArray[np.intp],
    other: NDArray[np.intp],
) -> tuple[NDArray[np.intp], ...]:
    """Place strips exactly by both views (H, W) grey: row, first column and width of those wide enough, each (M,).

    In the right view both surfaces meet without the strip. Right pixels before the meeting point show the left view at
    disparity `one`, those from it on at disparity `other`, whichever surface is nearer. The meeting point is where that
    fits best, and the strip begins there.
    """
    width, wide = left.shape[1], other - one
    middle = (start + end - wide + 1) // 2  # where the strip begins if both its ends are equally wrong
    inside = (wide >= _NARROWEST_PX) & (np.minimum(middle, middle - one) >= _FIT_PX + _REACH_PX)
    inside &= np.maximum(middle + wide, middle - one) < width - _FIT_PX - _REACH_PX
    row, middle, one, wide = row[inside], middle[inside], one[inside], wide[inside]
    first, second = (cv2.GaussianBlur(view, (0, 0), _BLUR_PX).astype(np.float32) for view in (left, right))
    column, at = middle[:, None] + np.arange(-_FIT_PX, _FIT_PX + 1), row[:, None]
    shown = second[at, column - one[:, None]]
    as_one = np.minimum(np.abs(first[at, column] - shown), _MISFIT)
    as_other = np.minimum(np.abs(first[at, column + wide[:, None]] - shown), _MISFIT)
    # misfit of a meeting point, less that of having all pixels on the second surface
    misfit = np.cumsum(as_one - as_other, axis=1)[:, _FIT_PX - _MISPLACED_PX - 1 : _FIT_PX + _MISPLACED_PX]
    return row, middle - _MISPLACED_PX + np.argmin(misfit, axis=1), wide


def _contrast(view: Image) -> FloatMap:
    """Colour contrast (H, W) across each pixel's left border: the largest within _REACH_PX along the row.

    It is measured in Y'CbCr. CIELAB tells no more, and OpenCV's first conversion to it takes 0.1 s of a process.
    """
    colors = cv2.cvtColor(cv2.GaussianBlur(view, (0, 0), _BLUR_PX), cv2.COLOR_RGB2YCrCb).astype(np.float32)
    twos = (colors[:, 1:] + colors[:, :-1]) / 2
    contrast = np.zeros(view.shape[:2], np.float32)
    contrast[:, 2:-1] = np.abs(twos[:, 2:] - twos[:, :-2]).sum(axis=2)
    return np.asarray(cv2.dilate(contrast, np.ones((1, 2 * _REACH_PX + 1), np.uint8)), np.float32)


def _rise_downwards(disparity: FloatMap) -> float:
    """Rank correlation (Spearman) of disparity (H, W) and row over the matched pixels, from -1 to 1."""
    found = np.flatnonzero(np.isfinite(disparity))[::_ROWS_SAMPLED]
    if len(found) < 2:
        return 0.0
    ranks = np.empty(len(found))
    ranks[np.argsort(disparity.ravel()[found])] = np.arange(len(found))
    row = found // disparity.shape[1]
    spread = ranks.std() * row.std()
    return float(np.mean((ranks - ranks.mean()) * (row - row.mean())) / spread) if spread > 0 else 0.0
