"""Compiled loops that choose between candidate disparities so that neighbouring pixels agree."""

import numpy as np

from depthapps.runtime.inlining import within

_FAR = np.float32(1e30)


def sweep(choices, costs, penalties, largest, upwards, first, end, before, now, totals):
    """Add to totals (K, H, W) the least cost of a path that comes down (or up) a column and ends at each candidate.

    choices: (K, H, W) px; costs: (K, H, W). A step between neighbours costs the difference of their disparities,
    `largest` px at most, times the penalty (H - 1, W) between their rows. The columns first to end are followed side by
    side: the innermost loops run over them and become vector instructions. before, now: (K, end - first), for scratch.
    """
    count, height, _ = choices.shape
    cap, wide = np.float32(largest), end - first
    for step in range(height):
        y = height - 1 - step if upwards else step
        q = y + 1 if upwards else y - 1
        penalty = penalties[max(min(y, q), 0), first:end]
        for k in range(count):
            here, least = choices[k, y, first:end], now[k]
            for x in range(wide):
                least[x] = _FAR if step > 0 else np.float32(0)
            if step > 0:
                for j in range(count):
                    there, come = choices[j, q, first:end], before[j]
                    for x in range(wide):
                        jump = abs(here[x] - there[x])
                        cost = come[x] + penalty[x] * (jump if jump < cap else cap)
                        least[x] = cost if cost < least[x] else least[x]
        _add_up(costs[:, y, first:end], before, now, totals[:, y, first:end])


@within
def _add_up(costs, before, now, totals):
    """Add the pixels' own costs (K, W) to the paths' costs `now`, take the least off, keep them, add them to totals."""
    count, wide = now.shape
    least = before[0]  # is overwritten last
    for x in range(wide):
        least[x] = _FAR
    for k in range(count):
        path, own = now[k], costs[k]
        for x in range(wide):
            path[x] += own[x]
            least[x] = path[x] if path[x] < least[x] else least[x]
    for k in range(count - 1, -1, -1):
        path, kept, total = now[k], before[k], totals[k]
        for x in range(wide):
            value = path[x] - least[x]
            kept[x] = value
            total[x] += value


def choose(choices, costs, shares, totals, sweeps, first, end, disparity):
    """Write into disparity (N,) the choice whose totals are least, averaged with those within about a pixel of it.

    choices, costs, shares, totals: (K, N). Each of so many sweeps has counted the pixel's own costs. In the average a
    candidate counts by its share of the probability, the more the less its total exceeds the least one.
    """
    for p in range(first, end):
        best, least = 0, _FAR
        for k in range(len(choices)):
            total = totals[k, p] - (sweeps - 1) * costs[k, p]
            if total < least:
                best, least = k, total
        weight, value = np.float32(0), np.float32(0)
        for k in range(len(choices)):
            total = totals[k, p] - (sweeps - 1) * costs[k, p]
            near = min(max(1.5 - abs(choices[k, p] - choices[best, p]), 0.0), 1.0) * shares[k, p] / (1 + total - least)
            weight += near
            value += near * choices[k, p]
        disparity[p] = value / weight
