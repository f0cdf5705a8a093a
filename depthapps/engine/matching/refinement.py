"""Fill the holes of a disparity map and move its depth edges onto the edges of its picture.

This is numpy code: a compiled loop would be faster, but loading numba takes 0.3 s, more than all else on a small pair.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.filling import fill_background
from depthapps.core.scene import FloatMap, Image
from depthapps.runtime.threads import for_bands

# Over 26 real pairs radii of 6 to 12 px, strides of 2 to 6 px, bands of 1 to 4 px and jumps of 1 to 3 px differ by less
# than 0.3 % of bad pixels; without the band there are 0.6 % more.
MEDIAN_RADIUS_PX = 6
MEDIAN_STRIDE_PX = 3
EDGE_BAND_PX = 2  # the matcher's windows and paths spread near surfaces this far beyond their edges
EDGE_JUMP_PX = 1.5
COLOR_GAMMA = 30.0  # colour difference for a weight of 1/e: sum over three channels, 10 each as in PatchMatch stereo
_UNITS = 4  # steps a pixel in the search for medians: 16 give no better medians and take more bisections
_WEIGHT = 1000  # weight of a sample of equal colour: the sum of 25 samples must fit into int16
_BAND_SAMPLES = 100_000  # samples a task: with fewer, threads wait for each other; with more, for memory


def complete(disparity: FloatMap, guide: Image, *, fast: bool = False) -> FloatMap:
    """Fill the holes (NaN) of a disparity map (H, W) px, guided by its picture (H, W, 3) uint8.

    Each hole first takes the farther of its two known neighbours on the row, since most holes are occluded background.
    `median_filter_edges` then corrects filled pixels and pixels near depth edges by the picture's colours.
    fast: use half of the median's samples.
    """
    return median_filter_edges(fill_background(disparity), guide, np.isnan(disparity), fast=fast)


def median_filter_edges(
    disparity: FloatMap, guide: Image, doubtful: NDArray[np.bool_] | None = None, *, fast: bool = False
) -> FloatMap:
    """Move the depth edges of a complete disparity map (H, W) px onto the edges of its picture (H, W, 3) uint8.

    Pixels in a narrow band around depth edges, and those marked as doubtful (H, W), take the median of their
    surroundings, weighted by colour similarity (Ma 2013). A 3x3 median over the whole map then removes single wrong
    pixels. fast: use half of the median's samples.
    Edges that stereo puts too far out as a whole are left to `depthapps.bokeh.edges.snap_edges`.
    """
    chosen = beside_edges(disparity)
    reach = MEDIAN_RADIUS_PX
    padded = np.pad(disparity, reach, mode="edge")
    colors = cv2.copyMakeBorder(guide, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    channels = [np.ascontiguousarray(colors[..., k]).ravel() for k in range(3)]
    del colors  # of large pictures, half of the memory that this takes
    places = np.flatnonzero(np.pad(chosen if doubtful is None else chosen | doubtful, reach))
    steps = np.arange(-reach, reach + 1, MEDIAN_STRIDE_PX)
    lattice = (steps[:, None] * padded.shape[1] + steps).reshape(-1, 1)  # offsets in the flattened picture
    samples = lattice[1::2] if fast else lattice
    weights = np.rint(_WEIGHT * np.exp(-np.arange(3 * 255 + 1) / COLOR_GAMMA)).astype(np.int16)
    out = padded.copy()

    def band(first: int, end: int) -> None:
        middle = places[first:end]
        at = middle + samples
        difference = np.zeros(at.shape, np.int16)
        for channel in channels:
            difference += np.abs(channel.take(at).astype(np.int16) - channel.take(middle))
        out.ravel()[middle] = weighted_medians(padded.take(at), weights.take(difference))

    for_bands(len(places), band, _BAND_SAMPLES // len(samples))
    return np.asarray(cv2.medianBlur(out[reach:-reach, reach:-reach], 3), np.float32)


def beside_edges(disparity: FloatMap) -> NDArray[np.bool_]:
    """Mask (H, W) of the pixels whose disparity differs by over EDGE_JUMP_PX from one within EDGE_BAND_PX."""
    kernel = np.ones((2 * EDGE_BAND_PX + 1,) * 2, np.uint8)
    jumps = np.maximum(cv2.dilate(disparity, kernel) - disparity, disparity - cv2.erode(disparity, kernel))
    return jumps > EDGE_JUMP_PX


def weighted_medians(values: FloatMap, weights: NDArray[np.int16]) -> FloatMap:
    """Weighted median (N,) of each column of values (K, N) px; the weights (K, N) of a column sum to less than 2**15.

    The median is found by bisection in steps of 1/4 px. The weighted mean of the values within half a pixel of it is
    returned, which restores subpixel precision.
    """
    lowest = values.min(axis=0)
    units = np.minimum((values - lowest) * _UNITS, 2**14).astype(np.int16)
    half = (weights.sum(axis=0, dtype=np.int16) + 1) // 2
    low, high = np.full(half.shape, -1, np.int16), units.max(axis=0)
    for _ in range(int(high.max()).bit_length()):
        middle = (low + high) >> 1
        below = (weights * (units <= middle)).sum(axis=0, dtype=np.int16) < half
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    near = (weights * (np.abs(units - high) <= _UNITS // 2)).astype(np.float32)
    total = near.sum(axis=0)
    mean = np.einsum("kn,kn->n", near, values) / np.maximum(total, np.float32(1e-30))
    return np.where(total > 0, mean, lowest + high / np.float32(_UNITS))
