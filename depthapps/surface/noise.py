"""The noise of a depth map: how much there is, and the map without it."""

from __future__ import annotations

import cv2
import numpy as np

from depthapps.core.filling import fill_background
from depthapps.core.geometry import inverse_depth
from depthapps.core.scene import FloatMap, Scene
from depthapps.core.statistics import robust_deviation

# Three narrow passes remove more noise than one wide one and leave edges sharper.
SMOOTHING_PASSES = 3
SMOOTHING_WINDOW_PX = 15
SMOOTHING_SIGMAS = 4.0
NOISE_LEFT = 0.25  # of noise alike over 3 px, behind these passes
_ENOUGH = 200_000  # differences to tell a deviation from


def clean_depth(scene: Scene) -> tuple[FloatMap, float]:
    """The depth (H, W) of a scene without its noise, and the deviation of 1/Z that is left, in 1/m.

    The noise is what the scene knows of it or what the map shows, whichever is more. It is taken out by three passes
    of a bilateral filter in 1/Z whose range is the noise itself: depth without noise comes back as it is, and edges
    higher than the noise stay where they are. Points move along their rays only, so silhouettes do not move. Unknown
    and infinite depths stay what they are.
    """
    noise = max(scene.inverse_depth_sigma, inverse_depth_noise(scene.depth_m))
    inverse = inverse_depth(scene.depth_m)
    known = np.isfinite(inverse)
    if noise < 1e-5 * float(np.median(inverse[known])):  # rounding of float32, not noise
        return np.array(scene.depth_m, np.float32), 0.0
    smooth = fill_background(inverse)
    for _ in range(SMOOTHING_PASSES):
        smooth = cv2.bilateralFilter(smooth, SMOOTHING_WINDOW_PX, SMOOTHING_SIGMAS * noise, SMOOTHING_WINDOW_PX / 2.5)
    depth = np.where(known, 1 / np.maximum(smooth, 1e-12), scene.depth_m)
    return depth.astype(np.float32), NOISE_LEFT * noise


def inverse_depth_noise(depth_m: FloatMap) -> float:
    """Standard deviation of the noise in 1/Z of a depth map (H, W), in 1/m; 0 when it cannot be told.

    1/Z is linear in pixel coordinates on a plane, so its second differences along rows and columns hold noise only,
    apart from edges and curvature, which the median absolute deviation (σ = 1.4826 · MAD) passes over; noise of σ
    gives the second difference σ·√6. Steps of four pixels are used, since the errors of neighbours in a stereo map
    are alike.
    """
    usable = depth_m > 0
    apart = max(1, 2 * int(np.count_nonzero(usable)) // _ENOUGH)  # lines looked along
    step = 4
    seconds = []
    for values in (depth_m[:, ::apart], depth_m[::apart].T):
        if len(values) > 2 * step:
            inverse = inverse_depth(values, infinite=0)
            seconds.append((inverse[: -2 * step] - 2 * inverse[step:-step] + inverse[2 * step :]).ravel())
    differences = np.concatenate(seconds) if seconds else np.empty(0, np.float32)
    differences = differences[np.isfinite(differences)]
    return robust_deviation(differences) / float(np.sqrt(6)) if differences.size else 0.0
