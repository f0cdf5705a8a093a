"""Random meshes about one metre large, around the origin, Y down."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import trimesh
from numpy.typing import NDArray

Rng = np.random.Generator
Mesh = Any  # trimesh.Trimesh, which concatenate() does not say it returns


def bumpy(rng: Rng) -> Mesh:
    """A ball with bumps."""
    mesh = trimesh.creation.icosphere(subdivisions=4, radius=0.5)
    points = np.asarray(mesh.vertices)
    for _ in range(rng.integers(2, 8)):
        wave = rng.normal(0, rng.uniform(2, 7), 3)
        points = points * (1 + rng.uniform(0.02, 0.12) * np.sin(points @ wave + rng.uniform(0, 6)))[:, None]
    return trimesh.Trimesh(points, mesh.faces, process=False)


def card(rng: Rng) -> Mesh:
    """A thin polygon with a ragged or round outline."""
    corners = rng.integers(3, 24)
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radius = 0.5 * rng.uniform(rng.choice([0.2, 0.8]), 1, corners)
    rim = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    points = np.vstack([[0, 0], rim])
    faces = [[0, k + 1, (k + 1) % corners + 1] for k in range(corners)]
    bend = rng.choice([0, 0.6]) * rng.normal(0, 1, 2)
    z = (points**2 @ bend)[:, None]
    return trimesh.Trimesh(np.hstack([points, z]), faces, process=False)


def curtain(rng: Rng) -> Mesh:
    """A hanging, folded cloth."""
    y, x = np.mgrid[0:20, 0:80] / np.array([19, 79])[:, None, None] - 0.5
    z = rng.uniform(0.01, 0.08) * np.sin(x * rng.uniform(10, 50) + 2 * y + rng.normal(0, 0.5)) * (0.7 + y)
    index = np.arange(20 * 80).reshape(20, 80)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    faces = np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, b, c), (b, d, c))])
    return trimesh.Trimesh(np.stack([x, y, z], -1).reshape(-1, 3), faces, process=False)


def plant(rng: Rng) -> Mesh:
    """Leaves on stalks, or a bush."""
    leaves = []
    for _ in range(rng.integers(8, 60)):
        width, length = rng.uniform(0.02, 0.12), rng.uniform(0.08, 0.4)
        outline = np.array([[0, 0, 0], [width, length / 2, 0.03], [-width, length / 2, 0.03], [0, length, -0.05]])
        leaf = trimesh.Trimesh(outline, [[0, 1, 2], [1, 3, 2]], process=False)
        leaf.apply_transform(trimesh.transformations.random_rotation_matrix(rng.random(3)))
        leaf.apply_translation(rng.normal(0, 0.22, 3))
        leaves.append(leaf)
    for _ in range(rng.integers(0, 6)):
        leaves.append(bar(rng).apply_scale([0.6, 1, 0.6]))
    return trimesh.util.concatenate(leaves)


def bar(rng: Rng) -> Mesh:
    """A thin bar, upright or not."""
    return trimesh.creation.cylinder(radius=rng.uniform(0.006, 0.05), height=1, sections=12).apply_transform(
        trimesh.transformations.random_rotation_matrix(rng.random(3))
        if rng.random() < 0.5
        else trimesh.transformations.rotation_matrix(rng.choice([0, np.pi / 2]), [1, 0, 0])
    )


def fence(rng: Rng) -> Mesh:
    """Thin bars in a row, between two rails."""
    radius, count = rng.uniform(0.004, 0.02), rng.integers(3, 12)
    turn = trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0])
    bars = []
    for k in range(count):
        bar = trimesh.creation.cylinder(radius=radius, height=1, sections=8).apply_transform(turn)
        bars.append(bar.apply_translation([k / (count - 1) - 0.5, 0, 0]))
    for y in (-0.4, 0.4):
        rail = trimesh.creation.box([1, 2 * radius, 2 * radius]).apply_translation([0, y, 0])
        bars.append(rail)
    return trimesh.util.concatenate(bars)


def box(rng: Rng) -> Mesh:
    """A box."""
    return trimesh.creation.box(rng.uniform(0.15, 1, 3))


def book_pile(rng: Rng) -> Mesh:
    """Thin boxes on one another."""
    boxes, y = [], 0.5
    for _ in range(rng.integers(2, 8)):
        size = np.array([rng.uniform(0.5, 1), rng.uniform(0.04, 0.2), rng.uniform(0.3, 0.8)])
        box = trimesh.creation.box(size)
        box.apply_transform(trimesh.transformations.rotation_matrix(rng.normal(0, 0.2), [0, 1, 0]))
        y -= size[1] / 2
        boxes.append(box.apply_translation([rng.normal(0, 0.05), y, 0]))
        y -= size[1] / 2
    return trimesh.util.concatenate(boxes)


def turned(rng: Rng) -> Mesh:
    """Cylinder, cone, ring, ball or a turned vase."""
    kind = rng.integers(0, 5)
    if kind == 0:
        return trimesh.creation.cylinder(radius=rng.uniform(0.15, 0.5), height=1, sections=64)
    if kind == 1:
        return trimesh.creation.cone(radius=rng.uniform(0.2, 0.5), height=1, sections=64)
    if kind == 2:
        return trimesh.creation.torus(rng.uniform(0.25, 0.45), rng.uniform(0.03, 0.15), 64, 24)
    if kind == 3:
        return trimesh.creation.icosphere(subdivisions=4, radius=0.5)
    heights = np.linspace(-0.5, 0.5, 24)
    radii = np.clip(0.25 + 0.12 * np.sin(heights * rng.uniform(3, 9) + rng.uniform(0, 6)), 0.03, None)
    radii[0] = radii[-1] = 0
    return trimesh.creation.revolve(np.column_stack([radii, heights]), sections=64)


def _block(size: Sequence[float], x: float, y: float, z: float) -> Mesh:
    return trimesh.creation.box(size).apply_translation([x, y, z])


def chair(rng: Rng) -> Mesh:
    """A chair: four legs, a seat, and a back of bars or boards."""
    leg, width, seat = rng.uniform(0.015, 0.045), rng.uniform(0.35, 0.5), rng.uniform(-0.05, 0.1)
    x, z = width / 2 - leg, width / 2 - leg
    parts = [_block((leg, 0.5 - seat, leg), side * x, (0.5 + seat) / 2, k * z) for side in (-1, 1) for k in (-1, 1)]
    parts.append(_block((width, 0.03, width), 0, seat, 0))
    parts += [_block((leg, seat + 0.5, leg), side * x, (seat - 0.5) / 2, z) for side in (-1, 1)]
    thin, count = rng.uniform(0.008, 0.04), rng.integers(2, 8)
    if rng.random() < 0.5:
        parts.append(_block((width, 0.05, leg), 0, -0.48, z))
        parts += [_block((thin, seat + 0.5, thin), v, (seat - 0.5) / 2, z) for v in np.linspace(-x, x, count + 2)[1:-1]]
    else:
        parts += [_block((width, 1.5 * thin, thin), 0, v, z) for v in np.linspace(-0.48, seat - 0.08, count)]
    return trimesh.util.concatenate(parts)


def table(rng: Rng) -> Mesh:
    """A table, or shelves when there is more than one board."""
    leg, boards, deep = rng.uniform(0.02, 0.07), int(rng.choice([1, 1, 1, 3, 4])), rng.uniform(0.3, 0.6)
    high = rng.uniform(0.4, 0.9) if boards == 1 else 1.0
    x, z = 0.5 - leg, deep / 2 - leg
    parts = [_block((leg, high, leg), side * x, 0.5 - high / 2, k * z) for side in (-1, 1) for k in (-1, 1)]
    parts += [_block((1, 0.03, deep), 0, 0.5 - high + k * high / boards, 0) for k in range(boards)]
    return trimesh.util.concatenate(parts)


def cable(rng: Rng) -> Mesh:
    """A cord between two points, which sags."""
    x = np.linspace(-0.5, 0.5, 17)
    points = np.column_stack([x, rng.uniform(0, 0.4) * (0.25 - x * x) + rng.normal(0, 0.1) * x, rng.normal(0, 0.3) * x])
    radius = rng.uniform(0.002, 0.008)
    links = itertools.pairwise(points)
    return trimesh.util.concatenate([trimesh.creation.cylinder(radius, segment=link, sections=6) for link in links])


def twigs(rng: Rng) -> Mesh:
    """Stalks that fan out from one point and fork, some with a head."""
    parts = []

    def grow(start: NDArray[np.floating], direction: NDArray[np.floating], length: float, radius: float) -> None:
        end = start + length * direction / np.linalg.norm(direction)
        parts.append(trimesh.creation.cylinder(radius, segment=(start, end), sections=6))
        if length > 0.25 and rng.random() < 0.6:
            for _ in range(2):
                grow(end, direction + rng.normal(0, 0.4, 3), 0.6 * length, 0.7 * radius)
        elif rng.random() < 0.4:
            parts.append(trimesh.creation.icosphere(1, rng.uniform(0.01, 0.04)).apply_translation(end))

    radius = rng.uniform(0.003, 0.012)
    for _ in range(rng.integers(3, 12)):
        lean = np.array([rng.normal(0, 0.35), -1, rng.normal(0, 0.35)])
        grow(np.array([0, 0.5, 0]), lean, rng.uniform(0.4, 0.9), radius)
    return trimesh.util.concatenate(parts)


# what scenes are made of, and how often
KINDS = (
    (box, 0.17),
    (book_pile, 0.06),
    (turned, 0.17),
    (bumpy, 0.09),
    (card, 0.09),
    (plant, 0.07),
    (bar, 0.08),
    (fence, 0.05),
    (curtain, 0.03),
    (chair, 0.07),
    (table, 0.05),
    (cable, 0.04),
    (twigs, 0.03),
)
