"""Remap the brightness of the right view so that both views look as if taken at one exposure."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.engine.front.coarse import CoarseMatch, Shown

_SHARES = np.linspace(0.02, 0.98, 9)
# Mean difference of the two views' quantiles in grey levels, below which the exposure counts as equal. In 25 real pairs
# taken at one exposure it is up to 11, since the views show different parts of the scene; in one with two exposures 42.
_SAME_EXPOSURE = 12.0
_BINS = 24
_MATCHES = 8000  # sampled matches: some 300 in each bin, enough for a sharp median
_GREY = np.array([0.299, 0.587, 0.114])  # weights of red, green and blue, ITU-R BT.601, as in cv2.cvtColor
# Least mean correction in grey levels: a smaller one is within the error of the curves. When a gamma of 0.5 was applied
# to the right view of 26 real pairs and then corrected, matched pixels of one tone still differed by 2.4 levels in the
# mean.
_SMALLEST = 1.5


def equalize_exposure(left: Image, right: Image, shown: Shown | None = None) -> Image:
    """Give the right view (H, W) uint8 grey the left view's brightness distribution, if the two differ much.

    One monotone curve through the quantiles of both views corrects exposure, gain and gamma, as far as both views show
    the same things. This is accurate enough for coarse matching. shown: masks of the pixels that show the scene.
    """
    counted = (left, right) if shown is None else (left[shown[0]], right[shown[1]])
    wanted, found = (_levels(levels) for levels in counted)
    if np.abs(wanted - found).mean() < _SAME_EXPOSURE:
        return right
    return np.rint(_curve([0, *found, 256], [0, *wanted, 255])).astype(np.uint8)[np.asarray(right, np.uint8)]


def match_exposure(left: Image, right: Image, matches: CoarseMatch) -> Image:
    """Convert the right view (H, W, 3) uint8 RGB to grey (H, W) uint8 with the brightness of its matches in the left.

    Each colour channel gets a monotone curve through the medians of matched pixels, bin by bin from dark to bright. The
    matches must not depend on brightness: where only shading gives a plain surface any structure, matches found at a
    wrong brightness would confirm that brightness. A single curve for grey would not do, since a grey level mixes
    objects of different colours, whose channels may need different corrections.
    """
    rows, columns = np.nonzero(np.isfinite(matches.disparity))
    few = slice(None, None, max(1, len(rows) // _MATCHES))
    rows, columns = rows[few], columns[few]
    height, width = matches.disparity.shape
    small = [cv2.resize(v, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) for v in (left, right)]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    landing = np.where(np.isfinite(matches.disparity), x - matches.disparity, np.float32(-1))
    # remap the whole map instead of the list of points, since remap takes at most 32767 points in a row
    found = cv2.remap(small[1], landing, y, cv2.INTER_LINEAR)[rows, columns]
    wanted = small[0][rows, columns]
    before, after = (np.array(v) for v in zip(*map(_medians, found.T, wanted.T), strict=True))
    if np.abs(after - before).mean() < _SMALLEST:
        return np.asarray(cv2.cvtColor(right, cv2.COLOR_RGB2GRAY), np.uint8)
    # beyond the darkest and the brightest match a curve continues with slope 1 (a constant offset), clipped to 0..255
    first, last = np.maximum(0, after[:, 0] - before[:, 0]), np.minimum(255, after[:, -1] + 255 - before[:, -1])
    curves = [_curve([0, *before[k], 256], [first[k], *after[k], last[k]]) for k in range(3)]
    weighted = np.stack(curves, axis=1) * _GREY  # summed before rounding, to keep faint texture
    return np.rint(cv2.transform(cv2.LUT(right, weighted[None].astype(np.float32)), np.ones((1, 3)))).astype(np.uint8)


def _medians(found: FloatMap, wanted: FloatMap) -> tuple[FloatMap, FloatMap]:
    """Medians (_BINS,) of the levels found (N,) and of the levels wanted (N,), by bin of found; both non-decreasing."""
    bins = np.array_split(np.argsort(found), _BINS)
    before, after = (np.array([np.sort(values[k])[len(k) // 2] for k in bins]) for values in (found, wanted))
    return before, np.maximum.accumulate(after)


def _curve(levels: Sequence[float], new_levels: Sequence[float]) -> NDArray[np.floating]:
    """A lookup table (256,) for levels 0 to 255, interpolated between the points of a curve."""
    rising = np.maximum.accumulate(np.asarray(levels) + 1e-3 * np.arange(len(levels)))  # interp needs increasing x
    return np.interp(np.arange(256), rising, new_levels)


def _levels(view: NDArray[np.generic]) -> NDArray[np.floating]:
    """The quantiles (grey levels) of a uint8 view at _SHARES."""
    below = np.cumsum(np.bincount(view.ravel(), minlength=256)) / view.size
    return np.searchsorted(below, _SHARES).astype(np.float64)
