"""Compiled recursive filters that average values along a surface and stop at its tears."""

import numpy as np
from numpy.typing import NDArray


def blend_rows(
    values: NDArray[np.floating], linked: NDArray[np.uint8], feedback: NDArray[np.floating], first: int, end: int
) -> None:
    """Filter rows first..end of values (H, W, C) in place with a recursive filter, to the right and then to the left.

    linked: (H, W-1), 0 where the filter must not cross between two pixels. feedback: (H, W) in 0..1, the weight of the
    previous pixel's result; between two pixels the feedback of the right one counts, in both directions.
    """
    width, channels = values.shape[1:]
    for y in range(first, end):
        for x in range(1, width):
            share = feedback[y, x] if linked[y, x - 1] else np.float32(0)
            for c in range(channels):
                values[y, x, c] += share * (values[y, x - 1, c] - values[y, x, c])
        for x in range(width - 2, -1, -1):
            share = feedback[y, x + 1] if linked[y, x] else np.float32(0)
            for c in range(channels):
                values[y, x, c] += share * (values[y, x + 1, c] - values[y, x, c])


def blend_columns(
    values: NDArray[np.floating], linked: NDArray[np.uint8], feedback: NDArray[np.floating], first: int, end: int
) -> None:
    """Filter columns first..end in the same way, down and then up.

    linked: (H-1, W). Between two pixels the feedback of the lower one counts.
    """
    height, _, channels = values.shape
    for y in range(1, height):
        for x in range(first, end):
            share = feedback[y, x] if linked[y - 1, x] else np.float32(0)
            for c in range(channels):
                values[y, x, c] += share * (values[y - 1, x, c] - values[y, x, c])
    for y in range(height - 2, -1, -1):
        for x in range(first, end):
            share = feedback[y + 1, x] if linked[y, x] else np.float32(0)
            for c in range(channels):
                values[y, x, c] += share * (values[y + 1, x, c] - values[y, x, c])
