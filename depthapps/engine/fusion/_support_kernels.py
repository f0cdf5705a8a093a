"""Compiled loops that compare the views at candidate disparities, and that tell what the right view does not show."""

import numpy as np

from depthapps.runtime.inlining import within

_REACH = 2
_SAME_PX = 0.125  # candidates that differ less have one cost
_FAR = np.float32(1e30)


def compare_support(left, grey, right, candidates, first_column, largest, likeness, first, end, weights, costs):
    """Write each candidate's cost, less the least one's, into costs (K, H, W) for the rows first to end.

    left (H, W, 3), grey (H, W) and right (H, any) uint8; the picture starts at first_column. candidates: (K, H, W) px.
    A pixel of the window counts by how like the middle one its colour is: likeness (766,) over the sum of the channels'
    differences. Its difference between the views counts as `largest` grey levels at most. weights: (5, 5), for scratch.
    """
    cap = np.float32(largest)
    for y in range(first, end):
        for x in range(grey.shape[1]):
            if _all_same(candidates, y, x):
                for k in range(len(candidates)):
                    costs[k, y, x] = np.float32(0)
                continue
            _weigh(left, y, x, likeness, weights)
            least = _FAR
            for k in range(len(candidates)):
                disparity, same = candidates[k, y, x], -1
                for j in range(k):
                    if same < 0 and abs(candidates[j, y, x] - disparity) < _SAME_PX:
                        same = j
                if same >= 0:
                    costs[k, y, x] = costs[same, y, x]
                else:
                    column = np.float32(first_column + x) - disparity
                    costs[k, y, x] = _cost(grey, right, y, x, column, cap, weights)
                least = min(least, costs[k, y, x])
            for k in range(len(candidates)):
                costs[k, y, x] -= least


@within
def _all_same(candidates, y, x):
    same = True
    for k in range(1, len(candidates)):
        same = same and abs(candidates[k, y, x] - candidates[0, y, x]) < _SAME_PX
    return same


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


@within
def _weigh(left, y, x, likeness, weights):
    """How much the pixels around (x, y) count; 0 outside the picture."""
    height, width = left.shape[0], left.shape[1]
    for dy in range(-_REACH, _REACH + 1):
        for dx in range(-_REACH, _REACH + 1):
            q, p, weight = y + dy, x + dx, np.float32(0)
            if 0 <= q < height and 0 <= p < width:
                apart = 0
                for c in range(3):
                    apart += abs(np.int32(left[q, p, c]) - np.int32(left[y, x, c]))
                weight = likeness[apart]
            weights[dy + _REACH, dx + _REACH] = weight


@within
def _cost(grey, right, y, x, column, cap, weights):
    """The weighted mean difference between the window of grey at (x, y) and that of right at (column, y)."""
    (height, width), last = grey.shape, right.shape[1] - 1
    whole = np.floor(column)
    share, at = column - whole, np.int64(whole)
    total, count = np.float32(0), np.float32(0)
    for dy in range(-_REACH, _REACH + 1):
        q = min(max(y + dy, 0), height - 1)
        for dx in range(-_REACH, _REACH + 1):
            p = min(max(x + dx, 0), width - 1)
            a, b = min(max(at + dx, 0), last), min(max(at + dx + 1, 0), last)
            seen = (1 - share) * np.float32(right[q, a]) + share * np.float32(right[q, b])
            apart = abs(seen - np.float32(grey[q, p]))
            weight = weights[dy + _REACH, dx + _REACH]
            total += weight * (apart if apart < cap else cap)
            count += weight
    return total / count
