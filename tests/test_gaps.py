"""Plain surfaces that are seen through gaps, between bars that repeat."""

from __future__ import annotations

import numpy as np
import pytest

from depthapps.engine.matching.gaps import join_parts, rivals
from depthapps.engine.matching.surfaces import fit_surfaces

SHAPE = (200, 480)
ROWS, COLUMNS = np.indices(SHAPE)
FLOOR = (20 + 0.1 * ROWS).astype(np.float32)  # its true disparity, px
BARS_PX, NEXT_PX = 76, 48  # the bars' true disparity, and that at which each matches the next bar
RAILING = COLUMNS >= 260
RAIL = RAILING & (ROWS < 12)
BAR = RAILING & ~RAIL & (COLUMNS % (BARS_PX - NEXT_PX) < 8)


def pair(*, unlike: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """A plain floor in a border of noise, partly behind bars below a rail: the left view (H, W, 3), and the right one.

    unlike: each bar has a pattern of its own.
    """
    rng = np.random.default_rng(0)
    border = ~RAIL & ((ROWS < 12) | (ROWS >= 188) | (COLUMNS < 12))
    noise = rng.integers(40, 220, SHAPE)
    bars = rng.integers(20, 90, SHAPE) if unlike else np.full(SHAPE, 40)
    left = np.where(BAR, bars, np.where(border | RAIL, noise, 150)).astype(np.uint8)
    right = np.full(SHAPE, 150, np.uint8)
    for part, disparity in ((border, np.rint(FLOOR).astype(int)), (BAR | RAIL, np.full(SHAPE, BARS_PX))):
        at = part & (disparity <= COLUMNS)
        right[ROWS[at], (COLUMNS - disparity)[at]] = left[at]
    return np.repeat(left[..., None], 3, axis=2), right


def matches(left: np.ndarray) -> np.ndarray:
    """What a matcher says (H, W) px: the floor's border, the rail, and the next bar's disparity all over the bars."""
    known = np.full(SHAPE, np.nan, np.float32)
    border = ~BAR & (left[..., 0] != 150)
    known[border] = np.where(RAIL, BARS_PX, FLOOR)[border]
    known[RAILING & (ROWS >= 12) & (ROWS < 188)] = NEXT_PX
    return known


def test_the_floor_between_bars_that_match_each_other_is_the_floor():
    left, right = pair()
    known = matches(left)
    surfaces = fit_surfaces(left, right, known)
    between = RAILING & ~BAR & (ROWS > 20) & (ROWS < 180) & (COLUMNS > 272) & (COLUMNS < 460)
    assert surfaces.through[between].mean() > 0.8
    believed = surfaces.believed(known)
    assert np.abs(surfaces.by_rims - FLOOR)[between & surfaces.through].max() < 1
    assert np.mean(np.abs(surfaces.onto(believed) - FLOOR)[between] < 1) > 0.8
    outside = ~RAILING & np.isfinite(known)
    assert np.array_equal(believed[outside], known[outside])


def test_what_matches_nothing_else_is_believed():
    left, right = pair(unlike=True)
    known = np.where(BAR & (ROWS >= 12) & (ROWS < 188), BARS_PX, matches(left)).astype(np.float32)
    known[RAILING & ~BAR & (ROWS >= 12) & (ROWS < 188)] = BARS_PX  # a board of the floor's colour between them
    surfaces = fit_surfaces(left, right, known)
    assert not surfaces.through.any()
    assert np.array_equal(surfaces.believed(known), known, equal_nan=True)


def test_what_is_matched_on_the_bars_is_not_held_against_the_floor_between_them():
    left, right = pair(unlike=True)
    between = RAILING & ~BAR & (ROWS > 20) & (ROWS < 180) & (COLUMNS > 272) & (COLUMNS < 460)
    known = np.where(BAR & (ROWS >= 12) & (ROWS < 188), BARS_PX, matches(left)).astype(np.float32)
    known[RAILING & ~BAR & (ROWS >= 12) & (ROWS < 188)] = np.nan
    surfaces = fit_surfaces(left, right, known)
    assert surfaces.through[between].mean() > 0.8
    assert np.abs(surfaces.by_rims - FLOOR)[between & surfaces.through].max() < 1


def parts(*, width: int, other: int) -> tuple[np.ndarray, np.ndarray]:
    """Two parts, numbered 1 and 2, with `width` px between them, the second one of another grey level."""
    numbers, grey = np.zeros((60, 200), np.int32), np.full((60, 200), 150, np.uint8)
    numbers[:, :80], numbers[:, 80 + width :] = 1, 2
    grey[:, 80 : 80 + width], grey[:, 80 + width :] = 20, other
    return numbers, np.repeat(grey[..., None], 3, axis=2)


@pytest.mark.parametrize(("width", "other", "joined"), [(10, 152, True), (40, 150, False), (10, 180, False)])
def test_parts_of_one_colour_across_something_narrow_are_one(width, other, joined):
    numbers, picture = parts(width=width, other=other)
    whole = join_parts(numbers, 3, picture, 8.0)
    assert (whole[1] == whole[2]) == joined
    turned = join_parts(numbers.T.copy(), 3, picture.transpose(1, 0, 2).copy(), 8.0)
    assert np.array_equal(turned, whole)


def test_parts_that_are_alike_in_places_only_are_two():
    numbers, picture = parts(width=10, other=190)
    picture[:15, 90:] = 150
    assert len(set(join_parts(numbers, 3, picture, 8.0)[1:])) == 2


def test_no_region_is_joined_with_none():
    assert np.array_equal(join_parts(np.zeros((40, 40), np.int32), 1, np.zeros((40, 40, 3), np.uint8), 8.0), [0])


@pytest.mark.parametrize("shape", [(10, 90), (90, 10), (70, 110)])
def test_parts_are_joined_as_by_a_plain_loop(shape):
    rng = np.random.default_rng(2)
    joined = 0
    for _ in range(20):
        blocks = rng.integers(0, 6, (shape[0] // 10 + 1, shape[1] // 10 + 1))
        numbers = np.kron(blocks, np.ones((10, 10), int))[: shape[0], : shape[1]].astype(np.int32)
        picture = np.kron(rng.integers(0, 3, (*blocks.shape, 1)), np.full((10, 10, 3), 10))[: shape[0], : shape[1]]
        picture = (picture + rng.integers(0, 4, (*shape, 3))).astype(np.uint8)
        whole, expected = join_parts(numbers, 6, picture, 8.0), set_of_joined(numbers, picture)
        assert {(a, b) for a in range(6) for b in range(a) if whole[a] == whole[b]} == expected
        joined += len(expected)
    assert joined > 5


def set_of_joined(numbers: np.ndarray, picture: np.ndarray) -> set[tuple[int, int]]:
    """The pairs of regions, the greater number first, that are one surface by what `join_parts` says."""
    together = np.eye(6, dtype=bool)
    height, width = numbers.shape
    for gap in range(2, 37, 2):
        for down, across in ((gap, 0), (0, gap)):
            facing, same = np.zeros((6, 6)), np.zeros((6, 6))
            for y in range(height - down):
                for x in range(width - across):
                    a, b = numbers[y, x], numbers[y + down, x + across]
                    if a != b and a and b:
                        apart = np.abs(picture[y, x].astype(int) - picture[y + down, x + across]).max()
                        facing[max(a, b), min(a, b)] += 1
                        same[max(a, b), min(a, b)] += apart < 8
            together |= (same >= 12) & (same >= 0.5 * facing)
    together |= together.T
    for _ in range(6):
        together = (together.astype(int) @ together) > 0
    return {(a, b) for a in range(6) for b in range(a) if together[a, b]}


@pytest.mark.parametrize("level", [8, 30])
def test_what_repeats_and_what_is_plain_has_rivals(level):
    rng = np.random.default_rng(1)
    view = np.full((90, 300), 120, np.int64)
    view[:30] += rng.integers(-level, level, (30, 300))  # unique
    view[30:60] += np.where(np.arange(300) // 5 % 4 == 0, level, 0)  # repeats after 20 px
    right = np.roll(view, -12, axis=1)
    found = rivals(view.astype(np.uint8), right.astype(np.uint8), np.full(view.shape, 12, np.float32))
    inner = (slice(None), slice(60, -60))
    assert not found[5:25][inner].any()
    assert found[65:85][inner].all()
    far = np.full(view.shape, 12, np.float32)
    far[0, 0] = 40  # so that as much is searched
    assert rivals(view.astype(np.uint8), right.astype(np.uint8), far)[35:55][inner].all()


def test_without_matches_nothing_has_rivals():
    view = np.zeros((40, 40), np.uint8)
    assert not rivals(view, view, np.full(view.shape, np.nan, np.float32)).any()
