"""Nothing lies behind the planes that bound a scene."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import depthapps as da
from depthapps.engine.matching.bounds import sure_matches, within_bounds

SHAPE = (160, 240)
ROWS, COLUMNS = np.indices(SHAPE)
WALL = np.full(SHAPE, 12, np.float32)
FLOOR = (-28 + 0.5 * ROWS).astype(np.float32)  # px: nearer than the wall from row 80 on
ROOM = np.maximum(WALL, FLOOR)
BOX = (ROWS > 90) & (ROWS < 120) & (COLUMNS > 40) & (COLUMNS < 80)  # on the floor, nearer
BELOW = (ROWS > 110) & (COLUMNS > 150) & (COLUMNS < 200)


def scene(*, depth_px: float, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """A room with a box, where BELOW is farther than the floor by so many px and so sure: disparity and confidence."""
    disparity = np.where(BOX, FLOOR + 15, ROOM)
    disparity = np.where(BELOW, disparity - depth_px, disparity).astype(np.float32)
    return disparity, np.where(BELOW, confidence, 0.98).astype(np.float32)


def test_what_was_matched_below_the_floor_is_laid_onto_it():
    disparity, confidence = scene(depth_px=9, confidence=0.3)
    found = within_bounds(disparity, confidence, 0.0)
    assert np.abs(found - FLOOR)[BELOW].max() < 0.1
    assert np.array_equal(found[~BELOW], disparity[~BELOW])


def test_what_is_sure_to_be_behind_a_plane_makes_it_no_bound():
    disparity, confidence = scene(depth_px=9, confidence=0.95)
    doubtful = (ROWS > 140) & (COLUMNS < 30)  # unsure and below the same floor: it may lie there as well
    disparity[doubtful] -= 9
    confidence[doubtful] = 0.3
    assert np.array_equal(within_bounds(disparity, confidence, 0.0), disparity)


def test_what_is_sure_stays_where_it_is():
    disparity, confidence = scene(depth_px=9, confidence=0.3)
    few = BELOW & (COLUMNS < 155)
    confidence[few] = 0.92
    found = within_bounds(disparity, confidence, 0.0)
    assert np.array_equal(found[few], disparity[few])
    assert np.abs(found - FLOOR)[BELOW & ~few].max() < 0.1


def test_a_small_plane_bounds_nothing():
    disparity, confidence = scene(depth_px=0, confidence=0.98)
    confidence[~BOX] = 0.4
    unsure = BOX & (COLUMNS > 70)
    disparity[unsure] -= 9
    confidence[unsure] = 0.3
    assert np.array_equal(within_bounds(disparity, confidence, 0.0), disparity)


def test_large_pictures_have_the_same_bounds():
    disparity, confidence = (np.repeat(np.repeat(m, 11, 0), 11, 1) for m in scene(depth_px=9, confidence=0.3))
    rows = np.indices(disparity.shape)[0]
    true = np.maximum(12, -28 + 0.5 * (rows / 11)).astype(np.float32)
    box = np.repeat(np.repeat(BOX, 11, 0), 11, 1)
    below = np.repeat(np.repeat(BELOW, 11, 0), 11, 1)
    found = within_bounds(np.where(box | below, disparity, true), confidence, 0.0)
    assert np.abs(found - true)[below].max() < 0.1
    assert np.array_equal(found[~box & ~below], true[~box & ~below])


@pytest.mark.parametrize("confidence", [0.0, 0.5])
def test_without_anything_sure_nothing_changes(confidence):
    disparity, _ = scene(depth_px=9, confidence=0.3)
    assert np.array_equal(within_bounds(disparity, np.full(SHAPE, confidence, np.float32), 0.0), disparity)


def test_the_room_beyond_what_was_searched_is_left_alone():
    disparity, confidence = scene(depth_px=9, confidence=0.3)
    low = float(FLOOR.max()) + 1
    assert np.array_equal(within_bounds(disparity, confidence, low), disparity)


@pytest.mark.parametrize(("confidence", "laid"), [(0.75, True), (0.85, False)])
def test_what_is_likely_right_stays_where_it_is(confidence: float, laid: bool):
    disparity, sure = scene(depth_px=9, confidence=confidence)
    found = within_bounds(disparity, sure, 0.0)
    assert np.array_equal(found, np.where(BELOW, FLOOR, disparity) if laid else disparity)


@pytest.mark.parametrize(("columns", "bounds"), [(8, True), (18, False)])
def test_a_plane_with_a_little_behind_it_that_is_sure_is_no_bound(columns: int, bounds: bool):
    disparity, confidence = scene(depth_px=9, confidence=0.3)
    doubtful = (ROWS > 100) & (COLUMNS > 90) & (COLUMNS <= 150)
    seen = (ROWS > 110) & (COLUMNS > 203) & (204 + columns > COLUMNS)  # 390 or 880 of some 12 500 px on the floor
    disparity[doubtful | seen] -= 9
    confidence[doubtful], confidence[seen] = 0.3, 0.95
    assert (within_bounds(disparity, confidence, 0.0) != disparity).any() == bounds


def test_the_room_that_is_seen_beyond_the_edge_of_a_thing_is_not_laid_onto_its_face():
    face = (20 - 0.05 * COLUMNS).astype(np.float32)
    post, beyond = (COLUMNS >= 60) & (COLUMNS < 70), COLUMNS < 60  # the right view shows neither the wall behind
    disparity = np.where(beyond, face - 6, np.where(post, face + 5, face)).astype(np.float32)
    confidence = np.where(beyond, 0.4, 0.98).astype(np.float32)
    assert np.array_equal(within_bounds(disparity, confidence, 0.0), disparity)
    gap = (COLUMNS > 120) & (COLUMNS < 160) & (ROWS > 40) & (ROWS < 90)  # but what lies amid the face is
    disparity[gap], confidence[gap] = face[gap] - 6, 0.4
    found = within_bounds(disparity, confidence, 0.0)
    assert np.abs(found - face)[gap].max() < 0.1
    assert np.array_equal(found[~gap], disparity[~gap])


def test_matches_are_sure_where_they_are_dense_and_have_texture():
    grey = np.random.default_rng(0).integers(0, 256, SHAPE).astype(np.uint8)
    grey[:, 160:] = 90
    known = np.full(SHAPE, 12, np.float32)
    known[:60, ::3] = np.nan
    sure = sure_matches(known, grey) == 1
    assert sure[66:, :155].all()
    assert not sure[:, 166:].any()  # nothing is there to match
    assert not sure[:60].any()
    assert not sure[60:62, :155].any()
    assert set(np.unique(sure_matches(known, grey))) == {np.float32(0.4), np.float32(1)}


RAILING = np.s_[90:260, 150:420]


def railing(period: int, ahead_px: int) -> tuple[da.StereoPair, np.ndarray]:
    """A pair of a floor behind bars at RAILING that stand so many px apart, and the floor's disparity."""
    random, (height, width) = np.random.default_rng(0), (300, 480)
    grain = cv2.GaussianBlur(random.uniform(40, 215, (height, width + 200, 3)), (0, 0), 1.2).astype(np.float32)
    texture = np.clip((grain - 128) * 2.2 + 128, 0, 255).astype(np.float32)
    y, x = (places.astype(np.float32) for places in np.indices((height, width)))
    floor = 10 + np.float32(0.05) * y
    left, right = (cv2.remap(texture, x + shift, y, cv2.INTER_LINEAR) for shift in (0 * floor, floor))
    for start in range(150, 420, period):
        left[90:260, start : start + 5] = right[90:260, start - 25 - ahead_px : start - 20 - ahead_px] = 60, 40, 160
    camera = da.Camera.centred(width, height, width)
    left, right = (np.clip(view, 0, 255).astype(np.uint8) for view in (left, right))
    return da.StereoPair(left, right, da.Calibration(camera, 0.1)), floor


@pytest.mark.parametrize(("period", "ahead_px"), [(12, 0), (16, -4), (20, 0)])
def test_fast_leaves_bars_that_were_matched_a_period_off_nowhere_below_the_floor(period: int, ahead_px: int):
    pair, floor = railing(period, ahead_px)
    found = da.match_pair(pair, da.Quality.FAST, confidence=False).disparity_px
    assert (found - floor < -1.5)[RAILING].mean() < 0.05  # 0.13 to 0.19 without bounds


def test_what_is_hardly_behind_a_bound_stays_where_it_is():
    disparity, confidence = scene(depth_px=9, confidence=0.3)
    beside = (ROWS > 110) & (COLUMNS == 200)
    disparity[beside] -= 1
    confidence[beside] = 0.3
    found = within_bounds(disparity, confidence, 0.0)
    assert np.abs(found - FLOOR)[BELOW].max() < 0.1
    assert np.array_equal(found[beside], disparity[beside])
