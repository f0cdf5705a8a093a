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
_ROUNDS = 4  # of that
_BEHIND = 2.0  # as many values on a plane weigh up one that lies behind it
_CONTRADICTED = 0.2  # of a plane's values: as many that lie behind it rule it out; with 0.15 and 0.3 alike to 0.5 %
SIGMA_PX = 0.7  # px of disparity that samples deviate from their plane
_STEEPEST = 1.2  # px of disparity a pixel: the surface is seen at a grazing angle
_UNIT_PX = 50.0  # in which places are counted in fits

_KERNELS = "depthapps.engine.matching._fit_kernels"
_through_three = Kernel(_KERNELS, "through_three", "float64[:,::1] float64[::1] int64[:,::1] float64[:,::1]")
_refine = Kernel(_KERNELS, "refine", "float64[:,::1] float64[::1] float64[::1] float64 int64 float64[:,::1]")
KERNELS = (_through_three, _refine)

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

    opaque: values behind a plane count against it.
    """
    values, middle = values.astype(np.float64), places.mean(axis=0)
    basis = np.column_stack([np.ones(len(places)), (places - middle) / _UNIT_PX])
    left, planes = np.ones(len(values), np.bool_), []
    for _ in range(most):
        at = np.flatnonzero(left)
        if len(at) < max(10, least_share * len(values)):
            break
        plane = _best_fit(basis, values, left, _trials(basis[at], values[at], rng), opaque)
        error = values - basis @ plane
        held, behind = np.abs(error) < 2 * SIGMA_PX, error < -3 * SIGMA_PX
        if (held & left).mean() < least_share:
            break
        if not opaque or behind.mean() < _CONTRADICTED * held.mean():
            down, right = plane[1:] / _UNIT_PX
            planes.append(np.array([plane[0] - down * middle[0] - right * middle[1], down, right]))
        left &= ~held
    return planes


def _trials(basis: NDArray[np.float64], values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Planes (M, 3) through three values each, and of one value."""
    planes = np.zeros((_TRIALS + _LEVEL_TRIALS, 3))
    _through_three(basis, values, rng.integers(0, len(values), (_TRIALS, 3)), planes[:_TRIALS])
    planes[_TRIALS:, 0] = values[rng.integers(0, len(values), _LEVEL_TRIALS)]
    return planes[np.hypot(planes[:, 1], planes[:, 2]) < _STEEPEST * _UNIT_PX]  # and so none with NaN


def _best_fit(
    basis: NDArray[np.float64],
    values: NDArray[np.float64],
    left: NDArray[np.bool_],
    trials: NDArray[np.float64],
    opaque: bool,
) -> Plane:
    """The trial (3,) that most of the values that are left speak for, fitted to these."""
    promising = np.argsort(-_votes(basis, values, left, trials, opaque))[:_REFINED]
    refined = trials[promising]
    _refine(basis, values, left.astype(np.float64), SIGMA_PX, _ROUNDS, refined)
    return refined[_votes(basis, values, left, refined, opaque).argmax()]


def _votes(
    basis: NDArray[np.float64],
    values: NDArray[np.float64],
    left: NDArray[np.bool_],
    planes: NDArray[np.float64],
    opaque: bool,
) -> NDArray[np.floating]:
    """How many of the values that are left lie on each plane (M, 3), less those that an opaque one would hide; (M,)."""
    errors = (planes / SIGMA_PX).astype(np.float32) @ basis.T.astype(np.float32)  # float32: twice as fast
    np.subtract((values / SIGMA_PX).astype(np.float32), errors, out=errors)
    behind = (errors < -2).sum(axis=1) if opaque else 0
    np.negative(np.square(errors, out=errors), out=errors)
    return np.exp(errors, out=errors) @ left.astype(np.float32) - _BEHIND * behind
