"""Normals of noisy depth are smoothed where the picture is smooth, and keep what it shows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps import Camera, Scene
from depthapps.shadow.solid import build_lit_solid
from depthapps.surface.guided_normals import guided_normals


def unit(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def dented(normals: np.ndarray) -> np.ndarray:
    """Normals with dents as wide as a matcher's windows."""
    noise = np.random.default_rng(2).normal(size=normals.shape).astype(np.float32)
    return unit(normals + 2.5 * cv2.GaussianBlur(noise, (0, 0), 3))


def photo(normals: np.ndarray) -> np.ndarray:
    """Linear light on a grey surface from the upper left."""
    light = np.clip(normals @ unit(np.array([-0.4, -0.5, -1.0])), 0.05, 1)
    return (0.6 * light[..., None] * np.ones(3)).astype(np.float32)


def angle(one: np.ndarray, other: np.ndarray) -> float:
    """The mean angle between normals, degrees."""
    return float(np.degrees(np.arccos(np.clip((one * other).sum(axis=2), -1, 1))).mean())


@pytest.fixture
def column() -> np.ndarray:
    """Normals of a round column that fills the picture."""
    across = np.tile(np.linspace(-0.8, 0.8, 900), (200, 1))
    return np.stack([across, 0 * across, -np.sqrt(1 - across**2)], axis=2).astype(np.float32)


def test_dents_that_the_picture_does_not_show_go(column):
    noisy, flat = dented(column), np.ones(column.shape[:2], np.float32)
    found = guided_normals(noisy, photo(column), flat, 0.01, flat)
    assert angle(noisy, column) > 10
    assert angle(found, column) < 0.35 * angle(noisy, column)
    np.testing.assert_allclose(np.linalg.norm(found, axis=2), 1, atol=1e-4)


def test_folds_that_the_picture_shows_stay():
    x = np.tile(np.arange(900), (200, 1))
    tilt = 0.5 * np.sign(np.sin(x / 8))
    folds = unit(np.stack([tilt, 0 * tilt, -np.ones(x.shape)], axis=2)).astype(np.float32)
    flat = np.ones(x.shape, np.float32)
    assert angle(guided_normals(folds, photo(folds), flat, 0.01, None), folds) < 4
    assert angle(guided_normals(folds, np.full_like(folds, 0.5), flat, 0.01, None), folds) > 20  # no picture shows them


def test_near_things_do_not_tilt_what_is_behind_them():
    inverse = np.where(np.arange(300) < 150, 1.0, 0.5).astype(np.float32) * np.ones((200, 1), np.float32)
    normals = np.where(inverse[..., None] > 0.7, unit(np.array([0.6, 0, -1])), unit(np.array([-0.6, 0, -1])))
    found = guided_normals(normals.astype(np.float32), np.full((200, 300, 3), 0.5, np.float32), inverse, 0.01, None)
    assert angle(found, normals) < 0.5


def test_what_is_unknown_stays_so_and_what_is_unsure_counts_less(column):
    normals, sure = column.copy(), np.ones(column.shape[:2], np.float32)
    normals[60:72, 100:112], sure[60:72, 100:112] = (0.9, 0, -0.436), 0.01
    normals[0, 0] = np.nan
    flat = np.ones(column.shape[:2], np.float32)
    found = guided_normals(normals, np.full_like(column, 0.5), flat, 0.01, sure)
    assert np.isnan(found[0, 0]).all()
    assert np.isfinite(found).all(axis=2).sum() == flat.size - 1
    assert angle(found[60:72, 100:112], column[60:72, 100:112]) < 5


def test_fine_texture_is_not_printed_into_the_normals(column):
    flat = np.zeros_like(column)
    flat[..., 2] = -1
    paint = np.where(np.random.default_rng(0).random((*flat.shape[:2], 1)) < 0.5, 0.02, 0.9) * np.ones(3)
    near = np.ones(flat.shape[:2], np.float32)
    found = guided_normals(dented(flat), paint.astype(np.float32), near, 0.01, None)
    plain = guided_normals(dented(flat), np.full_like(flat, 0.5), near, 0.01, None)
    assert angle(found, flat) < 1.2 * angle(plain, flat)


def test_normals_have_length_one_whatever_the_picture_and_the_confidence_are(column):
    picture, flat = photo(column), np.ones(column.shape[:2], np.float32)
    picture[50, 50] = np.nan
    for sure in (0 * flat, np.where(np.arange(900) < 300, np.float32(0), flat)):
        found = guided_normals(column, picture, flat, 0.01, sure)
        np.testing.assert_allclose(np.linalg.norm(found, axis=2), 1, atol=1e-4)
        assert angle(found, column) < 2


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_noisy_depth_is_lit_by_guided_normals_and_exact_depth_by_its_own(monkeypatch, noise):
    monkeypatch.setattr("depthapps.shadow.solid.guided_normals", lambda normals, *_: np.full_like(normals, 3**-0.5))
    wall = np.full((48, 64), 2, np.float32)
    scene = Scene(np.zeros((48, 64, 3), np.uint8), wall, Camera.from_fov(64, 48, 60), inverse_depth_sigma=noise)
    assert np.allclose(build_lit_solid(scene).normals, 3**-0.5) == bool(noise)


def test_a_crease_that_the_picture_does_not_show_stays():
    camera, x = Camera.centred(640, 480, 600.0), np.arange(640)
    inverse = ((0.5 - 2.5e-4 * np.abs(x - 320.0)) * np.ones((480, 1))).astype(np.float32)  # points at the camera
    noise = cv2.GaussianBlur(np.random.default_rng(4).normal(size=inverse.shape), (0, 0), 1.5)
    image = np.full((480, 640, 3), 128, np.uint8)
    exact = build_lit_solid(Scene(image, 1 / inverse, camera)).normals
    noisy = (1 / (inverse + 5e-4 * noise / noise.std())).astype(np.float32)
    found = build_lit_solid(Scene(image, noisy, camera, inverse_depth_sigma=5e-4)).normals
    beside = np.abs(x - 320) < 12
    assert angle(exact[:, 309:310], exact[:, 331:332]) > 20
    assert angle(found[:, beside], exact[:, beside]) < 3
