"""Corners, their order and their numbers, and how many coefficients a lens gets."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from boards import CHARUCO, CHESSBOARD, RIG, SIZE, poses, render

from depthapps import Board, CalibrationError, Camera, InputError, LensCamera
from depthapps.engine.calibrate.boards import Corners, align_order, chessboard_in, find_corners
from depthapps.engine.calibrate.checks import coverage
from depthapps.engine.calibrate.shots import Shot
from depthapps.engine.calibrate.solve import Solution, solve


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


def solve_tilted(
    degrees: float, seed: int, cameras: int = 1, square_m: float = 0.03, wrong: int | None = None
) -> Solution:
    """Calibrate from eight shots of a board that is tilted by so much at most, with corners accurate to 0.07 px.

    wrong: the number of a shot whose corners are off by 5 px.
    """
    random = np.random.default_rng(seed)
    board = Board(9, 6, square_m)
    views = ((RIG.left, np.eye(3), np.zeros(3)), (RIG.right, RIG.rotation, RIG.translation_m))[:cameras]
    shots = []
    for k in range(8):
        turn = cv2.Rodrigues(random.uniform(-1, 1, 3) * np.radians(degrees))[0]
        place = np.array([*random.uniform(-0.06, 0.06, 2), random.uniform(0.42, 0.55)])
        place -= turn @ CHESSBOARD.points_m().mean(axis=0)
        noise = random.normal(0, 5 if k == wrong else 0.07, (cameras, 54, 2))
        px = [project(CHESSBOARD, lens, r @ turn, r @ place + t) for lens, r, t in views]
        shots.append(
            Shot(
                str(k),
                tuple(Corners(np.arange(54), (p + n).astype(np.float32)) for p, n in zip(px, noise, strict=True)),
            )
        )
    return solve(shots, board, SIZE)


@pytest.mark.parametrize("cameras", [1, 2])
@pytest.mark.parametrize("degrees", [0.0, 0.5, 1.0])
def test_boards_parallel_to_the_picture_tell_no_focal_length(degrees, cameras):
    for seed in range(6):
        with pytest.raises(CalibrationError, match="do not tell the camera's focal length"):
            solve_tilted(degrees, seed, cameras)


def test_tilted_boards_tell_the_focal_length_as_sure_as_is_told():
    for degrees, most in ((6, 20), (12, 4), (25, 2)):
        found = [solve_tilted(degrees, seed) for seed in range(6)]
        errors = [s.cameras[0].pinhole.fx - RIG.left.pinhole.fx for s in found]
        sigmas = [s.focal_sigma_px[0] for s in found]
        assert max(sigmas) < most
        assert 0.3 < np.sqrt(np.mean(np.square(np.divide(errors, sigmas)))) < 2


def test_a_wrong_shot_is_left_out_before_the_tilt_is_judged():
    for seed in range(6):
        assert [shot.name for shot in solve_tilted(8, seed, wrong=2).rejected] == ["2"]


def test_the_size_of_a_square_only_scales_the_baseline():
    usual, *others = (solve_tilted(20, 0, 2, square_m) for square_m in (0.03, 1e-4, 100.0))
    assert usual.rig is not None
    assert usual.rig.baseline_m == pytest.approx(RIG.baseline_m, rel=0.01)
    for other, square_m in zip(others, (1e-4, 100.0), strict=True):
        assert other.rig is not None
        assert other.rig.baseline_m == pytest.approx(usual.rig.baseline_m * square_m / 0.03, rel=1e-4)
        assert other.cameras[0].pinhole.fx == pytest.approx(usual.cameras[0].pinhole.fx, rel=1e-5)
        assert other.focal_sigma_px == pytest.approx(usual.focal_sigma_px, rel=1e-3)
