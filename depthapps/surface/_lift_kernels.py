"""Compiled loop of the lifting."""

import numpy as np
from numpy.typing import NDArray


def choose_rows(
    surfaces: NDArray[np.floating],
    colors: NDArray[np.floating],
    image: NDArray[np.uint8],
    wanted: NDArray[np.uint8],
    per_color: float,
    per_distance: float,
    thickness: float,
    first_row: int,
    end_row: int,
    value: NDArray[np.floating],
    weight: NDArray[np.floating],
    out: NDArray[np.floating],
) -> None:
    """Rows first_row..end_row of `out` (H, W) where `wanted` (H, W): the mean of the surface that a pixel belongs to.

    surfaces: (h, w), NaN where a sample shows none. colors: (h, w, 3) of the samples; image: (H, W, 3). per_color and
    per_distance: 1/(2σ²) of grey levels and samples. Of the 5x5 samples around the pixel, those that span at most
    `thickness` are a surface; the one with the largest weight wins. value: (25,) float32 and weight: (25,) float64 to
    work with.
    """
    height, width = wanted.shape
    h, w = surfaces.shape
    for y in range(first_row, end_row):
        v = (y + 0.5) * h / height - 0.5
        middle_row = round(v)
        for x in range(width):
            if not wanted[y, x]:
                continue
            u = (x + 0.5) * w / width - 0.5
            middle_column = round(u)
            count = 0
            for r in range(max(0, middle_row - 2), min(h, middle_row + 3)):
                for c in range(max(0, middle_column - 2), min(w, middle_column + 3)):
                    sample = surfaces[r, c]
                    if np.isnan(sample):
                        continue
                    unlike = 0.0
                    for k in range(3):
                        unlike += (np.float64(image[y, x, k]) - colors[r, c, k]) ** 2
                    away = (r - v) ** 2 + (c - u) ** 2
                    i = count
                    while i > 0 and value[i - 1] > sample:  # kept sorted, so that a surface is a run of values
                        value[i], weight[i] = value[i - 1], weight[i - 1]
                        i -= 1
                    value[i] = sample
                    weight[i] = np.exp(-per_color * unlike - per_distance * away) + 1e-12 / (1 + away)
                    count += 1
            if count == 0:
                continue
            best, best_from, best_to = -1.0, 0, 0
            total, end = 0.0, 0
            for start in range(count):
                while end < count and value[end] <= value[start] + thickness:
                    total += weight[end]
                    end += 1
                if total > best:
                    best, best_from, best_to = total, start, end
                total -= weight[start]
            mean, sum_of_weights = 0.0, 0.0
            for i in range(best_from, best_to):
                mean += weight[i] * value[i]
                sum_of_weights += weight[i]
            out[y, x] = mean / sum_of_weights
