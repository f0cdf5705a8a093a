"""Where a plain region lies, by the faint texture of all of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps.engine.matching.correlation import Bands, Texture, band_passed
from depthapps.engine.matching.regions import Region
from depthapps.engine.matching.surfaces import fit_surfaces

SHAPE = (200, 320)
ROWS, COLUMNS = np.indices(SHAPE, np.float32)
LEVEL = np.array([14.0, 0.0, 0.0])
NEARER = LEVEL + np.array([9.0, 0.0, 0.0])
TILTED = np.array([20.0, -0.04, 0.03])  # for rows and columns of the half-size picture


def wall(plane: np.ndarray, levels: float = 0.8, noise: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Two grey views (H, W) of a plain wall on a plane, whose texture is fainter than their noise."""
    rng = np.random.default_rng(3)
    texture = cv2.GaussianBlur(rng.normal(0, 1, (SHAPE[0], SHAPE[1] + 100)).astype(np.float32), (0, 0), 2)
    texture *= levels / texture.std()
    # the right view shows at column x - d what the left one shows at x
    disparity = plane[0] + plane[1] * ROWS / 2 + plane[2] * COLUMNS / 2
    right = texture[:, : SHAPE[1]]
    left = cv2.remap(
        texture, (COLUMNS - disparity).astype(np.float32), ROWS, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    noisy = (140 + view + rng.normal(0, noise, SHAPE) for view in (left, right))
    first, second = (np.clip(np.rint(view), 0, 255).astype(np.uint8) for view in noisy)
    return first, second


def region(rows: slice = slice(10, 90), columns: slice = slice(30, 150)) -> Region:
    mask = np.ones((rows.stop - rows.start, columns.stop - columns.start), np.bool_)
    return Region(rows, columns, mask, mask)


def texture_of(plane: np.ndarray, levels: float = 0.8) -> Texture:
    return Texture(band_passed(*wall(plane, levels)), region(), np.random.default_rng(0))


@pytest.mark.parametrize("plane", [LEVEL, TILTED])
def test_the_true_plane_is_far_likelier_than_others(plane):
    texture = texture_of(plane)
    off = np.array([(-12, 0, 0), (-6, 0, 0), (6, 0, 0), (12, 0, 0), (0, 0.2, 0), (0, 0, 0.2)])
    [true], others = texture.likelihoods([plane]), texture.likelihoods(list(plane + off))
    assert true > max(others) + 20


def test_no_window_of_the_wall_would_tell():
    """The texture is fainter than the noise: what single windows match best is mostly wrong."""
    left, right = (view.astype(np.float32) for view in wall(LEVEL))
    levels = np.arange(0, 40)
    costs = np.stack([cv2.blur(np.abs(left[:, 40:] - right[:, 40 - d : SHAPE[1] - d]), (7, 7)) for d in levels])
    assert np.mean(np.abs(costs.argmin(axis=0) - LEVEL[0]) > 2) > 0.5


def test_a_level_wall_is_found_and_noise_is_none():
    [found] = texture_of(LEVEL).clear_level([NEARER], 0, 40)
    assert np.allclose(found, LEVEL, atol=1)
    assert not texture_of(LEVEL).clear_level([LEVEL], 0, 40)  # nothing is clearly likelier than the truth
    assert not texture_of(LEVEL, levels=0).clear_level([NEARER], 0, 40)


def test_a_small_region_is_not_searched():
    small = region(slice(10, 40), slice(30, 70))
    texture = Texture(band_passed(*wall(LEVEL)), small, np.random.default_rng(0))
    assert not texture.clear_level([NEARER], 0, 40)


def test_what_shows_nothing_is_as_likely_anywhere():
    flat = np.full(SHAPE, 90, np.uint8)
    texture = Texture(band_passed(flat, flat), region(), np.random.default_rng(0))
    assert not texture.likelihoods([LEVEL, TILTED]).any()
    assert not texture.clear_level([TILTED], 0, 40)


def test_a_wall_behind_things_on_all_sides_is_where_its_texture_is():
    """Most of what is matched around it is a nearer frame, which a plane through the frame would continue."""
    left, right = wall(LEVEL, levels=2.0)
    frame = np.ones(SHAPE, np.bool_)
    frame[24:-24, 48:-48] = False
    checks = np.where((ROWS // 4 + COLUMNS // 4) % 2 > 0, 60, 200).astype(np.uint8)
    grey = np.where(frame, checks, left)
    known = np.where(frame, 26, np.nan).astype(np.float32)
    known[-8:] = 4  # and something farther, for the range
    guess = fit_surfaces(np.repeat(grey[..., None], 3, axis=2), right, known).by_rims
    assert np.mean(np.abs(guess - LEVEL[0])[~frame] < 1.5) > 0.9


def test_what_is_rounded_alike_is_no_texture():
    """Smooth shading has one level in both views at 12 px, where a surface that mirrors a lamp is not."""
    shading = 100 + 0.2 * COLUMNS + 0.13 * ROWS
    views = (np.rint(view).astype(np.uint8) for view in (shading, shading + 0.2 * 12))
    texture = Texture(band_passed(*views), region(), np.random.default_rng(0))
    assert texture.likelihoods([np.array([12.0, 0.0, 0.0])]) < 1


def bands_at(levels: tuple[float, float, float], noise: tuple[float, float, float] = (0, 0, 0)) -> Bands:
    """Bands of a wall, each of them as if the wall were at its own disparity, with noise in the right one."""
    rng, found = np.random.default_rng(3), []
    for k, level in enumerate(levels):
        left, right = (band[k] for band in band_passed(*wall(np.array([level, 0.0, 0.0]), 3.0, 0.0)))
        found.append((left, right + rng.normal(0, noise[k], right.shape).astype(np.float32)))
    return Bands(*(list(views) for views in zip(*found, strict=True)))


@pytest.mark.parametrize("level", [14, 60, 100])
def test_a_level_is_found_where_the_coarser_bands_are_blank(level):
    """There all levels are as likely, so that all of them are left to the next band."""
    left, right = bands_at((level,) * 3)
    blank = [np.zeros_like(band) for band in left[1:]]
    texture = Texture(Bands([left[0], *blank], right), region(columns=slice(60, 150)), np.random.default_rng(0))
    [found] = texture.clear_level([np.array([35.0, 0.0, 0.0])], 0, 120)
    assert found[0] == pytest.approx(level, abs=1)


def test_each_cut_of_levels_is_by_all_bands_so_far():
    """The middle band alone would keep levels near 30 px; together with the coarsest it keeps 14 px."""
    texture = Texture(bands_at((14, 30, 14), (0, 2, 0)), region(), np.random.default_rng(0))
    [found] = texture.clear_level([NEARER], 0, 40)
    assert np.allclose(found, LEVEL, atol=1)
