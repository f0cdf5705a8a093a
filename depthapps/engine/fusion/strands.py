"""Follow stems, cables and railings along their length, from where they were found to where they were lost.

What is up to five pixels wide is found here and there, and lost where the ground behind it matches as well. A strand is
what stands out of the picture and goes on for a while. Its pixels take the disparity of their neighbours on it over,
one after the other (propagation, Barnes 2009), where the views match better so. Then each strand that still has parts
at two depths is looked at as a whole, see `whole_strands`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import largest_channel
from depthapps.core.scene import FloatMap, Image
from depthapps.engine.fusion import whole_strands
from depthapps.engine.fusion.support import CAP, SCALE, hidden, usual_difference, weights_scratch, windows
from depthapps.engine.fusion.whole_strands import join_ends
from depthapps.runtime.kernel import Kernel

# In 18 ray-cast rooms, following strands takes what is off by more than 2 px from 42.2 to 30.0 % of surfaces up to 5 px
# wide, from 29.8 to 28.5 % within 3 px of edges and from 8.1 to 7.9 % of all; over 26 real pairs from 6.50 to 6.49 %.
_WIDTH_PX = 7  # what is less wide stands out
_CONTRAST = 24  # grey levels; with less, textures of real pairs count as strands, with 30 rooms have 1 % more wrong
_LENGTH_PX = 15  # with 9, textures count as strands more often
_STEEP = range(30, 151, 20)  # directions of strands that stand out along the row, degrees from it
_FLAT = (15, 25, 155, 165)  # of those that stand out down the column
_SAME = 60  # sum of the channels' differences along a strand; with 25 and 40 they are wrong at 0.6 % more
_SWEEPS = 4  # forth and back; with 8 the same
# Contrasts of the strands that are looked at as a whole, one after the other: with each, other parts hang together. Of
# thin surfaces in 15 and in 10 other ray-cast rooms, 26.0 and 28.8 % are off by more than 2 px without this, 21.3 and
# 25.2 % with it, 21.8 and 26.0 % with only 24 and 12; of all that these rooms show 4.43 and 3.48 %, 4.36 and 3.42 %,
# 4.37 and 3.44 %. 26 real pairs stay within 0.02 %.
_CONTRASTS = (32, 24, 18, 12)
_ROWS = 512  # that are looked at together: bounds memory

_grow = Kernel(
    "depthapps.engine.fusion._support_kernels",
    "grow_strands",
    "int16[:,:,::1] uint8[:,::1] uint8[:,::1] uint8[:,::1] uint8[:,::1] float32[:,::1] float64 float64 float64 "
    "int64 int64 float32[:,::1]",
)
KERNELS = (_grow, *whole_strands.KERNELS)


class Strands(NamedTuple):
    """By how many grey levels something thin that goes on stands out of what is beside it, all (H, W) uint8.

    steep: it goes on up or down. flat: it goes on nearly along the row, but not along it, where nothing can be matched.
    """

    steep: NDArray[np.uint8]
    flat: NDArray[np.uint8]


def follow_strands(left: Image, right: Image, disparity: FloatMap) -> FloatMap:
    """Disparity (H, W) px in which strands go on where they match.

    left: (H, W, 3) uint8 RGB. right: (H, W) uint8 grey, aligned with the left view's rows and exposure.
    disparity: (H, W) float32 px, finite. It is not changed; the one returned is nowhere farther.
    """
    width = disparity.shape[1]
    grown = np.array(disparity, np.float32, order="C")
    outside = np.arange(width, dtype=np.float32) < disparity
    unseen = (hidden(grown) | outside).view(np.uint8)
    strands, unit = find_strands(left), 1 + usual_difference(left, right, disparity)
    views, steep, scratch = windows(left, right), (strands.steep > _CONTRAST).view(np.uint8), weights_scratch()
    for sweep in range(_SWEEPS):
        _grow(*views, steep, unseen, grown, SCALE, CAP, unit, _SAME, sweep % 2, scratch)
    del views
    grey, other = np.asarray(cv2.cvtColor(left, cv2.COLOR_RGB2GRAY)), np.ascontiguousarray(right)
    for contrast in _CONTRASTS:
        for out in strands:
            join_ends(grey, other, out > contrast, unseen, grown, unit)
    return grown


def find_strands(picture: Image) -> Strands:
    """What a picture (H, W, 3) uint8 shows that is thin and goes on."""
    height, margin = len(picture), max(_LENGTH_PX, _WIDTH_PX)
    found = Strands(*(np.empty(picture.shape[:2], np.uint8) for _ in Strands._fields))
    for first in range(0, height, _ROWS):
        end = min(first + _ROWS, height)
        rows = slice(max(0, first - margin), min(height, end + margin))
        for out, part in zip(found, _strands(picture[rows]), strict=True):
            out[first:end] = part[first - rows.start : end - rows.start]
    return found


def _strands(picture: Image) -> Strands:
    across, down = (_standing_out(picture, shape) for shape in ((1, _WIDTH_PX), (_WIDTH_PX, 1)))
    return Strands(_going_on(across, _STEEP), _going_on(down, _FLAT))


def _going_on(thin: NDArray[np.uint8], directions: Iterable[float]) -> NDArray[np.uint8]:
    """What goes on in one of these directions, of how much the pixels (H, W) stand out."""
    lines = (cv2.morphologyEx(thin, cv2.MORPH_OPEN, _line(angle)) for angle in directions)
    return np.asarray(reduce(np.maximum, lines), np.uint8)


def _standing_out(picture: Image, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """By how much the pixels (H, W) stand out of a picture within a window of so many rows and columns."""
    window = np.ones(shape, np.uint8)
    bright, dark = (cv2.morphologyEx(picture, kind, window) for kind in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT))
    return largest_channel(np.maximum(bright, dark))


def _line(angle: float) -> NDArray[np.uint8]:
    """A line through the middle of a square, at so many degrees from the row."""
    line, middle = np.zeros((_LENGTH_PX, _LENGTH_PX), np.uint8), _LENGTH_PX // 2
    across, down = np.rint(middle * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])).astype(int)
    ends = (int(middle - across), int(middle - down)), (int(middle + across), int(middle + down))
    return np.asarray(cv2.line(line, *ends, color=1), np.uint8)
