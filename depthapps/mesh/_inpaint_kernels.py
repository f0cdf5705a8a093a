"""Compiled loops that find, for every patch of a hole, the most alike patch of the picture (PatchMatch)."""

import numpy as np
from numpy.typing import NDArray

from depthapps.runtime.inlining import within

_REACH = 3  # px from a patch's middle to its sides: patches of 7 x 7
_LAYER = 0.12  # natural logarithm of the ratio of 1/Z, up to which two pixels are on one surface
_APART = 0.12  # the same, for the place that a patch is copied from: what is nearer or farther is another thing
# The same, by which that place may be off the plane of the pixel that it is copied to. With 0.06, 0.08 and 0.12 two
# rendered rooms look 30.31, 30.30 and 30.29 dB like the truth from nine new places each.
_OFF = 0.08
# What a pixel of a patch counts that shows another surface than the patch's middle, and is not copied: as a difference
# of some 30 grey levels. With a third or three times as much rendered rooms look alike.
_FOREIGN = 3000.0


@within
def _distance(y, x, j, i, best, picture, layer, weights, tilt, source, there, usable, reach):
    """The mean squared difference of the patches around (y, x) and (j, i), or inf if it is above `best` or none."""
    height, width = layer.shape
    if not (_REACH <= j < height - _REACH and _REACH <= i < width - _REACH) or usable[j, i] == 0:
        return np.inf
    if abs(there[j, i] - layer[y, x]) > _APART or (j - y) ** 2 + (i - x) ** 2 > reach[y, x] ** 2:
        return np.inf
    rise = 1 + tilt[y, x, 0] * (j - y) + tilt[y, x, 1] * (i - x)
    if rise <= 0 or abs(there[j, i] - layer[y, x] - np.log(rise)) > _OFF:
        return np.inf
    total, count = 0.0, 0.0
    # places without a sign: else numba asks at each whether it is negative and means an end
    left, right = max(-_REACH, -x), min(_REACH, width - 1 - x)
    own, other = layer[y, x], there[j, i]
    for v in range(max(-_REACH, -y), min(_REACH, height - 1 - y) + 1):
        row, row_there = np.uint64(y + v), np.uint64(j + v)
        for u in range(left, right + 1):
            column, column_there = np.uint64(x + u), np.uint64(i + u)
            if abs(layer[row, column] - own) > _LAYER:
                continue
            weight = weights[row, column]
            if abs(there[row_there, column_there] - other) > _LAYER:
                total += weight * _FOREIGN
            else:
                for c in range(3):
                    off = picture[row, column, c] - source[row_there, column_there, c]
                    total += weight * off * off
            count += weight
        if total > best * (2 * _REACH + 1) ** 2:
            return np.inf
    return total / count


def improve_matches(
    picture: NDArray[np.floating],
    layer: NDArray[np.floating],
    weights: NDArray[np.floating],
    tilt: NDArray[np.floating],
    source: NDArray[np.floating],
    there: NDArray[np.floating],
    usable: NDArray[np.uint8],
    reach: NDArray[np.floating],
    pixels: NDArray[np.int32],
    first: int,
    end: int,
    sweep: int,
    farthest: int,
    match: NDArray[np.int32],
    cost: NDArray[np.floating],
) -> None:
    """One sweep of PatchMatch over pixels of a hole: take over the neighbours' matches, then try random ones.

    picture: (H, W, 3) float32. layer: (H, W) float32, logarithm of 1/Z. weights: (H, W) float32, of each pixel where
    patches are compared. tilt: (H, W, 2) float32, by which share 1/Z of a pixel's plane rises a pixel downwards and to
    the right. source, there: as picture and layer, of what is copied.
    usable: (H, W), 1 at the middles of patches that may be. reach: (H, W) float32, how far away from each pixel that
    may be, in px. pixels: (N, 2), row and column of the hole's, in the order of rows; those from first to end are done.
    sweep: its number; odd ones begin at the last pixel. farthest: px, of a random try. match: (H, W, 2), row and column
    of each pixel's match, -1 for none. cost: (H, W) float32.
    """
    height, width = layer.shape
    backward = sweep % 2
    state = np.uint32(12345 + 7919 * sweep + 31 * first)
    step = -1 if backward == 0 else 1
    for k in range(end - first):
        n = end - 1 - k if backward else first + k
        y, x = pixels[n, 0], pixels[n, 1]
        j, i = match[y, x, 0], match[y, x, 1]
        best = np.inf
        if j >= 0:
            best = _distance(y, x, j, i, np.inf, picture, layer, weights, tilt, source, there, usable, reach)
        for side in range(2):
            b, a = (y + step, x) if side == 0 else (y, x + step)
            if 0 <= b < height and 0 <= a < width and match[b, a, 0] >= 0:
                d, e = match[b, a, 0] + y - b, match[b, a, 1] + x - a
                found = _distance(y, x, d, e, best, picture, layer, weights, tilt, source, there, usable, reach)
                if found < best:
                    best, j, i = found, d, e
        span = farthest
        while span >= 1:
            state = np.uint32(state * np.uint32(1664525) + np.uint32(1013904223))
            d = (j if j >= 0 else y) + np.int64(state >> np.uint32(8)) % (2 * span + 1) - span
            state = np.uint32(state * np.uint32(1664525) + np.uint32(1013904223))
            e = (i if i >= 0 else x) + np.int64(state >> np.uint32(8)) % (2 * span + 1) - span
            found = _distance(y, x, d, e, best, picture, layer, weights, tilt, source, there, usable, reach)
            if found < best:
                best, j, i = found, d, e
            span //= 2
        if best < np.inf:
            match[y, x, 0], match[y, x, 1], cost[y, x] = j, i, best
        else:
            match[y, x, 0], match[y, x, 1], cost[y, x] = -1, -1, best


def vote(
    picture: NDArray[np.floating],
    layer: NDArray[np.floating],
    source: NDArray[np.floating],
    there: NDArray[np.floating],
    pixels: NDArray[np.int32],
    match: NDArray[np.int32],
    cost: NDArray[np.floating],
    colors: NDArray[np.floating],
) -> None:
    """Colour the pixels of a hole with the mean of what the matches of all patches around them have there.

    Patches that are more alike count more. What shows another surface than a patch's middle does not count, nor do
    patches of which that lies on another surface than the pixel: matches of a coarser level were not looked at in this
    one. colors: (N, 3), of the pixels; the other arguments are as above.
    """
    height, width = layer.shape
    for n in range(len(pixels)):
        y, x = pixels[n, 0], pixels[n, 1]
        red, green, blue, total = 0.0, 0.0, 0.0, 0.0
        left, right = max(-_REACH, -x), min(_REACH, width - 1 - x)
        own = layer[y, x]
        for v in range(max(-_REACH, -y), min(_REACH, height - 1 - y) + 1):
            row = np.uint64(y + v)
            for u in range(left, right + 1):
                column = np.uint64(x + u)
                if match[row, column, 0] < 0 or abs(layer[row, column] - own) > _LAYER:
                    continue
                at, beside = np.uint64(match[row, column, 0]), np.uint64(match[row, column, 1])
                middle = there[at, beside]
                j, i = np.uint64(match[row, column, 0] - v), np.uint64(match[row, column, 1] - u)
                if abs(middle - layer[row, column]) > _APART or abs(there[j, i] - middle) > _LAYER:
                    continue
                weight = 1 / (20.0 + cost[row, column])
                red += weight * source[j, i, 0]
                green += weight * source[j, i, 1]
                blue += weight * source[j, i, 2]
                total += weight
        if total > 0:
            colors[n, 0], colors[n, 1], colors[n, 2] = red / total, green / total, blue / total
        else:
            colors[n, 0], colors[n, 1], colors[n, 2] = picture[y, x, 0], picture[y, x, 1], picture[y, x, 2]
