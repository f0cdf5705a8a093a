"""Compiled loops that put planes through scattered values (RANSAC, Fischler 1981), and that draw them."""

import numpy as np

from depthapps.runtime.inlining import inlined, within

_ROUNDS = 4  # in which a trial is refined
_FEWEST = 10  # values that are worth a plane
_HELD, _BEHIND = np.float32(2), np.float32(-3)  # a plane holds a value up to here, and beyond that one lies behind it
_HIDDEN = np.float32(-2)  # beyond this, a value counts against an opaque plane when trials are compared
_AGAINST = np.float32(2)  # as many values on a plane weigh up one that counts against it
_CONTRADICTED = 0.2  # of a plane's values: as many that lie behind it rule it out; with 0.15 and 0.3 alike to 0.5 %
# Planes are drawn towards slopes of 0 with this weight, and towards a level of 0 with a ten-thousandth of it, so that
# there is a solution where few values count, or all of them lie in one line.
_FLAT = 1e-2
_LEAST_AREA = np.float32(0.01)  # of three places, twice that of their triangle: less is a line


def fit_planes(
    places, values, draws, levels, least_share, steepest, opaque, left, numbers, trials, votes, best, planes, found
):
    """Write planes through values, one after the other, each of what the ones before it leave, into planes (R, 3).

    values: (N,), as multiples of their deviation. places: (2, N), where each is. draws: (R, M, 3) in 0..1, which values
    each trial goes through; the first `levels` of them are of one value, and constant. least_share: of the values, that
    a plane must hold. steepest: the largest slope. opaque: 1 if values behind a plane count against it, else 0.
    found: (1,), how many planes there are. best: (3, B), for the best trials, of which the one that fits best when it
    is refined is taken. left (N,), numbers (N,) int64, trials (3, M) and votes (M,): for scratch.
    """
    size, count = np.uint64(len(values)), np.uint64(0)
    against = _AGAINST if opaque else np.float32(0)
    for n in range(size):
        left[n] = np.float32(1)
    for attempt in range(np.uint64(len(draws))):
        rest = np.uint64(0)
        for n in range(size):
            if left[n] > 0:
                numbers[rest] = n
                rest += np.uint64(1)
        if rest < _FEWEST or rest < least_share * size:
            break
        _draw_trials(places, values, draws[attempt], levels, numbers, rest, trials)
        _count_votes(places, values, left, trials, against, votes)
        for m in range(np.uint64(len(votes))):
            slope = trials[1, m] * trials[1, m] + trials[2, m] * trials[2, m]
            votes[m] = votes[m] if slope < steepest * steepest else np.float32(-np.inf)  # NaN is not less
        for k in range(np.uint64(best.shape[1])):
            top = _largest(votes)
            _refine(places, values, left, trials, top, best, k)
            votes[top] = np.float32(-np.inf)
        _count_votes(places, values, left, best, against, votes)
        top = _largest(votes[: best.shape[1]])
        held = behind = kept = 0
        level, down, right = best[0, top], best[1, top], best[2, top]
        for n in range(size):
            off = values[n] - level - down * places[0, n] - right * places[1, n]
            held += abs(off) < _HELD
            kept += abs(off) < _HELD and left[n] > 0
            behind += off < _BEHIND
            left[n] = left[n] if abs(off) >= _HELD else np.float32(0)
        if kept < least_share * size:
            break
        if not opaque or behind < _CONTRADICTED * held:
            planes[count, 0], planes[count, 1], planes[count, 2] = level, down, right
            count += np.uint64(1)
    found[0] = count


@inlined
def _draw_trials(places, values, draws, levels, numbers, rest, trials):
    """Write planes through one value, and through three, into trials (3, M); NaN for three in one line."""
    for m in range(np.uint64(len(draws))):
        a = np.uint64(numbers[np.uint64(draws[m, 0] * rest)])
        trials[0, m], trials[1, m], trials[2, m] = values[a], np.float32(0), np.float32(0)
        if m >= levels:
            b = np.uint64(numbers[np.uint64(draws[m, 1] * rest)])
            c = np.uint64(numbers[np.uint64(draws[m, 2] * rest)])
            down, right = places[0, b] - places[0, a], places[1, b] - places[1, a]
            down_2, right_2 = places[0, c] - places[0, a], places[1, c] - places[1, a]
            rise, rise_2 = values[b] - values[a], values[c] - values[a]
            area = down * right_2 - down_2 * right
            area = area if abs(area) > _LEAST_AREA else np.float32(np.nan)
            trials[1, m] = (rise * right_2 - rise_2 * right) / area
            trials[2, m] = (down * rise_2 - down_2 * rise) / area
            trials[0, m] -= trials[1, m] * places[0, a] + trials[2, m] * places[1, a]


@within
def _count_votes(places, values, left, planes, against, votes):
    """Write how many of the values that are left lie on each plane (3, M), less those that it hides, into votes.

    A value that is off by e counts exp(-e²).
    """
    count = np.uint64(planes.shape[1])
    level, down, right = planes[0], planes[1], planes[2]
    for m in range(count):
        votes[m] = np.float32(0)
    for n in range(np.uint64(len(values))):
        row, column, value, counts = places[0, n], places[1, n], values[n], left[n]
        for m in range(count):
            off = value - level[m] - down[m] * row - right[m] * column
            hidden = against if off < _HIDDEN else np.float32(0)
            votes[m] += counts / _grown(off * off) - hidden


@inlined
def _grown(exponent):
    """The exponential function, which compiled loops lack: of a thirty-second, by its series, to the power of 32."""
    one = np.float32(1)
    part = exponent * np.float32(1 / 32)
    power = one + part * (one + part * (np.float32(1 / 2) + part * np.float32(1 / 6)))
    power *= power
    power *= power
    power *= power
    power *= power
    return power * power


@inlined
def _largest(votes):
    """Where the largest of votes is."""
    top = np.uint64(0)
    for m in range(np.uint64(len(votes))):
        top = m if votes[m] > votes[top] else top
    return top


@within
def _refine(places, values, left, trials, trial, best, k):
    """Fit a trial to the values that are left and near it, by reweighted least squares, and write it into best[:, k].

    A value that is off by e counts exp(-e²).
    """
    level, down, right = trials[0, trial], trials[1, trial], trials[2, trial]
    for _ in range(_ROUNDS):
        a = b = c = d = e = f = u = v = w = 0.0
        for n in range(np.uint64(len(values))):
            row, column, value = places[0, n], places[1, n], values[n]
            off = value - level - down * row - right * column
            weight = float(left[n] / _grown(off * off))
            a += weight
            b += weight * row
            c += weight * column
            d += weight * row * row
            e += weight * row * column
            f += weight * column * column
            u += weight * value
            v += weight * value * row
            w += weight * value * column
        a, d, f = a + 1e-4 * _FLAT, d + _FLAT, f + _FLAT
        # the inverse of the symmetric matrix by its minors
        aa, ab, ac = d * f - e * e, c * e - b * f, b * e - c * d
        bb, bc, cc = a * f - c * c, b * c - a * e, a * d - b * b
        whole = a * aa + b * ab + c * ac
        level = np.float32((aa * u + ab * v + ac * w) / whole)
        down = np.float32((ab * u + bb * v + bc * w) / whole)
        right = np.float32((ac * u + bc * v + cc * w) / whole)
    best[0, k], best[1, k], best[2, k] = level, down, right


def draw_planes(labels, planes, first, end, disparity):
    """Write the rows first to end of the disparity (H, W) px of planes, NaN where there is none.

    labels: the number of each pixel's plane in a picture of half the size, negative where there is none. planes:
    (P, 3), their factors of 1, row and column in that picture.
    """
    half, nothing = np.float32(0.5), np.float32(np.nan)
    for y in range(np.uint64(first), np.uint64(end)):
        for x in range(np.uint64(disparity.shape[1])):
            plane = labels[y // np.uint64(2), x // np.uint64(2)]
            if plane < 0:
                disparity[y, x] = nothing
            else:
                k = np.uint64(plane)
                down = planes[k, 1] * (half * np.float32(y))
                disparity[y, x] = planes[k, 0] + down + planes[k, 2] * (half * np.float32(x))
