"""Shadows against exact visibility in rooms of closed solids, beside rays through meshes of the same depth.

    python tests/benchmarks/shadow.py [--rooms 4] [--first 0]

Rooms are those of mesh.py: boxes, a pole and balls on a floor before a wall, 0.5 Mpx, ray-cast, so that what the camera
does not see casts its shadow too. Each has five lights at random: two suns, two lamps and a sun of 5 degrees. Shadows
are found from the exact depth, and from depth with stereo's noise: 0.2 px of disparity, alike over 3 px, at a baseline
of 12 cm. Prints the rows of README.md's table: overlap (IoU) of the hard shadows, F of their outlines within 2 px,
percent of the picture that is wrongly dark, mean error of the soft shadows, and seconds a megapixel.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from mesh import CAMERA, Array, Room, caster, culled, poses, sheet
from numpy.typing import NDArray

from depthapps import DirectionalLight, FloatMap, Light, PointLight, Scene, unproject
from depthapps.shadow.lights import light_radius, light_vector
from depthapps.shadow.mapped import Mapper
from depthapps.shadow.solid import build_lit_solid
from depthapps.shadow.tracing import Tracer
from depthapps.surface.normals import surface_normals
from depthapps.surface.tearing import surface_links

BASELINE_M, NOISE_PX, GRAIN_PX = 0.12, 0.2, 1.5
SUN_DEG = 5.0
SHADOWED = 0.05, 0.35  # of the picture
SKIP = 4  # soft shadows are compared at every fourth pixel of every fourth row ...
SAMPLES = 256  # ... with the mean of so many rays
OFFSET_M = 2e-4  # of rays above the true surface
MESH_OFFSET_M, MESH_SAMPLES = 0.002, 16  # of the meshes that ours are compared with
OUTLINE_PX = 2

Method = Callable[[Scene, Light], FloatMap]


class Truth(NamedTuple):
    """A room's surface as the camera sees it: points and unit normals (N, 3) in the room, and the camera's pose."""

    room: Room
    pose: Array
    points: Array
    normals: Array


def true_surface(room: Room, pose: Array, scene: Scene) -> Truth:
    """Normals are the slope of the distance from the surface, a little before it."""
    points = unproject(scene.depth_m, CAMERA).reshape(-1, 3).astype(float) @ pose[:3, :3].T + pose[:3, 3]
    before = points + 1e-3 * (pose[:3, 3] - points) / np.linalg.norm(points - pose[:3, 3], axis=1, keepdims=True)
    slope = np.stack([room.distance(before + d) - room.distance(before - d) for d in 1e-5 * np.eye(3)], axis=1)
    return Truth(room, pose, points, slope / np.linalg.norm(slope, axis=1, keepdims=True))


def sees(truth: Truth, light: Light, which: slice | NDArray, offset: tuple[float, float] = (0, 0)) -> NDArray[np.bool_]:
    """Whether points see a light; offset: from its middle on its disc, in radii."""
    points, normals = truth.points[which], truth.normals[which]
    vector, at_infinity = light_vector(light)
    way = np.asarray(vector) @ truth.pose[:3, :3].T
    if at_infinity:
        side = np.cross(way, np.eye(3)[np.abs(way).argmin()])
        side /= np.linalg.norm(side)
        way = way + light_radius(light) * (offset[0] * side + offset[1] * np.cross(way, side))
        rays, end = np.broadcast_to(way, points.shape), np.inf
    else:
        rays, end = way + truth.pose[:3, 3] - points, 1.0
    found = (rays * normals).sum(axis=1) > 0
    hit = truth.room.cast(points[found] + OFFSET_M * normals[found], rays[found])
    found[found] = hit >= end
    return found


def every(skip: int) -> NDArray[np.intp]:
    """Pixels of a grid."""
    return np.arange(CAMERA.height * CAMERA.width).reshape(CAMERA.height, CAMERA.width)[::skip, ::skip].ravel()


def make_lights(seed: int, truth: Truth) -> list[Light]:
    """Two suns, two lamps, and a wide sun, each of which leaves 5 to 35 percent of the picture dark."""
    rng, found = np.random.default_rng([seed, 9]), []
    to_camera = truth.pose[:3, :3].T
    while len(found) < 5:
        if len(found) in (2, 3):
            place = rng.uniform([-2.2, -2.9, 0.5], [2.2, -1.9, 4.8])
            light = PointLight(tuple((to_camera @ (place - truth.pose[:3, 3])).tolist()))
        else:
            turn, height = np.radians(rng.uniform([-80, 28], [80, 65]))
            way = np.array([np.cos(height) * np.sin(turn), np.sin(height), np.cos(height) * np.cos(turn)])
            light = DirectionalLight(tuple((to_camera @ way).tolist()), SUN_DEG if len(found) == 4 else 0.0)
        if SHADOWED[0] < 1 - sees(truth, light, every(SKIP)).mean() < SHADOWED[1]:
            found.append(light)
    return found


def noisy(scene: Scene, seed: int) -> Scene:
    """The scene as a stereo camera would measure it."""
    noise = cv2.GaussianBlur(np.random.default_rng([seed, 10]).normal(size=scene.depth_m.shape), (0, 0), GRAIN_PX)
    disparity = CAMERA.fx * BASELINE_M / scene.depth_m + NOISE_PX * noise / noise.std()
    return Scene(scene.image, (CAMERA.fx * BASELINE_M / np.maximum(disparity, 0.5)).astype(np.float32), CAMERA)


def through_mesh(cut: bool, smooth: bool, offset: float) -> Method:
    """Rays through a mesh over all pixels, cut where depth differs by 4 % or not, of depth smoothed before or not."""

    def run(scene: Scene, light: Light) -> FloatMap:
        if smooth:
            inverse = (CAMERA.fx * BASELINE_M / scene.depth_m).astype(np.float32)
            for _ in range(3):
                inverse = cv2.bilateralFilter(inverse, 15, 4 * NOISE_PX, 6)
            scene = Scene(scene.image, (CAMERA.fx * BASELINE_M / inverse).astype(np.float32), CAMERA)
        vertices, triangles = culled(scene) if cut else sheet(scene)
        rays_of, tensor = caster(vertices, triangles)
        normals = surface_normals(scene.depth_m, CAMERA, surface_links(scene.depth_m)).reshape(-1, 3)
        start = vertices + offset * normals
        vector, at_infinity = light_vector(light)
        total, rng = np.zeros(len(start)), np.random.default_rng(0)
        count = MESH_SAMPLES if light_radius(light) else 1
        for k in range(count):
            spread = light_radius(light) * np.sqrt((k + rng.random()) / count)
            aside = rng.normal(size=3)
            aside -= (aside @ np.asarray(vector)) * np.asarray(vector)
            way = np.asarray(vector) + spread * aside / np.linalg.norm(aside)
            way = np.broadcast_to(way, start.shape) if at_infinity else np.asarray(vector) - start
            rays = tensor(np.concatenate([start, way], axis=1).astype(np.float32))
            hidden = rays_of.test_occlusions(rays, 0.0, float("inf") if at_infinity else 1.0).numpy()
            total += ~hidden & ((way * normals).sum(axis=1) > 0)
        return (total / count).reshape(scene.depth_m.shape)

    return run


def outline_f(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """F of the outlines of two masks: points within OUTLINE_PX of the other outline."""
    edges = [cv2.morphologyEx(m.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0 for m in (a, b)]
    near = [cv2.distanceTransform((~e).astype(np.uint8), cv2.DIST_L2, 5) <= OUTLINE_PX for e in edges]
    p, r = near[1][edges[0]].mean(), near[0][edges[1]].mean()
    return float(2 * p * r / (p + r))


def exact(truth: Truth, light: Light) -> Array:
    """How much of a light is seen: (H, W) of a hard one, at every SKIP-th pixel of a soft one."""
    if not light_radius(light):
        return sees(truth, light, slice(None)).reshape(CAMERA.height, CAMERA.width).astype(float)
    radii, turns = np.sqrt((np.arange(SAMPLES) + 0.5) / SAMPLES), np.arange(SAMPLES) * np.pi * (3 - np.sqrt(5))
    grid = every(SKIP)
    return np.mean(
        [sees(truth, light, grid, (r * np.cos(a), r * np.sin(a))) for r, a in zip(radii, turns, strict=True)], axis=0
    )


def measure(seen: FloatMap, right: Array, light: Light) -> tuple[float, float, float, float]:
    """IoU, F, wrongly dark % of a hard shadow; mean error of a soft one; the others NaN."""
    if light_radius(light):
        return np.nan, np.nan, np.nan, float(np.abs(seen.ravel()[every(SKIP)] - right).mean())
    a, b = seen < 0.5, right < 0.5
    return (a & b).sum() / (a | b).sum(), outline_f(a, b), 100 * (a & ~b).mean(), np.nan


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=4)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    ours: dict[str, Method] = {
        "depthapps `fast`": lambda scene, light: Mapper(build_lit_solid(scene)).visibility(light),
        "depthapps `balanced`": lambda scene, light: Tracer(build_lit_solid(scene)).visibility(light, 48).seen,
    }
    plain = {
        "rays through a sheet over all pixels": through_mesh(cut=False, smooth=False, offset=MESH_OFFSET_M),
        "rays through a mesh cut at 4 %": through_mesh(cut=True, smooth=False, offset=MESH_OFFSET_M),
    } | ours
    rough = {"with noise: bilateral filter, mesh cut at 4 %": through_mesh(cut=True, smooth=True, offset=0.05)} | {
        f"with noise: {name}": method for name, method in ours.items()
    }
    rows: dict[str, list[tuple[float, ...]]] = {}
    for seed in range(arguments.first, arguments.first + arguments.rooms):
        room, pose = Room.random(seed), poses(seed, 1)[0]
        scene = room.view(pose)
        truth = true_surface(room, pose, scene)
        for light in make_lights(seed, truth):
            right = exact(truth, light)
            for methods, given in ((plain, scene), (rough, noisy(scene, seed))):
                for name, method in methods.items():
                    start = time.perf_counter()
                    seen = method(given, light)
                    seconds = time.perf_counter() - start
                    rows.setdefault(name, []).append((*measure(seen, right, light), seconds))
    print("| | IoU | outlines F | wrongly dark % | soft error | s/Mpx |\n|---|---|---|---|---|---|")
    for name, found in rows.items():
        iou, f, dark, soft = np.nanmean([row[:4] for row in found], axis=0)
        seconds = np.median([row[4] for row in found]) / (CAMERA.width * CAMERA.height / 1e6)
        print(f"| {name} | {iou:.3f} | {f:.3f} | {dark:.2f} | {soft:.4f} | {seconds:.2f} |")


if __name__ == "__main__":
    main()
