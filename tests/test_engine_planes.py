"""Holes filled by planes."""

from __future__ import annotations

import numpy as np
import pytest

from depthapps.engine.matching.planes import fill_planes

NAN = np.float32(np.nan)


def slanted(across: float, down: float) -> np.ndarray:
    """A plane of disparities around 40 px, (120, 160)."""
    y, x = np.indices((120, 160), np.float32)
    return np.asarray(40 + across * (x - 80) + down * (y - 60), np.float32)


def test_a_plane_goes_on_in_a_hole_and_beyond_the_last_known_column():
    truth = slanted(0.08, -0.12)
    known = truth.copy()
    known[50:75, 60:110] = NAN
    known[:, :24] = NAN
    filled = fill_planes(known, np.full((120, 160, 3), 90, np.uint8))
    assert np.abs(filled - truth)[50:75, 60:110].max() < 0.3
    assert np.abs(filled - truth)[:, :24].max() < 1.5  # background along rows is 1.9 px off there
    assert np.array_equal(filled[np.isfinite(known)], known[np.isfinite(known)])


def test_a_hole_goes_on_with_the_surface_of_its_colour():
    truth = slanted(0, 0)
    truth[:, 80:] = 15
    picture = np.full((120, 160, 3), 60, np.uint8)
    picture[:, 80:] = (160, 200, 90)
    known = truth.copy()
    known[30:90, 56:104] = NAN
    filled = fill_planes(known, picture)
    away_from_the_edge = np.abs(np.arange(160) - 80) > 8
    assert np.abs(filled - truth)[:, away_from_the_edge].max() < 1


def test_wrong_values_around_a_hole_do_not_tilt_its_plane():
    truth, rng = slanted(0.05, 0.1), np.random.default_rng(4)
    known = truth.copy()
    wrong = np.repeat(np.repeat(rng.random((15, 20)) < 0.15, 8, axis=0), 8, axis=1)
    known[wrong] += 30
    known[40:80, 60:100] = NAN
    filled = fill_planes(known, np.full((120, 160, 3), 90, np.uint8))
    assert np.median(np.abs(filled - truth)[40:80, 60:100]) < 0.5


@pytest.mark.parametrize("known", [slanted(0.1, 0), np.full((37, 51), NAN, np.float32)])
def test_all_known_stays_and_nothing_known_becomes_zero(known):
    filled = fill_planes(known, np.zeros((*known.shape, 3), np.uint8))
    assert np.array_equal(filled, np.nan_to_num(known))
