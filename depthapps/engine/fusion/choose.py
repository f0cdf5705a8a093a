"""Choose among each pixel's candidate disparities so that neighbouring pixels agree where nothing parts them.

What a network says of a pixel alone is unsure on plain walls and in occluded strips. Semi-global aggregation
(Hirschmüller 2008), over candidates instead of over all disparities, lets sure pixels speak for unsure ones: along rows
and columns, in both directions, a path pays each candidate's negative log probability, and for each step between
neighbours the difference of their disparities.
"""

from __future__ import annotations

import cv2
import numpy as np

from depthapps.core.scene import FloatMap, Image
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

# With penalties of 3, 5 and 10 a px bad2 over 20 real pairs is 8.1, 8.1 and 8.2 %, D1 over 6 of KITTI 6.3, 6.2 and 6.0,
# and bad2 over three ray-cast rooms 20.0 %. Large ones bend slanted surfaces: a motorcycle's tank is 3.5, 4.0 and 5.1 %
# too short.
_PENALTY = 5.0
_LARGEST_JUMP_PX = 4.0  # beyond it a jump costs no more; with 2 or 8 px the same within 0.2 %
# Colour difference at which the penalty falls to 1/e, summed over three channels: 12 to 60 differ by 0.2 % at most.
_COLOR_GAMMA = 20.0
_LEAST_PENALTY = 0.1  # its share that is left across the strongest edge
_LEAST_SHARE = 1e-4  # of a candidate: what the network rules out may still be right
_COLUMNS = 512  # that are followed side by side: their costs stay in the cache
_PIXELS = 1 << 14
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
    "float32[:,::1] float32[:,::1] float32[:,::1] float32[:,::1] int64 int64 int64 float32[::1]",
)
KERNELS = (_sweep, _choose)  # in the order in which they are needed


def choose_together(choices: FloatMap, scores: FloatMap, guide: Image) -> FloatMap:
    """The disparity (H, W) float32 px: each pixel's chosen candidate, averaged with those within about a pixel of it.

    choices: (K, H, W) float32 px. scores: (K, H, W) float32, how likely each is right, as logits.
    guide: (H, W, 3) uint8, the picture; depth edges are where its colours change.
    """
    count, height, width = choices.shape
    shares, costs = np.empty_like(scores), np.empty_like(scores)
    for_bands(height, lambda first, end: _weigh(scores[:, first:end], shares[:, first:end], costs[:, first:end]))
    totals = _swept(choices, costs, guide)
    totals += _turned(_swept(_turned(choices), _turned(costs), np.ascontiguousarray(guide.swapaxes(0, 1))))
    flat = [maps.reshape(count, -1) for maps in (choices, costs, shares, totals)]
    disparity = np.empty(height * width, np.float32)
    for_bands(height * width, lambda first, end: _choose(*flat, _SWEEPS, first, end, disparity), _PIXELS)
    return disparity.reshape(height, width)


def _weigh(scores: FloatMap, shares: FloatMap, costs: FloatMap) -> None:
    """Write each candidate's share of the probability, and the negative logarithm of that, its cost; all (K, h, W)."""
    np.exp(scores - scores.max(axis=0), out=shares)
    shares /= shares.sum(axis=0)
    shares += np.float32(_LEAST_SHARE)
    np.negative(np.log(shares, out=costs), out=costs)


def _swept(choices: FloatMap, costs: FloatMap, guide: Image) -> FloatMap:
    """The sum of the two sweeps along the columns, (K, H, W); see `choose_together`."""
    apart = np.abs(np.diff(guide.astype(np.int16), axis=0)).sum(axis=2)
    falling = np.exp(-np.arange(3 * 255 + 1) / _COLOR_GAMMA) + _LEAST_PENALTY
    penalties = (_PENALTY * falling).astype(np.float32)[apart]
    totals = np.zeros_like(costs)

    def follow(first: int, end: int) -> None:
        before, now = np.empty((2, len(costs), end - first), np.float32)
        for upwards in (0, 1):
            _sweep(choices, costs, penalties, _LARGEST_JUMP_PX, upwards, first, end, before, now, totals)

    for_bands(choices.shape[2], follow, _COLUMNS)
    return totals


def _turned(maps: FloatMap) -> FloatMap:
    """Maps (K, H, W) with rows and columns exchanged, (K, W, H)."""
    return np.stack([np.asarray(cv2.transpose(each), np.float32) for each in maps])
