"""Fill in unknown values: depth from the farther neighbour, colours by smooth interpolation."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap

_BAND_ROWS = 512  # bounds the memory of large maps


def fill_background(disparity: FloatMap) -> FloatMap:
    """Fill the NaN holes of a disparity or inverse depth (H, W) with the farther known neighbour in the same row.

    A hole in a stereo map is mostly background that one of the views cannot see. So of the known values to its left and
    right, the smaller one is right, as it is farther (Hirschmüller 2008). A row without any value is copied from the
    nearest row that has one. A map of NaN only is returned as it is.
    """
    known = np.isfinite(disparity)
    filled = np.array(disparity, np.float32, order="C")
    if known.all() or not known.any():
        return filled
    for first in range(0, len(disparity), _BAND_ROWS):
        _fill_rows(filled[first : first + _BAND_ROWS], ~known[first : first + _BAND_ROWS])
    full, empty = np.flatnonzero(known.any(axis=1)), np.flatnonzero(~known.any(axis=1))
    after = np.searchsorted(full, empty)
    above, below = full[np.maximum(after - 1, 0)], full[np.minimum(after, len(full) - 1)]
    filled[empty] = filled[np.where(np.abs(empty - above) <= np.abs(below - empty), above, below)]
    return filled


def _fill_rows(values: FloatMap, unknown: NDArray[np.bool_]) -> None:
    """Give unknown values (H, W) the smaller of the known ones at the ends of their run in the row, in place.

    A row without any becomes NaN. Only unknown values are looked at, of which there are few.
    """
    flat, width = values.ravel(), values.shape[1]  # a view, as the rows lie one after the other
    places = np.flatnonzero(unknown)
    first = np.flatnonzero((np.diff(places, prepend=-1) != 1) | (places % width == 0))  # of each run
    lengths = np.diff(first, append=len(places))
    starts, ends = places[first], places[first] + lengths
    before = np.where(starts % width > 0, flat[starts - 1], np.float32(np.nan))
    after = np.where(ends % width > 0, flat[np.minimum(ends, flat.size - 1)], np.float32(np.nan))
    flat[places] = np.repeat(np.fmin(before, after), lengths)


def carry_down(values: FloatMap) -> FloatMap:
    """Replace each NaN of (H, W) values by the last known value above it, as float32; NaN stays where there is none.

    The loop over rows does little work per row in numpy. It is ten times as fast as computing for each pixel the index
    of the last known value.
    """
    carried = np.array(values, np.float32, order="C")
    for above, row, unknown in zip(carried, carried[1:], np.isnan(carried)[1:], strict=False):
        np.copyto(row, above, where=unknown)
    return carried


def push_pull(values: NDArray[np.floating], weight: FloatMap) -> NDArray[np.floating]:
    """Interpolate values (H, W, C) smoothly where they are unknown, with the push-pull pyramid; returns float32.

    weight: (H, W) in 0..1, how well each value is known. A value with a weight of 1 is not changed. The pull step
    computes weighted means on a pyramid whose levels are each half as large, down to one cell. The push step goes back
    and fills in the coarser level where the weight is below 1 (Gortler et al. 1996). The weight of a cell is the sum of
    the weights below it, at most 1, so the values that are known best fill their surroundings.
    """
    levels = [(values * weight[..., None], weight)]
    while max(levels[-1][1].shape) > 1:
        sums, known = levels[-1]
        size = ((sums.shape[1] + 1) // 2, (sums.shape[0] + 1) // 2)
        sums, known = (4 * cv2.resize(m, size, interpolation=cv2.INTER_AREA) for m in (sums, known))
        full = np.minimum(1, 1 / np.maximum(known, 1e-6))
        levels.append((sums * full[..., None], known * full))
    sums, known = levels.pop()
    filled = sums / np.maximum(known, 1e-6)[..., None]
    for sums, known in reversed(levels):
        coarse = cv2.resize(filled, (sums.shape[1], sums.shape[0]), interpolation=cv2.INTER_LINEAR)
        filled = sums + coarse * (1 - known)[..., None]
    return filled.astype(np.float32)


def calm_weight(linear: NDArray[np.floating]) -> FloatMap:
    """Weights (H, W) for mean colours, so that a lamp far brighter than white does not dominate the mean."""
    brightness = linear.sum(axis=2)
    return 1 / (1 + brightness * brightness)
