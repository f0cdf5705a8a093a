"""Tell by colour which surface goes on where the right view ends: nothing can be matched there.

Along the left border of the left view lies a strip that the right view does not show. Row by row it takes the surface
beside it, so a thing near that border smears out to it, over a background that both views show above and below. Or a
background is chosen there for all of it, and what reaches out to the border in front of it is lost.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image

# Log of how many times likelier a part's colours must be on the other surface, mean of its pixels. Applied to the maps
# that `balanced` finds in 20 real pairs, 27 ray-cast rooms and 27 scenes of layers, it takes bad2 from 6.26, 4.26 and
# 2.66 to 6.11, 4.25 and 2.52 %. With 0.7 the rooms are .07 worse, with 2 the pairs .02.
_NATS = 1.5
# How far above, below and to the right of a part the colours of a surface are looked for. With 60 rows or 75 columns,
# the pairs are .03 and .04 worse.
_ABOVE_PX, _BESIDE_PX = 30, 40
# With 16 or 32 bins, a tenth or ten times of the share that is not seen, a median of 3 px, or half or twice of each of
# the other values, bad2 differs by .04 % at most.
_BINS = 24  # of each channel of YCbCr; bad2 is the same in Lab, whose tables take OpenCV 90 ms to make
_UNSEEN = 1e-5  # share of a colour that a surface does not show: one such pixel does not rule it out
_LEAST_PX = 20  # a smaller part of the strip has too few colours to tell anything
_LEAST_SEEN = 30  # and so has a surface of which fewer pixels are seen
# Confidence above which a chosen disparity counts as seen. With 0.7, level bars go on to the border; with 0.5 they do
# not, as unsure wall before it ends the strip. Of 20 pairs only two change, from 4.5 to 4.4 and from 4.4 to 4.3 %.
_SURE = 0.7
# Pixels that touch what is seen, for each row of a part of a chosen map. The flood is level, and parts from a slanted
# surface that goes on only farther out: without this, such a door would be off at .7 % more of its pair. With 0.3 and
# 0.6 the pairs and the scenes are alike to .01 %.
_TOUCHING = 0.5
_UNLIKE_PX = 2.0  # by which the two surfaces differ at least
# px that a pixel's disparity may be from the median of a surface to belong to it, and as a share of what lies between
_OF_SURFACE_PX, _OF_SURFACE = 1.5, 0.15
_SMOOTH_PX = 5  # median of the colours: grain neither stops the flood nor counts as colour
# Levels of disparity a pixel that the flood tells apart. Between two of them a dam remains, which a flood does not
# cross: with many levels it would not get past a steep surface. With 1 and 4 the pairs are .02 and .01 worse.
_LEVELS = 2.0


def joined_at_border(disparity: FloatMap, confidence: FloatMap, left: Image) -> FloatMap:
    """A chosen map in which what breaks off where the right view ends goes on to the border, if its colours do.

    Nothing tells the network how a bar goes on beyond what both views show, so it may choose the wall behind it there.
    Only pixels that the right view then does not show are changed. They take one level for each disparity where the bar
    breaks off, to half a pixel. Their confidence is for the caller to leave as low as that of the wall was.

    disparity: (H, W) px, complete. confidence: (H, W) in 0..1. left: (H, W, 3) uint8 RGB. See `continued_by_color`.
    """
    columns = np.arange(disparity.shape[1], dtype=np.float32)
    sure = (disparity <= columns) & (confidence > _SURE)
    if not sure.any():
        return disparity
    end = max(int(disparity[sure].max()), 0) + _BESIDE_PX + 1  # beyond, the right view shows all that is sure
    seen = np.where(sure, disparity, np.float32(np.nan))[:, :end]
    other = continued_by_color(disparity[:, :end], seen, left[:, :end], touching=_TOUCHING)
    joined = disparity.copy()
    np.copyto(joined[:, :end], other, where=columns[:end] < other)  # not where it is NaN
    return joined


def continued_by_color(disparity: FloatMap, seen: FloatMap, left: Image, *, touching: float = 0.0) -> FloatMap:
    """Find where another surface than that of a map goes on in the strip that only the left view shows.

    disparity: (H, W) px, complete. seen: (H, W) px, what is known, NaN elsewhere; the strip lies left of the first of
    them in a row. left: (H, W, 3) uint8 RGB. touching: how many pixels that touch what is seen, for each of its rows, a
    part must have to be changed.

    Returns the other surface's disparity (H, W) px, NaN where the map may stay. The other surface is the one that is
    reached with the least change of colour from pixel to pixel (a watershed, Meyer 1992). It is taken if its colours
    explain a part of the strip better than those of the map's surface do.
    """
    other = np.full(disparity.shape, np.nan, np.float32)
    strip = ~np.logical_or.accumulate(np.isfinite(seen), axis=1)
    columns = int(strip.sum(axis=1).max())
    if columns == 0 or strip.all():
        return other
    colors = cv2.medianBlur(np.ascontiguousarray(left[:, : columns + _BESIDE_PX]), _SMOOTH_PX)
    flooded = _flooded(colors[:, : columns + 1], seen[:, : columns + 1])[:, :columns]
    tones = _tones(colors)
    unlike = strip[:, :columns] & (np.abs(flooded - disparity[:, :columns]) > _UNLIKE_PX)
    beside = cv2.dilate(np.isfinite(seen[:, : columns + 1]).view(np.uint8), np.ones((3, 3)))[:, :columns] > 0
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(unlike.astype(np.uint8), connectivity=4)
    for label in range(1, count):
        x, y, width, height, area = boxes[label].tolist()
        if area < _LEAST_PX:
            continue
        frame = slice(y, y + height), slice(x, x + width)
        part = labels[frame] == label
        if np.count_nonzero(beside[frame] & part) < touching * height:
            continue
        values = [float(np.median(surface[frame][part])) for surface in (disparity, flooded)]
        around = slice(max(y - _ABOVE_PX, 0), y + height + _ABOVE_PX), slice(x + width + _BESIDE_PX)
        if _gain(tones[frame][part], tones[around], seen[:, : tones.shape[1]][around], *values) > _NATS:
            other[frame][part] = flooded[frame][part]
    return other


def _flooded(colors: Image, seen: FloatMap) -> FloatMap:
    """`seen`, its holes filled from where the colours (H, W, 3) uint8 change least on the way; both (H, W) px.

    NaN where the flood does not get to.
    """
    least = np.nanmin(seen, initial=np.inf)
    levels = np.where(np.isfinite(seen), np.rint((seen - least) * _LEVELS) + 1, 0).astype(np.int32)
    # a watershed marks the outermost pixels, and those between two levels, as dams
    levels = cv2.copyMakeBorder(levels, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    cv2.watershed(cv2.copyMakeBorder(colors, 1, 1, 1, 1, cv2.BORDER_REPLICATE), levels)
    # a dam takes the nearest surface beside it; what dams close off stays unknown
    levels = np.where(levels > 0, levels, cv2.dilate(levels.astype(np.float32), np.ones((3, 3))))[1:-1, 1:-1]
    return np.where(levels > 0, (levels - 1) / _LEVELS + least, np.nan).astype(np.float32)


def _tones(colors: Image) -> NDArray[np.int32]:
    """The bin of each colour (H, W, 3) uint8 RGB in a histogram of YCbCr; (H, W)."""
    y, cr, cb = ((c.astype(np.int32) * _BINS) >> 8 for c in cv2.split(cv2.cvtColor(colors, cv2.COLOR_RGB2YCrCb)))
    return (y * _BINS + cr) * _BINS + cb


def _gain(part: NDArray, tones: NDArray, seen: FloatMap, now: float, then: float) -> float:
    """How much likelier the tones (N,) of a part are on another surface: mean of the pixels, nats; 0 if not known.

    tones, seen: (H, W), around the part. now, then: disparity px of the surface that it has, and of the other.
    """
    reach = max(_OF_SURFACE_PX, _OF_SURFACE * abs(now - then))
    samples = [tones[np.abs(seen - value) < reach] for value in (now, then)]
    if min(map(len, samples)) < _LEAST_SEEN:
        return 0.0
    has, other = (np.log(_histogram(sample)[part] + _UNSEEN) for sample in samples)
    return float(np.mean(other - has))


def _histogram(tones: NDArray) -> FloatMap:
    """Share of each bin, blurred a little, since a surface has shades between those that are seen; (BINS^3,)."""
    counts = np.bincount(tones, minlength=_BINS**3).astype(np.float32).reshape((_BINS,) * 3)
    for _ in range(3):  # one axis after the other, until the first is the first again
        counts = cv2.GaussianBlur(counts.reshape(_BINS, -1), (1, 7), 1.0).reshape((_BINS,) * 3).transpose(1, 2, 0)
        counts = np.ascontiguousarray(counts)
    return (counts / len(tones)).ravel()
