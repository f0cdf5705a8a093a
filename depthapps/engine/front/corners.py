"""Corners of one view followed to the other, from where their coarse match lies."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import Image
from depthapps.engine.front.coarse import CoarseMatch

FAINTEST = 0.01  # of the strongest corner's smaller eigenvalue
WINDOW_PX = 15
PIXEL_PER_LEVEL = 0.25  # a guess that is a coarse pixel off is found from the level where that is a few pixels
CELLS = 10  # across and down, of which `spread` tells how many hold anything
RETURN_PX = 0.5  # a point must come back this near when it is followed to the right view and back

Points = NDArray[np.floating]


def find_corners(view: Image, count: int, faintest: float = FAINTEST) -> Points:
    """Up to `count` corners (N, 2) float32 px of a view (H, W) uint8 grey, spread over it."""
    spacing = max(8.0, 0.5 * float(np.sqrt(view.size / count)))
    corners = cv2.goodFeaturesToTrack(view, count, faintest, spacing, blockSize=5)
    return np.empty((0, 2), np.float32) if corners is None else np.asarray(corners, np.float32).reshape(-1, 2)


def spread(points: Points, shape: tuple[int, ...], fewest: int = 1) -> float:
    """The share of a picture of shape (H, W) that holds points (N, 2) px: of its cells, at least `fewest` in each."""
    height, width = shape[:2]
    cells = np.minimum((points * (CELLS / width, CELLS / height)).astype(int), CELLS - 1)
    return float((np.bincount(cells @ (1, CELLS), minlength=CELLS**2) >= fewest).mean())


def follow_corners(left: Image, right: Image, coarse: CoarseMatch, start: Points) -> tuple[Points, Points]:
    """Where corners (N, 2) px of the left view (H, W) uint8 grey are in it and in the right one, without what is lost.

    Both (M, 2) float32 px. Corners are followed to the right view and back (pyramidal Lucas-Kanade); what does not come
    back, or runs away from its coarse match, is left out.
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
    kept &= np.abs(end - guess)[:, 0] < 1.5 / coarse.scale  # a point that ran away from its match is another one
    return start[kept], end[kept]


def _follow(first: Image, second: Image, start: Points, guess: Points, levels: int) -> tuple[Points, NDArray[np.bool_]]:
    """Where points (N, 2) of one view are in the other, and whether they were found; levels: of the pyramid."""
    end, found, _ = cv2.calcOpticalFlowPyrLK(
        first,
        second,
        np.asarray(start, np.float32),
        np.array(guess, np.float32),  # a copy: it is overwritten
        winSize=(WINDOW_PX, WINDOW_PX),
        maxLevel=levels,
        criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 15, 0.02),
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return np.asarray(end, np.float32), found.ravel() > 0
