"""Depth that is completed where it is unknown or unsure, and surfaces that are continued behind others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from depthapps import Camera, Scene, SecondView
from depthapps.surface._plane_kernels import weigh_planes
from depthapps.surface.completion import beyond, complete
from depthapps.surface.continuation import continue_surface
from depthapps.surface.scene_planes import find_planes

CAMERA = Camera.centred(120, 90, 100.0)


@pytest.fixture
def slanted() -> Scene:
    """A plane from 2 to 5 m with a little texture; its confidence is 0.95."""
    inverse = np.broadcast_to(np.linspace(0.5, 0.2, 120, dtype=np.float32), (90, 120))
    image = np.random.default_rng(0).integers(100, 104, (90, 120, 3), np.uint8)
    return Scene(image, 1 / inverse, CAMERA, 1e-4, np.full((90, 120), 0.95, np.float32))


def test_sure_depth_is_not_touched(slanted):
    completion = complete(slanted)
    assert np.array_equal(completion.scene.depth_m, slanted.depth_m)
    assert not completion.made_up.any()
    assert not completion.far.any()


@pytest.mark.parametrize("wrong", [np.nan, 1.0], ids=["unknown", "doubtful"])
def test_a_wall_is_whole_where_its_depth_is_not_known(slanted, wrong):
    depth, confidence = slanted.depth_m.copy(), slanted.confidence.copy()
    depth[30:60, 40:80], confidence[30:60, 40:80] = wrong, 0.05
    completion = complete(replace(slanted, depth_m=depth, confidence=confidence))
    assert np.allclose(completion.scene.depth_m, slanted.depth_m, rtol=0.01)
    assert completion.made_up[31:59, 41:79].all()
    assert not completion.made_up[:30].any()


def test_doubtful_depth_follows_the_regions_of_the_picture(slanted):
    """What is unsure beside an edge belongs to the side that has its colour, not to the nearer of the two rims."""
    image, depth = slanted.image.copy(), np.full((90, 120), 4, np.float32)
    image[:, :60], depth[:, :50] = 200, 2
    confidence = np.full((90, 120), 0.95, np.float32)
    confidence[:, 50:66] = 0.05  # the edge of the near thing is at column 60; its depth is wrong from column 50 on
    depth[:, 50:66] = 3
    found = complete(Scene(image, depth, CAMERA, 1e-4, confidence)).scene.depth_m
    assert np.allclose(found[:, :59], 2, rtol=0.02)
    assert np.allclose(found[:, 61:], 4, rtol=0.02)


def test_a_narrow_gap_goes_on_as_it_was_found(slanted):
    """A near thing at the frame, half of it doubtful, is not laid onto the wall beside it."""
    depth, confidence = slanted.depth_m.copy(), slanted.confidence.copy()
    depth[:, :10] = 1
    confidence[:, 1:10:2] = 0.05
    confidence[:, 6:10] = 0.05
    found = complete(replace(slanted, depth_m=depth, confidence=confidence)).scene.depth_m
    assert np.allclose(found[:, :6], 1, rtol=0.02)


def test_the_sky_is_a_backdrop_and_single_far_points_are_none(slanted):
    sky, depth = slanted.depth_m.copy(), slanted.depth_m.copy()
    sky[:20], depth[70, 60] = np.inf, 500
    completion = complete(replace(slanted, depth_m=sky))
    assert completion.far[:20].all()
    assert not completion.far[20:].any()
    assert np.ptp(completion.scene.depth_m[:20]) == 0
    assert 5 < completion.scene.depth_m[0, 0] < 100
    repaired = complete(replace(slanted, depth_m=depth))
    assert beyond(replace(slanted, depth_m=depth))[0].sum() == 1
    assert repaired.scene.depth_m[70, 60] == pytest.approx(slanted.depth_m[70, 60], rel=0.02)


def test_nothing_is_put_where_the_picture_is_empty(slanted):
    empty = np.zeros((90, 120), bool)
    empty[30:60, 40:80] = True
    depth = np.where(empty, np.float32(np.nan), slanted.depth_m)
    completion = complete(replace(slanted, depth_m=depth, empty=empty))
    assert np.array_equal(np.isnan(completion.scene.depth_m), empty)
    assert not completion.made_up.any()


def test_a_plane_is_continued_only_behind_what_is_there():
    planes = np.zeros((5, 20, 3), np.float32)
    planes[..., 0], planes[..., 1] = 0.5, 0.02  # 1/Z grows to the right
    known = np.zeros((5, 20), bool)
    known[:, 2] = True
    reach, limit = np.full((5, 20), 30, np.float32), np.full((5, 20), 0.6, np.float32)
    limit[:, 12:] = 0.65
    found = continue_surface(planes, known, reach, limit, np.ones((5, 20), np.float32))
    assert np.allclose(found.inverse[:, :7], 0.5 + 0.02 * (np.arange(7) - 2), atol=1e-6)
    assert np.isnan(found.inverse[:, 8:]).all()  # at column 8 it would lie in front, and no way leads round that
    assert np.allclose(found.cost[2, 2:8], np.arange(6))
    short = continue_surface(planes, known, np.full((5, 20), 2.5, np.float32), limit, np.ones((5, 20), np.float32))
    assert np.array_equal(np.isfinite(short.inverse[0]), np.arange(20) < 5)


def test_large_planes_are_found_among_other_things():
    y, x = np.mgrid[:90, :120].astype(np.float32)
    wall, floor = 0.3 + 0.0004 * x, 0.1 + 0.006 * y
    inverse = np.maximum(wall, floor)  # they meet at a line, as in a room
    random = np.random.default_rng(0)
    things = random.random((90, 120)) < 0.3
    inverse[things] *= random.uniform(1.05, 2, int(things.sum()))
    planes = find_planes(inverse, np.ones((90, 120), bool), 1e-4)
    assert np.allclose(planes.values[0], [0.1, 0, 0.006], atol=2e-4)
    assert np.allclose(planes.values[1], [0.3, 0.0004, 0], atol=2e-4)
    assert np.array_equal(planes.values, find_planes(inverse, np.ones((90, 120), bool), 1e-4).values)
    tilted, on = planes.laid(inverse)
    assert on[~things].all()
    assert np.allclose(tilted[~things][:, 0], inverse[~things], rtol=0.007)
    assert not find_planes(random.uniform(0.1, 1, (90, 120)).astype(np.float32), on, 0.0).values.size


def test_planes_are_weighed_by_truncated_squares():
    random = np.random.default_rng(0)
    planes, asked = random.normal(0, 1, (3, 20)).astype(np.float32), random.normal(0, 1, (50, 4)).astype(np.float32)
    costs = np.ones(20, np.float32)
    weigh_planes(planes, asked, costs)
    off = asked[:, :3] @ planes - asked[:, 3:]
    assert np.allclose(costs, 1 + np.minimum(off**2, 1).sum(axis=0), rtol=1e-5)


def test_a_floor_and_a_wall_bound_a_room_and_a_table_does_not():
    y, x = np.mgrid[:90, :120].astype(np.float32)
    floor, wall, table = 0.1 + 0.006 * y, 0.3 + 0.0004 * x, 0.2 + 0.007 * y
    on_table = (y > 40) & (y < 70) & (x > 20) & (x < 80)
    inverse = np.where(on_table, table, np.maximum(wall, floor)).astype(np.float32)
    planes = find_planes(inverse, np.ones((90, 120), bool), 1e-4)
    assert any(np.allclose(plane, [0.2, 0, 0.007], atol=2e-4) for plane in planes.values)
    hole = inverse.copy()
    hole[80:, :] = np.nan
    hole[:2, :5] = 0.1  # a few pixels behind the wall are mistakes
    bounds = planes.bounds(hole, 10)
    assert bounds.shape == (110, 140)
    assert np.allclose(bounds[10:-10, 10:-10], np.maximum(wall, floor), atol=1e-3)
    assert np.allclose(bounds[-1, 10:-10], 0.1 + 0.006 * 99, atol=2e-3)  # the floor goes on beyond the picture
    hole[:20, :40] = 0.25  # many are no mistakes: there is something behind the wall
    assert np.allclose(planes.bounds(hole, 10)[10:-10, 10:-10], floor, atol=1e-3)


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "textured"])
def test_an_unsure_wall_is_flat_unless_the_photos_show_that_it_is_not(plain):
    """To the right of column 60 a wall is told to be nearer by a pixel of disparity, and hardly surely."""
    textured = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    image = np.full((90, 120, 3), 90, np.uint8) if plain else textured
    other = image.copy()
    other[:, :50], other[:, 50:109] = image[:, 10:60], image[:, 61:]  # of disparities 10 and 11
    depth, confidence = np.full((90, 120), 1, np.float32), np.full((90, 120), 0.95, np.float32)
    depth[:, 60:], confidence[:, 60:] = 1 / 1.1, 0.4
    from_scene = np.eye(4)
    from_scene[0, 3] = -0.1
    scene = Scene(image, depth, CAMERA, 0.05, confidence, SecondView(other, CAMERA, from_scene))
    found = complete(scene).scene.depth_m
    expected = depth if not plain else np.ones_like(depth)
    assert np.allclose(found[:, 75:110], expected[:, 75:110], rtol=1e-3)
    assert np.allclose(found[:, :55], 1, rtol=1e-3)


@pytest.mark.filterwarnings("error")
def test_a_single_known_pixel_is_enough_to_complete_from():
    depth = np.full((1, 80), np.nan, np.float32)
    depth[0, 40] = 2
    sure = np.full(depth.shape, 0.9, np.float32)
    scene = Scene(np.zeros((1, 80, 3), np.uint8), depth, Camera.from_fov(80, 1, 60), 1e-3, sure)
    assert np.isfinite(complete(scene).scene.depth_m).all()
