"""What a light sees: where it looks, and its own depth map of a scene, drawn from the solid's triangles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.geometry import depth_from_inverse
from depthapps.core.models import ShadowMap
from depthapps.core.scene import FloatMap
from depthapps.shadow.params import DirectionalLight, Light
from depthapps.shadow.solid import LitSolid
from depthapps.surface.raster import draw_largest
from depthapps.surface.tearing import grid_quads

_WIDEST_HALF_ANGLE_DEG = 80.0  # of a lamp's view; nearer to 90 a plane map has no resolution left
_THICK_FOOTPRINTS = 3.0  # a far side that is nearer to the near side is that of something flat, and is not drawn
_NEAREST = 0.02  # metres before a lamp, along its view; nothing is seen that is nearer

Points = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class LightView:
    """Where a light looks.

    rotation: (3, 3), its rows the light's X, Y and Z axes in the camera's, Z along the light. origin: (3,) metres, in
    camera axes. parallel: whether the rays are, as a sun's. scale: pixels a metre of a sun's view, focal length in
    pixels of a lamp's. middle: (x, y) of the light's axis, in pixels. size: rows and columns.
    """

    rotation: Points
    origin: Points
    parallel: bool
    scale: float
    middle: tuple[float, float]
    size: tuple[int, int]

    @property
    def camera_to_light(self) -> Points:
        """(4, 4), from camera axes to the light's."""
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = self.rotation, -self.rotation @ self.origin
        return matrix

    @property
    def projection(self) -> Points:
        """(3, 4), from the light's axes to homogeneous pixels."""
        (x, y), s = self.middle, self.scale
        if self.parallel:
            return np.array([[s, 0, 0, x], [0, s, 0, y], [0, 0, 0, 1.0]])
        return np.array([[s, 0, x, 0], [0, s, y, 0], [0, 0, 1.0, 0]])

    def project(self, points: Points) -> Points:
        """Points (N, 3) in camera axes -> (N, 3) float32: x, y in pixels, and nearness; NaN behind a lamp.

        Nearness is larger where nearer and linear over the view on every plane: -Z of a sun, 1/Z of a lamp.
        """
        scale = (self.scale, self.scale, -1 if self.parallel else 1)
        turned = np.diag(scale) @ self.camera_to_light[:3]
        if self.parallel:
            turned[:2, 3] += self.middle
        found: Points = np.asarray(
            cv2.transform(np.ascontiguousarray(points, np.float32)[:, None], turned)[:, 0], np.float32
        )
        if not self.parallel:
            nearness = np.float32(1) / np.where(found[:, 2] > _NEAREST, found[:, 2], np.float32(np.nan))
            for k, middle in enumerate(self.middle):  # numpy takes ten times as long to go along rows of two
                found[:, k] = found[:, k] * nearness + np.float32(middle)
            found[:, 2] = nearness
        return found

    def drawn(self, vertices: Points, triangles: NDArray[np.int32]) -> FloatMap:
        """The largest nearness of triangles (T, 3) at each pixel of the view, -inf where there is none."""
        return draw_largest(self.project(vertices), triangles, self.size)

    @property
    def numbers(self) -> Points:
        """(15,) float64 for kernels: rotation, origin, scale, middle."""
        return np.array([*self.rotation.ravel(), *self.origin, self.scale, *self.middle])


def draw_shadow_map(solid: LitSolid, light: Light, size: int) -> ShadowMap:
    """The light's own depth map of size x size pixels, fitted around the surface."""
    points = solid.points.reshape(-1, 3)
    points = points[np.isfinite(points).all(axis=1)]
    middle = (size - 1) / 2
    if isinstance(light, DirectionalLight):
        rotation = light_axes(np.asarray(light.direction, float))
        local = points @ rotation.T
        low, high = local.min(axis=0), local.max(axis=0)
        scale = (size - 1) / max(float((high - low)[:2].max()), 1e-9)
        origin = rotation.T @ np.array([*(low + high)[:2] / 2, low[2] - 1 / scale])  # one pixel before the first point
    else:
        origin = np.asarray(light.position, float)
        way = points - origin
        way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-12)
        rotation = light_axes(way.mean(axis=0))
        cosine = float((way @ rotation[2]).min())
        half_angle = min(math.acos(max(-1.0, min(1.0, cosine))), math.radians(_WIDEST_HALF_ANGLE_DEG))
        scale = size / 2 / max(math.tan(half_angle), 1e-6)
    view = LightView(rotation, origin, isinstance(light, DirectionalLight), scale, (middle, middle), (size, size))
    near = view.drawn(*occluders(solid))
    near[np.isinf(near)] = np.nan
    return ShadowMap(-near if view.parallel else 1 / near, view.camera_to_light, view.projection)


def occluders(solid: LitSolid) -> tuple[Points, NDArray[np.int32]]:
    """What stops light: vertices (V, 3) and triangles (T, 3) of the near side, and of the far side where it is known.

    Both are torn where the solid is.
    """
    quads = grid_quads(depth_from_inverse(solid.front), solid.links)
    near, points = quads.triangles(), solid.points.reshape(-1, 3)
    far = quads.touching(solid.back < (1 - _THICK_FOOTPRINTS / solid.camera.fx) * solid.front)
    used = np.flatnonzero(far.pixels())
    number = np.zeros(len(points), np.int32)
    number[used] = np.arange(len(points), len(points) + len(used), dtype=np.int32)
    deeper = (solid.front.ravel()[used] / solid.back.ravel()[used])[:, None]
    return np.concatenate([points, deeper * points[used]]), np.concatenate([near, number[far.triangles()]])


def light_axes(forward: Points) -> Points:
    """(3, 3) rotation, its rows the light's X, Y and Z axes: Z along `forward`, Y as near the camera's as can be."""
    z = forward / np.linalg.norm(forward)
    down = np.array([0.0, 1, 0]) if abs(z[1]) < 0.99 else np.array([0.0, 0, 1])
    x = np.cross(down, z)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z])
