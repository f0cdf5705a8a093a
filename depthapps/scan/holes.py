"""Close the small holes of a fused mesh: what no view saw for a hand's breadth, or saw with too little confidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from depthapps.core.models import MadeUp, TriangleMesh, border_edges

# The border of a hole that is closed is at most this many voxels long: one of some twenty voxels across, over which
# most surfaces are nearly flat. What is larger is a window, or a part of the scene that nobody went to see.
LONGEST_VOXELS = 64.0


def close_small_holes(mesh: TriangleMesh, voxel_m: float) -> TriangleMesh:
    """Close holes whose border is at most LONGEST_VOXELS voxels long with a fan of triangles around their middle.

    The outer border of a small piece runs the other way round and stays as it is. A new vertex has the mean place,
    normal and colour of the border.
    """
    borders = _loops(border_edges(mesh.triangles, len(mesh.vertices)))
    loops = [border for border in borders if _is_small_hole(mesh, border, voxel_m)]
    if not loops:
        return mesh
    count = len(mesh.vertices)
    middle = [mesh.vertices[loop].mean(axis=0) for loop in loops]
    normals = np.array([mesh.normals[loop].mean(axis=0) for loop in loops], np.float32)
    colors = np.array([mesh.colors[loop].mean(axis=0) for loop in loops])
    # a border edge has its triangle on the left, so the fan runs along it in the other direction
    fans = [np.column_stack([np.roll(loop, -1), loop, np.full(len(loop), count + k)]) for k, loop in enumerate(loops)]
    made_up = np.zeros(count + len(loops), np.uint8)
    made_up[count:] = MadeUp.DEPTH
    return replace(
        mesh,
        vertices=np.concatenate([mesh.vertices, np.array(middle, np.float32)]),
        triangles=np.concatenate([mesh.triangles, *fans]).astype(np.int32),
        normals=np.concatenate([mesh.normals, normals / np.linalg.norm(normals, axis=1, keepdims=True)]),
        colors=np.concatenate([mesh.colors, np.rint(colors).astype(np.uint8)]),
        made_up=made_up,
    )


def _loops(edges: NDArray[np.integer]) -> list[NDArray[np.int64]]:
    """The closed borders along directed edges (E, 2), each as its vertices in order.

    Borders that meet in a vertex are left out: it is not told there which way each of them goes on.
    """
    starts, counts = np.unique(edges[:, 0], return_counts=True)
    after = dict(edges.tolist())
    several = set(starts[counts > 1].tolist())
    loops, left = [], set(after)
    while left:
        first = vertex = left.pop()
        loop = [first]
        while (vertex := after.get(vertex, -1)) in left:
            left.remove(vertex)
            loop.append(vertex)
        if vertex == first and not several.intersection(loop):
            loops.append(np.array(loop))
    return loops


def _is_small_hole(mesh: TriangleMesh, loop: NDArray[np.int64], voxel_m: float) -> bool:
    """Whether a border is short, and runs round a hole, clockwise seen from the side that its normals point to."""
    points = mesh.vertices[loop].astype(np.float64)
    ahead = np.roll(points, -1, axis=0)
    if np.linalg.norm(ahead - points, axis=1).sum() > LONGEST_VOXELS * voxel_m:
        return False
    inward = points - points.mean(axis=0)
    area = np.cross(inward, np.roll(inward, -1, axis=0)).sum(axis=0)
    return bool(area @ mesh.normals[loop].mean(axis=0) < 0)
