"""Find corners in one view and track them into the other, starting from the coarse match."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import Image
from depthapps.engine.front.coarse import CoarseMatch

FAINTEST = 0.01  # least corner quality (smaller eigenvalue), as a share of the strongest corner's
WINDOW_PX = 15
# The initial guess may be off by one pixel of the coarse match, 1 / scale px. Tracking starts at the pyramid level
# where this error is 1 / PIXEL_PER_LEVEL = 4 px or less.
PIXEL_PER_LEVEL = 0.25
CELLS = 10  # grid cells across and down in `spread`
RETURN_PX = 0.5  # largest forward-backward error of a tracked point

Points = NDArray[np.floating]


def find_corners(view: Image, count: int, faintest: float = FAINTEST) -> Points:
    """Up to `count` corners (N, 2) float32 px of a view (H, W) uint8 grey, spread over it."""
    spacing = max(8.0, 0.5 * float(np.sqrt(view.size / count)))
    corners = cv2.goodFeaturesToTrack(view, count, faintest, spacing, blockSize=5)
    return np.empty((0, 2), np.float32) if corners is None else np.asarray(corners, np.float32).reshape(-1, 2)


def spread(points: Points, shape: tuple[int, ...], fewest: int = 1) -> float:
    """The share of grid cells of a picture of shape (H, W) that hold at least `fewest` of the points (N, 2) px."""
    height, width = shape[:2]
    cells = np.minimum((points * (CELLS / width, CELLS / height)).astype(int), CELLS - 1)
    return float((np.bincount(cells @ (1, CELLS), minlength=CELLS**2) >= fewest).mean())


def follow_corners(left: Image, right: Image, coarse: CoarseMatch, start: Points) -> tuple[Points, Points]:
    """Track corners `start` (N, 2) px from the left to the right view, both (H, W) uint8 grey.

    Returns the positions (M, 2) float32 px of the tracked corners in the left and in the right view. Corners are
    tracked forward and back with pyramidal Lucas-Kanade. A corner is dropped if it has no coarse match, does not return
    to its start, or moves too far from its coarse match.
    """
    none = np.empty((0, 2), np.float32)
    rows, columns = coarse.disparity.shape
    at = np.minimum((start * coarse.scale).astype(int), (columns - 1, rows - 1))
    disparity = coarse.disparity[at[:, 1], at[:, 0]] / coarse.scale
    start, disparity = start[np.isfinite(disparity)], disparity[np.isfinite(disparity)]
    if not len(start):
        return none, none
    guess = (start - np.column_stack([disparity, np.zeros_like(disparity)])).astype(np.float32)
    levels = max(0, math.ceil(math.log2(PIXEL_PER_LEVEL / coarse.scale)))
    end, followed = _follow(left, right, start, guess, levels)
    back, returned = _follow(right, left, end, start, 0)
    kept = followed & returned & (np.linalg.norm(back - start, axis=1) < RETURN_PX)
    kept &= np.abs(end - guess)[:, 0] < 1.5 / coarse.scale  # farther away it is another point
    return start[kept], end[kept]


def _follow(first: Image, second: Image, start: Points, guess: Points, levels: int) -> tuple[Points, NDArray[np.bool_]]:
    """Track points (N, 2) px from one view to the other; returns positions (N, 2) px and which were found (N,)."""
    end, found, _ = cv2.calcOpticalFlowPyrLK(
        first,
        second,
        np.asarray(start, np.float32),
        np.array(guess, np.float32),  # a copy, because OpenCV overwrites it
        winSize=(WINDOW_PX, WINDOW_PX),
        maxLevel=levels,
        criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 15, 0.02),
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return np.asarray(end, np.float32), found.ravel() > 0
