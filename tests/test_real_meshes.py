"""Sizes in meshes of real pairs beside those of the measured disparity, where the pairs are."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import cv2
import numpy as np
import trimesh
from test_real_pairs import load
from typer.testing import CliRunner

from depthapps.cli.app import app
from depthapps.geometry import depth_from_disparity, project, unproject

APART_M = 0.3  # shorter lengths are a matter of single pixels
LARGE_M = 1.0  # half the motorcycle
ACROSS = 0.25  # lengths of which less than this share goes into depth


def marked_points(image: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Pixels (N, 2) of corners in the picture that lie on a surface of known depth, 5 px from its edges."""
    filled = np.nan_to_num(depth, nan=0.0)
    low, high = cv2.erode(filled, np.ones((11, 11))), cv2.dilate(filled, np.ones((11, 11)))
    inside = np.asarray((low > 0) & (high < 1.05 * low), np.uint8)
    corners = cv2.goodFeaturesToTrack(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), 60, 0.05, 25, mask=inside)
    assert corners is not None
    return np.rint(corners.reshape(-1, 2)).astype(int)


def test_sizes_on_the_motorcycle_are_right_to_two_percent(real_pairs, tmp_path):
    folder, out = real_pairs / "middlebury2014_q-motorcycle", tmp_path / "motorcycle.ply"
    pair, truth_px = load(folder)
    photos = [str(folder / name) for name in ("im0.png", "im1.png")]
    result = CliRunner().invoke(app, ["mesh", *photos, "-c", str(folder / "calib.txt"), "-o", str(out)])
    assert result.exit_code == 0, result.stderr
    mesh: Any = trimesh.load(out, process=False)
    camera = pair.calibration.camera
    x, y, _ = project(np.asarray(mesh.vertices), camera)
    vertex = np.full(truth_px.shape, -1)
    vertex[np.rint(y).astype(int), np.rint(x).astype(int)] = np.arange(len(x))

    truth = depth_from_disparity(truth_px, pair.calibration)
    column, row = marked_points(pair.left, truth).T
    on_mesh = vertex[row, column] >= 0
    column, row = column[on_mesh], row[on_mesh]
    assert len(row) >= 40
    true_points = unproject(truth, camera)[row, column]
    points = np.asarray(mesh.vertices)[vertex[row, column]]
    pairs = np.array(list(combinations(range(len(row)), 2)))
    true_m, found_m = (np.linalg.norm(p[pairs[:, 0]] - p[pairs[:, 1]], axis=1) for p in (true_points, points))
    error = np.abs(found_m / true_m - 1)
    long = true_m > APART_M
    assert np.median(error[long]) < 0.01
    # what one holds a ruler to: lengths across the view. Those along it have the errors of two depths in their own
    across = np.abs(np.subtract(*true_points[pairs.T, 2])) < ACROSS * true_m
    sizes = error[long & across]
    assert len(sizes) > 200
    assert np.median(sizes) < 0.005
    assert np.quantile(sizes, 0.9) < 0.02
    assert error[across & (true_m > LARGE_M)].max() < 0.02
