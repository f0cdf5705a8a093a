"""Values for what is unknown: the farther neighbour for depth, smooth colours for pictures."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap


def fill_background(disparity: FloatMap) -> FloatMap:
    """(H, W) disparity or inverse depth with NaN holes -> the same without: the farther known neighbour on the row.

    A hole in a stereo map is mostly background that one of the views cannot see, so of the known values that end it
    on the left and on the right the smaller, farther one is right (Hirschmüller 2008). A row with no value at all
    takes the nearest row that has one. All NaN comes back as it is.
    """
    known = np.isfinite(disparity)
    if known.all() or not known.any():
        return np.array(disparity, np.float32)
    columns = np.where(known, disparity, np.float32(np.nan)).T
    filled = np.fmin(carry_down(columns), carry_down(columns[::-1])[::-1]).T
    full = np.flatnonzero(known.any(axis=1))
    nearest = full[np.abs(np.arange(len(disparity))[:, None] - full[None, :]).argmin(axis=1)]
    return np.where(known, disparity, filled[nearest]).astype(np.float32)


def carry_down(values: FloatMap) -> FloatMap:
    """(H, W) values with each NaN replaced by the last known value above it, as float32; NaN where none is.

    A loop over rows, which are short work for numpy each: ten times as fast as an index of the last known value.
    """
    carried = np.array(values, np.float32, order="C")
    for above, row, unknown in zip(carried, carried[1:], np.isnan(carried)[1:], strict=False):
        np.copyto(row, above, where=unknown)
    return carried


def push_pull(values: NDArray[np.floating], weight: FloatMap) -> NDArray[np.floating]:
    """Values (H, W, C) that go on smoothly where they are not known, float32: means over ever larger surroundings.

    weight: (H, W) in 0..1, how well each is known; one that is known by 1 stays as it is. Weighted means are pulled up
    a pyramid, each level half as large, down to one cell, and pushed back to where the weight does not reach 1 (Gortler
    et al. 1996). A cell's weight is the sum of those below it, at most 1: what is known best fills its surroundings.
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
