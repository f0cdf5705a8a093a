"""Compiled loop of the plane fits."""

import numpy as np
from numpy.typing import NDArray


def gather_rows(
    values: NDArray[np.floating],
    gates: NDArray[np.uint8],
    feedback: float,
    first: int,
    end: int,
    turned: NDArray[np.floating],
) -> None:
    """Rows first..end of values (H, W, C) become columns of `turned` (W, H, C), each summed with feedback^distance.

    Where a gate (H, W-1) between two pixels is closed nothing passes.
    """
    width, channels = values.shape[1:]
    share = np.float32(feedback)
    for y in range(first, end):
        for c in range(channels):
            turned[0, y, c] = values[y, 0, c]
    for x in range(1, width):
        for y in range(first, end):
            pass_on = share if gates[y, x - 1] else np.float32(0)
            for c in range(channels):
                turned[x, y, c] = values[y, x, c] + pass_on * turned[x - 1, y, c]
    # the sum from the other side comes back in `values`, which is used up on the way
    for x in range(width - 2, -1, -1):
        for y in range(first, end):
            pass_on = share if gates[y, x] else np.float32(0)
            for c in range(channels):
                carried = pass_on * values[y, x + 1, c]
                turned[x, y, c] += carried
                values[y, x, c] += carried
