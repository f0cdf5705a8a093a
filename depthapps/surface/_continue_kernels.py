"""Compiled loop that continues planes from known pixels into unknown ones."""

import numpy as np
from numpy.typing import NDArray

from depthapps.runtime.inlining import within


@within
def _offer(y, x, j, i, step, planes, source, cost, reach, limit):
    """Let pixel (y, x) take the plane of its neighbour (j, i), if that is cheaper and lies behind `limit` here."""
    height, width = source.shape
    if not (0 <= j < height and 0 <= i < width) or source[j, i] < 0:
        return
    seed, total = source[j, i], cost[j, i] + step
    if total >= cost[y, x]:
        return
    sy, sx = seed // width, seed % width
    if total > reach[sy, sx]:
        return
    value = planes[sy, sx, 0] + planes[sy, sx, 1] * (x - sx) + planes[sy, sx, 2] * (y - sy)
    if 0 < value <= limit[y, x]:
        source[y, x] = seed
        cost[y, x] = total


def continue_planes(
    planes: NDArray[np.floating],
    reach: NDArray[np.floating],
    limit: NDArray[np.floating],
    toll: NDArray[np.floating],
    passes: int,
    source: NDArray[np.int32],
    cost: NDArray[np.floating],
) -> None:
    """Give every pixel (H, W) the plane of the known pixel with the cheapest way to it, in `source` and `cost`.

    planes: (H, W, 3), 1/Z and its slopes to the right and down, per pixel. reach: (H, W), cost up to which the plane of
    a known pixel is continued. limit: (H, W), largest 1/Z that may be put there; negative where nothing is wanted.
    toll: (H, W), cost of entering a pixel, for a step of 1 px. source: (H, W), the known pixels' own numbers, -1
    elsewhere. cost: (H, W), 0 at known pixels, inf elsewhere. The ways are found by `passes` sweeps to and fro.
    """
    height, width = source.shape
    diagonal = np.float32(2**0.5)
    for _ in range(passes):
        for y in range(height):
            for x in range(width):
                if limit[y, x] > 0:
                    t = toll[y, x]
                    _offer(y, x, y, x - 1, t, planes, source, cost, reach, limit)
                    _offer(y, x, y - 1, x, t, planes, source, cost, reach, limit)
                    _offer(y, x, y - 1, x - 1, t * diagonal, planes, source, cost, reach, limit)
                    _offer(y, x, y - 1, x + 1, t * diagonal, planes, source, cost, reach, limit)
        for y in range(height - 1, -1, -1):
            for x in range(width - 1, -1, -1):
                if limit[y, x] > 0:
                    t = toll[y, x]
                    _offer(y, x, y, x + 1, t, planes, source, cost, reach, limit)
                    _offer(y, x, y + 1, x, t, planes, source, cost, reach, limit)
                    _offer(y, x, y + 1, x + 1, t * diagonal, planes, source, cost, reach, limit)
                    _offer(y, x, y + 1, x - 1, t * diagonal, planes, source, cost, reach, limit)


def evaluate_planes(
    planes: NDArray[np.floating],
    own: NDArray[np.floating],
    source: NDArray[np.int32],
    cost: NDArray[np.floating],
    scale: float,
    first: int,
    end: int,
    inverse: NDArray[np.floating],
) -> None:
    """Put the 1/Z of the planes that pixels took into rows first..end of `inverse` (H, W), NaN where there is none.

    planes, source, cost: as above. own: (H, W), what is known at the sources, of no rows if that is on the planes; the
    step between the two fades with the way, by the factor e every `scale`.
    """
    width = source.shape[1]
    for y in range(first, end):
        for x in range(width):
            seed = source[y, x]
            if seed < 0:
                inverse[y, x] = np.nan
                continue
            row, column = seed // width, seed % width
            plane = planes[row, column]
            value = plane[0] + plane[1] * (x - column) + plane[2] * (y - row)
            if own.shape[0] > 0:
                value += (own[row, column] - plane[0]) * np.exp(-cost[y, x] / scale)
            inverse[y, x] = value
