"""Holes of a picture that are filled with patches from around them."""

from __future__ import annotations

import numpy as np

from depthapps.mesh.inpaint import COARSEST, inpaint

SIZE = (96, 128)
HOLE = np.zeros(SIZE, bool)
HOLE[30:54, 50:74] = True
ANYWHERE = np.full(SIZE, 60, np.float32)
FLAT = np.zeros(SIZE, np.float32)


def beginning() -> np.ndarray:
    """Each pixel of the hole may be copied from 30 px to its left."""
    y, x = np.indices(SIZE, np.int32)
    return np.stack([y, np.maximum(x - 30, 0)], axis=-1)[::COARSEST, ::COARSEST]


def striped() -> np.ndarray:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    stripes = np.where((x + y) % 16 < 8, 40, 200).astype(np.float32)
    return np.repeat(stripes[..., None], 3, axis=2)


def test_stripes_go_on():
    truth = striped()
    guess = np.where(HOLE[..., None], np.float32(120), truth)
    filled = inpaint(guess, HOLE, ~HOLE, FLAT, beginning(), ANYWHERE)
    assert np.array_equal(filled[~HOLE], truth[~HOLE])
    assert np.abs(filled - truth)[HOLE].mean() < 0.25 * np.abs(guess - truth)[HOLE].mean()
    assert np.array_equal(filled, inpaint(guess, HOLE, ~HOLE, FLAT, beginning(), ANYWHERE))  # the same every time


def test_nothing_is_copied_from_another_surface():
    picture = np.random.default_rng(0).uniform(0, 60, (*SIZE, 3)).astype(np.float32)
    picture[:, :40, 0] += 190  # red, and twice as near
    layer = np.where(np.arange(SIZE[1]) < 40, np.log(np.float32(2)), np.float32(0)) * np.ones((SIZE[0], 1), np.float32)
    guess = np.where(HOLE[..., None], np.float32(30), picture)
    filled = inpaint(guess, HOLE, ~HOLE, layer, beginning(), ANYWHERE)
    assert filled[HOLE].max() < 61
    assert filled[HOLE].std() > 5  # it is no blur: the grain goes on


def test_where_no_patch_may_be_copied_the_guess_stays():
    guess = np.where(HOLE[..., None], np.float32(77), striped())
    filled = inpaint(guess, HOLE, np.zeros(SIZE, bool), FLAT, beginning(), ANYWHERE)
    assert np.array_equal(filled[~HOLE], guess[~HOLE])
    assert np.array_equal(filled[42, 62], [77, 77, 77])
    near = inpaint(guess, HOLE, ~HOLE, FLAT, beginning(), np.full(SIZE, 2, np.float32))
    assert np.array_equal(near[42, 62], [77, 77, 77])  # patches within 2 px of the middle lie in the hole
