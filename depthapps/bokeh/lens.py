"""Compute how far out of focus each pixel is: the signed circle of confusion of a lens."""

from __future__ import annotations

import numpy as np

from depthapps.bokeh.params import DEFAULT_BLUR, BokehParams
from depthapps.core.geometry import filled_inverse_depth
from depthapps.core.scene import FloatMap, Scene

_STRONGEST_PERCENTILE = 99  # a few wrong depths must not set the scale of blur_px
# Width of the transition at the ends of the focus range, relative to the range in 1/Z.
_SHOULDER = 0.5


def signed_coc(scene: Scene, params: BokehParams, focus_m: float) -> FloatMap:
    """Signed radius of the circle of confusion (H, W) float32 px for focus at focus_m; positive in front of the focus.

    It is linear in inverse depth: c = f_px · A · (1/z − 1/z_f), with the lens radius A = f / (2N). A tilted focus plane
    is linear in 1/z over the picture, as every plane is. Unknown depths take the background beside them.
    """
    inverse = filled_inverse_depth(scene.depth_m)
    height = len(inverse)
    down = (np.arange(height) - (height - 1) / 2) / max((height - 1) / 2, 1)
    in_focus = (1 + params.tilt * down[:, None]) / focus_m
    defocus = inverse - in_focus.astype(np.float32)
    if params.focus_range_m:
        near_m = max(focus_m - params.focus_range_m / 2, 1e-3)
        defocus = _with_range(defocus, 1 / near_m - 1 / focus_m, 1 / focus_m - 1 / (focus_m + params.focus_range_m / 2))
    strength = lens_strength(params, scene.camera.width, defocus)
    if params.f_number is not None:
        return _within_picture(strength * defocus)
    largest_px = DEFAULT_BLUR * scene.camera.width if params.blur_px is None else params.blur_px
    return _within_picture(np.clip(strength * defocus, -largest_px, largest_px))


def lens_strength(params: BokehParams, width: int, defocus: FloatMap) -> float:
    """Pixels by which the circle's radius grows for each 1/m of defocus: f_px · f / (2N).

    width: of the picture, px. defocus: 1/z - 1/z_f in 1/m, whose strongest gets `blur_px` if the lens has no f-number.
    """
    if params.f_number is not None:
        focal_px = params.focal_length_mm / params.sensor_width_mm * width
        return focal_px * params.focal_length_mm / 1000 / (2 * params.f_number)
    largest_px = DEFAULT_BLUR * width if params.blur_px is None else params.blur_px
    strongest = float(np.percentile(np.abs(defocus), _STRONGEST_PERCENTILE))
    return largest_px / strongest if strongest > 0 else 0.0


def _within_picture(coc: FloatMap) -> FloatMap:
    """Radii (H, W) px at most as large as the picture, over which a disc spreads its light evenly as it is."""
    largest = np.float32(max(coc.shape))
    return np.clip(coc, -largest, largest).astype(np.float32)


def _with_range(defocus: FloatMap, near: float, far: float) -> FloatMap:
    """Set defocus from −far to near to 0; beyond, a smooth transition leads to the lens's own defocus."""
    limit = np.where(defocus > 0, np.float32(near), np.float32(far))
    t = np.clip((np.abs(defocus) / limit - 1) / _SHOULDER, 0, 1)
    return (defocus * t * t * (3 - 2 * t)).astype(np.float32)
