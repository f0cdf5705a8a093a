"""Thin things that were found in parts are followed along their length, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from depthapps.engine.fusion import strands
from depthapps.engine.fusion.strands import find_strands, follow_strands

_GROUND, _STEM = 4, 12  # px


def _before_ground(on_it: Callable[[np.ndarray], np.ndarray], width: int, seed: int):
    """A dark thing before textured ground: both views, the left view's disparity, and where the thing is in that.

    on_it: where it is, by the column (120, width) that each pixel has in the left view.
    """
    rng = np.random.default_rng(seed)
    texture = cv2.GaussianBlur(rng.uniform(60, 200, (120, width + 40)).astype(np.float32), (0, 0), 2)
    ground = np.clip(texture * 3 - texture.mean() * 2, 60, 200).astype(np.uint8)
    x = np.indices((120, width))[1]
    on_left, on_right = on_it(x), on_it(x + _STEM)
    left = np.where(on_left, np.uint8(20), ground[:, :width])
    right = np.where(on_right, np.uint8(20), ground[:, _GROUND : width + _GROUND])
    truth = np.where(on_left, np.float32(_STEM), np.float32(_GROUND))
    return np.repeat(left[..., None], 3, axis=2), right, truth, on_left


@pytest.fixture
def stem():
    """A slanted stem of 3 px: see `_before_ground`."""
    return _before_ground(lambda x: np.abs(x - 70 - np.arange(120)[:, None] // 6) < 2, 160, seed=3)


def test_a_stem_is_followed_from_where_it_was_found(stem):
    left, right, truth, on_stem = stem
    lost = truth.copy()
    lost[20:100] = _GROUND
    lost[55:60] = truth[55:60]
    before = lost.copy()
    found = follow_strands(left, right, lost)
    wrong = (np.abs(found - truth) > 1)[20:100]
    assert wrong[on_stem[20:100]].mean() < 0.05
    assert wrong[~on_stem[20:100]].mean() < 0.005
    assert (found >= lost).all()
    assert np.array_equal(lost, before)


def test_what_no_match_speaks_for_stays(stem):
    left, right, truth, on_stem = stem
    truth[50:70] = np.where(on_stem[50:70], np.float32(_STEM + 9), truth[50:70])  # a part that is wrong, and too near
    found = follow_strands(left, right, truth)
    rest = np.r_[0:48, 72:120]
    assert np.array_equal(found[rest], truth[rest])


def test_a_stem_does_not_grow_out_of_the_right_view(stem):
    left, right, truth, on_stem = stem
    right[:, :8] = 20  # what its border goes on with would match
    disparity = np.full_like(truth, _GROUND)
    disparity[100:] = np.where(on_stem[100:], np.float32(200), np.float32(_GROUND))
    assert np.array_equal(follow_strands(left, right, disparity), disparity)


def test_strands_are_thin_and_go_on(stem):
    left, _, _, on_stem = stem
    left[:] = 100
    left[on_stem] = 20
    left[30:33] = 20  # a cable along the row, in which nothing can be matched
    left[80:84, 10:13] = 20  # a dot
    left[20:110, 120:140] = 20  # a board
    found, flat = (strands > 12 for strands in find_strands(left))
    assert found[on_stem].mean() > 0.9
    assert not found[:, :40].any()
    assert not found[:, 110:].any()
    assert not flat[:, 15:40].any()  # at the borders a line is cut off
    assert not flat[:, 110:-15].any()


def test_strands_that_lie_flat_stand_out_down_the_column(flat_stem):
    left, _, _, on_stem = flat_stem
    left[:] = 100
    left[on_stem] = 20
    steep, flat = (strands > 12 for strands in find_strands(left))
    thin = on_stem & (np.arange(left.shape[1]) < 150)
    assert flat[thin].mean() > 0.8
    assert not steep[:, :150].any()
    assert not flat[~on_stem].any()


def test_bands_of_rows_find_the_same(stem, monkeypatch):
    whole = find_strands(stem[0])
    monkeypatch.setattr(strands, "_ROWS", 17)
    assert np.array_equal(find_strands(stem[0]), whole)


@pytest.fixture
def flat_stem():
    """A stem that rises by a quarter of its length, and a board of its depth at its right end: see `_before_ground`."""

    def on_it(x: np.ndarray) -> np.ndarray:
        rising = np.abs(np.arange(120)[:, None] - 90 + x // 4) < 2
        return (rising & (x > 40) & (x < 160)) | ((x >= 160) & (x < 180))

    return _before_ground(on_it, 200, seed=4)


def test_a_stem_that_lies_flat_is_joined_to_its_end_across_what_does_not_match(flat_stem):
    left, right, truth, on_stem = flat_stem
    lost = truth.copy()
    lost[:, :130] = _GROUND
    right[:, 95 - _STEM : 105 - _STEM] = 220  # a lamp that shines over it there
    found = follow_strands(left, right, lost)
    wrong = np.abs(found - truth) > 1
    assert wrong[:, 45:160][on_stem[:, 45:160]].mean() < 0.1
    assert wrong[~on_stem].mean() < 0.005


def test_a_stem_goes_on_beyond_what_the_right_view_shows(flat_stem):
    left, right, truth, on_stem = (np.ascontiguousarray(view[:, 48:]) for view in flat_stem)  # it begins at the border
    lost = truth.copy()
    lost[:, :80] = _GROUND
    found = follow_strands(left, right, lost)
    assert (found == lost)[~on_stem].mean() > 0.99
    assert (np.abs(found - truth) <= 1)[:, :_STEM][on_stem[:, :_STEM]].mean() > 0.9


def test_a_line_on_the_ground_stays_there(flat_stem):
    left, right, truth, _ = flat_stem
    right[:, : 160 - _STEM] = left[:, _GROUND : 160 - _STEM + _GROUND, 0]  # it is painted onto the ground
    truth[:, :160] = _GROUND
    assert np.array_equal(follow_strands(left, right, truth)[:, :150], truth[:, :150])
