"""The compiled loop that lets 1/Z follow the slopes of a surface's normals."""

import numpy as np
from numpy.typing import NDArray


def relax_rows(
    inverse: NDArray[np.floating],
    wanted: NDArray[np.floating],
    weight: NDArray[np.floating],
    free: NDArray[np.uint8],
    relaxation: float,
    parity: int,
    first: int,
    end: int,
) -> None:
    """Relax those free pixels of rows first..end of 1/Z (H, W) whose row and column have a sum of this parity, once.

    weight: (H, W), that of a pixel's own 1/Z, where that of each neighbour is 1. wanted: (H, W), the own 1/Z with that
    weight, and the slopes from the neighbours. free: (H, W), no pixel of the border. relaxation: above 1 each one goes
    farther than to where its neighbours want it (successive over-relaxation: Young 1954).
    """
    width, one, two = np.uint64(inverse.shape[1]), np.uint64(1), np.uint64(2)
    keep, share, sides = np.float32(1 - relaxation), np.float32(relaxation), np.float32(4)
    for y in range(np.uint64(first), np.uint64(end)):
        for x in range((y + np.uint64(parity)) % two, width, two):
            if free[y, x]:
                around = inverse[y, x - one] + inverse[y, x + one] + inverse[y - one, x] + inverse[y + one, x]
                inverse[y, x] = keep * inverse[y, x] + share * (around + wanted[y, x]) / (sides + weight[y, x])
