"""Fill the holes of a disparity map and move its depth edges onto the edges of its picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.filling import fill_background
from depthapps.core.scene import FloatMap, Image
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

# Over 26 real pairs radii of 6 to 12 px, strides of 2 to 6 px, bands of 1 to 4 px and jumps of 1 to 3 px differ by less
# than 0.3 % of bad pixels; without the band there are 0.6 % more.
MEDIAN_RADIUS_PX = 6
MEDIAN_STRIDE_PX = 3
EDGE_BAND_PX = 2  # the matcher's windows and paths spread near surfaces this far beyond their edges
EDGE_JUMP_PX = 1.5
COLOR_GAMMA = 30.0  # colour difference for a weight of 1/e: sum over three channels, 10 each as in PatchMatch stereo
_WEIGHT = 1000  # weight of a sample of equal colour
_BAND_PLACES = 4000  # medians a task

_take_medians = Kernel(
    "depthapps.engine.matching._refinement_kernels",
    "take_medians",
    "float32[::1] uint8[::1] uint8[::1] uint8[::1] int64[::1] int64[::1] int32[::1] int64 int64 float32[::1] "
    "int32[::1] int32[::1] float32[::1]",
)
KERNELS = (_take_medians,)


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
    Edges that stereo puts farther out as a whole are left to `edge_votes`, and to `depthapps.bokeh.edges.snap_edges`.
    """
    chosen = beside_edges(disparity)
    reach = MEDIAN_RADIUS_PX
    padded = np.ascontiguousarray(np.pad(disparity, reach, mode="edge"), np.float32)
    colors = cv2.copyMakeBorder(guide, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    channels = [np.ascontiguousarray(colors[..., k]).ravel() for k in range(3)]
    del colors  # of large pictures, half of the memory that this takes
    places = np.flatnonzero(np.pad(chosen if doubtful is None else chosen | doubtful, reach))
    steps = np.arange(-reach, reach + 1, MEDIAN_STRIDE_PX)
    lattice = (steps[:, None] * padded.shape[1] + steps).ravel()  # offsets in the flattened picture
    samples = np.ascontiguousarray(lattice[1::2] if fast else lattice)
    weights = np.rint(_WEIGHT * np.exp(-np.arange(3 * 255 + 1) / COLOR_GAMMA)).astype(np.int32)
    out = padded.copy()
    inputs = (padded.ravel(), *channels, places, samples, weights)

    def band(first: int, end: int) -> None:
        scratch = (np.empty(len(samples), kind) for kind in (np.float32, np.int32, np.int32))
        _take_medians(*inputs, first, end, *scratch, out.ravel())

    for_bands(len(places), band, _BAND_PLACES)
    return np.asarray(cv2.medianBlur(out[reach:-reach, reach:-reach], 3), np.float32)


def beside_edges(disparity: FloatMap) -> NDArray[np.bool_]:
    """Mask (H, W) of the pixels whose disparity differs by over EDGE_JUMP_PX from one within EDGE_BAND_PX."""
    kernel = np.ones((2 * EDGE_BAND_PX + 1,) * 2, np.uint8)
    jumps = np.maximum(cv2.dilate(disparity, kernel) - disparity, disparity - cv2.erode(disparity, kernel))
    return jumps > EDGE_JUMP_PX
