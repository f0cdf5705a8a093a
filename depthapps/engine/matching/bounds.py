"""Lay onto the floor what was matched below it: nothing lies behind the planes that bound a scene.

Where a pattern repeats, such as the bars of a railing, a match may be one period off, and then lies beneath the floor
or behind the wall. A plane that holds much of a picture, and behind which next to nothing is that is sure, is taken for
such a bound.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap
from depthapps.runtime.threads import for_bands
from depthapps.surface.scene_planes import plane_over, planes_of

# All figures are of maps that `balanced` found without bounds, of 15 ray-cast rooms, many of them with railings, and of
# 26 real pairs. Bounds take what is off by more than 2 px in the rooms from 6.28 to 4.49 %, and KITTI's D1, in one of
# its streets, from 6.14 to 5.69 %; the other real pairs stay at 6.27 %.
_SURE = 0.9  # confidence of pixels that tell where planes are, and stay where they are; 0.8: rooms 4.58 %, D1 6.13 %
_ON_PX = 0.75  # by which such a pixel of a plane is off at most; with 1 px two real pairs have false bounds
_BEHIND_PX = 2.0  # by which a sure pixel is behind a plane for certain
_LEAST_SHARE = 0.12  # of the confidence, what lies on a bound at least; with 0.08 one street has a false one
_MOST_BEHIND = 0.1  # sure pixels behind a bound for each on it at most; 0.05 is alike, 0.03: rooms 4.9 %, D1 6.13 %
# The same for each behind it that is not sure. Where there are more, something is there: with 1, a curved cloth behind
# a plant is laid onto a plane; 0.25 and 0.5 are alike.
_MOST_SURE = 0.3
_MOST_USED = 10_000  # sure pixels that planes are fitted to; with 4 times as many bad2 is the same to .01 %
_LOOKED_AT = 1_000_000  # pixels that tell all this; of a picture 4 times as large or more, those of a grid
_OFF_PX = 1.5  # behind a bound by which a pixel is laid onto it: twice what its own pixels may be off


def within_bounds(disparity: FloatMap, confidence: FloatMap, low_px: float) -> FloatMap:
    """The disparity (H, W) px with what is not sure and lies behind a plane that bounds the scene laid onto that plane.

    confidence: (H, W), the probability that it is right to 1 px. low_px: the smallest disparity that was searched: a
    plane that goes on to farther away bounds nothing there.
    """
    step = max(math.isqrt(disparity.size // _LOOKED_AT), 1)
    some, likely = disparity[::step, ::step], confidence[::step, ::step]
    large = planes_of(some, likely > _SURE, least=_ON_PX, holding=_LEAST_SHARE / 2, most_used=_MOST_USED)
    planes = [plane / (1, step, step) for plane in large if _bounds(plane, some, likely, low_px)]
    if not planes:
        return disparity
    within, columns = np.empty_like(disparity), range(disparity.shape[1])

    def lay(first: int, end: int) -> None:
        nearest = np.max([plane_over(plane, range(first, end), columns) for plane in planes], axis=0)
        own = disparity[first:end]
        behind = (own < nearest - _OFF_PX) & (nearest > low_px) & (confidence[first:end] <= _SURE)
        within[first:end] = np.where(behind, nearest, own)

    for_bands(len(disparity), lay)
    return within


def _bounds(plane: NDArray[np.floating], disparity: FloatMap, confidence: FloatMap, low_px: float) -> bool:
    """Whether a plane holds much of the scene, and next to nothing that is sure lies behind it."""
    sure = confidence > _SURE
    off = disparity - plane_over(plane, *map(range, disparity.shape))
    on = np.abs(off) <= _ON_PX
    if confidence[on].sum() < _LEAST_SHARE * confidence.sum():
        return False
    behind = (off < -_BEHIND_PX) & (disparity - off > low_px)
    wrong = int((behind & sure).sum())
    doubtful = int((behind & ~sure).sum())
    return wrong <= min(_MOST_BEHIND * int((on & sure).sum()), _MOST_SURE * doubtful)
