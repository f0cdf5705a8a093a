"""Lay onto the floor what was matched below it: nothing lies behind the planes that bound a scene.

Where a pattern repeats, such as the bars of a railing, a match may be one period off, and then lies beneath the floor
or behind the wall. A plane that holds much of a picture, and behind which next to nothing is that is sure, is taken for
such a bound. What lies behind it is laid onto it, if the plane is seen beside it.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.runtime.threads import for_bands
from depthapps.surface import scene_planes
from depthapps.surface.scene_planes import plane_over, planes_of
from depthapps.surface.tearing import BoolMap

# All figures are what is off by more than 2 px of maps without bounds, found by `balanced` where no other quality is
# named. Bounds take .82 % off that in 28 ray-cast rooms, many of them with railings, and .37 % in six streets; at
# `fast` .72 and .44 %, and .03 % in 20 real pairs. They can do harm where a thing has a large face: beyond its edge the
# room behind is seen, at the left border by the left view alone. So constants were also compared over other scenes: 97
# corners (three fifths of each side) and halved copies of the 20 pairs, of which they add .01 %, and .6 % at most.
_SURE = 0.9  # confidence of pixels that tell where planes are; 0.8: rooms are alike, one corner is off by 5 % more
_ON_PX = 0.75  # by which such a pixel of a plane is off at most; with 1 px corners are off by .15 % more
_BEHIND_PX = 2.0  # by which a sure pixel is behind a plane for certain
_LEAST_SHARE = 0.12  # of the confidence, what lies on a bound at least; with 0.08 corners are off by .22 % more
# Sure pixels behind a bound for each on it at most. With 0.1 a wall that is seen beyond a folder is laid onto it, 15 %
# of one corner; with 0.03 `fast` gains nothing in streets.
_MOST_BEHIND = 0.05
# The same for each behind it that is not sure. Where there are more, something is there: with 1, a curved cloth behind
# a plant is laid onto a plane; 0.25 and 0.5 are alike.
_MOST_SURE = 0.3
_MOST_USED = 10_000  # sure pixels that planes are fitted to; with 4 times as many bad2 is the same to .01 %
_LOOKED_AT = 100_000  # pixels that tell all this, of a grid; with ten times as many all is alike to .02 %
_OFF_PX = 1.5  # behind a bound by which a pixel is laid onto it: twice what its own pixels may be off
# Confidence of what is laid onto a bound at most. With 0.7 rooms gain .03 % less; with 0.9 .01 % more, and corners are
# off by .01 % more.
_DOUBTFUL = 0.8
# Share of the pixels around it that lie on the bound at least. Without that rooms gain .08 % more, but 18 % of one
# corner is wrong; with 0.05 rooms gain .03 % more, but `fast` lays 5 % of one of their corners wrong.
_BESIDE, _AROUND_PX = 0.1, 2
# Matches are sure where so much of a window is matched, and has so much texture. Windows of 15 px are alike, as is a
# gradient of 2; with 0 streets gain nothing, with 4 two corners are off by some 2 % more.
_WINDOW_PX, _MATCHED, _TEXTURE = 9, 0.97, 3.0  # side; share; mean gradient along the row, grey levels a pixel
_UNSURE = 0.4  # taken for the confidence of all else; 0.6 is alike

KERNELS = scene_planes.KERNELS


def sure_matches(known: FloatMap, left: Image) -> FloatMap:
    """The confidence (H, W) of confirmed matches as `within_bounds` needs it, by nothing but themselves.

    known: (H, W) px, NaN where there is none. left: (H, W) uint8 grey. Chance matches are rarely dense.
    """
    window = (_WINDOW_PX, _WINDOW_PX)
    matched = cv2.blur(np.isfinite(known).astype(np.float32), window)
    texture = cv2.blur(np.abs(cv2.Sobel(left, cv2.CV_32F, 1, 0)) / 4, window)
    sure = np.isfinite(known) & (matched > _MATCHED) & (texture > _TEXTURE)
    return np.where(sure, np.float32(1), np.float32(_UNSURE))


def within_bounds(disparity: FloatMap, confidence: FloatMap, low_px: float) -> FloatMap:
    """The disparity (H, W) px with what is doubtful and lies behind a plane that bounds the scene laid onto that plane.

    confidence: (H, W), the probability that it is right to 1 px. low_px: the smallest disparity that was searched: a
    plane that goes on to farther away bounds nothing there.
    """
    step = max(round(math.sqrt(disparity.size / _LOOKED_AT)), 1)
    some, likely = disparity[::step, ::step], confidence[::step, ::step]
    planes, parts = [], []
    for plane in planes_of(some, likely > _SURE, least=_ON_PX, holding=_LEAST_SHARE / 2, most_used=_MOST_USED):
        part = _behind(plane, some, likely, low_px)
        if part.any():
            planes.append(plane / (1, step, step))
            parts.append(part)
    if not planes:
        return disparity
    within, width = disparity.copy(), disparity.shape[1]

    def lay(first: int, end: int) -> None:
        own, doubtful = disparity[first:end], confidence[first:end] <= _DOUBTFUL
        for plane, part in zip(planes, parts, strict=True):
            cells = part[np.arange(first, end) // step]
            if not cells.any():
                continue
            values = plane_over(plane, range(first, end), range(width))
            there = cells.repeat(step, axis=1)[:, :width] & doubtful & (own < values - _OFF_PX) & (values > low_px)
            np.maximum(within[first:end], values, out=within[first:end], where=there)

    for_bands(len(disparity), lay)
    return within


def _behind(plane: NDArray[np.floating], disparity: FloatMap, confidence: FloatMap, low_px: float) -> BoolMap:
    """The pixels (H, W) that are to be laid onto a plane: none if it is no bound."""
    on_it = plane_over(plane, *map(range, disparity.shape))
    off, inside = disparity - on_it, on_it > low_px
    on = np.abs(off) <= _ON_PX
    if not _bounds(on, inside & (off < -_BEHIND_PX), confidence):
        return np.zeros_like(on)
    return _beside(on, inside & (off < -_OFF_PX) & (confidence <= _DOUBTFUL))


def _bounds(on: BoolMap, behind: BoolMap, confidence: FloatMap) -> bool:
    """Whether a plane holds much of the scene, and next to nothing that is sure lies behind it."""
    if confidence[on].sum() < _LEAST_SHARE * confidence.sum():
        return False
    sure = confidence > _SURE
    wrong, doubtful = (np.count_nonzero(behind & which) for which in (sure, ~sure))
    return bool(wrong <= min(_MOST_BEHIND * np.count_nonzero(on & sure), _MOST_SURE * doubtful))


def _beside(on: BoolMap, behind: BoolMap) -> BoolMap:
    """Those parts (H, W) of what lies behind a plane around which enough lies on it."""
    count, found = cv2.connectedComponents(behind.astype(np.uint8), connectivity=4, ltype=cv2.CV_32S)
    label, side = np.asarray(found, np.int32), 2 * _AROUND_PX + 1
    # OpenCV dilates no whole numbers of 32 bits; labels are exact in float32 up to 16 million
    around = cv2.dilate(label.astype(np.float32), np.ones((side, side), np.uint8)).astype(np.int32)
    around[behind] = 0
    held = np.bincount(around[on], minlength=count) > _BESIDE * np.bincount(around.ravel(), minlength=count)
    held[0] = False
    # and what is next to them, which a grid leaves out
    return cv2.dilate(held[label].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
