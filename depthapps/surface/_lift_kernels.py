"""Compiled loop that chooses a depth for each pixel near a depth edge when a small map is enlarged."""

import numpy as np
from numpy.typing import NDArray

from depthapps.runtime.inlining import inlined


@inlined
def _gather(surfaces, colors, image, y, x, v, u, per_color, per_distance, value, weight):
    """Gather the samples around pixel (x, y), which lies at (u, v) among the samples, sorted by value; return how many.

    The values and the weights are written to `value` and `weight`. The other arguments are those of `choose_rows`.
    """
    h, w = surfaces.shape
    middle_row, middle_column = round(v), round(u)
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
            while i > 0 and value[i - 1] > sample:  # sorted by value, so that a surface is a contiguous run
                value[i], weight[i] = value[i - 1], weight[i - 1]
                i -= 1
            value[i] = sample
            weight[i] = np.exp(-per_color * unlike - per_distance * away) + 1e-12 / (1 + away)
            count += 1
    return count


@inlined
def _heaviest(value, weight, count, thickness):
    """Weighted mean of the surface with the largest total weight, among `count` sorted samples."""
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
    return mean / sum_of_weights


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
    """Set wanted pixels of `out` (H, W) in rows first_row..end_row to the depth of the nearby surface that fits best.

    The 5x5 samples around a pixel are grouped: samples whose values span at most `thickness` form one surface. The
    surface with the largest total weight wins, and the pixel takes its weighted mean. The weight of a sample is a
    Gaussian of its colour difference to the pixel times a Gaussian of its distance.

    surfaces: (h, w) samples, NaN where a sample is a mixture of two surfaces. colors: (h, w, 3) of the samples, 0..255.
    image: (H, W, 3). wanted: (H, W), 0 where nothing is to be set. per_color, per_distance: 1/(2σ²), with σ in grey
    levels and in samples. value (25,) float32 and weight (25,) float64 are scratch buffers.
    """
    height, width = wanted.shape
    h, w = surfaces.shape
    for y in range(first_row, end_row):
        v = (y + 0.5) * h / height - 0.5
        for x in range(width):
            if not wanted[y, x]:
                continue
            u = (x + 0.5) * w / width - 0.5
            count = _gather(surfaces, colors, image, y, x, v, u, per_color, per_distance, value, weight)
            if count > 0:
                out[y, x] = _heaviest(value, weight, count, thickness)
