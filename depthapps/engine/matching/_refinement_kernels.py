"""Compiled loops that take weighted medians of the pixels around others."""

import numpy as np

from depthapps.runtime.inlining import within

_UNITS = np.float32(4)  # steps a pixel in the search for medians: 16 give no better medians and take more bisections
_MOST_UNITS = np.float32(2**14)
_NEAR_UNITS = 2  # half a pixel


def take_medians(disparity, red, green, blue, places, lattice, likeness, first, end, values, weights, units, out):
    """Write into out (N,) the medians around the places first to end, weighted by how alike the colours are.

    disparity (N,) px, red, green and blue (N,) uint8: maps, flattened. places: (P,); lattice: (K,), how far from each
    its samples are, in the flattened maps. likeness: (766,) int32, the weight of a sample by the sum of the channels'
    differences. values (K,) float32, weights and units (K,) int32: for scratch.
    """
    for n in range(first, end):
        place = np.uint64(places[n])
        for k in range(len(lattice)):
            at = np.uint64(places[n] + lattice[k])  # no index has a sign: see `compare_support`
            apart = abs(np.int32(red[at]) - np.int32(red[place])) + abs(np.int32(green[at]) - np.int32(green[place]))
            values[k] = disparity[at]
            weights[k] = likeness[apart + abs(np.int32(blue[at]) - np.int32(blue[place]))]
        out[place] = weighted_median(values, weights, units)


@within
def weighted_median(values, weights, units):
    """The weighted median of values (K,) px with weights (K,) int32; the least value if all weights are 0.

    It is found by bisection in steps of 1/4 px. The weighted mean of the values within half a pixel of it is returned,
    which restores subpixel precision. units: (K,) int32, for scratch.
    """
    lowest, total, high = values[0], np.int32(0), np.int32(0)
    for k in range(len(values)):
        lowest = values[k] if values[k] < lowest else lowest
        total = np.int32(total + weights[k])
    for k in range(len(values)):
        unit = (values[k] - lowest) * _UNITS
        units[k] = np.int32(unit if unit < _MOST_UNITS else _MOST_UNITS)
        high = units[k] if units[k] > high else high
    low = np.int32(-1)
    while high - low > 1:
        middle, below = np.int32((low + high) >> 1), np.int32(0)
        for k in range(len(values)):
            below = np.int32(below + (weights[k] if units[k] <= middle else np.int32(0)))
        if 2 * below < total:
            low = middle
        else:
            high = middle
    share, mean = 0.0, 0.0
    for k in range(len(values)):
        if abs(units[k] - high) <= _NEAR_UNITS:
            share += weights[k]
            mean += weights[k] * values[k]
    return np.float32(mean / share) if share > 0 else lowest
