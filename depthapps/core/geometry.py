"""Convert between disparity, depth and inverse depth, between pixels and points in space; fit rotations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Calibration, Camera
from depthapps.core.filling import fill_background
from depthapps.core.scene import FloatMap


def depth_from_disparity(disparity_px: FloatMap, calibration: Calibration) -> FloatMap:
    """Turn disparity into depth.

    Parameters
    ----------
    disparity_px : (H, W) array
        Disparity in pixels of the left picture, positive when nearer; NaN where unknown.
    calibration : Calibration
        The camera, the baseline, and the offset of infinity.

    Returns
    -------
    (H, W) float32 array
        Depth along the optical axis in metres, Z = fx · baseline / (disparity + doffs). NaN stays NaN; a disparity at
        or beyond infinity becomes +inf.
    """
    shifted = np.asarray(disparity_px, np.float32) + np.float32(calibration.doffs_px)
    scale = np.float32(calibration.camera.fx * calibration.baseline_m)
    with np.errstate(divide="ignore"):
        # maximum() keeps NaN; a disparity beyond infinity becomes 0, whose depth is +inf
        return scale / np.maximum(shifted, np.float32(0))


def disparity_from_depth(depth_m: FloatMap, calibration: Calibration) -> FloatMap:
    """Turn depth into disparity.

    Parameters
    ----------
    depth_m : (H, W) array
        Depth along the optical axis in metres; NaN where unknown.
    calibration : Calibration
        The camera, the baseline, and the offset of infinity.

    Returns
    -------
    (H, W) float32 array
        Disparity in pixels, fx · baseline / Z − doffs. NaN stays NaN; infinite depth becomes −doffs.
    """
    scale = np.float32(calibration.camera.fx * calibration.baseline_m)
    return (scale / np.asarray(depth_m, np.float32) - np.float32(calibration.doffs_px)).astype(np.float32)


def inverse_depth(depth_m: FloatMap, infinite: float = np.nan) -> FloatMap:
    """Convert depth (H, W) in metres to 1/Z (H, W) float32 in 1/m; NaN where depth is unknown or not positive.

    infinite: the value for infinite depth. NaN treats it as no surface; 0, the true inverse, as background.
    """
    usable = np.isfinite(depth_m) & (depth_m > 0)
    inverse = 1 / np.where(usable, depth_m, np.float32(np.nan))
    return inverse if np.isnan(infinite) else np.where(np.isposinf(depth_m), np.float32(infinite), inverse)


def filled_inverse_depth(depth_m: FloatMap) -> FloatMap:
    """Convert depth (H, W) in metres to 1/Z (H, W) float32 in 1/m without holes; 0 where the depth is infinite.

    Unknown pixels take the value of the background beside them, see `fill_background`; infinite depth, the sky, is the
    farthest background.
    """
    return fill_background(inverse_depth(depth_m, infinite=0))


def depth_from_inverse(inverse_m: FloatMap) -> FloatMap:
    """Convert 1/Z (H, W) in 1/m to depth (H, W) float32 in metres; NaN stays NaN, 0 and less become +inf."""
    with np.errstate(divide="ignore"):
        return (1 / np.maximum(inverse_m, np.float32(0))).astype(np.float32)


def ray_directions(camera: Camera) -> NDArray[np.floating]:
    """Rays (H, W, 3) float32 through the pixel centres, scaled to Z = 1: ray times depth is the point at that depth."""
    u = ((np.arange(camera.width) - camera.cx) / camera.fx).astype(np.float32)
    v = ((np.arange(camera.height) - camera.cy) / camera.fy).astype(np.float32)
    directions = np.ones((camera.height, camera.width, 3), np.float32)
    directions[..., 0], directions[..., 1] = u[None, :], v[:, None]
    return directions


def ray_lengths(camera: Camera) -> FloatMap:
    """Distance along each pixel's ray divided by the depth along the optical axis, (H, W) float32."""
    return np.linalg.norm(ray_directions(camera), axis=-1).astype(np.float32)


def unproject(depth_m: FloatMap, camera: Camera) -> NDArray[np.floating]:
    """Find the point in space that each pixel shows.

    Parameters
    ----------
    depth_m : (H, W) array
        Depth along the optical axis in metres.
    camera : Camera
        The camera of that map.

    Returns
    -------
    (H, W, 3) float32 array
        Points in metres in camera axes (X right, Y down, Z forward); not finite where the depth is not.
    """
    with np.errstate(invalid="ignore"):  # 0 · inf on the optical axis
        return ray_directions(camera) * np.asarray(depth_m, np.float32)[..., None]


def nearest_rotation(matrix: NDArray[np.floating]) -> NDArray[np.float64]:
    """Find the rotation (3, 3) nearest to a matrix (3, 3), by the sum of squared differences (Kabsch 1976)."""
    u, _, vt = np.linalg.svd(np.asarray(matrix, np.float64))
    return u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt


def rotation_between(
    first: NDArray[np.floating], second: NDArray[np.floating], weights: NDArray[np.floating] | None = None
) -> NDArray[np.float64]:
    """Find the rotation R (3, 3) that best maps vectors (N, 3) onto others: least squares of second − R first.

    weights: (N,) of the squares; None weights all alike.
    """
    weighted = second if weights is None else second * weights[:, None]
    return nearest_rotation(weighted.T @ first)


def project(points: NDArray[np.floating], camera: Camera) -> tuple[NDArray, NDArray, NDArray]:
    """Find the pixels at which a camera sees points.

    Parameters
    ----------
    points : (..., 3) array
        Points in metres in camera axes (X right, Y down, Z forward).
    camera : Camera

    Returns
    -------
    x, y : (...) arrays
        Pixel coordinates, with pixel centres at integers; NaN behind the camera.
    depth : (...) array
        The points' Z in metres.
    """
    z = points[..., 2]
    in_front = np.where(z > 0, z, np.nan)
    return points[..., 0] / in_front * camera.fx + camera.cx, points[..., 1] / in_front * camera.fy + camera.cy, z
