"""Photos of boards through lenses that are known exactly: what calibration has to find again.

`python samples/boards.py` writes samples/board, six pairs of photos of a chessboard of 9x6 corners and 30 mm.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from depthapps import Board, Camera, LensCamera, StereoRig, write_image

CHESSBOARD = Board(9, 6, 0.03)
CHARUCO = Board(8, 6, 0.035, "4X4_50", 0.026)
SIZE = 480, 360
RIG = StereoRig(
    LensCamera(Camera(*SIZE, 400.0, 402.0, 243.0, 176.0), (-0.25, 0.08, 0.001, -0.0005, 0.0)),
    LensCamera(Camera(*SIZE, 405.0, 406.0, 236.0, 183.0), (-0.22, 0.06, -0.0008, 0.0006, 0.0)),
    np.asarray(cv2.Rodrigues(np.array([0.01, -0.04, 0.02]))[0], np.float64),
    np.array([-0.08, 0.002, -0.003]),
)
_PX_PER_SQUARE = 80
_SUPERSAMPLING = 2


@lru_cache(maxsize=2)
def _texture(board: Board):
    """The board on white paper (H, W) float32, and where its first inner corner lies in it, in squares."""
    s = _PX_PER_SQUARE
    if board.dictionary:
        dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, f"DICT_{board.dictionary}"))
        drawn = cv2.aruco.CharucoBoard((board.columns, board.rows), board.square_m, board.marker_m, dictionary)
        picture = drawn.generateImage((board.columns * s, board.rows * s))
    else:
        y, x = np.mgrid[0 : (board.rows + 1) * s, 0 : (board.columns + 1) * s] // s
        picture = np.where((x + y) % 2 == 0, 0, 255).astype(np.uint8)
    return cv2.copyMakeBorder(picture, s, s, s, s, cv2.BORDER_CONSTANT, value=255).astype(np.float32), 2.0


@lru_cache(maxsize=2)
def _rays(camera: LensCamera):
    """The directions (H, W, 3) of a camera's pixels, each split into a few, undistorted to 1e-10."""
    fine = (np.arange(_SUPERSAMPLING) + 0.5) / _SUPERSAMPLING - 0.5
    x = (np.arange(camera.pinhole.width)[:, None] + fine).ravel()
    y = (np.arange(camera.pinhole.height)[:, None] + fine).ravel()
    px = np.stack(np.meshgrid(x, y), axis=-1)
    flat = cv2.undistortPoints(px.reshape(-1, 1, 2), camera.matrix, camera.coefficients, criteria=(3, 20, 1e-10))
    return np.concatenate([flat.reshape(px.shape), np.ones((*px.shape[:2], 1))], axis=2)


def render(board: Board, camera: LensCamera, rotation, translation):
    """The board (paper axes as Board.points_m) seen by a camera that stands at X = rotation X_board + translation."""
    texture, origin = _texture(board)
    rays = _rays(camera)
    # the ray s · ray meets the board's plane, Z_board = 0
    normal = rotation[:, 2]
    points = rays * ((normal @ translation) / (rays @ normal))[..., None]
    on_board = (points - translation) @ rotation / board.square_m
    at = [((on_board[..., k] + origin) * _PX_PER_SQUARE - 0.5).astype(np.float32) for k in (0, 1)]
    sampled = cv2.remap(texture, at[0], at[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=110)
    return cv2.resize(sampled, (camera.pinhole.width, camera.pinhole.height), interpolation=cv2.INTER_AREA)


def poses(board: Board, count: int, seed: int = 0):
    """Random poses of a board before the left camera: tilted, and anywhere in the picture."""
    random = np.random.default_rng(seed)
    points = board.points_m()
    for _ in range(count):
        rotation = cv2.Rodrigues(random.uniform(-0.5, 0.5, 3) * (1, 1, 0.5))[0]
        distance = random.uniform(0.42, 0.55)
        aside = random.uniform(-1, 1, 2) * (0.07, 0.05) + (0.04, 0)
        yield rotation, np.array([*aside, distance]) - rotation @ points.mean(axis=0)


def photograph(folder: Path, board: Board, count: int = 10, seed: int = 0, suffix: str = "png") -> None:
    """Write left00.png right00.png and so on, with the noise and the 8 bits of a camera."""
    random = np.random.default_rng(seed)
    for k, (rotation, translation) in enumerate(poses(board, count, seed)):
        placed = (
            ("left", RIG.left, rotation, translation),
            ("right", RIG.right, RIG.rotation @ rotation, RIG.rotation @ translation + RIG.translation_m),
        )
        for side, camera, turn, shift in placed:
            picture = render(board, camera, turn, shift) * 0.8 + 20 + random.normal(0, 2, SIZE[::-1])
            write_image(folder / f"{side}{k:02d}.{suffix}", np.clip(np.rint(picture), 0, 255).astype(np.uint8))


if __name__ == "__main__":
    photograph(Path(__file__).parent / "board", CHESSBOARD, count=6, seed=3, suffix="jpg")
