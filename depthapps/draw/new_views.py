"""Show a scene from places beside the two photos: between them, and a little outside.

The disparity is carried to the new view, near things before far ones. Each sample of a new pixel then looks up its
colour in the photos that see it, so that what one photo hides is taken from the other; what neither saw is a guess from
the background beside it. This is depth-image-based rendering (Fehn 2004) with two reference views.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.errors import InputError, param
from depthapps.core.filling import fill_background
from depthapps.core.scene import FloatMap, Image
from depthapps.draw.background import alike, behind_hole, guess_background, of_nearest

# All figures: means of the PSNR of six ray-traced rooms, from photos, as seen from one baseline to the left of the left
# photo and from one to the right of the right one. It is 29.87 and 29.98 dB; with one sample a pixel, 29.75 and 29.83.
_SAMPLES = -0.25, 0.25  # px from the middle of a pixel: outlines are half a pixel fine
# Disparity by which the two differ at an edge. Within a surface both are taken in the middle, or they would blur it.
_STEP_PX = 0.5
_SAME_PX = 1.5  # a photo sees a point if its own disparity there differs by less
# Beside holes of at least three pixels, two of the background have colours of what hid it. Taken for true, they are
# 0.05 dB nearer to the truth, and an outline stands where nothing is.
_LEAST_HOLE_PX, _MIXED_PX = 3, 2


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
    def _nearest_last(self) -> tuple[NDArray[np.int32], FloatMap, FloatMap]:
        """The pixels (N,) in the order in which nearer ones overwrite farther ones: row, column and disparity."""
        order = np.argsort(self._whole, axis=None, kind="stable")
        row, column = np.divmod(order, self._whole.shape[1])
        return row.astype(np.int32), column.astype(np.float32), self._whole.ravel()[order]

    @cached_property
    def _of_right(self) -> FloatMap:
        """Disparity at the pixels of the right view."""
        return self._carried(1.0)

    def _carried(self, place: float, offset_px: float = 0.0) -> FloatMap:
        """The disparity (H, W) at the pixels of the view at `place`, or so far to the right of their middle."""
        height, width = self._whole.shape
        row, column, disparity = self._nearest_last
        target = np.clip(column - np.float32(place) * disparity - np.float32(offset_px), -1, width)
        carried = np.full((height, width + 2), np.nan, np.float32)  # a column more on each side, for what is outside
        first = row * np.int32(width + 2) + np.int32(1)
        for rounded in (np.floor(target), np.ceil(target)):
            fresh = np.full(carried.size, np.nan, np.float32)
            fresh[first + rounded.astype(np.int32)] = disparity  # of several values the last one, the nearest, stays
            carried = np.fmax(carried, fresh.reshape(carried.shape))
        return fill_background(carried[:, 1:-1])

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

        Raises
        ------
        InputError
            Nothing of the photo is seen from there.
        """
        colors, missing, farthest = self._photographed(place)
        if missing.min() == 1:
            raise InputError(
                "from so far aside nothing of the photo is seen",
                hint=f"lower {param('eye_distance')}, or the baseline of a scene whose depth was given",
            )
        if missing.any():
            missing[_mixed(missing == 1, farthest)] = 1
            _go_over(colors, guess_background(colors, missing == 0, farthest), missing)
        return np.clip(np.rint(colors), 0, 255).astype(np.uint8)

    def _photographed(self, place: float) -> tuple[FloatMap, FloatMap, FloatMap]:
        """What the photos tell of the view at `place`: colours (H, W, 3); the share of each pixel of which none does.

        The third map holds the disparity of the farthest thing in each pixel.
        """
        shape = self._whole.shape
        colors, seen = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32)
        maps = [self._carried(place, offset) for offset in _SAMPLES]
        edge = cv2.dilate((np.abs(maps[0] - maps[1]) > _STEP_PX).astype(np.uint8), np.ones((5, 5), np.uint8))
        for number, (offset, disparity) in enumerate(zip(_SAMPLES, maps, strict=True), start=1):
            sample, there = self._sampled(place, edge * np.float32(offset), disparity)
            seen += there
            # the mean of the samples that a photo sees; of all, where none does
            among = np.where(seen > 0, seen, np.float32(number))
            _go_over(colors, sample, np.where(there | (seen == 0), 1 / among, np.float32(0)))
        return colors, 1 - seen / np.float32(len(_SAMPLES)), np.minimum(*maps)

    def _sampled(self, place: float, offset_px: FloatMap, disparity: FloatMap) -> tuple[FloatMap, NDArray[np.bool_]]:
        """Colours (H, W, 3) of the view at `place`, or so far to its right, and whether a photo sees what is there."""
        y, x = np.asarray(np.indices(disparity.shape, np.float32))
        x += offset_px
        from_left, seen_left = _looked_up(self.left, self._whole, x + place * disparity, y, disparity)
        mixed = from_left.astype(np.float32)
        if self.right is None:
            return mixed, seen_left
        from_right, seen_right = _looked_up(self.right, self._of_right, x - (1 - place) * disparity, y, disparity)
        # the nearer camera has more weight, and all of it where the other one does not see the point
        share = np.where(seen_left == seen_right, np.float32(np.clip(place, 0, 1)), seen_right.astype(np.float32))
        _go_over(mixed, from_right.astype(np.float32), share)
        return mixed, seen_left | seen_right


def _go_over(colors: FloatMap, others: FloatMap, share: FloatMap) -> None:
    """Mix a share (H, W) of other colours (H, W, 3), which are lost, into colours; in place, as pictures are large."""
    others -= colors
    others *= share[..., None]
    colors += others


def _looked_up(
    view: Image, own: FloatMap, x: FloatMap, y: FloatMap, disparity: FloatMap
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Colours of a view at places (H, W), and whether it sees there the points that have this disparity."""
    colors = cv2.remap(to_8bit(view), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    there = cv2.remap(own, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=float("nan"))
    return np.asarray(colors, np.uint8), np.abs(there - disparity) < _SAME_PX


def _mixed(hole: NDArray[np.bool_], disparity: FloatMap) -> NDArray[np.bool_]:
    """The pixels (H, W) of the background beside a hole: photos mix their colours with those of what hid the hole.

    They would stay behind as an outline of it. Beyond the frame of the photos there is no such thing.
    """
    seen = ~hole
    between = np.maximum.accumulate(seen, axis=1) & np.maximum.accumulate(seen[:, ::-1], axis=1)[:, ::-1]
    wide = cv2.morphologyEx((hole & between).astype(np.uint8), cv2.MORPH_OPEN, np.ones((1, _LEAST_HOLE_PX), np.uint8))
    if not wide.any():
        return wide > 0
    beside = cv2.dilate(wide, np.ones((1, 2 * _MIXED_PX + 1), np.uint8)) > 0
    return beside & alike(disparity, of_nearest(wide > 0, behind_hole(hole, seen, disparity)))
