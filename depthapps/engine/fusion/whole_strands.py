"""Look at strands as a whole: what is near at one part of a stem and far at another is near all along.

Pixel after pixel, a strand is followed only as far as each of its pixels tells it. But the whole of it tells it more
surely, also where a light behind it or its own shadow hides a few pixels. So a line is put through the disparities of
its near part, and all of the strand is compared at its disparity so far and at that line.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.engine.fusion.support import CAP
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

_GAP = np.ones((3, 3), np.uint8)  # parts of a strand are no farther apart than that
_LENGTH_PX = 16  # what is shorter tells too little
_MOST_PX = 20  # of each in its length: with more, it is a texture; 10 loses a stem, 50 finds no more
_APART_PX = 3.0  # by which a strand's near part is nearer than its farthest tenth, and within which it lies
_FARTHEST, _NEAREST = 0.1, 0.95  # of its pixels: the first and the last few pixels may be of something else
_LEAST = 8  # pixels of the near part, and of the one that was lost
_LOST_PX = 2.0  # behind the near part from which on a pixel is lost
# In units of the views' usual difference. A line has to match better than what was found by so much, on average. With
# 0, 0.3 and 0.6, thin things in 15 ray-cast rooms are off by more than 2 px at 21.2, 21.3 and 22.0 %, what six streets
# show at 9.22, 9.12 and 9.11 %.
_BETTER = 0.3
_UNSEEN = 2.0  # what a pixel costs that the right view does not show; as in `grow_strands`

_join = Kernel(
    "depthapps.engine.fusion._whole_strand_kernels",
    "join_strands",
    "uint8[:,::1] uint8[:,::1] int32[:,::1] uint8[:,::1] int64[::1] int64[::1] uint8[::1] int64[:,::1] float32[::1] "
    "float64 float64 float64 int64 int64 float32[:,::1]",
)
KERNELS = (_join,)


def join_ends(
    grey: Image, right: Image, strands: NDArray[np.bool_], unseen: NDArray[np.uint8], disparity: FloatMap, unit: float
) -> None:
    """Put the lost parts of strands at the disparity of their near parts where they match better so, in place.

    grey, right: (H, W) uint8, aligned. strands: (H, W), where something thin is. unseen: (H, W), 1 where the right view
    does not show what the disparity puts there. disparity: (H, W) float32 px. unit: grey levels by which the views
    differ usually, and one.
    """
    closed = cv2.dilate(strands.view(np.uint8), _GAP)
    _, found, sizes, _ = cv2.connectedComponentsWithStats(closed, connectivity=8, ltype=cv2.CV_32S)
    labels = np.asarray(found, np.int32)
    labels *= strands  # in place: a large picture has no memory to spare
    length = np.maximum(sizes[:, cv2.CC_STAT_WIDTH], sizes[:, cv2.CC_STAT_HEIGHT])
    long = (length >= _LENGTH_PX + len(_GAP) - 1) & (sizes[:, cv2.CC_STAT_AREA] <= _MOST_PX * length)
    places = np.flatnonzero(strands)
    places = places[long[labels.ravel()[places]]]
    places = places[_by_disparity(labels.ravel()[places], disparity.ravel()[places])]
    if not len(places):
        return
    part, ranges, same = _parts(labels.ravel()[places], disparity.ravel()[places])
    views, pixels = (grey, right, labels, unseen), np.divmod(places, grey.shape[1])
    limits = CAP, _UNSEEN * unit, _BETTER * unit
    for_bands(len(same), lambda start, end: _join(*views, *pixels, part, ranges, same, *limits, start, end, disparity))


def _by_disparity(label: NDArray[np.int32], values: FloatMap) -> NDArray[np.intp]:
    """The pixels (N,) of the strands that are not all at one depth: one strand after the other, the nearest ones last.

    label: (N,), the number of each one's strand. values: (N,), their disparities.
    """
    order = np.argsort(label, kind="stable")
    first = _starts(label[order])
    if not len(first):
        return order
    apart = np.maximum.reduceat(values[order], first) - np.minimum.reduceat(values[order], first)
    order = order[np.repeat(apart > _APART_PX, np.diff(first, append=len(order)))]
    return order[np.lexsort((values[order], label[order]))]


def _parts(label: NDArray[np.int32], values: FloatMap) -> tuple[NDArray[np.uint8], NDArray[np.intp], FloatMap]:
    """Which pixels (N,), in the order of `_by_disparity`, are near parts, 1, and which ones were lost to them, 2.

    And of each strand that has both: the range (S, 2) of its pixels, and the disparity (S,) of its near part.
    """
    first = _starts(label)
    counts = np.diff(first, append=len(label))
    ends = first + counts
    farthest, nearest = (values[first + np.rint(share * (counts - 1)).astype(int)] for share in (_FARTHEST, _NEAREST))
    near = values > np.repeat(np.maximum(farthest + _APART_PX, nearest - _APART_PX), counts)
    many = np.add.reduceat(near, first, dtype=np.intp)
    same = values[np.minimum(ends - many + many // 2, ends - 1)]
    lost = values < np.repeat(same, counts) - _LOST_PX
    told = (many >= _LEAST) & (np.add.reduceat(lost, first, dtype=np.intp) >= _LEAST)
    return near + 2 * lost.astype(np.uint8), np.stack([first, ends], axis=1)[told], same[told]


def _starts(label: NDArray[np.int32]) -> NDArray[np.intp]:
    """Where each strand begins among pixels that are sorted by its number (N,)."""
    return np.flatnonzero(np.diff(label, prepend=0))
