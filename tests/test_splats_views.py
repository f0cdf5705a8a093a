"""From new places, splats look as much like the truth as the mesh does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import depthapps as da
from depthapps.apps.turntable import turned_about
from depthapps.core.color import srgb_encode

CAMERA = da.Camera.centred(160, 120, 150.0)
BALLS = (((-0.5, 0.3, 2.4), 0.35), ((0.45, 0.55, 2.0), 0.25), ((0.1, -0.2, 3.0), 0.3))
FLOOR_M, WALL_M = 0.8, 4.0
MIDDLE_M = 2.5
DRAWN = 3.0  # standard deviations of a splat
OPACITY, BLUR_PX2 = 0.99, 0.3  # as files have it; what the paper's program adds to the variance of each


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


def look(pose: NDArray[np.floating], samples: int = 4) -> NDArray[np.uint8]:
    """What a camera sees: linear light of waves in space, with samples x samples rays a pixel."""
    at = (np.arange(samples) + 0.5) / samples - 0.5
    x, y = (np.add.outer(np.arange(n), at).ravel() for n in (CAMERA.width, CAMERA.height))
    u, v = np.meshgrid((x - CAMERA.cx) / CAMERA.fx, (y - CAMERA.cy) / CAMERA.fy)
    rays = np.stack([u, v, np.ones_like(u)], axis=-1).reshape(-1, 3) @ pose[:3, :3].T
    points = pose[:3, 3] + rays * cast(pose[:3, 3], rays)[:, None]
    waves = points @ np.array([[9, 2, 0], [0, 11, 3], [4, 0, 8]]).T
    light = (0.3 + 0.2 * np.sin(waves) + 0.1 * np.sin(2 * waves[:, [1, 2, 0]])).clip(0, 1)
    shape = CAMERA.height, samples, CAMERA.width, samples, 3
    return np.rint(255 * srgb_encode(light.reshape(shape).mean(axis=(1, 3)).astype(np.float32))).astype(np.uint8)


def depth() -> NDArray[np.float32]:
    u, v = np.meshgrid(
        (np.arange(CAMERA.width) - CAMERA.cx) / CAMERA.fx, (np.arange(CAMERA.height) - CAMERA.cy) / CAMERA.fy
    )
    rays = np.stack([u, v, np.ones_like(u)], axis=-1).reshape(-1, 3)
    return cast(np.zeros(3), rays).reshape(CAMERA.height, CAMERA.width).astype(np.float32)


def draw(splats: da.GaussianSplats, pose: NDArray[np.floating]) -> NDArray[np.floating]:
    """Draw splats (H, W, 3) as viewers do: each as a Gaussian in the picture (Zwicker 2001), nearest last, in sRGB."""
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
    fx, fy = CAMERA.fx / depth_m, CAMERA.fy / depth_m
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
    places = points[:, :2] * np.column_stack([fx, fy]) + (CAMERA.cx, CAMERA.cy)
    first = np.floor(places).astype(int) - reach
    last = np.ceil(places).astype(int) + reach + 1
    canvas = np.zeros((CAMERA.height, CAMERA.width, 3), np.float32)
    for k in np.argsort(-depth_m):
        (x0, y0), (x1, y1) = np.maximum(first[k], 0), np.minimum(last[k], (CAMERA.width, CAMERA.height))
        if x0 >= x1 or y0 >= y1 or depth_m[k] <= 0:
            continue
        dx, dy = np.arange(x0, x1) - places[k, 0], (np.arange(y0, y1) - places[k, 1])[:, None]
        (a, b), (_, c) = inverse[k]
        alpha = (OPACITY * np.exp(-0.5 * (a * dx * dx + 2 * b * dx * dy + c * dy * dy)))[..., None]
        part = canvas[y0:y1, x0:x1]
        part += alpha * (splats.colors[k] - part)
    return canvas


def psnr(picture: NDArray, truth: NDArray) -> float:
    inside = np.s_[8:-8, 8:-8]
    return float(10 * np.log10(255**2 / np.mean((picture[inside].astype(float) - truth[inside]) ** 2)))


def test_splats_look_as_much_like_the_truth_as_the_mesh_does():
    scene = da.Scene(look(np.eye(4)), depth(), CAMERA)
    mesh = da.make_model(scene, da.ModelParams(turn_deg=15))
    cloud = da.make_model(scene, da.ModelParams(turn_deg=15, splats=True)).cloud
    splats = da.splats_of_cloud(cloud, CAMERA)
    lost = []
    for yaw, pitch in ((8, 0), (-8, 4)):
        pose = turned_about(MIDDLE_M, yaw, pitch)
        truth = look(pose)
        of_mesh = psnr(da.render_view(mesh, CAMERA, pose=pose).image, truth)
        assert of_mesh > 24
        lost.append(of_mesh - psnr(draw(splats, pose), truth))
    assert np.mean(lost) < 1
    assert max(lost) < 1.4
