"""Two views as if taken at one exposure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.scene import Image

_SHARES = np.linspace(0.02, 0.98, 9)
# Mean difference of the views' quantiles, in grey levels: up to 11 over 25 real pairs taken at one exposure, whose
# views differ by what they show, and 42 in the one that was not. Correcting the former makes matches worse by 0.8 %.
_SAME_EXPOSURE = 12.0


def align_exposure(left: Image, right: Image) -> Image:
    """The right view (H, W) uint8 grey with the left one's distribution of brightness, if the two differ much.

    One monotone curve through the quantiles of both takes care of exposure, gain and gamma.
    """
    wanted, found = _levels(left), _levels(right)
    if np.abs(wanted - found).mean() < _SAME_EXPOSURE:
        return right
    found = np.maximum.accumulate(found + 1e-3 * np.arange(len(found)))  # strictly rising, for interp
    curve = np.interp(np.arange(256), [0, *found, 256], [0, *wanted, 255])
    return np.rint(curve).astype(np.uint8)[np.asarray(right, np.uint8)]


def _levels(view: Image) -> NDArray[np.floating]:
    """The grey levels below which _SHARES of the pixels of a view (H, W) uint8 lie."""
    below = np.cumsum(np.bincount(view.ravel(), minlength=256)) / view.size
    return np.searchsorted(below, _SHARES).astype(np.float64)
