"""Where a photo shows no scene: black corners and bars, and what only looks like them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps.core.blank import blank_part, shown, shrunk


def test_black_corners_are_not_shown_but_black_things_are():
    photo = np.full((100, 120, 3), 90, np.uint8)
    photo[:30, :20] = 2
    photo[40:60, 50:70] = 0  # a thing inside
    photo[99:, 119:] = 0  # too small for a corner
    known = shown(photo)
    assert not known[:30, :20].any()
    assert known.sum() == known.size - 30 * 20


def test_a_photo_without_black_is_shown_whole():
    assert shown(np.full((9, 9, 3), 4, np.uint8)).all()


def test_the_rim_goes_but_not_at_the_border():
    area = np.ones((20, 20), bool)
    area[:, :5] = False
    found = shrunk(area)
    assert not found[:, :7].any()
    assert found[:, 7:].all()


def textured(height: int = 480, width: int = 720) -> np.ndarray:
    rng = np.random.default_rng(0)
    coarse = rng.integers(30, 220, (height // 12, width // 12, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def turned(photo: np.ndarray, degrees: float) -> np.ndarray:
    height, width = photo.shape[:2]
    about = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(photo, about, (width, height)), np.uint8)


def straightened(photo: np.ndarray, bent: float) -> np.ndarray:
    """As a barrel's picture looks straightened, with sides that are bent inwards."""
    height, width = photo.shape[:2]
    y, x = (np.indices((height, width)) - np.array([height, width]).reshape(2, 1, 1) / 2).astype(np.float32)
    more = 1 + bent * (0.38 - (x**2 + y**2) / width**2)  # the photo's corners hardly move
    return np.asarray(cv2.remap(photo, x * more + width / 2, y * more + height / 2, cv2.INTER_LINEAR), np.uint8)


def as_jpeg(photo: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, 90])[1], cv2.IMREAD_COLOR))


@pytest.mark.parametrize(("stored", "off_px"), [(lambda photo: photo, 0), (as_jpeg, 8)])
@pytest.mark.parametrize("degrees", [-4.0, 2.0])
def test_the_corners_of_a_turned_photo_are_blank(degrees, stored, off_px):
    """In a JPEG to within its blocks, in which single pixels light up."""
    lit = textured()
    inside = turned(np.full_like(lit, 255), degrees).max(axis=2)
    found = blank_part(stored(turned(lit, degrees)))
    assert found is not None
    window = np.ones((2 * off_px + 1, 2 * off_px + 1), np.uint8)
    assert found[cv2.dilate(inside, window) < 255].mean() > 0.98  # but the tips of the corners
    assert not found[cv2.erode(inside, np.ones((7, 7), np.uint8)) == 255].any()


def test_bent_sides_and_bars_are_blank():
    bent = straightened(textured(), 0.2)
    found = blank_part(bent)
    assert found is not None
    assert found[240, 0]
    assert found[0, 360]
    assert found.mean() < 0.08
    assert not found[30:-30, 30:-30].any()
    bars = textured()
    bars[:60], bars[-60:] = 0, 1  # a quarter of the picture
    found = blank_part(bars)
    assert found is not None
    assert found[:62].all()
    assert found[-62:].all()
    assert not found[62:-62].any()


@pytest.mark.parametrize("portrait", [False, True])
@pytest.mark.parametrize(("dark", "dtype"), [(1, np.uint8), (6, np.uint8), (1, np.uint16), (1, np.float32)])
def test_corners_of_dark_photos_and_of_other_samples_are_blank(dark, dtype, portrait):
    photo = turned(textured() // dark, 3.0)
    photo = photo.transpose(1, 0, 2) if portrait else photo
    times = {np.uint8: 1, np.uint16: 257, np.float32: 1 / 255}[dtype]
    found = blank_part((photo.astype(np.float64) * times).astype(dtype))
    assert found is not None
    assert 0.015 < found.mean() < 0.08


def test_a_black_thing_at_the_rim_does_not_hide_the_corners():
    """It hangs together with one of them."""
    photo = textured()
    photo[:150, 60:160] = 0
    found = blank_part(turned(photo, 3.0))
    assert found is not None
    assert found[-1, 0]
    assert found[0, -1]
    assert found[-1, -1]
    assert not found[80, 120]


def test_small_corners_are_blank_and_single_black_pixels_are_not():
    photo = textured()
    y, x = np.indices(photo.shape[:2])
    photo[y + x < 14] = 0  # 105 px of 345 600
    found = blank_part(photo)
    assert found is not None
    assert found[0, 0]
    tiny = np.full((8, 8, 3), 90, np.uint8)
    tiny[0, 0] = 0
    assert blank_part(tiny) is None


def shaded(rise: float, upright: bool) -> np.ndarray:
    """A photo with a black corner, of even or sloping rim, from which it brightens by so many levels a pixel."""
    y, x = np.indices((480, 720))
    way = x - 60 if upright else (x + y) / np.sqrt(2) - 60
    return np.clip(2 + rise * way, 0, 150)[..., None].repeat(3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("upright", [True, False])
def test_a_shadow_with_a_straight_rim_is_no_blank_part(upright):
    """It fades."""
    for rise in (0.3, 1.0):
        shadow = shaded(rise, upright)
        assert not shown(shadow).all()  # black enough to be left out of a comparison of the views
        assert blank_part(shadow) is None
    sharp = blank_part(shaded(20.0, upright))
    assert sharp is not None
    assert sharp[0, 0]


def test_backdrops_and_skies_are_no_blank_part():
    y, x = np.indices((480, 720))
    ball = np.where(((x - 360) ** 2 + (y - 300) ** 2 < 160**2)[..., None], textured(), np.uint8(0))
    assert blank_part(ball) is None  # most of the picture is black
    city = textured()
    for left, top in ((0, 60), (200, 20), (300, 70), (600, 45)):  # roofs, which reach 50 px into the hull
        city[:top, left : left + 300] = 0
    assert not shown(city).all()
    assert blank_part(city) is None
    speckled = shaded(1.0, upright=True)
    speckled[:, 64::2] = 200  # beside the black, too, but for most of it
    speckled[:, 64:70] = 6
    speckled[::9, 64:70] = 200
    assert blank_part(speckled) is None
    assert blank_part(textured()) is None
    assert blank_part(np.zeros((40, 30, 3), np.uint8)) is None
    for size in ((1, 9), (9, 1), (1, 1)):
        assert blank_part(np.full((*size, 3), 90, np.uint8)) is None
        assert blank_part(np.zeros((*size, 3), np.uint8)) is None
