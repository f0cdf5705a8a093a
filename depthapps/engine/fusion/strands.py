"""Follow stems, cables and railings along their length, from where they were found to where they were lost.

What is up to five pixels wide is found here and there, and lost where the ground behind it matches as well. A strand is
what stands out of the picture along the row and goes on for a while up or down. Its pixels take the disparity of their
neighbours on it over, one after the other (propagation, Barnes 2009), where the views match better so.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.engine.fusion.support import CAP, hidden, likeness, usual_difference
from depthapps.runtime.kernel import Kernel

# In 18 ray-cast rooms, following strands takes what is off by more than 2 px from 42.2 to 30.0 % of surfaces up to 5 px
# wide, from 29.8 to 28.5 % within 3 px of edges and from 8.1 to 7.9 % of all; over 26 real pairs from 6.50 to 6.49 %.
_WIDTH_PX = 7  # what is less wide stands out
_CONTRAST = 24  # grey levels; with less, textures of real pairs count as strands, with 30 rooms have 1 % more wrong
_LENGTH_PX = 15  # with 9, textures count as strands more often
_DIRECTIONS = range(30, 151, 20)  # of strands, degrees from the row: along the row there is nothing to match
_SAME = 60  # sum of the channels' differences along a strand; with 25 and 40 they are wrong at 0.6 % more
_SWEEPS = 4  # forth and back; with 8 the same
_ROWS = 512  # that are looked at together: bounds memory

_grow = Kernel(
    "depthapps.engine.fusion._support_kernels",
    "grow_strands",
    "uint8[:,:,::1] uint8[:,::1] uint8[:,::1] uint8[:,::1] uint8[:,::1] float32[:,::1] float32[::1] float64 float64 "
    "int64 int64 float32[:,::1]",
)
KERNELS = (_grow,)


def follow_strands(left: Image, right: Image, disparity: FloatMap) -> FloatMap:
    """Disparity (H, W) px in which strands go on where they match.

    left: (H, W, 3) uint8 RGB. right: (H, W) uint8 grey, aligned with the left view's rows and exposure.
    disparity: (H, W) float32 px, finite. It is not changed; the one returned is nowhere farther.
    """
    width = disparity.shape[1]
    grown = np.array(disparity, np.float32, order="C")
    outside = np.arange(width, dtype=np.float32) < disparity
    unseen = (hidden(grown) | outside).view(np.uint8)
    views = [np.ascontiguousarray(view) for view in (left, cv2.cvtColor(left, cv2.COLOR_RGB2GRAY), right)]
    strand, unit = find_strands(left), 1 + usual_difference(left, right, disparity)
    scratch = np.empty((5, 5), np.float32)
    for sweep in range(_SWEEPS):
        _grow(*views, strand, unseen, grown, likeness(), CAP, unit, _SAME, sweep % 2, scratch)
    return grown


def find_strands(picture: Image) -> NDArray[np.uint8]:
    """1 where a picture (H, W, 3) uint8 shows something thin that goes on up or down, 0 elsewhere; (H, W)."""
    height, margin = len(picture), _LENGTH_PX
    found = np.empty(picture.shape[:2], np.uint8)
    for first in range(0, height, _ROWS):
        end = min(first + _ROWS, height)
        rows = slice(max(0, first - margin), min(height, end + margin))
        found[first:end] = _strands(picture[rows])[first - rows.start : end - rows.start]
    return found


def _strands(picture: Image) -> NDArray[np.uint8]:
    across = np.ones((1, _WIDTH_PX), np.uint8)
    bright, dark = (cv2.morphologyEx(picture, kind, across) for kind in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT))
    thin = (np.maximum(bright, dark).max(axis=2) > _CONTRAST).astype(np.uint8)
    lines = (cv2.morphologyEx(thin, cv2.MORPH_OPEN, _line(angle)) for angle in _DIRECTIONS)
    return np.bitwise_or.reduce(list(lines))


def _line(angle: float) -> NDArray[np.uint8]:
    """A line through the middle of a square, at so many degrees from the row."""
    line, middle = np.zeros((_LENGTH_PX, _LENGTH_PX), np.uint8), _LENGTH_PX // 2
    across, down = np.rint(middle * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])).astype(int)
    ends = (int(middle - across), int(middle - down)), (int(middle + across), int(middle + down))
    return np.asarray(cv2.line(line, *ends, color=1), np.uint8)
