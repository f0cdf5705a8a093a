"""From new places, splats look as much like the truth as the mesh does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

import depthapps as da
from depthapps.apps.turntable import turned_about
from depthapps.core.color import srgb_encode

Texture = Callable[[NDArray[np.floating]], NDArray[np.floating]]
CAMERA = da.Camera.centred(160, 120, 150.0)
BALLS = (((-0.5, 0.3, 2.4), 0.35), ((0.45, 0.55, 2.0), 0.25), ((0.1, -0.2, 3.0), 0.3))
FLOOR_M, WALL_M = 0.8, 4.0
MIDDLE_M = 2.5
DRAWN = 3.0  # standard deviations of a splat
BLUR_PX2 = 0.3  # what the paper's program adds to the variance of each


def cast(origin: NDArray[np.floating], rays: NDArray[np.floating]) -> NDArray[np.floating]:
    """How many times its length each ray (N, 3) goes to the surface of a room with a floor, a wall and three balls."""
    with np.errstate(divide="ignore", invalid="ignore"):
        floor, wall = (FLOOR_M - origin[1]) / rays[:, 1], (WALL_M - origin[2]) / rays[:, 2]
    nearest = np.minimum(np.where(floor > 0, floor, np.inf), np.where(wall > 0, wall, np.inf))
    for centre, radius in BALLS:
        start = origin - np.array(centre)
        a, b, c = (rays**2).sum(axis=1), rays @ start, start @ start - radius**2
        root = b * b - a * c
        t = (-b - np.sqrt(np.maximum(root, 0))) / a
        nearest = np.where((root > 0) & (t > 0) & (t < nearest), t, nearest)
    return nearest


def waves(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Linear light (N, 3) of a smooth texture: waves in space."""
    phase = points @ np.array([[9, 2, 0], [0, 11, 3], [4, 0, 8]]).T
    return 0.3 + 0.2 * np.sin(phase) + 0.1 * np.sin(2 * phase[:, [1, 2, 0]])


def grains(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Linear light (N, 3) of a fine texture: random values in cells of two pixels at MIDDLE_M, interpolated."""
    values = np.random.default_rng(5).random((64, 64, 64, 3))
    places = points / (2 * MIDDLE_M / CAMERA.fx)
    cell = np.floor(places).astype(int)
    share, light = places - cell, np.zeros((len(points), 3))
    for corner in np.ndindex(2, 2, 2):
        weight = np.where(corner, share, 1 - share).prod(axis=1)
        light += weight[:, None] * values[tuple(((cell + corner) % 64).T)]
    return 0.03 + 0.8 * light


def look(texture: Texture, camera: da.Camera, pose: NDArray[np.floating], samples: int = 4) -> NDArray[np.uint8]:
    """What a camera sees of a texture, with samples x samples rays a pixel."""
    at = (np.arange(samples) + 0.5) / samples - 0.5
    x, y = (np.add.outer(np.arange(n), at).ravel() for n in (camera.width, camera.height))
    u, v = np.meshgrid((x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy)
    rays = np.stack([u, v, np.ones_like(u)], axis=-1).reshape(-1, 3) @ pose[:3, :3].T
    points = pose[:3, 3] + rays * cast(pose[:3, 3], rays)[:, None]
    light = texture(points).clip(0, 1)
    shape = camera.height, samples, camera.width, samples, 3
    return np.rint(255 * srgb_encode(light.reshape(shape).mean(axis=(1, 3)).astype(np.float32))).astype(np.uint8)


def depth() -> NDArray[np.float32]:
    u, v = np.meshgrid(
        (np.arange(CAMERA.width) - CAMERA.cx) / CAMERA.fx, (np.arange(CAMERA.height) - CAMERA.cy) / CAMERA.fy
    )
    rays = np.stack([u, v, np.ones_like(u)], axis=-1).reshape(-1, 3)
    return cast(np.zeros(3), rays).reshape(CAMERA.height, CAMERA.width).astype(np.float32)


def draw(splats: da.GaussianSplats, camera: da.Camera, pose: NDArray[np.floating]) -> NDArray[np.floating]:
    """Draw splats (H, W, 3) as viewers do: each as a Gaussian in the picture (Zwicker 2001), nearest last, in sRGB."""
    assert splats.opacities is not None
    into = np.linalg.inv(pose)
    points = splats.centers @ into[:3, :3].T + into[:3, 3]
    w, x, y, z = splats.rotations.T.astype(float)
    turned = np.stack([
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ], axis=1).reshape(-1, 3, 3)  # fmt: skip
    axes = into[:3, :3] @ turned * splats.scales_m[:, None, :]
    depth_m, zero = points[:, 2], np.zeros(len(points))
    fx, fy = camera.fx / depth_m, camera.fy / depth_m
    jacobian = np.stack(
        [
            np.column_stack([fx, zero, -fx * points[:, 0] / depth_m]),
            np.column_stack([zero, fy, -fy * points[:, 1] / depth_m]),
        ],
        axis=1,
    )
    seen = jacobian @ axes
    spread = seen @ seen.transpose(0, 2, 1)
    spread = spread + BLUR_PX2 * np.eye(2)
    inverse = np.linalg.inv(spread)
    reach = np.ceil(DRAWN * np.sqrt(spread[:, [0, 1], [0, 1]])).astype(int)
    places = points[:, :2] * np.column_stack([fx, fy]) + (camera.cx, camera.cy)
    first = np.floor(places).astype(int) - reach
    last = np.ceil(places).astype(int) + reach + 1
    canvas = np.zeros((camera.height, camera.width, 3), np.float32)
    for k in np.argsort(-depth_m):
        (x0, y0), (x1, y1) = np.maximum(first[k], 0), np.minimum(last[k], (camera.width, camera.height))
        if x0 >= x1 or y0 >= y1 or depth_m[k] <= 0:
            continue
        dx, dy = np.arange(x0, x1) - places[k, 0], (np.arange(y0, y1) - places[k, 1])[:, None]
        (a, b), (_, c) = inverse[k]
        alpha = (splats.opacities[k] * np.exp(-0.5 * (a * dx * dx + 2 * b * dx * dy + c * dy * dy)))[..., None]
        part = canvas[y0:y1, x0:x1]
        part += alpha * (splats.colors[k] - part)
    return canvas


def psnr(picture: NDArray, truth: NDArray) -> float:
    inside = np.s_[8:-8, 8:-8]
    return float(10 * np.log10(255**2 / np.mean((picture[inside].astype(float) - truth[inside]) ** 2)))


@pytest.mark.parametrize("texture", [waves, grains])
def test_splats_look_as_much_like_the_truth_as_the_mesh_does(texture: Texture):
    scene = da.Scene(look(texture, CAMERA, np.eye(4)), depth(), CAMERA)
    mesh = da.make_model(scene, da.ModelParams(turn_deg=15))
    cloud = da.make_model(scene, da.ModelParams(turn_deg=15, splats=True)).cloud
    splats = da.splats_of_cloud(cloud, CAMERA)
    lost = []
    for yaw, pitch, zoom in ((8, 0, 1.0), (-8, 4, 1.0), (8, 0, 1.5), (-8, 4, 2.0)):
        camera = replace(CAMERA, fx=CAMERA.fx * zoom, fy=CAMERA.fy * zoom)
        pose = turned_about(MIDDLE_M, yaw, pitch)
        truth = look(texture, camera, pose)
        of_mesh = psnr(da.render_view(mesh, camera, pose=pose).image, truth)
        assert of_mesh > (24 if zoom == 1 else 22)  # less of the sharp wall is in the picture
        lost.append(of_mesh - psnr(draw(splats, camera, pose), truth))
    assert np.mean(lost) < 1
    assert max(lost) < 1.4


@pytest.mark.parametrize(("texture", "least_db"), [(waves, 33), (grains, 28)])
def test_from_where_the_photo_was_taken_splats_show_it(texture: Texture, least_db: float):
    photo = look(texture, CAMERA, np.eye(4))
    cloud = da.make_model(da.Scene(photo, depth(), CAMERA), da.ModelParams(turn_deg=15, splats=True)).cloud
    splats = da.splats_of_cloud(cloud, CAMERA)
    assert psnr(draw(splats, CAMERA, np.eye(4)), photo) > least_db
