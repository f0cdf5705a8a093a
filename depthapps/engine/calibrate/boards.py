"""Chessboards and ChArUco boards: where their corners are on paper, and in a photo."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import InputError, param

_LONGEST_PX = 1600  # a board is looked for in a copy of at most this size; its corners are refined in the photo itself
_LEAST_CORNERS = 6  # of a ChArUco board that is partly seen: a homography has 8 unknowns, which 4 corners just fix
_STOP = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 50, 1e-4)


@dataclass(frozen=True)
class Board:
    """A flat board: a chessboard of columns x rows inner corners, or a ChArUco board of columns x rows squares.

    square_m: the side of a square. dictionary: of the ChArUco board's markers, "4X4_50" or the like; None for a
    chessboard. marker_m: the side of a marker.
    """

    columns: int
    rows: int
    square_m: float
    dictionary: str | None = None
    marker_m: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no board."""
        least = 3 if self.dictionary is None else 4
        if min(self.columns, self.rows) < least:
            raise InputError(
                f"a board of {self.columns}x{self.rows} was given, it needs at least {least}x{least}",
                hint="inner corners of a chessboard (9x6), or squares of a ChArUco board (charuco:11x8)",
            )
        if not 0 < self.square_m < np.inf:
            raise InputError(
                f"squares of {self.square_m:g} m were given", hint=f"{param('square_m', 0.025)} means 25 mm"
            )
        if self.dictionary is not None:
            if not hasattr(cv2.aruco, f"DICT_{self.dictionary}"):
                raise InputError(
                    f"there is no dictionary {self.dictionary!r} of markers",
                    hint="4X4_50 to 7X7_1000, ARUCO_ORIGINAL, APRILTAG_36H11 and the like: it stands on most boards",
                )
            if not 0 < self.marker_m < self.square_m:
                raise InputError(
                    f"markers of {self.marker_m:g} m do not fit into squares of {self.square_m:g} m",
                    hint=f"{param('marker_m')} is the side of a marker's black frame, in metres",
                )

    @classmethod
    def parse(cls, text: str, square_m: float, marker_m: float | None = None, dictionary: str | None = None) -> Board:
        """Make a board of a short description.

        Parameters
        ----------
        text : str
            "9x6" for a chessboard of 9x6 inner corners, "charuco:11x8" for a ChArUco board of 11x8 squares.
        square_m : float
            The side of a square in metres, measured on the print.
        marker_m : float, optional
            The side of a ChArUco marker in metres; None is three quarters of a square, as most boards have it.
        dictionary : str, optional
            The ChArUco board's markers; None is "4X4_50".

        Returns
        -------
        Board

        Raises
        ------
        InputError
            The description is none, or there is no such board.
        """
        found = re.fullmatch(r"(charuco:)?(\d+)x(\d+)", text.lower())
        if found is None:
            raise InputError(f"{text!r} is no board", hint="9x6 (inner corners) or charuco:11x8 (squares)")
        columns, rows = int(found[2]), int(found[3])
        if not found[1]:
            return cls(columns, rows, square_m)
        marker_m = 0.75 * square_m if marker_m is None else marker_m
        return cls(columns, rows, square_m, (dictionary or "4X4_50").upper().removeprefix("DICT_"), marker_m)

    def points_m(self) -> NDArray[np.float32]:
        """Its corners (N, 3) on paper, row by row: metres, Z = 0."""
        columns, rows = (self.columns, self.rows) if self.dictionary is None else (self.columns - 1, self.rows - 1)
        y, x = np.mgrid[0:rows, 0:columns]
        flat = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
        return (flat * self.square_m).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Corners:
    """Corners of a board in a photo: ids (N,), the rows of Board.points_m, and px (N, 2) float32."""

    ids: NDArray[np.int64]
    px: NDArray[np.float32]

    def of(self, ids: NDArray[np.int64]) -> Corners:
        """Those of the corners whose ids are given, in that order."""
        order = np.argsort(self.ids)
        return Corners(ids, self.px[order[np.searchsorted(self.ids, ids, sorter=order)]])


def find_corners(grey: NDArray[np.uint8], board: Board) -> Corners | None:
    """Find a board's corners in a photo (H, W) to a fraction of a pixel; None where it is not seen.

    A chessboard has to be seen whole, of a ChArUco board six corners that are not in one line.
    """
    return _find_charuco(grey, board) if board.dictionary else _find_chessboard(grey, board)


def _find_chessboard(grey: NDArray[np.uint8], board: Board) -> Corners | None:
    """Duda and Frese 2018, the older search through quads where that fails, then Förstner's refinement."""
    shape = (board.columns, board.rows)
    scale = min(1.0, _LONGEST_PX / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    found, corners = cv2.findChessboardCornersSB(small, shape, flags=cv2.CALIB_CB_NORMALIZE_IMAGE)
    if not found:
        flags = cv2.CALIB_CB_NORMALIZE_IMAGE | cv2.CALIB_CB_EXHAUSTIVE | cv2.CALIB_CB_ACCURACY
        found, corners = cv2.findChessboardCornersSB(small, shape, flags=flags)
    if not found:
        found, corners = cv2.findChessboardCorners(small, shape)
    if not found or corners is None:
        return None
    px = np.asarray((corners.reshape(-1, 2) + 0.5) / scale - 0.5, np.float32)
    grid = px.reshape(board.rows, board.columns, 2)
    spacing = min(np.linalg.norm(np.diff(grid, axis=a), axis=-1).min() for a in (0, 1))
    # a window that reaches no other corner: on small boards, 11x11 px gives twice the residual of a quarter square
    reach = int(np.clip(spacing / 4, 2, 15))
    refined = cv2.cornerSubPix(grey, px[:, None].copy(), (reach, reach), (-1, -1), _STOP)
    return Corners(np.arange(len(px)), np.asarray(refined, np.float32).reshape(-1, 2))


@lru_cache(maxsize=4)
def _charuco_detectors(board: Board) -> list[cv2.aruco.CharucoDetector]:
    """Of the board as OpenCV prints it today, and as it did before 4.6 (other colours where rows are even)."""
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, f"DICT_{board.dictionary}"))
    detectors = []
    for legacy in (False, True) if board.rows % 2 == 0 else (False,):
        drawn = cv2.aruco.CharucoBoard((board.columns, board.rows), board.square_m, board.marker_m, dictionary)
        drawn.setLegacyPattern(legacy)
        detectors.append(cv2.aruco.CharucoDetector(drawn))
    return detectors


def _find_charuco(grey: NDArray[np.uint8], board: Board) -> Corners | None:
    for detector in _charuco_detectors(board):
        px, ids, *_ = detector.detectBoard(grey)
        if ids is None or len(ids) < _LEAST_CORNERS:
            continue
        corners = Corners(ids.ravel().astype(np.int64), np.asarray(px, np.float32).reshape(-1, 2))
        if in_a_plane(board, corners.ids):
            return corners
    return None


def in_a_plane(board: Board, ids: NDArray[np.int64]) -> bool:
    """Whether corners are enough and spread in two directions, so that they show how the board stands."""
    points = board.points_m()[ids, :2]
    spread = (
        np.linalg.svd(points - points.mean(axis=0), compute_uv=False) if len(ids) >= _LEAST_CORNERS else np.zeros(2)
    )
    return bool(spread[1] > board.square_m)


def align_order(board: Board, left: Corners, right: Corners) -> Corners:
    """The right view's corners counted from the same corner of the board as the left view's.

    A chessboard looks the same after half a turn, a square one after a quarter: of the ways to count, the one that
    turns the board least between the two views is taken.
    """
    if board.dictionary:
        return right
    grid = right.px.reshape(board.rows, board.columns, 2)
    turns = range(4) if board.rows == board.columns else (0, 2)
    ways = [np.rot90(grid, k).reshape(-1, 2) for k in turns]
    centred = left.px - left.px.mean(axis=0)
    return Corners(right.ids, min(ways, key=lambda px: float(np.abs(px - px.mean(axis=0) - centred).sum())).copy())
