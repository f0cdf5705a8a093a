"""Show a scene from places beside the two photos: between them, and a little outside.

The disparity is carried to the new view, near things before far ones. Each new pixel then looks up its colour in the
photos that see it, so that what one photo hides is taken from the other; what neither saw takes the background beside
it. This is depth-image-based rendering (Fehn 2004) with two reference views.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.filling import fill_background
from depthapps.core.scene import FloatMap, Image

_SAME_PX = 1.0  # a photo sees a point if its own disparity there differs by less


@dataclass(frozen=True, eq=False)
class ViewSource:
    """What new views are made of.

    left: (H, W, 3) RGB. disparity_px: (H, W) of the left view, NaN where unknown. right: (H, W, 3) RGB of the second
    view; None if there is only one.
    """

    left: Image
    disparity_px: FloatMap
    right: Image | None = None

    @cached_property
    def _whole(self) -> FloatMap:
        """The disparity without holes."""
        return fill_background(np.asarray(self.disparity_px, np.float32))

    @cached_property
    def _nearest_last(self) -> NDArray[np.integer]:
        """The pixels, by their numbers, in the order in which nearer ones overwrite farther ones."""
        return np.argsort(self._whole, axis=None, kind="stable")

    @cached_property
    def _of_right(self) -> FloatMap:
        """Disparity at the pixels of the right view."""
        return self._carried(1.0)

    def _carried(self, place: float) -> FloatMap:
        """The disparity (H, W) at the pixels of the view at `place`."""
        height, width = self._whole.shape
        disparity = self._whole.ravel()[self._nearest_last]
        y, x = np.divmod(self._nearest_last, width)
        target = x - place * disparity
        carried = np.full((height, width), np.nan, np.float32)
        for column in (np.floor(target).astype(np.int64), np.ceil(target).astype(np.int64)):
            inside = (column >= 0) & (column < width)
            fresh = np.full((height, width), np.nan, np.float32)
            fresh[y[inside], column[inside]] = disparity[inside]  # of several values the last one, the nearest, stays
            carried = np.fmax(carried, fresh)
        return fill_background(carried)

    def at(self, place: float) -> NDArray[np.uint8]:
        """Show the scene from a place on the line through both cameras.

        Parameters
        ----------
        place : float
            0 is the left camera, 1 the right one; others lie between or outside.

        Returns
        -------
        (H, W, 3) uint8 array
            RGB.
        """
        disparity = self._carried(place)
        y, x = np.mgrid[: disparity.shape[0], : disparity.shape[1]].astype(np.float32)
        from_left, seen_left = _looked_up(self.left, self._whole, x + place * disparity, y, disparity)
        if self.right is None:
            return _filled_from_beside(from_left, seen_left, disparity)
        from_right, seen_right = _looked_up(self.right, self._of_right, x - (1 - place) * disparity, y, disparity)
        # the nearer camera has more weight, and all of it where the other one does not see the point
        share = np.where(seen_left == seen_right, np.float32(np.clip(place, 0, 1)), seen_right.astype(np.float32))
        mixed = from_left + share[..., None] * (from_right.astype(np.float32) - from_left)
        return _filled_from_beside(np.rint(mixed).astype(np.uint8), seen_left | seen_right, disparity)


def _looked_up(
    view: Image, own: FloatMap, x: FloatMap, y: FloatMap, disparity: FloatMap
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Colours of a view at places (H, W), and whether it sees there the points that have this disparity."""
    colors = cv2.remap(to_8bit(view), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    there = cv2.remap(own, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=float("nan"))
    return np.asarray(colors, np.uint8), np.abs(there - disparity) < _SAME_PX


def _filled_from_beside(colors: NDArray[np.uint8], seen: NDArray[np.bool_], disparity: FloatMap) -> NDArray[np.uint8]:
    """Colours (H, W, 3) where those that no photo sees (H, W) are the next ones in the row, of what is farther.

    Both photos show there what hides the place, and would repeat it beside itself.
    """
    height, width = seen.shape
    columns, rows = np.arange(width), np.arange(height)[:, None]
    sure = cv2.erode(seen.astype(np.uint8), np.ones((1, 3), np.uint8)) > 0  # an edge's own pixels are mixed colours
    before = np.maximum.accumulate(np.where(sure, columns, -1), axis=1)
    after = np.minimum.accumulate(np.where(sure, columns, width)[:, ::-1], axis=1)[:, ::-1]
    far_before = np.where(before >= 0, disparity[rows, np.maximum(before, 0)], np.inf)
    far_after = np.where(after < width, disparity[rows, np.minimum(after, width - 1)], np.inf)
    source = np.where(far_after < far_before, after, before)
    known = ~seen & (source >= 0) & (source < width)
    return np.where(known[..., None], colors[rows, np.clip(source, 0, width - 1)], colors)
