"""Lay onto the floor what was matched below it: nothing lies behind the planes that bound a scene.

Where a pattern repeats, such as the bars of a railing, a match may be one period off, and then lies beneath the floor
or behind the wall. A plane that holds much of a picture, and behind which next to nothing is that is sure, is taken for
such a bound.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap
from depthapps.runtime.threads import for_bands
from depthapps.surface.scene_planes import planes_of

# All figures are of maps that `balanced` found without bounds, of 15 ray-cast rooms, many of them with railings, and of
# 26 real pairs. Bounds take what is off by more than 2 px in the rooms from 6.28 to 4.66 %, and KITTI's D1 from 6.14 to
# 5.72 %; the other real pairs stay at 6.3 %. With planes to 1 px rooms come to 4.61 %, and the real pairs are alike.
_SURE = 0.9  # confidence of the pixels that tell where planes are; with 0.8 rooms come to 4.97 %, and D1 to 6.13 %
_ON_PX = 0.75  # by which such a pixel of a plane is off at most
_BEHIND_PX = 2.0  # by which a sure pixel is behind a plane for certain
_LEAST_SHARE = 0.12  # of the confidence, what lies on a bound at least; with 0.08 one street has a false one
# The most sure pixels behind a bound, for each on it. With 0.02 D1 comes to 6.13 % and rooms to 5.01 %. With 0.07 a
# curved cloth behind a plant counts as a bound: 1.2 % of that pair.
_MOST_BEHIND = 0.05
_UNSURE = 0.75  # what is surer stays where it is; with 0.6 and 0.9 rooms come to 4.80 and 4.55 %, D1 to 5.83 and 5.69 %
_OFF_PX = 1.5  # behind a bound by which a pixel is laid onto it: twice what its own pixels may be off


def within_bounds(disparity: FloatMap, confidence: FloatMap, low_px: float) -> FloatMap:
    """The disparity (H, W) px with what is unsure and lies behind a plane that bounds the scene laid onto that plane.

    confidence: (H, W), the probability that it is right to 1 px. low_px: the smallest disparity that was searched: a
    plane that goes on to farther away bounds nothing there.
    """
    sure = confidence > _SURE
    planes = [p for p in planes_of(disparity, sure, least=_ON_PX) if _bounds(p, disparity, confidence, sure, low_px)]
    if not planes:
        return disparity
    within = np.empty_like(disparity)

    def lay(first: int, end: int) -> None:
        nearest = np.max([_laid(plane, disparity.shape, first, end) for plane in planes], axis=0)
        own = disparity[first:end]
        behind = (own < nearest - _OFF_PX) & (nearest > low_px) & (confidence[first:end] < _UNSURE)
        within[first:end] = np.where(behind, nearest, own)

    for_bands(len(disparity), lay)
    return within


def _bounds(
    plane: NDArray[np.floating], disparity: FloatMap, confidence: FloatMap, sure: NDArray[np.bool_], low_px: float
) -> bool:
    """Whether a plane holds much of the scene, and next to nothing that is sure lies behind it."""
    off = disparity - _laid(plane, disparity.shape, 0, len(disparity))
    on = np.abs(off) <= _ON_PX
    if confidence[on].sum() < _LEAST_SHARE * confidence.sum():
        return False
    behind = sure & (off < -_BEHIND_PX) & (disparity - off > low_px)
    return int(behind.sum()) <= _MOST_BEHIND * int((on & sure).sum())


def _laid(plane: NDArray[np.floating], shape: tuple[int, ...], first: int, end: int) -> FloatMap:
    """The disparity of a plane in rows first..end of a map of this shape, float32 px."""
    start, right, down = plane
    columns, rows = np.arange(shape[1]), np.arange(first, end)[:, None]
    return (start + right * columns + down * rows).astype(np.float32)
