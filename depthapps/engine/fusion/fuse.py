"""A small network that chooses between candidate disparities, pixel by pixel, and says how sure it is.

A U-Net (Ronneberger 2015) over the clues of a pair gives a score to every candidate, to the best guess moved by up
to 1 px, and to a smooth surface of its own (coarse disparities that it corrects, raised to full size by weights as in
RAFT, Teed 2020). What is returned is the winner, averaged with the candidates within about a pixel of it, so that depth
edges stay sharp. It was trained from nothing on rendered scenes (samples/training); a score is the logit of how right
its candidate is. It still leans on the best guess and its surroundings more than on a better candidate.
"""

from __future__ import annotations

import functools
import itertools
import math
from importlib.resources import files

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.engine.fusion.clues import clues, neighbour_candidates, see_from_right

CANDIDATES = 9
_MULTIPLE = 32  # the network halves its input four times, and that is half the picture
_TILE = 832  # px, which bounds memory: 12 megapixels take 2.5 GB in all; the pages of one tile serve the next
_OVERLAP = 64
# Cameras that converge have disparities far below 0, which the network has never seen: at -100 px it believed in
# nothing (0.15 in the median on a 3D camera's photo, 0.82 when they are counted from the farthest). Rectified pairs
# reach -6.
_BEHIND_PX = 16


def fuse(
    left: Image, right: Image, guesses: list[FloatMap], known: FloatMap, from_right: FloatMap | None = None
) -> tuple[FloatMap, FloatMap]:
    """Disparity (H, W) float32 px and the confidence in it, (H, W) float32 in 0..1: how likely it is right to 1 px.

    left (H, W, 3) uint8 RGB; right (H, W) uint8 grey with the left one's rows and exposure; guesses: one to five
    complete disparity maps (H, W) px, the best one first; known (H, W): the disparities that a matcher was sure of,
    NaN elsewhere; from_right (H, W): what the right view has at its own pixels, else read off the best guess.
    """
    behind = math.ceil(-float(guesses[0].min()))
    if behind > _BEHIND_PX:
        seen = None if from_right is None else _moved_left(from_right, behind) + behind
        higher = [guess + behind for guess in guesses]
        disparity, confidence = fuse(left, _moved_left(right, behind), higher, known + behind, seen)
        return disparity - behind, confidence
    height, width = right.shape
    seen_right = see_from_right(guesses[0]) if from_right is None else from_right
    down, across = -height % _MULTIPLE, -width % _MULTIPLE

    def padded(view: NDArray) -> NDArray:
        return cv2.copyMakeBorder(view, 0, down, 0, across, cv2.BORDER_REPLICATE)

    left, right, known, seen_right = (padded(v) for v in (left, right, known, seen_right))
    candidates = stack_candidates([padded(guess) for guess in guesses], known)
    sure = np.isfinite(known).astype(np.float32)
    disparity, confidence = np.empty_like(sure), np.empty_like(sure)
    for rows, inner_rows in _tiles(height + down):
        for columns, inner_columns in _tiles(width + across):
            tile = candidates[:, rows, columns]
            seen = clues(left[rows, columns], right[rows], tile, sure[rows, columns], seen_right[rows], columns.start)
            network = fusion_network()
            network.setInput(seen[None], "clues")
            network.setInput(_to_blocks(tile), "candidates")
            inner = (_within(rows, inner_rows), _within(columns, inner_columns))
            for out, found in zip((disparity, confidence), network.forward(["disparity", "confidence"]), strict=True):
                out[inner_rows, inner_columns] = _from_blocks(np.asarray(found, np.float32))[inner]
    return disparity[:height, :width], confidence[:height, :width]


def _moved_left(view: NDArray, by: int) -> NDArray:
    """A view (H, W) without its first columns, as wide as before: the last column is repeated."""
    return cv2.copyMakeBorder(view[:, by:], 0, 0, 0, by, cv2.BORDER_REPLICATE)


def stack_candidates(guesses: list[FloatMap], known: FloatMap) -> FloatMap:
    """The network's candidates (CANDIDATES, H, W) px: the guesses, and what is known to the four sides; see `fuse`."""
    sides = neighbour_candidates(known)
    guesses = guesses + [guesses[-1]] * (CANDIDATES - len(sides) - len(guesses))
    return np.stack([*guesses, *(np.where(np.isnan(side), guesses[0], side) for side in sides)])


def _tiles(size: int) -> list[tuple[slice, slice]]:
    """Ranges that cover 0 to `size`, a multiple of _MULTIPLE: each with its surroundings, and alone."""
    count = max(1, round(size / _TILE))
    bounds = [size // _MULTIPLE * k // count * _MULTIPLE for k in range(count + 1)]
    inner = [slice(a, b) for a, b in itertools.pairwise(bounds)]
    return [(slice(max(0, i.start - _OVERLAP), min(size, i.stop + _OVERLAP)), i) for i in inner]


def _to_blocks(maps: FloatMap) -> FloatMap:
    """Maps (K, H, W) with the pixels of 2x2 blocks as a batch, (4, K, H/2, W/2)."""
    count, height, width = maps.shape
    blocks = maps.reshape(count, height // 2, 2, width // 2, 2).transpose(2, 4, 0, 1, 3)
    return np.ascontiguousarray(blocks).reshape(4, count, height // 2, width // 2)


def _from_blocks(blocks: FloatMap) -> FloatMap:
    """The one map (H, W) that `_to_blocks` made (4, 1, H/2, W/2) of."""
    height, width = blocks.shape[2:]
    return blocks.reshape(2, 2, height, width).transpose(2, 0, 3, 1).reshape(2 * height, 2 * width)


def _within(outer: slice, inner: slice) -> slice:
    return slice(inner.start - outer.start, inner.stop - outer.start)


@functools.cache
def fusion_network() -> cv2.dnn.Net:
    """The trained network, which ships with this package; to load it takes 30 ms."""
    weights = np.frombuffer((files("depthapps.engine.fusion") / "fusion.onnx").read_bytes(), np.uint8)
    return cv2.dnn.readNetFromONNX(weights, cv2.dnn.ENGINE_NEW)
