"""Figures of many numbers that a few wrong ones do not change."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ENOUGH = 200_000  # values to tell a deviation from
_PER_MEDIAN = 1.4826  # of normal noise: its standard deviation over the median of its absolute values


def median(values: NDArray[np.floating]) -> float:
    """The median of values (N,), none of them NaN: of an even number the mean of the two in the middle.

    `numpy.median` loads numpy.ma the first time, which takes 11 ms: longer than it takes to fit the rows of a pair.
    """
    middle = values.size // 2
    first = middle if values.size % 2 else middle - 1
    ordered = np.partition(values, (first, middle))
    return float((ordered[first] + ordered[middle]) / 2)


def robust_deviation(values: NDArray[np.floating]) -> float:
    """The standard deviation around zero of values (...), but for those that are rare and large.

    From the median of their absolute values, the MAD (σ = 1.4826 · MAD for normal noise; Hampel 1974). Of many values
    every second, third ... is looked at: 200 000 tell the deviation to half a percent.
    """
    values = values.ravel()
    return _PER_MEDIAN * median(np.abs(values[:: max(1, values.size // _ENOUGH)]))
