"""Maps that were rounded to few levels get their slopes back, and keep their edges."""

import math

import numpy as np
import pytest

from depthapps.surface.levels import smooth_levels


def scene(height: int = 120, width: int = 160) -> np.ndarray:
    """1/Z of a floor before a wall, and of a ball that stands on it, in 0..1."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    inverse = np.maximum(0.1 + 0.04 * x / width, 0.1 + (y - 50) / 140)
    inside = 1 - ((x - 80) ** 2 + (y - 60) ** 2) / 30**2
    return np.where(inside > 0, 0.7 + 0.2 * np.sqrt(np.maximum(inside, 0)), inverse).astype(np.float32)


@pytest.mark.parametrize("levels", [20, 60])
def test_slopes_come_back_and_nothing_moves_by_more_than_half_a_level(levels):
    true, step = scene(), np.float32(1 / levels)
    rounded = (np.rint(true / step) * step).astype(np.float32)
    smooth = smooth_levels(rounded, float(step) / math.sqrt(12))
    assert np.abs(smooth - rounded).max() <= 0.5001 * step
    floor = np.s_[80:115, 5:40]
    before, after = (np.abs(np.diff(v - true, axis=0))[floor].mean() for v in (rounded, smooth))
    assert after < before / 3
    assert np.abs(smooth - true).mean() < 0.8 * np.abs(rounded - true).mean()


def test_edges_stay_and_many_levels_are_left_alone():
    true, step = scene(), np.float32(1 / 40)
    smooth = smooth_levels((np.rint(true / step) * step).astype(np.float32), float(step) / math.sqrt(12))
    edge = np.abs(np.diff(true, axis=1)) > 4 * step
    assert np.abs(np.diff(smooth - true, axis=1))[edge].max() < 1.1 * step
    assert smooth_levels(true, 1e-4 / math.sqrt(12)) is true
    assert smooth_levels(true, 0.0) is true
    assert smooth_levels(np.zeros((1, 5), np.float32), 0.1).shape == (1, 5)


@pytest.mark.parametrize("sign", [1, -1])
def test_no_crater_is_dug_into_what_was_clipped(sign):
    """The nearest and the farthest of a map are clipped, often: a level with only lower ones around it stays flat."""
    y, x = np.mgrid[:240, :320].astype(np.float32)
    cone = sign * np.minimum(30 - np.hypot(x - 160, y - 120) / 8, 20)
    smooth = smooth_levels(np.rint(cone).astype(np.float32), 1 / math.sqrt(12))
    for outwards in (smooth[120, 160:310], smooth[120, 160:10:-1], smooth[120:230, 160], smooth[120:10:-1, 160]):
        assert (sign * np.diff(outwards)).max() < 0.02
