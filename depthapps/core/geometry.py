"""Pure maths on cameras and depth maps: disparity and depth, projection, and filling of what is unknown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import Calibration, Camera, FloatMap

_ENOUGH = 200_000  # values to tell a deviation from


def depth_from_disparity(disparity_px: FloatMap, calibration: Calibration) -> FloatMap:
    """Disparity (H, W) px -> depth (H, W) float32 metres, Z = fx · B / (d + doffs).

    NaN stays NaN. A disparity at or beyond infinity (d + doffs <= 0) becomes +inf.
    """
    shifted = np.asarray(disparity_px, np.float32) + np.float32(calibration.doffs_px)
    scale = np.float32(calibration.camera.fx * calibration.baseline_m)
    with np.errstate(divide="ignore"):
        # maximum() keeps NaN, and turns what lies beyond infinity into infinity itself
        return scale / np.maximum(shifted, np.float32(0))


def disparity_from_depth(depth_m: FloatMap, calibration: Calibration) -> FloatMap:
    """Depth (H, W) metres -> disparity (H, W) float32 px, d = fx · B / Z − doffs; NaN stays NaN, +inf is −doffs."""
    scale = np.float32(calibration.camera.fx * calibration.baseline_m)
    return (scale / np.asarray(depth_m, np.float32) - np.float32(calibration.doffs_px)).astype(np.float32)


def inverse_to_depth(inverse_m: FloatMap) -> FloatMap:
    """1/Z (H, W) in 1/m -> depth in metres: NaN stays NaN, 0 and less is infinitely far."""
    with np.errstate(divide="ignore"):
        return (1 / np.maximum(inverse_m, np.float32(0))).astype(np.float32)


def ray_directions(camera: Camera) -> NDArray[np.floating]:
    """(H, W, 3) float32 directions through the pixel centres, scaled to Z = 1, so that a ray's parameter is depth."""
    u = ((np.arange(camera.width) - camera.cx) / camera.fx).astype(np.float32)
    v = ((np.arange(camera.height) - camera.cy) / camera.fy).astype(np.float32)
    directions = np.ones((camera.height, camera.width, 3), np.float32)
    directions[..., 0], directions[..., 1] = u[None, :], v[:, None]
    return directions


def unproject(depth_m: FloatMap, camera: Camera) -> NDArray[np.floating]:
    """Depth (H, W) metres -> points (H, W, 3) float32 in camera axes, not finite where the depth is not."""
    with np.errstate(invalid="ignore"):  # 0 · inf on the optical axis
        return ray_directions(camera) * np.asarray(depth_m, np.float32)[..., None]


def project(points: NDArray[np.floating], camera: Camera) -> tuple[NDArray, NDArray, NDArray]:
    """Points (..., 3) in camera axes -> pixel x, pixel y and depth, each (...); x and y are NaN where Z <= 0."""
    z = points[..., 2]
    in_front = np.where(z > 0, z, np.nan)
    return points[..., 0] / in_front * camera.fx + camera.cx, points[..., 1] / in_front * camera.fy + camera.cy, z


def fill_background(disparity: FloatMap) -> FloatMap:
    """(H, W) disparity or inverse depth with NaN holes -> the same without: the farther known neighbour on the row.

    A hole in a stereo map is mostly background that one of the views cannot see, so of the known values that end it
    on the left and on the right the smaller, farther one is right (Hirschmüller 2008). A row with no value at all
    takes the nearest row that has one. All NaN comes back as it is.
    """
    known = np.isfinite(disparity)
    if known.all() or not known.any():
        return np.array(disparity, np.float32)
    columns = np.where(known, disparity, np.float32(np.nan)).T
    filled = np.fmin(carry_down(columns), carry_down(columns[::-1])[::-1]).T
    full = np.flatnonzero(known.any(axis=1))
    nearest = full[np.abs(np.arange(len(disparity))[:, None] - full[None, :]).argmin(axis=1)]
    return np.where(known, disparity, filled[nearest]).astype(np.float32)


def carry_down(values: FloatMap) -> FloatMap:
    """(H, W) values with each NaN replaced by the last known value above it, as float32; NaN where none is.

    A loop over rows, which are short work for numpy each: ten times as fast as an index of the last known value.
    """
    carried = np.array(values, np.float32, order="C")
    for above, row, unknown in zip(carried, carried[1:], np.isnan(carried)[1:], strict=False):
        np.copyto(row, above, where=unknown)
    return carried


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
            inverse = 1 / np.where(values > 0, values, np.float32(np.nan))
            seconds.append((inverse[: -2 * step] - 2 * inverse[step:-step] + inverse[2 * step :]).ravel())
    differences = np.concatenate(seconds) if seconds else np.empty(0, np.float32)
    differences = differences[np.isfinite(differences)]
    return robust_deviation(differences) / float(np.sqrt(6)) if differences.size else 0.0


def robust_deviation(values: NDArray[np.floating]) -> float:
    """Standard deviation of values around zero from their median size: what is rare and large does not count.

    Of many values every second, third ... is looked at: 200 000 tell it to half a percent.
    """
    values = values.ravel()
    return float(1.4826 * np.median(np.abs(values[:: max(1, values.size // _ENOUGH)])))
