"""Triangle meshes of the sample still life, made with numpy: lathed pots, tubes, rounded boxes, sheets.

World axes: X to the right, Y away from the camera, Z up; metres.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Doubles = NDArray[np.float64]


@dataclass
class Mesh:
    """Vertices with normals and texture coordinates, and the triangles that join them."""

    points: Doubles
    normals: Doubles
    uvs: Doubles
    triangles: NDArray[np.int64]

    def placed(self, position: ArrayLike, turn: float = 0.0, tilt: float = 0.0) -> "Mesh":
        """A copy tilted about X, then turned about Z (degrees), then moved."""
        rotation = _rotation(2, turn) @ _rotation(0, tilt)
        points = self.points @ rotation.T + np.asarray(position, float)
        return Mesh(points, self.normals @ rotation.T, self.uvs, self.triangles)


def _rotation(axis: int, degrees: float) -> Doubles:
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    matrix = np.eye(3)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix[first, first] = matrix[second, second] = cosine
    matrix[first, second], matrix[second, first] = -sine, sine
    return matrix


def _unit(vectors: Doubles) -> Doubles:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def join(meshes: Sequence[Mesh]) -> Mesh:
    """Several meshes as one."""
    offsets = np.cumsum([0] + [len(mesh.points) for mesh in meshes[:-1]])
    return Mesh(
        np.concatenate([mesh.points for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.uvs for mesh in meshes]),
        np.concatenate([mesh.triangles + offset for mesh, offset in zip(meshes, offsets, strict=True)]),
    )


def sheet(points: Doubles, wraps: bool = False) -> Mesh:
    """Mesh over a (rows, columns, 3) grid; rows are texture v, columns u; ``wraps`` closes the columns."""
    rows, columns = points.shape[:2]
    if wraps:
        padded = np.concatenate([points[:, -2:-1], points, points[:, 1:2]], axis=1)
        along_u = (padded[:, 2:] - padded[:, :-2]) / 2
    else:
        along_u = np.gradient(points, axis=1)
    normals = np.cross(along_u, np.gradient(points, axis=0))
    # Poles of a lathed shape have no u direction: borrow the normal of the neighbouring row.
    for pole, neighbour in ((0, 1), (-1, -2)):
        if np.linalg.norm(along_u[pole], axis=-1).max() < 1e-9:
            normals[pole] = _unit(normals[neighbour].mean(axis=0, keepdims=True))
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    index = np.arange(rows * columns).reshape(rows, columns)
    corners = [index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]]
    a, b, c, d = (corner.ravel() for corner in corners)
    triangles = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    return Mesh(points.reshape(-1, 3), _unit(normals).reshape(-1, 3), np.stack([u, v], -1).reshape(-1, 2), triangles)


def spline(knots: ArrayLike, count: int) -> Doubles:
    """Smooth curve through the knots (Catmull-Rom), resampled evenly along its length."""
    knots = np.asarray(knots, float)
    padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    t = np.linspace(0, 1, 40)[:, None]
    pieces = []
    for p0, p1, p2, p3 in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        bend = 2 * p0 - 5 * p1 + 4 * p2 - p3
        pieces.append(p1 + 0.5 * t * (p2 - p0 + t * (bend + t * (3 * (p1 - p2) + p3 - p0))))
    dense = np.concatenate(pieces)
    travelled = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(dense, axis=0), axis=1))])
    wanted = np.linspace(0, travelled[-1], count)
    return np.stack([np.interp(wanted, travelled, dense[:, axis]) for axis in range(knots.shape[1])], axis=1)


def lathe(profile: ArrayLike, rows: int = 160, columns: int = 160, relief: ArrayLike | None = None) -> Mesh:
    """Surface of revolution of (radius, height) knots, bottom first; ``relief`` (rows, columns) is added to the radius.

    Texture u runs around from the far side (so the seam is hidden), v along the profile.
    """
    curve = spline(profile, rows)
    angle = np.pi / 2 + np.linspace(0, 2 * np.pi, columns)
    radius = np.maximum(curve[:, :1], 0) * np.ones((1, columns))
    if relief is not None:
        radius = np.where(radius > 1e-6, np.maximum(radius + np.asarray(relief), 0), 0)
    height = np.repeat(curve[:, 1:], columns, axis=1)
    return sheet(np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=-1), wraps=True)


def tube(path: Doubles, radius: ArrayLike, sides: int = 10) -> Mesh:
    """Tube along a polyline; the radius may vary along it."""
    tangents = _unit(np.gradient(path, axis=0))
    side = np.cross(tangents[0], np.array([0.31, 0.87, 0.39]))
    frames = []
    for tangent in tangents:
        side = side - tangent * (side @ tangent)
        side = side / np.linalg.norm(side)
        frames.append((side, np.cross(tangent, side)))
    first, second = (np.array(vectors)[:, None] for vectors in zip(*frames, strict=True))
    angle = np.linspace(0, 2 * np.pi, sides + 1)[None, :, None]
    radii = np.broadcast_to(np.asarray(radius, float), len(path))[:, None, None]
    return sheet(path[:, None] + radii * (np.cos(angle) * first + np.sin(angle) * second), wraps=True)


def rounded_box(size: ArrayLike, bevel: float, steps: int = 24) -> Mesh:
    """Box of (x, y, z) size centred on the origin with rounded edges; each face spans the whole texture."""
    half = np.asarray(size, float) / 2
    bevel = min(bevel, half.min() * 0.99)
    # Put grid lines where the rounding happens.
    ends = np.linspace(0, 1, 6)
    faces = []
    for u_axis, v_axis, axis in ((0, 1, 2), (1, 2, 0), (0, 2, 1)):
        lines = []
        for along in (u_axis, v_axis):
            inner = half[along] - bevel
            middle = np.linspace(-inner, inner, steps)[1:-1]
            lines.append(np.concatenate([-half[along] + bevel * ends, middle, inner + bevel * ends]))
        u, v = np.meshgrid(*lines)
        for sign in (-1, 1):
            grid = np.zeros((*u.shape, 3))
            grid[..., u_axis], grid[..., v_axis], grid[..., axis] = u, v, sign * half[axis]
            core = np.clip(grid, bevel - half, half - bevel)
            outward = _unit(grid - core)
            face = sheet(core + bevel * outward)
            face.normals = outward.reshape(-1, 3)
            face.uvs = np.stack([u / half[u_axis], v / half[v_axis]], axis=-1).reshape(-1, 2) / 2 + 0.5
            if (sign > 0) == (axis == 1):
                face.triangles = face.triangles[:, ::-1]
            faces.append(face)
    return join(faces)


def leaf(length: float, width: float, fold: float = 0.25, droop: float = 0.3) -> Mesh:
    """Oval leaf along +Y, folded along its middle and drooping towards the tip."""
    along = np.linspace(0, 1, 16)[:, None]
    across = np.linspace(-1, 1, 9)[None, :]
    half_width = width / 2 * np.sin(np.pi * along**0.8) ** 0.8
    x = half_width * across
    y = length * along * np.ones_like(across)
    z = fold * np.abs(x) - droop * length * along**2 * np.ones_like(across)
    return sheet(np.stack([x, y, z], axis=-1))


def aimed(mesh: Mesh, position: ArrayLike, direction: ArrayLike, roll: float) -> Mesh:
    """A copy whose +Y points in ``direction``, rolled about it (radians), moved to ``position``."""
    forward = _unit(np.asarray(direction, float))
    sideways = _unit(np.cross(forward, np.array([0.05, 0.1, 1.0])))
    upward: Doubles = np.cross(sideways, forward)
    x_axis = np.cos(roll) * sideways + np.sin(roll) * upward
    z_axis = np.cos(roll) * upward - np.sin(roll) * sideways
    rotation = np.stack([x_axis, forward, z_axis], axis=1)
    points = mesh.points @ rotation.T + np.asarray(position, float)
    return Mesh(points, mesh.normals @ rotation.T, mesh.uvs, mesh.triangles)
