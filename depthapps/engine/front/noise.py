"""Noise of a view: measured, and taken out where it would hide what is to be matched."""

from __future__ import annotations

import cv2
import numpy as np

from depthapps.core.scene import Image
from depthapps.core.statistics import robust_deviation

# Grey levels. Clean views of 26 real pairs measure 0.2 to 3.7, for texture counts as well; with noise of 8 levels in
# each colour they measure 5.2 to 7.4, and bad2 is 12.1 % with non-local means (Buades 2005) of 3x3 patches, 12.4 with a
# bilateral filter; larger patches do as well there and worse where nothing repeats, wider searches are worse.
LARGEST = 4.0
_STRENGTH = 1.25  # in deviations of the noise: 1 to 1.3 differ by 0.2 %
_PATCH_PX = 3
_SEARCH_PX = 7
# second differences along both axes: blind to slopes and edges, and of unit gain for noise (Immerkaer 1996)
_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6


def noise_level(view: Image) -> float:
    """Deviation of the noise in a view (H, W) uint8 grey, in levels, by the median of its second differences."""
    return robust_deviation(np.asarray(cv2.filter2D(view, cv2.CV_32F, _MASK), np.float32))


def remove_noise(view: Image) -> Image:
    """A view (H, W) uint8 grey without its noise, if that is more than LARGEST; else the view itself."""
    level = noise_level(view)
    return view if level <= LARGEST else cv2.fastNlMeansDenoising(view, None, _STRENGTH * level, _PATCH_PX, _SEARCH_PX)
