"""How far out of focus each pixel of a scene is."""

from __future__ import annotations

import numpy as np

from depthapps.bokeh.params import DEFAULT_BLUR, BokehParams
from depthapps.errors import InputError
from depthapps.geometry import fill_background
from depthapps.scene import FloatMap, Scene
from depthapps.surface import inverse_depth

_FOCUS_WINDOW_PX = 2  # the focus point stands for the 5x5 pixels around it
_STRONGEST_PERCENTILE = 99  # a few wrong depths must not decide how strong --blur is


def signed_coc(scene: Scene, params: BokehParams) -> tuple[FloatMap, float]:
    """Radius of the circle of confusion (H, W) float32 px, positive before the focus plane, and the focus depth in m.

    It is linear in inverse depth: c = f_px · A · (1/z − 1/z_f), with the lens radius A = f / (2N). Unknown depths
    count as the background beside them. Raises InputError when the focus point has no depth.
    """
    focus_m = params.focus_depth_m or _depth_at(scene, params.focus_px)
    inverse = fill_background(np.where(np.isposinf(scene.depth_m), np.float32(0), inverse_depth(scene.depth_m)))
    defocus = inverse - np.float32(1 / focus_m)
    if params.f_number is not None:
        focal_px = params.focal_length_mm / params.sensor_width_mm * scene.camera.width
        aperture_m = params.focal_length_mm / 1000 / (2 * params.f_number)
        return (focal_px * aperture_m * defocus).astype(np.float32), focus_m
    largest_px = DEFAULT_BLUR * scene.camera.width if params.blur_px is None else params.blur_px
    strongest = float(np.percentile(np.abs(defocus), _STRONGEST_PERCENTILE))
    strength = largest_px / strongest if strongest > 0 else 0.0
    return np.clip(strength * defocus, -largest_px, largest_px).astype(np.float32), focus_m


def _depth_at(scene: Scene, focus_px: tuple[float, float] | None) -> float:
    """Median depth in metres of the known pixels around a point (x, y), or around the middle of the picture."""
    height, width = scene.depth_m.shape
    x, y = focus_px or ((width - 1) / 2, (height - 1) / 2)
    column, row = round(x), round(y)
    if not (0 <= column < width and 0 <= row < height):
        raise InputError(
            f"the focus point {x:g},{y:g} lies outside the picture of {width}x{height}",
            hint=f"x runs from 0 to {width - 1}, y from 0 to {height - 1}",
        )
    reach = _FOCUS_WINDOW_PX
    around = scene.depth_m[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
    known = around[np.isfinite(around)]
    if not known.size:
        raise InputError(
            f"the depth at the focus point {x:g},{y:g} is unknown or infinite",
            hint="choose another point, or give --focus-depth in metres",
        )
    return float(np.median(known))
