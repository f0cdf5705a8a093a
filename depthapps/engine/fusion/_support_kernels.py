"""Compiled loops that compare the views at candidate disparities, and that tell what the right view does not show."""

import numpy as np

from depthapps.runtime.inlining import within

_MARGIN = 8  # px around the right view, and
_REACH = 2  # to each side in windows: both as in `support`
_MIDDLE = np.uint64(_REACH)
_0, _1, _2, _3, _4, _5, _6, _7 = (np.uint64(n) for n in range(8))
_SAME_PX = 0.125  # candidates that differ less have one cost
_FAR = np.float32(1e30)
# Of strands, see `grow_strands`; the first three in units of the views' usual difference. Where both fit as well, what
# is thin is nearer: it stands before what is around it, and repeated bars match each other. Without that, 32 % of the
# strands stay wrong in 18 ray-cast rooms, with it 30 %. If disagreement costs 2 they are wrong at 1.8 % more, if hidden
# pixels cost 1.5, at 0.8 % more. What gains more there costs real pairs a little.
_UNSEEN = np.float32(2)
_FARTHER = np.float32(0.5)
_DISAGREEMENT = np.float32(1)
_NEARER_PX = np.float32(1)  # what is no nearer than that is the same surface
_STEP_PX = np.float32(0.5)  # disparities that differ less are not compared apart; a neighbour's is moved in such steps
_STEPS = 2  # to both sides: strands lean
_DIFFERENT_PX = np.float32(2)  # from here on, disparities disagree in full


def compare_support(planes, grey, right, candidates, first_column, largest, scale, first, end, weights, costs):
    """Write each candidate's cost, less the least one's, into costs (H, K, W) for the rows first to end.

    planes, grey, right: see `support.Windows`; the picture starts at first_column. candidates: (H, K, W) px.
    A pixel of the window counts exp(-d / scale) for a sum d of the channels' differences from the middle one. Its
    difference between the views counts as `largest` grey levels at most. weights: (6, 8), for scratch.
    """
    cap, unit = np.float32(largest), np.float32(1 / scale)
    count = candidates.shape[1]
    # Numba takes a negative index for a place counted from the end, and asks at each pixel, except if it has no sign.
    for y in range(np.uint64(first), np.uint64(end)):
        for x in range(np.uint64(candidates.shape[2])):
            if _all_same(candidates, y, x):
                for k in range(count):
                    costs[y, k, x] = np.float32(0)
                continue
            total, least = _weigh(planes, y, x, unit, weights), _FAR
            for k in range(count):
                disparity, same = candidates[y, k, x], -1
                for j in range(k):
                    if same < 0 and abs(candidates[y, j, x] - disparity) < _SAME_PX:
                        same = j
                if same >= 0:
                    costs[y, k, x] = costs[y, same, x]
                else:
                    column = np.float32(first_column + np.int64(x)) - disparity
                    costs[y, k, x] = _cost(grey, right, y, x, column, cap, weights) / total
                least = min(least, costs[y, k, x])
            for k in range(count):
                costs[y, k, x] -= least


@within
def _all_same(candidates, y, x):
    same = True
    for k in range(1, candidates.shape[1]):
        same = same and abs(candidates[y, k, x] - candidates[y, 0, x]) < _SAME_PX
    return same


@within
def _weigh(planes, y, x, unit, weights):
    """How much the pixels around (x, y) count, into the first 5x5 of weights (6, 8); returns their sum.

    Eight neighbours are written out and kept, as in `_cost`, so that LLVM makes them one vector.
    """
    q, p = y + _MIDDLE, x + _MIDDLE
    red, green, blue = np.float32(planes[0, q, p]), np.float32(planes[1, q, p]), np.float32(planes[2, q, p])
    total = np.float32(0)
    for row in range(np.uint64(5)):
        r, g, b, out = planes[0, y + row], planes[1, y + row], planes[2, y + row], weights[row]
        w0 = _likeness(r, g, b, x, red, green, blue, unit)
        w1 = _likeness(r, g, b, x + _1, red, green, blue, unit)
        w2 = _likeness(r, g, b, x + _2, red, green, blue, unit)
        w3 = _likeness(r, g, b, x + _3, red, green, blue, unit)
        w4 = _likeness(r, g, b, x + _4, red, green, blue, unit)
        w5 = _likeness(r, g, b, x + _5, red, green, blue, unit)
        w6 = _likeness(r, g, b, x + _6, red, green, blue, unit)
        w7 = _likeness(r, g, b, x + _7, red, green, blue, unit)
        out[0], out[1], out[2], out[3], out[4], out[5], out[6], out[7] = w0, w1, w2, w3, w4, w5, w6, w7
        total += w0 + w1 + w2 + w3 + w4
    return total


@within
def _likeness(r, g, b, at, red, green, blue, unit):
    """How much a pixel counts: exp(-d) for d units of difference, to 0.1 % where that is no less than 0.01.

    Compiled loops have no exp: it is that of a thirty-second, by its series up to the third power, to the power of 32.
    """
    apart = abs(np.float32(r[at]) - red) + abs(np.float32(g[at]) - green) + abs(np.float32(b[at]) - blue)
    part = apart * unit * np.float32(1 / 32)
    power = np.float32(1) + part * (np.float32(1) + part * (np.float32(1 / 2) + part * np.float32(1 / 6)))
    power *= power
    power *= power
    power *= power
    power *= power
    power *= power
    return np.float32(1) / power


@within
def _cost(grey, right, y, x, column, cap, weights):
    """The weighted sum of differences between the window of grey at (x, y) and that of right at (column, y)."""
    last, whole = right.shape[1] - 2 * _MARGIN - 1, np.floor(column)
    # what is farther outside sees the same: the last pixel only
    at = np.uint64(min(max(np.int64(whole), -_REACH - 1), last + _REACH) + _MARGIN - _REACH)
    share = column - whole
    c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = np.float32(0)
    for row in range(np.uint64(5)):
        own, there, w = grey[y + row], right[y + row], weights[row]
        c0 += _difference(own, there, w, x, at, _0, share, cap)
        c1 += _difference(own, there, w, x, at, _1, share, cap)
        c2 += _difference(own, there, w, x, at, _2, share, cap)
        c3 += _difference(own, there, w, x, at, _3, share, cap)
        c4 += _difference(own, there, w, x, at, _4, share, cap)
        c5 += _difference(own, there, w, x, at, _5, share, cap)
        c6 += _difference(own, there, w, x, at, _6, share, cap)
        c7 += _difference(own, there, w, x, at, _7, share, cap)
    sums = weights[5]
    sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6], sums[7] = c0, c1, c2, c3, c4, c5, c6, c7
    return c0 + c1 + c2 + c3 + c4


@within
def _difference(own, there, weights, x, at, beside, share, cap):
    first, second = np.float32(there[at + beside]), np.float32(there[at + beside + _1])
    apart = abs(first + share * (second - first) - np.float32(own[x + beside]))
    return weights[beside] * (apart if apart < cap else cap)


def mark_hidden(disparity, least, by, first, end, nearest, hidden):
    """Write 1 into hidden (H, W) uint8 where something nearer by more than `by` px lands on the pixel's match, or 0.

    disparity: (H, W) px, rounded not less than `least`. The rows first to end are done. nearest: W plus the range of
    rounded disparities wide, float32, for scratch.
    """
    width, margin = disparity.shape[1], np.float32(by)
    last = len(nearest) - 1
    for y in range(first, end):
        row = disparity[y]
        for x in range(len(nearest)):
            nearest[x] = -_FAR
        for x in range(width):
            at = last - width + x + 1 + least - np.int64(np.rint(row[x]))
            nearest[at] = max(nearest[at], row[x])
        for x in range(width):
            at = last - width + x + 1 + least - np.int64(np.rint(row[x]))
            hidden[y, x] = nearest[at] > row[x] + margin


def grow_strands(planes, grey, right, strand, hidden, disparity, scale, largest, unit, same, backwards, weights):
    """Sweep once over the picture: pixels of strands take a neighbour's nearer disparity over where it fits, in place.

    planes, grey, right, scale, largest, weights: see `compare_support`; here only pixels of strands count.
    strand, hidden (H, W) uint8: 1 on a strand, and where the right view does not show what the pixel is at first.
    disparity: (H, W) px. unit: grey levels by which views differ usually. same: sum of the channels' differences up to
    which a neighbour is of the same strand. backwards: 1 for a sweep from the last pixel to the first one.
    """
    (height, width), cap, level, per_level = strand.shape, np.float32(largest), np.float32(unit), np.float32(1 / scale)
    for n in range(height):
        y = height - 1 - n if backwards else n
        for m in range(width):
            x = width - 1 - m if backwards else m
            if strand[y, x] and _nearer_beside(strand, disparity, y, x):
                _weigh(planes, np.uint64(y), np.uint64(x), per_level, weights)
                total = _leave_strands(strand, y, x, weights)
                _grow(planes, grey, right, strand, hidden, disparity, y, x, cap, level, same, weights, total)


@within
def _nearer_beside(strand, disparity, y, x):
    """Whether a pixel of a strand in the window is nearer."""
    (height, width), found = disparity.shape, False
    for q in range(max(y - _REACH, 0), min(y + _REACH + 1, height)):
        for p in range(max(x - _REACH, 0), min(x + _REACH + 1, width)):
            found = found or (strand[q, p] and disparity[q, p] > disparity[y, x] + _NEARER_PX)
    return found


@within
def _leave_strands(strand, y, x, weights):
    """Make weights 0 for what is on no strand; returns the sum of the others."""
    (height, width), total = strand.shape, np.float32(0)
    for dy in range(-_REACH, _REACH + 1):
        for dx in range(-_REACH, _REACH + 1):
            q, p = y + dy, x + dx
            if not (0 <= q < height and 0 <= p < width and strand[q, p]):
                weights[dy + _REACH, dx + _REACH] = 0
            total += weights[dy + _REACH, dx + _REACH]
    return total


@within
def _grow(planes, grey, right, strand, hidden, disparity, y, x, cap, level, same, weights, total):
    """Choose between a pixel's disparity and those of its strand nearby that are nearer."""
    height, width = disparity.shape
    before = disparity[y, x]
    least = _UNSEEN * level if hidden[y, x] else _least_cost(grey, right, y, x, before, cap, weights, total)[0]
    least += (_DISAGREEMENT * _disagreement(disparity, y, x, before, weights) + _FARTHER) * level
    best, tried = before, before
    for q in range(max(y - _REACH, 0), min(y + _REACH + 1, height)):
        for p in range(max(x - _REACH, 0), min(x + _REACH + 1, width)):
            there, apart = disparity[q, p], np.float32(0)
            for c in range(3):
                apart += abs(np.float32(planes[c, q + _REACH, p + _REACH] - planes[c, y + _REACH, x + _REACH]))
            of_it = strand[q, p] and apart <= same and there > before + _NEARER_PX and there <= x
            if of_it and abs(there - tried) >= _STEP_PX and abs(there - best) >= _STEP_PX:
                tried = there
                cost, moved = _least_cost(grey, right, y, x, there, cap, weights, total)
                cost += _DISAGREEMENT * _disagreement(disparity, y, x, moved, weights) * level
                if cost < least:
                    least, best = cost, moved
    disparity[y, x] = best


@within
def _least_cost(grey, right, y, x, disparity, cap, weights, total):
    """The least cost near a disparity, and where it is."""
    least, best = _FAR, disparity
    for step in range(-_STEPS, _STEPS + 1):
        moved = disparity + np.float32(step) * _STEP_PX
        cost = _cost(grey, right, np.uint64(y), np.uint64(x), np.float32(x) - moved, cap, weights) / total
        if cost < least:
            least, best = cost, moved
    return least, best


@within
def _disagreement(disparity, y, x, own, weights):
    """How much the window disagrees with a disparity of its middle pixel, 0 to 1."""
    height, width = disparity.shape
    total, count = np.float32(0), np.float32(0)
    for q in range(max(y - _REACH, 0), min(y + _REACH + 1, height)):
        for p in range(max(x - _REACH, 0), min(x + _REACH + 1, width)):
            if q != y or p != x:
                weight = weights[q - y + _REACH, p - x + _REACH]
                total += weight * min(abs(disparity[q, p] - own) / _DIFFERENT_PX, np.float32(1))
                count += weight
    return total / max(count, np.float32(1e-6))
