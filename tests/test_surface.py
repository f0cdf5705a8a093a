"""Where the surface is torn, how its triangles and normals stand, and what smoothing does to it."""

import numpy as np
import pytest

from depthapps import Camera, Scene
from depthapps.mesh.cut import cut_surface
from depthapps.surface.denoise.clean import clean_depth
from depthapps.surface.normals import normals_of_slopes, surface_normals
from depthapps.surface.tearing import grid_quads, surface_links, torn_inside

CAMERA = Camera.centred(160, 120, 150.0)


def plane_depth(normal, distance: float) -> np.ndarray:
    """Depth (H, W) of the plane n·P = distance."""
    u, v = np.meshgrid(np.arange(CAMERA.width), np.arange(CAMERA.height))
    ray = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones(u.shape)], axis=-1)
    return (distance / (ray @ np.asarray(normal, float))).astype(np.float32)


PLANES = {
    "facing": ((0, 0, 1), 2.0),
    "wall at 55 degrees": ((np.sin(0.96), 0, np.cos(0.96)), 1.5),
    "floor near its horizon": ((0, 1, 0.45), 1.0),
}


@pytest.mark.parametrize(("normal", "distance"), PLANES.values(), ids=PLANES)
def test_a_plane_is_never_torn_and_its_normals_are_exact(normal, distance):
    depth = plane_depth(normal, distance)
    assert (depth > 0).all()
    assert len(grid_quads(depth, surface_links(depth)).triangles()) == 2 * 159 * 119
    expected = -np.asarray(normal) / np.linalg.norm(normal)
    assert np.abs(surface_normals(depth, CAMERA, surface_links(depth)) - expected).max() < 0.01


def test_a_step_is_torn_and_nothing_else(step_scene):
    depth = step_scene.depth_m
    links = surface_links(depth)
    triangles = grid_quads(depth, links).triangles()
    corners = depth.ravel()[triangles]
    assert (corners.min(axis=1) == corners.max(axis=1)).all()
    # all quads but those that the outline of the 30x30 square crosses
    assert len(triangles) >= 2 * (89 * 119 - 4 * 31) - 4
    assert not links.right[40, 44]
    assert links.right[40, 45]
    assert not links.down[29, 50]


def test_triangles_face_the_camera():
    depth = plane_depth((0.3, -0.2, 1), 2.0)
    u, v = np.meshgrid(np.arange(160), np.arange(120))
    points = np.stack([(u - CAMERA.cx) / 150 * depth, (v - CAMERA.cy) / 150 * depth, depth], -1).reshape(-1, 3)
    a, b, c = (points[grid_quads(depth, surface_links(depth)).triangles()[:, k]] for k in range(3))
    assert ((np.cross(b - a, c - a) * a).sum(axis=1) < 0).all()


def test_unknown_and_infinite_pixels_have_no_triangles():
    depth = plane_depth((0, 0, 1), 2.0)
    depth[10, 10], depth[50, 50] = np.nan, np.inf
    used = np.unique(grid_quads(depth, surface_links(depth)).triangles())
    assert 10 * 160 + 10 not in used
    assert 50 * 160 + 50 not in used
    assert len(used) == depth.size - 2


def test_depth_without_noise_is_left_alone(step_scene):
    depth, coarse, noise = clean_depth(step_scene)
    assert noise == 0
    assert np.array_equal(depth, step_scene.depth_m)
    assert np.array_equal(coarse, step_scene.depth_m)


def test_noise_goes_and_edges_stay(step_scene):
    sigma = 0.01
    noise = sigma * np.random.default_rng(1).standard_normal(step_scene.depth_m.shape)
    noisy = (1 / (1 / step_scene.depth_m + noise)).astype(np.float32)
    depth, coarse, left = clean_depth(Scene(step_scene.image, noisy, step_scene.camera))
    for cleaned in (depth, coarse):
        error = 1 / cleaned - 1 / step_scene.depth_m
        assert error.std() < 0.35 * sigma
        assert np.abs(error[40, 40:50]).max() < 0.02  # across the edge: no ramp between 1/3 and 1
    assert left == pytest.approx(0.25 * sigma, rel=0.2)


def test_the_limb_of_a_ball_is_not_rounded_off_nor_a_fold_nor_a_lamp():
    """A stereo map errs by as much as it states, but alike over many pixels: the shape that it shows is there.

    Where steps of the noise's height are smoothed, as they are to tell where a surface is torn, a limb is off by 0.026,
    and a lamp before it by 0.016.
    """
    y, x = np.mgrid[:120, :160]
    across = np.hypot(x - 80, y - 60) / 20
    ball = np.where(across < 1, 0.5 + 0.05 * np.sqrt(np.maximum(1 - across**2, 0)), 0.25)
    limb = (across > 0.75) & (across < 1)
    fold = 0.5 + np.where(np.abs(x - 80) < 24, 0.012 * (1 + np.cos((x - 80) * np.pi / 24)) / 2, 0)
    lamp = 0.5 + 0.02 * (np.hypot(x - 80, y - 60) <= 4)
    for shape, where, most in (
        (ball, limb, 0.015), (fold, np.s_[:, 8:-8], 0.0018), (lamp, np.s_[60, 79:82], 0.001)
    ):  # fmt: skip
        scene = Scene(np.zeros((120, 160, 3), np.uint8), (1 / shape).astype(np.float32), CAMERA, 0.008)
        assert np.abs(1 / clean_depth(scene).depth_m - shape)[where].max() < most


def test_known_noise_counts_where_the_map_shows_none(step_scene):
    scene = Scene(step_scene.image, step_scene.depth_m, step_scene.camera, inverse_depth_sigma=0.02)
    assert clean_depth(scene).noise == pytest.approx(0.005)


def test_normals_of_a_noisy_wall_point_its_way():
    normal, sigma = np.array([0.4, 0.1, 1]) / np.linalg.norm([0.4, 0.1, 1]), 0.002
    inverse = 1 / plane_depth(normal, 2.0)
    noisy = 1 / (inverse + sigma * np.random.default_rng(2).standard_normal(inverse.shape)).astype(np.float32)
    depth, _, left = clean_depth(Scene(np.zeros((120, 160, 3), np.uint8), noisy, CAMERA))
    cosine = -(surface_normals(depth, CAMERA, surface_links(depth, left), left) @ normal)
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean() < 8


def test_what_is_infinitely_far_has_no_normal_and_no_warning():
    nothing = np.zeros((6, 8), np.float32)  # 1/Z and its slopes
    assert np.isnan(normals_of_slopes(nothing, nothing, nothing, Camera.centred(8, 6, 10))).all()


def test_a_smoothed_surface_is_torn_where_its_depth_steps_at_an_edge_of_the_picture():
    lamp = np.zeros((40, 60), bool)
    lamp[18:22, 28:32] = True
    depth = np.where(lamp, np.float32(2.5), np.float32(3))
    smooth = surface_links(np.full_like(depth, 3))
    nowhere, everywhere = np.zeros_like(lamp), np.ones_like(lamp)
    assert all(map(np.array_equal, torn_inside(smooth, depth, 0, nowhere), smooth))
    torn = torn_inside(smooth, depth, 0, everywhere)
    assert np.array_equal(~torn.right, lamp[:, 1:] != lamp[:, :-1])
    assert np.array_equal(~torn.down, lamp[1:] != lamp[:-1])
    assert all(map(np.array_equal, torn_inside(smooth, depth, 0.1, everywhere), smooth))  # noise explains the step


@pytest.mark.parametrize("lit_level", [250, 145])
def test_a_lamp_before_a_curtain_is_cut_out_of_it_if_the_picture_shows_it(lit_level):
    rng = np.random.default_rng(0)
    y, x = np.indices((CAMERA.height, CAMERA.width))
    lamp = (x - 80) ** 2 + (y - 60) ** 2 <= 9
    inverse = 1 / 3 + rng.normal(0, 0.003, lamp.shape) + 0.025 * lamp
    depth = (1 / inverse).astype(np.float32)
    grey = np.full((*lamp.shape, 3), 80, np.uint8)
    lit = np.where(lamp[..., None], np.uint8(lit_level), grey)
    seen, unseen = (cut_surface(Scene(image, depth, CAMERA)) for image in (lit, grey))
    step = lamp[:, 1:] != lamp[:, :-1]
    assert seen.untorn.right[step].all()
    assert seen.links.right[step].mean() < 0.5
    assert seen.links.right[~step].all()
    assert unseen.links.right.all()
