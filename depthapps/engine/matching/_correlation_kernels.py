"""Compiled loops that correlate what two views show of a region on planes."""

import numpy as np


def correlate(shown, rows, columns, right, planes, times, faintest_edge, sums):
    """Sum up over samples, for each plane, what the views show there: products, squares of both, and how many.

    shown: (N,) levels of the left view; rows, columns: (N,), where, in px of the half-size picture. right: (h, w), the
    right view's band, one px of which spans `times` px of the views. planes: (P, 3), the disparity's factors for 1, row
    and column. faintest_edge: levels of the right view that are more are left out. sums: (P, 4).
    """
    width, step = right.shape[1], times // 2
    largest, per_step, per_pixel = np.float32(faintest_edge), np.float32(1 / step), np.float32(1 / times)
    for k in range(len(planes)):
        level, down, across = np.float32(planes[k, 0]), np.float32(planes[k, 1]), np.float32(planes[k, 2])
        together, here, there, count = 0.0, 0.0, 0.0, 0
        for n in range(len(shown)):
            disparity = level + down * rows[n] + across * columns[n]
            at = columns[n] * per_step - disparity * per_pixel
            if at >= np.float32(0) and at < np.float32(width - 1):
                first, row = np.int32(at), np.int32(rows[n] * per_step)
                share = at - np.float32(first)
                seen = right[row, first] * (np.float32(1) - share) + right[row, first + 1] * share
                if abs(seen) <= largest:
                    together += shown[n] * seen
                    here += shown[n] * shown[n]
                    there += seen * seen
                    count += 1
        sums[k, 0], sums[k, 1], sums[k, 2], sums[k, 3] = together, here, there, count
