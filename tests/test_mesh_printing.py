"""Printable solids: closed, of the size asked for, in true proportions."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from depthapps import Camera, InputError, PrintParams, Scene
from depthapps.mesh.printing import BASE_SHARE, build_printable_solid


def test_a_solid_is_closed_and_as_large_as_asked(step_scene):
    solid = build_printable_solid(step_scene, PrintParams(size_mm=80))
    body = trimesh.Trimesh(solid.vertices, solid.triangles)
    assert solid.watertight
    assert body.is_volume
    assert max(body.extents) == pytest.approx(80, rel=1e-4)
    assert np.allclose(body.bounds[0], 0, atol=1e-4)
    assert solid.vertices.dtype == np.float32


def test_its_proportions_are_true_and_nothing_is_mirrored():
    depth = np.full((80, 120), 2.0, np.float32)
    depth[10:30, 15:45] = 1.8  # a box at the top left of the picture
    scene = Scene(np.zeros((80, 120, 3), np.uint8), depth, Camera.centred(120, 80, 100))
    solid = build_printable_solid(scene, PrintParams(120))
    x, y, z = solid.vertices.T
    top = z > 0.9 * z.max()
    assert x[top].max() < 60  # left
    assert y[top].min() > 40  # and up
    behind = 2 + BASE_SHARE * 120 * 2 / 100
    mm_per_m = 120 / (119 * behind / 100)
    assert z.max() == pytest.approx((behind - 1.8) * mm_per_m, rel=0.02)
    assert np.ptp(x[top]) == pytest.approx(29 * 1.8 / 100 * mm_per_m, rel=0.05)


def test_what_is_unknown_or_too_far_is_closed(step_scene):
    depth = step_scene.depth_m.copy()
    depth[:20], depth[50:60, 50:60] = np.inf, np.nan
    solid = build_printable_solid(Scene(step_scene.image, depth, step_scene.camera), PrintParams(max_triangles=2000))
    assert solid.watertight
    assert trimesh.Trimesh(solid.vertices, solid.triangles).is_volume
    assert np.isfinite(solid.vertices).all()
    assert len(solid.triangles) < 6000


def test_a_flat_relief_has_less_depth_and_the_same_base(step_scene):
    full, flat = (build_printable_solid(step_scene, PrintParams(relief=share)) for share in (1.0, 0.3))
    body = trimesh.Trimesh(flat.vertices, flat.triangles)
    assert body.is_volume
    assert max(body.extents) == pytest.approx(100, rel=1e-4)
    assert np.ptp(flat.vertices[:, 2]) < 0.45 * np.ptp(full.vertices[:, 2])
    for solid, share in ((full, 1.0), (flat, 0.3)):
        z = np.unique(solid.vertices[:, 2].round(3))
        base_m, scale = 3 + BASE_SHARE * 3.6 / share, z[-1] / (share * (3 + BASE_SHARE * 3.6 / share - 1))
        assert z[1] == pytest.approx(share * (base_m - 3) * scale, rel=0.02)  # as thick, in metres, as without
    with pytest.raises(InputError, match="relief"):
        PrintParams(relief=0)


def test_a_solid_has_the_colours_of_the_photo(step_scene):
    solid = build_printable_solid(step_scene, PrintParams(size_mm=80))
    assert solid.colors is not None
    assert solid.colors.shape == solid.vertices.shape
    near = solid.vertices[:, 2] > 0.9 * solid.vertices[:, 2].max()
    assert (solid.colors[near] == (200, 120, 60)).all()
    assert (solid.colors[~near] == (40, 80, 160)).all(axis=1).mean() > 0.5


def test_sizes_that_are_none_are_refused(step_scene):
    for size_mm, max_triangles in (
        (0.0, 1000),
        (1e9, 1000),
        (float("inf"), 1000),
        (float("nan"), 1000),
        (-3.0, 1000),
        (100.0, 2),
    ):
        with pytest.raises(InputError):
            PrintParams(size_mm, max_triangles)
    with pytest.raises(InputError, match="shows nothing"):
        build_printable_solid(step_scene, PrintParams(size_mm=0.01))
