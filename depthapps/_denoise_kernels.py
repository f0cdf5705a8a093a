"""Compiled loop of the plane fits."""

import numba as nb
import numpy as np
from numpy.typing import NDArray


@nb.njit(nogil=True, cache=True, error_model="numpy")
def gather_rows(
    values: NDArray[np.floating], gates: NDArray[np.bool_], feedback: float, first_row: int, end_row: int
) -> None:
    """Each of rows first_row..end_row of values (H, W, C) becomes its sum with weights feedback^distance, in place.

    Where a gate (H, W-1) between two pixels is closed nothing passes.
    """
    width, channels = values.shape[1:]
    share = np.float32(feedback)
    forward = np.empty((width, channels), np.float32)
    backward = np.empty(channels, np.float32)
    for y in range(first_row, end_row):
        forward[0] = values[y, 0]
        for x in range(1, width):
            pass_on = share if gates[y, x - 1] else np.float32(0)
            for c in range(channels):
                forward[x, c] = values[y, x, c] + pass_on * forward[x - 1, c]
        backward[:] = 0
        for x in range(width - 1, -1, -1):
            pass_on = share if x > 0 and gates[y, x - 1] else np.float32(0)
            for c in range(channels):
                own = values[y, x, c]
                values[y, x, c] = forward[x, c] + backward[c]
                backward[c] = pass_on * (backward[c] + own)
