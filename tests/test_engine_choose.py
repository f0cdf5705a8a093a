"""Candidates chosen together: the compiled sweeps against a plain loop, and what they are for."""

from __future__ import annotations

import numpy as np

from depthapps.engine.fusion import choose
from depthapps.engine.fusion.choose import choose_together, likeliest

GREY = np.full((40, 60, 3), 128, np.uint8)


def plainly_swept(choices, costs, guide):
    """The two sweeps along the columns, pixel by pixel."""
    count, height, width = choices.shape
    totals = np.zeros(choices.shape)
    for order in (list(range(height)), list(range(height - 1, -1, -1))):
        before = np.zeros((count, width))
        for step, y in enumerate(order):
            now = costs[:, y].astype(float).copy()
            for x in range(width if step else 0):
                q = order[step - 1]
                apart = np.abs(guide[y, x].astype(int) - guide[q, x].astype(int)).sum()
                penalty = choose._PENALTY * (np.exp(-apart / choose._COLOR_GAMMA) + choose._LEAST_PENALTY)
                jumps = np.abs(choices[:, None, y, x] - choices[None, :, q, x])
                now[:, x] += (before[None, :, x] + penalty * np.minimum(jumps, choose._LARGEST_JUMP_PX)).min(axis=1)
            before = now - now.min(axis=0)
            totals[:, y] += before
    return totals


def test_sweeps_agree_with_a_plain_loop():
    rng = np.random.default_rng(5)
    choices, costs = rng.uniform(0, 9, (2, 4, 13, 600)).astype(np.float32)  # more columns than one band has
    guide = rng.integers(0, 60, (13, 600, 3)).astype(np.uint8)
    by_rows = [np.ascontiguousarray(maps.swapaxes(0, 1)) for maps in (choices, costs)]
    found = choose._swept(by_rows[0], by_rows[1], guide)
    assert np.allclose(found.swapaxes(0, 1), plainly_swept(choices, costs, guide), atol=1e-3)


def test_the_likeliest_choice_is_the_first_of_the_highest_score():
    rng = np.random.default_rng(2)
    choices, scores = rng.uniform(0, 9, (12, 5, 30)).astype(np.float32), rng.integers(0, 4, (12, 5, 30))
    expected = np.take_along_axis(choices, scores.argmax(axis=1)[:, None], axis=1)[:, 0]
    assert np.array_equal(likeliest(choices, scores.astype(np.float32)), expected)


def test_sure_pixels_speak_for_unsure_ones():
    right, wrong = np.full((2, 40, 60), 10, np.float32)
    wrong[:] = np.random.default_rng(0).uniform(0, 40, wrong.shape)
    scores = np.zeros((40, 2, 60), np.float32)
    scores[::8, 1, ::8] = 4  # elsewhere both are as likely
    assert np.abs(choose_together(np.stack([wrong, right], axis=1), scores, GREY) - 10).max() < 1.5


def test_edges_of_the_picture_part_surfaces():
    near, far = np.full((2, 40, 60), 30, np.float32)
    far[:] = 10
    guide = GREY.copy()
    guide[:, 30:] = 20
    scores = np.zeros((40, 2, 60), np.float32)
    scores[:, 0, 5:9] = scores[:, 1, 50:54] = 6  # little is sure
    found = choose_together(np.stack([near, far], axis=1), scores, guide)
    assert np.abs(found[:, :30] - 30).max() < 0.1
    assert np.abs(found[:, 30:] - 10).max() < 0.1


def test_candidates_that_agree_are_averaged():
    choices = np.stack([np.full((40, 60), v, np.float32) for v in (10.0, 10.4, 20.0)], axis=1)
    scores = np.stack([np.full((40, 60), v, np.float32) for v in (2.0, 2.0, 0.0)], axis=1)
    found = choose_together(choices, scores, GREY)
    assert found.min() > 10.1
    assert found.max() < 10.3
