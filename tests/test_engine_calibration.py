"""Corners, their order and their numbers, and how many coefficients a lens gets."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from boards import CHARUCO, CHESSBOARD, RIG, SIZE, poses, render

from depthapps import Board, Camera, InputError, LensCamera
from depthapps.engine.calibrate.boards import Corners, align_order, chessboard_in, find_corners
from depthapps.engine.calibrate.checks import coverage
from depthapps.engine.calibrate.shots import Shot
from depthapps.engine.calibrate.solve import solve


def project(board, camera, rotation, translation):
    """Where a board's corners truly are, (N, 2) px."""
    turn = cv2.Rodrigues(rotation)[0]
    return cv2.projectPoints(board.points_m(), turn, translation, camera.matrix, camera.coefficients)[0][:, 0]


@pytest.mark.parametrize("board", [CHESSBOARD, CHARUCO], ids=["chessboard", "charuco"])
def test_corners_are_found_to_a_tenth_of_a_pixel(board):
    for rotation, translation in poses(board, 2, seed=5):
        picture = np.clip(render(board, RIG.left, rotation, translation), 0, 255).astype(np.uint8)
        found = find_corners(picture, board)
        assert found is not None
        true = project(board, RIG.left, rotation, translation)
        errors = [np.linalg.norm(found.px - ways[found.ids], axis=1) for ways in (true, true[::-1])]
        assert min(e.mean() for e in errors) < 0.1
        assert min(e.max() for e in errors) < 0.4


def test_an_empty_picture_has_no_board():
    assert find_corners(np.full((120, 160), 128, np.uint8), CHESSBOARD) is None
    assert find_corners(np.full((120, 160), 128, np.uint8), CHARUCO) is None


@pytest.mark.parametrize("shape", [(1, 1), (2, 3000), (14, 14), (25, 3000), (30, 20)])
def test_a_picture_too_small_for_a_board_has_none(shape):
    for picture in (np.zeros(shape, np.uint8), np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)):
        for grey in (picture, picture.T.copy()):
            assert find_corners(grey, Board(3, 3, 0.01)) is None
            assert chessboard_in(grey) is None


@pytest.mark.parametrize(
    ("columns", "rows", "square_m", "markers"),
    [(9, 6, 1e-5, None), (9, 6, 101, None), (9, 6, np.nan, None), (101, 6, 0.03, None), (11, 10, 0.03, "4X4_50")],
)
def test_a_board_that_nobody_has_is_refused(columns, rows, square_m, markers):
    with pytest.raises(InputError):
        Board(columns, rows, square_m, markers, 0.75 * square_m)
    assert Board(11, 9, 1e-4, "4X4_50", 0.7e-4).rows == Board(100, 9, 100).rows


@pytest.mark.parametrize("board", [Board(4, 3, 1.0), Board(4, 4, 1.0)], ids=["oblong", "square"])
def test_both_views_count_from_the_same_corner(board):
    left = Corners(np.arange(board.columns * board.rows), board.points_m()[:, :2] * 10)
    right = left.px + np.array((-30, 2), np.float32)
    grid = right.reshape(board.rows, board.columns, 2)
    for quarters in (0, 2) if board.columns != board.rows else range(4):
        counted = Corners(left.ids, np.rot90(grid, quarters).reshape(-1, 2))
        assert np.array_equal(align_order(board, left, counted).px, right)


def test_a_partly_seen_board_keeps_its_numbers():
    seen = Corners(np.array([5, 2, 9]), np.array([[5, 5], [2, 2], [9, 9]], np.float32))
    assert seen.of(np.array([2, 9])).px.tolist() == [[2, 2], [9, 9]]
    shot = Shot("", (seen, Corners(np.array([9, 5]), np.zeros((2, 2), np.float32))))
    assert shot.shared_ids().tolist() == [5, 9]


@pytest.mark.parametrize(
    ("lens", "coefficients"),
    [((-0.2, 0.05, 0.0, 0.0), (5, False)), ((-0.35, 0.2, 0.001, 0.0, -0.25), (5, True))],
    ids=["ordinary", "k3"],
)
def test_a_lens_gets_the_coefficients_it_needs(lens, coefficients):
    random = np.random.default_rng(2)
    camera = LensCamera(Camera(*SIZE, 260.0, 260.0, 240.0, 180.0), lens)
    shots = []
    for k, (rotation, translation) in enumerate(poses(CHESSBOARD, 14, seed=1)):
        nearer = translation * (1, 1, 0.62)
        px = project(CHESSBOARD, camera, rotation, nearer) + random.normal(0, 0.05, (54, 2))
        shots.append(Shot(str(k), (Corners(np.arange(54), px.astype(np.float32)),)))
    solution = solve(shots, CHESSBOARD, SIZE)
    (found,) = solution.cameras
    assert (len(found.distortion), found.distortion[4] != 0) == coefficients
    assert found.pinhole.fx == pytest.approx(260, rel=0.005)
    assert solution.rms_px < 0.09
    assert not solution.rejected
    assert 0.3 < coverage(shots, SIZE)[0] <= 1
