"""What the pixels of one colour say for a candidate disparity, and where nothing can match."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from depthapps.engine.front.align import align
from depthapps.engine.fusion.clues import see_from_right
from depthapps.engine.fusion.support import hidden, is_supported, lack_of_support, support_costs, usual_difference


def test_support_is_what_a_plain_loop_finds(two_layers):
    left, right = (np.ascontiguousarray(view[60:90, 40:90]) for view in (two_layers.pair.left, two_layers.pair.right))
    rng = np.random.default_rng(0)
    candidates = rng.uniform(-8, 20, (30, 3, 50)).astype(np.float32)
    candidates[:, 2] = candidates[:, 0]
    grey_left, grey_right = (np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)) for view in (left, right))
    found = support_costs(left, grey_right, candidates, 4)
    for y, x in [(0, 0), (12, 25), (29, 49), (3, 48), (20, 1)]:
        expected = []
        for k in range(3):
            costs, weights = [], []
            for q, p in itertools.product(range(max(y - 2, 0), min(y + 3, 30)), range(max(x - 2, 0), min(x + 3, 50))):
                seen = np.interp(p + 4 - candidates[y, k, x], np.arange(50), grey_right[q])
                costs.append(min(abs(seen - grey_left[q, p]), 20))
                weights.append(np.exp(-np.abs(left[q, p].astype(int) - left[y, x]).sum() / 20))
            expected.append(np.average(costs, weights=weights))
        assert found[y, :, x] == pytest.approx(np.subtract(expected, min(expected)), abs=1e-3)
    assert np.array_equal(found[:, 2], found[:, 0])


def test_candidates_that_are_one_need_no_comparison(two_layers):
    views = align(two_layers.pair.left, two_layers.pair.right)
    truth = two_layers.disparity_px.astype(np.float32)
    assert not support_costs(views.left, views.right_grey, np.stack([truth, truth + 0.1], axis=1), 0).any()


def test_support_tells_a_thin_pole_from_what_is_beside_it(thin_pole):
    views = align(thin_pole.pair.left, thin_pole.pair.right)
    truth = thin_pole.disparity_px.astype(np.float32)
    pole = truth > truth.min() + 1
    ground = np.full_like(truth, truth.min())
    wrong, right = support_costs(views.left, views.right_grey, np.stack([ground, truth], axis=1), 0).swapaxes(0, 1)
    assert np.mean((right < wrong)[pole]) > 0.9
    scores = np.stack(
        [np.ones_like(truth), np.zeros_like(truth)], axis=1
    )  # the network prefers the ground behind the pole
    scores -= lack_of_support(views.left, views.right_grey, np.stack([ground, truth], axis=1), scores, 0.0)
    assert np.mean((scores[:, 1] > scores[:, 0])[pole]) > 0.8
    assert is_supported(views.left, views.right_grey, ground, truth)[pole].mean() > 0.9
    assert is_supported(views.left, views.right_grey, truth, ground)[pole].mean() < 0.2


def test_nothing_is_held_against_what_the_right_view_does_not_show(two_layers):
    views = align(two_layers.pair.left, two_layers.pair.right)
    truth = two_layers.disparity_px.astype(np.float32)
    choices = np.stack([truth, truth + 5], axis=1)
    scores = np.stack([np.ones_like(truth), np.zeros_like(truth)], axis=1)
    lack = lack_of_support(views.left, views.right_grey, choices, scores, 1.0)
    outside = np.arange(truth.shape[1], dtype=np.float32) - truth < -0.5
    assert not lack.swapaxes(0, 1)[:, hidden(truth) | outside].any()
    assert np.mean(lack[:, 1][~hidden(truth) & ~outside] > 0) > 0.8


def test_a_noisy_pair_lets_support_count_less(two_layers):
    views = align(two_layers.pair.left, two_layers.pair.right)
    truth = two_layers.disparity_px.astype(np.float32)
    assert usual_difference(views.left, views.right_grey, truth) < 2
    noise = np.random.default_rng(0).normal(0, 20, views.right_grey.shape)
    noisy = np.clip(views.right_grey + noise, 0, 255).astype(np.uint8)
    assert usual_difference(views.left, noisy, truth) > 8
    choices, scores = (
        np.stack([truth, truth + 5], axis=1),
        np.stack([np.ones_like(truth), np.zeros_like(truth)], axis=1),
    )
    little, much = (lack_of_support(views.left, noisy, choices, scores, usual) for usual in (9.0, 0.0))
    assert np.allclose(10 * little, much, rtol=1e-4)


def test_what_is_hidden_is_what_a_warp_puts_behind_something():
    rng = np.random.default_rng(1)
    disparity = np.kron(rng.integers(-20, 240, (12, 10)) / 3, np.ones((4, 12))).astype(np.float32)
    width = disparity.shape[1]
    landing = np.rint(np.arange(width) - disparity).astype(int)
    inside = (landing >= 0) & (landing < width)
    there = np.take_along_axis(see_from_right(disparity), np.clip(landing, 0, width - 1), axis=1)
    found = hidden(disparity)
    assert 0.1 < found[inside].mean() < 0.9
    assert np.array_equal(found[inside], (there > disparity + 1)[inside])
    # a tile knows as much: what is left of it may be where its pixels land
    assert np.array_equal(hidden(disparity[:, 24:])[:, : width - 24], found[:, 24:])
