"""Meshes and clouds of scenes whose surface is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from depthapps import Camera, Holes, InputError, ModelParams, Scene, make_model, project
from depthapps.mesh.cut import cut_surface, textured_mesh


def test_every_vertex_lies_on_the_surface_and_shows_its_pixel(step_scene):
    mesh = make_model(step_scene).mesh
    x, y, z = project(mesh.vertices, step_scene.camera)
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    assert np.allclose(x, column, atol=1e-3)
    assert np.array_equal(z, step_scene.depth_m[row, column])
    assert np.array_equal(mesh.colors, step_scene.image[row, column])
    assert mesh.uv is not None
    assert mesh.texture is not None
    assert np.allclose(mesh.uv * [120, 90] - 0.5, np.column_stack([column, row]), atol=1e-3)
    assert np.array_equal(mesh.texture, step_scene.image)
    assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-5)
    assert ((mesh.normals * mesh.vertices).sum(axis=1) < 0).all()


def test_no_triangle_bridges_the_step(step_scene):
    mesh = make_model(step_scene).mesh
    z = mesh.vertices[mesh.triangles][..., 2]
    assert (z.max(axis=1) - z.min(axis=1)).max() == 0
    assert len(mesh.vertices) == 90 * 120


def test_unknown_and_flying_pixels_are_left_out(step_scene):
    depth = step_scene.depth_m.copy()
    depth[0:10], depth[80, 20] = np.nan, 2.0
    mesh = make_model(Scene(step_scene.image, depth, step_scene.camera), ModelParams(holes=Holes.KEEP)).mesh
    assert len(mesh.vertices) == 80 * 120 - 1
    assert mesh.triangles.max() == len(mesh.vertices) - 1
    assert len(np.unique(mesh.triangles)) == len(mesh.vertices)


@pytest.mark.parametrize("stride", [2, 3, 7])
def test_a_stride_thins_the_vertices_and_keeps_them_in_place(step_scene, stride):
    mesh = textured_mesh(cut_surface(step_scene, stride))
    x, y, z = project(mesh.vertices, step_scene.camera)
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    assert np.allclose(x, column, atol=1e-3)
    assert (column % stride == 0).all()
    assert np.array_equal(z, step_scene.depth_m[row, column])
    assert mesh.uv is not None
    assert mesh.texture is not None
    assert np.allclose(mesh.uv * [120, 90] - 0.5, np.column_stack([column, row]), atol=1e-3)
    assert mesh.texture.shape == step_scene.image.shape


def test_specks_are_left_out_and_every_pixel_is_accounted_for(step_scene):
    depth, confidence = step_scene.depth_m.copy(), np.full(step_scene.depth_m.shape, 0.9, np.float32)
    depth[0:10], depth[80, 20], confidence[40:42, 60:70] = np.nan, 2.0, 0.1
    large = replace(
        step_scene,
        image=np.tile(step_scene.image, (5, 5, 1)),
        depth_m=np.tile(depth, (5, 5)),
        confidence=np.tile(confidence, (5, 5)),
        camera=Camera.centred(600, 450, 500.0),
    )
    large.depth_m[445:448, 300:305] = 1.5  # 15 px of 270 000
    cut = cut_surface(large).cut
    assert cut.islands == pytest.approx(15 / 270_000)
    assert cut.torn == pytest.approx(25 / 270_000)
    assert cut.unknown == pytest.approx(10 / 90)
    assert cut.doubtful == pytest.approx(20 / 10_800)
    assert cut.kept + cut.islands + cut.torn + cut.unknown + cut.doubtful == pytest.approx(1)
    assert cut.confidence == pytest.approx(0.9)


def test_a_cloud_has_the_points_of_the_mesh(step_scene):
    cloud, mesh = make_model(step_scene, ModelParams(points=True)).cloud, make_model(step_scene).mesh
    assert np.array_equal(cloud.points, mesh.vertices)
    assert np.array_equal(cloud.colors, mesh.colors)


def test_a_depth_map_of_single_pixels_is_refused():
    depth = np.full((4, 4), np.nan, np.float32)
    depth[1, 1] = 1
    with pytest.raises(InputError, match="no connected surface"):
        make_model(Scene(np.zeros((4, 4, 3), np.uint8), depth, Camera.centred(4, 4, 4)))


def test_stereo_noise_does_not_tear_a_wall():
    rng = np.random.default_rng(0)
    inverse = 0.4 + np.where(rng.random((80, 100)) < 0.5, 0.0, 0.012)  # steps of 3 %, more than the cut
    camera, image = Camera.centred(100, 80, 100), np.zeros((80, 100, 3), np.uint8)
    scene = Scene(image, (1 / inverse).astype(np.float32), camera, inverse_depth_sigma=0.006)
    assert len(make_model(scene).mesh.triangles) == 2 * 79 * 99


def test_what_is_likely_wrong_is_no_surface(step_scene):
    confidence = np.ones(step_scene.depth_m.shape, np.float32)
    confidence[30:60, 45:75] = 0.1
    mesh = make_model(replace(step_scene, confidence=confidence), ModelParams(holes=Holes.KEEP)).mesh
    assert mesh.vertices[:, 2].min() == 3
    assert len(mesh.vertices) == 90 * 120 - 30 * 30
