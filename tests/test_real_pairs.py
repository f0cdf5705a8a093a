"""The engine on real pairs with measured disparity, where they are."""

from __future__ import annotations

import numpy as np
import pytest

from depthapps import (
    Calibration,
    Camera,
    StereoPair,
    depth_from_disparity,
    match_pair,
    read_calibration,
    read_disparity,
    read_image,
)


def load(folder) -> tuple[StereoPair, np.ndarray]:
    left, right = read_image(folder / "im0.png"), read_image(folder / "im1.png")
    height, width = left.shape[:2]
    calibration = Calibration(Camera.from_fov(width, height, 60), 0.1)
    if (folder / "calib.txt").exists():
        file = read_calibration(folder / "calib.txt")
        assert file.baseline_m is not None
        calibration = Calibration(file.camera(width, height), file.baseline_m, file.doffs_px or 0)
    pfm = folder / "disp0.pfm"
    return StereoPair(left, right, calibration), read_disparity(pfm if pfm.exists() else folder / "disp0.png")


def test_the_depth_of_the_motorcycle_is_right_to_two_percent(real_pairs):
    pair, truth = load(real_pairs / "middlebury2014_q-motorcycle")
    depth = depth_from_disparity(match_pair(pair).disparity_px, pair.calibration)
    error = np.abs(depth / depth_from_disparity(truth, pair.calibration) - 1)
    assert np.nanmedian(error) < 0.01


@pytest.mark.parametrize(
    ("name", "bad2"),
    [
        ("middlebury2014_q-motorcycle", 8),
        ("middlebury2014_q-motorcyclee", 8),  # the right view at another exposure
        ("middlebury2005-art", 15),
        ("kitti2015-000001", 8),
        ("middlebury2021-artroom1", 10),
        ("eth3d-terrace", 2),
    ],
)
def test_real_pairs_are_matched(real_pairs, name, bad2):
    pair, truth = load(real_pairs / name)
    error = np.abs(match_pair(pair).disparity_px - truth)[np.isfinite(truth) & (truth > 0)]
    assert np.isfinite(error).all()
    assert 100 * (error > 2).mean() < bad2
