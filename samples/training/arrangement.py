"""Random scenes: a room or an open ground, with a few to a few dozen solids, thin bars, cards and plants in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import trimesh
from numpy.typing import NDArray
from paint import TEXTURE_SIZE, color
from solids import KINDS

Floats = NDArray[np.floating[Any]]
Rng = np.random.Generator

TEXTURES = 24  # in a scene
PLAIN_TEXTURES = 6  # of these, the first ones: plain paint
_PLAIN_WALLS = 0.5  # share of a room's walls that are painted plain; they are what matchers get wrong


@dataclass(frozen=True)
class Solid:
    """A mesh in its own frame, where it stands, and how it looks."""

    mesh: trimesh.Trimesh
    pose: Floats  # (4, 4)
    texture: int
    texels_per_metre: float
    shine: float
    tint: Floats  # (3,)


def _placed(mesh: trimesh.Trimesh, position: Floats, size: Floats | float, rng: Rng, upright: bool) -> Solid:
    if upright:
        turn = trimesh.transformations.rotation_matrix(rng.uniform(0, 2 * np.pi), [0, 1, 0])
        turn = turn @ trimesh.transformations.rotation_matrix(rng.normal(0, 0.05), [1, 0, 0])
    else:
        turn = trimesh.transformations.random_rotation_matrix(rng.random(3))
    pose = turn.copy()
    pose[:3, 3] = position
    mesh = mesh.copy()
    mesh.apply_scale(size)
    return Solid(
        mesh,
        pose,
        int(rng.integers(TEXTURES)),
        TEXTURE_SIZE / (float(np.mean(size)) * rng.uniform(0.4, 2.5)),
        float(rng.choice([0, 0, 0.1, 0.4])),
        0.6 + 0.4 * color(rng),
    )


def _plane(corner: Floats, across: Floats, down: Floats, rng: Rng, metres: float, plain: float = 0) -> Solid:
    """A parallelogram; `plain`: how likely it is painted plain, not by chance alone."""
    points = np.array([corner, corner + across, corner + down, corner + across + down])
    mesh = trimesh.Trimesh(points, [[0, 1, 2], [1, 3, 2]], process=False)
    density = TEXTURE_SIZE / (metres * rng.uniform(0.15, 1.5))
    kinds = PLAIN_TEXTURES if rng.random() < plain else TEXTURES
    return Solid(mesh, np.eye(4), int(rng.integers(kinds)), density, float(rng.choice([0, 0, 0.15])), np.ones(3))


def random_scene(rng: Rng, aspect: float) -> tuple[list[Solid], float]:
    """Solids in camera axes (X right, Y down, Z forward), and the focal length in widths."""
    focal = rng.uniform(0.7, 1.7)
    outdoors = rng.random() < 0.3
    near = 1.0
    far = near * (rng.uniform(6, 40) if outdoors else rng.uniform(1.6, 6))
    floor = rng.uniform(0.25, 0.9) * (1.4 if outdoors else 1.0)
    half = 0.5 / focal  # of the width, at unit depth
    big = np.array([200.0, 0, 0])
    solids = []
    tilt = rng.normal(0, 0.06)
    if rng.random() < 0.85:  # ground, tilted a little
        solids.append(
            _plane(np.array([-100.0, floor - 5 * tilt, -5]), big, np.array([0, tilt * 300, 300.0]), rng, far * 0.5)
        )
    if not outdoors:
        slant = rng.normal(0, 0.35)
        back = np.array([-100.0, -100.0, far - 100 * slant])
        solids.append(
            _plane(
                back, np.array([200.0, 0, 200 * slant]), np.array([0, 200.0, rng.normal(0, 20)]), rng, far, _PLAIN_WALLS
            )
        )
        for _ in range(rng.integers(0, 5)):  # pictures on the wall
            x, y = rng.uniform(-1, 1) * half * far, rng.uniform(-1, 0.3) * half * aspect * far
            wide, high = half * far * np.exp(rng.uniform(np.log(0.1), np.log(0.5), 2))
            at = np.array([x, y, far + x * slant - 0.01 * far])
            solids.append(_plane(at, np.array([wide, 0, wide * slant]), np.array([0, high, 0]), rng, wide))
        for side in (-1, 1):
            if rng.random() < 0.3:
                x = side * half * far * rng.uniform(0.4, 1.0)
                solids.append(
                    _plane(
                        np.array([x, -100.0, -5]),
                        np.array([0, 0, 300.0]),
                        np.array([0, 200.0, 0]),
                        rng,
                        far,
                        _PLAIN_WALLS,
                    )
                )
    else:
        for _ in range(rng.integers(0, 9)):  # buildings and walls
            z = rng.uniform(3, far)
            side = rng.choice([-1, 1])
            size = np.array([rng.uniform(1, 6), rng.uniform(2, 12), rng.uniform(2, 12)])
            position = np.array([side * (half * z * rng.uniform(0.3, 1.2) + size[0] / 2), floor - size[1] / 2 + 0.2, z])
            solids.append(_placed(trimesh.creation.box([1, 1, 1]), position, size, rng, True))
        if rng.random() < 0.5:
            backdrop = np.array([-200.0, -10.0, far * 1.5])
            solids.append(_plane(backdrop, np.array([400.0, 0, 0]), np.array([0, 40.0, 0]), rng, far))
    makers, weights = zip(*KINDS, strict=True)
    for _ in range(int(rng.choice([6, 12, 20, 30, 45]) * rng.uniform(0.6, 1.2))):
        mesh = makers[rng.choice(len(makers), p=np.array(weights) / sum(weights))](rng)
        z = 1 / rng.uniform(1 / far, 1 / near)
        x, y = rng.uniform(-1.1, 1.1) * half * z, rng.uniform(-1.1, 1.1) * half * aspect * z
        size = (
            half
            * z
            * np.exp(rng.uniform(np.log(0.12), np.log(1.1)))
            * (rng.uniform(0.5, 1.5, 3) if rng.random() < 0.5 else np.ones(3))
        )
        upright = rng.random() < 0.65
        if upright and rng.random() < 0.6:
            y = floor + tilt * z - size[1] / 2  # stands on the ground
        solids.append(_placed(mesh, np.array([x, y, z + size.max() / 2]), size, rng, upright))
    return solids, focal
