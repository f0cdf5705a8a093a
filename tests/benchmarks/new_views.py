"""New views of models made from two photos, against the truth: python tests/benchmarks/new_views.py [--rooms 4]

The rooms are those of mesh.py, painted: cloth-like noise or nearly plain paint, one sun with its shadows. Two photos of
800 x 600 are ray-cast, 10 cm apart, with a noise of one grey level. Eight new cameras look at the middle of the room:
turned about it by 5, 10 and 15 degrees to the left and the right, and by 10 up and down. Prints the rows of README.md's
table: how much of the pictures is black although a photo shows the place, and where none does; how much of what a photo
shows and the model, too, is off by more than 4 % of its depth; the PSNR of that, and of the whole pictures. The
baseline is OpenCV's SGBM as a sheet of triangles.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from mesh import CAMERA, Array, Room, poses, sheet, turn_about_y
from numpy.typing import NDArray
from stereo import sgbm

from depthapps import (
    Calibration,
    ModelParams,
    Preset,
    Rectify,
    Scene,
    SceneParams,
    SecondView,
    StereoPair,
    make_model,
    open_scene,
    project,
    render_view,
)
from depthapps.core.geometry import ray_directions
from depthapps.core.models import TriangleMesh

BASELINE_M = 0.1
MIDDLE = np.array([0.0, -0.5, 4.0])  # of the room, more or less; the camera of `poses` stands some 4 m from it
TURNS = [(degrees, 0) for degrees in (-15, -10, -5, 5, 10, 15)] + [(0, 10), (0, -10)]  # to the right and up
OFF_SHARE = 0.04
SEEN_SHARE = 0.002  # of the depth: a ray that ends so close to a point shows it
Color = NDArray[np.float32]


@dataclass(frozen=True)
class Paint:
    """Of each surface: albedo (S, 3), how strongly noise changes it (S,), and cells of the noise per metre (S,).

    noise: (N, N, N) each, which repeats; each half as fine as the one before. sun: unit vector towards it.
    """

    albedo: Array
    strength: Array
    fineness: Array
    noise: list[Array]
    sun: Array

    @classmethod
    def random(cls, seed: int, count: int) -> Paint:
        """A third of the surfaces are nearly plain."""
        rng = np.random.default_rng([seed, 9])
        strength = np.where(rng.random(count) < 1 / 3, 0.04, rng.uniform(0.3, 0.8, count))
        sun = np.array([rng.uniform(-0.6, 0.6), -1, -rng.uniform(0.3, 0.8)])
        noise = _octaves(rng, 128)
        levels = [noise]
        while len(levels) < 4:
            half = len(levels[-1]) // 2
            levels.append(levels[-1].reshape(half, 2, half, 2, half, 2).mean(axis=(1, 3, 5)))
        fineness = rng.uniform(20, 80, count)
        return cls(rng.uniform(0.15, 0.8, (count, 3)), strength, fineness, levels, sun / np.linalg.norm(sun))


class PaintedRoom:
    """A room with colours."""

    def __init__(self, seed: int) -> None:
        self.room = Room.random(seed)
        self.paint = Paint.random(seed, 2 + len(self.room.balls) + len(self.room.boxes))

    def picture(self, pose: Array) -> tuple[NDArray[np.uint8], Array]:
        """What a camera sees (H, W, 3), of 2 x 2 rays a pixel, and its depth at the pixels' centres (H, W)."""
        middle = ray_directions(CAMERA).astype(np.float64)
        light = np.zeros(middle.shape, np.float32)
        for across in (-0.25, 0.25):
            for down in (-0.25, 0.25):
                rays = (middle + np.array([across / CAMERA.fx, down / CAMERA.fy, 0])).reshape(-1, 3) @ pose[:3, :3].T
                light += self._light(pose[:3, 3], rays).reshape(light.shape) / 4
        depth = self.room.cast(pose[:3, 3], middle.reshape(-1, 3) @ pose[:3, :3].T).reshape(middle.shape[:2])
        return _encoded(light), depth

    def _light(self, origin: Array, rays: Array) -> Color:
        """Linear light (N, 3) that comes along rays (N, 3)."""
        t = self.room.cast(origin, rays)
        points = origin + t[:, None] * rays
        surface = self.room.distances(points).argmin(axis=0)
        normals = self._normals(points, surface)
        lit = ~np.isfinite(self.room.cast(points + 1e-3 * normals, np.broadcast_to(self.paint.sun, points.shape)))
        bright = 0.35 + 0.65 * lit * np.clip(normals @ self.paint.sun, 0, None)
        cells_per_m = self.paint.fineness[surface]
        pattern = self._noise(points * cells_per_m[:, None], t / CAMERA.fx * cells_per_m)
        albedo = self.paint.albedo[surface] * (1 + self.paint.strength[surface] * pattern)[:, None]
        return (albedo * bright[:, None]).astype(np.float32)

    def _normals(self, points: Array, surface: NDArray[np.integer]) -> Array:
        """The unit normals (N, 3) of the surfaces, numbered as in `Room.distances`, at points (N, 3)."""
        found = np.zeros(points.shape)
        found[surface == 0, 1] = -1
        found[surface == 1, 2] = -1
        for k, (centre, radius) in enumerate(self.room.balls, 2):
            found[surface == k] = (points[surface == k] - centre) / radius
        for k, (centre, half, angle) in enumerate(self.room.boxes, 2 + len(self.room.balls)):
            turn, here = turn_about_y(angle), surface == k
            local = (points[here] - centre) @ turn.T / half
            face = np.abs(local).argmax(axis=1)[:, None]
            normal = np.zeros(local.shape)
            np.put_along_axis(normal, face, np.sign(np.take_along_axis(local, face, axis=1)), axis=1)
            found[here] = normal @ turn
        return found

    def _noise(self, at: Array, size: Array) -> Array:
        """The noise (N,) at points (N, 3) in cells of it, as rays see it that are so many cells wide (N,)."""
        found = np.empty(len(at))
        level = np.clip(np.rint(np.log2(size)), 0, len(self.paint.noise) - 1)
        for k, noise in enumerate(self.paint.noise):
            here = level == k
            place = at[here] / 2**k
            low = np.floor(place)
            part, cell = place - low, low.astype(np.int64)
            found[here] = sum(
                np.where(np.array(corner) == 1, part, 1 - part).prod(axis=1)
                * noise[tuple(((cell + corner) % len(noise)).T)]
                for corner in np.ndindex(2, 2, 2)
            )
        return found


def _octaves(rng: np.random.Generator, size: int) -> Array:
    """Noise (size, size, size) in -1..1 of four octaves, which repeats; the coarsest is eight cells wide."""
    total = np.zeros((size,) * 3)
    for octave in range(4):
        times = 8 >> octave
        cells = rng.uniform(-1, 1, (size // times,) * 3)
        for axis in range(3):  # linear between cells
            place = np.arange(size) / times
            low, part = np.floor(place).astype(int), (place % 1).reshape([-1 if axis == k else 1 for k in range(3)])
            upper = np.take(cells, (low + 1) % cells.shape[axis], axis)
            cells = np.take(cells, low, axis) * (1 - part) + upper * part
        total += 0.7**octave * cells
    return np.clip(total, -1, 1)


def _encoded(light: Color) -> NDArray[np.uint8]:
    """Linear light as sRGB."""
    light = np.clip(light, 0, 1)
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255 * coded).astype(np.uint8)


def turned(pose: Array, right: float, up: float) -> Array:
    """A camera's pose turned about the room's middle by degrees, so that it goes to the right and up."""
    across, above = np.radians(right), -np.radians(up)
    about_x = np.array([[1, 0, 0], [0, np.cos(above), -np.sin(above)], [0, np.sin(above), np.cos(above)]])
    axes = pose[:3, :3]
    turn = axes @ turn_about_y(-across) @ about_x @ axes.T
    found = np.eye(4)
    found[:3, :3] = turn @ axes
    found[:3, 3] = MIDDLE + turn @ (pose[:3, 3] - MIDDLE)
    return found


@dataclass(frozen=True)
class View:
    """A new camera, from the left photo's axes, what it sees, and which pixels a photo shows."""

    pose: Array
    image: NDArray[np.uint8]
    depth_m: Array
    seen: NDArray[np.bool_]


def new_views(painted: PaintedRoom, left: Array) -> list[View]:
    """The new cameras about a room."""
    found = []
    for turn in TURNS:
        pose = turned(left, *turn)
        image, depth = painted.picture(pose)
        points = pose[:3, 3] + (ray_directions(CAMERA) * depth[..., None]).reshape(-1, 3) @ pose[:3, :3].T
        seen = np.zeros(len(points), bool)
        for k in (0, 1):
            place = left[:3, 3] + k * BASELINE_M * left[:3, 0]
            u, v, _ = project((points - place) @ left[:3, :3], CAMERA)
            inside = (u > -0.5) & (v > -0.5) & (u < CAMERA.width - 0.5) & (v < CAMERA.height - 0.5)
            seen |= inside & (painted.room.cast(place, points - place) > 1 - SEEN_SHARE)
        found.append(View(np.linalg.inv(left) @ pose, image, depth, seen.reshape(depth.shape)))
    return found


def photos(painted: PaintedRoom, left: Array, seed: int) -> tuple[StereoPair, Array]:
    """The two photos, and the depth of the left one (H, W)."""
    rng, found, depths = np.random.default_rng([seed, 10]), [], []
    for k in (0, 1):
        pose = left.copy()
        pose[:3, 3] += k * BASELINE_M * left[:3, 0]
        image, depth = painted.picture(pose)
        noisy = image + rng.standard_normal(image.shape)
        found.append(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
        depths.append(depth)
    return StereoPair(found[0], found[1], Calibration(CAMERA, BASELINE_M)), depths[0]


def sheet_of(scene: Scene, keep: NDArray[np.bool_] | None = None) -> TriangleMesh:
    """The pixels, or those to keep, as one sheet with the photo on it."""
    vertices, triangles = sheet(scene, keep)
    h, w = scene.depth_m.shape
    y, x = np.mgrid[:h, :w]
    uv = np.stack([(x + 0.5) / w, (y + 0.5) / h], axis=-1).reshape(-1, 2).astype(np.float32)
    colors = np.asarray(scene.image, np.uint8)
    normals = np.broadcast_to(np.array([0, 0, -1], np.float32), vertices.shape)
    return TriangleMesh(
        vertices.astype(np.float32), triangles.astype(np.int32), normals, colors.reshape(-1, 3), uv, colors
    )


def by_sgbm(cut: bool) -> Callable[[StereoPair, Scene], TriangleMesh]:
    """SGBM with the true range as a sheet; its holes take the farther depth beside them. Cut: where depth jumps 4 %."""

    def run(pair: StereoPair, exact: Scene) -> TriangleMesh:
        truth = (CAMERA.fx * BASELINE_M / exact.depth_m).astype(np.float32)
        found, _ = sgbm(pair.left, pair.right, truth)
        for row in found:
            known = np.flatnonzero(np.isfinite(row) & (row > 0.5 * truth.min()))
            at = np.arange(len(row))
            after = np.searchsorted(known, at).clip(0, len(known) - 1)
            beside = np.minimum(row[known[after]], row[known[np.maximum(after - 1, 0)]])
            row[:] = np.where(np.isin(at, known), row, beside)
        scene = replace(exact, depth_m=(CAMERA.fx * BASELINE_M / found).astype(np.float32))
        low, high = (f(scene.depth_m, np.ones((3, 3))) for f in (cv2.erode, cv2.dilate))
        return sheet_of(scene, np.asarray(high - low) <= 0.04 * scene.depth_m if cut else None)

    return run


def ours(preset: Preset, given: bool = False) -> Callable[[StereoPair, Scene], TriangleMesh]:
    """`depthapps mesh` on the two photos, or on them and the exact depth of the left one."""

    def run(pair: StereoPair, exact: Scene) -> TriangleMesh:
        params = SceneParams(calibration=pair.calibration, rectify=Rectify.NEVER)
        scene = exact if given else open_scene(pair.left, pair.right, params).scene
        return make_model(scene, ModelParams(preset)).mesh

    return run


def measure(model: TriangleMesh, views: list[View]) -> Array:
    """Black although seen, and unseen, %; depth off, %; PSNR of what is seen, and of the pictures, dB: means."""
    rows = []
    for view in views:
        found = render_view(model, CAMERA, pose=view.pose)
        there = (found.covered > 0.5) & view.seen
        off = np.abs(found.depth_m[there] / view.depth_m[there] - 1) > OFF_SHARE
        error = ((found.image.astype(float) - view.image) ** 2).mean(axis=-1)
        black = [100 * float(((found.covered <= 0.5) & place).mean()) for place in (view.seen, ~view.seen)]
        likeness = [10 * np.log10(255**2 / error[part].mean()) for part in (there, np.ones_like(there))]
        rows.append([*black, 100 * float(off.mean()), *likeness])
    return np.mean(rows, axis=0)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=4)
    arguments = parser.parse_args()
    methods = {
        "SGBM, one sheet": by_sgbm(cut=False), "SGBM, cut at 4 %": by_sgbm(cut=True),
        "`full`": ours(Preset.FULL), "`web`": ours(Preset.WEB),
        "`full`, exact depth": ours(Preset.FULL, given=True),
    }  # fmt: skip
    rows: dict[str, list[Array]] = {}
    for seed in range(arguments.rooms):
        painted, left = PaintedRoom(seed), poses(seed, 1)[0]
        pair, depth = photos(painted, left, seed)
        away = np.eye(4)
        away[0, 3] = -BASELINE_M
        exact = Scene(pair.left, depth.astype(np.float32), CAMERA, second=SecondView(pair.right, CAMERA, away))
        views = new_views(painted, left)
        for name, method in methods.items():
            start = time.perf_counter()
            model = method(pair, exact)
            seconds = time.perf_counter() - start
            rows.setdefault(name, []).append(np.append(measure(model, views), seconds))
    print("| | black, seen % | black, unseen % | off % | PSNR where seen | of all | s |")
    print("|---|---|---|---|---|---|---|")
    for name, found in rows.items():
        torn, hidden, off, seen, psnr, seconds = np.mean(found, axis=0)
        print(f"| {name} | {torn:.2f} | {hidden:.2f} | {off:.1f} | {seen:.1f} | {psnr:.1f} | {seconds:.1f} |")


if __name__ == "__main__":
    main()
