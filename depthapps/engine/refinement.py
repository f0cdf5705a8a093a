"""From what the matcher is sure of to a disparity for every pixel."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.bands import for_bands
from depthapps.geometry import fill_background
from depthapps.scene import FloatMap

# Over 26 real pairs radii of 9 to 24, strides of 2 to 4 and gammas of 20 to 45 differ by less than 0.1 % of bad pixels.
MEDIAN_RADIUS_PX = 16
MEDIAN_STRIDE_PX = 4  # a sixteenth of the samples of stride 1
COLOR_GAMMA = 30.0  # summed over three channels of 0..255, that is 10 a channel, as in PatchMatch stereo


def complete(disparity: FloatMap, guide: NDArray[np.uint8]) -> FloatMap:
    """Fill the holes (NaN) of a disparity map (H, W) px, guided by its picture (H, W, 3) uint8.

    Background first: each hole takes the farther of its two known neighbours on the row. Then every pixel filled this
    way takes the median of its surroundings, weighted by likeness of colour, which moves the edges of filled regions
    onto those of the picture; pixels that were known are not smoothed. A 3x3 median takes single errors out.
    """
    from depthapps.engine._kernels import weighted_medians  # numba takes a while to load

    holes = np.isnan(disparity)
    filled = fill_background(disparity)
    out = filled.copy()
    low = float(filled.min())
    bins = int(filled.max() - low) + 1
    weights = np.exp(-np.arange(3 * 255 + 1) / COLOR_GAMMA).astype(np.float32)

    def band(first_row: int, end_row: int) -> None:
        weighted_medians(
            filled, holes, guide, weights, MEDIAN_RADIUS_PX, MEDIAN_STRIDE_PX, low, bins, first_row, end_row, out
        )

    for_bands(len(filled), band)
    return np.asarray(cv2.medianBlur(out, 3), np.float32)
