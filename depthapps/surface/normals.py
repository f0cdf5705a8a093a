"""Compute the normals of the surface that a camera sees, from its depth map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.geometry import inverse_depth
from depthapps.core.scene import FloatMap
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands
from depthapps.surface.tearing import SLOPE_TOLERANCE, BoolMap, Links

# Radians by which noise may tilt a normal. 8 degrees change the light by 1 %, which nobody sees.
NORMAL_TILT = 0.15
# Distance over which the noise left by `clean_depth` is correlated: the deviation of its smoothing window.
NOISE_GRAIN_PX = 6.0
AVERAGING_PASSES = 3

_SIGNATURE = "float32[:,:,::1] uint8[:,::1] float32[:,::1] int64 int64"
_blend_rows = Kernel("depthapps.surface._normal_kernels", "blend_rows", _SIGNATURE)
_blend_columns = Kernel("depthapps.surface._normal_kernels", "blend_columns", _SIGNATURE)


def surface_normals(depth_m: FloatMap, camera: Camera, links: Links, noise: float = 0.0) -> NDArray[np.floating]:
    """Compute unit normals (H, W, 3) float32 in camera axes, facing the camera; NaN where the depth is unknown.

    A plane n·P = c seen at the pixel (u, v) has w = 1/Z = (n/c)·((u−cx)/fx, (v−cy)/fy, 1), so the gradient of w gives
    n. Differences are taken only between linked pixels; along an axis without a linked neighbour the slope of w is 0.
    noise: standard deviation of 1/Z, in 1/m. Where it would tilt the normals by more than NORMAL_TILT, the slopes are
    averaged along the surface.
    """
    inverse = inverse_depth(depth_m)
    du, dv = _slope(inverse, links.right, axis=1), _slope(inverse, links.down, axis=0)
    if noise:
        # Averaged over s px, a slope has noise of about noise · NOISE_GRAIN_PX / s². It tilts the normal by f / w times
        # that noise.
        reach = np.sqrt(NOISE_GRAIN_PX * camera.fx * noise / (NORMAL_TILT * np.nan_to_num(inverse, nan=1.0)))
        du, dv = np.moveaxis(_average_along(np.stack([du, dv], axis=-1), reach, links), -1, 0)
    return normals_of_slopes(inverse, du, dv, camera)


def normals_of_slopes(inverse: FloatMap, du: FloatMap, dv: FloatMap, camera: Camera) -> NDArray[np.floating]:
    """Compute unit normals (H, W, 3) float32 that face the camera from inverse depth (H, W) and its slopes.

    inverse: 1/Z in 1/m. du, dv: (H, W), its slopes to the right and down, in 1/m per pixel.
    """
    u = np.arange(camera.width, dtype=np.float32) - np.float32(camera.cx)
    v = np.arange(camera.height, dtype=np.float32)[:, None] - np.float32(camera.cy)
    x, y, z = camera.fx * du, camera.fy * dv, inverse - u * du - v * dv
    with np.errstate(divide="ignore", invalid="ignore"):  # an infinitely far neighbourhood has no slope: NaN
        shrink = -1 / np.sqrt(x * x + y * y + z * z)
        return np.stack([x * shrink, y * shrink, z * shrink], axis=-1).astype(np.float32)


def _average_along(values: NDArray[np.floating], reach_px: FloatMap, links: Links) -> NDArray[np.floating]:
    """Average values (H, W, C) over about reach_px (H, W), only across links.

    Recursive filters along rows and columns, gated by the links (Gastal and Oliveira 2011, the recursive form).
    """
    averaged = np.array(values, np.float32)
    height, width = reach_px.shape
    right, down = (np.ascontiguousarray(linked).view(np.uint8) for linked in (links.right, links.down))
    for k in range(AVERAGING_PASSES):
        # Each pass is half as wide as the one before, which avoids stripes. The variances of all passes add up to
        # reach².
        share = np.sqrt(3) * 2 ** (AVERAGING_PASSES - 1 - k) / np.sqrt(4**AVERAGING_PASSES - 1)
        feedback = np.exp(-np.sqrt(2) / np.maximum(share * reach_px, 1e-3)).astype(np.float32)
        for_bands(height, lambda first, end, back=feedback: _blend_rows(averaged, right, back, first, end))
        for_bands(width, lambda first, end, back=feedback: _blend_columns(averaged, down, back, first, end))
    return averaged


def _slope(inverse: FloatMap, linked: BoolMap, axis: int) -> FloatMap:
    """Slope of inverse depth (H, W) at each pixel along an axis, per pixel; 0 where no neighbour is linked.

    A pixel has two differences, to the previous and to the next pixel. Each is compared with the difference one pixel
    further out, and the one that changes less is taken (Harten's ENO, 1987). At a crease a pixel thus keeps the slope
    of its own face. If both change alike, their mean is taken.
    """
    rise = np.where(linked, np.diff(inverse, axis=axis), np.float32(np.nan))
    around = np.pad(rise, [(2, 2) if k == axis else (0, 0) for k in range(2)], constant_values=np.nan)
    count = inverse.shape[axis]
    two_before, before, after, two_after = (np.take(around, range(k, k + count), axis) for k in range(4))
    bend_before, bend_after = np.abs(before - two_before), np.abs(after - two_after)
    mean = np.where(np.isnan(before), after, np.where(np.isnan(after), before, (before + after) / 2))
    mean = np.nan_to_num(mean, copy=False)
    # on a round surface both sides bend alike, and the mean is more accurate
    straight = SLOPE_TOLERANCE * np.abs(mean)
    with np.errstate(invalid="ignore"):
        slope = np.where(bend_before + straight < bend_after, before, mean)
        return np.where(bend_after + straight < bend_before, after, slope)
