"""Colours and textures of fused meshes, on walls whose pattern is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_mesh_fuse import CAMERA, POSES, texture, view

from depthapps import Camera, Fused, FuseParams, TriangleMesh
from depthapps.scan.atlas import LARGEST_TEXTURE, textured
from depthapps.scan.fuse import fuse_views, simplify_mesh
from depthapps.scan.paint import KEPT_PIXELS, MOST_VIEWS, KeptViews, PlacedView, look_at, paint_vertices


@pytest.fixture(scope="module")
def fused() -> Fused:
    return fuse_views(((view(p), p) for p in POSES), FuseParams(voxel_m=0.02))


def shown_colors(mesh: TriangleMesh) -> tuple[np.ndarray, np.ndarray]:
    """Points in the middle of the triangles, and what the texture shows there, from the nearest texel."""
    assert mesh.uv is not None
    assert mesh.texture is not None
    points, uv = (a[mesh.triangles].mean(axis=1) for a in (mesh.vertices, mesh.uv))
    height, width = mesh.texture.shape[:2]
    column, row = (uv * [width, height]).astype(int).T
    return points, mesh.texture[np.minimum(row, height - 1), np.minimum(column, width - 1)]


@pytest.mark.parametrize("triangles", [None, 3000])
def test_the_texture_shows_what_the_views_saw_however_few_triangles_there_are(fused, triangles):
    mesh = fused.mesh if triangles is None else simplify_mesh(fused.mesh, triangles)
    points, colors = shown_colors(textured(mesh, fused.seen_by, fused.voxel_m))
    error = np.abs(colors.astype(float) - texture(points)).mean(axis=1)
    assert np.median(error) < 12  # of blotches that span 100 grey levels within 4 pixels


def test_a_texture_keeps_every_triangle_and_stays_within_bounds(fused):
    mesh = textured(fused.mesh, fused.seen_by, fused.voxel_m)
    assert mesh.uv is not None
    assert mesh.texture is not None
    assert np.array_equal(mesh.vertices[mesh.triangles], fused.mesh.vertices[fused.mesh.triangles])
    assert mesh.uv.min() >= 0
    assert mesh.uv.max() <= 1
    assert max(mesh.texture.shape) <= LARGEST_TEXTURE


def test_photos_of_other_brightness_are_brought_together(fused):
    dark, *others = fused.seen_by
    views = (replace(dark, image=(dark.image * 0.8).astype(np.uint8)), *others)
    mesh = replace(fused.mesh, colors=paint_vertices(fused.mesh, views, fused.voxel_m))
    points, colors = shown_colors(textured(mesh, views, fused.voxel_m))
    difference = colors.astype(float).mean(axis=1) - texture(points).mean(axis=1)
    # where the texture changes from one photo to the next there is no step of 25 grey levels left
    assert np.ptp([np.median(difference[points[:, 0] < 0]), np.median(difference[points[:, 0] > 0.3])]) < 12


def test_what_no_view_shows_takes_the_colours_around_it(fused):
    blind = tuple(replace(v, depth_m=np.where(np.arange(CAMERA.width) > 120, v.depth_m, 0)) for v in fused.seen_by[:1])
    colors = paint_vertices(fused.mesh, blind, fused.voxel_m)
    seen = paint_vertices(fused.mesh, fused.seen_by[:1], fused.voxel_m)
    assert not np.array_equal(colors, seen)
    mesh = textured(replace(fused.mesh, colors=colors), blind, fused.voxel_m)
    assert len(mesh.triangles) == len(fused.mesh.triangles)


def test_what_faces_away_has_the_colours_around_it(fused):
    turned = fused.mesh.triangles.copy()
    away = np.arange(0, len(turned), 50)
    turned[away] = turned[away][:, ::-1]
    mesh = replace(fused.mesh, triangles=turned)
    points, colors = shown_colors(textured(mesh, fused.seen_by, fused.voxel_m))
    error = np.abs(colors[away].astype(float) - texture(points[away])).mean(axis=1)
    assert np.median(error) < 12


def test_depths_that_differ_by_a_little_show_one_surface_and_by_more_two(fused):
    view = fused.seen_by[0]
    for share, seen in ((0.01, True), (0.1, False)):
        nearer = replace(view, depth_m=view.depth_m * np.float32(1 - share))
        shown = look_at(fused.mesh, nearer, fused.voxel_m).seen.mean()
        assert (shown > 0.5 * look_at(fused.mesh, view, fused.voxel_m).seen.mean()) == seen


def test_views_are_kept_in_bounded_memory():
    kept = KeptViews()
    camera = Camera.centred(1200, 900, 1000)
    blank = PlacedView(np.zeros((900, 1200, 3), np.uint8), np.ones((900, 1200), np.float32), camera, np.eye(4))
    for k in range(100):
        kept.add(replace(blank, to_camera=k * np.eye(4)))
    assert 16 < len(kept.views) <= MOST_VIEWS
    assert sum(v.depth_m.size for v in kept.views) <= KEPT_PIXELS
    assert {v.image.shape[:2] for v in kept.views} == {v.depth_m.shape for v in kept.views}
    steps = np.diff([v.to_camera[0, 0] for v in kept.views])
    assert np.ptp(steps) == 0
