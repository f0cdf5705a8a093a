"""Find where infinity lies in two photos whose pose was estimated from matches, and how sure that is.

How far two cameras turn towards each other adds the same to all disparities. In the rows it shows as keystone alone,
which is weak. Three things tell more: nothing is farther than infinity, farthest things are rarely near, above all
under a sky, and a camera may have written down how far away the thing was that it focused on.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import Image

log = logging.getLogger(__name__)

SURE = 0.9  # probability that infinity lies within the bounds that are told
# The inverse distance of the farthest thing in a photo is exponentially distributed, with 1 over one of these as mean.
ROOM_M, OPEN_M = 4.0, 50.0
OPEN, OPEN_UNDER_SKY = 0.1, 0.8  # probability of the second one, without and with a sky
# Deviation of the distance of the thing in the middle from the one that the camera focused at, as a share: depth of
# field, steps of the focus motor, and another thing in the middle.
FOCUS_SIGMA = 0.3
MEASURED_PX = 1.0  # deviation of the disparity of the farthest points
_FARTHEST = 0.02  # share of the points that the farthest thing holds at least, within ...
_THING = 0.01  # ... this range of disparities, as a share of the width: wrong matches are scattered over more
_STEPS = 4001  # of the probability density
# A sky: bright, without texture, at the upper edge of the picture, grey or blue.
_SKY_LEVEL, _SKY_TEXTURE, _SKY_SHARE = 110, 6.0, 0.03
_SKY_PX = 256


@dataclass(frozen=True)
class Infinity:
    """Where infinity lies.

    nearer_px: what all disparities have to be increased by. low_px, high_px: infinitely far points then have a
    disparity between these two with the probability SURE; the best estimate is 0. against: how many deviations of the
    keystone lie between nearer_px and what the keystone says.
    """

    nearer_px: float
    low_px: float
    high_px: float
    against: float


def find_infinity(
    ahead_px: NDArray[np.floating],
    sigma_px: float,
    unit_px: float,
    width: int,
    *,
    sky: bool = False,
    focused_px: tuple[float, float] | None = None,
) -> Infinity:
    """Find infinity by Bayes' rule: the median of what is probable, as a few possible rooms would draw a mean away.

    ahead_px: disparities (N,) of matched points above infinity, as the keystone puts it. sigma_px: its deviation.
    unit_px: the disparity at a distance of 1 m. width: of the picture, px. sky: whether the photo shows one.
    focused_px: the disparity of the thing that the camera focused on, as ahead_px, and the one that it should have.
    """
    far = farthest(ahead_px, _THING * width)
    low, high = max(-6 * sigma_px, -far - 3 * MEASURED_PX), max(6 * sigma_px, -far + 6 * sigma_px)
    nearer = np.linspace(low, high, _STEPS)
    likelihood = -0.5 * (nearer / sigma_px) ** 2
    beyond = np.minimum(far + nearer, 0)
    likelihood -= 0.5 * (beyond / MEASURED_PX) ** 2
    share = OPEN_UNDER_SKY if sky else OPEN
    at = np.maximum(far + nearer, 0) / unit_px
    likelihood += np.log((1 - share) * ROOM_M * np.exp(-at * ROOM_M) + share * OPEN_M * np.exp(-at * OPEN_M))
    if focused_px is not None:
        found, expected = focused_px
        likelihood -= 0.5 * ((found + nearer - expected) / (FOCUS_SIGMA * expected + MEASURED_PX)) ** 2
    density = np.exp(likelihood - likelihood.max())
    below = np.cumsum(density) / density.sum()
    least, best, most = (float(np.interp(p, below, nearer)) for p in ((1 - SURE) / 2, 0.5, (1 + SURE) / 2))
    log.info("infinity: keystone ± %.1f px, moved by %.1f, farthest at %.1f px, sky %s", sigma_px, best, far, sky)
    return Infinity(best, best - most, best - least, abs(best) / sigma_px)


def farthest(ahead_px: NDArray[np.floating], thing_px: float) -> float:
    """Disparity of the farthest thing among points (N,): the first that enough of them agree on to thing_px."""
    ordered = np.sort(ahead_px)
    few = min(max(3, round(_FARTHEST * len(ordered))), len(ordered) - 1)
    agree = np.flatnonzero(ordered[few:] - ordered[: len(ordered) - few] < thing_px)
    first = int(agree[0]) if len(agree) else 0
    return float(ordered[first + few // 2])


def sees_sky(photo: Image) -> bool:
    """Whether a photo (H, W, 3) uint8 shows a sky: an even, bright, grey or blue area at its upper edge."""
    height, width = photo.shape[:2]
    shrink = min(1.0, _SKY_PX / max(height, width))
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    texture = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    cool = small[..., 2].astype(int) >= small[..., 0]
    even = (grey >= _SKY_LEVEL) & (texture <= _SKY_TEXTURE) & cool
    _, labels = cv2.connectedComponents(even.astype(np.uint8))
    top = np.unique(labels[0][labels[0] > 0])
    return bool(np.isin(labels, top).mean() >= _SKY_SHARE) if len(top) else False
