"""Small depth maps lifted to photos: edges lie on edges, slopes stay slopes, nothing lies between."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from conftest import Card, make_pair

from depthapps.surface.lift import lift_to_image

SCALE = 5


def photo_with_disc(height: int = 240, width: int = 320) -> tuple[np.ndarray, np.ndarray]:
    """A textured bright disc before a textured dark wall, and where the disc is."""
    y, x = np.mgrid[:height, :width]
    inside = (x - 163) ** 2 + (y - 118) ** 2 < 71**2
    noise = np.random.default_rng(3).normal(0, 12, (height, width, 3))
    image = np.where(inside[..., None], (190, 150, 110), (60, 80, 100)) + noise
    return np.clip(image, 0, 255).astype(np.uint8), inside


def shrunk(values: np.ndarray, blur: float = 0.0) -> np.ndarray:
    small = cv2.resize(
        values, (values.shape[1] // SCALE, values.shape[0] // SCALE), interpolation=cv2.INTER_AREA
    ).astype(np.float32)
    return cv2.GaussianBlur(small, (0, 0), blur) if blur else small


@pytest.mark.parametrize("blur", [0.0, 0.7])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_depth_edges_move_to_the_photos_edges(blur, dtype):
    image, inside = photo_with_disc()
    truth = np.where(inside, np.float32(1), np.float32(0.25))
    if dtype is np.uint16:
        image = image.astype(np.uint16) * 257
    lifted = lift_to_image(shrunk(truth, blur), image)
    wrong = np.abs(lifted - truth) > 0.1
    interpolated = np.abs(cv2.resize(shrunk(truth, blur), (320, 240)) - truth) > 0.1
    assert wrong.mean() < 0.2 * interpolated.mean()
    between = (lifted > 0.4) & (lifted < 0.85)
    assert between.mean() < 0.002


def test_slopes_are_interpolated():
    image, _ = photo_with_disc()
    y, x = np.mgrid[:240, :320].astype(np.float32)
    truth = 0.1 + 0.002 * x + 0.004 * y
    lifted = lift_to_image(shrunk(truth), image)
    assert np.abs(lifted - truth)[5:-5, 5:-5].max() < 1e-4


def test_a_real_looking_scene_gets_better_than_interpolation(two_layers):
    pair = make_pair(Card(0.02, 0.03, 8), Card(0, 0, 40, (100, 60, 221, 170)), Card(0.1, 0, 5, (20, 150, 90, 240)))
    small = shrunk(pair.disparity_px)
    error = np.abs(lift_to_image(small, pair.pair.left) - pair.disparity_px) > 1
    assert error.mean() < 0.6 * (np.abs(cv2.resize(small, (320, 240)) - pair.disparity_px) > 1).mean()


def test_unknown_stays_unknown_and_infinity_is_a_depth():
    image, inside = photo_with_disc()
    small = shrunk(np.where(inside, np.float32(1), np.float32(0)))
    small[:8] = np.nan
    lifted = lift_to_image(small, image)
    assert np.isnan(lifted[:40]).all()
    assert np.isfinite(lifted[40:]).all()
    assert (lifted[200:] == 0).all()


def test_a_map_of_the_pictures_size_is_left_alone():
    image, inside = photo_with_disc()
    assert np.array_equal(lift_to_image(inside.astype(np.float32), image), inside)


def test_edges_that_were_blurred_by_enlarging_are_sharp_again():
    image, inside = photo_with_disc()
    truth = np.where(inside, np.float32(1), np.float32(0.25))
    enlarged = np.asarray(cv2.resize(shrunk(truth), (320, 240)), np.float32)
    lifted = lift_to_image(enlarged, image, blurred=True)
    before, after = (float(((m > 0.35) & (m < 0.9)).mean()) for m in (enlarged, lifted))
    assert after < 0.2 * before
    assert np.isnan(lift_to_image(np.where(inside, np.nan, truth), image, blurred=True)[118, 163])


def test_threads_do_not_change_the_result():
    image, inside = photo_with_disc()
    small = shrunk(np.where(inside, np.float32(1), np.float32(0.25)))
    before = cv2.getNumThreads()
    results = []
    for threads in (1, 3):
        cv2.setNumThreads(threads)
        results.append(lift_to_image(small, image))
    cv2.setNumThreads(before)
    assert np.array_equal(*results)
