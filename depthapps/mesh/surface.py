"""The visible surface of a scene as a textured mesh or a point cloud."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from depthapps.color import to_8bit
from depthapps.errors import InputError
from depthapps.geometry import unproject
from depthapps.scene import Camera, PointCloud, Scene, TriangleMesh
from depthapps.surface import clean_depth, grid_triangles, surface_links, surface_normals, trusted


def build_mesh(scene: Scene, stride: int = 1) -> TriangleMesh:
    """One vertex a pixel, two triangles a quad, torn where the depth is; the picture is the texture.

    Noise is taken out along the rays (`clean_depth`), so that surfaces are smooth and silhouettes stay. Pixels of
    unknown, infinite or doubtful depth, and those torn off on all sides, are left out. stride: take every stride-th
    pixel of every stride-th row; the texture keeps its resolution. Raises InputError when no surface is left.
    """
    known = np.where(trusted(scene), scene.depth_m, np.float32(np.nan))
    depth, noise = clean_depth(replace(scene, depth_m=known))
    depth, camera = depth[::stride, ::stride], _strided(scene.camera, stride)
    links = surface_links(depth, noise)
    triangles = grid_triangles(depth, links)
    if not len(triangles):
        raise InputError(
            "the depth map holds no connected surface", hint="check it with depthapps depth --kind preview"
        )
    used = np.zeros(depth.size, bool)
    used[triangles] = True
    renumbered = np.cumsum(used, dtype=np.int32) - 1
    texture = to_8bit(scene.image)
    # texture coordinates run from edge to edge of the picture, so the centre of pixel x is at (x + ½) / width
    across, down = ((np.arange(0, n, stride) + 0.5) / n for n in (scene.camera.width, scene.camera.height))
    u, v = np.meshgrid(across, down)
    return TriangleMesh(
        vertices=unproject(depth, camera).reshape(-1, 3)[used],
        triangles=renumbered[triangles],
        normals=surface_normals(depth, camera, links, noise).reshape(-1, 3)[used],
        colors=texture[::stride, ::stride].reshape(-1, 3)[used],
        uv=np.stack([u, v], axis=-1).reshape(-1, 2)[used].astype(np.float32),
        texture=texture,
    )


def _strided(camera: Camera, stride: int) -> Camera:
    """The camera whose pixels are every stride-th of this one's, starting with the first."""
    width, height = -(-camera.width // stride), -(-camera.height // stride)
    return Camera(width, height, *(v / stride for v in (camera.fx, camera.fy, camera.cx, camera.cy)))


def build_cloud(scene: Scene, stride: int = 1) -> PointCloud:
    """One point a pixel of known, finite depth; those that no neighbour is linked to, the flying ones, are left out."""
    mesh = build_mesh(scene, stride)
    return PointCloud(mesh.vertices, mesh.colors, mesh.normals)
