"""Describe the view of a light, and draw the light's own depth map of a scene from the triangles of the solid."""

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

_WIDEST_HALF_ANGLE_DEG = 80.0  # of a lamp's view; closer to 90, a flat map has no resolution left
# Far sides less than this many pixel footprints behind the near side belong to flat objects, and are not drawn.
_THICK_FOOTPRINTS = 3.0
_NEAREST = 0.02  # metres along a lamp's view axis; whatever is nearer is not seen

Points = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class LightView:
    """The view of a light, like the pose and camera of a photo.

    rotation: (3, 3), its rows are the light's X, Y and Z axes in camera axes; Z points the way that the light shines.
    origin: (3,) metres, in camera axes. parallel: whether the light's rays are parallel, as those of a sun. scale:
    pixels per metre for a sun, focal length in pixels for a lamp. middle: (x, y) of the light's axis, in pixels. size:
    rows and columns.
    """

    rotation: Points
    origin: Points
    parallel: bool
    scale: float
    middle: tuple[float, float]
    size: tuple[int, int]

    @property
    def camera_to_light(self) -> Points:
        """Matrix (4, 4) from camera axes to the light's axes."""
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = self.rotation, -self.rotation @ self.origin
        return matrix

    @property
    def projection(self) -> Points:
        """Matrix (3, 4) from the light's axes to pixels, in homogeneous coordinates."""
        (x, y), s = self.middle, self.scale
        if self.parallel:
            return np.array([[s, 0, 0, x], [0, s, 0, y], [0, 0, 0, 1.0]])
        return np.array([[s, 0, x, 0], [0, s, y, 0], [0, 0, 1.0, 0]])

    def project(self, points: Points) -> Points:
        """Project points (N, 3) in camera axes: (N, 3) float32, x and y in pixels and nearness; NaN behind a lamp.

        Nearness is larger nearer to the light and linear over the view on every plane: -Z for a sun, 1/Z for a lamp.
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
            with np.errstate(invalid="ignore"):  # inf * 0 at infinite depth
                for k, middle in enumerate(self.middle):  # by columns: numpy is ten times as slow on rows of two
                    found[:, k] = found[:, k] * nearness + np.float32(middle)
            found[:, 2] = nearness
        return found

    def drawn(self, vertices: Points, triangles: NDArray[np.int32]) -> FloatMap:
        """Draw triangles (T, 3): the largest nearness at each pixel of the view, -inf where there is no triangle."""
        return draw_largest(self.project(vertices), triangles, self.size)

    @property
    def numbers(self) -> Points:
        """The view as (15,) float64 for compiled loops: rotation, origin, scale, middle."""
        return np.array([*self.rotation.ravel(), *self.origin, self.scale, *self.middle])


def draw_shadow_map(solid: LitSolid, light: Light, size: int) -> ShadowMap:
    """Draw the light's own depth map, of size x size pixels, with a view that just contains the surface."""
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
    """Build what stops light: vertices (V, 3) and triangles (T, 3).

    They are those of the near side, and of the far side where the object is not flat. Both sides are torn where the
    solid has no links.
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
    """Build a rotation (3, 3) with the light's axes as rows: Z along `forward`, Y as close to the camera's as possible.

    If `forward` is almost parallel to the camera's Y, the light's Y is close to the camera's Z instead.
    """
    z = forward / np.linalg.norm(forward)
    down = np.array([0.0, 1, 0]) if abs(z[1]) < 0.99 else np.array([0.0, 0, 1])
    x = np.cross(down, z)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z])
