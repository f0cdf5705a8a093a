"""OpenCV's semi-global matcher, with its traps removed."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.runtime.threads import for_bands

LEVEL_MULTIPLE = 16  # OpenCV searches this many disparities, or a multiple
_SUBPIXEL = 16  # its disparities are whole numbers of 1/16 px
# Large pairs are matched in strips, for the four-path mode keeps four bytes a pixel and level: 0.5 GB a strip. Over 26
# real pairs cut in two, an overlap of 64 rows costs 0.05 % of bad pixels, one of 16 rows 0.2 %.
_STRIP_CELLS = 128_000_000
_STRIP_OVERLAP = 64
_BORDER_PX = 2  # reach of the 3x3 Sobel prefilter and a 3x3 block, which near the border see the padding


@dataclass(frozen=True)
class SgbmParams:
    """Settings of the matcher; costs are sums over block² pixels of one grey channel.

    Chosen over 26 real pairs with known disparity (bad2 on 20 of them, D1 on 6 of KITTI, both in percent): four paths
    (HH4) for three take bad2 from 12.6 to 11.6, speckles up to 200 px for 100 from 11.9 to 11.6, grey for colour from
    11.7 to 11.6 and D1 from 7.5 to 7.1, a prefilter cap of 31 for 63 D1 from 7.8 to 7.5. Costs with that cap are lower,
    and so are the penalties: 5 and 24 for OpenCV's 8 and 32 take bad2 from 8.6 to 8.2, D1 from 5.8 to 6.0 in the end.
    """

    mode: int = cv2.STEREO_SGBM_MODE_SGBM_3WAY
    block: int = 3
    step_penalty: int = 5  # P1 a pixel, for one disparity more or less
    jump_penalty: int = 24  # P2 a pixel, for larger changes
    prefilter_cap: int = 31
    uniqueness: int = 10  # % by which the best cost must win
    left_right_px: int = 1
    speckle_px: int = 200  # smaller islands are no answer
    speckle_range_px: int = 2


def match(left: Image, right: Image, low: float, high: float, params: SgbmParams) -> FloatMap:
    """Disparity of the left view of a rectified pair (H, W) uint8 grey, in px from `low` to `high`; NaN = no answer.

    Both views are padded by the range, so that no border is lost, and matched in strips of bounded memory. Matches
    that are not unique, differ between left to right and right to left, form a speckle, or lie at the border or beyond
    it in either view are no answer.
    """
    first = math.floor(low)
    levels = LEVEL_MULTIPLE * max(1, math.ceil((high - first) / LEVEL_MULTIPLE))
    height, width = left.shape
    out = np.empty((height, width), np.float32)

    def strip(start: int, end: int) -> None:
        top, bottom = max(0, start - _STRIP_OVERLAP), min(height, end + _STRIP_OVERLAP)
        out[start:end] = _match(left[top:bottom], right[top:bottom], first, levels, params)[start - top : end - top]

    for_bands(height, strip, max(_STRIP_OVERLAP, _STRIP_CELLS // (width * levels)))
    return out


def match_both_ways(
    left: Image, right: Image, low: float, high: float, params: SgbmParams
) -> tuple[FloatMap, FloatMap]:
    """As `match`, without what the right view, matched for itself, does not confirm; and that view's disparity.

    Both are (H, W) px; the second has every answer that matching gives, in the right view's own pixels.

    OpenCV's own check reads the right view's disparities off the left one's costs and lets through 40 % of what the
    right view cannot see. Over 26 real pairs this one takes bad2 from 10.4 to 10.0 and costs one more matching, which
    runs beside the first.
    """
    mirrored_right, mirrored_left = (np.ascontiguousarray(view[:, ::-1]) for view in (right, left))
    all_answers = replace(params, uniqueness=0, left_right_px=-1, speckle_px=0)
    with ThreadPoolExecutor(1) as pool:
        back = pool.submit(match, mirrored_right, mirrored_left, low, high, all_answers)
        disparity = match(left, right, low, high, params)
    seen = back.result()[:, ::-1]
    return np.where(_confirmed(disparity, seen, params.left_right_px), disparity, np.float32(np.nan)), seen


def _confirmed(disparity: FloatMap, right_disparity: FloatMap, tolerance_px: float) -> NDArray[np.bool_]:
    """Whether one of the two pixels that a match lands between has its disparity, (H, W)."""
    width = disparity.shape[1]
    landing = np.floor(np.arange(width) - np.nan_to_num(disparity)).astype(np.intp)
    confirmed = np.zeros(disparity.shape, np.bool_)
    for column in (landing, landing + 1):
        there = np.take_along_axis(right_disparity, np.clip(column, 0, width - 1), axis=1)
        confirmed |= np.abs(there - disparity) <= tolerance_px
    return confirmed


def _match(left: Image, right: Image, first: int, levels: int, params: SgbmParams) -> FloatMap:
    """`match` in one piece, for the disparities from `first` on."""
    pad_left, pad_right = max(first + levels, 0), max(-first, 0)
    padded = [cv2.copyMakeBorder(v, 0, 0, pad_left, pad_right, cv2.BORDER_REPLICATE) for v in (left, right)]
    area = params.block**2
    matcher = cv2.StereoSGBM.create(
        minDisparity=first,
        numDisparities=levels,
        blockSize=params.block,
        P1=params.step_penalty * area,
        P2=params.jump_penalty * area,
        disp12MaxDiff=params.left_right_px,
        preFilterCap=params.prefilter_cap,
        uniquenessRatio=params.uniqueness,
        speckleWindowSize=params.speckle_px,
        speckleRange=params.speckle_range_px,
        mode=params.mode,
    )
    width = left.shape[1]
    found = matcher.compute(*padded)[:, pad_left : pad_left + width]
    disparity = found / np.float32(_SUBPIXEL)
    column = np.arange(width, dtype=np.float32)
    landing = column - disparity  # where in the right view the match lies
    inside = (np.minimum(column, landing) >= _BORDER_PX) & (np.maximum(column, landing) <= width - 1 - _BORDER_PX)
    return np.where((found >= first * _SUBPIXEL) & inside, disparity, np.float32(np.nan))
