"""Compiled loop of the bokeh renderers that composites layers of scattered light."""

import numpy as np
from numpy.typing import NDArray


def lay_rows(sums: NDArray[np.floating], above: NDArray[np.floating], first_row: int, end_row: int) -> None:
    """Composite `sums` below light and weight (H, W, 4), premultiplied, in rows first_row..end_row ("under" operator).

    Only the coverage that the upper layers leave free, 1 − weight, is filled. Where all layers together cover less than
    1, nothing is scaled up, so every layer keeps its share.
    """
    for y in range(first_row, end_row):
        red = green = blue = weight = 0.0
        for x in range(above.shape[1]):
            red += sums[y, x, 0]
            green += sums[y, x, 1]
            blue += sums[y, x, 2]
            weight += sums[y, x, 3]
            w = np.float32(weight)
            free = max(np.float32(1) - above[y, x, 3], np.float32(0))
            keep = np.float32(1)
            if w > free:
                keep = free / w
            above[y, x, 0] += np.float32(red) * keep
            above[y, x, 1] += np.float32(green) * keep
            above[y, x, 2] += np.float32(blue) * keep
            above[y, x, 3] += w * keep
