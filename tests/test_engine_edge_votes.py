"""Near depth edges, pixels of one colour vote on the side that each is on."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from depthapps import read_disparity, read_image
from depthapps.engine.front.align import align
from depthapps.engine.matching import edge_votes, pyramid
from depthapps.engine.matching.edge_votes import vote_at_edges
from depthapps.engine.matching.refinement import beside_edges

SAMPLES = Path(__file__).parents[1] / "samples"
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


def test_a_thing_that_came_out_too_large_gets_its_outline_back(room, monkeypatch):
    left, right, truth = room
    fattened = np.asarray(cv2.dilate(truth, np.ones((5, 5), np.uint8)), np.float32)
    voted, confidence = vote_at_edges(left, right, fattened, np.ones_like(truth))
    assert _off(fattened, truth) > 0.02
    assert _off(voted, truth) < 0.25 * _off(fattened, truth)
    monkeypatch.setattr(edge_votes, "_ROUNDS", 1)
    voted, lowered = vote_at_edges(left, right, fattened, np.ones_like(truth))
    assert (confidence <= lowered).all()
    y, x = np.nonzero(np.abs(voted - fattened) > 1)
    far = np.full((len(y), 1), _FAR_PX, np.float32)
    share = edge_votes._shares_of_votes(left, fattened, np.ones_like(truth), y, x, far)[:, 0]
    assert lowered[y, x] == pytest.approx(1 - (1 - share) / 2, abs=1e-5)  # by the votes for where it was put


def test_a_thing_that_came_out_too_small_grows(room):
    left, right, truth = room
    eaten = np.asarray(cv2.erode(truth, np.ones((5, 5), np.uint8)), np.float32)
    voted, _ = vote_at_edges(left, right, eaten, np.ones_like(truth))
    assert _off(voted, truth) < 0.25 * _off(eaten, truth)


def test_a_second_round_moves_an_edge_nearer_to_the_picture_s(room, monkeypatch):
    left, right, truth = room
    fattened = np.asarray(cv2.dilate(truth, np.ones((13, 13), np.uint8)), np.float32)
    twice, _ = vote_at_edges(left, right, fattened, np.ones_like(truth))
    monkeypatch.setattr(edge_votes, "_ROUNDS", 1)
    once, _ = vote_at_edges(left, right, fattened, np.ones_like(truth))
    assert _off(twice, truth) < 0.5 * _off(once, truth)


def test_a_second_round_around_what_moved_finds_what_one_everywhere_does(room, monkeypatch):
    left, right, truth = room
    fattened = np.asarray(cv2.dilate(truth, np.ones((13, 13), np.uint8)), np.float32)
    found = vote_at_edges(left, right, fattened, np.ones_like(truth))
    monkeypatch.setattr(edge_votes, "_MOVED_PX", -1)
    everywhere = vote_at_edges(left, right, fattened, np.ones_like(truth))
    for part, whole in zip(found, everywhere, strict=True):
        assert np.array_equal(part, whole)


def test_where_nothing_moved_there_is_no_second_round(room, monkeypatch):
    left, right, truth = room
    asked = []
    votes = edge_votes._shares_of_votes
    monkeypatch.setattr(edge_votes, "_shares_of_votes", lambda *of: asked.append(len(of[3])) or votes(*of))
    vote_at_edges(left, right, truth, np.ones_like(truth))
    assert asked[0] > 0
    assert asked[1] < 0.1 * asked[0]


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
    noise = np.random.default_rng(4).normal(0, 20, (100, truth.shape[1]))
    right[100:200] = np.clip(right[100:200] + noise, 0, 255).astype(
        np.uint8
    )  # how much counts is the same in all bands
    whole = vote_at_edges(left, right, fattened, np.ones_like(truth))
    monkeypatch.setattr(edge_votes, "_ROWS", 50)  # some borders of bands lie in the middle of a box
    assert all(map(np.array_equal, vote_at_edges(left, right, fattened, np.ones_like(truth)), whole))


def test_votes_are_what_a_plain_loop_counts():
    rng = np.random.default_rng(0)
    left = rng.integers(100, 112, (30, 40, 3), np.uint8)
    disparity = rng.uniform(0, 4, (30, 40)).astype(np.float32)
    confidence = rng.random((30, 40), np.float32)
    places = np.array([0, 15, 29, 7]), np.array([39, 20, 2, 0])
    values = np.array([1, 2, 3], np.float32)
    shares = edge_votes._shares_of_votes(left, disparity, confidence, *places, np.tile(values, (4, 1)))
    steps = range(-12, 13, 4)
    for found, y, x in zip(shares, *places, strict=True):
        votes, total = np.zeros(3), 0.0
        for q in (min(max(y + dy, 0), 29) for dy in steps):
            for p in (min(max(x + dx, 0), 39) for dx in steps):
                weight = confidence[q, p] * np.exp(-np.abs(left[q, p].astype(int) - left[y, x]).sum() / 15)
                votes += weight * (np.abs(disparity[q, p] - values) < 1)
                total += weight
        assert found == pytest.approx(votes / total, abs=1e-5)


def test_nobody_votes_where_nothing_is_sure(room):
    left, right, truth = room
    voted, confidence = vote_at_edges(left, right, truth, np.zeros_like(truth))
    assert np.isfinite(voted).all()
    assert not confidence.any()


def test_the_engine_lets_pixels_vote(monkeypatch):
    true = read_disparity(SAMPLES / "disparity.png")
    views = align(read_image(SAMPLES / "left.png"), read_image(SAMPLES / "right.png"))
    edges = beside_edges(true)
    tier = pyramid.Tier(pyramid.FOUR_PATHS, 1e12)
    voted = pyramid.find_disparity(views, tier).disparity_px
    monkeypatch.setattr(pyramid, "vote_at_edges", lambda left, right, disparity, confidence: (disparity, confidence))
    before = pyramid.find_disparity(views, tier).disparity_px
    wrong, still_wrong = ((np.abs(found - true) > 2)[edges].mean() for found in (before, voted))
    assert still_wrong < 0.95 * wrong
