"""Where the right view ends, the surface goes on that has the colours."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps import Calibration, Camera, Quality, StereoPair, match_pair
from depthapps.core.filling import fill_background
from depthapps.engine.matching import pyramid
from depthapps.engine.matching.border import _flooded, continued_by_color, joined_at_border

SHAPE = (160, 240)
ROWS, COLUMNS = np.indices(SHAPE)
WALL_PX, CARD_PX = 8.0, 40.0
STRIP = np.where((ROWS > 50) & (ROWS < 110), 40, 8) > COLUMNS  # which the right view does not show
CARD = (ROWS > 50) & (ROWS < 110) & (COLUMNS > 30) & (COLUMNS < 120)  # its left end lies in the strip
SEEN = np.where(STRIP, np.nan, np.where(CARD, CARD_PX, WALL_PX)).astype(np.float32)
SMEARED = np.asarray(fill_background(SEEN), np.float32)


def picture(wall: tuple[int, int, int], card: tuple[int, int, int]) -> np.ndarray:
    """A chequered wall and a chequered card before it, (H, W, 3) uint8."""
    dark = ((ROWS // 12 + COLUMNS // 12) % 2)[..., None] * 60
    return np.clip(np.where(CARD[..., None], card, wall) - dark, 0, 255).astype(np.uint8)


def test_a_wall_goes_on_to_the_border_behind_a_card_whose_colours_it_has_not():
    other = continued_by_color(SMEARED, SEEN, picture((90, 120, 200), (220, 110, 90)))
    behind = STRIP & ~CARD & (SMEARED == CARD_PX)
    assert np.isfinite(other[behind]).mean() > 0.97
    assert np.nanmax(np.abs(other - WALL_PX)) < 0.2
    told = np.where(np.isnan(other), SMEARED, other)
    assert (np.abs(told - np.where(CARD, CARD_PX, WALL_PX)) < 0.5).mean() > 0.995


@pytest.mark.parametrize("card", [(90, 120, 200), (96, 118, 190)])
def test_like_colours_change_nothing(card):
    assert np.isnan(continued_by_color(SMEARED, SEEN, picture((90, 120, 200), card))).all()


def test_a_surface_that_goes_on_changes_nothing():
    wide = (ROWS > 50) & (ROWS < 110) & (COLUMNS < 120)
    left = np.where(wide[..., None], (220, 110, 90), (90, 120, 200)).astype(np.uint8)
    assert np.isnan(continued_by_color(SMEARED, SEEN, left)).all()


def test_the_flood_gets_past_a_slanted_wall_whose_strip_widens():
    wall = (8 + 0.25 * ROWS).astype(np.float32)
    slanted = (10 + np.maximum(0, 50 - ROWS) > COLUMNS) | STRIP
    seen = np.where(slanted, np.nan, np.where(CARD, 110, wall)).astype(np.float32)
    smeared = np.asarray(fill_background(seen), np.float32)
    other = continued_by_color(smeared, seen, picture((90, 120, 200), (220, 110, 90)))
    behind = STRIP & ~CARD & (smeared == 110)
    assert np.isfinite(other[behind]).mean() > 0.95
    assert np.nanmedian(np.abs(other - wall)[behind]) < 10  # it takes one level of the wall, not its slope


def test_what_dams_close_off_stays_unknown():
    steep = (8 + ROWS).astype(np.float32)  # each row is a level of its own, and all of the strip's rim is slanted
    strip = 40 - np.abs(ROWS - 80) > COLUMNS
    seen = np.where(strip, np.nan, steep)[:, :41].astype(np.float32)
    flooded = _flooded(picture((90, 120, 200), (220, 110, 90))[:, :41], seen)
    known = np.isfinite(flooded)
    assert not known[strip[:, :41]].all()
    assert ((flooded >= steep.min()) & (flooded <= steep.max()))[known].all()


def test_without_a_strip_or_anything_seen_nothing_goes_on():
    left = picture((90, 120, 200), (220, 110, 90))
    assert np.isnan(continued_by_color(SMEARED, SMEARED, left)).all()
    assert np.isnan(continued_by_color(SMEARED, np.full(SHAPE, np.nan, np.float32), left)).all()


def test_rows_without_any_match_are_a_strip_as_wide_as_the_view():
    seen = SEEN.copy()
    seen[60:70] = np.nan
    other = continued_by_color(SMEARED, seen, picture((90, 120, 200), (220, 110, 90)))
    assert np.abs(other[80:100, :30] - WALL_PX).max() < 0.2


BAR = (ROWS > 70) & (ROWS < 83) & (COLUMNS < 150)
WITH_BAR = np.where(BAR, CARD_PX, WALL_PX).astype(np.float32)
BROKEN_OFF = np.where(COLUMNS < CARD_PX, WALL_PX, WITH_BAR).astype(np.float32)
SURE = np.where((COLUMNS >= WITH_BAR) & (BAR | (COLUMNS < 150)), 0.9, 0.2).astype(np.float32)


def chequered(near: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    """A chequered wall, and before it something of another colour, (H, W, 3) uint8."""
    dark = ((ROWS // 12 + COLUMNS // 12) % 2)[..., None] * 40
    return np.where(near[..., None], color, np.array((90, 120, 200)) - dark).astype(np.uint8)


def test_a_bar_that_breaks_off_where_the_right_view_ends_goes_on_to_the_border():
    joined = joined_at_border(BROKEN_OFF, SURE, chequered(BAR, (220, 110, 90)))
    assert (np.abs(joined - WITH_BAR) < 0.5).mean() > 0.998


def test_only_what_the_right_view_does_not_show_is_joined():
    # a stripe of the bar's colour on the wall, in unsure rows, leads on from the bar's end, which both views show
    rows = (ROWS > 70) & (ROWS < 83)
    depth = np.where(rows & (COLUMNS >= 60), CARD_PX, WALL_PX).astype(np.float32)
    sure = np.where(rows & (COLUMNS < 60), 0.6, 0.9).astype(np.float32)
    joined = joined_at_border(depth, sure, chequered(rows, (220, 110, 90)))
    assert (joined[75, :40] == CARD_PX).all()
    np.testing.assert_array_equal(joined[:, int(CARD_PX) :], depth[:, int(CARD_PX) :])


def test_a_wall_that_is_sure_where_the_right_view_does_not_show_it_is_not_seen():
    sure = SURE.copy()
    sure[72:82, :8] = 0.9
    joined = joined_at_border(BROKEN_OFF, sure, chequered(BAR, (220, 110, 90)))
    assert (np.abs(joined - WITH_BAR) < 0.5).mean() > 0.998


def test_without_anything_sure_a_map_stays():
    nothing = np.zeros(SHAPE, np.float32)
    np.testing.assert_array_equal(joined_at_border(BROKEN_OFF, nothing, chequered(BAR, (220, 110, 90))), BROKEN_OFF)


def test_a_bar_that_ends_there_stays_as_it_is():
    ends = BAR & (COLUMNS >= CARD_PX)
    np.testing.assert_array_equal(joined_at_border(BROKEN_OFF, SURE, chequered(ends, (220, 110, 90))), BROKEN_OFF)


def test_a_bar_that_is_not_sure_does_not_go_on():
    sure = np.where(BAR & (COLUMNS >= CARD_PX), 0.6, SURE).astype(np.float32)
    np.testing.assert_array_equal(joined_at_border(BROKEN_OFF, sure, chequered(BAR, (220, 110, 90))), BROKEN_OFF)


def test_a_slanted_door_goes_on_as_it_was_chosen():
    upper = ROWS < 80  # below it is something else, at the depth to which the door leads
    door = np.where(upper, 30 + 0.3 * np.maximum(30 - COLUMNS, 0), 36).astype(np.float32)
    sure = np.where(door <= COLUMNS, 0.9, 0.2).astype(np.float32)
    left = np.where(upper[..., None], (220, 110, 90), (90, 120, 200)).astype(np.uint8)
    seen = np.where(sure > 0.5, door, np.float32(np.nan))
    assert np.isfinite(continued_by_color(door, seen, left)).any()
    np.testing.assert_array_equal(joined_at_border(door, sure, left), door)


@pytest.mark.parametrize("quality", list(Quality))
def test_a_near_thing_beside_the_border_does_not_smear_out_to_it(quality):
    rng = np.random.default_rng(1)
    wall, card = (rng.integers(20, 110, (*SHAPE, 3)) + np.array(tint) for tint in ((0, 30, 90), (110, 40, 0)))
    wall, card = (cv2.GaussianBlur(cv2.resize(t.astype(np.uint8), (480, 320)), (0, 0), 1.5) for t in (wall, card))
    left, right = wall[:, 8:408].copy(), wall[:, 16:416].copy()
    left[90:230, 30:170] = card[:140, :140]
    right[90:230, :130] = card[:140, 10:140]
    camera = Camera.from_fov(400, 320, 60)
    found = match_pair(StereoPair(left, right, Calibration(camera, 0.1)), quality).disparity_px
    assert (np.abs(found[95:225, :27] - 8) < 2).mean() > 0.95
    assert (np.abs(found[95:225, 34:165] - 40) < 2).mean() > 0.95


@pytest.mark.parametrize(("quality", "joined"), [("fast", False), ("balanced", True), ("best", True)])
def test_the_network_s_choice_is_joined_last(two_layers, monkeypatch, quality, joined):
    monkeypatch.setattr(pyramid, "joined_at_border", lambda disparity, confidence, left: np.full_like(disparity, 7))
    assert (match_pair(two_layers.pair, quality).disparity_px == 7).all() == joined
