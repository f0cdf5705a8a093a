"""A fused surface as a closed shell on a plate, to be printed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import InputError, param
from depthapps.core.models import PrintableSolid, TriangleMesh
from depthapps.mesh.params import PrintParams
from depthapps.mesh.printing import BASE_SHARE
from depthapps.mesh.simplify import Collapser
from depthapps.mesh.triangles import piece_sizes, used_vertices
from depthapps.runtime.open3d import import_open3d

WALL_MM = 2.0  # a wall of five lines of a usual nozzle, which stands by itself
CELL_MM = 0.5  # a quarter of the wall, so that both its sides are met
MOST_CELLS = 250  # along the longest side: 4 bytes each, at most 60 MB
NEAREST_CELLS = 0.05  # that a vertex comes to a point of the grid
_LEVEL_COSINES = (0.7, 0.87, 0.94, 0.98)  # how near to upright a surface must be to count as floor, again and again


def build_shell(mesh: TriangleMesh, up: NDArray[np.floating], params: PrintParams | None = None) -> PrintableSolid:
    """The surface of a mesh with a thickness, standing on a plate, in one piece.

    up: (3,) roughly upwards in the mesh's axes; the surfaces that are nearly level decide. A shell is where the
    distance from the surface is less than half a wall, so that it is closed whatever holes the surface has; what does
    not hang together with the plate is left out.
    """
    params = params or PrintParams()
    points = mesh.vertices @ _standing(mesh, up).T
    low, high = points.min(axis=0), points.max(axis=0)
    inner_mm = params.size_mm - WALL_MM
    if inner_mm <= WALL_MM:
        raise InputError(
            f"a shell of {params.size_mm:g} mm has no room for its walls", hint=f"make it larger: {param('size_mm')}"
        )
    mm_per_m = inner_mm / float((high - low).max())
    points = (points - low) * mm_per_m
    cell = max(CELL_MM, params.size_mm / MOST_CELLS)
    wall, plate = max(WALL_MM, 4 * cell), max(BASE_SHARE * params.size_mm, 4 * cell)

    start = np.array([-wall, -wall, -plate - wall])
    counts = np.ceil(((high - low) * mm_per_m + wall - start) / cell).astype(int) + 1
    x, y, z = (
        np.float32(s) + np.float32(cell) * np.arange(n, dtype=np.float32) for s, n in zip(start, counts, strict=True)
    )
    width, depth = (high - low)[:2] * mm_per_m
    slab = np.maximum(np.abs(x - width / 2) - width / 2, np.abs(y - depth / 2)[:, None] - depth / 2)
    field = np.maximum(slab[None], np.abs(z + plate / 2)[:, None, None] - plate / 2).astype(np.float32)
    field = np.minimum(field, _distance(points, mesh.triangles, x, y, z) - np.float32(wall / 2))
    # a zero on a grid point would put several vertices in one place, where STL readers weld them
    nearest = np.float32(NEAREST_CELLS * cell)
    field = np.where(np.abs(field) < nearest, np.copysign(nearest, field), field)
    vertices, triangles = _zero_surface(field)
    vertices = vertices * cell
    vertices, triangles = _largest(vertices, triangles)
    triangles = Collapser(vertices, triangles, 1.0).collapse_to(params.max_triangles)
    used, triangles = used_vertices(triangles, len(vertices))
    vertices = vertices[used] - vertices[used].min(axis=0)
    vertices *= params.size_mm / np.ptp(vertices, axis=0).max()
    return PrintableSolid(vertices.astype(np.float32), triangles)


def _standing(mesh: TriangleMesh, up: NDArray[np.floating]) -> NDArray[np.floating]:
    """The rotation (3, 3) that makes the normal of what is level the Z axis."""
    corners = mesh.vertices[mesh.triangles].astype(np.float64)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = np.linalg.norm(normals, axis=1)
    up = np.asarray(up, np.float64) / np.linalg.norm(up)
    for cosine in _LEVEL_COSINES:
        level = normals[normals @ up > cosine * areas].sum(axis=0)
        if np.linalg.norm(level) > 0:
            up = level / np.linalg.norm(level)
    right = np.cross(np.eye(3)[np.abs(up).argmin()], up)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(up, right), up])


def _distance(
    points: NDArray[np.floating],
    triangles: NDArray[np.int32],
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    z: NDArray[np.floating],
) -> NDArray[np.floating]:
    """How far the points of a grid (z, y, x) are from a surface, layer by layer."""
    o3d = import_open3d()
    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(o3d.core.Tensor(points.astype(np.float32)), o3d.core.Tensor(triangles.astype(np.uint32)))
    layer = np.empty((len(y), len(x), 3), np.float32)
    layer[..., 0], layer[..., 1] = x, y[:, None]
    found = np.empty((len(z), len(y), len(x)), np.float32)
    for k, height in enumerate(z):
        layer[..., 2] = height
        found[k] = scene.compute_distance(o3d.core.Tensor(layer)).numpy()
    return found


def _zero_surface(field: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.int32]]:
    """The closed surface, in cells, around where a field (z, y, x) is negative; its border is positive."""
    o3d = import_open3d()
    found = o3d.t.geometry.TriangleMesh.create_isosurfaces(o3d.core.Tensor(field), [0.0])
    vertices, triangles = found.vertex.positions.numpy(), found.triangle.indices.numpy().astype(np.int32)
    corners = vertices[triangles].astype(np.float64)
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum()
    return vertices, triangles if volume > 0 else triangles[:, ::-1].copy()


def _largest(
    vertices: NDArray[np.floating], triangles: NDArray[np.int32]
) -> tuple[NDArray[np.floating], NDArray[np.int32]]:
    """The piece with the most triangles: what floats goes, and so do the walls of hollows, which get filled."""
    piece, sizes = piece_sizes(triangles, len(vertices))
    used, triangles = used_vertices(triangles[piece == sizes.argmax()], len(vertices))
    return vertices[used].astype(np.float64), triangles
