"""Compute robust statistics: the median, and a standard deviation that outliers do not change."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ENOUGH = 200_000  # of more values, only about this many are used to compute a deviation
_PER_MEDIAN = 1.4826  # ratio of the standard deviation of normal noise to the median of its absolute values


def median(values: NDArray[np.floating]) -> float:
    """Compute the median of values (N,) without NaN; for an even N it is the mean of the two in the middle.

    `numpy.median` would import numpy.ma at its first call. That takes 11 ms, more than fitting the rows of a pair.
    """
    middle = values.size // 2
    first = middle if values.size % 2 else middle - 1
    ordered = np.partition(values, (first, middle))
    return float((ordered[first] + ordered[middle]) / 2)


def robust_deviation(values: NDArray[np.floating]) -> float:
    """Estimate the standard deviation around zero of values (...); rare large values do not change it.

    It is computed from the median of the absolute values, the MAD: σ = 1.4826 · MAD for normal noise (Hampel 1974). Of
    more than 200 000 values only every second, third ... is used; 200 000 give the deviation to half a percent.
    """
    values = values.ravel()
    return _PER_MEDIAN * median(np.abs(values[:: max(1, values.size // _ENOUGH)]))
