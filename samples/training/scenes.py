"""Random stereo pairs with exact disparity, to train the fusion network on: everything in them is made up here.

Textures run from plain paint to print, weave and noise; light has a direction, shadows and highlights, which differ
between the views. Rays are cast by Embree through Open3D. Pixel centres have integer coordinates, disparity is
x_left - x_right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from arrangement import PLAIN_TEXTURES, TEXTURES, Solid, random_scene
from numpy.typing import NDArray
from paint import TEXTURE_SIZE, texture

from depthapps.runtime.open3d import import_open3d

o3d = import_open3d()
Floats = NDArray[np.floating[Any]]
Rng = np.random.Generator

SUPERSAMPLES = 2  # along each axis
MIP_LEVELS = 5


@dataclass(frozen=True)
class TrainingPair:
    """Views (H, W, 3) uint8 RGB and the left one's disparity (H, W) float32 px, everywhere known."""

    left: NDArray[np.uint8]
    right: NDArray[np.uint8]
    disparity_px: Floats


class _Renderer:
    """Casts rays into one scene."""

    def __init__(self, solids: list[Solid], textures: list[Floats], light: Floats, sky: Floats, ambient: float):
        self.scene = o3d.t.geometry.RaycastingScene()
        for solid in solids:
            mesh = solid.mesh.copy().apply_transform(solid.pose)
            self.scene.add_triangles(np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.uint32))
        self.to_local = np.stack([np.linalg.inv(s.pose) for s in solids]).astype(np.float32)
        self.texture = np.array([s.texture for s in solids])
        self.density = np.array([s.texels_per_metre for s in solids], np.float32)
        self.shine = np.array([s.shine for s in solids], np.float32)
        self.tint = np.stack([s.tint for s in solids]).astype(np.float32)
        levels = [np.stack(textures)]
        for _ in range(MIP_LEVELS - 1):
            t = levels[-1]
            levels.append((t[:, ::2, ::2] + t[:, 1::2, ::2] + t[:, ::2, 1::2] + t[:, 1::2, 1::2]) / 4)
        self.levels = levels
        self.light, self.sky, self.ambient = light.astype(np.float32), sky, ambient

    def rays(self, width: int, height: int, focal_px: float, shift: float, scale: int) -> Floats:
        """(N, 6) rays of a camera at X = shift, `scale`² a pixel."""
        x = (np.arange(width * scale, dtype=np.float32) + 0.5) / scale - 0.5 - (width - 1) / 2
        y = (np.arange(height * scale, dtype=np.float32) + 0.5) / scale - 0.5 - (height - 1) / 2
        rays = np.zeros((height * scale, width * scale, 6), np.float32)
        rays[..., 0] = shift
        rays[..., 3], rays[..., 4], rays[..., 5] = x / focal_px, (y / focal_px)[:, None], 1
        return rays.reshape(-1, 6)

    def depth(self, width: int, height: int, focal_px: float) -> Floats:
        """Depth (H, W) at the centres of the left view's pixels; inf where nothing is."""
        rays = self.rays(width, height, focal_px, 0.0, 1)
        return self.scene.cast_rays(o3d.core.Tensor(rays))["t_hit"].numpy().reshape(height, width)

    def picture(self, width: int, height: int, focal_px: float, shift: float) -> Floats:
        """Linear light (H, W, 3)."""
        rays = self.rays(width, height, focal_px, shift, SUPERSAMPLES)
        hit = self.scene.cast_rays(o3d.core.Tensor(rays))
        t = hit["t_hit"].numpy()
        seen = np.flatnonzero(np.isfinite(t))
        color = np.empty((len(t), 3), np.float32)
        color[:] = self.sky * (1 + 0.3 * rays[:, 4:5])
        t, geometry = t[seen], hit["geometry_ids"].numpy()[seen].astype(np.int64)
        normal = hit["primitive_normals"].numpy()[seen]
        direction = rays[seen, 3:]
        point = rays[seen, :3] + t[:, None] * direction
        direction = direction / np.linalg.norm(direction, axis=1, keepdims=True)
        normal *= -np.sign((normal * direction).sum(1, keepdims=True))
        footprint = t / focal_px / SUPERSAMPLES
        albedo = self._albedo(point, normal, geometry, footprint) * self.tint[geometry]
        facing = np.clip(normal @ -self.light, 0, None)
        shadow_rays = np.empty((len(seen), 6), np.float32)
        shadow_rays[:, :3] = point + normal * (1e-3 * t[:, None])
        shadow_rays[:, 3:] = -self.light
        lit = ~self.scene.test_occlusions(o3d.core.Tensor(shadow_rays)).numpy()
        half = -self.light - direction
        half /= np.linalg.norm(half, axis=1, keepdims=True)
        gloss = self.shine[geometry] * np.clip((normal * half).sum(1), 0, 1) ** 30
        skylight = self.ambient * (0.75 - 0.25 * normal[:, 1])  # more from above
        shade = skylight + (1 - self.ambient) * facing * lit
        color[seen] = albedo * shade[:, None] + (gloss * lit)[:, None]
        shape = (height * SUPERSAMPLES, width * SUPERSAMPLES, 3)
        return np.asarray(cv2.resize(color.reshape(shape), (width, height), interpolation=cv2.INTER_AREA), np.float32)

    def _albedo(self, point: Floats, normal: Floats, geometry: NDArray[np.integer[Any]], footprint: Floats) -> Floats:
        """Texture at points (N, 3), projected along the axis of the solid's own frame that faces most."""
        local = self.to_local[geometry]
        at = np.einsum("nij,nj->ni", local[:, :3, :3], point) + local[:, :3, 3]
        towards = np.abs(np.einsum("nij,nj->ni", local[:, :3, :3], normal))
        axis = towards.argmax(1)
        u = np.where(axis == 0, at[:, 2], at[:, 0]) * self.density[geometry]
        v = np.where(axis == 1, at[:, 2], at[:, 1]) * self.density[geometry]
        level = np.clip(np.floor(np.log2(np.maximum(footprint * self.density[geometry], 1)) + 0.5), 0, MIP_LEVELS - 1)
        out = np.empty((len(point), 3), np.float32)
        for k in range(MIP_LEVELS):
            rows = np.flatnonzero(level == k)
            size, scale = TEXTURE_SIZE >> k, 0.5**k
            x, y = u[rows] * scale - 0.5, v[rows] * scale - 0.5
            x0, y0 = np.floor(x), np.floor(y)
            fx, fy = (x - x0)[:, None], (y - y0)[:, None]
            x0, y0 = x0.astype(np.int64) % size, y0.astype(np.int64) % size
            x1, y1 = (x0 + 1) % size, (y0 + 1) % size
            flat, base = self.levels[k].reshape(-1, 3), self.texture[geometry[rows]] * size * size
            top = flat[base + y0 * size + x0] * (1 - fx) + flat[base + y0 * size + x1] * fx
            bottom = flat[base + y1 * size + x0] * (1 - fx) + flat[base + y1 * size + x1] * fx
            out[rows] = top * (1 - fy) + bottom * fy
        return out


def _develop(linear: Floats, exposure: float, gamma: float, rng: Rng) -> NDArray[np.uint8]:
    """Linear light to 8 bits, by way of a lens that is not quite sharp and a sensor that is not quite clean."""
    blurred = cv2.GaussianBlur(linear, (0, 0), rng.uniform(0.25, 0.8))
    noise = rng.choice([0.002, 0.006, 0.015, 0.03], p=[0.35, 0.35, 0.2, 0.1])
    signal = np.clip(blurred * exposure, 0, 1) ** (1 / gamma)
    noisy = signal + rng.normal(0, noise, linear.shape) + rng.normal(0, noise, linear.shape[:2])[..., None]
    return np.clip(noisy * 255 + 0.5, 0, 255).astype(np.uint8)


def training_pair(seed: int, width: int, height: int) -> TrainingPair:
    """The pair of one seed."""
    rng = np.random.default_rng(seed)
    solids, focal = random_scene(rng, height / width)
    direction = rng.normal(0, 1, 3) + np.array([0, 1.2, 0.6])
    light = direction / np.linalg.norm(direction)
    textures = [texture(rng, plain=k < PLAIN_TEXTURES) for k in range(TEXTURES)]
    renderer = _Renderer(solids, textures, light, 0.4 + 0.6 * rng.random(3), rng.uniform(0.25, 0.9))
    focal_px = focal * width
    depth = renderer.depth(width, height, focal_px)
    nearest = float(np.percentile(depth, 2))
    # disparity of the nearest things: photos have from 2 to 40 % of their width
    largest = width * float(np.exp(rng.uniform(np.log(0.025), np.log(0.35))))
    baseline = largest * nearest / focal_px
    disparity = focal_px * baseline / depth
    left, right = (renderer.picture(width, height, focal_px, shift) for shift in (0.0, baseline))
    exposure = rng.uniform(0.7, 1.0) / max(float(np.percentile(left, 97)), 1e-3)
    gamma = rng.uniform(1.8, 2.6)
    drift = rng.normal(1, 0.03) if rng.random() < 0.5 else 1.0
    seen = _develop(left, exposure, gamma, rng)
    other = _develop(right, exposure * drift, gamma * rng.choice([1, rng.uniform(0.95, 1.05)]), rng)
    if rng.random() < 0.5:  # rows are aligned to a few tenths of a pixel at best
        move = np.array([[1, 0, 0], [0, 1, rng.normal(0, 0.12)]], np.float32)
        other = cv2.warpAffine(other, move, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return TrainingPair(seen, np.asarray(other, np.uint8), disparity.astype(np.float32))
