"""Many views of one scene as one surface: a truncated signed distance field (Curless and Levoy 1996)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthapps._open3d import import_open3d
from depthapps.color import to_8bit
from depthapps.errors import InputError
from depthapps.geometry import inverse_depth_noise
from depthapps.mesh._kernels import join_pieces
from depthapps.mesh.simplify import Collapser
from depthapps.scene import Camera, FloatMap, Scene, TriangleMesh
from depthapps.surface import clean_depth, surface_links, trusted

BLOCK = 16  # voxels a side that are kept together
# Of all views together, 80 kB each; a field that would need more is refused rather than swapped to disk.
MAX_BLOCKS = 40_000
# Voxels behind and before a surface that its distance reaches. Of 8 views of one ray-traced room at 1 cm, a prototype
# with 4, 5 and 6 had F at 1 cm of 99.22, 99.34 and 99.24 %.
TRUNCATION_VOXELS = 5.0
# Where half the picture is nearer. In that room 1.25 (1 cm) gave F 99.34 %, 1.5 gave 99.13: finer ones get holes.
VOXEL_PIXELS = 1.25
SMALLEST_PIECE = 200  # triangles; smaller ones float
SIMPLEST_LINKS = 2  # of four; pixels with fewer neighbours on their own surface fly between two


@dataclass(frozen=True)
class FuseParams:
    """voxel_m: the side of a voxel, None to fit it to the first view. far_m: what is farther is left out."""

    voxel_m: float | None = None
    far_m: float = 8.0

    def __post_init__(self) -> None:
        """Refuse fields that are none."""
        if self.voxel_m is not None and not 0.0005 <= self.voxel_m <= 1:
            raise InputError(f"a voxel of {1000 * self.voxel_m:g} mm was given", hint="5 to 20 suit a room")


@dataclass(frozen=True)
class Fused:
    """A surface of several views, in the axes of their world, and how it came to be."""

    mesh: TriangleMesh
    voxel_m: float
    views: int
    blocks: int


def fuse_views(views: Iterable[tuple[Scene, NDArray[np.floating]]], params: FuseParams | None = None) -> Fused:
    """Fuse scenes with their poses (4, 4), camera to world, each taken once and let go.

    Pixels at depth edges and of low confidence are kept out. Raises InputError when no surface comes out or the field
    gets too large.
    """
    params = params or FuseParams()
    o3d = import_open3d()
    grid, voxel_m, count = None, params.voxel_m, 0
    for scene, pose in views:
        depth = _usable_depth(scene, params.far_m)
        if not depth.any():
            continue
        if voxel_m is None:
            voxel_m = _fitting_voxel(depth, scene.camera)
        if grid is None:
            kinds = (o3d.core.float32,) * 3
            grid = o3d.t.geometry.VoxelBlockGrid(
                ("tsdf", "weight", "color"), kinds, ((1), (1), (3)), voxel_m, BLOCK, 8_000
            )
        _integrate(o3d, grid, scene, depth, pose, params.far_m)
        count += 1
        if grid.hashmap().size() > MAX_BLOCKS:
            raise InputError(
                f"voxels of {1000 * voxel_m:.3g} mm fill the memory after {count} views",
                hint=f"make them larger: --voxel-mm {2000 * voxel_m:.2g}",
            )
    if grid is None or voxel_m is None:
        raise InputError("no view has a surface to fuse", hint="check the depth files and their --depth-scale")
    mesh = _extract(grid)
    return Fused(mesh, voxel_m, count, grid.hashmap().size())


def simplify_mesh(mesh: TriangleMesh, max_triangles: int) -> TriangleMesh:
    """A mesh without texture with at most so many triangles; its vertices are a part of those it had."""
    points = mesh.vertices - mesh.vertices.mean(axis=0)
    collapser = Collapser(points, points, mesh.triangles, 1.0)
    collapser.hold(_contrast(mesh) ** 2)
    while collapser.step(max_triangles):
        pass
    return _with_triangles(mesh, collapser.triangles)


def _contrast(mesh: TriangleMesh) -> NDArray[np.floating]:
    """The largest step of colour (V,) along the edges at every vertex, as a share of white."""
    found = np.zeros(len(mesh.vertices))
    colors = mesh.colors.astype(np.float32) / 255
    for a, b in ((0, 1), (1, 2), (2, 0)):
        one, other = mesh.triangles[:, a], mesh.triangles[:, b]
        step = np.abs(colors[one] - colors[other]).max(axis=1)
        np.maximum.at(found, one, step)
        np.maximum.at(found, other, step)
    return found


def _usable_depth(scene: Scene, far_m: float) -> FloatMap:
    """Depth (H, W) float32 with 0 where it is unknown, doubtful, too far, or flies between two surfaces."""
    depth = np.where(trusted(scene) & np.isfinite(scene.depth_m), scene.depth_m, np.float32(np.nan)).astype(np.float32)
    if not np.isfinite(depth).any():
        return np.zeros_like(depth)
    if scene.inverse_depth_sigma:  # stereo; what a depth camera measures is averaged by the field itself
        depth, noise = clean_depth(Scene(scene.image, depth, scene.camera, scene.inverse_depth_sigma))
    else:
        noise = inverse_depth_noise(depth)
    links = surface_links(depth, noise)
    neighbours = np.zeros(depth.shape, np.int8)
    neighbours[:, 1:] += links.right
    neighbours[:, :-1] += links.right
    neighbours[1:] += links.down
    neighbours[:-1] += links.down
    keep = np.isfinite(depth) & (neighbours >= SIMPLEST_LINKS) & (depth < far_m)
    return np.where(keep, depth, np.float32(0))


def _fitting_voxel(depth: FloatMap, camera: Camera) -> float:
    return float(VOXEL_PIXELS * np.median(depth[depth > 0]) / camera.fx)


def _integrate(o3d: Any, grid: Any, scene: Scene, depth: FloatMap, pose: NDArray[np.floating], far_m: float) -> None:
    camera = scene.camera
    matrix = o3d.core.Tensor([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1.0]])
    to_camera = o3d.core.Tensor(np.linalg.inv(pose))
    image = o3d.t.geometry.Image(np.ascontiguousarray(to_8bit(scene.image), np.float32))
    depth_image = o3d.t.geometry.Image(np.ascontiguousarray(depth))
    blocks = grid.compute_unique_block_coordinates(depth_image, matrix, to_camera, 1.0, far_m, TRUNCATION_VOXELS)
    grid.integrate(blocks, depth_image, image, matrix, matrix, to_camera, 1.0, far_m, TRUNCATION_VOXELS)


def _extract(grid: Any) -> TriangleMesh:
    found = grid.extract_triangle_mesh(weight_threshold=0.5)  # what one view saw counts
    vertices = found.vertex.positions.numpy()
    triangles = found.triangle.indices.numpy().astype(np.int32)
    if not len(triangles):
        raise InputError("the views do not make a surface", hint="check their poses and depth")
    colors = np.rint(np.clip(found.vertex.colors.numpy() * _color_scale(found), 0, 255)).astype(np.uint8)
    normals = found.vertex.normals.numpy()
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.where(length > 1e-6, normals / np.maximum(length, 1e-6), np.array([0, 0, -1], np.float32)).astype(
        np.float32
    )
    mesh = TriangleMesh(vertices, triangles, normals, colors)
    piece = np.arange(len(vertices), dtype=np.int32)
    join_pieces(triangles, piece)
    sizes = np.bincount(piece[triangles[:, 0]], None, len(vertices))
    return _with_triangles(mesh, triangles[sizes[piece[triangles[:, 0]]] >= SMALLEST_PIECE])


def _color_scale(found: Any) -> float:
    """Open3D divides colours by 255 in some versions when it extracts them."""
    return 255.0 if float(found.vertex.colors.numpy().max(initial=0)) <= 1.0 + 1e-3 else 1.0


def _with_triangles(mesh: TriangleMesh, triangles: NDArray[np.int32]) -> TriangleMesh:
    """The same vertices as far as these triangles use them."""
    if not len(triangles):
        raise InputError("the views make nothing but specks", hint="check their poses and depth")
    used, renumbered = np.unique(triangles, return_inverse=True)
    return TriangleMesh(
        mesh.vertices[used],
        renumbered.reshape(-1, 3).astype(np.int32),
        mesh.normals[used],
        mesh.colors[used],
    )
