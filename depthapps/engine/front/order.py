"""Tell from occlusions which of two views was taken from the left."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.scene import FloatMap, Image
from depthapps.engine.front.exposure import equalize_exposure
from depthapps.engine.matching.sgbm import SgbmParams, match

_WIDTH, _FAST_WIDTH = 640, 480  # px, width of the copies that are examined
_SIDE = 5  # matched pixels needed on each side of an occluded strip, each side on one surface
_FLAT_PX = 1.5  # largest disparity difference among the pixels of one side
_NARROWEST_PX = 4  # narrowest strip: in a narrower one the contours at both ends cannot be told apart
_REACH_PX = 3  # search distance from a strip's end to its contour: matching displaces depth edges this far
_NOISE = 8.0  # noise of a contrast, in CIELAB units of 8-bit pictures summed over three channels
_CLEARLY = 0.2  # least difference of the contrasts at both ends for a vote, as a share of their sum
# Threshold in standard deviations of the vote count if each vote were a coin toss; positive means exchanged. With the
# votes of both views, 26 real pairs, and 75 pairs whose second view was rotated and rectified again, reach at most
# -0.9. With exchanged views the 26 pairs reach at least 5.2, all but one. The left view's votes alone reached a wrong
# 3.9 in a scene of textureless round objects.
_SURE = 2.0


def look_exchanged(left: Image, right: Image, low_px: float, high_px: float, *, fast: bool = False) -> bool:
    """Whether occlusions show that the left view was taken from the right; views (H, W, 3) with common rows.

    The test does not need to know where infinity lies: low_px and high_px are the disparity range of any signs. Where
    the disparity rises from left to right along a row, the left view shows a strip that is occluded in the right view.
    The strip belongs to the background, so it continues the surface on its left, and the contour between the two
    surfaces is at its right end. If the views are exchanged, the contour is at its left end. Each strip gives one vote.
    Strips that only the right view shows vote too, unless the left view's votes are clearly for the given order.
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
    votes = _votes(left, right, range_px, params)
    if _deviations(votes) >= -_SURE:
        mirrored_left, mirrored_right = (np.ascontiguousarray(view[:, ::-1]) for view in (right, left))
        votes += _votes(mirrored_left, mirrored_right, range_px, params)
    return _deviations(votes) > _SURE


def _deviations(votes: NDArray[np.int_]) -> float:
    """How clearly votes (2,), as `_votes` returns them, speak for exchanged views, in standard deviations."""
    behind, before = votes
    return float((before - behind) / np.sqrt(before + behind + 1))


def _votes(left: Image, right: Image, range_px: tuple[float, float], params: SgbmParams) -> NDArray[np.int_]:
    """Votes (2,) of the strips that only the left view shows: those that continue the surface on their left (the
    background if the views are in order), and those that continue the one on their right."""
    left_grey, right_grey = (cv2.cvtColor(view, cv2.COLOR_RGB2GRAY) for view in (left, right))
    disparity = match(left_grey, equalize_exposure(left_grey, right_grey), *range_px, params)
    width, values = left.shape[1], disparity.ravel()
    matched = np.flatnonzero(np.isfinite(values))
    before = np.flatnonzero(np.diff(matched) > 1)  # indices of the last matched pixel before each gap
    before = before[(before >= _SIDE - 1) & (before < len(matched) - _SIDE)]
    sides = [matched[before[:, None] + np.arange(a, a + _SIDE)] for a in (1 - _SIDE, 1)]
    last, first = matched[before], matched[before + 1]
    hidden = last // width == first // width
    for side in sides:
        hidden &= (np.ptp(side, axis=1) == _SIDE - 1) & (np.ptp(values[side], axis=1) <= _FLAT_PX)
    one, other = (np.median(values[side], axis=1) for side in sides)
    rise, wide = other - one, first - last - 1
    hidden &= (rise >= _NARROWEST_PX) & (np.abs(wide - rise) <= 0.35 * rise + 2)
    contrast = _contrast(left).ravel()
    left_end, right_end = contrast[last[hidden] + 1], contrast[first[hidden]]
    share = (right_end - left_end) / (right_end + left_end + _NOISE)
    return np.array([(share > _CLEARLY).sum(), (share < -_CLEARLY).sum()])


def _contrast(view: Image) -> FloatMap:
    """Colour contrast (H, W) across each pixel's left border: the largest within _REACH_PX along the row."""
    lab = cv2.cvtColor(cv2.GaussianBlur(view, (0, 0), 0.7), cv2.COLOR_RGB2LAB).astype(np.float32)
    twos = (lab[:, 1:] + lab[:, :-1]) / 2
    contrast = np.zeros(view.shape[:2], np.float32)
    contrast[:, 2:-1] = np.abs(twos[:, 2:] - twos[:, :-2]).sum(axis=2)
    return np.asarray(cv2.dilate(contrast, np.ones((1, 2 * _REACH_PX + 1), np.uint8)), np.float32)
