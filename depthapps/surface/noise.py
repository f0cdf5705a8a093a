"""Measure the noise of a depth map, and remove it with bilateral filters in inverse depth."""

from __future__ import annotations

import cv2
import numpy as np

from depthapps.core.filling import fill_background
from depthapps.core.geometry import inverse_depth
from depthapps.core.scene import FloatMap, Scene
from depthapps.core.statistics import robust_deviation

# Three narrow passes remove more noise than one wide pass and leave edges sharper.
SMOOTHING_PASSES = 3
SMOOTHING_WINDOW_PX = 15
SMOOTHING_SIGMAS = 4.0
NOISE_LEFT = 0.25  # share of the noise that these passes leave, for noise correlated over 3 px
_ENOUGH = 200_000  # differences are enough to estimate a deviation


def clean_depth(scene: Scene) -> tuple[FloatMap, float]:
    """Remove the noise from a scene's depth (H, W); return the depth and the standard deviation of 1/Z left, in 1/m.

    The noise level is the larger of two values: the one that the scene states and the one measured in the map. Three
    passes of a bilateral filter in 1/Z remove it, with a range sigma of SMOOTHING_SIGMAS times that level. Depth
    without noise is returned unchanged, and edges higher than the noise stay where they are. Points move only along
    their rays, so silhouettes do not move. Unknown and infinite depths are kept.
    """
    noise = max(scene.inverse_depth_sigma, inverse_depth_noise(scene.depth_m))
    inverse = inverse_depth(scene.depth_m)
    known = np.isfinite(inverse)
    if noise < 1e-5 * float(np.median(inverse[known])):  # only the rounding of float32
        return np.array(scene.depth_m, np.float32), 0.0
    smooth = fill_background(inverse)
    for _ in range(SMOOTHING_PASSES):
        smooth = cv2.bilateralFilter(smooth, SMOOTHING_WINDOW_PX, SMOOTHING_SIGMAS * noise, SMOOTHING_WINDOW_PX / 2.5)
    depth = np.where(known, 1 / np.maximum(smooth, 1e-12), scene.depth_m)
    return depth.astype(np.float32), NOISE_LEFT * noise


def inverse_depth_noise(depth_m: FloatMap) -> float:
    """Estimate the standard deviation of the noise in 1/Z of a depth map (H, W), in 1/m; 0 if there are too few pixels.

    On a plane 1/Z is linear in pixel coordinates. Its second differences along rows and columns therefore hold only
    noise, except at edges and on curved surfaces. The median absolute deviation (σ = 1.4826 · MAD) ignores these. Noise
    of deviation σ gives second differences of deviation σ·√6. The differences span steps of four pixels, because the
    errors of neighbouring pixels in a stereo map are correlated.
    """
    usable = depth_m > 0
    apart = max(1, 2 * int(np.count_nonzero(usable)) // _ENOUGH)  # every n-th row and column is enough
    step = 4
    seconds = []
    for values in (depth_m[:, ::apart], depth_m[::apart].T):
        if len(values) > 2 * step:
            inverse = inverse_depth(values, infinite=0)
            seconds.append((inverse[: -2 * step] - 2 * inverse[step:-step] + inverse[2 * step :]).ravel())
    differences = np.concatenate(seconds) if seconds else np.empty(0, np.float32)
    differences = differences[np.isfinite(differences)]
    return robust_deviation(differences) / float(np.sqrt(6)) if differences.size else 0.0
