"""Compiled loops of the engine."""

import numba as nb
import numpy as np
from numpy.typing import NDArray


@nb.njit(nogil=True, cache=True, error_model="numpy")
def weighted_medians(
    disparity: NDArray[np.floating],
    wanted: NDArray[np.bool_],
    guide: NDArray[np.uint8],
    weights: NDArray[np.floating],
    radius: int,
    stride: int,
    low: float,
    bins: int,
    first_row: int,
    end_row: int,
    out: NDArray[np.floating],
) -> None:
    """Replace the wanted pixels of rows first_row..end_row in `out` by weighted medians of `disparity` around them.

    weights: by the sum of absolute differences of the guide's three channels, (766,). The median is found in a
    histogram of one-pixel bins that starts at `low`, and is the weighted mean of the values in its bin.
    """
    height, width = disparity.shape
    weight_of = np.zeros(bins, np.float32)
    sum_of = np.zeros(bins, np.float32)
    for y in range(first_row, end_row):
        for x in range(width):
            if not wanted[y, x]:
                continue
            weight_of[:] = 0
            sum_of[:] = 0
            total = np.float32(0)
            red, green, blue = np.int32(guide[y, x, 0]), np.int32(guide[y, x, 1]), np.int32(guide[y, x, 2])
            for yy in range(max(0, y - radius), min(height, y + radius + 1), stride):
                for xx in range(max(0, x - radius), min(width, x + radius + 1), stride):
                    difference = (
                        abs(np.int32(guide[yy, xx, 0]) - red)
                        + abs(np.int32(guide[yy, xx, 1]) - green)
                        + abs(np.int32(guide[yy, xx, 2]) - blue)
                    )
                    weight = weights[difference]
                    k = int(disparity[yy, xx] - low)
                    weight_of[k] += weight
                    sum_of[k] += weight * disparity[yy, xx]
                    total += weight
            k = 0
            below = weight_of[0]
            while below < total / 2 and k < bins - 1:
                k += 1
                below += weight_of[k]
            if weight_of[k] > 0:
                out[y, x] = sum_of[k] / weight_of[k]
