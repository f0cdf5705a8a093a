"""Fit planes to the sure depth of the picture's own regions, however far apart its pixels lie."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.scene import FloatMap, Image
from depthapps.runtime.threads import for_bands
from depthapps.surface.denoise.fits import BoolMap, coordinates, gathered, solve

# Standard deviation of the weights around a pixel, as a share of the picture's width. Half as much closes fewer walls,
# and twice as much bends planes over round things.
_SCALE = 0.2
_PICTURE_SIGMA_PX = 1.0  # of the blur that takes the photo's noise out before its steps are measured
_SMOOTH_LEVELS = 4.0  # a step of this many grey levels between neighbours in any channel ends a region
_ROUNDS = 3  # of fits; those after the first leave out what lies off the plane
_LEAST_SIGMA = 0.003  # share of 1/Z by which pixels of one plane are off at least


def region_planes(inverse: FloatMap, weight: FloatMap, image: Image) -> tuple[FloatMap, FloatMap]:
    """Fit a plane around every pixel to the known 1/Z of the region of the picture that it lies in.

    inverse: (H, W) in 1/m, NaN where unknown. weight: (H, W), how much each value counts. image: (H, W, 3). Returns the
    planes' values (H, W) at the pixels themselves, in 1/m, and by what share of it the values that count deviate from
    the plane, inf where none counts.

    The fits are weighted least squares over weights that fall off along the region, made robust by reweighting with the
    residuals (Holland and Welsch 1977). Regions end where neighbours in the photo differ.
    """
    right, down = _within_regions(image)
    known = np.isfinite(inverse)
    middle = np.float32(np.mean(inverse[known]))
    values = np.where(known, inverse - middle, np.float32(0))
    first_weight = np.where(known, weight, np.float32(0))
    weights = first_weight
    plane, sigma = np.empty_like(values), np.empty_like(values)
    for _ in range(_ROUNDS):
        moments = gathered(_moments(values, weights), right, down, _SCALE * values.shape[1])
        for_bands(len(values), lambda first, end, m=moments: _fit_rows(m, first, end, plane, sigma))
        wide = np.maximum(sigma, _LEAST_SIGMA * (values + middle))
        weights = first_weight * np.exp(-(((values - plane) / wide) ** 2))
    plane += middle
    with np.errstate(divide="ignore", invalid="ignore"):
        return plane, np.where(plane > 0, sigma / plane, np.float32(np.inf))


def _within_regions(image: Image) -> tuple[BoolMap, BoolMap]:
    """Whether neighbours to the right (H, W-1) and below (H-1, W) lie in one region of the picture."""
    smooth = np.asarray(cv2.GaussianBlur(to_8bit(image).astype(np.float32), (0, 0), _PICTURE_SIGMA_PX))
    right, down = (np.abs(np.diff(smooth, axis=axis)).max(axis=-1) < _SMOOTH_LEVELS for axis in (1, 0))
    return right, down


def _moments(values: FloatMap, weights: FloatMap) -> NDArray[np.floating]:
    """The weighted moments 1, x, y, x², xy, y², w, wx, wy, w² of every pixel, (H, W, 10) float32."""
    x, all_y = coordinates((values.shape[0], values.shape[1]))
    moments = np.empty((*values.shape, 10), np.float32)

    def band(first: int, end: int) -> None:
        y, w, weight = all_y[first:end], values[first:end], weights[first:end]
        for k, moment in enumerate((1, x, y, x * x, x * y, y * y, w, w * x, w * y, w * w)):
            np.multiply(weight, moment, out=moments[first:end, :, k])

    for_bands(len(values), band)
    return moments


def _fit_rows(moments: NDArray[np.floating], first: int, end: int, plane: FloatMap, sigma: FloatMap) -> None:
    """Write rows first..end of the planes' values and of the deviations from them, which are inf without data."""
    height, width = plane.shape
    here = moments[first:end].astype(np.float64)
    none = here[..., 0] < 1e-6
    here[..., 0] = np.maximum(here[..., 0], 1e-6)
    a, b, c = solve(here, width)
    x, y = coordinates((height, width))
    plane[first:end] = a + b * x + c * y[first:end]
    off = (here[..., 9] - a * here[..., 6] - b * here[..., 7] - c * here[..., 8]) / here[..., 0]
    sigma[first:end] = np.where(none, np.inf, np.sqrt(np.maximum(off, 0)))
