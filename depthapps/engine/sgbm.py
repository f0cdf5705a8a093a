"""OpenCV's semi-global matcher, with its traps removed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from depthapps.scene import FloatMap, Image

LEVEL_MULTIPLE = 16  # OpenCV searches this many disparities, or a multiple
_SUBPIXEL = 16  # its disparities are whole numbers of 1/16 px
_BORDER_PX = 2  # reach of the 3x3 Sobel prefilter and a 3x3 block, which near the border see the padding


@dataclass(frozen=True)
class SgbmParams:
    """Settings of the matcher; costs are sums over block² pixels of one grey channel.

    Measured over 26 real pairs with known disparity (bad2 on 20, D1 on 6 of KITTI), one at a time from
    these values: grey for colour 11.7 -> 11.6 and 7.5 -> 7.1; prefilter cap 63 -> 31 11.6 -> 11.7 but D1
    7.8 -> 7.5; speckles up to 200 px for 100 11.9 -> 11.6; four paths (HH4) for three 12.6 -> 11.6.
    """

    mode: int = cv2.STEREO_SGBM_MODE_SGBM_3WAY
    block: int = 3
    step_penalty: int = 8  # P1 a pixel, for one disparity more or less; OpenCV's own recommendation
    jump_penalty: int = 32  # P2 a pixel, for larger changes; OpenCV's own recommendation
    prefilter_cap: int = 31
    uniqueness: int = 10  # % by which the best cost must win
    left_right_px: int = 1
    speckle_px: int = 200  # smaller islands are no answer
    speckle_range_px: int = 2


def match(left: Image, right: Image, low: float, high: float, params: SgbmParams) -> FloatMap:
    """Disparity of the left view of a rectified pair (H, W) uint8 grey, in px from `low` to `high`; NaN = no answer.

    Both views are padded by the range, so that no border is lost. Matches that are not unique, differ between left
    to right and right to left, form a speckle, or lie at the border or beyond it in either view are no answer.
    """
    first = math.floor(low)
    levels = LEVEL_MULTIPLE * max(1, math.ceil((high - first) / LEVEL_MULTIPLE))
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
