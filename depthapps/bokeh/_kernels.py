"""Compiled loops of the bokeh renderer."""

import numba as nb
import numpy as np
from numpy.typing import NDArray

FAR, FOCUSED, NEAR = 0, 1, 2


@nb.njit(nogil=True, cache=True, error_model="numpy")
def _over(top, bottom, out):
    """Premultiplied (r, g, b, weight) `top` over `bottom`.

    What the top leaves free is the bottom's, as far as the bottom has weight to fill it; a bottom with less is not
    stretched, so that where both run short each keeps its share.
    """
    weight = top[3]
    scale = 1.0 if weight <= 1 else 1 / weight
    free = 1 - weight * scale
    share = 1.0 if bottom[3] <= free else free / bottom[3]
    for k in range(4):
        out[k] = top[k] * scale + bottom[k] * share


@nb.njit(nogil=True, cache=True, error_model="numpy")
def scatter_rows(
    image: NDArray[np.floating],
    level: NDArray[np.int32],
    layer: NDArray[np.uint8],
    highest: NDArray[np.int32],
    half_width: NDArray[np.floating],
    density: NDArray[np.floating],
    first_row: int,
    end_row: int,
    out: NDArray[np.floating],
) -> None:
    """Rows first_row..end_row of `out` (H, W, 3): every pixel of `image` spread evenly over its disc.

    level: (H, W) row of each pixel's disc in the tables. layer: FAR, FOCUSED or NEAR. highest: (H,) the largest
    level on each row. half_width: (L, R) of the disc's part in the pixel row k away; its area is twice their sum.
    density: (L,) one over that area.

    A disc covers one span on a row. Its two ends are added into a difference image, with their fractions, and one
    running sum along the row turns the differences into light: O(radius) a pixel instead of O(radius²).
    """
    height, width = level.shape
    reach = half_width.shape[1] - 1
    differences = np.zeros((3, width + 2, 4), np.float64)
    total = np.zeros((3, 4), np.float64)
    behind = np.zeros(4, np.float64)
    mixed = np.zeros(4, np.float64)
    for y in range(first_row, end_row):
        differences[:] = 0
        for sy in range(max(0, y - reach), min(height, y + reach + 1)):
            dy = abs(sy - y)
            if half_width[highest[sy], dy] <= 0:
                continue
            for sx in range(width):
                disc = level[sy, sx]
                half = half_width[disc, dy]
                if half <= 0:
                    continue
                start = max(sx - half, -0.5) + 0.5  # measured from the left edge of pixel 0
                end = min(sx + half, width - 0.5) + 0.5
                start_pixel, end_pixel = int(start), int(end)
                start_next, end_next = start - start_pixel, end - end_pixel
                to = differences[layer[sy, sx]]
                for k in range(4):
                    value = density[disc] * (image[sy, sx, k] if k < 3 else np.float32(1))
                    to[start_pixel, k] += value * (1 - start_next)
                    to[start_pixel + 1, k] += value * start_next
                    to[end_pixel, k] -= value * (1 - end_next)
                    to[end_pixel + 1, k] -= value * end_next
        total[:] = 0
        for x in range(width):
            for plane in range(3):
                for k in range(4):
                    total[plane, k] += differences[plane, x, k]
            _over(total[FOCUSED], total[FAR], behind)
            _over(total[NEAR], behind, mixed)
            for k in range(3):
                out[y, x, k] = max(mixed[k] / mixed[3], 0.0)
