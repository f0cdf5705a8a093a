"""Rows that do not quite line up: measured, and put right.

Even rectified pairs are off by a fraction of a pixel, or by more than one, which costs more than the choice of matcher.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.engine.coarse import CoarseMatch
from depthapps.scene import FloatMap, Image

log = logging.getLogger(__name__)

# Over 26 real pairs these find an offset of 0.7 px that is added to within 0.06 px. Removing what is found takes D1 on
# KITTI from 7.7 to 6.9 % and bad2 elsewhere from 12.1 to 11.8; with 0.7 px added, from 14.6 to 7.0 and 13.4 to 11.9.
POINTS = 200
FEWEST_POINTS = 30
WINDOW_PX = 15
PIXEL_PER_LEVEL = 0.25  # a guess that is a coarse pixel off is found from the level where that is a few pixels
RETURN_PX = 0.5  # a point must come back this near when it is followed to the right view and back
SMALLEST_PX = 0.15  # less is left alone: resampling would cost as much as it brings
_FITTING_STEPS = 10


@dataclass(frozen=True)
class RowOffset:
    """How much lower the right view lies: constant + across · x + down · y px, with x and y from −½ to ½."""

    constant: float
    across: float
    down: float

    @property
    def largest_px(self) -> float:
        """The offset in that corner of the picture where it is largest."""
        return abs(self.constant) + (abs(self.across) + abs(self.down)) / 2

    def field(self, height: int, width: int) -> FloatMap:
        """The offset of every pixel (H, W) of the right view, float32 px."""
        x = (np.arange(width, dtype=np.float32) + 0.5) / width - 0.5
        y = ((np.arange(height, dtype=np.float32) + 0.5) / height - 0.5)[:, None]
        return (self.constant + self.across * x + self.down * y).astype(np.float32)


def find_row_offset(left: Image, right: Image, coarse: CoarseMatch) -> RowOffset | None:
    """The offset between the rows of two views (H, W) uint8 grey; None if too few points tell, or it is too small.

    Corners are followed from the left to the right view, from where their coarse match lies, and back (pyramidal
    Lucas-Kanade); a plane is fitted to how far they move down, with weights that leave out what does not fit
    (Geman-McClure).
    """
    height, width = left.shape
    spacing = max(8.0, 0.5 * float(np.sqrt(height * width / POINTS)))
    corners = cv2.goodFeaturesToTrack(left, POINTS, 0.01, spacing, blockSize=5)
    if corners is None:
        return None
    start = np.asarray(corners, np.float32).reshape(-1, 2)
    rows, columns = coarse.disparity.shape
    at = np.minimum((start * coarse.scale).astype(int), (columns - 1, rows - 1))
    disparity = coarse.disparity[at[:, 1], at[:, 0]] / coarse.scale
    start, disparity = start[np.isfinite(disparity)], disparity[np.isfinite(disparity)]
    if len(start) < FEWEST_POINTS:
        return None
    guess = (start - np.column_stack([disparity, np.zeros_like(disparity)])).astype(np.float32)
    levels = max(0, math.ceil(math.log2(PIXEL_PER_LEVEL / coarse.scale)))
    end, followed = _follow(left, right, start, guess, levels)
    back, returned = _follow(right, left, end, start, 0)
    kept = followed & returned & (np.linalg.norm(back - start, axis=1) < RETURN_PX)
    kept &= np.abs(end - guess)[:, 0] < 1.5 / coarse.scale  # a point that ran away from its match is another one
    if kept.sum() < FEWEST_POINTS:
        return None
    position = (end[kept] + 0.5) / (width, height) - 0.5
    offset = RowOffset(*_fit_plane(position, (end - start)[kept, 1]))
    log.info("rows of the right view lie %.2f px lower, from %d points", offset.constant, kept.sum())
    return offset if offset.largest_px >= SMALLEST_PX else None


def shift_rows(view: Image, offset: RowOffset) -> Image:
    """The right view (H, W) or (H, W, 3) uint8 with its rows where the left one has them."""
    height, width = view.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(view, x, y + offset.field(height, width), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _follow(
    first: Image, second: Image, start: NDArray[np.floating], guess: NDArray[np.floating], levels: int
) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
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


def _fit_plane(position: NDArray[np.floating], value: NDArray[np.floating]) -> tuple[float, float, float]:
    """Constant and slopes of the plane through values (N,) at positions (N, 2), without regard to outliers."""
    design = np.column_stack([np.ones(len(value)), position]).astype(np.float64)
    steady = np.diag([0, 1e-3, 1e-3]) * len(value)  # points in one spot must not invent a slope
    plane = np.array([_median(value), 0, 0])
    for _ in range(_FITTING_STEPS):
        residual = value - design @ plane
        deviation = max(1.4826 * _median(np.abs(residual)), 0.03)  # what Lucas-Kanade can tell at best
        weighted = design / ((1 + (residual / (2 * deviation)) ** 2) ** 2)[:, None]
        plane = np.linalg.solve(weighted.T @ design + steady, weighted.T @ value)
    return float(plane[0]), float(plane[1]), float(plane[2])


def _median(values: NDArray[np.floating]) -> float:
    """Upper median of values (N,); numpy's own loads numpy.ma at first, which takes longer than all of this."""
    return float(np.partition(values, len(values) // 2)[len(values) // 2])
