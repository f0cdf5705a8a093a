"""Which of two views is the left one, wherever infinity lies."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps import Calibration, Camera, Image, PhotoPair, Quality, match_photos, read_image
from depthapps.engine.front.coarse import match_coarse
from depthapps.engine.front.order import look_exchanged
from depthapps.engine.front.range import find_range

WIDTH, HEIGHT = 400, 240
FAR_PX = 6


def cards(nearest_px: int, offset_px: int = 0) -> tuple[Image, Image]:
    """Two views of cards of a colour each before a wall, with faint texture, and infinity at −offset_px."""
    rng = np.random.default_rng(0)

    def painted(height: int, width: int) -> np.ndarray:
        texture = cv2.GaussianBlur(rng.normal(0, 1, (height, width)), (0, 0), 1) * 60
        return np.clip(rng.uniform(50, 200, 3) + texture[..., None], 0, 255).astype(np.uint8)

    wall = painted(HEIGHT, WIDTH + 200)
    views = [wall[:, 100 + shift :][:, :WIDTH].copy() for shift in (0, FAR_PX - offset_px)]
    for near in np.linspace(FAR_PX, nearest_px, 13)[1:].astype(int):
        width, height = rng.integers(40, 70, 2)
        x, y = rng.integers(60, WIDTH - 130), rng.integers(0, HEIGHT - height)
        card = painted(height, width)
        for view, at in zip(views, (x, x - near + offset_px), strict=True):
            view[y : y + height, at : at + width] = card
    return views[0], views[1]


@pytest.mark.parametrize("offset_px", [0, 20, 60, -30])
def test_the_order_is_seen_wherever_infinity_lies(offset_px):
    left, right = cards(40, offset_px)
    assert not look_exchanged(left, right, 5 - offset_px, 41 - offset_px)
    assert look_exchanged(right, left, offset_px - 41, offset_px - 5)


def test_where_nothing_is_hidden_there_is_no_telling():
    left, right = cards(FAR_PX)  # all in one plane
    assert not look_exchanged(left, right, 0, 16)
    assert not look_exchanged(right, left, -16, 0)


def test_exchanged_views_on_common_rows_are_matched_the_other_way_round():
    calibration = Calibration(Camera.centred(WIDTH, HEIGHT, 350), 0.065)

    def found(first: Image, second: Image, *, infinity_known: bool = False):
        pair = PhotoPair(first, second, calibration)
        return match_photos(pair, Quality.FAST, infinity_known=infinity_known, confidence=False).report

    left, right = cards(40)
    assert found(left, right) is None
    left, right = cards(40, 50)  # exchanged, everything moves to the left as in a pair in order
    report = found(right, left)
    assert report is not None
    assert report.exchanged
    assert found(right, left, infinity_known=True) is None


@pytest.mark.parametrize(
    "name",
    [
        "middlebury2014_q-motorcycle",
        "kitti2015-000013",
        "middlebury2005-art",
        "middlebury2006-baby1",
        "middlebury2006-bowling1",
    ],
)
def test_the_order_of_real_pairs(real_pairs, name):
    left, right = (read_image(real_pairs / name / f"im{k}.png") for k in (0, 1))
    mirrored = [np.ascontiguousarray(view[:, ::-1]) for view in (right, left)]
    for one, two in ((left, right), mirrored):
        for first, second, exchanged in ((one, two, False), (two, one, True)):
            grey, other = (cv2.cvtColor(view, cv2.COLOR_RGB2GRAY) for view in (first, second))
            low, high = find_range(match_coarse(grey, other), order_known=True)
            assert look_exchanged(first, second, low, high) == exchanged
