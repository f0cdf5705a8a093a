"""Two views as if taken at one exposure."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.engine.front.coarse import CoarseMatch, Shown

_SHARES = np.linspace(0.02, 0.98, 9)
# Mean difference of the views' quantiles, in grey levels: up to 11 over 25 real pairs taken at one exposure, whose
# views differ by what they show, and 42 in the one that was not.
_SAME_EXPOSURE = 12.0
_BINS = 24
_MATCHES = 8000  # that are looked at: medians of some 300 are sharp enough
_GREY = np.array([0.299, 0.587, 0.114])  # of red, green and blue, ITU-R BT.601, as cv2.cvtColor
# A smaller mean correction, in grey levels, is no more than curves are wrong by: over 26 real pairs with a gamma of 0.5
# in the right view, matched pixels of one tone differ by 2.4 levels in the mean when that is taken out again.
_SMALLEST = 1.5


def equalize_exposure(left: Image, right: Image, shown: Shown | None = None) -> Image:
    """The right view (H, W) uint8 grey with the left one's distribution of brightness, if the two differ much.

    One monotone curve through the quantiles of both takes care of exposure, gain and gamma, as far as the views show
    the same. That is enough to match them coarsely. shown: what of the two views is picture.
    """
    counted = (left, right) if shown is None else (left[shown[0]], right[shown[1]])
    wanted, found = (_levels(levels) for levels in counted)
    if np.abs(wanted - found).mean() < _SAME_EXPOSURE:
        return right
    return np.rint(_curve([0, *found, 256], [0, *wanted, 255])).astype(np.uint8)[np.asarray(right, np.uint8)]


def match_exposure(left: Image, right: Image, matches: CoarseMatch) -> Image:
    """The right view (H, W, 3) uint8 RGB as grey (H, W) uint8, with the brightness that its matches have in the left.

    For each colour a monotone curve through the medians of matched pixels, a share of them at a time. The matches must
    not depend on brightness: on a plain surface that only shading tells apart, matches made at another brightness are
    those that agree with it. Curves of grey would mix the colours of things into the brightness of the view.
    """
    rows, columns = np.nonzero(np.isfinite(matches.disparity))
    few = slice(None, None, max(1, len(rows) // _MATCHES))
    rows, columns = rows[few], columns[few]
    height, width = matches.disparity.shape
    small = [cv2.resize(v, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) for v in (left, right)]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    landing = np.where(np.isfinite(matches.disparity), x - matches.disparity, np.float32(-1))
    # the whole map, since remap takes no row of more than 32767 points
    found = cv2.remap(small[1], landing, y, cv2.INTER_LINEAR)[rows, columns]
    wanted = small[0][rows, columns]
    before, after = (np.array(v) for v in zip(*map(_medians, found.T, wanted.T), strict=True))
    if np.abs(after - before).mean() < _SMALLEST:
        return np.asarray(cv2.cvtColor(right, cv2.COLOR_RGB2GRAY), np.uint8)
    # beyond the darkest and the brightest matches a curve runs on at the slope of an offset, as far as 0 and 255
    first, last = np.maximum(0, after[:, 0] - before[:, 0]), np.minimum(255, after[:, -1] + 255 - before[:, -1])
    curves = [_curve([0, *before[k], 256], [first[k], *after[k], last[k]]) for k in range(3)]
    weighted = np.stack(curves, axis=1) * _GREY  # not rounded before they are added: faint texture counts
    return np.rint(cv2.transform(cv2.LUT(right, weighted[None].astype(np.float32)), np.ones((1, 3)))).astype(np.uint8)


def _medians(found: FloatMap, wanted: FloatMap) -> tuple[FloatMap, FloatMap]:
    """Medians of levels found (N,) and of those wanted (N,) in their place, (_BINS,), neither of them falling."""
    bins = np.array_split(np.argsort(found), _BINS)
    before, after = (np.array([np.sort(values[k])[len(k) // 2] for k in bins]) for values in (found, wanted))
    return before, np.maximum.accumulate(after)


def _curve(levels: Sequence[float], new_levels: Sequence[float]) -> NDArray[np.floating]:
    """What becomes of the levels 0 to 255, (256,), along a curve."""
    rising = np.maximum.accumulate(np.asarray(levels) + 1e-3 * np.arange(len(levels)))  # strictly, for interp
    return np.interp(np.arange(256), rising, new_levels)


def _levels(view: NDArray[np.generic]) -> NDArray[np.floating]:
    """The grey levels below which _SHARES of the pixels of a view uint8 lie."""
    below = np.cumsum(np.bincount(view.ravel(), minlength=256)) / view.size
    return np.searchsorted(below, _SHARES).astype(np.float64)
