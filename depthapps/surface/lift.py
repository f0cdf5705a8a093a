"""A small depth map at its photo's size, its edges laid on the photo's edges."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.filling import fill_background
from depthapps.core.scene import FloatMap, Image
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

# Chosen on 19 pairs of Middlebury and Scene Flow whose true disparity was made five times smaller in three ways: by
# the mean over the pixels, with a blur of one sample after it, and by picking pixels. Off by more than 2 % of the range
# were 5.2, 14.5 and 6.9 % of the pixels; interpolated, 11.5, 23.0 and 11.7 %. None of the numbers is critical.
_COLOR_SIGMA = 30.0  # grey levels; 20 to 45 do as well
_DISTANCE_SIGMA = 1.5  # samples
_STEP = 0.02  # of the map's range: lower steps are seen in no picture that is made with the map
_THICKNESS = 0.03  # of the map's range, which depths around a pixel span at most if they are one surface
_SLOPE_GROWTH = 1.6  # a slope rises over 5x5 samples twice as much as over 3x3, a step hardly more
_MIXED = 0.25  # a sample at a step this far, of the step, from both of its sides is a mixture and no surface
# A disc enlarged 3, 4 and 5 times and lifted from a third of that has 0, 0.1 and 0.3 % of the pixels between its two
# depths, from a half 0.1, 0.6 and 1.2 %, and before that 2.0, 2.6 and 3.4 %.
_SHARP_SIZE = 1 / 3  # of the picture's
_REACH = 2  # samples by which edges may move: sensors and phones are off by about that
_WINDOW = 2 * _REACH + 1

_choose_rows = Kernel(
    "depthapps.surface._lift_kernels",
    "choose_rows",
    "float32[:,::1] float32[:,:,::1] uint8[:,:,::1] uint8[:,::1] float64 float64 float64 int64 int64 float32[::1] "
    "float64[::1] float32[:,::1]",
)


def lift_to_image(values: FloatMap, image: Image, *, blurred: bool = False) -> FloatMap:
    """A map (h, w) of 1/Z or disparity -> float32 at the size of its picture (H, W, 3); NaN stays unknown.

    Surfaces are interpolated. Along depth edges a pixel takes the depth of one of the surfaces around it, the one
    whose samples look most like it: a joint bilateral filter (Kopf et al. 2007) that takes the mode where that takes
    the mean, so that no depth lies between the two sides of an edge, and in a mesh nothing flies between them. A map of
    the picture's own size comes back as it is. Does not depend on the number of threads.

    blurred: the map was enlarged by somebody already, which blurred its edges. No more than a third of the picture's
    size is taken of it, at which they are sharp again if it was enlarged up to four times.
    """
    height, width = image.shape[:2]
    known, filled = np.isfinite(values), fill_background(values)
    if blurred and (shrink := _SHARP_SIZE * max(height, width) / max(values.shape)) < 1:
        size = max(round(values.shape[1] * shrink), 1), max(round(values.shape[0] * shrink), 1)
        filled = np.asarray(cv2.resize(filled, size, interpolation=cv2.INTER_AREA), np.float32)
    h, w = filled.shape
    if (h, w) == (height, width):
        return np.asarray(values, np.float32)
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
    """The lowest and the highest value around each sample."""
    window = np.ones((size, size), np.uint8)
    low, high = cv2.erode(values, window), cv2.dilate(values, window)
    return np.asarray(low, np.float32), np.asarray(high, np.float32)


def _steps(values: FloatMap, least: float) -> NDArray[np.bool_]:
    """Where (h, w) the map has a step of at least `least` within 5x5 samples, and not a slope."""
    beyond = np.pad(values, 2, mode="reflect", reflect_type="odd")  # a slope goes on beyond the border
    small, large = (np.subtract(*_extent(beyond, size)[::-1])[2:-2, 2:-2] for size in (3, 5))
    return (large > least) & (large < _SLOPE_GROWTH * small)


def _mixed(values: FloatMap, step: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where (h, w) a sample at a step is a mixture of the step's sides."""
    low, high = _extent(values, 5)
    share = (values - low) / np.maximum(high - low, np.float32(1e-12))
    return step & (share > _MIXED) & (share < 1 - _MIXED)
