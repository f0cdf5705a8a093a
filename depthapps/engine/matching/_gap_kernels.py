"""Compiled loops that look for disparities that match about as well as the one that was found."""

import numpy as np

from depthapps.runtime.inlining import within

# Pixels of the window to each side: with 3, 4 and 5, 6.6, 6.3 and 6.3 % of fifteen rooms are wrong, and real pairs are
# alike.
_REACH = 4
_NEAR_PX, _AWAY_PX = np.float32(1), np.float32(2.5)  # a match is the one found up to here, and another one beyond


def least_costs(left, right, matches, low, high, before, largest, first, end, sums, least):
    """Write the least costs near the match of each pixel, and away from it, into least (2, H, W) uint16.

    left (H, W) uint8. right: (H, any) uint8, with `before` columns before those of the left view. matches: (H, W) px,
    NaN where there is none. Disparities from low to high are tried; a cost is the sum of differences over 9x9 px,
    `largest` levels at most each, and what lies outside is mirrored. The rows first to end are done.
    sums: (W + 8,) uint16, for scratch.
    """
    height, width = left.shape
    for y in range(first, end):
        found, near, away = matches[y], least[0, y], least[1, y]
        for x in range(width):
            near[x] = away[x] = np.uint16(65535)
        for disparity in range(low, high + 1):
            for x in range(len(sums)):
                sums[x] = np.uint16(0)
            for dy in range(-_REACH, _REACH + 1):
                q = abs(y + dy)
                q = q if q < height else 2 * height - 2 - q
                _add_row(left[q], right[q], np.uint64(before - disparity), np.int16(largest), sums)
            for margin in range(_REACH):
                sums[margin] = sums[2 * _REACH - margin]
                sums[width + _REACH + margin] = sums[width + _REACH - 2 - margin]
            _keep_least(sums, found, np.float32(disparity), near, away)


def find_facing(numbers, picture, down, across, largest, runs, count):
    """List which regions face each other over a gap, in runs of pixels.

    numbers: (H, W) of the regions, 0 for none. picture: (H, W, 3) uint8. Each pixel is compared with the one that is
    `down` rows below it and `across` columns to its right. runs: (N, 4), of which the first `count[0]` are written: the
    lesser and the greater number, of how many pixels in a row, and at how many of these the colours differ by less than
    `largest` grey levels. N: at least as many as there are pixels.
    """
    height, width = numbers.shape
    found, one, other = np.uint64(0), np.int32(0), np.int32(0)
    for y in range(np.uint64(max(height - down, 0))):
        for x in range(np.uint64(max(width - across, 0))):
            to_y, to_x = y + np.uint64(down), x + np.uint64(across)
            a, b = numbers[y, x], numbers[to_y, to_x]
            if a == b or a == 0 or b == 0:
                continue
            less, more = min(a, b), max(a, b)
            if less != one or more != other:
                one, other = less, more
                runs[found, 0], runs[found, 1], runs[found, 2], runs[found, 3] = one, other, 0, 0
                found += np.uint64(1)
            apart = 0
            for channel in range(np.uint64(3)):
                apart = max(apart, abs(np.int32(picture[y, x, channel]) - np.int32(picture[to_y, to_x, channel])))
            last = found - np.uint64(1)
            runs[last, 2] += 1
            runs[last, 3] += 1 if apart < largest else 0
    count[0] = found


@within
def _add_row(own, other, start, cap, sums):
    """Add the differences of two rows of uint8, the other from `start` on, to the sums behind their margin."""
    margin = np.uint64(_REACH)
    for x in range(np.uint64(len(own))):
        apart = abs(np.int16(own[x]) - np.int16(other[start + x]))
        sums[x + margin] += np.uint16(apart if apart < cap else cap)


@within
def _keep_least(sums, found, disparity, near, away):
    """Keep the sums over nine columns where they are less: near the disparities found, and away from them."""
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    for x in range(np.uint64(len(found))):
        cost = sums[x] + sums[x + one] + sums[x + two] + sums[x + three] + sums[x + four]
        y = x + four
        cost = np.uint16(cost + sums[y + one] + sums[y + two] + sums[y + three] + sums[y + four])
        off = abs(found[x] - disparity)
        near[x] = cost if off <= _NEAR_PX and cost < near[x] else near[x]
        away[x] = cost if off > _AWAY_PX and cost < away[x] else away[x]
