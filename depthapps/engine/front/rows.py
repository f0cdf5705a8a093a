"""Measure and remove the small vertical offset between the rows of two views.

Even rectified pairs are off by a fraction of a pixel or more, which costs more accuracy than the choice of matcher.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.core.statistics import median, robust_deviation
from depthapps.engine.front.coarse import CoarseMatch
from depthapps.engine.front.corners import Points, find_corners, follow_corners, spread

log = logging.getLogger(__name__)

# An offset of 0.7 px added to 26 real pairs is measured to within 0.06 px. Removing the measured offset takes D1 on
# KITTI from 7.7 to 6.9 % and bad2 elsewhere from 12.1 to 11.8 %; with 0.7 px added, from 14.6 to 7.0 % and from 13.4 to
# 11.9 %.
POINTS = 200
FEWEST_POINTS = 30
SMALLEST_PX = 0.15  # a smaller offset is left alone: resampling would cost as much accuracy as it gains
# Rows that wander down the picture: medians of bands against their standard error. In 26 rectified pairs they are up to
# 2.2 standard errors, or below 0.13 px; with a slow sway of 1.5 px in one view they are 4.6, and 0.29 px.
BANDS, FEWEST_IN_BAND, LEAST_WAVE_PX, CLEAR_WAVE = 8, 8, 0.15, 3.0
_FITTING_STEPS = 10
# Limits for views that count as rectified. 26 rectified pairs have a median residual of at most 0.17 px, a bend of at
# most 0.46 px and a plane of up to 2.2 px. Hand-held photos and cameras at an angle have a residual of 0.36 px or more,
# or a bend of 0.65 px.
LARGEST_ERROR_PX = 0.3
LARGEST_BEND_PX = 0.75
LARGEST_PX, LARGEST = 4.0, 0.008  # largest plane: in px, or as a share of the width if that is more (some 0.5 degrees)
# Largest median residual, as a share of the width, once a bend is removed as well from views of cameras that are
# mounted together and measured. In a phone's pairs of 640 and 2560 px it is 4.5e-4 and 3.5e-4.
LARGEST_BENT_ERROR = 5e-4


@dataclass(frozen=True)
class RowOffset:
    """How many px lower the right view's rows lie.

    It is constant + across · x + down · y + twist · x · y + bend · (y² − 1/12), of which the first three are a plane.
    x and y run from −½ to ½ over the right view's width and height.
    """

    constant: float
    across: float
    down: float
    twist: float = 0.0
    bend: float = 0.0

    @property
    def largest_px(self) -> float:
        """The largest absolute offset of the plane in the picture, which is in one of its corners."""
        return abs(self.constant) + (abs(self.across) + abs(self.down)) / 2

    def field(self, height: int, width: int) -> FloatMap:
        """The offset of every pixel (H, W) of the right view, float32 px."""
        x = (np.arange(width, dtype=np.float32) + 0.5) / width - 0.5
        y = ((np.arange(height, dtype=np.float32) + 0.5) / height - 0.5)[:, None]
        plane = self.constant + self.across * x + self.down * y
        return (plane + self.twist * x * y + self.bend * (y * y - 1 / 12)).astype(np.float32)


@dataclass(frozen=True)
class RowCheck:
    """Measured vertical alignment of the rows of two views.

    offset: the plane fitted to the vertical offsets.
    points: number of tracked corners.
    error_px: median absolute vertical offset that remains after the plane is subtracted.
    bend_px: size of the second-order terms in a picture corner; cameras at an angle or lens distortion cause them.
    bent: the offset with its second-order terms. bent_error_px: what remains once it is subtracted.
    wave_px: how far single bands of rows wander from `bent`, if clearly more than they scatter, else 0: a camera whose
        shutter rolls down the picture while it moves does that.
    moved_px: 90 % of the points moved less than this, in any direction.
    spread: share of the left view's grid cells that hold corners, tracked or not.
    """

    offset: RowOffset
    points: int
    error_px: float
    bend_px: float
    bent: RowOffset
    bent_error_px: float
    moved_px: float
    spread: float
    wave_px: float = 0.0

    def line_up(self, width: int) -> bool:
        """Whether the rows of views of this width (px) line up once the offset is removed."""
        return self.error_px < LARGEST_ERROR_PX and self.bend_px < LARGEST_BEND_PX and self._near(width)

    def line_up_bent(self, width: int) -> bool:
        """Whether the rows of cameras that are mounted together line up once `bent` is removed; width in px."""
        return self.bent_error_px < max(LARGEST_ERROR_PX, LARGEST_BENT_ERROR * width) and self._near(width)

    def _near(self, width: int) -> bool:
        return self.offset.largest_px < max(LARGEST_PX, LARGEST * width)


def worth_removing(rows: RowCheck | None) -> RowOffset | None:
    """The offset to remove; None if it is unknown or so small that resampling would cost as much as it gains."""
    return rows.offset if rows is not None and rows.offset.largest_px >= SMALLEST_PX else None


def check_rows(left: Image, right: Image, coarse: CoarseMatch, corners: Points | None = None) -> RowCheck | None:
    """Measure how the rows of two views (H, W) uint8 grey line up; None if there are too few points.

    A plane is fitted to the vertical offsets of tracked corners, with the robust Geman-McClure loss.
    corners: up to POINTS corners of the left view (N, 2) px, if they have been found already.
    """
    height, width = left.shape
    if corners is None:
        corners = find_corners(left, POINTS)
    start, end = follow_corners(left, right, coarse, corners)
    if len(start) < FEWEST_POINTS:
        return None
    position, down = (end + 0.5) / (width, height) - 0.5, (end - start)[:, 1]
    plane = np.column_stack([np.ones(len(position)), position])
    offset = RowOffset(*_fit(plane, down))
    left_over = down - plane @ (offset.constant, offset.across, offset.down)
    x, y = position.T
    curved = np.column_stack([plane, x * y, y * y - 1 / 12])
    more = np.array(_fit(curved, left_over))
    bent = RowOffset(*(more + np.array([offset.constant, offset.across, offset.down, 0, 0])).tolist())
    log.info("rows of the right view lie %.2f px lower, from %d points", offset.constant, len(start))
    moved = np.linalg.norm(end - start, axis=1)
    return RowCheck(
        offset,
        len(start),
        median(np.abs(left_over)),
        (abs(bent.twist) + abs(bent.bend)) / 4,
        bent,
        median(np.abs(left_over - curved @ more)),
        float(np.partition(moved, len(moved) * 9 // 10)[len(moved) * 9 // 10]),
        spread(corners, left.shape),
        _wave_px(y, left_over - curved @ more),
    )


def _wave_px(y: NDArray[np.floating], left_over: NDArray[np.floating]) -> float:
    """Largest median of vertical offsets (N,) px in a band of rows y, from −½ to ½; 0 if it can be chance."""
    largest = 0.0
    band = np.minimum(((y + 0.5) * BANDS).astype(int), BANDS - 1)
    for k in range(BANDS):
        within = left_over[band == k]
        if len(within) < FEWEST_IN_BAND:
            continue
        middle = median(within)
        error = 1.25 * robust_deviation(within - middle) / np.sqrt(len(within)) + 0.03  # as Lucas-Kanade errs in _fit
        if abs(middle) > max(LEAST_WAVE_PX, CLEAR_WAVE * error):
            largest = max(largest, abs(middle))
    return largest


def shift_rows(view: Image, offset: RowOffset) -> Image:
    """Resample the right view (H, W) or (H, W, 3) uint8 so that its rows line up with the left view's."""
    height, width = view.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(view, x, y + offset.field(height, width), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _fit(design: NDArray[np.floating], value: NDArray[np.floating]) -> list[float]:
    """Robust linear fit of values (N,) by a design matrix (N, K), constant column first; K coefficients."""
    design = design.astype(np.float64)
    steady = np.diag([0] + [1e-3] * (design.shape[1] - 1)) * len(value)  # prior: clustered points must not give a slope
    found = np.zeros(design.shape[1])
    found[0] = median(value)
    for _ in range(_FITTING_STEPS):
        residual = value - design @ found
        deviation = max(robust_deviation(residual), 0.03)  # px, the best accuracy of Lucas-Kanade
        weighted = design / ((1 + (residual / (2 * deviation)) ** 2) ** 2)[:, None]
        found = np.linalg.solve(weighted.T @ design + steady, weighted.T @ value)
    return [float(v) for v in found]
