"""Which surfaces see a light: rays traced against the scene's surface, torn at its depth edges."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthapps._open3d import import_open3d
from depthapps.geometry import fill_background, unproject
from depthapps.scene import FloatMap, Scene
from depthapps.shadow.params import DirectionalLight, Light
from depthapps.surface import clean_depth, grid_triangles, inverse_depth, surface_links, surface_normals, trusted

_NOISE_SIGMAS = 4.0  # of the noise left; over ray-traced rooms 2 gives 0.01 more shadow IoU and a fifth more acne
_FOOTPRINTS = 0.5  # pixel footprints that a ray starts above the facets; 0.25 to 1 differ by 0.005 of shadow IoU
_CHUNK_RAYS = 2_000_000  # traced at a time: 48 MB of rays


@dataclass(frozen=True, eq=False)
class Surface:
    """The scene as light meets it, all in camera axes and metres.

    points (H, W, 3), not finite where infinitely far; normals (H, W, 3) unit, facing the camera; offset_m (H, W): how
    far above the surface a ray has to start; caster: an Open3D RaycastingScene of the torn surface.
    """

    points: NDArray[np.floating]
    normals: NDArray[np.floating]
    offset_m: FloatMap
    caster: Any


def build_surface(scene: Scene) -> Surface:
    """The surface of a scene with its noise removed; unknown depths are taken as the background beside them."""
    infinite = np.isposinf(scene.depth_m)
    depth = 1 / fill_background(inverse_depth(scene.depth_m))
    depth[infinite] = np.inf
    depth, noise = clean_depth(replace(scene, depth_m=depth))
    points = unproject(depth, scene.camera)
    links = surface_links(depth, noise)
    triangles = grid_triangles(depth, links)
    triangles = triangles[trusted(scene).ravel()[triangles].all(axis=1)]  # what may not be there casts no shadow

    o3d = import_open3d()
    caster = o3d.t.geometry.RaycastingScene(nthreads=0)
    vertices = np.nan_to_num(points.reshape(-1, 3), nan=0, posinf=0, neginf=0)  # no triangle uses what is not finite
    caster.add_triangles(o3d.core.Tensor(vertices), o3d.core.Tensor(triangles.astype(np.uint32)))
    footprint = depth / np.float32(scene.camera.fx)
    with np.errstate(invalid="ignore"):  # 0 · inf; no ray starts there
        offset = np.maximum(_FOOTPRINTS * footprint, _NOISE_SIGMAS * np.float32(noise) * depth**2)
    return Surface(points, surface_normals(depth, scene.camera, links, noise), offset.astype(np.float32), caster)


def to_light(light: Light, points: NDArray[np.floating]) -> NDArray[np.floating]:
    """From points (..., 3) to the middle of the light: of unit length if directional, of true length if a point."""
    if isinstance(light, DirectionalLight):
        axis = -np.asarray(light.direction, np.float32) / math.hypot(*light.direction)
        return np.broadcast_to(axis.astype(np.float32), points.shape)
    return np.asarray(light.position, np.float32) - points


def trace_visibility(surface: Surface, light: Light, samples: int) -> FloatMap:
    """How much of the light each surface point sees, (H, W) float32 in 0..1.

    Rays start above the surface by its offset. A point turned away from the light sees nothing of it, one that is
    infinitely far sees all. A light with an extent takes `samples` rays a pixel (rounded up to a square), one in
    each cell of a grid over its disc, jittered from pixel to pixel (Shirley and Chiu's concentric cells are not
    needed: equal areas in radius and angle serve a mean).
    """
    height, width = surface.points.shape[:2]
    visible = np.ones(height * width, np.float32)
    reached = np.flatnonzero(np.isfinite(surface.points).all(axis=-1) & np.isfinite(surface.normals).all(axis=-1))
    points, normals = (a.reshape(-1, 3) for a in (surface.points, surface.normals))
    offset = surface.offset_m.reshape(-1, 1)
    rng = np.random.default_rng(0)
    for first in range(0, len(reached), _CHUNK_RAYS):
        part = reached[first : first + _CHUNK_RAYS]
        start = points[part] + offset[part] * normals[part]
        visible[part] = _visible(surface.caster, light, start, normals[part], samples, rng)
    return visible.reshape(height, width)


def _visible(
    caster: Any,
    light: Light,
    start: NDArray[np.floating],
    normals: NDArray[np.floating],
    samples: int,
    rng: np.random.Generator,
) -> NDArray[np.floating]:
    """Share of the light (N,) that points `start` (N, 3) with unit normals (N, 3) see."""
    axis = to_light(light, start)
    if isinstance(light, DirectionalLight):
        radius = math.tan(math.radians(light.angular_size_deg) / 2)
        far = math.inf
    else:
        radius = light.size_m / 2
        far = 1.0  # rays are as long as the way to the light
    if radius == 0:
        return _sees(caster, start, axis, normals, far)
    side, other = _perpendicular(axis)
    cells = math.ceil(math.sqrt(samples))
    seen = np.zeros(len(start), np.float32)
    for ring in range(cells):
        for sector in range(cells):
            jitter = rng.random((2, len(start), 1), np.float32)
            r = radius * np.sqrt((ring + jitter[0]) / cells)
            angle = 2 * np.pi * (sector + jitter[1]) / cells
            seen += _sees(caster, start, axis + r * (np.cos(angle) * side + np.sin(angle) * other), normals, far)
    return seen / cells**2


def _sees(
    caster: Any, start: NDArray[np.floating], way: NDArray[np.floating], normals: NDArray[np.floating], far: float
) -> NDArray[np.floating]:
    """1 where nothing stands in the way (N, 3) from `start` and the surface is turned towards it, else 0."""
    tensor = import_open3d().core.Tensor
    rays = np.concatenate([start, way], axis=1, dtype=np.float32)
    blocked = caster.test_occlusions(tensor(rays), tnear=0.0, tfar=far).numpy()
    return (~blocked & ((normals * way).sum(axis=1) > 0)).astype(np.float32)


def _perpendicular(axis: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Two unit vectors (N, 3) square to each `axis` (N, 3) and to each other."""
    helper = np.eye(3, dtype=np.float32)[np.abs(axis).argmin(axis=1)]
    side = np.cross(axis, helper)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(axis, side)
    return side, other / np.linalg.norm(other, axis=1, keepdims=True)
