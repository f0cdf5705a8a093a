"""From a scene to a mesh or a cloud in one call."""

from __future__ import annotations

from depthapps.core.models import PointCloud, TriangleMesh
from depthapps.core.scene import Scene
from depthapps.mesh.cut import cut_surface, surface_cloud, textured_mesh
from depthapps.mesh.params import SimplifyParams
from depthapps.mesh.simplify import simplify_surface


def build_mesh(scene: Scene, params: SimplifyParams | None = None) -> TriangleMesh:
    """The visible surface of a scene as a textured mesh: one vertex a pixel, or simplified as far as `params` says.

    Raises InputError when no surface is left.
    """
    surface = cut_surface(scene)
    if params in (None, SimplifyParams()):
        return textured_mesh(surface)
    return textured_mesh(surface, simplify_surface(surface, params)[0])


def build_cloud(scene: Scene, stride: int = 1) -> PointCloud:
    """One point a pixel of known, finite depth; those that no neighbour is linked to, the flying ones, are left out."""
    return surface_cloud(cut_surface(scene, stride))
