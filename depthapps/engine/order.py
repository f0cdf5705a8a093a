"""Which of two views was taken from the left, by what near things hide in them."""

from __future__ import annotations

import cv2
import numpy as np

from depthapps.color import to_8bit
from depthapps.engine.exposure import equalize_exposure
from depthapps.engine.sgbm import SgbmParams, match_both_ways
from depthapps.scene import FloatMap, Image

_WIDTH = 1000  # px of the copies that are looked at; at 640 two of 104 pairs fewer are told
_SIDE = 5  # matched pixels on either side of a hidden strip, of one surface
_FLAT_PX = 1.5  # by which their disparities may differ
_NARROWEST_PX = 4  # strip; the contours at its ends are seen apart
_REACH_PX = 3  # from an end to its contour: matching blurs depth edges so far
_NOISE = 8.0  # of a contrast in CIELAB units of 8-bit pictures, summed over three channels
_CLEARLY = 0.2  # by which one contrast is the stronger one, as a share of both
# Deviations of the votes' count, were they tossed. Of 26 real pairs, as they are and mirrored, none is taken for
# exchanged even at 0.5; once they are, 50 of 52 are noticed at 3, 46 at 5.
_SURE = 3.0


def look_exchanged(left: Image, right: Image, low_px: float, high_px: float) -> bool:
    """Whether two views (H, W, 3), whose rows line up, show that the left one was taken from the right.

    Wherever infinity lies: disparities, from low_px to high_px, are taken as they come. Where they rise from left to
    right, the left view shows a strip that the right one hides. It belongs to what is behind, so its contour, where
    another thing begins, is at its right end; were the views exchanged, at its left end. Each strip has a vote.
    """
    height, width = left.shape[:2]
    scale = min(1.0, _WIDTH / width)
    if scale < 1:
        size = (_WIDTH, round(height * scale))
        left, right = (cv2.resize(view, size, interpolation=cv2.INTER_AREA) for view in (left, right))
    left = to_8bit(left)
    left_grey, right_grey = (cv2.cvtColor(to_8bit(view), cv2.COLOR_RGB2GRAY) for view in (left, right))
    right_grey = equalize_exposure(left_grey, right_grey)
    disparity, _ = match_both_ways(left_grey, right_grey, low_px * scale, high_px * scale, SgbmParams())
    behind, before = _votes(left, disparity)
    return before - behind > _SURE * np.sqrt(before + behind + 1)


def _votes(left: Image, disparity_px: FloatMap) -> tuple[int, int]:
    """How many strips without a match go on at their left end, as what is behind does, and at their right end."""
    width = left.shape[1]
    matched = np.flatnonzero(np.isfinite(disparity_px))
    if len(matched) <= 2 * _SIDE:
        return 0, 0
    sides = np.lib.stride_tricks.sliding_window_view(disparity_px.ravel()[matched], _SIDE)
    level = np.median(sides, axis=1)
    whole = matched[_SIDE - 1 :] - matched[: 1 - _SIDE] == _SIDE - 1
    flat = whole & (sides.max(axis=1) - sides.min(axis=1) <= _FLAT_PX)
    last, first = matched[_SIDE - 1 : -_SIDE], matched[_SIDE : 1 - _SIDE]  # before a strip, and behind it
    rise, wide = level[_SIDE:] - level[:-_SIDE], first - last - 1
    hidden = flat[:-_SIDE] & flat[_SIDE:] & (last // width == first // width)
    hidden &= (rise >= _NARROWEST_PX) & (np.abs(wide - rise) <= 0.35 * rise + 2)
    contrast = _contrast(left).ravel()
    left_end, right_end = contrast[last[hidden] + 1], contrast[first[hidden]]
    share = (right_end - left_end) / (right_end + left_end + _NOISE)
    return int((share > _CLEARLY).sum()), int((share < -_CLEARLY).sum())


def _contrast(view: Image) -> FloatMap:
    """(H, W), how much the colours left and right of a pixel's left border differ, at most within _REACH_PX of it."""
    lab = cv2.cvtColor(cv2.GaussianBlur(view, (0, 0), 0.7), cv2.COLOR_RGB2LAB).astype(np.float32)
    twos = (lab[:, 1:] + lab[:, :-1]) / 2
    contrast = np.zeros(view.shape[:2], np.float32)
    contrast[:, 2:-1] = np.abs(twos[:, 2:] - twos[:, :-2]).sum(axis=2)
    return np.asarray(cv2.dilate(contrast, np.ones((1, 2 * _REACH_PX + 1), np.uint8)), np.float32)
