"""Holes of a picture that are filled with patches from around them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps.mesh.inpaint import COARSEST, Layered, inpaint

SIZE = (96, 128)
HOLE = np.zeros(SIZE, bool)
HOLE[30:54, 50:74] = True
ANYWHERE = np.full(SIZE, 60, np.float32)
FLAT = np.zeros(SIZE, np.float32)


def beginning() -> np.ndarray:
    """Each pixel of the hole may be copied from 30 px to its left."""
    y, x = np.indices(SIZE, np.int32)
    return np.stack([y, np.maximum(x - 30, 0)], axis=-1)[::COARSEST, ::COARSEST]


def filled_with(guess: np.ndarray, known: np.ndarray, layer: np.ndarray, reach_px: np.ndarray = ANYWHERE) -> np.ndarray:
    down, right = np.gradient(np.exp(layer), axis=0), np.gradient(np.exp(layer), axis=1)
    tilt = np.stack([down, right], axis=-1) / np.exp(layer)[..., None]
    return inpaint(Layered(guess, layer, HOLE), Layered(guess, layer, known), tilt, beginning(), reach_px)


def striped() -> np.ndarray:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    stripes = np.where((x + y) % 16 < 8, 40, 200).astype(np.float32)
    return np.repeat(stripes[..., None], 3, axis=2)


def test_stripes_go_on():
    truth = striped()
    guess = np.where(HOLE[..., None], np.float32(120), truth)
    filled = filled_with(guess, ~HOLE, FLAT)
    assert np.array_equal(filled[~HOLE], truth[~HOLE])
    assert np.abs(filled - truth)[HOLE].mean() < 0.25 * np.abs(guess - truth)[HOLE].mean()
    assert np.array_equal(filled, filled_with(guess, ~HOLE, FLAT))  # the same every time


def test_nothing_is_copied_from_another_surface():
    picture = np.random.default_rng(0).uniform(0, 60, (*SIZE, 3)).astype(np.float32)
    picture[:, :40, 0] += 190  # red, and twice as near
    layer = np.where(np.arange(SIZE[1]) < 40, np.log(np.float32(2)), np.float32(0)) * np.ones((SIZE[0], 1), np.float32)
    guess = np.where(HOLE[..., None], np.float32(30), picture)
    filled = filled_with(guess, ~HOLE, layer)
    assert filled[HOLE].max() < 61
    assert filled[HOLE].std() > 5  # it is no blur: the grain goes on


def test_what_is_known_counts_more_than_the_guess():
    """The guess is as plain as an area beside the stripes, which does not spread for that."""
    truth = striped()
    truth[:, :24] = 120
    guess = np.where(HOLE[..., None], np.float32(120), truth)
    filled = filled_with(guess, ~HOLE, FLAT)
    assert np.abs(filled - truth)[HOLE].mean() < 0.25 * np.abs(guess - truth)[HOLE].mean()


@pytest.mark.parametrize(("wide_px", "apart_px", "mixed_px"), [(16, 32, 2), (2, 12, 1), (1, 12, 1)])
def test_clutter_goes_on_without_the_colours_of_what_stands_before_it(wide_px, apart_px, mixed_px):
    """On the shelf behind a thing few patches are of one surface: bars stand before it, and colour its pixels there."""
    picture = np.random.default_rng(0).uniform(0, 60, (*SIZE, 3)).astype(np.float32)
    column = np.indices(SIZE)[1]
    bars = ((column + 1) % apart_px < wide_px) & ~HOLE
    window = np.ones((2 * mixed_px + 1, 2 * mixed_px + 1), np.uint8)
    red = (cv2.dilate(bars.astype(np.uint8), window) > 0) & ~HOLE
    picture[red] += (190, 0, 0)
    layer = np.where(bars, np.log(np.float32(2)), np.float32(0))
    guess = np.where(HOLE[..., None], np.float32(30), picture)
    target, source = Layered(guess, layer, HOLE), Layered(guess, layer, ~HOLE)
    filled = inpaint(target, source, np.zeros((*SIZE, 2), np.float32), beginning(), ANYWHERE)
    assert filled[HOLE].max() < 61
    if wide_px > 2:
        assert filled[HOLE].std() > 5  # what lies between finer bars is nowhere as wide as a patch of a coarse copy


def test_where_no_patch_may_be_copied_the_guess_stays():
    guess = np.where(HOLE[..., None], np.float32(77), striped())
    filled = filled_with(guess, np.zeros(SIZE, bool), FLAT)
    assert np.array_equal(filled[~HOLE], guess[~HOLE])
    assert np.array_equal(filled[42, 62], [77, 77, 77])
    near = filled_with(guess, ~HOLE, FLAT, np.full(SIZE, 2, np.float32))
    assert np.array_equal(near[42, 62], [77, 77, 77])  # patches within 2 px of the middle lie in the hole


def test_the_grain_of_a_floor_that_goes_away_from_the_camera_goes_on():
    truth = striped()
    floor = np.log(np.linspace(0.4, 1, SIZE[0], dtype=np.float32))[:, None] * np.ones((1, SIZE[1]), np.float32)
    guess = np.where(HOLE[..., None], np.float32(120), truth)
    filled = filled_with(guess, ~HOLE, floor)
    assert np.abs(filled - truth)[HOLE].mean() < 0.25 * np.abs(guess - truth)[HOLE].mean()


def test_patches_are_copied_from_what_the_source_shows_at_places_of_the_hole():
    """What is hidden at a place and what the picture shows there are two surfaces."""
    truth = striped()
    everywhere = np.ones(SIZE, bool)
    target = Layered(np.full_like(truth, 120), FLAT, everywhere)
    filled = inpaint(target, Layered(truth, FLAT, everywhere), np.zeros((*SIZE, 2), np.float32), beginning(), ANYWHERE)
    assert filled[20:-20, 40:-20].std() > 0.8 * truth.std()


def test_bands_that_threads_match_side_by_side_do_not_meddle_with_each_other():
    """A hole of many bands on the levels that are matched, filled several times with many threads and with one."""
    rng = np.random.default_rng(3)
    known = np.full((600, 600), True)
    known[20:580, 20:580] = False
    picture = rng.uniform(0, 255, (600, 600, 3)).astype(np.float32)
    layer = np.zeros((600, 600), np.float32)
    tilt, match = np.zeros((600, 600, 2), np.float32), np.full((75, 75, 2), 40, np.int32)
    guess = np.where(known[..., None], picture, np.float32(100))
    threads, filled = cv2.getNumThreads(), []
    try:
        for number in (1, 8, 8, 8):
            cv2.setNumThreads(number)
            views = Layered(guess, layer, ~known), Layered(picture, layer, known)
            filled.append(inpaint(*views, tilt, match.copy(), np.full((600, 600), 900, np.float32)))
    finally:
        cv2.setNumThreads(threads)
    assert all(np.array_equal(other, filled[0]) for other in filled[1:])
