"""Smooth depth maps that were rounded to few levels, as the 8 bits of phones and of pictures of depth are.

Rounded depth is a staircase. Seen from the side or lit anew it shows its steps, which no noise level describes: they
are flat for many pixels.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from depthapps.core.scene import FloatMap
from depthapps.surface.denoise.fits import BoolMap, fit

# Deviations in px of the planes that are fitted. The true disparities of four scenes were rounded to 12, 32 and 128
# levels: over the twelve, the error falls from .30 to .24 of a level and that of slopes from .21 to .10 levels a pixel.
# Each wider fit is used only beside levels as wide as that, since it bends what is round: everywhere, the error were
# .38. With 4 px alone it is .24 too, but .34 instead of .31 where the levels are widest.
_REACHES_PX = (4, 8, 16, 32, 64)
_LEVEL_SIGMAS = math.sqrt(12)  # a level in standard deviations of rounding
_SAME_SURFACE = 1.01  # levels between neighbours of one surface at most
_MANY_LEVELS = 1000  # in a map's range; steps between more of them are invisible in every result


def smooth_levels(values: FloatMap, sigma: float) -> FloatMap:
    """Smooth a map (h, w) of 1/Z or disparity without NaN that was rounded to levels.

    sigma: the standard deviation of that rounding, a level / √12; 0 for a map that was not rounded.

    Planes are fitted to what neighbours by no more than a level, and no value moves by more than half a level: the
    result would be rounded to the same map. Depth edges, which are higher, stay as they are.
    """
    step = sigma * _LEVEL_SIGMAS
    if not step * _MANY_LEVELS > float(values.max() - values.min()):
        return values
    rises = [np.abs(np.diff(values, axis=axis)) for axis in (1, 0)]
    right, down = (rise < _SAME_SURFACE * step for rise in rises)
    within, half = _distance_to_rise(*(rise > step / 4 for rise in rises)), np.float32(step / 2)
    # A level with only lower ones around it is the top of something, or was clipped. Wide fits reach beyond it on all
    # sides and would dig a crater into it.
    between = within > 0
    between[between] = ~_tops_and_pits(values, between, step)[between]
    smooth = values
    for reach in _REACHES_PX:
        fitted = np.clip(fit(smooth, right, down, reach)[0], values - half, values + half)
        wide = _near((within >= reach) & between, reach // 2) if reach > _REACHES_PX[0] else True
        smooth = np.where(wide, fitted, smooth)
    return smooth


def _tops_and_pits(values: FloatMap, flat: BoolMap, step: float) -> BoolMap:
    """Mask (h, w) of the levels around which all others are lower, or all are higher, and that end within the map.

    flat: (h, w), pixels whose neighbours have their level. The levels' rims, one pixel wide, are left out.
    """
    labels = cv2.connectedComponents(flat.astype(np.uint8), connectivity=4, ltype=cv2.CV_32S)[1]
    beyond = np.ones((5, 5), np.uint8)  # over the rim, to the next level
    lower, higher = values - cv2.erode(values, beyond) > step / 4, cv2.dilate(values, beyond) - values > step / 4
    count = int(labels.max()) + 1
    falls, climbs = (np.bincount(labels[mask], minlength=count) > 0 for mask in (lower, higher))
    one_way = falls != climbs
    for border in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        one_way[border] = False  # it may go on either way
    return one_way[labels] & flat


def _distance_to_rise(right: BoolMap, down: BoolMap) -> FloatMap:
    """Distance in px (h, w) from the next pixel beside a rise to the right (h, w - 1) or down (h - 1, w)."""
    flat = np.ones((len(right), down.shape[1]), np.uint8)
    flat[:, 1:][right] = flat[:, :-1][right] = flat[1:][down] = flat[:-1][down] = 0
    return np.asarray(cv2.distanceTransform(flat, cv2.DIST_L2, 3), np.float32)


def _near(mask: BoolMap, reach: int) -> BoolMap:
    """Where a mask (h, w) is set within `reach` px to each side and up and down."""
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0
