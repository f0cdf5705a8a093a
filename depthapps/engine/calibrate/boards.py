"""Describe chessboards and ChArUco boards, and find their corners in a photo."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import InputError, brief, param

_LONGEST_PX = 1600  # longer side of the copy in which a board is searched; corners are refined at full size
# OpenCV's search fails on pictures of less than 15 px a side; a board of 3x3 corners is found from 30 px on.
_SMALLEST_PX = 20
# Metres of a square, ten times beyond what is made: boards etched for microscopes, and those laid out for satellites.
# What lies beyond was given in another unit.
_LEAST_SQUARE_M, _MOST_SQUARE_M = 1e-4, 100.0
# Along a side. In the copy of 1600 px a square is 16 px then. Boards that are sold have up to 30, and OpenCV takes
# memory and time without end for thousands.
_MOST_ALONG = 100
_LEAST_CORNERS = 6  # for a partly visible ChArUco board; 4 corners just determine the 8 unknowns of a homography
_STOP = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 50, 1e-4)


@dataclass(frozen=True)
class Board:
    """A flat calibration board: a chessboard or a ChArUco board.

    columns, rows: inner corners of a chessboard, squares of a ChArUco board.
    square_m: side of a square in metres.
    dictionary: name of the ChArUco board's marker dictionary, such as "4X4_50"; None for a chessboard.
    marker_m: side of a marker in metres.
    """

    columns: int
    rows: int
    square_m: float
    dictionary: str | None = None
    marker_m: float = 0.0

    def __post_init__(self) -> None:
        """Check sizes and names; InputError says what is wrong."""
        least = 3 if self.dictionary is None else 4
        if min(self.columns, self.rows) < least:
            raise InputError(
                f"a board of {self.columns}x{self.rows} was given, it needs at least {least}x{least}",
                hint="give the inner corners of a chessboard (9x6), or the squares of a ChArUco board (charuco:11x8)",
            )
        if max(self.columns, self.rows) > _MOST_ALONG:
            raise InputError(
                f"a board of {brief(self.columns)}x{brief(self.rows)} was given, more than {_MOST_ALONG} along a side",
                hint="count the inner corners of a chessboard (9x6), or the squares of a ChArUco board (charuco:11x8)",
            )
        if not _LEAST_SQUARE_M <= self.square_m <= _MOST_SQUARE_M:
            raise InputError(
                f"squares of {self.square_m:g} m were given, boards have {_LEAST_SQUARE_M:g} to {_MOST_SQUARE_M:g} m",
                hint=f"give the side of a square in metres: {param('square_m', 0.025)} means 25 mm",
            )
        if self.dictionary is not None:
            self._check_markers(self.dictionary)

    def _check_markers(self, dictionary: str) -> None:
        """Check the markers of a ChArUco board; InputError says what is wrong."""
        if not hasattr(cv2.aruco, f"DICT_{dictionary}"):
            raise InputError(
                f"there is no dictionary {dictionary!r} of markers",
                hint="most boards name theirs: 4X4_50 to 7X7_1000, ARUCO_ORIGINAL, APRILTAG_36H11 and so on",
            )
        if not 0 < self.marker_m < self.square_m:
            raise InputError(
                f"markers of {self.marker_m:g} m do not fit into squares of {self.square_m:g} m",
                hint=f"{param('marker_m')} is the side of a marker's black frame, in metres",
            )
        markers, needed = len(_dictionary(dictionary).bytesList), self.columns * self.rows // 2
        if needed > markers:
            raise InputError(
                f"a board of {self.columns}x{self.rows} squares has {needed} markers, {dictionary} has {markers}",
                hint=f"count the squares again, or pass the {param('dictionary')} that the board was made of",
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
            The description is none, there is no such board, or it has no markers and some are described.
        """
        found = re.fullmatch(r"(charuco:)?(\d+)x(\d+)", text.lower())
        if found is None:
            raise InputError(f"{text!r} is no board", hint="write 9x6 (inner corners) or charuco:11x8 (squares)")
        columns, rows = int(found[2]), int(found[3])
        if not found[1]:
            if marker_m is not None or dictionary is not None:
                raise InputError(
                    f"{text} is a chessboard, which has no markers",
                    hint=f"write charuco:11x8 (squares) for a board with markers; or leave {param('marker_m')} and "
                    f"{param('dictionary')} out",
                )
            return cls(columns, rows, square_m)
        marker_m = 0.75 * square_m if marker_m is None else marker_m
        return cls(columns, rows, square_m, (dictionary or "4X4_50").upper().removeprefix("DICT_"), marker_m)

    def points_m(self) -> NDArray[np.float32]:
        """Positions (N, 3) float32 of the board's inner corners in metres, row by row, with Z = 0."""
        columns, rows = (self.columns, self.rows) if self.dictionary is None else (self.columns - 1, self.rows - 1)
        y, x = np.mgrid[0:rows, 0:columns]
        flat = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
        return (flat * self.square_m).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Corners:
    """Corners of a board found in a photo.

    ids: (N,) row of each corner in Board.points_m. px: (N, 2) float32 positions in the photo.
    """

    ids: NDArray[np.int64]
    px: NDArray[np.float32]

    def of(self, ids: NDArray[np.int64]) -> Corners:
        """Select the corners with the given ids, in that order."""
        order = np.argsort(self.ids)
        return Corners(ids, self.px[order[np.searchsorted(self.ids, ids, sorter=order)]])


def find_corners(grey: NDArray[np.uint8], board: Board) -> Corners | None:
    """Find a board's corners in a photo (H, W) with subpixel precision; None if the board is not found.

    A chessboard must be visible as a whole. Of a ChArUco board six corners that are not on one line are enough.
    """
    return _find_charuco(grey, board) if board.dictionary else _find_chessboard(grey, board)


def _find_chessboard(grey: NDArray[np.uint8], board: Board) -> Corners | None:
    """Search with Duda and Frese 2018, then with OpenCV's older quad search if that fails; refine as Förstner does."""
    shape = (board.columns, board.rows)
    searched = _searched(grey)
    if searched is None:
        return None
    small, scale = searched
    found, corners = cv2.findChessboardCornersSB(small, shape, flags=cv2.CALIB_CB_NORMALIZE_IMAGE)
    if not found:
        flags = cv2.CALIB_CB_NORMALIZE_IMAGE | cv2.CALIB_CB_EXHAUSTIVE | cv2.CALIB_CB_ACCURACY
        found, corners = cv2.findChessboardCornersSB(small, shape, flags=flags)
    if not found:
        found, corners = cv2.findChessboardCorners(small, shape)
    if not found or corners is None:
        return None
    px = np.asarray((corners.reshape(-1, 2) + 0.5) / scale - 0.5, np.float32)
    if not ((px >= 0) & (px <= np.subtract(grey.shape[::-1], 1))).all():  # the older search may go astray
        return None
    grid = px.reshape(board.rows, board.columns, 2)
    spacing = min(np.linalg.norm(np.diff(grid, axis=a), axis=-1).min() for a in (0, 1))
    # the window must not reach another corner: on small boards a fixed 11x11 px gives twice the residual
    reach = int(np.clip(spacing / 4, 2, 15))
    refined = cv2.cornerSubPix(grey, px[:, None].copy(), (reach, reach), (-1, -1), _STOP)
    return Corners(np.arange(len(px)), np.asarray(refined, np.float32).reshape(-1, 2))


def _searched(grey: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float] | None:
    """The copy of a photo (H, W) in which a chessboard is searched, and its scale; None if it is too small for any."""
    scale = min(1.0, _LONGEST_PX / max(grey.shape))
    if scale * min(grey.shape) < _SMALLEST_PX:
        return None
    if scale == 1:
        return grey, scale
    return np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8), scale


def chessboard_in(grey: NDArray[np.uint8]) -> tuple[int, int] | None:
    """Inner corners of the chessboard in a photo (H, W), whatever size it has, the longer side first; None without.

    Duda and Frese's search grows a small board as far as it goes on; from 3x3 alone it may stop early.
    """
    searched = _searched(grey)
    if searched is None:
        return None
    flags = cv2.CALIB_CB_LARGER | cv2.CALIB_CB_NORMALIZE_IMAGE | cv2.CALIB_CB_EXHAUSTIVE
    found = (cv2.findChessboardCornersSBWithMeta(searched[0], (start, start), flags) for start in (3, 4))
    sizes = [sorted(np.shape(grid)[:2], reverse=True) for known, _, grid in found if known]
    return max(((long, short) for long, short in sizes), key=lambda size: size[0] * size[1], default=None)


def _dictionary(name: str) -> cv2.aruco.Dictionary:
    return cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, f"DICT_{name}"))


@lru_cache(maxsize=4)
def _charuco_detectors(board: Board) -> list[cv2.aruco.CharucoDetector]:
    """Detectors for the board as OpenCV draws it now and, if rows are even, as before 4.6 with colours swapped."""
    assert board.dictionary is not None
    dictionary = _dictionary(board.dictionary)
    detectors = []
    for legacy in (False, True) if board.rows % 2 == 0 else (False,):
        drawn = cv2.aruco.CharucoBoard((board.columns, board.rows), board.square_m, board.marker_m, dictionary)
        drawn.setLegacyPattern(legacy)
        detectors.append(cv2.aruco.CharucoDetector(drawn))
    return detectors


def _find_charuco(grey: NDArray[np.uint8], board: Board) -> Corners | None:
    """Find a ChArUco board's corners, in the current or the legacy pattern; None if too few are found."""
    for detector in _charuco_detectors(board):
        px, ids, *_ = detector.detectBoard(grey)
        if ids is None or len(ids) < _LEAST_CORNERS:
            continue
        corners = Corners(ids.ravel().astype(np.int64), np.asarray(px, np.float32).reshape(-1, 2))
        if in_a_plane(board, corners.ids):
            return corners
    return None


def in_a_plane(board: Board, ids: NDArray[np.int64]) -> bool:
    """Whether there are enough corners, spread in two directions, to determine the board's pose."""
    points = board.points_m()[ids, :2]
    spread = (
        np.linalg.svd(points - points.mean(axis=0), compute_uv=False) if len(ids) >= _LEAST_CORNERS else np.zeros(2)
    )
    return bool(spread[1] > board.square_m)


def align_order(board: Board, left: Corners, right: Corners) -> Corners:
    """Renumber the right view's corners so that they start at the same board corner as the left view's.

    A chessboard looks the same after half a turn, a square one after a quarter turn. The numbering that rotates the
    board least between the two views is taken.
    """
    if board.dictionary:
        return right
    grid = right.px.reshape(board.rows, board.columns, 2)
    turns = range(4) if board.rows == board.columns else (0, 2)
    ways = [np.rot90(grid, k).reshape(-1, 2) for k in turns]
    centred = left.px - left.px.mean(axis=0)
    return Corners(right.ids, min(ways, key=lambda px: float(np.abs(px - px.mean(axis=0) - centred).sum())).copy())
