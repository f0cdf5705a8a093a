"""The choice between candidate disparities: its clues, the network, and matching at several sizes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from depthapps import Calibration, Camera, Quality, StereoError, StereoPair, match_pair, read_disparity, read_image
from depthapps.engine.front.align import AlignedViews, align
from depthapps.engine.fusion.clues import (
    EVIDENCE,
    REACH_PX,
    clues,
    nearest_from_right,
    neighbour_candidates,
    see_from_right,
)
from depthapps.engine.fusion.fuse import fuse, stack_candidates
from depthapps.engine.matching.pyramid import FOUR_PATHS, THREE_PATHS, Tier, find_disparity, guess_disparity
from depthapps.engine.matching.sgbm import BothWays

NAN = np.float32(np.nan)
SAMPLES = Path(__file__).parents[1] / "samples"


def test_neighbour_candidates_agree_with_a_plain_loop():
    rng = np.random.default_rng(3)
    disparity = np.where(rng.random((17, 23)) < 0.6, rng.uniform(1, 9, (17, 23)), NAN).astype(np.float32)
    left, right, above, below = neighbour_candidates(disparity)
    for y, x in [(0, 0), (5, 11), (16, 22), (8, 3), (9, 20)]:
        for found, line, at in (
            (left, disparity[y], x),
            (right, disparity[y, ::-1], 22 - x),
            (above, disparity[:, x], y),
            (below, disparity[::-1, x], 16 - y),
        ):
            reached = line[: max(at - REACH_PX, 0) + 1]
            known = reached[np.isfinite(reached)]
            expected = known[-1] if known.size else line[0]
            assert np.array_equal(found[y, x], expected, equal_nan=True)


def test_what_the_right_view_sees_is_the_nearest_that_lands(two_layers):
    disparity = two_layers.disparity_px
    expected = np.full(disparity.shape, NAN)
    for y in range(0, 240, 40):
        for x in range(320):
            landing = round(float(x - disparity[y, x]))
            if landing >= 0 and not expected[y, landing] >= disparity[y, x]:
                expected[y, landing] = disparity[y, x]
    seen = see_from_right(disparity.astype(np.float32))
    assert np.isfinite(seen).all()
    landed = np.isfinite(expected)
    assert np.array_equal(seen[landed], expected[landed].astype(np.float32))


def test_the_nearest_is_seen_from_the_right_in_a_smaller_copy_too():
    disparity = np.full((5, 11), np.nan, np.float32)
    disparity[0, 9], disparity[2, 10], disparity[4, 6], disparity[4, 1], disparity[3, 8] = 1, 5, -3, 7, -9
    expected = np.full((3, 6), np.nan, np.float32)
    expected[0, 4], expected[1, 2], expected[2, 4] = 1, 5, -3  # two of the five land beyond the borders
    assert np.array_equal(nearest_from_right(disparity, 2), expected, equal_nan=True)


def test_clues_tell_what_hides_a_pixel_of_the_right_view(two_layers):
    views = align(two_layers.pair.left, two_layers.pair.right)
    candidates = stack_candidates([two_layers.disparity_px], two_layers.disparity_px)
    from_right = see_from_right(two_layers.disparity_px)
    seen = clues(views.left, views.right_grey, candidates, np.ones((240, 320), np.float32), from_right)
    nearer = seen.evidence.reshape(4, len(candidates), EVIDENCE, 120, 160)[0, 0, 3]  # of the best guess
    inside = np.ones((120, 160), np.bool_)
    inside[:, :20] = False  # lands beyond the right view
    assert np.median(nearer[inside & ~two_layers.seen[::2, ::2]]) > 0.5
    assert np.abs(nearer[inside & two_layers.seen[::2, ::2]]).max() < 0.5


def test_clues_are_blocks_of_pixels(two_layers):
    views = align(two_layers.pair.left, two_layers.pair.right)
    candidates = stack_candidates([two_layers.disparity_px], two_layers.disparity_px)
    from_right = see_from_right(two_layers.disparity_px)
    seen, _ = clues(views.left, views.right_grey, candidates, np.ones((240, 320), np.float32), from_right)
    assert seen.shape == (72, 120, 160)
    assert np.array_equal(seen[1], views.left[::2, 1::2, 0].astype(np.float32) / 128 - 1)
    inside = two_layers.seen[::2, ::2]
    assert np.median(np.abs(seen[12])[inside]) < 0.1  # the right view fits under the true disparity


def test_clues_of_a_tile_are_those_of_the_picture(two_layers):
    views = align(two_layers.pair.left, two_layers.pair.right)
    candidates = stack_candidates([two_layers.disparity_px], two_layers.disparity_px)
    sure = np.ones((240, 320), np.float32)
    from_right = see_from_right(two_layers.disparity_px)
    whole = clues(views.left, views.right_grey, candidates, sure, from_right)
    tile = (slice(64, 192), slice(96, 256))
    part = clues(
        views.left[tile],
        views.right_grey[tile[0]],
        candidates[:, *tile],
        sure[tile],
        from_right[tile[0]],
        tile[1].start,
    )
    inner = slice(22, -22)
    for one, other in zip(part, whole, strict=True):
        assert np.allclose(one[..., inner, inner], other[..., 32:96, 48:128][..., inner, inner], atol=1e-4)


def test_shading_tells_disparities_apart_where_noise_hides_all_else():
    rng = np.random.default_rng(7)
    x = np.arange(320, dtype=np.float32)
    shading = 120 + 40 * np.sin(x / 23) * np.ones((160, 1), np.float32)
    moved = 120 + 40 * np.sin((x + 24) / 23) * np.ones((160, 1), np.float32)  # a disparity of 24 px
    left, right = (np.clip(v + rng.normal(0, 6, v.shape), 0, 255).astype(np.uint8) for v in (shading, moved))
    candidates = np.stack([np.full((160, 320), d, np.float32) for d in (24, 12, 36)])
    seen = clues(np.stack([left] * 3, -1), right, candidates, np.ones((160, 320), np.float32), candidates[0])
    of_others = seen.picture[-2:, 20:-20, 30:-20]
    assert (of_others > 0).mean() > 0.9


def test_occluded_pixels_are_told_from_others(two_layers):
    occluded = match_pair(two_layers.pair).occluded
    assert occluded is not None
    inner = np.s_[:, 45:]  # beyond it the right view does not reach
    assert occluded[inner][~two_layers.seen[inner]].mean() > 0.6
    assert occluded[inner][two_layers.seen[inner]].mean() < 0.1
    assert occluded[:, :5].mean() > 0.8


@pytest.mark.parametrize("name", ["slanted_plane", "two_layers", "thin_pole"])
def test_the_choice_is_right_at_least_where_the_best_guess_is(name, request):
    true = request.getfixturevalue(name)
    views = align(true.pair.left, true.pair.right)
    guesses, known, from_right = guess_disparity(views, THREE_PATHS)
    disparity, confidence, _ = fuse(views.left, views.right_grey, guesses, known, from_right)
    before, after = ((np.abs(d - true.disparity_px) > 2).mean() for d in (guesses[0], disparity))
    assert after <= before
    assert confidence.min() >= 0
    assert confidence.max() <= 1


def test_a_wrong_guess_gives_way_to_a_right_one(two_layers):
    views = align(two_layers.pair.left, two_layers.pair.right)
    wrong = two_layers.disparity_px.copy()
    wrong[30:60, 30:100] += 7
    disparity, *_ = fuse(views.left, views.right_grey, [wrong, two_layers.disparity_px], wrong)
    error = np.abs(disparity - two_layers.disparity_px)
    assert (error > 1).mean() < 0.02
    assert (error[34:56, 34:96] > 1).mean() < 0.05


@pytest.mark.parametrize("behind_px", [0, 40])
def test_the_network_chooses_alone_where_that_is_enough(two_layers, behind_px, monkeypatch):
    for part in ("lack_of_support", "choose_together"):
        monkeypatch.setattr(f"depthapps.engine.fusion.fuse.{part}", None)  # a call would fail
    views = align(two_layers.pair.left, two_layers.pair.right)
    truth, right = two_layers.disparity_px - behind_px, np.roll(views.right_grey, behind_px, axis=1)
    wrong = truth.copy()
    wrong[30:60, 30:100] += 7
    disparity, *_ = fuse(views.left, right, [wrong, truth], wrong, choose="alone")
    assert (np.abs(disparity - truth) > 1).mean() < 0.04


def test_negative_disparities_are_chosen_too(two_layers):
    views = align(two_layers.pair.left, two_layers.pair.right)
    moved = two_layers.disparity_px - 40
    right = np.roll(views.right_grey, 40, axis=1)
    disparity, *_ = fuse(views.left, right, [moved], moved)
    assert (np.abs(disparity - moved) > 1).mean() < 0.04


def test_confidence_falls_by_half_where_no_guess_is_right(two_layers):
    views = align(two_layers.pair.left, two_layers.pair.right)
    wrong = two_layers.disparity_px.copy()
    wrong[100:160, 20:100] += 9
    _, confidence, _ = fuse(views.left, views.right_grey, [wrong], wrong)
    assert confidence[110:150, 30:90].mean() < 0.5 * confidence[180:220, 30:90].mean()


def test_tiles_join_without_a_seam(two_layers, monkeypatch):
    views = align(two_layers.pair.left, two_layers.pair.right)
    guesses, known, from_right = guess_disparity(views, THREE_PATHS)
    whole, *_ = fuse(views.left, views.right_grey, guesses, known, from_right)
    monkeypatch.setattr("depthapps.engine.effort._TILES_PX", (128,))
    tiles, *_ = fuse(views.left, views.right_grey, guesses, known, from_right)
    assert (np.abs(whole - tiles) > 0.25).mean() < 0.01


def test_a_large_pair_is_matched_at_half_size_and_keeps_its_edges(two_layers):
    views = align(two_layers.pair.left, two_layers.pair.right)
    disparity, *_ = find_disparity(views, Tier(FOUR_PATHS, cells=views.cells / 4))
    error = np.abs(disparity - two_layers.disparity_px)
    assert disparity.shape == (240, 320)
    assert (error > 1).mean() < 0.05
    assert np.median(error) < 0.2


def test_cameras_may_converge(two_layers):
    left, right, width = two_layers.pair.left, two_layers.pair.right, 320
    moved = np.concatenate([np.repeat(right[:, :1], 60, axis=1), right], axis=1)[:, :width]
    straight = _fuse_guess(left, right)
    converged = _fuse_guess(left, moved)
    seen = np.s_[:, : width - 60]
    assert (np.abs(converged[0] + 60 - two_layers.disparity_px)[seen] > 1).mean() < 0.03
    assert converged[1][seen].mean() > straight[1][seen].mean() - 0.03


def _fuse_guess(left, right):
    views = align(left, right, order_known=True)
    guesses, known, from_right = guess_disparity(views, FOUR_PATHS)
    return fuse(views.left, views.right_grey, guesses, known, from_right)


@pytest.mark.parametrize("quality", list(Quality))
def test_confidence_ranks_errors(thin_pole, quality):
    found = match_pair(thin_pole.pair, quality)
    wrong = np.abs(found.disparity_px - thin_pole.disparity_px) > 1
    assert found.confidence is not None
    assert found.confidence.shape == wrong.shape
    assert found.confidence[wrong].mean() < found.confidence[~wrong].mean() - 0.2
    assert found.confidence[~wrong].mean() > 0.9


def test_the_network_chooses_in_copies_of_half_the_size_of_large_pairs():
    true = read_disparity(SAMPLES / "disparity.png")
    views = align(read_image(SAMPLES / "left.png"), read_image(SAMPLES / "right.png"))
    (_, _, matched, *_), *_ = guess_disparity(views, FOUR_PATHS, halve=False)
    (_, _, chosen, *_), *_ = guess_disparity(views, FOUR_PATHS)
    wrong, still_wrong = ((np.abs(guess - true) > 2).mean() for guess in (matched, chosen))
    assert still_wrong < 0.85 * wrong


def test_clues_are_what_plain_array_operations_find(two_layers):
    left, right = (np.ascontiguousarray(view[40:104, 30:126]) for view in (two_layers.pair.left, two_layers.pair.right))
    grey, other = (np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), np.float32) for view in (left, right))
    rng = np.random.default_rng(2)
    candidates = rng.uniform(-9, 30, (9, 64, 96)).astype(np.float32)
    candidates[3] = candidates[0] + 0.5
    from_right = rng.uniform(0, 20, (64, 96)).astype(np.float32)
    picture, evidence = clues(left, other.astype(np.uint8), candidates, np.ones((64, 96), np.float32), from_right)
    evidence = evidence.reshape(4, 9, EVIDENCE, 32, 48)
    grey, other = (view - cv2.blur(view, (9, 9)) for view in (grey, other))
    x, y = (np.asarray(places, np.float32) for places in np.meshgrid(np.arange(96), np.arange(64)))

    def costs(disparity):
        seen = cv2.remap(other, np.clip(x - disparity, 0, 95), y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.minimum(np.abs(seen - grey), 40)

    def mean(values, side):
        return cv2.blur(values, (side, side)) / 16

    def squashed(apart):
        return apart / (4 + np.abs(apart) / 2)

    def blocks(values):
        return np.stack([values[0::2, 0::2], values[0::2, 1::2], values[1::2, 0::2], values[1::2, 1::2]])

    best = mean(costs(candidates[0]), 3)
    for k, candidate in enumerate(candidates):
        there = from_right[y.astype(int), np.clip(np.rint(x - candidate), 0, 95).astype(int)]
        units = np.trunc(4 * candidates)
        agreeing = (np.abs(units - units[k]) <= 4).sum(axis=0) - 1
        expected = (squashed(candidate - candidates[0]), mean(costs(candidate), 3), mean(costs(candidate), 9))
        expected += (squashed(there - candidate), agreeing / 9)
        for n, values in enumerate(expected):
            assert evidence[:, k, n] == pytest.approx(blocks(values), abs=1e-4)
        if k:
            assert picture[35 + 2 * k] == pytest.approx(blocks(expected[1] - best).mean(axis=0), abs=1e-4)
    assert picture[20:24] == pytest.approx(blocks(best), abs=1e-4)
    for n, step in ((28, -1), (32, 1)):
        assert picture[n : n + 4] == pytest.approx(blocks(mean(costs(candidates[0] + step), 3) - best), abs=1e-4)


@pytest.mark.parametrize("quality", list(Quality))
@pytest.mark.parametrize("shape", [(16, 16), (18, 21), (40, 16), (17, 90)])
def test_tiny_pairs_are_matched(shape, quality):
    height, width = shape
    wide = np.random.default_rng(7).integers(0, 255, (height, width + 3, 3), np.uint8)
    camera = Camera.from_fov(width, height, 60)
    pair = StereoPair(wide[:, :-3], np.ascontiguousarray(wide[:, 3:]), Calibration(camera, 0.1))
    assert np.isfinite(match_pair(pair, quality).disparity_px).all()


@pytest.mark.parametrize("tier", [Tier(THREE_PATHS, 1e9, fused=False), Tier(FOUR_PATHS, 1e9)])
def test_views_without_any_match_are_refused(tier, monkeypatch):
    random = np.random.default_rng(1)
    left, right = random.integers(0, 255, (60, 80, 3), np.uint8), random.integers(0, 255, (60, 80), np.uint8)
    nothing = np.full(right.shape, NAN)
    monkeypatch.setattr("depthapps.engine.matching.pyramid.match", lambda *_: nothing)
    monkeypatch.setattr(
        "depthapps.engine.matching.pyramid.match_both_ways", lambda *_: BothWays(nothing, nothing, nothing)
    )
    with pytest.raises(StereoError, match="no point"):
        find_disparity(AlignedViews(left, left[..., 0].copy(), right, 0, 16), tier)
