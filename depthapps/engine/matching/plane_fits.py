"""Fit planes to scattered disparities of which many are wrong, with random samples (RANSAC, Fischler 1981)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.runtime.kernel import Kernel

# Before a region's texture judged its planes too, `fast` was, with these numbers, off by more than 2 px at 8.0, 8.3 and
# 8.8 % of 18 rendered rooms and 7.4 % of 20 real pairs with three seeds of the random numbers. With 80 trials, of which
# one is refined, where values behind a plane count a quarter and 2.5 times as many rule it out, it was 8.3, 9.0 and
# 9.7 %, and 7.0, 7.0 and 7.1 %: on walls behind furniture most matches are of what is before them, and few planes hold
# more.
_TRIALS = 160  # planes through three samples; a plane of a fifth of the samples is missed once in four times
_LEVEL_TRIALS = 20  # planes of constant disparity
_REFINED = 5  # the best trials, of which the one that fits best when refined is taken
SIGMA_PX = 0.7  # px of disparity that samples deviate from their plane
_STEEPEST = 1.2  # px of disparity a pixel: the surface is seen at a grazing angle
_UNIT_PX = 50.0  # in which places are counted in fits

_fit_planes = Kernel(
    "depthapps.engine.matching._fit_kernels",
    "fit_planes",
    "float32[:,::1] float32[::1] float32[:,:,::1] int64 float64 float64 int64 float32[::1] int64[::1] float32[:,::1] "
    "float32[::1] float32[:,::1] float64[:,::1] int64[::1]",
)
KERNELS = (_fit_planes,)

Plane = NDArray[np.floating]  # the factors (3,) of 1, row and column


def fit_planes(
    places: NDArray[np.integer | np.floating],
    values: NDArray[np.floating],
    most: int,
    least_share: float,
    rng: np.random.Generator,
    *,
    opaque: bool,
) -> list[Plane]:
    """Planes through values (N,) at places (N, 2), one after the other, each of what the ones before it leave.

    most: attempts at a plane. least_share: of the values, that a plane must hold. opaque: values behind a plane count
    against it.
    """
    size, trials, middle = len(values), _LEVEL_TRIALS + _TRIALS, places.mean(axis=0)
    around = np.ascontiguousarray(((places - middle) / _UNIT_PX).T, np.float32)
    draws = rng.random((most, trials, 3), np.float32)
    limits = (_LEVEL_TRIALS, least_share, _STEEPEST * _UNIT_PX / SIGMA_PX, int(opaque))
    scratch = [np.empty(shape, np.float32) for shape in ((3, trials), trials, (3, _REFINED))]
    planes, found = np.empty((most, 3)), np.empty(1, np.int64)
    _fit_planes(
        around,
        (values / SIGMA_PX).astype(np.float32),
        draws,
        *limits,
        np.empty(size, np.float32),
        np.empty(size, np.int64),
        *scratch,
        planes,
        found,
    )
    planes = planes[: found[0]] * (SIGMA_PX, SIGMA_PX / _UNIT_PX, SIGMA_PX / _UNIT_PX)
    planes[:, 0] -= planes[:, 1:] @ middle
    return list(planes)
