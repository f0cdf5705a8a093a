"""What happens to two views before they are matched: one exposure, one set of rows, no noise; the range to search."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from depthapps.core.color import to_8bit
from depthapps.core.errors import StereoError, UnalignedError, param
from depthapps.core.scene import Image
from depthapps.engine.front.coarse import Shown, match_coarse, match_detail
from depthapps.engine.front.corners import find_corners
from depthapps.engine.front.exposure import equalize_exposure, match_exposure
from depthapps.engine.front.noise import remove_noise
from depthapps.engine.front.range import find_range
from depthapps.engine.front.rows import POINTS, RowCheck, RowOffset, check_rows, shift_rows, worth_removing


@dataclass(frozen=True, eq=False)
class AlignedViews:
    """Two views ready to be matched.

    left: (H, W, 3) uint8 RGB. left_grey, right_grey: (H, W) uint8, with the left view's rows and exposure, and without
    noise. low_px, high_px: the range of disparities. row_offset: what was taken out of the right view, None if nothing
    was. rows: how the rows lay before, None if too few points told. noisy: noise was taken out of one of them.
    """

    left: Image
    left_grey: Image
    right_grey: Image
    low_px: float
    high_px: float
    row_offset: RowOffset | None = None
    rows: RowCheck | None = None
    noisy: bool = False

    @property
    def cells(self) -> float:
        """Pixels times disparities, which is what matching costs."""
        return self.left_grey.size * (self.high_px - self.low_px)

    def resized(self, scale: float) -> AlignedViews:
        """The views at `scale` times their size, rounded up."""
        height, width = self.left_grey.shape
        size = (math.ceil(width * scale), math.ceil(height * scale))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        left, left_grey, right_grey = (
            cv2.resize(view, size, interpolation=how) for view in (self.left, self.left_grey, self.right_grey)
        )
        across = size[0] / width
        low, high = self.low_px * across, self.high_px * across
        return AlignedViews(left, left_grey, right_grey, low, high, noisy=self.noisy)


# What nine tenths of the points stay within, in px and in widths, if that is more, between a photo and itself that was
# saved anew, smoothed, or brightened until parts are white: at most 0.64 px in 31 photos.
STANDSTILL_PX, STANDSTILL = 0.8, 1.5e-3
# Of a view's cells, 0.35 to 0.88 have corners in 26 real pairs and five of photos; with a plain sky over the upper four
# fifths of them 0.09 to 0.20. Plain rooms may have little more, and are matched.
LEAST_SPREAD = 0.22


def align(
    left: Image,
    right: Image,
    doffs_px: float = 0.0,
    *,
    strict: bool = False,
    order_known: bool = False,
    infinity_known: bool = False,
    shown: Shown | None = None,
) -> AlignedViews:
    """Align two rectified views (H, W, 3) RGB and find the range of their disparities; see `find_range`.

    shown: what of the two views is picture, if not all of it.

    Raises StereoError when the views do not match, SwappedViewsError when they are exchanged; if `strict`,
    UnalignedError when their rows differ by more than what is removed, or too few points tell, or points in too small a
    part of the view, and StereoError when nothing moves between them.
    """
    left, right = to_8bit(left), to_8bit(right)
    left_grey, right_grey = (cv2.cvtColor(view, cv2.COLOR_RGB2GRAY) for view in (left, right))
    with ThreadPoolExecutor(1) as pool:  # what the left view alone tells is found beside the rest
        corners = pool.submit(find_corners, left_grey, POINTS)
        clean = pool.submit(remove_noise, left_grey)
        coarse = match_coarse(left_grey, equalize_exposure(left_grey, right_grey, shown), shown)
        low, high = find_range(coarse, doffs_px, order_known=order_known, infinity_known=infinity_known)
        right_grey = match_exposure(left, right, match_detail(left_grey, right_grey, coarse, low, high))
    # at one exposure, for plain things have few points as it is
    rows = check_rows(left_grey, right_grey, coarse, corners.result())
    if strict:
        if rows is None:
            raise UnalignedError(
                "too few points tell whether the rows of the two views line up",
                hint=f"pass {param('rectify', 'never')} if they were rectified already",
            )
        if rows.spread < LEAST_SPREAD:
            raise UnalignedError(
                f"only {100 * rows.spread:.0f} % of the left view has any corners that tell whether rows line up",
                hint="leave out sky and bare walls, "
                f"or pass {param('rectify', 'never')} if they were rectified already",
            )
        if rows.moved_px < max(STANDSTILL_PX, STANDSTILL * left_grey.shape[1]):
            raise StereoError(
                f"nothing moved between the two views: nine tenths of the points by {rows.moved_px:.1f} px at most",
                hint="take the second one a few centimetres to the right of the first",
            )
        if not rows.line_up(left_grey.shape[1]):
            raise UnalignedError(
                f"the rows of the two views do not line up: they are {rows.offset.largest_px:.1f} px apart, "
                f"and {rows.error_px:.1f} px when that is taken out",
                hint=f"pass {param('rectify', 'always')}",
            )
    offset = worth_removing(rows)
    if offset is not None:
        right_grey = np.asarray(shift_rows(right_grey, offset), np.uint8)
    clean_left, clean_right = clean.result(), remove_noise(right_grey)
    noisy = clean_left is not left_grey or clean_right is not right_grey
    return AlignedViews(left, clean_left, clean_right, low, high, offset, rows, noisy)
