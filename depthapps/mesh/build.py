"""From a scene to a mesh or a cloud in one call."""

from __future__ import annotations

import math

from depthapps.mesh.simplify import SimplifyParams, simplify_surface
from depthapps.mesh.surface import cut_surface, surface_cloud, textured_mesh
from depthapps.scene import PointCloud, Scene, TriangleMesh

# A grid of so many triangles for each that may be left of it is fine enough to choose from.
GRID_EXCESS = 40


def stride_for(scene: Scene, params: SimplifyParams) -> int:
    """Every how manieth pixel is worth a vertex when no more than params.max_triangles are to be left."""
    if params.max_triangles is None:
        return 1
    return max(1, math.floor(math.sqrt(2 * scene.depth_m.size / (GRID_EXCESS * params.max_triangles))))


def build_mesh(scene: Scene, params: SimplifyParams | None = None) -> TriangleMesh:
    """The visible surface of a scene as a textured mesh: one vertex a pixel, or simplified as far as `params` says.

    Raises InputError when no surface is left.
    """
    params = params or SimplifyParams()
    surface = cut_surface(scene, stride_for(scene, params))
    if params == SimplifyParams():
        return textured_mesh(surface)
    return textured_mesh(surface, simplify_surface(surface, params)[0])


def build_cloud(scene: Scene, stride: int = 1) -> PointCloud:
    """One point a pixel of known, finite depth; those that no neighbour is linked to, the flying ones, are left out."""
    return surface_cloud(cut_surface(scene, stride))
