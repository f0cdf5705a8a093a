"""Where infinity lies in photos whose pose was estimated, and how sure that is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps.engine.rectify.fit import fit_pose
from depthapps.engine.rectify.infinity import OPEN, OPEN_M, ROOM_M, find_infinity, sees_sky
from depthapps.engine.rectify.pose import Known, rotation_vector

WIDTH, UNIT_PX = 1000, 65.0  # a picture whose disparity is 65 px at 1 m


def scene(rng: np.random.Generator, far_px: float) -> np.ndarray:
    """Disparities of 500 points, the farthest at far_px."""
    return np.concatenate([np.full(30, far_px), far_px + rng.uniform(0, 60, 470)])


def test_a_sharp_keystone_is_believed():
    found = find_infinity(scene(np.random.default_rng(0), 30), 0.1, UNIT_PX, WIDTH)
    assert found.nearer_px == pytest.approx(0, abs=0.01)
    assert found.high_px == pytest.approx(1.645 * 0.1, rel=0.03)
    assert found.low_px == pytest.approx(-found.high_px, rel=0.03)


def test_nothing_is_farther_than_infinity():
    """Whatever the keystone says; and a few wrong matches, which agree with nothing, say nothing."""
    rng = np.random.default_rng(0)
    behind = find_infinity(scene(rng, -30), 5, UNIT_PX, WIDTH)
    assert 28 < behind.nearer_px < 33
    assert behind.against > 5
    ahead = np.concatenate([rng.uniform(-400, -50, 15), scene(rng, 30)])
    found = find_infinity(ahead, 5, UNIT_PX, WIDTH)
    assert found.nearer_px == pytest.approx(find_infinity(scene(rng, 30), 5, UNIT_PX, WIDTH).nearer_px, abs=0.5)


def test_a_sky_makes_the_farthest_thing_far():
    rng = np.random.default_rng(0)
    ahead = scene(rng, 6)
    room, sky = (find_infinity(ahead, 4, UNIT_PX, WIDTH, sky=sky) for sky in (False, True))
    assert sky.nearer_px < room.nearer_px - 1
    assert 0 < 6 + sky.nearer_px < 3
    # what the keystone is sure of stays near under a sky as well
    assert find_infinity(scene(rng, 40), 4, UNIT_PX, WIDTH, sky=True).nearer_px == pytest.approx(-1, abs=1)


def test_the_distance_that_the_camera_focused_at_tells_infinity():
    ahead = scene(np.random.default_rng(0), 20)
    alone = find_infinity(ahead, 8, UNIT_PX, WIDTH)
    told = find_infinity(ahead, 8, UNIT_PX, WIDTH, focused_px=(40.0, UNIT_PX / 5))
    assert told.nearer_px == pytest.approx(-20, abs=6)
    assert told.high_px - told.low_px < 0.8 * (alone.high_px - alone.low_px)


@pytest.mark.parametrize("sigma_px", [0.5, 3, 15])
def test_the_bounds_hold_nine_times_in_ten(sigma_px):
    """For scenes whose farthest things are as far away as is assumed, and a keystone that errs as it says."""
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(400):
        mean_m = OPEN_M if rng.random() < OPEN else ROOM_M
        true = rng.exponential(UNIT_PX / mean_m)
        error = rng.normal(0, sigma_px)
        found = find_infinity(scene(rng, true + error), sigma_px, UNIT_PX, WIDTH)
        inside += found.low_px <= error + found.nearer_px <= found.high_px
    assert 0.84 * 400 < inside < 0.96 * 400


def test_few_near_things_under_a_sky_do_not_draw_infinity_nearer():
    """One photo in five has a wall below its sky: a mean of what may be would put the other four's infinity wrong."""
    rng = np.random.default_rng(0)
    for far in (0, 5, 10):
        found = find_infinity(scene(rng, far), 8, UNIT_PX, WIDTH, sky=True)
        assert 0 < far + found.nearer_px < 1


@pytest.mark.parametrize("k1", [0.0, -0.25])
def test_lenses_are_straight_or_bend_much(k1):
    """Of two uncorrected cameras, infinity is where it is of two corrected ones."""
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.uniform(-0.55, 0.55, 800), rng.uniform(-0.4, 0.4, 800), np.ones(800)])
    points = points * rng.uniform(1, 4, 800)[:, None]
    matrix, bend = np.array([[560.0, 0, 319.5], [0, 560, 239.5], [0, 0, 1]]), np.array([k1, 0, 0, 0])
    shift = np.array([-0.1, 0, 0])
    a, b = (
        np.asarray(cv2.projectPoints(points, np.zeros(3), to, matrix, bend)[0], np.float64).reshape(-1, 2)
        + rng.normal(0, 0.1, (800, 2))
        for to in (np.zeros(3), shift)
    )
    pose = fit_pose(a, b, Known((640, 480), (560.0, 560.0), 0.001), np.zeros(3), shift, 0.4)
    assert pose.lens[0] == pytest.approx(k1, abs=0.02)
    assert rotation_vector(pose.rotation)[1] * 560 == pytest.approx(0, abs=1.5)


def picture(top: tuple[int, int, int], noise: float) -> np.ndarray:
    """A brown, textured ground under something else."""
    rng = np.random.default_rng(0)
    view = np.empty((300, 400, 3))
    view[:120], view[120:] = top, (120, 90, 60)
    view[:120] += rng.normal(0, noise, (120, 400, 1))
    view[120:] += rng.normal(0, 30, (180, 400, 1))
    return np.clip(view, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("top", "noise", "sky"),
    [((120, 160, 230), 1, True), ((225, 228, 232), 1, True), ((230, 215, 190), 1, False), ((120, 160, 230), 40, False)],
    ids=["blue", "overcast", "a lit ceiling", "leaves"],
)
def test_a_sky_is_even_and_not_warm(top, noise, sky):
    assert sees_sky(picture(top, noise)) is sky


def test_what_is_even_below_is_no_sky():
    assert not sees_sky(picture((120, 160, 230), 1)[::-1].copy())
