"""A compiled loop that blends splats over a picture from which they were made."""

import numpy as np
from numpy.typing import NDArray


def blend_splats(
    order: NDArray[np.integer],
    columns: NDArray[np.int32],
    rows: NDArray[np.int32],
    layers: NDArray[np.uint8],
    stamps: NDArray[np.floating],
    reach: NDArray[np.integer],
    colors: NDArray[np.floating],
    canvas: NDArray[np.floating],
) -> None:
    """Blend splats, in the given order, over a canvas (H, W, 3).

    columns, rows, layers: (N,), the pixel of each and which stamp it has. stamps: (K, 2 R + 1, 2 R + 1), the opacity
    around its middle. reach: (K,), how many pixels of a stamp around its middle are used. colors: (N, 3).
    """
    height, width, middle = canvas.shape[0], canvas.shape[1], stamps.shape[1] // 2
    for n in range(len(order)):
        k = order[n]
        layer, x, y = layers[k], columns[k], rows[k]
        near = reach[layer]
        red, green, blue = colors[k, 0], colors[k, 1], colors[k, 2]
        for j in range(max(y - near, 0), min(y + near + 1, height)):
            for i in range(max(x - near, 0), min(x + near + 1, width)):
                share = stamps[layer, middle + j - y, middle + i - x]
                canvas[j, i, 0] += share * (red - canvas[j, i, 0])
                canvas[j, i, 1] += share * (green - canvas[j, i, 1])
                canvas[j, i, 2] += share * (blue - canvas[j, i, 2])
