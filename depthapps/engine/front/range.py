"""Find the disparity range of a pair from its coarse match."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import StereoError, SwappedViewsError, param
from depthapps.engine.front.coarse import CoarseMatch

log = logging.getLogger(__name__)

# Over 26 real pairs (Middlebury 2001-2021, KITTI 2015, ETH3D, Scene Flow) the range found with these values misses
# 0.002 % of the true disparities in the mean and 0.03 % at worst, and is 1.2 times as wide as the truth in the median.
SUPPORT = 0.001  # least share of pixels that match at a disparity for it to count as supported
GROUP_GAP = 0.06  # gap without support, as a share of the width, that separates two groups of disparities
GROUP_SHARE = 0.01  # least share of all matches in a group; repeated texture makes smaller groups far from the truth
# If the cameras converge, much of the scene lies behind infinity. Repeated texture alone puts up to 3 % of the matches
# there, in a group of its own. So if less than BEHIND_SHARE of the matches lie behind infinity, groups that lie there
# are dropped; a gap of BEHIND_GAP widths separates them.
BEHIND_GAP = 0.02
BEHIND_SHARE = 0.05
MARGIN = 0.1  # share of the range added at its near end, because near things have few matches
INFINITY_ERROR_PX = 1.0  # error of a measured doffs_px; the rows of calibrated cameras are 0.1 to 0.3 px off
_FARTHEST_PERCENT = 2.0  # percentile of the matches that stands for the farthest, as few are wild
# The share of matches behind infinity is below 0.12 in the same pairs, and above 0.6 if their views are exchanged.
SWAPPED_SHARE = 0.35


def find_range(
    coarse: CoarseMatch, doffs_px: float = 0.0, *, order_known: bool = False, infinity_known: bool = False
) -> tuple[float, float]:
    """Smallest and largest disparity in px that enough coarse matches support, with a margin.

    Disparities below −doffs_px lie behind infinity. If many matches do, the views are exchanged, and SwappedViewsError
    is raised unless `order_known`. StereoError is raised if no disparity has enough support.
    infinity_known: doffs_px was measured, so matches behind infinity are wrong and that part is not searched.
    """
    matches = coarse.disparity[np.isfinite(coarse.disparity)]
    if not order_known:
        _check_order(matches / coarse.scale, doffs_px)

    histogram = np.histogram(matches, np.arange(-coarse.reach, coarse.reach + 1))[0]
    infinity = int(coarse.reach - doffs_px * coarse.scale - 1)  # histogram bin, minus the error of a match
    stray = infinity if histogram[: max(infinity, 0)].sum() < BEHIND_SHARE * matches.size else 0
    supported = np.flatnonzero(histogram >= max(SUPPORT * coarse.disparity.size, 1))
    gap = np.where(supported < stray, BEHIND_GAP, GROUP_GAP)[:-1] * coarse.disparity.shape[1]
    groups = [g for g in np.split(supported, np.flatnonzero(np.diff(supported) > gap) + 1) if g.size and g[-1] >= stray]
    groups = [g for g in groups if histogram[g[0] : g[-1] + 1].sum() >= GROUP_SHARE * matches.size]
    if not groups:
        raise StereoError(
            "the two views match nowhere consistently", hint="pass two views of one scene, rectified and in focus"
        )
    low, high = groups[0][0] - coarse.reach, groups[-1][-1] + 1 - coarse.reach
    pixel = 1 / coarse.scale  # matches are uncertain by one pixel of the small copy
    found = float(low * pixel - pixel), float(high * pixel + max(pixel, MARGIN * (high - low) * pixel))
    if infinity_known:
        nearest_to_none = -doffs_px - INFINITY_ERROR_PX
        found = max(found[0], nearest_to_none), max(found[1], nearest_to_none + 1)
    log.info("disparities from %.0f to %.0f px, from %d matches", *found, matches.size)
    return found


def _check_order(matches_px: NDArray[np.floating], doffs_px: float) -> None:
    """Raise SwappedViewsError if more than SWAPPED_SHARE of the matches (N,) lie over 1 px behind infinity."""
    shifted = matches_px + doffs_px
    behind = float((shifted < -1).mean())
    if behind > SWAPPED_SHARE:
        farthest = float(np.ceil(-np.percentile(matches_px, _FARTHEST_PERCENT)))
        raise SwappedViewsError(
            f"the views look exchanged: {100 * behind:.0f} % of the matches move to the right, "
            f"by {-float(np.median(shifted)):.0f} px",
            hint=f"swap the two files; if the cameras converge, {param('doffs_px', f'{farthest:g}')} puts the farthest "
            "matches at infinity",
            doffs_px=farthest,
        )
