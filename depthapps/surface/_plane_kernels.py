"""Compiled loops that ask which planes pixels lie on."""

import numpy as np
from numpy.typing import NDArray


def lay_on_planes(
    values: NDArray[np.floating],
    close: float,
    share: float,
    inverse: NDArray[np.floating],
    first: int,
    end: int,
    tilted: NDArray[np.floating],
    on: NDArray[np.uint8],
) -> None:
    """Lay the pixels of rows first..end of 1/Z (H, W) onto the first of the planes `values` (N, 3) that they lie on.

    close, share: by how much they may be off, in 1/m or as a share of 1/Z, whichever is more. tilted: (H, W, 3), the
    plane's 1/Z there and its slopes, or the pixel's own and none. on: (H, W), whether there is such a plane.
    """
    for y in range(first, end):
        for x in range(inverse.shape[1]):
            own = inverse[y, x]
            tilted[y, x, 0] = own if own == own else 0
            tilted[y, x, 1], tilted[y, x, 2], on[y, x] = 0, 0, 0
            for n in range(len(values)):
                here = np.float32(values[n, 0] + values[n, 1] * x + values[n, 2] * y)
                if abs(here - own) <= max(close, share * own):
                    tilted[y, x, 0], tilted[y, x, 1], tilted[y, x, 2] = here, values[n, 1], values[n, 2]
                    on[y, x] = 1
                    break


def weigh_planes(planes: NDArray[np.floating], asked: NDArray[np.floating], costs: NDArray[np.floating]) -> None:
    """Add to the cost of each plane how far samples are off it: the squares, of 1 at most each.

    planes: (3, P), their values at the corner, and their slopes to the right and down. asked: (N, 4), 1, the column,
    the row and the value of each sample, all divided by how far it may be off. costs: (P,).
    """
    for n in range(np.uint64(len(asked))):
        one, x, y, value = asked[n, 0], asked[n, 1], asked[n, 2], asked[n, 3]
        for p in range(np.uint64(len(costs))):
            off = planes[0, p] * one + planes[1, p] * x + planes[2, p] * y - value
            costs[p] += min(off * off, np.float32(1))
