"""Compiled loops that compare whole strands between the views."""

import numpy as np

from depthapps.runtime.inlining import within

_FAR = np.float32(1e30)
_STEP_PX, _STEPS = np.float32(0.5), 2  # a pixel is compared at steps to both sides of a line
_SHOWN = 8  # pixels of a strand's near part that the right view shows, at least
_LONG_PX = np.float32(10)  # a near part as long as that tells how the disparity rises along the strand


def join_strands(
    grey, right, strand, unseen, rows, columns, part, ranges, same, largest, dearest, better, start, end, disparity
):
    """Put what was lost of strands at a line through their near parts where that matches better, in place.

    grey, right: (H, W) uint8. strand: (H, W) int32, its number, 0 for none. unseen: (H, W) uint8, 1 where the right
    view does not show what the disparity (H, W) puts there. A pixel costs `largest` grey levels at most, but `dearest`
    ones if the right view does not show it, and just these where a line puts it outside that. rows, columns: (N,) of
    pixels. part: (N,) uint8, 1 for the near part, 2 for what was lost. ranges: (S, 2), the first of the pixels of each
    strand, and that after the last one. same: (S,), the disparity of the near part. better: grey levels by which a line
    has to match better. The strands start to end are done.
    """
    cap, ceiling = np.float32(largest), np.float32(dearest)
    for k in range(start, end):
        a, b = ranges[k, 0], ranges[k, 1]
        across, down = _direction(rows, columns, a, b)
        middle, mean, rise = _line_along(rows, columns, part, disparity, a, b, across, down)
        before, constant, sloping, count, shown = np.float32(0), np.float32(0), np.float32(0), 0, 0
        for n in range(a, b):
            y, x = rows[n], columns[n]
            shown += part[n] == 1 and disparity[y, x] <= x
            if part[n] == 2:
                line = mean + rise * (across * x + down * y - middle)
                cost = _strand_cost(grey, right, strand, y, x, disparity[y, x], cap)
                before += min(cost, ceiling) if unseen[y, x] else cost
                constant += _least_strand_cost(grey, right, strand, y, x, same[k], cap, ceiling)
                sloping += _least_strand_cost(grey, right, strand, y, x, line, cap, ceiling)
                count += 1
        if shown >= _SHOWN and min(constant, sloping) < before - np.float32(better) * count:
            for n in range(a, b):
                y, x = rows[n], columns[n]
                put = mean + rise * (across * x + down * y - middle) if sloping < constant else same[k]
                if part[n] == 2 and disparity[y, x] < put:
                    disparity[y, x] = put


@within
def _direction(rows, columns, a, b):
    """The direction (across, down) in which pixels spread most."""
    mean_x, mean_y, n = np.float32(0), np.float32(0), np.float32(b - a)
    for k in range(a, b):
        mean_x += columns[k] / n
        mean_y += rows[k] / n
    xx, xy, yy = np.float32(0), np.float32(0), np.float32(0)
    for k in range(a, b):
        x, y = columns[k] - mean_x, rows[k] - mean_y
        xx, xy, yy = xx + x * x, xy + x * y, yy + y * y
    apart, both = xx - yy, np.sqrt((xx - yy) * (xx - yy) + 4 * xy * xy)
    twice = apart / both if both > 0 else np.float32(1)  # the cosine of twice the angle of that direction to the row
    down = np.sqrt(max((1 - twice) / 2, np.float32(0)))
    return np.sqrt(max((1 + twice) / 2, np.float32(0))), down if xy > 0 else -down


@within
def _line_along(rows, columns, part, disparity, a, b, across, down):
    """The line through the disparities of a strand's near part: where it has its mean, that, and its rise a pixel.

    A part that is short along the strand does not tell how the disparity rises.
    """
    middle, mean, count = np.float32(0), np.float32(0), np.float32(0)
    low, high = _FAR, -_FAR
    for k in range(a, b):
        if part[k] == 1:
            along = np.float32(across * columns[k] + down * rows[k])
            middle, mean, count = middle + along, mean + disparity[rows[k], columns[k]], count + 1
            low, high = min(low, along), max(high, along)
    middle, mean = middle / count, mean / count
    spread, together = np.float32(0), np.float32(0)
    for k in range(a, b):
        if part[k] == 1:
            off = across * columns[k] + down * rows[k] - middle
            spread, together = spread + off * off, together + off * (disparity[rows[k], columns[k]] - mean)
    return middle, mean, together / spread if high - low > _LONG_PX else np.float32(0)


@within
def _least_strand_cost(grey, right, strand, y, x, disparity, cap, ceiling):
    """The least cost of a pixel of a strand near a disparity, or the ceiling outside the right view."""
    least = _FAR if disparity <= x else ceiling
    for step in range(-_STEPS, _STEPS + 1):
        if disparity <= x:
            least = min(least, _strand_cost(grey, right, strand, y, x, disparity + np.float32(step) * _STEP_PX, cap))
    return least


@within
def _strand_cost(grey, right, strand, y, x, disparity, cap):
    """The mean difference of a pixel and those of its strand around it from the right view."""
    (height, width), last = grey.shape, right.shape[1] - 1
    total, count = np.float32(0), np.float32(0)
    for q in range(max(y - 1, 0), min(y + 2, height)):
        for p in range(max(x - 1, 0), min(x + 2, width)):
            if strand[q, p] == strand[y, x]:
                column = min(max(np.float32(p) - disparity, np.float32(0)), np.float32(last))
                at = np.int64(column)
                share = column - np.float32(at)
                seen = (1 - share) * np.float32(right[q, at]) + share * np.float32(right[q, min(at + 1, last)])
                total += min(abs(seen - np.float32(grey[q, p])), cap)
                count += 1
    return total / count
