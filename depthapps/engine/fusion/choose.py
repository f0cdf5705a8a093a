"""Choose among each pixel's candidate disparities so that neighbouring pixels agree where nothing parts them.

What a network says of a pixel alone is unsure on plain walls and in occluded strips. Semi-global aggregation
(Hirschmüller 2008), over candidates instead of over all disparities, lets sure pixels speak for unsure ones: along rows
and columns, in both directions, a path pays each candidate's negative log probability, and for each step between
neighbours the difference of their disparities.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from depthapps.core.scene import FloatMap, Image
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

# What a step of a px costs, and the share of it that is left across the strongest edge. More of both loses thin things,
# and large penalties bend slanted surfaces: a motorcycle's tank comes out too short. Off by more than 0.5 and 2 px:
# penalty, share | 20 real pairs | 6 streets   | 14 ray-cast rooms | the sample's thin things | the tank, all in %
# 2, 0.10        | 16.65, 5.77   | 50.54, 9.19 | 9.25, 3.54        | 27.2                     | 1.0
# 4, 0.10        | 16.52, 5.75   | 50.47, 9.10 | 9.05, 3.53        | 28.5                     | 1.4
# 4, 0.05        | 16.53, 5.74   | 50.49, 9.16 | 9.07, 3.52        | 27.7                     | 1.1
# 6, 0.10        | 16.45, 5.79   | 50.38, 9.07 | 8.90, 3.55        |                          |
_PENALTY, _LEAST_PENALTY = 4.0, 0.05
_LARGEST_JUMP_PX = 4.0  # beyond it a jump costs no more; with 2 or 8 px the same within 0.2 %
_COLOR_GAMMA = 10.0  # colour difference at which the penalty falls to 1/e, summed over three channels
_LEAST_SHARE = 1e-4  # of a candidate: what the network rules out may still be right
_COLUMNS = 512  # that are followed side by side at most: their costs stay in the cache
_SWEEPS = 4  # down, up, and both again on the turned picture

_sweep = Kernel(
    "depthapps.engine.fusion._kernels",
    "sweep",
    "float32[:,:,::1] float32[:,:,::1] float32[:,::1] float64 int64 int64 int64 float32[:,::1] float32[:,::1] "
    "float32[:,:,::1]",
)
_choose = Kernel(
    "depthapps.engine.fusion._kernels",
    "choose",
    "float32[:,:,::1] float32[:,:,::1] float32[:,:,::1] float32[:,:,::1] int64 int64 int64 float32[:,::1] "
    "float32[:,::1]",
)
KERNELS = (_sweep, _choose)  # in the order in which they are needed


def likeliest(choices: FloatMap, scores: FloatMap) -> FloatMap:
    """Each pixel's choice with the highest score, (H, W): of the choices (H, K, W) px by their scores (H, K, W)."""
    best, highest = choices[:, 0].copy(), scores[:, 0].copy()
    for k in range(1, choices.shape[1]):
        better = scores[:, k] > highest
        np.copyto(best, choices[:, k], where=better)
        np.copyto(highest, scores[:, k], where=better)
    return best


def choose_together(choices: FloatMap, scores: FloatMap, guide: Image) -> FloatMap:
    """The disparity (H, W) float32 px: each pixel's chosen candidate, averaged with those within about a pixel of it.

    choices: (H, K, W) float32 px. scores: (H, K, W) float32, how likely each is right, as logits.
    guide: (H, W, 3) uint8, the picture; depth edges are where its colours change.
    """
    height, _, width = choices.shape
    shares, costs = np.empty_like(scores), np.empty_like(scores)
    for_bands(height, lambda first, end: _weigh(scores[first:end], shares[first:end], costs[first:end]))
    totals = _swept(choices, costs, guide)
    totals += _turned(_swept(_turned(choices), _turned(costs), np.ascontiguousarray(guide.swapaxes(0, 1))))
    disparity, maps = np.empty((height, width), np.float32), (choices, costs, shares, totals)

    def choose(first: int, end: int) -> None:
        _choose(*maps, _SWEEPS, first, end, np.empty((3, width), np.float32), disparity)

    for_bands(height, choose)
    return disparity


def _weigh(scores: FloatMap, shares: FloatMap, costs: FloatMap) -> None:
    """Write each candidate's share of the probability, and the negative logarithm of that, its cost; all (h, K, W)."""
    np.exp(scores - scores.max(axis=1, keepdims=True), out=shares)
    shares /= shares.sum(axis=1, keepdims=True)
    shares += np.float32(_LEAST_SHARE)
    np.negative(np.log(shares, out=costs), out=costs)


def _swept(choices: FloatMap, costs: FloatMap, guide: Image) -> FloatMap:
    """The sum of the two sweeps along the columns, (H, K, W); see `choose_together`."""
    red, green, blue = (np.asarray(each, np.uint16) for each in cv2.split(cv2.absdiff(guide[1:], guide[:-1])))
    falling = np.exp(-np.arange(3 * 255 + 1) / _COLOR_GAMMA) + _LEAST_PENALTY
    penalties = (_PENALTY * falling).astype(np.float32)[red + green + blue]
    totals = np.zeros_like(costs)
    _, count, width = costs.shape

    def follow(first: int, end: int) -> None:
        before, now = np.empty((count, width), np.float32), np.empty((count + 1, width), np.float32)
        for upwards in (0, 1):
            _sweep(choices, costs, penalties, _LARGEST_JUMP_PX, upwards, first, end, before, now, totals)

    threads = cv2.getNumThreads()
    bands = threads * math.ceil(width / (threads * _COLUMNS))  # of equal width: columns do not depend on each other
    for_bands(width, follow, math.ceil(width / bands))
    return totals


def _turned(maps: FloatMap) -> FloatMap:
    """Maps (H, K, W) with rows and columns exchanged, (W, K, H)."""
    height, count, width = maps.shape
    turned = np.empty((width, count, height), np.float32)
    for k in range(count):
        cv2.transpose(maps[:, k], turned[:, k])
    return turned
