"""Near depth edges, pixels of one colour vote on the side that each is on."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps.engine.matching import edges
from depthapps.engine.matching.edges import vote_at_edges

_NEAR_PX, _FAR_PX = 30, 10
_BLUE, _ORANGE = (60, 90, 120), (200, 160, 90)


@pytest.fixture
def room():
    """A blue wall with grain behind an orange box: left view RGB, right view grey, and disparity px."""
    rng = np.random.default_rng(3)
    near = np.zeros((100, 160), bool)
    near[30:70, 60:100] = True
    grain = rng.integers(-12, 13, (2, 100, 160, 1))
    wall, thing = (np.clip(np.array(color) + g, 0, 255) for color, g in zip((_BLUE, _ORANGE), grain, strict=True))
    left = np.where(near[..., None], thing, wall).astype(np.uint8)
    grey = cv2.cvtColor(left, cv2.COLOR_RGB2GRAY)
    wall_grey = cv2.cvtColor(wall.astype(np.uint8), cv2.COLOR_RGB2GRAY)
    right = np.roll(wall_grey, -_FAR_PX, axis=1)
    moved = np.roll(near, -_NEAR_PX, axis=1)
    right[moved] = np.roll(grey, -_NEAR_PX, axis=1)[moved]
    return left, right, np.where(near, np.float32(_NEAR_PX), np.float32(_FAR_PX))


def _off(disparity, truth):
    return np.mean(np.abs(disparity - truth) > 1)


def test_a_thing_that_came_out_too_large_gets_its_outline_back(room):
    left, right, truth = room
    fattened = np.asarray(cv2.dilate(truth, np.ones((5, 5), np.uint8)), np.float32)
    voted, _ = vote_at_edges(left, right, fattened, np.ones_like(truth))
    assert _off(fattened, truth) > 0.02
    assert _off(voted, truth) < 0.25 * _off(fattened, truth)


def test_a_thing_that_came_out_too_small_grows(room):
    left, right, truth = room
    eaten = np.asarray(cv2.erode(truth, np.ones((5, 5), np.uint8)), np.float32)
    voted, _ = vote_at_edges(left, right, eaten, np.ones_like(truth))
    assert _off(voted, truth) < 0.25 * _off(eaten, truth)


def test_right_depth_stays(room):
    left, right, truth = room
    assert _off(vote_at_edges(left, right, truth, np.ones_like(truth))[0], truth) < 5e-4


def test_a_slanted_plane_has_nothing_to_vote_on(room):
    left, right, truth = room
    slanted = np.broadcast_to(np.linspace(10, 30, truth.shape[1], dtype=np.float32), truth.shape).copy()
    voted, confidence = vote_at_edges(left, right, slanted, np.full_like(truth, 0.8))
    assert np.array_equal(voted, slanted)
    assert (confidence == np.float32(0.8)).all()


def test_what_is_sure_outvotes_what_is_not(room):
    left, right, truth = room
    plain = np.full_like(left, 128)  # colours and views tell nothing
    right = np.full_like(right, 128)
    x = np.arange(truth.shape[1])
    split = np.broadcast_to(np.where(x < 80, np.float32(_NEAR_PX), np.float32(_FAR_PX)), truth.shape).copy()
    for sure_px in (_NEAR_PX, _FAR_PX):
        voted, _ = vote_at_edges(plain, right, split, np.where(split == sure_px, 1, 0.05).astype(np.float32))
        inner = (voted - split)[20:80]
        moved = np.abs(inner) > 1
        assert moved.any()
        assert voted[20:80][moved] == pytest.approx(sure_px, abs=1e-3)


def test_votes_against_a_disparity_lower_its_confidence(room):
    left, right, truth = room
    plain = np.full_like(left, 128)
    split = np.where(np.arange(truth.shape[1]) < 80, np.float32(_NEAR_PX), np.float32(_FAR_PX))
    split = np.broadcast_to(split, truth.shape).copy()
    voted, confidence = vote_at_edges(plain, np.full_like(right, 128), split, np.full_like(truth, 0.8))
    assert voted == pytest.approx(split, abs=1e-3)
    # of the seven columns that vote on the last one of the near side, three are on the far side
    assert confidence[:, 79] == pytest.approx(0.8 * (1 - 3 / 7 / 2), abs=1e-5)
    assert (confidence[:, :60] == np.float32(0.8)).all()


def test_a_picture_is_voted_on_in_bands_without_seams(room, monkeypatch):
    left, right, truth = (np.concatenate([part] * 3) for part in room)
    fattened = np.asarray(cv2.dilate(truth, np.ones((5, 5), np.uint8)), np.float32)
    whole = vote_at_edges(left, right, fattened, np.ones_like(truth))
    monkeypatch.setattr(edges, "_ROWS", 50)  # borders of bands lie in the middle of the boxes
    assert all(map(np.array_equal, vote_at_edges(left, right, fattened, np.ones_like(truth)), whole))


def test_votes_are_what_a_plain_loop_counts(room):
    left, _, truth = room
    confidence = np.random.default_rng(0).random(truth.shape, np.float32)
    places = np.array([0, 30, 50, 99]), np.array([159, 58, 78, 3])
    values = _NEAR_PX, _FAR_PX, 20
    candidates = np.tile(np.array(values, np.float32), (4, 1))
    shares = edges._shares_of_votes(left, truth, confidence, *places, candidates)
    steps = range(-12, 13, 4)
    for found, y, x in zip(shares, *places, strict=True):
        votes = np.zeros(3)
        for q in (min(max(y + dy, 0), 99) for dy in steps):
            for p in (min(max(x + dx, 0), 159) for dx in steps):
                apart = np.abs(left[q, p].astype(int) - left[y, x]).sum()
                votes[values.index(int(truth[q, p]))] += confidence[q, p] * np.exp(-apart / 15)
        assert found == pytest.approx(votes / votes.sum(), abs=1e-5)
