"""Tell the small things that the matcher found from its chance matches: both are islands in a disparity map.

A bead, a leaf or a gap in a fence is a small region of matches at another depth, and so is chance, wherefore OpenCV's
filter drops all of them. An island where the views match clearly better than on what surrounds it is mostly no chance.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.filling import fill_background
from depthapps.core.scene import FloatMap, Image
from depthapps.engine.fusion.support import hidden, worse_by

# Of the pixels kept in 20 real pairs, 27 ray-cast rooms and 27 scenes of layers, 28, 18 and 8 % are off by more than
# 2 px; of what would be there instead it is 92, 95 and 95 %. `balanced` is off at 5.76, 3.85 and 2.08 instead of 5.83,
# 3.88 and 2.30 % of all pixels. Half of the first two numbers changes what is mended by .004 % of all pixels at most,
# twice the first one loses .01 %, twice the second one .003 %.
_CLEARLY = 1.0  # by which the views match better, as multiples of their usual difference and a grey level
_APART_PX = 2.0  # by which a pixel of an island differs from what surrounds it
# Area up to which an island is left out. With 30 and 70 px, 32 and 18 % of what is kept in real pairs is off, 13 and
# 4 % in layers; .040 and .025 instead of .030 %, and .148 and .123 instead of .139 % of all are mended.
_CHANCE_PX = 50
_LINK_PX = 1.0  # neighbours that differ by no more belong together
_SIXTEENTHS = 16  # of a pixel: OpenCV links integers
_SMALL = -(1 << 15)  # what it marks small islands with


def small_islands(disparity: FloatMap, largest_px: int, link_px: float) -> NDArray[np.bool_]:
    """Mask (H, W) of the regions of a disparity map (H, W) px, NaN = unknown, with an area of up to `largest_px`.

    Neighbours that differ by link_px at most belong to one region.
    """
    known = np.isfinite(disparity)
    linked = np.clip(np.rint(np.where(known, disparity, 0) * _SIXTEENTHS), _SMALL + 1, -_SMALL - 1)
    linked = np.where(known, linked, _SMALL).astype(np.int16, order="C")
    cv2.filterSpeckles(linked, _SMALL, largest_px, link_px * _SIXTEENTHS)
    return known & (linked == _SMALL)


def small_things(left: Image, right: Image, known: FloatMap, islands: FloatMap) -> FloatMap:
    """Those of the islands that are small things, nearer or farther than what surrounds them: (H, W) px, else NaN.

    left: (H, W, 3) uint8 RGB. right: (H, W) uint8 grey. known: (H, W) px, the confirmed matches of larger regions, NaN
    elsewhere. islands: (H, W) px, those of small regions, NaN elsewhere.

    What surrounds an island is, pixel by pixel, the farther of the two matches beside it on the row. Where the right
    view does not show that, it matches badly whatever is there, so that nothing can be told.
    """
    around = fill_background(known)
    landing = np.arange(around.shape[1], dtype=np.float32) - around
    found = (landing > -0.5) & (landing < around.shape[1] - 0.5) & ~hidden(around)
    found &= np.abs(islands - around) > _APART_PX
    if found.any():
        found &= worse_by(left, right, around, np.where(found, islands, around)) < -_CLEARLY
        found &= ~small_islands(np.where(found, islands, np.float32(np.nan)), _CHANCE_PX, _LINK_PX)
        found &= ~_cut_off(found)
    return np.where(found, islands, np.float32(np.nan))


def _cut_off(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected parts of a mask (H, W) at its top and bottom, of which the picture shows too little."""
    count, found = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4, ltype=cv2.CV_32S)
    labels, cut = np.asarray(found, np.int32), np.zeros(count, np.bool_)
    cut[labels[[0, -1]]] = True
    return mask & cut[labels]
