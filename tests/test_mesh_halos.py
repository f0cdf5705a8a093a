"""No outline and no streak of near things is left on what lies behind them."""

from __future__ import annotations

import numpy as np
import pytest

from depthapps import Camera, Scene
from depthapps.mesh.behind import Behind
from depthapps.mesh.behind_colors import without_streaks
from depthapps.mesh.cut import cut_surface
from depthapps.mesh.halos import without_halos

WALL, CARD, MIXED = (60, 60, 60), (240, 240, 240), (150, 150, 150)


def test_mixed_pixels_beside_a_near_thing_take_the_colour_of_their_own_surface():
    depth = np.full((40, 60), 4, np.float32)
    depth[10:30, 20:40] = 1
    image = np.full((40, 60, 3), WALL, np.uint8)
    image[9:31, 19:41] = MIXED
    image[10:30, 20:40] = CARD
    image[:5, :5] = MIXED  # no depth edge is near
    cleaned = without_halos(cut_surface(Scene(image, depth, Camera.from_fov(60, 40, 60)), fill=True)).image
    wall = depth == 4
    wall[:5, :5] = False
    assert (cleaned[wall] == WALL).all()
    assert (cleaned[~wall] == image[~wall]).all()


def test_a_pixel_without_clean_neighbours_keeps_its_colour():
    depth = np.full((24, 24), 1, np.float32)
    depth[8:16, 12] = 3  # a slit
    image = np.random.default_rng(0).integers(0, 255, (24, 24, 3), np.uint8)
    surface = cut_surface(Scene(image, depth, Camera.from_fov(24, 24, 60)), fill=True)
    assert (without_halos(surface).image == image).all()


@pytest.mark.parametrize("continued", [True, False], ids=["continued", "rim"])
def test_where_surfaces_are_joined_the_far_ones_colour_is_shown(continued):
    """A speck of a near surface draws no line across the far one, be it made up or what the picture itself shows."""
    inverse = np.full((80, 120), 0.25, np.float32)
    inverse[40:42, 60:62] = 1
    inverse[:, :30] = np.nan
    new = np.isfinite(inverse)
    new[40:42, 60:62] = continued
    tilt, source = np.zeros((*new.shape, 2), np.float32), np.zeros(new.shape, np.int32)
    behind = Behind(inverse, new, tilt, source, inverse, Camera.from_fov(120, 80, 60), 0)
    picture = np.full((80, 120, 3), 60, np.float32)
    picture[40:42, 60:62] = 240
    assert np.abs(without_streaks(picture, behind) - 60).max() < 1e-3
    picture[:] = np.arange(120)[:, None]
    smooth = without_streaks(picture, behind)
    assert (smooth != picture).any(axis=2).sum() <= 36  # the speck and two pixels around it
    assert np.isfinite(smooth).all()
