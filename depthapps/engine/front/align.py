"""Refuse two views that cannot be matched, and prepare the others: exposure, rows, noise and disparity range."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from depthapps.core.color import to_8bit
from depthapps.core.errors import UnalignedError, nothing_moved, param
from depthapps.core.scene import Image
from depthapps.engine.front.coarse import Shown, match_coarse, match_detail
from depthapps.engine.front.corners import find_corners
from depthapps.engine.front.exposure import equalize_exposure, match_exposure
from depthapps.engine.front.noise import LARGEST as LARGEST_NOISE
from depthapps.engine.front.noise import noise_level, remove_noise
from depthapps.engine.front.range import find_range
from depthapps.engine.front.rows import POINTS, RowCheck, RowOffset, check_rows, shift_rows, worth_removing
from depthapps.runtime.threads import beside


@dataclass(frozen=True, eq=False)
class AlignedViews:
    """Two views ready to be matched.

    left: (H, W, 3) uint8 RGB, after denoising.
    left_grey, right_grey: (H, W) uint8 after denoising; the right one has the left one's rows and exposure.
    low_px, high_px: the disparity range to search.
    row_offset: the vertical offset that was removed from the right view; None if none was removed.
    rows: the vertical alignment measured before that removal; None if there were too few points.
    noise: what was removed from the noisier view, standard deviation in grey levels; 0 if none was removed.
    """

    left: Image
    left_grey: Image
    right_grey: Image
    low_px: float
    high_px: float
    row_offset: RowOffset | None = None
    rows: RowCheck | None = None
    noise: float = 0.0

    @property
    def cells(self) -> float:
        """Size of the cost volume, pixels times disparities: time and memory of matching grow with it."""
        return self.left_grey.size * (self.high_px - self.low_px)

    def resized(self, scale: float) -> AlignedViews:
        """The views resized by `scale`, with width and height rounded up."""
        height, width = self.left_grey.shape
        size = (math.ceil(width * scale), math.ceil(height * scale))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        left, left_grey, right_grey = (
            cv2.resize(view, size, interpolation=how) for view in (self.left, self.left_grey, self.right_grey)
        )
        across = size[0] / width
        low, high = self.low_px * across, self.high_px * across
        return AlignedViews(left, left_grey, right_grey, low, high, noise=self.noise * min(scale, 1))


# Two views are one photo if nine tenths of the points move less than this: in px, or as a share of the width if that is
# more. Between 31 photos and recompressed, smoothed or overexposed copies of them it is at most 0.64 px.
STANDSTILL_PX, STANDSTILL = 0.8, 1.5e-3
# Least share of a view's grid cells that hold corners. It is 0.35 to 0.88 in 26 real pairs and five pairs of photos. It
# is 0.09 to 0.20 if the upper four fifths of them are replaced by a plain sky. Rooms with plain walls have little more
# than that, and should be matched.
LEAST_SPREAD = 0.22


def align(
    left: Image,
    right: Image,
    doffs_px: float = 0.0,
    *,
    strict: bool = False,
    order_known: bool = False,
    infinity_known: bool = False,
    mounted: bool = False,
    shown: Shown | None = None,
) -> AlignedViews:
    """Align two rectified views (H, W, 3) RGB and find their disparity range; see `find_range`.

    mounted: the cameras are mounted together and measured. Where their rows nearly line up they are bent until they do,
        and columns stay: an estimated rotation would move infinity, of which rows tell little.
    shown: masks (H, W) of the pixels of each view that show the scene; None means all of them.

    Raises StereoError if the views do not match, and SwappedViewsError if they are exchanged. If `strict`, raises
    UnalignedError if the rows differ by more than can be removed, or if too few corners, or corners in too small a part
    of the view, make that impossible to judge; and StereoError if nothing moves between the views.
    """
    left, right = to_8bit(left), to_8bit(right)
    left, left_noise = _denoised(left, cv2.cvtColor(left, cv2.COLOR_RGB2GRAY))
    left_grey, right_grey = (cv2.cvtColor(view, cv2.COLOR_RGB2GRAY) for view in (left, right))
    with beside(1) as pool:  # work on the left view alone runs in parallel with the rest
        corners = pool.submit(find_corners, left_grey, POINTS)
        coarse = match_coarse(left_grey, equalize_exposure(left_grey, right_grey, shown), shown)
        low, high = find_range(coarse, doffs_px, order_known=order_known, infinity_known=infinity_known)
        right_grey = match_exposure(left, right, match_detail(left_grey, right_grey, coarse, low, high))
    # after exposure matching: scenes with little texture have few points, and a brightness change would lose more
    rows = check_rows(left_grey, right_grey, coarse, corners.result())
    width = left_grey.shape[1]
    bent = mounted and rows is not None and not rows.line_up(width) and rows.line_up_bent(width)
    if strict:
        if rows is None:
            raise UnalignedError(
                "the two views have too few points in common to tell whether their rows line up",
                hint=f"pass {param('rectify', 'never')} if they were rectified already",
                told=False,
            )
        if rows.spread < LEAST_SPREAD:
            raise UnalignedError(
                f"only {100 * rows.spread:.0f} % of the left view has corners, too little to tell whether rows line up",
                hint="leave out sky and bare walls, "
                f"or pass {param('rectify', 'never')} if they were rectified already",
                told=False,
            )
        if rows.moved_px < max(STANDSTILL_PX, STANDSTILL * width):
            raise nothing_moved(
                f"nothing moved between the two views: 90 % of the points move by {rows.moved_px:.1f} px at most"
            )
        if not (bent or rows.line_up(width)):
            raise UnalignedError(
                f"the rows of the two views do not line up: they are {rows.offset.largest_px:.1f} px apart, "
                f"and still {rows.error_px:.1f} px after correction",
                hint=f"pass {param('rectify', 'always')}",
            )
    offset = rows.bent if rows is not None and bent else worth_removing(rows)
    if offset is not None:
        right_grey = np.asarray(shift_rows(right_grey, offset), np.uint8)
    right_grey, right_noise = _denoised(right_grey, right_grey)
    return AlignedViews(left, left_grey, right_grey, low, high, offset, rows, max(left_noise, right_noise))


def _denoised(view: Image, grey: Image) -> tuple[Image, float]:
    """A view (H, W, any) without the noise that its grey copy (H, W) shows, and its level; as it is and 0 if faint."""
    level = noise_level(grey)
    return (remove_noise(view, level), level) if level > LARGEST_NOISE else (view, 0.0)
