"""Rows that do not line up are found out and put right."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps import Image, StereoPair, match_pair
from depthapps.engine.front.coarse import match_coarse
from depthapps.engine.front.rows import RowOffset, check_rows, shift_rows, worth_removing


def grey(pair: StereoPair) -> tuple[Image, Image]:
    """Both views as (H, W) uint8."""
    return cv2.cvtColor(pair.left, cv2.COLOR_RGB2GRAY), cv2.cvtColor(pair.right, cv2.COLOR_RGB2GRAY)


def lowered(view: Image, offset: RowOffset) -> Image:
    """The right view as a camera would see it whose rows lie lower by an offset."""
    return shift_rows(view, RowOffset(-offset.constant, -offset.across, -offset.down))


OFFSETS = [RowOffset(0.7, 0, 0), RowOffset(-3.0, 0, 0), RowOffset(0.4, 1.2, -0.8)]


@pytest.mark.parametrize("offset", OFFSETS, ids=str)
def test_an_offset_is_measured(two_layers, offset):
    left, right = grey(two_layers.pair)
    right = lowered(right, offset)
    found = worth_removing(check_rows(left, right, match_coarse(left, right)))
    assert found is not None
    assert np.abs(found.field(240, 320) - offset.field(240, 320)).max() < 0.25
    assert found.constant == pytest.approx(offset.constant, abs=0.06)


@pytest.mark.parametrize("offset", OFFSETS, ids=str)
def test_an_offset_costs_little(two_layers, offset):
    pair = two_layers.pair
    crooked = StereoPair(pair.left, lowered(pair.right, offset), pair.calibration)
    error = np.abs(match_pair(crooked).disparity_px - two_layers.disparity_px)
    assert 100 * (error > 2).mean() < 3.5


def test_rows_that_line_up_are_left_alone(two_layers):
    left, right = grey(two_layers.pair)
    assert worth_removing(check_rows(left, right, match_coarse(left, right))) is None


def test_rows_that_sway_down_the_picture_are_told(two_layers):
    left, right = grey(two_layers.pair)
    steady = check_rows(left, right, match_coarse(left, right))
    assert steady is not None
    assert steady.wave_px == 0
    height, width = right.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    swaying = cv2.remap(right, x, y + 0.8 * np.sin(y / height * 4 * np.pi, dtype=np.float32), cv2.INTER_CUBIC)
    found = check_rows(left, swaying, match_coarse(left, swaying))
    assert found is not None
    assert 0.4 < found.wave_px < 1


def test_shifting_moves_rows_up():
    view = np.zeros((40, 50), np.uint8)
    view[20:22] = 200
    assert np.array_equal(shift_rows(view, RowOffset(5, 0, 0))[15:17], view[20:22])
    colored = view[..., None].repeat(3, axis=2)
    assert shift_rows(colored, RowOffset(5, 0, 0))[15, 4].tolist() == [200, 200, 200]


def test_too_few_points_tell_nothing(two_layers):
    left, right = grey(two_layers.pair)
    coarse = match_coarse(left, right)
    assert check_rows(np.full_like(left, 90), right, coarse) is None
    assert check_rows(left[:40, :50], right[:40, :50], match_coarse(left[:40, :50], right[:40, :50])) is None
