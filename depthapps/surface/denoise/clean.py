"""Remove the noise of a depth map, but keep its details: each pixel takes the plane that its surface has there."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np

from depthapps.core.geometry import depth_from_inverse, filled_inverse_depth, inverse_depth
from depthapps.core.scene import FloatMap, Scene
from depthapps.core.statistics import robust_deviation
from depthapps.surface.denoise.fits import fit
from depthapps.surface.denoise.planes import LocalPlanes, fit_planes
from depthapps.surface.noise import inverse_depth_noise
from depthapps.surface.tearing import STEP_SIGMAS, Links, surface_links

_ROUNDING = 1e-5  # share of the usual 1/Z; a smaller deviation is float32 rounding, not noise
# Of the coarse map. Three narrow passes remove more noise than one wide pass and leave edges sharper.
_PASSES, _WINDOW_PX, _RANGE_SIGMAS = 3, 15, 4.0
NOISE_LEFT = 0.25  # share of the noise that these passes leave, for noise correlated over 3 px
_NOISE_STEPS = 5.0  # a step between neighbours within this many standard deviations of its noise is no depth edge
# Standard deviation in px of the weights of the planes that are fitted along a surface. The larger, the smoother is it,
# and the flatter where it bends. With 5, 6, 7 and 8 px nine new views of four rendered rooms look 30.96, 30.96, 30.91
# and 30.86 dB like the truth; a motorcycle's front fender comes out 1.2, 1.7, 2.1 and 2.6 % too short, its brake disc,
# whose depth is off at one end, 6.8, 5.6, 4.8 and 3.8 % too large.
_DETAIL_PX = 6.0
# Deviations by which details may be off the coarse map. With 1.5, 2.5 and 4 the rooms look 30.89, 30.96 and 30.98 dB
# like the truth, what the second photo of ten real pairs shows 29.98, 30.04 and 30.05 dB. But with 4 what is not torn
# is drawn out when the model turns, and a length on the motorcycle is off by 2.2 instead of 1.8 %.
_DETAIL_SIGMAS = 2.5
_LEAST = 0.1  # times a pixel's own 1/Z: no plane puts it farther away


class CleanDepth(NamedTuple):
    """Depth without noise, two maps (H, W) float32 in metres; unknown and infinite depths are kept.

    depth_m: smooth along each surface, with its details. coarse_m: without details as high as the noise, which tells
    where a surface is torn. noise: the standard deviation of 1/Z that is left in `coarse_m`, in 1/m.
    """

    depth_m: FloatMap
    coarse_m: FloatMap
    noise: float


def depth_noise(scene: Scene) -> float:
    """The standard deviation of the noise of a scene's 1/Z, in 1/m: what the scene states or what its map shows.

    The larger one counts. It is 0 if it is no more than rounding.
    """
    noise = max(scene.inverse_depth_sigma, inverse_depth_noise(scene.depth_m))
    inverse = inverse_depth(scene.depth_m)
    return noise if noise >= _ROUNDING * float(np.nanmedian(inverse)) else 0.0


def links_through_noise(inverse: FloatMap) -> Links:
    """Find which neighbours lie on one surface in a noisy map of 1/Z (H, W) in 1/m without NaN."""
    steps = (np.diff(inverse, axis=axis) for axis in (0, 1))  # none along the short side of a single row
    step = min((robust_deviation(each) for each in steps if each.size), default=0.0)
    return surface_links(depth_from_inverse(inverse), _NOISE_STEPS * step / STEP_SIGMAS)


def clean_planes(inverse: FloatMap, links: Links) -> LocalPlanes:
    """The planes of the pixels of a noisy map of 1/Z (H, W) in 1/m without NaN; where it is 0, that is kept."""
    planes = fit_planes(inverse, links.right, links.down)
    clean = np.where(inverse > 0, np.maximum(planes.inverse, np.float32(_LEAST) * inverse), np.float32(0))
    return replace(planes, inverse=clean)


def clean_depth(scene: Scene) -> CleanDepth:
    """Remove the noise from a scene's depth (H, W). Points move only along their rays, so silhouettes do not move.

    Depth without noise is returned unchanged, see `depth_noise`. Else the coarse map is that of a bilateral filter in
    1/Z, which rounds off what is as high as the noise, such as the limb of a ball. So each pixel takes a plane that is
    fitted along its surface, and that lies as near to the coarse map as details do.
    """
    noise = depth_noise(scene)
    if not noise:
        same = np.array(scene.depth_m, np.float32)
        return CleanDepth(same, same, 0.0)
    inverse = filled_inverse_depth(scene.depth_m)
    coarse = inverse
    for _ in range(_PASSES):
        coarse = cv2.bilateralFilter(coarse, _WINDOW_PX, _RANGE_SIGMAS * noise, _WINDOW_PX / 2.5)
    links = links_through_noise(inverse)
    most, least = np.float32(_DETAIL_SIGMAS * noise), np.float32(_LEAST) * inverse
    fine = np.clip(fit(inverse, links.right, links.down, _DETAIL_PX)[0], coarse - most, coarse + most)
    known = np.isfinite(inverse_depth(scene.depth_m))
    depth, coarse = (
        np.where(known, depth_from_inverse(clean), scene.depth_m).astype(np.float32)
        for clean in (np.maximum(fine, least), coarse)
    )
    return CleanDepth(depth, coarse, NOISE_LEFT * noise)
