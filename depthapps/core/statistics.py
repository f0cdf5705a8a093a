"""Figures of many numbers that a few wrong ones do not change."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ENOUGH = 200_000  # values to tell a deviation from


def robust_deviation(values: NDArray[np.floating]) -> float:
    """Standard deviation of values around zero from their median size: what is rare and large does not count.

    Of many values every second, third ... is looked at: 200 000 tell it to half a percent.
    """
    values = values.ravel()
    return float(1.4826 * np.median(np.abs(values[:: max(1, values.size // _ENOUGH)])))
