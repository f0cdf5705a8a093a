"""From what the matcher is sure of to a disparity for every pixel.

In numpy: a compiled loop would be faster here, but loading numba takes 0.3 s, longer than all else on a small pair.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.bands import for_bands
from depthapps.geometry import fill_background
from depthapps.scene import FloatMap, Image

# Over 26 real pairs radii of 6 to 12, strides of 2 to 6, bands of 1 to 4 px and jumps of 1 to 3 px differ by less than
# 0.3 % of bad pixels; leaving the band out costs 0.6 %.
MEDIAN_RADIUS_PX = 6
MEDIAN_STRIDE_PX = 3
EDGE_BAND_PX = 2  # matching windows, and the paths of the matcher, carry edges of near things this far out
EDGE_JUMP_PX = 1.5
COLOR_GAMMA = 30.0  # summed over three channels of 0..255, that is 10 a channel, as in PatchMatch stereo
BISECTIONS = 8  # narrow a range of 100 px to 0.4 px
_BAND_PIXELS = 2000  # filled at a time, with 25 samples each: stays in the cache


def complete(disparity: FloatMap, guide: Image) -> FloatMap:
    """Fill the holes (NaN) of a disparity map (H, W) px, guided by its picture (H, W, 3) uint8.

    Background first: each hole takes the farther of its two known neighbours on the row. What is filled, and what is
    near a depth edge, is then put right by the picture's edges: see `snap_edges`.
    """
    return snap_edges(fill_background(disparity), guide, np.isnan(disparity))


def snap_edges(disparity: FloatMap, guide: Image, doubtful: NDArray[np.bool_] | None = None) -> FloatMap:
    """Move the depth edges of a complete disparity map (H, W) px onto the edges of its picture (H, W, 3) uint8.

    Pixels in a narrow band around depth edges, and those that are doubtful (H, W), take the median of their
    surroundings, weighted by likeness of colour (Ma 2013); no other pixel is smoothed but by a 3x3 median, which takes
    single errors out.
    """
    kernel = np.ones((2 * EDGE_BAND_PX + 1,) * 2, np.uint8)
    jumps = np.maximum(cv2.dilate(disparity, kernel) - disparity, disparity - cv2.erode(disparity, kernel))
    chosen = jumps > EDGE_JUMP_PX
    rows, columns = np.nonzero(chosen if doubtful is None else chosen | doubtful)
    reach = MEDIAN_RADIUS_PX
    padded = np.pad(disparity, reach, mode="edge")
    colors = cv2.copyMakeBorder(guide, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    flat = padded.ravel()
    channels = [np.ascontiguousarray(colors[..., k], np.int16).ravel() for k in range(3)]
    steps = np.arange(0, 2 * reach + 1, MEDIAN_STRIDE_PX)
    samples = (steps[:, None] * padded.shape[1] + steps).ravel()  # flat offsets from a window's corner
    middle = reach * padded.shape[1] + reach
    weights = np.exp(-np.arange(3 * 255 + 1) / COLOR_GAMMA).astype(np.float32)
    out = disparity.copy()

    def band(first: int, end: int) -> None:
        y, x = rows[first:end], columns[first:end]
        corner = y * padded.shape[1] + x
        at = corner[:, None] + samples
        difference = np.zeros(at.shape, np.int16)
        for channel in channels:
            difference += np.abs(channel[at] - channel[corner + middle][:, None])
        out[y, x] = weighted_medians(flat[at], weights[difference])

    for_bands(len(rows), band, _BAND_PIXELS)
    return np.asarray(cv2.medianBlur(out, 3), np.float32)


def weighted_medians(values: NDArray[np.floating], weights: NDArray[np.floating]) -> NDArray[np.floating]:
    """Weighted median of each row of values (N, K) px, (N,): found by bisection to 1/2**BISECTIONS of the row's range.

    What is returned is the weighted mean of the values within half a pixel of it, which keeps fractions of a pixel.
    """
    half = weights.sum(axis=1) / 2
    low, high = values.min(axis=1) - np.float32(0.5), values.max(axis=1)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        below = np.einsum("nk,nk->n", weights, (values <= middle[:, None]).astype(np.float32)) < half
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    near = weights * (np.abs(values - high[:, None]) <= 0.5)
    total = near.sum(axis=1)
    mean = np.einsum("nk,nk->n", near, values) / np.maximum(total, np.float32(1e-30))
    return np.where(total > 0, mean, high)
