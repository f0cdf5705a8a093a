"""Meshes of random rooms whose surface is known exactly: python tests/benchmarks/mesh.py [--rooms 3] [--views 8]

A room is a floor, a wall, and boxes and balls that stand about, ray-cast here by formula, so that depth is exact at
every point of the picture. Prints the rows of README.md's two tables. One view of 800 x 600: the share of the mesh's
area that hangs in the air (more than 2 cm and 1 % of its depth off the surface behind its own place and the pixels
around it), the share of the picture that the mesh shows within 0.5 % of the true depth, and the error there; beside a
sheet over all pixels, and one cut where depth differs by 4 % among 3 x 3 pixels. With --views, so many views fused:
points of the mesh near the surface, points that were seen near the mesh, and their F, in percent, beside Open3D's own
fusion at 1 cm.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
import trimesh
from numpy.typing import NDArray

from depthapps import Camera, ModelParams, Preset, Scene, make_model, project, unproject
from depthapps.core.geometry import ray_directions
from depthapps.runtime.open3d import import_open3d
from depthapps.scan.fuse import fuse_views
from depthapps.surface.tearing import Links, grid_quads

Array = NDArray[np.floating]
CAMERA = Camera.centred(800, 600, 700.0)
SAMPLES = 100_000
WALL_M = 5.7
OFF_CENTRE_PX = 0.3


@dataclass(frozen=True)
class Room:
    """Boxes (centre, half size, turn about Y) and balls (centre, radius) on the floor Y = 0, Y down, before a wall."""

    boxes: tuple[tuple[Array, Array, float], ...]
    balls: tuple[tuple[Array, float], ...]

    @classmethod
    def random(cls, seed: int) -> Room:
        """Six boxes, from slabs to poles, and four balls."""
        rng = np.random.default_rng([seed, 7])

        def place(height: float) -> Array:
            z = rng.uniform(2.6, WALL_M - 0.6)
            return np.array([rng.uniform(-0.45, 0.45) * z, -height, z])

        sizes = [rng.uniform([0.1, 0.15, 0.1], [0.35, 0.5, 0.35]) for _ in range(5)] + [np.array([0.015, 0.7, 0.015])]
        boxes = tuple((place(size[1]), size, rng.uniform(0, np.pi)) for size in sizes)
        radii = rng.uniform(0.1, 0.3, 4)
        return cls(boxes, tuple((place(r), float(r)) for r in radii))

    def cast(self, origin: Array, rays: Array) -> Array:
        """How many times its length (N,) each ray (N, 3) goes from its origin, (3,) or (N, 3), to the surface."""
        with np.errstate(divide="ignore", invalid="ignore"):
            floor, wall = -origin[..., 1] / rays[:, 1], (WALL_M - origin[..., 2]) / rays[:, 2]
            nearest = np.minimum(np.where(floor > 0, floor, np.inf), np.where(wall > 0, wall, np.inf))
            for centre, half, angle in self.boxes:
                turn, half = turn_about_y(angle), half[:, None]
                start, along = turn @ np.atleast_2d(origin - centre).T, turn @ rays.T  # axes first: faster
                one, other = (-half - start) / along, (half - start) / along
                enter, leave = np.minimum(one, other).max(axis=0), np.maximum(one, other).min(axis=0)
                nearest = np.where((enter > 0) & (enter < leave) & (enter < nearest), enter, nearest)
        for centre, radius in self.balls:
            start = origin - centre
            a, b, c = (np.einsum("...i,...i", *both) for both in ((rays, rays), (rays, start), (start, start)))
            c = c - radius**2
            root = b * b - a * c
            t = (-b - np.sqrt(np.maximum(root, 0))) / a
            nearest = np.where((root > 0) & (t > 0) & (t < nearest), t, nearest)
        return nearest

    def distances(self, points: Array) -> Array:
        """The distances (S, N) of points (N, 3) from the surfaces: floor, wall, balls, boxes."""
        found = [np.abs(points[:, 1]), np.abs(points[:, 2] - WALL_M)]
        found += [np.abs(np.linalg.norm(points - centre, axis=1) - radius) for centre, radius in self.balls]
        for centre, half, angle in self.boxes:
            away = np.abs(turn_about_y(angle) @ (points - centre).T) - half[:, None]
            found.append(np.abs(np.linalg.norm(np.maximum(away, 0), axis=0) + np.minimum(away.max(axis=0), 0)))
        return np.stack(found)

    def distance(self, points: Array) -> Array:
        """The distance (N,) of points (N, 3) from the nearest surface."""
        return self.distances(points).min(axis=0)

    def view(self, pose: Array) -> Scene:
        """What the camera sees, in grey."""
        rays = ray_directions(CAMERA).reshape(-1, 3) @ pose[:3, :3].T
        depth = self.cast(pose[:3, 3], rays).reshape(CAMERA.height, CAMERA.width)
        return Scene(np.full((*depth.shape, 3), 128, np.uint8), depth.astype(np.float32), CAMERA)


def turn_about_y(angle: float) -> Array:
    """The rotation (3, 3) by an angle in radians, which turns +Z towards +X."""
    return np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])


def poses(seed: int, count: int) -> list[Array]:
    """Cameras (4, 4) on an arc around the middle of the room; the first stands before it."""
    rng, found = np.random.default_rng([seed, 8]), []
    for k in range(count):
        angle = 0.0 if k == 0 else np.radians(-50 + 100 * (k - 0.5) / max(count - 1, 1))
        target, distance = np.array([0, -0.3, 4.0]), 4.0 if k == 0 else rng.uniform(3.2, 4.0)
        aside = np.array([distance * np.sin(angle), -rng.uniform(1.0, 1.6), -distance * np.cos(angle)])
        place = target + aside
        ahead = (target - place) / np.linalg.norm(target - place)
        right = np.cross([0, 1, 0], ahead) / np.linalg.norm(np.cross([0, 1, 0], ahead))
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = np.column_stack([right, np.cross(ahead, right), ahead]), place
        found.append(pose)
    return found


def sheet(scene: Scene, keep: NDArray[np.bool_] | None = None) -> tuple[Array, NDArray]:
    """All pixels, or those to keep, as one mesh."""
    h, w = scene.depth_m.shape
    ones = Links(np.ones((h, w - 1), bool), np.ones((h - 1, w), bool), *[np.ones((h - 1, w - 1), bool)] * 2)
    triangles = grid_quads(scene.depth_m, ones).triangles()
    if keep is not None:
        triangles = triangles[keep.ravel()[triangles].all(axis=1)]
    return unproject(scene.depth_m, scene.camera).reshape(-1, 3), triangles


def culled(scene: Scene) -> tuple[Array, NDArray]:
    """The sheet without the pixels whose 3 x 3 depths differ by more than 4 %, as MoGe cuts it."""
    low, high = (f(scene.depth_m, np.ones((3, 3))) for f in (cv2.erode, cv2.dilate))
    return sheet(scene, np.asarray(high - low) <= 0.04 * scene.depth_m)


def ours(limit: bool) -> Callable[[Scene], tuple[Array, NDArray]]:
    """The presets."""

    def run(scene: Scene) -> tuple[Array, NDArray]:
        mesh = make_model(scene, ModelParams(Preset.WEB if limit else Preset.FULL)).mesh
        return mesh.vertices, mesh.triangles

    return run


def surface_points(vertices: Array, triangles: NDArray) -> Array:
    """Points (SAMPLES, 3) spread evenly over a mesh."""
    return np.asarray(
        trimesh.sample.sample_surface(trimesh.Trimesh(vertices, triangles, process=False), SAMPLES, seed=0)[0]
    )


def caster(vertices: Array, triangles: NDArray):
    """Open3D's ray casting scene of a mesh."""
    o3d = import_open3d()
    found = o3d.t.geometry.RaycastingScene()
    found.add_triangles(o3d.core.Tensor(vertices.astype(np.float32)), o3d.core.Tensor(triangles.astype(np.uint32)))
    return found, o3d.core.Tensor


def one_view(room: Room, pose: Array, vertices: Array, triangles: NDArray) -> tuple[float, ...]:
    """Hanging in the air %, shown %, error of depth %."""
    u, v, z = project(surface_points(vertices, triangles), CAMERA)
    gap = np.full(len(z), np.inf)
    for du, dv in product((-1, 0, 1), repeat=2):
        rays = np.column_stack([(u + du - CAMERA.cx) / CAMERA.fx, (v + dv - CAMERA.cy) / CAMERA.fy, np.ones(len(z))])
        gap = np.minimum(gap, np.abs(room.cast(pose[:3, 3], rays @ pose[:3, :3].T) - z))
    scene_of, tensor = caster(vertices, triangles)
    # between the pixels' centres, which rays through vertices can slip past
    rays = ray_directions(CAMERA).reshape(-1, 3) + OFF_CENTRE_PX * np.array(
        [1 / CAMERA.fx, 1 / CAMERA.fy, 0], np.float32
    )
    hit = scene_of.cast_rays(tensor(np.column_stack([np.zeros_like(rays), rays])))["t_hit"].numpy()
    error = np.abs(hit / room.cast(pose[:3, 3], rays @ pose[:3, :3].T) - 1)
    right = error < 0.005
    air = 100 * float(((gap > 0.02) & (gap > 0.01 * z)).mean())
    return air, 100 * float(right.mean()), 100 * float(np.sqrt(np.mean(error[right] ** 2)))


def fused_by_open3d(views: list[tuple[Scene, Array]]) -> tuple[Array, NDArray]:
    """Open3D's VoxelBlockGrid at 1 cm, as its tutorial fuses."""
    o3d = import_open3d()
    grid = o3d.t.geometry.VoxelBlockGrid(("tsdf", "weight"), (o3d.core.float32,) * 2, ((1), (1)), 0.01, 16, 20_000)
    matrix = o3d.core.Tensor(CAMERA.matrix)
    for scene, pose in views:
        seen = (o3d.t.geometry.Image(np.ascontiguousarray(scene.depth_m)), matrix, o3d.core.Tensor(np.linalg.inv(pose)))
        blocks = grid.compute_unique_block_coordinates(*seen, 1.0, 8.0, 4.0)
        grid.integrate(blocks, *seen, 1.0, 8.0, 4.0)
    found = grid.extract_triangle_mesh(weight_threshold=0.5)
    return found.vertex.positions.numpy(), found.triangle.indices.numpy()


def fused_by_us(views: list[tuple[Scene, Array]]) -> tuple[Array, NDArray]:
    """What --sequence does."""
    mesh = fuse_views(views).mesh
    return mesh.vertices, mesh.triangles


def many_views(room: Room, views: list[tuple[Scene, Array]], vertices: Array, triangles: NDArray) -> tuple[float, ...]:
    """F at 1 and at 2 cm."""
    rng = np.random.default_rng(0)
    truth = []
    for scene, pose in views:
        points = unproject(scene.depth_m, CAMERA)[scene.depth_m < 8]
        truth.append(rng.choice(points, SAMPLES // len(views)) @ pose[:3, :3].T + pose[:3, 3])
    scene_of, tensor = caster(vertices, triangles)
    missed = scene_of.compute_distance(tensor(np.concatenate(truth).astype(np.float32))).numpy()
    off = room.distance(surface_points(vertices, triangles))
    found = []
    for limit in (0.01, 0.02):
        a, c = 100 * float((off < limit).mean()), 100 * float((missed < limit).mean())
        found.append(2 * a * c / (a + c))
    return tuple(found)


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=3)
    parser.add_argument("--views", type=int, default=8)
    arguments = parser.parse_args()
    rows: dict[str, list[tuple[float, ...]]] = {}
    fused: dict[str, list[tuple[float, ...]]] = {}
    for seed in range(arguments.rooms):
        room = Room.random(seed)
        views = [(room.view(pose), pose) for pose in poses(seed, arguments.views)]
        methods = {"sheet": sheet, "cut at 4 %": culled, "`full`": ours(limit=False), "`web`": ours(limit=True)}
        for name, method in methods.items():
            scene, pose = views[0]
            start = time.perf_counter()
            vertices, triangles = method(scene)
            seconds = time.perf_counter() - start
            row = (len(triangles), *one_view(room, pose, vertices, triangles), seconds)
            rows.setdefault(name, []).append(row)
        for name, fuse in (("Open3D, 1 cm", fused_by_open3d), ("depthapps", fused_by_us)):
            start = time.perf_counter()
            vertices, triangles = fuse(views)
            seconds = time.perf_counter() - start
            fused.setdefault(name, []).append((len(triangles), *many_views(room, views, vertices, triangles), seconds))
    print("| | triangles | in the air % | shown % | depth % | s |\n|---|---|---|---|---|---|")
    for name, found in rows.items():
        n, air, shown, depth, seconds = np.mean(found, axis=0)
        print(f"| {name} | {n / 1000:.0f} k | {air:.2f} | {shown:.2f} | {depth:.4f} | {seconds:.1f} |")
    print("\n| | triangles | F at 1 cm | at 2 cm | s |\n|---|---|---|---|---|")
    for name, found in fused.items():
        n, f1, f2, seconds = np.mean(found, axis=0)
        print(f"| {name} | {n / 1000:.0f} k | {f1:.2f} | {f2:.2f} | {seconds:.1f} |")


if __name__ == "__main__":
    main()
