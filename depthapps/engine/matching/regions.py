"""Cut a picture into regions of one colour."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import largest_channel
from depthapps.core.scene import Image

SMALLEST_REGION = 100  # pixels
_RIM_PX = 2  # around a region that belongs to it: the match of an edge is that of the nearer side


class Region(NamedTuple):
    """A region of one colour, in a picture.

    rows, columns: its frame, which begins at even ones. mask: the region in it. near: the same with its rim.
    """

    rows: slice
    columns: slice
    mask: NDArray[np.bool_]
    near: NDArray[np.bool_]

    @property
    def frame(self) -> tuple[slice, slice]:
        return self.rows, self.columns

    def places(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The rows (h, 1) and columns (w,) of its frame."""
        height, width = self.mask.shape
        return self.rows.start + np.arange(height)[:, None], self.columns.start + np.arange(width)


def color_steps(picture: Image) -> Image:
    """The largest difference of the values of any channel of a picture (h, w, 3) within 3x3 px, (h, w)."""
    smooth, near = cv2.GaussianBlur(picture, (3, 3), 0), np.ones((3, 3), np.uint8)
    return largest_channel(cv2.dilate(smooth, near) - cv2.erode(smooth, near))


def find_regions(mask: NDArray[np.bool_]) -> list[Region]:
    """The connected parts of a mask (h, w) that are large enough."""
    count, labels, found, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _RIM_PX + 1,) * 2)
    regions = []
    for k in range(1, count):
        x, y, width, height, area = (int(v) for v in found[k])
        if area >= SMALLEST_REGION:
            rows = slice(max(0, y - _RIM_PX) // 2 * 2, y + height + _RIM_PX)
            columns = slice(max(0, x - _RIM_PX) // 2 * 2, x + width + _RIM_PX)
            part = labels[rows, columns] == k
            regions.append(Region(rows, columns, part, cv2.dilate(part.astype(np.uint8), disk) > 0))
    return regions
