"""Compiled loops that choose between candidate disparities so that neighbouring pixels agree.

A row of all candidates lies together: rows of whole maps, a power of two apart, would push each other out of the cache.
"""

import numpy as np

from depthapps.runtime.inlining import within

_FAR = np.float32(1e30)
# Added to a minimum that is written to where one of the two values is read. Without it LLVM writes only what changes,
# by a masked store, which is slow on AMD's processors: a sweep of nine candidates over 741 x 497 px takes one thread 12
# instead of 9 ms.
_NOTHING = np.float32(0)


def sweep(choices, costs, penalties, largest, upwards, first, end, before, now, totals):
    """Add to totals (H, K, W) the least cost of a path that comes down (or up) a column and ends at each candidate.

    choices: (H, K, W) px; costs: (H, K, W). A step between neighbours costs the difference of their disparities,
    `largest` px at most, times the penalty (H - 1, W) between their rows. The columns first to end are followed side by
    side: the innermost loops run over them and become vector instructions. For scratch: before (K, W), now (K + 1, W).
    """
    height, count, _ = choices.shape
    # counted without a sign, for which numba would ask at each pixel whether it is negative and means an end
    cap, left, right = np.float32(largest), np.uint64(first), np.uint64(end)
    for step in range(height):
        y = height - 1 - step if upwards else step
        q = y + 1 if upwards else y - 1
        for k in range(count):
            path, own = now[k], costs[y, k]
            if step == 0:
                for x in range(left, right):
                    path[x] = own[x]
            else:
                _come(choices[y, k], choices[q], penalties[min(y, q)], before, cap, left, right, path)
                for x in range(left, right):
                    path[x] += own[x]
        _add_up(now, before, totals[y], left, right)


@within
def _come(here, there, penalty, before, cap, left, right, path):
    """Write into path (W,) the least cost of a step to the disparities `here` (W,) from any of those `there` (K, W).

    Three of these are looked at together, so that what is here is read a third as often.
    """
    last = len(there) - 1
    for x in range(left, right):
        path[x] = _FAR
    for j in range(0, len(there), 3):
        k, n = min(j + 1, last), min(j + 2, last)
        there_j, there_k, there_n = there[j], there[k], there[n]
        come_j, come_k, come_n = before[j], before[k], before[n]
        for x in range(left, right):
            jump_j, jump_k, jump_n = abs(here[x] - there_j[x]), abs(here[x] - there_k[x]), abs(here[x] - there_n[x])
            least = come_j[x] + penalty[x] * (jump_j if jump_j < cap else cap)
            other = come_k[x] + penalty[x] * (jump_k if jump_k < cap else cap)
            least = other if other < least else least
            other = come_n[x] + penalty[x] * (jump_n if jump_n < cap else cap)
            least = other if other < least else least
            path[x] = min(path[x], least) + _NOTHING


@within
def _add_up(now, before, totals, left, right):
    """Take the least of the paths' costs now (K, W) off them, keep them in before, add them to totals; all (K, W)."""
    count = len(before)
    least, path = now[count], now[0]
    for x in range(left, right):
        least[x] = path[x]
    for k in range(1, count):
        path = now[k]
        for x in range(left, right):
            least[x] = min(least[x], path[x]) + _NOTHING
    for k in range(count):
        path, kept, total = now[k], before[k], totals[k]
        for x in range(left, right):
            value = path[x] - least[x]
            kept[x] = value
            total[x] += value


def choose(choices, costs, shares, totals, sweeps, first, end, scratch, disparity):
    """Write into disparity (H, W) the choice whose totals are least, averaged with those within about a pixel of it.

    choices, costs, shares, totals: (H, K, W). Each of so many sweeps has counted the pixel's own costs. In the average
    a candidate counts by its share of the probability, the more the less its total exceeds the least one. The rows
    first to end are done. scratch: (3, W).
    """
    _, count, width = choices.shape
    again, least = np.float32(sweeps - 1), scratch[0]
    for y in range(first, end):
        best = disparity[y]  # is overwritten by the average
        for x in range(width):
            least[x] = _FAR
        for k in range(count):
            choice, cost, total = choices[y, k], costs[y, k], totals[y, k]
            for x in range(width):
                value = total[x] - again * cost[x]
                best[x] = choice[x] if value < least[x] else best[x]
                least[x] = value if value < least[x] else least[x]
        _average(choices[y], costs[y], shares[y], totals[y], again, scratch, best)


@within
def _average(choices, costs, shares, totals, again, scratch, best):
    """Replace the best disparities (W,) by the mean of the choices (K, W) near them; see `choose`."""
    width, least, weights, values = len(best), scratch[0], scratch[1], scratch[2]
    for x in range(width):
        weights[x] = values[x] = np.float32(0)
    for k in range(len(choices)):
        choice, cost, share, total = choices[k], costs[k], shares[k], totals[k]
        for x in range(width):
            near = np.float32(1.5) - abs(choice[x] - best[x])
            near = near if near < np.float32(1) else np.float32(1)
            near = near if near > np.float32(0) else np.float32(0)
            near *= share[x] / (np.float32(1) + total[x] - again * cost[x] - least[x])
            weights[x] += near
            values[x] += near * choice[x]
    for x in range(width):
        best[x] = values[x] / weights[x]


def from_blocks(blocks, kept, first, end, maps):
    """Write some maps of 2x2 blocks (4, K, H/2, W/2), by their numbers kept (N,), into maps (H, N, W).

    Of the rows of blocks, first to end are done.
    """
    for y in range(first, end):
        for n in range(len(kept)):
            k = kept[n]
            for down in range(2):
                row, even, odd = maps[2 * y + down, n], blocks[2 * down, k, y], blocks[2 * down + 1, k, y]
                for x in range(np.uint64(len(even))):
                    row[x + x] = even[x]
                    row[x + x + np.uint64(1)] = odd[x]
