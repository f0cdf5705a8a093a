"""Compiled loops that tell how well candidate disparities match, in the layout of the fusion network's inputs.

They write what they find where it belongs: maps in between would take longer to get memory for than to compute.
"""

import numpy as np

from depthapps.runtime.inlining import within

_MARGIN_PX = 4  # around costs, half the larger window; as in `clues`
_MARGIN = np.uint64(_MARGIN_PX)
_UNITS_A_PIXEL = 4  # in which agreement is told
_MOST_UNITS = np.float32(2**20)
_QUARTER, _NINTH = np.float32(1 / 4), np.float32(1 / 9)
_APART, _COST, _WIDE, _NEARER, _AGREEING = range(5)  # the order of a candidate's evidence, as the network was trained
# The first of four rows of the picture, one for each pixel of a block, with what tells of the best guess: the
# difference of the views there, its cost, and that a pixel before and behind it; see `clues` for the rows between.
_DIFFERENCE, _BEST_COST, _STEPS = 4 * 3, 4 * 5, 4 * 7


def compare(left, right, seen, candidates, first_column, largest, unit, first, end, costs, evidence, halved, picture):
    """Compare the views at each candidate disparity, and these with the best guess and with what the right view sees.

    left (H, W), right (H, any): the views' detail in grey levels; the picture starts at first_column. seen (H, any): px
    of disparity in the right view. candidates: (K, H, W) px, the best guess first. Of the rows of 2x2 blocks, first to
    end are done.
    costs: (K + 2, H + 8, W + 8), without its margins: the differences of the views, `largest` levels at most, at each
    candidate, and a pixel before and behind the best guess. evidence: (4, K, E, H/2, W/2) for the pixels of blocks:
    into it, by how much a candidate differs from the best guess, and what the right view sees from the candidate, both
    squashed. halved: (K, 3, H/2, W/2), the first two: means of both over blocks. picture: (any, H/2, W/2), into it the
    difference of the views at the best guess, with its sign, in units of so many grey levels.
    """
    count, cap, start, share = len(candidates), np.float32(largest), np.float32(first_column), np.float32(1 / unit)
    for block in range(first, end):
        for down in range(2):
            y = 2 * block + down
            own, there, best = left[y], right[y], candidates[0, y]
            for k in range(count):
                _costs(own, there, candidates[k, y], start, cap, np.float32(0), costs[k, y + _MARGIN_PX])
            for side in range(2):
                _costs(own, there, best, start, cap, np.float32(2 * side - 1), costs[count + side, y + _MARGIN_PX])
                _difference(own, there, best, start, cap, share, side, picture[_DIFFERENCE + 2 * down + side, block])
        for k in range(count):
            _tell_apart(candidates, k, seen, start, block, evidence, halved)


def see_nearest(disparity, times, first, end, seen):
    """Write into seen (h, w) float32 the largest disparity px that each pixel of the right view shows, or NaN.

    disparity: (H, W) px, NaN where unknown. A pixel of the result spans `times` px of the views; its rows first to end
    are done.
    """
    (height, width), last = disparity.shape, seen.shape[1] - 1
    for row in range(first, end):
        for x in range(last + 1):
            seen[row, x] = np.nan
        for y in range(row * times, min((row + 1) * times, height)):
            for x in range(width):
                landing = np.rint((x - np.float64(disparity[y, x])) / times)
                if landing >= 0 and landing <= last and not seen[row, np.uint64(landing)] >= disparity[y, x]:
                    seen[row, np.uint64(landing)] = disparity[y, x]


@within
def _costs(own, there, chosen, start, cap, step, costs):
    """The differences of the left view's row (W,) from the right one's at disparities (W,) and a step, without sign."""
    last = np.float32(len(there) - 1)
    for x in range(np.uint64(len(own))):  # counted without a sign: see `_kernels.sweep`
        off = abs(_seen(there, start + np.float32(x) - (chosen[x] + step), last) - own[x])
        costs[x + _MARGIN] = off if off < cap else cap


@within
def _difference(own, there, chosen, start, cap, share, side, out):
    """The same with its sign for every second pixel, times a share."""
    last, beside = np.float32(len(there) - 1), np.uint64(side)
    for half in range(np.uint64(len(out))):
        x = half + half + beside
        off = _seen(there, start + np.float32(x) - chosen[x], last) - own[x]
        off = off if off < cap else cap
        out[half] = share * (off if off > -cap else -cap)


@within
def _seen(there, at, last):
    """The value of a row between two of its pixels; beyond it, that of its first or last one."""
    at = at if at > np.float32(0) else np.float32(0)
    at = at if at < last else last
    whole = np.floor(at)
    after = whole + np.float32(1) if whole < last else last
    one, other = there[np.uint32(np.int32(whole))], there[np.uint32(np.int32(after))]
    return one + (at - whole) * (other - one)


@within
def _tell_apart(candidates, k, seen, start, block, evidence, halved):
    """Write how a candidate differs from the best guess and from what is seen, for a row of blocks; see `compare`."""
    last, columns = np.float32(seen.shape[1] - 1), np.uint64(halved.shape[3])
    differing, hiding = halved[k, 0, block], halved[k, 1, block]
    for half in range(columns):
        differing[half] = hiding[half] = np.float32(0)
    for part in range(4):
        y, beside = 2 * block + part // 2, np.uint64(part % 2)
        row, guess, sees = candidates[k, y], candidates[0, y], seen[y]
        apart, nearer = evidence[part, k, _APART, block], evidence[part, k, _NEARER, block]
        for half in range(columns):
            x = half + half + beside
            at = start + np.float32(x) - row[x]
            at = at if at > np.float32(0) else np.float32(0)
            at = at if at < last else last
            differs = _squashed(row[x] - guess[x])
            hides = _squashed(sees[np.uint32(np.int32(np.rint(at)))] - row[x])
            apart[half], nearer[half] = differs, hides
            differing[half] += _QUARTER * differs
            hiding[half] += _QUARTER * hides


@within
def _squashed(difference):
    """Compress a difference d px to the range -2..2: d / 4 near zero, ±2 for large d."""
    return difference / (np.float32(4) + np.float32(0.5) * abs(difference))


def summarize(costs, candidates, unit, first, end, sums, steps, evidence, halved, picture):
    """Write the mean costs of each candidate, and how many agree with it, into its evidence; see `compare`.

    costs: with their margins. unit: grey levels that become 1. halved: into the third of each, what a candidate costs
    more than the best guess. picture: into it what the best guess costs, and what it costs more a pixel from it.
    sums: (6, W + 8), steps: (K, W) int32, for scratch.
    """
    (count, _, width), share = candidates.shape, np.float32(1 / unit)
    for block in range(first, end):
        for k in range(count):
            for half in range(width // 2):
                halved[k, 2, block, half] = np.float32(0)
        for down in range(2):
            y = 2 * block + down
            for k in range(count):
                for x in range(width):
                    steps[k, x] = _counted(candidates[k, y, x])
            for k in range(count + 2):
                _mean_costs(costs[k], y, share, sums)
                if k == 0:
                    for x in range(width):
                        sums[4, x] = sums[2, x]
                if k < count:
                    _agree(steps, k, sums[5])
                for side in range(2):
                    part = 2 * down + side
                    if k == 0:
                        _take(sums[4], side, picture[_BEST_COST + part, block])
                    if k < count:
                        _take(sums[2], side, evidence[part, k, _COST, block])
                        _take(sums[3], side, evidence[part, k, _WIDE, block])
                        _take(sums[5], side, evidence[part, k, _AGREEING, block])
                        _add_more(sums[2], sums[4], side, halved[k, 2, block])
                    else:
                        _take_more(sums[2], sums[4], side, picture[_STEPS + 4 * (k - count) + part, block])


@within
def _mean_costs(costs, y, share, sums):
    """Means of costs (H + 8, W + 8) in the windows around the pixels of row y, times a share, into sums[2] and [3]."""
    small, large, near, wide = sums[0], sums[1], sums[2], sums[3]
    columns, one, two = np.uint64(costs.shape[1]) - _MARGIN - _MARGIN, np.uint64(1), np.uint64(2)
    a, b, c, d, e = costs[y], costs[y + 1], costs[y + 2], costs[y + 3], costs[y + 4]
    f, g, h, i = costs[y + 5], costs[y + 6], costs[y + 7], costs[y + 8]
    for x in range(costs.shape[1]):
        middle = d[x] + e[x] + f[x]
        small[x], large[x] = middle, a[x] + b[x] + c[x] + middle + g[x] + h[x] + i[x]
    for x in range(columns):
        m = x + _MARGIN
        total = large[m - one] + large[m] + large[m + one]
        total += large[x] + large[x + one] + large[x + two]
        total += large[m + two] + large[m + _MARGIN - one] + large[m + _MARGIN]
        near[x] = share * _NINTH * (small[m - one] + small[m] + small[m + one])
        wide[x] = share * _NINTH * _NINTH * total


@within
def _counted(disparity):
    units = np.float32(_UNITS_A_PIXEL) * disparity
    units = units if units < _MOST_UNITS else _MOST_UNITS
    return np.int32(units if units > -_MOST_UNITS else -_MOST_UNITS)


@within
def _agree(steps, k, agreeing):
    """The share of the candidates (K, W) int32 that are others within a pixel of one of them, into agreeing (W,)."""
    own, each = steps[k], np.float32(1 / len(steps))
    for x in range(len(own)):
        agreeing[x] = np.float32(0)
    for j in range(len(steps)):
        if j != k:
            other = steps[j]
            for x in range(len(own)):
                agreeing[x] += each if abs(own[x] - other[x]) <= _UNITS_A_PIXEL else np.float32(0)


@within
def _take(row, side, out):
    """Every second pixel of a row."""
    beside = np.uint64(side)
    for half in range(np.uint64(len(out))):
        out[half] = row[half + half + beside]


@within
def _take_more(row, best, side, out):
    """The same, less the best guess's."""
    beside = np.uint64(side)
    for half in range(np.uint64(len(out))):
        x = half + half + beside
        out[half] = row[x] - best[x]


@within
def _add_more(row, best, side, out):
    """The same, a quarter of it added."""
    beside = np.uint64(side)
    for half in range(np.uint64(len(out))):
        x = half + half + beside
        out[half] += _QUARTER * (row[x] - best[x])
