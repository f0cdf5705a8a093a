"""The engine on pairs with exact truth, and its parts by themselves."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps import Calibration, Camera, Image, Quality, StereoError, StereoPair, SwappedViewsError, match_pair
from depthapps.engine.front.align import align
from depthapps.engine.front.coarse import CoarseMatch, match_coarse, match_detail
from depthapps.engine.front.exposure import equalize_exposure, match_exposure
from depthapps.engine.front.noise import noise_level, remove_noise
from depthapps.engine.front.range import find_range
from depthapps.engine.matching._refinement_kernels import weighted_median
from depthapps.engine.matching.refinement import complete, median_filter_edges
from depthapps.engine.matching.sgbm import SgbmParams, match, match_both_ways


def grey(pair: StereoPair) -> tuple[Image, Image]:
    """Both views as (H, W) uint8."""
    return cv2.cvtColor(pair.left, cv2.COLOR_RGB2GRAY), cv2.cvtColor(pair.right, cv2.COLOR_RGB2GRAY)


@pytest.mark.parametrize("name", ["slanted_plane", "two_layers", "thin_pole"])
def test_the_range_holds_all_disparities_and_little_more(name, request):
    true = request.getfixturevalue(name)
    low, high = find_range(match_coarse(*grey(true.pair)))
    first, last = true.disparity_px.min(), true.disparity_px.max()
    assert low <= first
    assert high >= last
    assert high - low <= 1.5 * (last - first) + 8


def test_exchanged_views_are_noticed(two_layers):
    left, right = grey(two_layers.pair)
    with pytest.raises(SwappedViewsError, match="exchanged") as error:
        find_range(match_coarse(right, left))
    assert "swap" in error.value.hint


def test_a_known_offset_of_infinity_is_no_exchange(two_layers):
    left, right = grey(two_layers.pair)
    low, high = find_range(match_coarse(right, left), doffs_px=40)
    assert low <= -30
    assert high >= -10


def test_nothing_is_searched_behind_a_known_infinity(two_layers):
    left, right = grey(two_layers.pair)
    shifted = np.roll(right, 20, axis=1)
    low, high = find_range(match_coarse(left, shifted), doffs_px=5, order_known=True, infinity_known=True)
    assert low == -6
    assert high >= 10


def test_negative_disparities_of_converged_cameras(two_layers):
    left, right = grey(two_layers.pair)
    shifted = np.roll(right, 20, axis=1)  # infinity now lies at -20 px, the wall at -10, the square at 10
    low, high = find_range(match_coarse(left, shifted), doffs_px=20)
    assert low <= -10
    assert high >= 10
    pair = StereoPair(
        two_layers.pair.left,
        np.roll(two_layers.pair.right, 20, axis=1),
        Calibration(Camera.centred(320, 240, 300), 0.1, doffs_px=20),
    )
    error = np.abs(match_pair(pair).disparity_px + 20 - two_layers.disparity_px)
    assert (error[:, 40:] > 1).mean() < 0.05


@pytest.mark.parametrize(("share", "searched"), [(0.03, False), (0.08, True)])
def test_a_few_matches_far_behind_infinity_are_repeated_texture(share, searched):
    disparity = np.random.default_rng(0).uniform(1, 10, (100, 192)).astype(np.float32)
    disparity[:, : round(share * 192)] = -14.5
    low, _ = find_range(CoarseMatch(disparity, reach=86, scale=1.0))
    assert (low < -14) == searched


def test_what_is_no_pair_is_refused():
    rng = np.random.default_rng(0)
    views = [np.asarray(cv2.GaussianBlur(rng.random((240, 320)), (0, 0), 2)) for _ in range(2)]
    with pytest.raises(StereoError, match="do not match"):
        match_coarse(*((255 * (v - v.min()) / (v.max() - v.min())).astype(np.uint8) for v in views))


@pytest.mark.parametrize(("rows", "refused"), [(36, True), (50, False)])
def test_a_pair_needs_no_more_than_a_third_in_common(rows, refused):
    rng = np.random.default_rng(0)
    left, right = (cv2.GaussianBlur(rng.integers(0, 256, (150, 300)).astype(np.uint8), (0, 0), 1) for _ in range(2))
    right[:rows] = np.roll(left[:rows], -12, axis=1)
    if refused:
        with pytest.raises(StereoError, match="do not match"):
            match_coarse(left, right)
    else:
        share = np.isfinite(match_coarse(left, right).disparity).mean()
        assert 0.3 < share < 0.4


def test_pictures_without_anything_in_them_are_refused():
    flat = np.full((60, 80), 128, np.uint8)
    with pytest.raises(StereoError):
        match_coarse(flat, flat.copy())


@pytest.mark.parametrize("quality", Quality)
@pytest.mark.parametrize(
    ("name", "bad1", "bad2"), [("slanted_plane", 1.0, 0.5), ("two_layers", 3.0, 2.5), ("thin_pole", 4.0, 3.5)]
)
def test_disparity_is_right_and_has_no_holes_and_no_lost_border(name, bad1, bad2, quality, request):
    true = request.getfixturevalue(name)
    found = match_pair(true.pair, quality)
    error = np.abs(found.disparity_px - true.disparity_px)
    assert found.disparity_px.dtype == np.float32
    assert np.isfinite(error).all()
    assert 100 * (error > 1).mean() < bad1
    assert 100 * (error > 2).mean() < bad2
    assert 100 * (error[:, :8] > 2).mean() < 12
    assert 100 * (error[:, -8:] > 2).mean() < 5


def test_sixteen_bit_and_float_pairs_are_matched_alike(two_layers):
    pair = two_layers.pair
    expected = match_pair(pair).disparity_px
    sixteen = StereoPair(pair.left.astype(np.uint16) * 257, pair.right.astype(np.uint16) * 257, pair.calibration)
    assert np.array_equal(match_pair(sixteen).disparity_px, expected)


@pytest.mark.parametrize("quality", [Quality.FAST, Quality.BALANCED])
def test_smaller_copies_are_matched_where_a_coarse_disparity_is_enough(two_layers, quality):
    pair, whole = two_layers.pair, match_pair(two_layers.pair, quality)
    found = match_pair(pair, quality, side_px=160)
    for each in (found.disparity_px, found.confidence, found.occluded):
        assert each is not None
        assert each.shape == pair.left.shape[:2]
    assert (found.range_px, found.rows) == (whole.range_px, whole.rows)  # the views are aligned at their own size
    blocks = found.disparity_px.reshape(120, 2, 160, 2)
    assert (blocks == blocks[:, :1, :, :1]).all()  # each pixel that was matched is four
    error = np.abs(found.disparity_px - two_layers.disparity_px)
    assert 100 * (error > 2).mean() < 4
    assert np.median(error) < 0.2
    assert np.array_equal(match_pair(pair, quality, side_px=320).disparity_px, whole.disparity_px)


@pytest.mark.parametrize("gamma", [0.5, 1.8])
def test_another_exposure_changes_little(two_layers, gamma):
    pair = two_layers.pair
    brighter = (255 * (pair.right / 255) ** gamma).round().astype(np.uint8)
    error = np.abs(match_pair(StereoPair(pair.left, brighter, pair.calibration)).disparity_px - two_layers.disparity_px)
    assert 100 * (error > 2).mean() < 4


def test_vignetting_of_one_view_changes_little(two_layers):
    pair = two_layers.pair
    y, x = np.mgrid[-1:1:240j, -1:1:320j]
    darker = (pair.right * (1 - 0.25 * (x**2 + y**2))[..., None]).round().astype(np.uint8)  # half as bright in corners
    error = np.abs(match_pair(StereoPair(pair.left, darker, pair.calibration)).disparity_px - two_layers.disparity_px)
    assert 100 * (error > 2).mean() < 4


def test_noise_is_measured_and_removed(two_layers):
    left, _ = grey(two_layers.pair)
    noisy = np.clip(left + np.random.default_rng(0).normal(0, 8, left.shape), 0, 255).astype(np.uint8)
    assert noise_level(noisy) == pytest.approx(8, rel=0.1)
    assert np.std(remove_noise(noisy, 8) - left.astype(float)) < 0.75 * np.std(noisy - left.astype(float))


@pytest.mark.parametrize("noise", [2, 4, 8])
def test_noise_is_measured_between_shapes(noise):
    y, x = np.mgrid[:240, :320]
    shapes = 60 + 0.3 * x + 60 * (np.hypot(x - 160, y - 120) < 70)
    noisy = np.clip(np.rint(shapes + np.random.default_rng(0).normal(0, noise, shapes.shape)), 0, 255).astype(np.uint8)
    assert noise_level(noisy) == pytest.approx(noise, rel=0.1)


def test_texture_clipped_parts_and_tiny_views_are_not_taken_for_noise():
    rng = np.random.default_rng(1)
    fine = cv2.GaussianBlur(rng.normal(0, 60, (240, 320)), (0, 0), 1)
    assert noise_level(np.clip(np.rint(128 + fine), 0, 255).astype(np.uint8)) < 1
    noisy = np.clip(np.rint(128 + rng.normal(0, 4, (240, 320))), 0, 255).astype(np.uint8)
    noisy[:160] = 255  # a burnt-out sky has no noise, and must not tell that there is none
    assert noise_level(noisy) == pytest.approx(4, rel=0.1)
    assert noise_level(noisy[200:232]) == pytest.approx(4, rel=0.25)
    assert noise_level(noisy[200:210]) == 0


def test_colours_are_matched_without_their_noise_and_clean_views_as_they_are(two_layers):
    pair = two_layers.pair
    assert align(pair.left, pair.right).left is pair.left
    clean = [np.asarray(cv2.GaussianBlur(view, (0, 0), 3), np.uint8) for view in (pair.left, pair.right)]
    views = align(clean[0], clean[1])
    assert views.noise == 0
    assert views.left is clean[0]
    rng = np.random.default_rng(0)
    left, right = (np.clip(np.rint(v + rng.normal(0, 8, v.shape)), 0, 255).astype(np.uint8) for v in clean)
    views = align(left, right)
    assert views.noise == pytest.approx(8 * np.linalg.norm((0.299, 0.587, 0.114)), rel=0.15)
    assert views.resized(0.5).noise == views.noise / 2
    before, after = (np.std(view - clean[0].astype(float)) for view in (left, views.left))
    assert after < 0.75 * before


def test_the_same_exposure_is_left_alone(two_layers):
    left, right = grey(two_layers.pair)
    assert equalize_exposure(left, right) is right
    assert np.array_equal(_exposed_alike(two_layers.pair.left, two_layers.pair.right), right)


def test_exposure_is_put_right_to_two_levels(two_layers):
    pair = two_layers.pair
    darker = (255 * (pair.right / 255) ** 1.6).round().astype(np.uint8)
    difference = np.abs(_exposed_alike(pair.left, darker).astype(float) - grey(pair)[1])
    assert difference.mean() < 2


def test_each_colour_has_its_own_exposure(two_layers):
    pair = two_layers.pair
    warmer = np.clip(pair.right * np.array([1.15, 1.0, 0.8]), 0, 255).round().astype(np.uint8)
    wanted = np.clip(pair.right, 0, 255 / 1.15)  # the rest is clipped
    difference = np.abs(
        _exposed_alike(pair.left, warmer).astype(float) - cv2.cvtColor(wanted.astype(np.uint8), cv2.COLOR_RGB2GRAY)
    )
    assert np.median(difference) <= 1


def test_matches_of_detail_do_not_depend_on_brightness(two_layers):
    left, right = grey(two_layers.pair)
    coarse = match_coarse(left, right)
    darker = (255 * (right / 255) ** 1.6).round().astype(np.uint8)
    same, other = (match_detail(left, view, coarse, 0, 60).disparity for view in (right, darker))
    both = np.isfinite(same) & np.isfinite(other)
    assert both.mean() > 0.7
    assert (np.abs(same - other)[both] < 0.25).mean() > 0.98


def test_the_matcher_searches_the_range_it_is_given(two_layers):
    disparity = match(*grey(two_layers.pair), low=25, high=35, params=SgbmParams())
    known = disparity[np.isfinite(disparity)]
    assert known.min() >= 25
    assert known.max() < 25 + 16


def test_strips_of_a_large_pair_join_without_a_seam(two_layers, monkeypatch):
    views, params = grey(two_layers.pair), SgbmParams(mode=cv2.STEREO_SGBM_MODE_HH4)
    whole = match(*views, low=5, high=36, params=params)
    monkeypatch.setattr("depthapps.engine.matching.sgbm._STRIP_CELLS", 320 * 32 * 80)
    strips = match(*views, low=5, high=36, params=params)
    differ = ~np.isclose(whole, strips, atol=0.5, equal_nan=True)
    assert differ.mean() < 0.01


def test_the_right_view_takes_back_what_it_cannot_see(two_layers):
    views, params = grey(two_layers.pair), SgbmParams(mode=cv2.STEREO_SGBM_MODE_HH4)
    one_way = np.isfinite(match(*views, 5, 36, params))
    confirmed, _, from_right = match_both_ways(*views, 5, 36, params)
    both_ways = np.isfinite(confirmed)
    hidden = ~two_layers.seen
    assert (both_ways & hidden).sum() < 0.7 * (one_way & hidden).sum()
    assert (both_ways & ~hidden).sum() > 0.98 * (one_way & ~hidden).sum()
    assert not (both_ways & ~one_way).any()
    assert np.isfinite(from_right).mean() > 0.9


def test_depth_edges_move_onto_the_edges_of_the_picture():
    truth = np.full((100, 120), 10, np.float32)
    truth[30:70, 40:80] = 30
    picture = np.full((100, 120, 3), (60, 90, 120), np.uint8)
    picture[30:70, 40:80] = (200, 160, 90)
    fattened = np.asarray(cv2.dilate(truth, np.ones((5, 5), np.uint8)), np.float32)
    assert (fattened != truth).mean() > 0.02
    assert (np.abs(median_filter_edges(fattened, picture) - truth) > 1).mean() < 0.0005  # the corners' own pixels


def test_a_slanted_plane_has_no_edges_to_move():
    slanted = np.broadcast_to(np.linspace(10, 30, 120, dtype=np.float32), (90, 120)).copy()
    picture = np.random.default_rng(1).integers(0, 255, (90, 120, 3), np.uint8)
    assert median_filter_edges(slanted, picture) == pytest.approx(slanted, abs=1e-5)


def test_completion_fills_an_occlusion_with_background_up_to_the_edge(two_layers):
    holes = two_layers.disparity_px.copy()
    holes[~two_layers.seen] = np.nan
    filled = complete(holes, two_layers.pair.left)
    assert (np.abs(filled - two_layers.disparity_px) > 1).mean() < 0.002


def weighted_medians(values, weights):
    """The weighted median of each column of values (K, N), by the compiled loop's Python function."""
    units, weights = np.empty(len(values), np.int32), weights.astype(np.int32)
    return np.array([weighted_median.py_func(*columns, units) for columns in zip(values.T, weights.T, strict=True)])


def test_weighted_medians_agree_with_a_plain_loop():
    rng = np.random.default_rng(5)
    values = rng.uniform(3, 90, (49, 200)).astype(np.float32)
    weights = (500 * rng.random((49, 200)) ** 4).astype(np.int16)
    for row, weight, found in zip(values.T, weights.T, weighted_medians(values, weights), strict=True):
        order = np.argsort(row)
        median = row[order][np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)]
        near = np.abs(row - median) <= 0.5
        assert found == pytest.approx(np.average(row[near], weights=weight[near]), abs=0.5)


def test_a_median_of_equal_values_is_exact():
    values = np.full((49, 3), 41.6875, np.float32)
    assert weighted_medians(values, np.ones_like(values, np.int16)) == pytest.approx(41.6875, abs=1e-5)


def test_a_median_of_what_is_all_unlike_is_the_farthest_of_it():
    values = np.array([[30], [12.5], [20]], np.float32)
    assert weighted_medians(values, np.zeros((3, 1), np.int16)) == pytest.approx(12.5)


def test_exposure_is_matched_in_pictures_taller_than_wide():
    rng = np.random.default_rng(0)
    left = cv2.GaussianBlur(rng.integers(0, 255, (600, 400), np.uint8), (0, 0), 2)
    right = np.roll(left, -12, axis=1)
    coarse = match_coarse(left, right)
    assert np.isfinite(coarse.disparity).sum() > 32767  # more than OpenCV's remap takes in a row
    first, second = (np.repeat(view[..., None], 3, axis=2) for view in (left, right))
    assert np.abs(match_exposure(first, second, coarse).astype(int) - right).mean() < 3


def _exposed_alike(left, right):
    """The right view as grey with the left one's exposure, as `align` has it."""
    first, second = (cv2.cvtColor(view, cv2.COLOR_RGB2GRAY) for view in (left, right))
    coarse = match_coarse(first, equalize_exposure(first, second))
    low, high = find_range(coarse)
    return match_exposure(left, right, match_detail(first, second, coarse, low, high))
