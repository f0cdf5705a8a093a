"""Enlarge a small depth map to the size of its photo, with depth edges moved onto the photo's edges."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.filling import fill_background
from depthapps.core.scene import FloatMap, Image
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands
from depthapps.surface.levels import smooth_levels

# Chosen on 19 pairs of Middlebury and Scene Flow. Their true disparity was made five times smaller in three ways: by
# the mean over the pixels, by that mean followed by a blur of one sample, and by picking single pixels. The share of
# pixels wrong by more than 2 % of the range was 5.2, 14.5 and 6.9 %; with linear interpolation 11.5, 23.0 and 11.7 %.
# None of the constants is critical.
_COLOR_SIGMA = 30.0  # grey levels; 20 to 45 do as well
_DISTANCE_SIGMA = 1.5  # samples
_STEP = 0.02  # of the map's range; smaller steps are invisible in every result made with the map
_THICKNESS = 0.03  # of the map's range; depths around a pixel that span at most this are one surface
# Over 5x5 samples a slope spans twice the depth that it spans over 3x3. A step spans hardly more.
_SLOPE_GROWTH = 1.6
# A sample at a step is a mixture of both sides, and no surface, if it differs from each side by more than this share
# of the step.
_MIXED = 0.25
# A disc was enlarged 3, 4 and 5 times by interpolation. Lifted from a third of that size, 0, 0.1 and 0.3 % of its
# pixels lie between its two depths; lifted from a half, 0.1, 0.6 and 1.2 %; without lifting, 2.0, 2.6 and 3.4 %.
_SHARP_SIZE = 1 / 3  # of the picture's size
_REACH = 2  # samples by which an edge may move; the maps of depth sensors and phones are off by about that
_WINDOW = 2 * _REACH + 1

_choose_rows = Kernel(
    "depthapps.surface._lift_kernels",
    "choose_rows",
    "float32[:,::1] float32[:,:,::1] uint8[:,:,::1] uint8[:,::1] float64 float64 float64 int64 int64 float32[::1] "
    "float64[::1] float32[:,::1]",
)


def lift_to_image(values: FloatMap, image: Image, *, blurred: bool = False, sigma: float = 0.0) -> FloatMap:
    """Enlarge a map (h, w) of 1/Z or disparity to float32 at its picture's size (H, W, 3); NaN stays unknown.

    Smooth surfaces are interpolated linearly. At a depth edge each pixel takes the depth of one nearby surface: the one
    whose samples match the pixel's colour best. This is a joint bilateral filter (Kopf et al. 2007) that takes the mode
    instead of the mean, so no depth lies between the two sides of an edge and a mesh gets no flying points. A map that
    already has the picture's size is returned unchanged. The result does not depend on the number of threads.

    blurred: the map was enlarged before by interpolation, which blurred its edges. The map is then first reduced to at
    most a third of the picture's size. That makes edges sharp again if the enlargement was at most fourfold.
    sigma: the standard deviation by which values were rounded to levels, which are smoothed; see `smooth_levels`.
    """
    height, width = image.shape[:2]
    known, filled = np.isfinite(values), fill_background(values)
    if blurred and (shrink := _SHARP_SIZE * max(height, width) / max(values.shape)) < 1:
        size = max(round(values.shape[1] * shrink), 1), max(round(values.shape[0] * shrink), 1)
        filled = np.asarray(cv2.resize(filled, size, interpolation=cv2.INTER_AREA), np.float32)
    h, w = filled.shape
    if (h, w) == (height, width):
        return np.asarray(values, np.float32)
    filled = smooth_levels(filled, sigma)
    lifted = np.asarray(cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    low, high = (float(v) for v in np.percentile(filled, (0.5, 99.5)))
    edge = _steps(filled, _STEP * (high - low))
    if edge.any() and h < height and w < width:
        surfaces = np.where(_mixed(filled, edge), np.float32(np.nan), filled)
        picture = np.ascontiguousarray(to_8bit(image))
        colors = cv2.resize(picture, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32)
        around = cv2.dilate(edge.astype(np.uint8), np.ones((_WINDOW, _WINDOW), np.uint8))
        wanted = cv2.resize(around, (width, height), interpolation=cv2.INTER_NEAREST)
        per_color, per_distance = 0.5 / _COLOR_SIGMA**2, 0.5 / _DISTANCE_SIGMA**2
        thickness = _THICKNESS * (high - low)

        def band(first_row: int, end_row: int) -> None:
            samples = np.empty(_WINDOW**2, np.float32), np.empty(_WINDOW**2)
            rows = (first_row, end_row)
            _choose_rows(surfaces, colors, picture, wanted, per_color, per_distance, thickness, *rows, *samples, lifted)

        for_bands(height, band)
    if not known.all():
        lifted[cv2.resize(known.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) == 0] = np.nan
    return lifted


def _extent(values: FloatMap, size: int) -> tuple[FloatMap, FloatMap]:
    """Minimum and maximum (h, w) over a square window around each sample."""
    window = np.ones((size, size), np.uint8)
    low, high = cv2.erode(values, window), cv2.dilate(values, window)
    return np.asarray(low, np.float32), np.asarray(high, np.float32)


def _steps(values: FloatMap, least: float) -> NDArray[np.bool_]:
    """Mask (h, w) of samples with a step, and no slope, of more than `least` within 5x5 samples."""
    beyond = np.pad(values, 2, mode="reflect", reflect_type="odd")  # odd reflection continues a slope beyond the border
    small, large = (np.subtract(*_extent(beyond, size)[::-1])[2:-2, 2:-2] for size in (3, 5))
    return (large > least) & (large < _SLOPE_GROWTH * small)


def _mixed(values: FloatMap, step: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mask (h, w) of samples at a step whose value is a mixture of the step's two sides."""
    low, high = _extent(values, 5)
    share = (values - low) / np.maximum(high - low, np.float32(1e-12))
    return step & (share > _MIXED) & (share < 1 - _MIXED)
