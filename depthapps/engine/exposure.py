"""Two views as if taken at one exposure."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.engine.coarse import CoarseMatch
from depthapps.scene import Image

_SHARES = np.linspace(0.02, 0.98, 9)
# Mean difference of the views' quantiles, in grey levels: up to 11 over 25 real pairs taken at one exposure, whose
# views differ by what they show, and 42 in the one that was not.
_SAME_EXPOSURE = 12.0
_BINS = 24
# A smaller mean correction, in grey levels, is rounding; pairs taken together are 0.1 to 5 levels apart. Over 26 real
# pairs a right view with a gamma of 0.5 and the same without end 1.4 levels apart. From the view as it was taken curves
# through matched pixels leave it 3.6 levels, those through quantiles 4.8.
_SMALLEST = 1.0


def equalize_exposure(left: Image, right: Image) -> Image:
    """The right view (H, W) uint8 grey with the left one's distribution of brightness, if the two differ much.

    One monotone curve through the quantiles of both takes care of exposure, gain and gamma, as far as the views show
    the same. That is enough to match them coarsely.
    """
    wanted, found = _levels(left), _levels(right)
    if np.abs(wanted - found).mean() < _SAME_EXPOSURE:
        return right
    return _through(right, [0, *found, 256], [0, *wanted, 255])


def match_exposure(left: Image, right: Image, coarse: CoarseMatch) -> Image:
    """The right view (H, W) uint8 grey with the brightness that its matches have in the left one.

    A monotone curve through the medians of matched pixels, a share of them at a time.
    """
    rows, columns = np.nonzero(np.isfinite(coarse.disparity))
    height, width = coarse.disparity.shape
    small = [cv2.resize(v, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) for v in (left, right)]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    landing = np.where(np.isfinite(coarse.disparity), x - coarse.disparity, np.float32(-1))
    # the whole map, since remap takes no row of more than 32767 points
    found = cv2.remap(small[1], landing, y, cv2.INTER_LINEAR)[rows, columns]
    wanted = small[0][rows, columns]
    bins = np.array_split(np.argsort(found), _BINS)
    before, after = (np.array([np.sort(values[k])[len(k) // 2] for k in bins]) for values in (found, wanted))
    after = np.maximum.accumulate(after)
    if np.abs(after - before).mean() < _SMALLEST:
        return right
    # beyond the darkest and the brightest matches the curve runs on at the slope of an offset, as far as 0 and 255
    first, last = max(0.0, after[0] - before[0]), min(255.0, after[-1] + 255 - before[-1])
    return _through(right, [0, *before, 256], [first, *after, last])


def _through(view: Image, levels: list[float], new_levels: list[float]) -> Image:
    """A view (H, W) uint8 with its grey levels replaced along a curve."""
    rising = np.maximum.accumulate(np.asarray(levels) + 1e-3 * np.arange(len(levels)))  # strictly, for interp
    curve = np.interp(np.arange(256), rising, new_levels)
    return np.rint(curve).astype(np.uint8)[np.asarray(view, np.uint8)]


def _levels(view: Image) -> NDArray[np.floating]:
    """The grey levels below which _SHARES of the pixels of a view (H, W) uint8 lie."""
    below = np.cumsum(np.bincount(view.ravel(), minlength=256)) / view.size
    return np.searchsorted(below, _SHARES).astype(np.float64)
