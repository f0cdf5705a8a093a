"""Remove the noise of a depth map: each pixel takes the plane that its surface has there."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from depthapps.core.geometry import depth_from_inverse, filled_inverse_depth, inverse_depth
from depthapps.core.scene import FloatMap, Scene
from depthapps.core.statistics import robust_deviation
from depthapps.surface.denoise.planes import LocalPlanes, fit_planes
from depthapps.surface.noise import inverse_depth_noise
from depthapps.surface.tearing import STEP_SIGMAS, Links, surface_links

# Share of the noise that is taken to be left. Of white noise on round surfaces it is less, but a matcher's errors are
# alike over many pixels.
NOISE_LEFT = 0.25
_ROUNDING = 1e-5  # share of the usual 1/Z; a smaller deviation is float32 rounding, not noise
_NOISE_STEPS = 5.0  # a step between neighbours within this many standard deviations of its noise is no depth edge
# A plane is believed as far as the map around it is off by no more than this: deviations that the scene states, or that
# its map shows, whichever is more. Beyond twice as much, what the map has is no noise: the folds of a doll's dress are
# not smoothed away. What ten real pairs' second photo sees looks 28.24 dB like their models with a bilateral filter
# in place of planes, 28.50 with planes believed everywhere, 28.80 without any filter and 28.81 so; nine new views of
# four rendered rooms each 29.06, 29.69, 29.65 and 29.73 dB.
_AGREE_STATED, _AGREE_SHOWN = 0.5, 1.5
_AGREE_PX = 9  # window over which the map and the plane are compared
_LEAST = 0.1  # times a pixel's own 1/Z: no plane puts it farther away


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


def clean_depth(scene: Scene) -> tuple[FloatMap, float]:
    """Remove the noise from a scene's depth (H, W); return the depth and the standard deviation of 1/Z left, in 1/m.

    Depth without noise is returned unchanged, see `depth_noise`. Else each pixel takes the plane that its surface has
    there, see `clean_planes`, as far as that agrees with the map: flat faces become planes, and details and edges higher
    than the noise stay what they are. Points move only along their rays, so silhouettes do not move. Unknown and
    infinite depths are kept.
    """
    noise = depth_noise(scene)
    if not noise:
        return np.array(scene.depth_m, np.float32), 0.0
    inverse = filled_inverse_depth(scene.depth_m)
    off = clean_planes(inverse, links_through_noise(inverse)).inverse - inverse
    around = np.sqrt(np.asarray(cv2.blur(off * off, (_AGREE_PX, _AGREE_PX))))
    agree = max(_AGREE_STATED * scene.inverse_depth_sigma, _AGREE_SHOWN * inverse_depth_noise(scene.depth_m))
    clean = inverse + np.clip(2 - around / np.float32(agree), 0, 1) * off
    known = np.isfinite(inverse_depth(scene.depth_m))
    return np.where(known, depth_from_inverse(clean), scene.depth_m).astype(np.float32), NOISE_LEFT * noise
