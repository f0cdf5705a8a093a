"""Small holes of fused meshes are closed, large ones and outer borders are not."""

from __future__ import annotations

import numpy as np

from depthapps import TriangleMesh
from depthapps.core.models import MadeUp, border_edges
from depthapps.scan.holes import LONGEST_VOXELS, close_small_holes

SIDE = 60


def _floor(missing: np.ndarray) -> TriangleMesh:
    """A level grid of 1 m cells, z = 0 with its normals up; `missing` (SIDE, SIDE) are the cells left out."""
    y, x = np.mgrid[: SIDE + 1, : SIDE + 1]
    number = y * (SIDE + 1) + x
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]
    cells = np.stack([np.stack([a, b, d], axis=-1), np.stack([a, d, c], axis=-1)], axis=2)
    points = np.stack([x, y, np.zeros_like(x)], axis=-1).reshape(-1, 3).astype(np.float32)
    normals = np.tile(np.array([0, 0, 1], np.float32), (len(points), 1))
    colors = np.column_stack([points[:, 0], points[:, 1], 0 * points[:, 0]]).astype(np.uint8)
    return TriangleMesh(points, cells[~missing].reshape(-1, 3).astype(np.int32), normals, colors)


def test_a_small_hole_is_closed_and_a_large_one_is_not():
    missing = np.zeros((SIDE, SIDE), bool)
    missing[10:14, 10:16] = missing[30:55, 30:55] = True
    mesh = _floor(missing)
    closed = close_small_holes(mesh, 1.0)
    assert len(closed.vertices) == len(mesh.vertices) + 1
    assert np.allclose(closed.vertices[-1], (13, 12, 0))
    assert np.array_equal(closed.colors[-1], (13, 12, 0))
    assert closed.made_up is not None
    assert closed.made_up[-1] == MadeUp.DEPTH
    assert closed.made_up[:-1].max() == MadeUp.NOTHING
    a, b, c = (closed.vertices[closed.triangles[:, k]] for k in range(3))
    upward = np.cross(b - a, c - a)[:, 2] / 2
    assert (upward > 0).all()  # the new triangles face the way that the floor does
    assert upward.sum() == SIDE**2 - 25**2
    assert len(border_edges(closed.triangles, len(closed.vertices))) == 4 * SIDE + 4 * 25
    assert LONGEST_VOXELS < 4 * 25


def test_the_border_of_a_small_piece_is_no_hole():
    missing = np.ones((SIDE, SIDE), bool)
    missing[5:9, 5:9] = False
    mesh = _floor(missing)
    assert close_small_holes(mesh, 1.0) is mesh


def test_holes_that_touch_are_left():
    missing = np.zeros((SIDE, SIDE), bool)
    missing[10, 10] = missing[11, 11] = True  # their borders meet in one vertex
    mesh = _floor(missing)
    assert close_small_holes(mesh, 1.0) is mesh
