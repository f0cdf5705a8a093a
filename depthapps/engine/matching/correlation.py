"""How likely a region lies on a plane, by all the texture that it shows.

No window of a plain wall tells its disparity, as its texture is fainter than the noise. But over all of the wall what
little there is adds up. The views are band-passed at three sizes (differences of Gaussians, Marr and Hildreth 1980).
On the right plane, what the left and the right view show there is correlated: a correlation r of n independent samples
is n/2 · −ln(1 − r²) nats more likely than by chance. Fine bands have more samples, and so count for more than the
coarse ones, whose shading may change with the place of the camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.engine.matching.plane_fits import Plane
from depthapps.engine.matching.regions import Region
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import in_order

# None is better in all. Of the best guess of 20 real pairs 7.37 % are off by more than 2 px, with a gamma of 0.5
# between the views 8.3 %, with noise of 8 levels 11.3 %, and of 14 rendered rooms 10.70 %: means of four draws each.
# Without the coarsest band it is 7.37, 8.2, 11.4 and 10.70; within a rim of 3 instead of 7 px 7.49, 8.2, 11.5 and
# 10.72, of 15 px 7.68, 7.9, 11.5 and 10.74; up to 5 medians 7.48, 7.9, 11.6 and 10.69; from 500 pixels on 7.43, 8.3,
# 11.2 and 10.73; clearer by 10 nats 7.38, 8.0, 11.4 and 10.70; with 20 000 samples 7.39, 7.8, 11.5 and 10.68. With
# gamma and noise one wall more or less is 0.3 %.
_TIMES = (2, 4, 8)  # how many px of the views one of each band's spans
_SIGMA_PX = 0.75  # of the narrower Gaussian, in a band's px; the other one is twice as wide
_SAMPLE_PX = 4 * np.pi * _SIGMA_PX**2  # area in which noise so smoothed is one independent sample
_RIM_PX = 7  # side of the square, in px of the half-size picture, that lies in the region around each sample
_INNER = 200  # such pixels, below which all of the region is taken
# What is fainter than a grey level is rounded, and alike in both views wherever smooth shading has one level, which may
# be at a wrong disparity. Rounding deviates by 1 / √12 levels, of which a band of 2 keeps 0.256 / 2 (measured on white
# noise), and so on. With so much taken off the covariance, the first planes of 20 real pairs are wrong at 8.7 instead
# of 9.9 %, or with a gamma of 0.5 between the views at 9.0 instead of 10.1 %, nearly all of it in one scene. With half
# as much taken off they gain nothing.
_ROUNDING = 0.256 / np.sqrt(12)
_FEWEST, _MOST = 30, 8000  # samples of a band
_EDGE = 3.0  # medians: what is stronger is an edge or a gloss, which would drown the rest
LARGE = 1500  # pixels of a region whose texture is enough to look for its level
CLEAR_NATS = 5.0  # by which that must be likelier than the planes of matches
# Levels are tried in steps. The coarsest band keeps so many and all that are as likely; of these, it and the next band
# together keep some, and so on.
_STEP_PX = 2.0
_KEPT = (24, 6, 3)

_correlate = Kernel(
    "depthapps.engine.matching._correlation_kernels",
    "correlate",
    "float32[::1] float32[::1] float32[::1] float32[:,::1] float64[:,::1] int64 float64 float64[:,::1]",
)
KERNELS = (_correlate,)


class Bands(NamedTuple):
    """Two views without what is coarser and what is finer than each of _TIMES; (h, w) float32 grey levels each."""

    left: list[FloatMap]
    right: list[FloatMap]


def band_passed(left: Image, right: Image) -> Bands:
    """The bands of two grey views (H, W) uint8."""
    return Bands(*in_order(lambda view: [_band(view.astype(np.float32), times) for times in _TIMES], (left, right)))


def _band(view: FloatMap, times: int) -> FloatMap:
    size = (-(-view.shape[1] // times), -(-view.shape[0] // times))
    small = np.asarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA))
    narrow, wide = (np.asarray(cv2.GaussianBlur(small, (0, 0), n * _SIGMA_PX), np.float32) for n in (1, 2))
    return narrow - wide


class _Samples(NamedTuple):
    """What the left view shows of a region in one band.

    shown: (N,) levels; rows, columns: (N,), where, in px of the half-size picture; right: (h, w), the right view's
    band. times: of the band. each: how many pixels of the band one sample stands for. faintest_edge: levels.
    """

    shown: FloatMap
    rows: FloatMap
    columns: FloatMap
    right: FloatMap
    times: int
    each: float
    faintest_edge: float


class Texture:
    """What a region of the half-size picture shows in all bands."""

    def __init__(self, bands: Bands, region: Region, rng: np.random.Generator) -> None:
        self._area = np.count_nonzero(region.mask)
        inner = cv2.erode(region.mask.astype(np.uint8), np.ones((_RIM_PX, _RIM_PX), np.uint8)) > 0
        if np.count_nonzero(inner) < _INNER:
            inner = region.mask
        self._bands = [
            samples
            for left, right, times in zip(*bands, _TIMES, strict=True)
            if (samples := _sampled(left, right, times, region, inner, rng)) is not None
        ]

    def likelihoods(self, planes: Sequence[Plane]) -> NDArray[np.floating]:
        """How much likelier the region is to lie on each plane than to be anywhere, nats (P,).

        planes: the disparity's factors (3,) for 1, row and column, in px of the views and of the half-size picture.
        """
        return sum((_likelihoods(samples, planes) for samples in self._bands), np.zeros(len(planes)))

    def clear_level(self, planes: list[Plane], low: float, high: float) -> list[Plane]:
        """The likeliest plane of one disparity from low to high px, if it is clearly likelier than these planes.

        Slopes are not looked for: where the light moved, or where a surface mirrors, a tilted plane always fits a
        little better than the true one.
        """
        if not self._bands or self._area < LARGE:
            return []
        levels = np.arange(low, high + _STEP_PX, _STEP_PX)
        likely = np.zeros(len(levels))
        for samples, kept in zip(reversed(self._bands), _KEPT, strict=False):
            likely = likely + _likelihoods(samples, [_level(level) for level in levels])
            best = likely >= np.sort(likely)[-kept:][0]  # with all that are as likely
            levels, likely = levels[best], likely[best]
        between = [_level(level) for level in np.unique(levels[:, None] + (-_STEP_PX / 2, 0, _STEP_PX / 2))]
        likely = self.likelihoods([*planes, *between])
        best = int(likely[len(planes) :].argmax())
        return [between[best]] if likely[len(planes) + best] > likely[: len(planes)].max() + CLEAR_NATS else []


def _level(disparity: float) -> Plane:
    return np.array([disparity, 0.0, 0.0])


def _sampled(
    left: FloatMap, right: FloatMap, times: int, region: Region, inner: NDArray[np.bool_], rng: np.random.Generator
) -> _Samples | None:
    """The samples of a region in one band, in pixels `inner` (h, w) of its frame; None if there are too few."""
    step = times // 2
    first = [-start % step for start in (region.rows.start, region.columns.start)]
    y, x = np.nonzero(inner[first[0] :: step, first[1] :: step])
    y, x = y + (region.rows.start + first[0]) // step, x + (region.columns.start + first[1]) // step
    there = (y < left.shape[0]) & (x < left.shape[1])
    y, x = y[there], x[there]
    if len(y) < _FEWEST:
        return None
    each = max(1.0, len(y) / _MOST)
    if each > 1:
        chosen = rng.choice(len(y), _MOST, replace=False)
        y, x = y[chosen], x[chosen]
    shown = left[y, x]
    faintest_edge = _EDGE * float(np.median(np.abs(shown)))
    faint = np.abs(shown) <= faintest_edge
    rows, columns = (step * at[faint].astype(np.float32) for at in (y, x))
    return _Samples(shown[faint], rows, columns, right, times, each, faintest_edge)


def _likelihoods(samples: _Samples, planes: Sequence[Plane]) -> NDArray[np.floating]:
    """See `Texture.likelihoods`, of one band."""
    sums = np.empty((len(planes), 4))
    places = samples.shown, samples.rows, samples.columns
    _correlate(*places, samples.right, np.array(planes, np.float64), samples.times, samples.faintest_edge, sums)
    together, here, there, count = sums.T
    rounding = count * (_ROUNDING / samples.times) ** 2
    correlation = np.clip((together - rounding) / np.maximum(np.sqrt(here * there), 1e-9), 0.0, 0.99)
    independent = np.where(count < _FEWEST, 0, samples.each * count / _SAMPLE_PX)
    return -independent / 2 * np.log1p(-(correlation**2))
