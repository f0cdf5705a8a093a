"""Nothing lies behind the planes that bound a scene."""

from __future__ import annotations

import numpy as np
import pytest

from depthapps.engine.matching.bounds import within_bounds

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
