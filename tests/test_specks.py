"""Islands of another depth that no edge of the picture surrounds are specks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps.engine.matching.specks import without_specks

SHAPE = (120, 160)
ROWS, COLUMNS = np.indices(SHAPE)
WALL = (10 + 0.05 * COLUMNS).astype(np.float32)
ISLAND = (ROWS - 60) ** 2 + (COLUMNS - 80) ** 2 <= 49  # 149 px
GREY = np.full((*SHAPE, 3), 120, np.uint8)


def on_the_wall(px: float, where: np.ndarray = ISLAND) -> np.ndarray:
    """A slanted wall with an island nearer by so many px."""
    return np.where(where, WALL + np.float32(px), WALL).astype(np.float32)


def test_an_island_in_front_of_a_wall_of_its_colour_is_laid_onto_it():
    found = without_specks(on_the_wall(20), GREY)
    assert np.abs(found - WALL).max() < 0.5
    assert np.array_equal(found[~ISLAND], WALL[~ISLAND])


def test_a_thing_of_another_colour_stays():
    picture = np.where(ISLAND[..., None], 160, GREY).astype(np.uint8)
    assert np.array_equal(without_specks(on_the_wall(20), picture), on_the_wall(20))


@pytest.mark.parametrize(
    "where",
    [
        (COLUMNS > 78) & (COLUMNS < 82) & (ROWS > 50) | (ROWS > 90),  # a pole that stands on something like it
        (ROWS - 60) ** 2 + (COLUMNS - 80) ** 2 <= 13**2,  # 529 px
        (np.abs(ROWS - 60) < 10) & (np.abs(COLUMNS - 80) < 12),  # two that touch, of 400 px at most each
    ],
)
def test_what_reaches_a_surface_like_it_or_is_large_stays(where):
    near = on_the_wall(20, where)
    near[where & (COLUMNS < 80)] += 10
    assert np.array_equal(without_specks(near, GREY), near)


def test_an_island_with_something_like_it_along_its_rim_stays():
    beside = (np.abs(ROWS - 60) < 12) & (COLUMNS > 80) & (COLUMNS < 150)  # large, 1.5 px farther than the island
    near = np.where(beside & ~ISLAND, on_the_wall(18.5, beside), on_the_wall(20))
    assert np.array_equal(without_specks(near, GREY), near)


def test_what_is_hardly_nearer_stays():
    assert np.array_equal(without_specks(on_the_wall(1.5), GREY), on_the_wall(1.5))


def test_a_thing_behind_a_blurred_edge_stays():
    picture = cv2.GaussianBlur(np.where(ISLAND[..., None], 150, GREY).astype(np.uint8), (3, 3), 0)
    assert np.array_equal(without_specks(on_the_wall(20), picture), on_the_wall(20))


@pytest.mark.parametrize("width", [1, 2])
def test_a_wire_stays_though_its_island_is_wider(width):
    wire = (COLUMNS >= 80) & (80 + width > COLUMNS) & (ROWS > 20) & (ROWS < 80)
    island = (COLUMNS >= 78) & (82 + width > COLUMNS) & (ROWS > 20) & (ROWS < 80)
    picture = np.where(wire[..., None], (250, 20, 20), GREY).astype(np.uint8)
    for where in (wire, island):
        assert np.array_equal(without_specks(on_the_wall(20, where), picture), on_the_wall(20, where))


def test_a_hole_is_filled_only_where_the_right_view_cannot_see_into_it():
    near = np.where((ROWS > 20) & (ROWS < 100) & (COLUMNS > 40) & (COLUMNS < 130), 40, 10).astype(np.float32)
    hole = (ROWS - 60) ** 2 + (COLUMNS - 60) ** 2 <= 9  # its match lies behind the thing it is in
    through = np.where(hole, np.float32(10), near)
    assert np.array_equal(without_specks(through, GREY), near)
    narrow = np.where((COLUMNS > 54) & (COLUMNS < 66), near, 10).astype(np.float32)
    open_ring = np.where(hole, np.float32(10), narrow)  # beside the ring's own match, where the right view sees through
    assert np.array_equal(without_specks(open_ring, GREY), open_ring)


def test_a_speck_on_an_edge_takes_the_side_of_its_colour():
    picture = np.where(ROWS[..., None] < 60, 120, np.full((*SHAPE, 3), 130)).astype(np.uint8)
    ground = np.where(ROWS < 60, 10, 16).astype(np.float32)
    found = without_specks(np.where(ISLAND, np.float32(40), ground), picture)
    assert np.array_equal(found, ground)


def test_where_all_is_of_one_colour_a_speck_takes_what_is_nearest():
    ground = np.where(ROWS < 60, 10, 16).astype(np.float32)
    found = without_specks(np.where(ISLAND, np.float32(40), ground), GREY)
    assert (np.abs(found - ground) < 0.1)[ISLAND].mean() > 0.85


@pytest.mark.parametrize("place", [(0, 0), (119, 159), (0, 80)])
def test_specks_at_the_border_are_specks(place):
    where = (np.abs(ROWS - place[0]) < 4) & (np.abs(COLUMNS - place[1]) < 4)
    assert np.abs(without_specks(on_the_wall(20, where), GREY) - WALL).max() < 0.5


def test_a_single_pixel_and_a_clean_map_are_handled():
    assert np.array_equal(without_specks(WALL, GREY), WALL)
    where = (ROWS == 60) & (COLUMNS == 80)
    assert np.abs(without_specks(on_the_wall(20, where), GREY) - WALL).max() < 0.5
