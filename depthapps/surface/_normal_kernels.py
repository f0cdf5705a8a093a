"""Compiled loops of the averages along a surface."""

import numpy as np
from numpy.typing import NDArray


def blend_rows(
    values: NDArray[np.floating], linked: NDArray[np.uint8], feedback: NDArray[np.floating], first: int, end: int
) -> None:
    """Rows first..end of values (H, W, C) are drawn to what comes before them in the row, and then to what comes after.

    linked: (H, W-1), 0 where nothing passes between two pixels. feedback: (H, W), how much passes, by the right one.
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
    """The same of columns first..end; linked: (H-1, W), feedback by the lower pixel."""
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
