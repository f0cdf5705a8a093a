"""Turn a fused surface into a closed shell that stands on a plate, for 3D printing."""

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

WALL_MM = 2.0  # five lines of a usual 0.4 mm nozzle: such a wall stands by itself
CELL_MM = 0.5  # cell of the grid: a quarter of the wall, fine enough to find both its sides
MOST_CELLS = 250  # along the longest side: a cube of them, at 4 bytes each, takes about 60 MB
NEAREST_CELLS = 0.05  # lowest absolute value of the field at a grid point, in cells
_LEVEL_COSINES = (0.7, 0.87, 0.94, 0.98)  # lowest cosine between a floor's normal and up, in rounds that refine up


def build_shell(mesh: TriangleMesh, up: NDArray[np.floating], params: PrintParams | None = None) -> PrintableSolid:
    """Give the surface of a mesh a thickness and put it on a plate, as one connected solid.

    up: (3,) a vector in the mesh's axes that points roughly upwards; it is refined by the surfaces that are nearly
    level. The shell is the space where the distance from the surface is less than half a wall, so it is closed even
    where the surface has holes. Parts that are not connected to the plate are left out. Raises InputError when the size
    leaves no room for the walls.
    """
    params = params or PrintParams()
    if params.lithophane:
        raise InputError("a lithophane is made of one photo, not of a scan", hint="give the photo instead of a folder")
    if params.relief != 1:
        raise InputError("a sequence is printed in its true shape", hint=f"leave {param('relief')} out")
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
    # A value of 0 at a grid point would put several vertices in one place, and STL readers would weld them.
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
    """Rotation (3, 3) that turns the normal of the level surfaces into the Z axis."""
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
    """Distances of the points of a grid (z, y, x) from a surface, found one layer of z at a time to save memory."""
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
    """Extract the closed surface, in cells, around the negative part of a field (z, y, x) whose border is positive."""
    o3d = import_open3d()
    found = o3d.t.geometry.TriangleMesh.create_isosurfaces(o3d.core.Tensor(field), [0.0])
    vertices, triangles = found.vertex.positions.numpy(), found.triangle.indices.numpy().astype(np.int32)
    corners = vertices[triangles].astype(np.float64)
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum()
    return vertices, triangles if volume > 0 else triangles[:, ::-1].copy()


def _largest(
    vertices: NDArray[np.floating], triangles: NDArray[np.int32]
) -> tuple[NDArray[np.floating], NDArray[np.int32]]:
    """Keep the connected component with the most triangles: drops floating parts, and fills closed hollows."""
    piece, sizes = piece_sizes(triangles, len(vertices))
    used, triangles = used_vertices(triangles[piece == sizes.argmax()], len(vertices))
    return vertices[used].astype(np.float64), triangles
