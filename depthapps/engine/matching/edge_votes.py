"""Move depth edges onto the picture's: near them, pixels of one colour vote for each other's disparity.

What the matchers and the network compare are windows, so near things come out too large and thin ones are frayed.
"""

from __future__ import annotations

import itertools
from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.engine.fusion.choose import choose_together
from depthapps.engine.fusion.clues import see_from_right
from depthapps.engine.fusion.support import support_costs, usual_difference
from depthapps.engine.matching.refinement import beside_edges
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

# Measured with one round on what `best` found without votes in 18 real pairs, 9 ray-cast rooms and 6 lens scenes: bad2
# 5.91, 4.70 and 3.32 %, within 3 px of depth edges 19.6, 21.9 and 13.0 %. With these constants it is 5.81, 4.48 and
# 3.18 %, and 19.2, 19.9 and 12.2 %.
# Of the samples that vote; the reach is a multiple of the stride, so that a pixel votes for itself. As many over 9 px:
# 5.82, 4.50 and 3.19 %, 81 over 16 px: 5.82, 4.48 and 3.15 %.
_REACH_PX, _STRIDE_PX = 12, 4
# Sum of the channels' differences at which a vote counts 1/e; 8 and 30: 5.83 and 5.81, 4.49 and 4.50, 3.21 and 3.18 %.
_COLOR = 15.0
_AROUND_PX = 8  # how far away the least and the largest candidate are taken from; 5 and 12 change 0.02 % at most
# Of the pixel's own disparity, as logits: with 0.5 and 2, real pairs 5.88 and 5.84 %, rooms 4.49 and 4.53, lens scenes
# 3.15 and 3.23 %.
_OWN = 1.0
_LEAST_SHARE = 0.01  # of the votes, so that the logarithm is finite; 0.001 and 0.05 change 0.01 % at most
_HIDDEN_PX = 1.0  # by which something must be nearer to hide a pixel; 0.5 and 2 change 0.004 % at most
# By how much votes against a disparity can lower its confidence. With 0, 0.3, 0.5 and 0.7 the area under its
# sparsification is 2.01, 1.94, 1.93 and 1.92 in 20 real pairs, 1.71, 1.61, 1.57 and 1.54 in 27 ray-cast rooms. A steep
# surface votes against itself a little: beside an edge a slope of 0.2 px a px lowers a confidence of 0.9 to 0.77.
_DOUBT = 0.5
# After one round the neighbours of what moved are counted anew. With 1, 2 and 3 rounds, where nothing was snapped
# before, 20 real pairs are off by more than 2 px at 5.84, 5.80 and 5.80 %, 18 rooms at 4.39, 4.32 and 4.31 % and within
# 3 px of edges at 20.2, 19.6 and 19.4 %, 24 lens scenes at 2.12, 2.09 and 2.08 %.
_ROUNDS = 2
# Where something moved by more: less changes hardly a vote. With votes everywhere again, bad0.5 and bad2 of 20 real
# pairs and 14 rooms differ by less than 0.005 %.
_MOVED_PX = 1.0
_VOTERS = np.ones((2 * _REACH_PX + 1, 2 * _REACH_PX + 1), np.uint8)  # the square in which a pixel has a vote
_WIDER = np.ones((5, 5), np.uint8)  # than `beside_edges`; with 3 or 7 px a side, bad2 differs by .02 % at most
_ROWS, _OVERLAP = 512, 64  # that are done together, and those around them: bounds memory
_BAND_PLACES = 4000  # places a task

_take_votes = Kernel(
    "depthapps.engine.matching._vote_kernels",
    "take_votes",
    "float32[::1] float32[::1] uint8[::1] uint8[::1] uint8[::1] int64[::1] int64[::1] float32[::1] float32[:,::1] "
    "int64 int64 float32[:,::1]",
)
KERNELS = (_take_votes,)


def vote_at_edges(left: Image, right: Image, disparity: FloatMap, confidence: FloatMap) -> tuple[FloatMap, FloatMap]:
    """Disparity px and confidence (H, W), with depth edges where colours and the views' match want them.

    left: (H, W, 3) uint8 RGB. right: (H, W) uint8 grey. disparity: (H, W) px, float32 and finite. confidence: (H, W)
    float32, 0 to 1.

    Near a depth edge a pixel has three candidates: its own disparity, and the least and the largest of eight places
    around it. The score of each is the logarithm of its share of the votes, with a bonus for its own, less how much
    worse it matches than the best of them (`support_costs`). Nothing is held against a candidate at which the right
    view would not show the pixel. `choose_together` then chooses, and averages those within about a pixel of the chosen
    one. The confidence is lowered by the votes against it. All of this is done again around what moved, and the lower
    confidence counts.
    """
    height, usual = len(disparity), usual_difference(left, right, disparity)
    least, due = confidence, np.ones(disparity.shape, np.bool_)
    for _ in range(_ROUNDS):
        voted, sure = np.empty_like(disparity), np.empty_like(confidence)
        for first in range(0, height, _ROWS):
            end = min(first + _ROWS, height)
            rows = slice(max(0, first - _OVERLAP), min(height, end + _OVERLAP))
            inner = slice(first - rows.start, end - rows.start)
            found = _voted(left[rows], right[rows], disparity[rows], confidence[rows], due[rows], usual)
            voted[first:end], sure[first:end] = (each[inner] for each in found)
        moved = (np.abs(voted - disparity) > _MOVED_PX).view(np.uint8)
        due = cv2.dilate(moved, _VOTERS).view(np.bool_)
        disparity, least = voted, np.minimum(least, sure)
    return disparity, least


def _voted(
    left: Image, right: Image, disparity: FloatMap, confidence: FloatMap, due: NDArray[np.bool_], usual: float
) -> tuple[FloatMap, FloatMap]:
    """`vote_at_edges` of some rows, where a vote is due. usual: see `usual_difference`."""
    width = disparity.shape[1]
    near = cv2.dilate(beside_edges(disparity).view(np.uint8), _WIDER).view(np.bool_) & due
    y, x = np.nonzero(near)
    candidates = _candidates(disparity, y, x)
    shares = _shares_of_votes(left, disparity, confidence, y, x, candidates)
    logits = np.log(shares + np.float32(_LEAST_SHARE))
    logits[:, 0] += np.float32(_OWN)
    choices = np.repeat(disparity[:, None], candidates.shape[1], axis=1)
    choices[y, :, x] = candidates
    against = support_costs(left, right, choices, 0)[y, :, x] / np.float32(1 + usual)
    landing = np.rint(x[:, None] - candidates).astype(np.int32)
    nearest = see_from_right(disparity)[y[:, None], landing.clip(0, width - 1)]
    shown = (landing >= 0) & (landing < width) & (nearest <= candidates + _HIDDEN_PX)
    scores = np.zeros_like(choices)
    scores[y, :, x] = logits - np.where(shown, against, np.float32(0))
    voted, sure = np.where(near, choose_together(choices, scores, left), disparity), confidence.copy()
    chosen = np.abs(candidates - voted[y, x, None]).argmin(axis=1)
    sure[y, x] *= 1 - np.float32(_DOUBT) * (1 - shares[np.arange(len(y)), chosen])
    return voted, sure


def _candidates(disparity: FloatMap, y: np.ndarray, x: np.ndarray) -> FloatMap:
    """The disparity (N, 3) px of N pixels, and the least and the largest of eight places around each."""
    away, aslant = _AROUND_PX, round(_AROUND_PX / 2**0.5)
    padded = np.pad(disparity, away, mode="edge")
    sides = [(0, away), (away, 0), (0, -away), (-away, 0), *itertools.product((-aslant, aslant), repeat=2)]
    places = (y + away) * padded.shape[1] + x + away
    around = [padded.ravel()[places + (down * padded.shape[1] + across)] for down, across in sides]
    return np.stack([disparity[y, x], reduce(np.minimum, around), reduce(np.maximum, around)], axis=1)


def _shares_of_votes(
    left: Image, disparity: FloatMap, confidence: FloatMap, y: np.ndarray, x: np.ndarray, candidates: FloatMap
) -> FloatMap:
    """The share (N, K) of the votes around N pixels for each of their candidates (N, K) px.

    A vote is for a candidate within 1 px of the disparity of the pixel that gives it. It counts exp(-d / _COLOR), for
    a difference d between the colours of the two pixels, times its confidence.
    """
    reach = _REACH_PX
    padded, trust = (np.pad(m, reach, mode="edge").astype(np.float32, copy=False) for m in (disparity, confidence))
    colors = cv2.copyMakeBorder(left, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    channels = [np.ascontiguousarray(colors[..., k]).ravel() for k in range(3)]
    steps = np.arange(-reach, reach + 1, _STRIDE_PX)
    samples = (steps[:, None] * padded.shape[1] + steps).ravel()
    likeness = np.exp(-np.arange(3 * 255 + 1) / _COLOR).astype(np.float32)
    places = (y + reach) * padded.shape[1] + x + reach
    shares = np.empty(candidates.shape, np.float32)
    inputs = (padded.ravel(), trust.ravel(), *channels, places, samples, likeness, np.ascontiguousarray(candidates))
    for_bands(len(y), lambda first, end: _take_votes(*inputs, first, end, shares), _BAND_PLACES)
    return shares
