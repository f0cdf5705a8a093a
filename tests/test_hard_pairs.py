"""Pairs as people bring them: cropped, tiny, on white, one above the other, of other exposure and colour."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from depthapps import (
    Calibration,
    Camera,
    OpenedScene,
    PhotoPair,
    Quality,
    Rectify,
    SceneParams,
    match_photos,
    open_scene,
)
from depthapps.core.scene import Image
from depthapps.engine.rectify.estimate import with_assumed_focal
from depthapps.engine.rectify.fit import fit_pose
from depthapps.engine.rectify.pose import Known


def opened(left: Image, right: Image) -> OpenedScene:
    """The scene of two views of which nothing is known."""
    return open_scene(left, right, SceneParams(quality=Quality.FAST))


def off_px(found: np.ndarray, true: np.ndarray) -> float:
    """Median error in px, away from the borders."""
    return float(np.nanmedian(np.abs(found - true)[30:-30, 60:-40]))


@pytest.mark.parametrize("ratio", [(1, 1, 1), (0.5, 0.5, 0.5), (0.6, 1, 1.4)], ids=["same", "darker", "bluer"])
def test_views_of_other_exposure_and_white_balance(two_layers, ratio):
    pair = two_layers.pair
    right = np.clip(pair.right * np.array(ratio) + 0.5, 0, 255).astype(np.uint8)
    assert off_px(opened(pair.left, right).disparity_px, two_layers.disparity_px) < 0.2


def test_views_that_were_cropped_differently(two_layers):
    pair = two_layers.pair
    found = opened(pair.left, pair.right[7:-2, 3:-12])
    assert any("cut or padded" in str(note) for note in found.notes)
    relative = found.disparity_px - np.nanmedian((found.disparity_px - two_layers.disparity_px)[30:-30, 60:-40])
    assert off_px(relative, two_layers.disparity_px) < 1


@pytest.mark.parametrize("size", [(96, 72), (64, 48)], ids=str)
def test_tiny_pairs_are_matched_as_they_are(two_layers, size):
    pair = two_layers.pair
    left, right, true = (
        cv2.resize(v, size, interpolation=cv2.INTER_AREA) for v in (pair.left, pair.right, two_layers.disparity_px)
    )
    found = opened(left, right)
    error = np.abs(found.disparity_px - true * size[0] / 320)[4:-4, 12:-4]
    assert np.nanmedian(error) < 0.3
    assert (error < 1).mean() > 0.85


@pytest.mark.parametrize(
    ("turn", "where"), [(cv2.ROTATE_90_CLOCKWISE, "below"), (cv2.ROTATE_90_COUNTERCLOCKWISE, "above")]
)
def test_cameras_one_above_the_other(two_layers, turn, where):
    pair = two_layers.pair
    left, right, true = (cv2.rotate(v, turn) for v in (pair.left, pair.right, two_layers.disparity_px))
    found = opened(left, right)
    assert any(f"taken from {where}" in str(note) for note in found.notes)
    error = found.disparity_px - true
    error = (error - np.nanmedian(error))[60:-40, 30:-30]
    assert (np.abs(error) < 2).mean() > 0.9


def ball_on_white() -> tuple[Image, Image, np.ndarray]:
    """Two views of a textured ball on pure white, and its disparity; NaN elsewhere."""
    height, width, radius = 200, 280, 70
    rng = np.random.default_rng(0)
    texture = cv2.GaussianBlur(rng.uniform(0, 255, (height, width, 3)).astype(np.float32), (0, 0), 1.2)
    texture = np.clip(120 + 3 * (texture - 127), 10, 230).astype(np.uint8)
    y, x = np.mgrid[:height, :width]
    square = ((x - width / 2) ** 2 + (y - height / 2) ** 2) / radius**2
    disparity = np.where(square < 1, 14 + 6 * np.sqrt(np.maximum(1 - square, 0)), np.nan).astype(np.float32)
    left = np.where(square[..., None] < 1, texture, np.uint8(255))
    right = np.full_like(left, 255)
    for row in range(height):
        inside = np.flatnonzero(square[row] < 1)
        if len(inside) < 4:
            continue
        there = inside - disparity[row, inside]
        columns = np.arange(int(np.ceil(there.min())), int(there.max()) + 1)
        at = np.interp(columns, there, inside).astype(np.float32)[None]
        right[row, columns] = cv2.remap(texture[row : row + 1], at, np.zeros_like(at), cv2.INTER_LINEAR)[0]
    return left, right, disparity


def test_a_thing_on_pure_white():
    left, right, true = ball_on_white()
    found = opened(left, right)
    assert found.scene.confidence is not None
    seen = np.isfinite(true)
    assert np.median(np.abs(found.disparity_px - true)[seen]) < 0.3
    inside = cv2.erode(seen.astype(np.uint8), np.ones((9, 9))) > 0
    outside = cv2.dilate(seen.astype(np.uint8), np.ones((9, 9))) == 0
    assert found.scene.confidence[outside].max() < 0.5 < np.median(found.scene.confidence[inside])


def test_black_and_white_pictures_and_overexposed_areas_are_not_trusted(two_layers):
    pair = two_layers.pair
    plain = opened(pair.left, pair.right).scene.confidence
    assert plain is not None
    left, right = (np.where(v.mean(axis=2, keepdims=True) > 128, 255, 0).repeat(3, 2) for v in (pair.left, pair.right))
    two = opened(left.astype(np.uint8), right.astype(np.uint8)).scene.confidence
    assert two is not None
    assert two.max() <= 0.4 < plain.mean()
    left, right = pair.left.copy(), pair.right.copy()
    left[80:160, 130:210], right[80:160, 100:180] = 255, 255
    clipped = opened(left, right).scene.confidence
    assert clipped is not None
    assert clipped[85:155, 135:205].max() <= 0.4


def test_an_assumed_focal_length_stays_if_nothing_speaks_against_it(two_layers):
    camera = Camera.centred(320, 240, 400.0)  # in truth 300
    guessed = Calibration(camera, 0.1, assumed=("focal length",))
    pair = two_layers.pair
    photos = PhotoPair(pair.left, pair.right, guessed)
    found = match_photos(photos, Quality.FAST, rectify=Rectify.ALWAYS, confidence=False)
    assert found.report is not None
    assert found.report.focal == "assumed"
    assert found.report.focal_px[0] == pytest.approx(400, rel=0.01)
    low, high = found.report.focal_range_px
    assert low < 300 < high
    assert found.report.infinity_px[0] < 0 < found.report.infinity_px[1]


@pytest.mark.parametrize(("degrees", "kept"), [(9.0, False), (0.0, True)])
def test_only_strong_evidence_moves_an_assumed_focal_length(degrees, kept):
    """Cameras that are much turned tell their focal length, parallel ones do not."""
    rng = np.random.default_rng(0)
    rotation = np.asarray(cv2.Rodrigues(np.radians([degrees, -degrees, 2]))[0], np.float64)
    points = np.column_stack([rng.uniform(-1, 1, 2000), rng.uniform(-1, 1, 2000), np.ones(2000)])
    points = points * rng.uniform(1, 4, 2000)[:, None]
    moved = (points - (0.1, 0, 0)) @ rotation.T
    size, focal = (640, 480), 560.0
    pixels = [focal * p[:, :2] / p[:, 2:] + (319.5, 239.5) for p in (points, moved)]
    within = np.all([(p > 0).all(axis=1) & (p < size).all(axis=1) for p in pixels], axis=0)
    a, b = (p[within] + rng.normal(0, 0.1, (within.sum(), 2)) for p in pixels)
    known = Known(size, (800.0, 800.0), 0.35)
    start, to = np.radians([degrees, -degrees, 2]), np.asarray(-rotation @ np.array([1.0, 0, 0]), np.float64)
    pose = fit_pose(a, b, known, start, to, 0.4)
    held = with_assumed_focal(pose, known, a, b, 0.4)
    if kept:
        assert held is not None
        assert held.focal_px[0] == pytest.approx(800, rel=0.01)
    else:
        assert held is None
        assert pose.focal_px[0] == pytest.approx(focal, rel=0.08)
    sharper = fit_pose(a, b, replace(known, focal_sigma=0.01), start, to, 0.4)
    assert sharper.disparity_sigma_px > 0
