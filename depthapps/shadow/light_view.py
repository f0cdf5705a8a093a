"""The light's own depth map, as a shadow map holds it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthapps._open3d import import_open3d
from depthapps.scene import FloatMap
from depthapps.shadow.params import DirectionalLight, Light
from depthapps.shadow.solid import Solid
from depthapps.surface import grid_triangles

_WIDEST_HALF_ANGLE_DEG = 80.0  # of a point light's view; nearer to 90 a plane map has no resolution left


@dataclass(frozen=True, eq=False)
class ShadowMap:
    """What a light sees of a scene.

    depth_m: (S, S) float32, metres along the view's Z from its origin; NaN where the light meets nothing.
    camera_to_light: (4, 4), from camera axes to the light's (X right, Y down, Z along the light).
    projection: (3, 4), from the light's axes to homogeneous pixels; orthographic for a directional light.
    """

    depth_m: FloatMap
    camera_to_light: NDArray[np.floating]
    projection: NDArray[np.floating]


def trace_shadow_map(solid: Solid, light: Light, size: int) -> ShadowMap:
    """Cast one ray from the light through the centre of each of size x size pixels, fitted around the surface."""
    points = solid.points.reshape(-1, 3).astype(np.float64)
    points = points[np.isfinite(points).all(axis=1)]
    if isinstance(light, DirectionalLight):
        axis = np.asarray(light.direction) / math.hypot(*light.direction)
        rotation = _light_axes(axis)
        local = points @ rotation.T
        low, high = local.min(axis=0), local.max(axis=0)
        scale = (size - 1) / max(float((high - low)[:2].max()), 1e-9)
        origin = rotation.T @ np.array([*(low + high)[:2] / 2, low[2] - 1 / scale])  # one pixel before the first point
        middle = (size - 1) / 2
        projection = np.array([[scale, 0, 0, middle], [0, scale, 0, middle], [0, 0, 0, 1.0]])
    else:
        origin = np.asarray(light.position, np.float64)
        way = points - origin
        way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-12)
        rotation = _light_axes(way.mean(axis=0))
        cosine = float((way @ rotation[2]).min())
        half_angle = min(math.acos(max(-1.0, min(1.0, cosine))), math.radians(_WIDEST_HALF_ANGLE_DEG))
        middle = (size - 1) / 2
        scale = size / 2 / max(math.tan(half_angle), 1e-6)
        projection = np.array([[scale, 0, middle, 0], [0, scale, middle, 0], [0, 0, 1.0, 0]])

    camera_to_light = np.eye(4)
    camera_to_light[:3, :3], camera_to_light[:3, 3] = rotation, -rotation @ origin
    across = (np.arange(size) - middle) / scale
    x, y = np.meshgrid(across, across)
    if isinstance(light, DirectionalLight):
        starts = origin + x[..., None] * rotation[0] + y[..., None] * rotation[1]
        ways = np.broadcast_to(rotation[2], starts.shape)
    else:
        starts = np.broadcast_to(origin, (size, size, 3))
        ways = x[..., None] * rotation[0] + y[..., None] * rotation[1] + rotation[2]  # Z = 1: length is depth
    rays = np.concatenate([starts, ways], axis=-1).astype(np.float32)
    hit = _mesh(solid).cast_rays(import_open3d().core.Tensor(rays))["t_hit"].numpy()
    return ShadowMap(np.where(np.isfinite(hit), hit, np.float32(np.nan)), camera_to_light, projection)


def _mesh(solid: Solid) -> Any:
    """An Open3D RaycastingScene of the near side that casts shadows, torn where it is."""
    with np.errstate(divide="ignore"):
        triangles = grid_triangles(1 / solid.front, solid.links)
    o3d = import_open3d()
    caster = o3d.t.geometry.RaycastingScene(nthreads=0)
    vertices = np.nan_to_num(solid.points.reshape(-1, 3), nan=0, posinf=0, neginf=0)  # no triangle uses those
    caster.add_triangles(o3d.core.Tensor(vertices), o3d.core.Tensor(triangles.astype(np.uint32)))
    return caster


def _light_axes(forward: NDArray[np.floating]) -> NDArray[np.floating]:
    """(3, 3) rotation, its rows the light's X, Y and Z axes: Z along `forward`, Y as near the camera's as can be."""
    z = forward / np.linalg.norm(forward)
    down = np.array([0.0, 1, 0]) if abs(z[1]) < 0.99 else np.array([0.0, 0, 1])
    x = np.cross(down, z)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z])
