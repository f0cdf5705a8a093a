"""Turn the visible surface into a closed solid on a flat base, for 3D printing."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.errors import InputError, param
from depthapps.core.geometry import depth_from_inverse, filled_inverse_depth, ray_directions
from depthapps.core.models import PrintableSolid, border_edges
from depthapps.core.scene import Scene
from depthapps.mesh.cut import cut_surface
from depthapps.mesh.params import PrintParams, SimplifyParams
from depthapps.mesh.simplify import grid_collapser
from depthapps.mesh.triangles import used_vertices
from depthapps.surface.tearing import grid_quads, surface_links

# A far background would make everything in front of it tiny. So depth is limited to the smaller of two values: the
# depth below which 98 % of the pixels lie, and three times the median depth.
FARTHEST_QUANTILE = 0.98
FARTHEST_MEDIANS = 3.0
BASE_SHARE = 0.03  # thickness of the base over the solid's size; 3 mm on 100 mm hold together
_HELD = 1e6  # weight that keeps the corners of the outline, however few triangles are left
DETAIL_MM = 0.2  # smallest distance between samples: half the width of a usual nozzle, which cannot print finer


def build_printable_solid(scene: Scene, params: PrintParams | None = None) -> PrintableSolid:
    """Build a printable relief of the scene as the camera saw it, in its true shape or with depth pressed flat.

    It is closed at depth edges and at the picture's border by walls, and behind by a base. Pixels of unknown depth, of
    low confidence, or flying between two surfaces take the depth of the farther surface beside them. All walls follow
    the camera's rays, so that no two walls cross, flat or not. Vertices have the photo's colours. Raises InputError if
    no surface is left.
    """
    params = params or PrintParams()
    surface = cut_surface(scene)
    known = np.where(surface.quads.pixels(), surface.depth_m, np.float32(np.nan))
    depth = depth_from_inverse(filled_inverse_depth(known))
    farthest = min(float(np.quantile(depth, FARTHEST_QUANTILE)), FARTHEST_MEDIANS * float(np.median(depth)))
    depth = np.minimum(depth, farthest)

    camera = scene.camera
    extent = max(camera.width * farthest / camera.fx, camera.height * farthest / camera.fy, farthest - depth.min())
    base_m = farthest + BASE_SHARE * extent / params.relief  # as thick when depth is pressed flat
    deep = params.relief * (base_m - float(depth.min()))
    extent = max(camera.width * base_m / camera.fx, camera.height * base_m / camera.fy, deep)
    mm_per_m = params.size_mm / extent
    stride = max(1, math.floor(DETAIL_MM / (mm_per_m * farthest / camera.fx)))
    depth, rays = depth[::stride, ::stride], ray_directions(camera)[::stride, ::stride]
    colors = to_8bit(scene.image)[::stride, ::stride].reshape(-1, 3)
    if min(depth.shape) < 2:
        raise InputError(
            f"a solid of {params.size_mm:g} mm shows nothing of it", hint=f"make it larger: {param('size_mm')}"
        )

    front = front_triangles(depth, params.max_triangles)
    points = (rays * depth[..., None]).reshape(-1, 3)
    vertices, triangles, pixels = close_body(points, (rays * base_m).reshape(-1, 3), front)
    # Y points up and Z towards the camera: both axes change sign, so that nothing is mirrored.
    standing = np.column_stack([vertices[:, 0], -vertices[:, 1], params.relief * (base_m - vertices[:, 2])])
    standing[:, :2] -= standing[:, :2].min(axis=0)
    # with a stride, the last samples may lie inside the picture's border, so the size is set again
    standing *= params.size_mm / np.ptp(standing, axis=0).max()
    return PrintableSolid(standing.astype(np.float32), triangles, np.ascontiguousarray(colors[pixels]))


def front_triangles(depth: NDArray[np.floating], max_triangles: int) -> NDArray[np.int32]:
    """Build simplified triangles (T, 3) int32 over all pixels of a depth map (h, w) without holes, with no tears."""
    whole = grid_quads(depth, surface_links(np.ones_like(depth)))
    used, collapser = grid_collapser(1 / depth, whole, SimplifyParams(max_triangles))
    corners = np.zeros(depth.shape)
    corners[[0, 0, -1, -1], [0, -1, 0, -1]] = _HELD
    collapser.hold(corners.ravel()[used])
    return used[collapser.collapse_to(max_triangles)].astype(np.int32)


def close_body(
    front: NDArray[np.floating], back: NDArray[np.floating], triangles: NDArray[np.int32]
) -> tuple[NDArray[np.floating], NDArray[np.int32], NDArray[np.integer]]:
    """Close the body between a front surface and a flat back.

    Returns its vertices (V, 3), its triangles (T, 3), and the number of the pixel (V,) that each vertex belongs to.

    front, back: (N, 3), the same pixels on both. triangles: of the front. Walls join the front's border to the back;
    the back is a fan of triangles around its centre, which needs a convex outline.
    """
    used, triangles = used_vertices(triangles, len(front))
    count = len(used)
    a, b = border_edges(triangles, count).T
    rim = np.unique(a)
    behind = np.full(count, -1)
    behind[rim] = count + np.arange(len(rim))
    middle = np.full(len(a), count + len(rim))
    walls = [np.column_stack([b, a, behind[a]]), np.column_stack([b, behind[a], behind[b]])]
    base = np.column_stack([behind[b], behind[a], middle])
    corners = back[used[rim]]
    vertices = np.concatenate([front[used], corners, [(corners.min(axis=0) + corners.max(axis=0)) / 2]])
    pixels = np.concatenate([used, used[rim], used[:1]])
    return vertices, np.concatenate([triangles, *walls, base]).astype(np.int32), pixels
