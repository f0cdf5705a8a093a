"""Fused surfaces as closed shells."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
import trimesh
from test_mesh_fuse import POSES, view

from depthapps import FuseParams, InputError, PrintParams
from depthapps.io.models.stl import stl_bytes
from depthapps.mesh.triangles import join_pieces
from depthapps.scan.fuse import fuse_views
from depthapps.scan.shell import build_shell


@pytest.fixture(scope="module")
def corner():
    """Three walls of a room, open at the front; Y down."""
    return fuse_views(((view(p), p) for p in POSES), FuseParams(voxel_m=0.03)).mesh


@pytest.mark.parametrize("max_triangles", [200_000, 8_000])
def test_a_fused_surface_becomes_one_closed_body_of_its_size(corner, max_triangles):
    solid = build_shell(corner, np.array([0.1, -1, 0.1]), PrintParams(60, max_triangles))
    body = trimesh.Trimesh(solid.vertices, solid.triangles, process=False)
    assert solid.watertight
    assert body.is_watertight
    welded: Any = trimesh.load(BytesIO(stl_bytes(solid.vertices, solid.triangles)), file_type="stl")
    assert welded.is_watertight
    assert body.is_winding_consistent
    piece = np.arange(len(solid.vertices), dtype=np.int32)
    join_pieces(solid.triangles, piece)
    assert not piece.any()
    assert body.volume > 0
    assert body.extents.max() == pytest.approx(60, abs=0.01)
    assert body.bounds[0, 2] == pytest.approx(0, abs=1e-3)
    assert len(solid.triangles) <= max_triangles


def test_the_floor_lies_on_the_plate(corner):
    body = build_shell(corner, np.array([0.2, -1, 0.2]), PrintParams(60))
    solid = trimesh.Trimesh(body.vertices, body.triangles, process=False)
    level = solid.area_faces[np.abs(solid.face_normals[:, 2]) > 0.999].sum()
    assert level > 0.15 * solid.area  # the plate's underside alone is 10 %


def test_a_shell_too_small_for_its_walls_is_refused(corner):
    with pytest.raises(InputError, match="walls"):
        build_shell(corner, np.array([0, -1, 0]), PrintParams(3))
