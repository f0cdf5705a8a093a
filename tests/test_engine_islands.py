"""Small islands of matches: things that were found, and chance."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from conftest import Card, TruePair, make_pair

from depthapps import Quality, match_pair
from depthapps.engine.front.align import AlignedViews, align
from depthapps.engine.fusion.support import worse_by
from depthapps.engine.matching.islands import small_islands, small_things
from depthapps.engine.matching.sgbm import SgbmParams, match_both_ways

NAN = np.float32(np.nan)
WALL, THING, WIDE = 10.0, 26.0, 40
PLACES = [(60, 40), (130, 60), (200, 50), (90, 120), (160, 130), (230, 120), (120, 190), (250, 190)]  # x, y


@pytest.fixture(scope="module")
def beads() -> TruePair:
    """Squares of 12 px before a wall."""
    return make_pair(Card(0, 0, WALL), *(Card(0, 0, THING, (x, y, x + 12, y + 12)) for x, y in PLACES))


@pytest.fixture(scope="module")
def window() -> TruePair:
    """A near wall with a gap of 40x12 px in it, of which the right view shows 24 columns of what is behind."""
    around = [(-9999, -9999, 9999, 100), (-9999, 112, 9999, 9999), (-9999, 100, 140, 112), (180, 100, 9999, 112)]
    return make_pair(Card(0, 0, WALL), *(Card(0, 0, THING, box, seed=9 - k) for k, box in enumerate(around)))


def aligned(pair: TruePair) -> AlignedViews:
    return align(pair.pair.left, pair.pair.right)


def kept(pair: TruePair, islands: np.ndarray, around: float) -> np.ndarray:
    """What is kept of islands (H, W) px, all else of the pair being matched at one disparity."""
    views = aligned(pair)
    known = np.where(np.isnan(islands), np.float32(around), NAN)
    found = small_things(views.left, views.right_grey, known, islands)
    assert np.array_equal(found[np.isfinite(found)], islands[np.isfinite(found)])
    return np.isfinite(found)


def test_regions_up_to_an_area_are_small():
    disparity = np.full((40, 60), NAN)
    disparity[5:10, 5:11] = 12  # 30 px
    disparity[20:25, 5:11] = 12  # 31 px with the next one
    disparity[25, 5] = 12.9
    disparity[5:10, 30:36] = np.float32(12) + 1.5 * np.arange(6, dtype=np.float32)  # six regions of 5 px each
    disparity[20:30, 30:50] = -700.5  # below 0, and large
    small = small_islands(disparity, 30, 1.0)
    assert small[5:10, 5:11].all()
    assert small[5:10, 30:36].all()
    assert small.sum() == 60
    assert small_islands(disparity, 31, 1.0)[20:26, 5:11].sum() == 31
    assert not small_islands(disparity, 29, 2.0)[5:10, 30:36].any()


def test_the_matcher_tells_small_regions_apart(beads):
    views = aligned(beads)
    params = SgbmParams(mode=cv2.STEREO_SGBM_MODE_HH4)
    found = match_both_ways(views.left_grey, views.right_grey, 0, 32, params)
    islands = np.isfinite(found.islands)
    assert not (islands & np.isfinite(found.known)).any()
    assert (islands & small_islands(found.islands, params.speckle_px, params.speckle_range_px) == islands).all()
    thing = beads.disparity_px == THING
    assert not (np.abs(found.known[thing] - THING) < 2).any()
    assert (np.abs(found.islands[thing] - THING) < 1).mean() > 0.6


def test_in_a_tiny_pair_small_regions_are_all_there_is():
    wide = np.random.default_rng(7).integers(0, 255, (16, 19), np.uint8)
    left, right = wide[:, :-3], np.ascontiguousarray(wide[:, 3:])
    found = match_both_ways(np.ascontiguousarray(left), right, 0, 16, SgbmParams(mode=cv2.STEREO_SGBM_MODE_HH4))
    assert (np.abs(found.known - 3) < 1).sum() > 80


def test_unrelated_views_have_no_match():
    rng = np.random.default_rng(0)
    noise = (cv2.GaussianBlur(rng.integers(0, 255, (240, 320), np.uint8), (0, 0), 0.6) for _ in range(2))
    left, right = (np.asarray(view, np.uint8) for view in noise)
    found = match_both_ways(left, right, 0, 64, SgbmParams(mode=cv2.STEREO_SGBM_MODE_HH4))
    assert not np.isfinite(found.known).any()
    assert np.isfinite(found.islands).any()


def test_what_matches_clearly_better_than_what_is_around_is_kept(beads):
    islands = np.where(beads.disparity_px == THING, np.float32(THING), NAN)
    thing = np.isfinite(islands)
    chance = np.zeros_like(thing)
    chance[200:212, 60:72] = True
    islands[chance] = THING
    found = kept(beads, islands, WALL)
    assert found[thing].mean() > 0.9
    assert not found[chance].any()


def test_what_matches_a_little_better_than_what_is_around_is_not(beads):
    views = aligned(beads)
    islands = np.where(beads.disparity_px == THING, np.float32(THING), NAN)
    known = np.where(np.isnan(islands), np.float32(WALL), NAN)
    left, right = (view // 64 + 126 for view in (views.left, views.right_grey))  # so flat that all nearly matches
    better = -worse_by(left, right, np.full_like(known, WALL), np.where(np.isnan(islands), known, islands))
    assert 0 < better[np.isfinite(islands)].mean() < 1
    assert not np.isfinite(small_things(left, right, known, islands)).any()


def test_chance_where_the_right_view_does_not_show_what_is_around_is_not_kept(two_layers):
    hidden = ~two_layers.seen & (two_layers.disparity_px == WALL)
    hidden[:, :WIDE] = False
    y, x = np.argwhere(hidden).mean(axis=0).astype(int)
    part = np.zeros_like(hidden)
    part[y - 8 : y + 8, x - 6 : x + 6] = True
    assert hidden[part].all()
    views, chance = aligned(two_layers), 16
    known, islands = np.where(part, NAN, two_layers.disparity_px), np.where(part, np.float32(chance), NAN)
    right = views.right_grey.copy()
    y, x = np.nonzero(part)
    right[y, x - chance] = views.left_grey[y, x]  # what happens to look the same
    wall = np.full_like(known, WALL)
    assert (worse_by(views.left, right, wall, np.where(part, islands, wall))[part] < -1).sum() > 100
    assert not np.isfinite(small_things(views.left, right, known, islands)).any()


def test_what_is_seen_through_a_gap_is_kept(window):
    seen = (window.disparity_px == WALL) & window.seen
    islands = np.where(seen, np.float32(WALL), NAN)
    assert kept(window, islands, THING)[seen].mean() > 0.8


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ((slice(0, 12), slice(100, 112)), "it reaches the border"),
        ((slice(120, 127), slice(100, 107)), "of 49 px"),
        ((slice(60, 72), slice(150, 162)), ""),
    ],
)
def test_islands_at_the_border_and_tiny_ones_are_not(part, why):
    (top, bottom), (left, right) = ((side.start, side.stop) for side in part)
    pair = make_pair(Card(0, 0, WALL), Card(0, 0, THING, (left, top, right, bottom)))
    islands = np.full(pair.disparity_px.shape, NAN)
    islands[part] = THING
    assert kept(pair, islands, WALL).any() == (not why)


@pytest.mark.parametrize("apart", [1.9, 2.5])
def test_islands_hardly_apart_from_what_is_around_are_not(apart):
    pair = make_pair(Card(0, 0, THING - apart), Card(0, 0, THING, (150, 60, 162, 72)))
    islands = np.where(pair.disparity_px == THING, np.float32(THING), NAN)
    assert kept(pair, islands, THING - apart).any() == (apart > 2)


@pytest.mark.parametrize("quality", [Quality.BALANCED, Quality.BEST])
def test_small_things_before_a_wall_are_found(beads, quality):
    match = match_pair(beads.pair, quality)
    thing = beads.disparity_px == THING
    assert (np.abs(match.disparity_px - THING) < 2)[thing].mean() > 0.8
    assert (np.abs(match.disparity_px - WALL) < 2)[~thing & beads.seen].mean() > 0.98
