"""Choose each pixel's disparity among candidates with a small U-Net, and estimate its confidence and what is occluded.

The U-Net (Ronneberger 2015) takes the features of `clues` and scores three kinds of candidates: those that are passed
in, the best guess shifted by up to 1 px, and a smooth surface of its own. That surface is a coarse disparity map that
the network corrects and upsamples with learned weights as in RAFT (Teed 2020). A score is the logit of the probability
that its candidate is right. It has two parts: what the U-Net says, and what a second, tiny network makes of the
candidate's own evidence at the pixel, given what the U-Net makes of the surroundings. `choose_together` then chooses.
Both networks were trained on rendered scenes (samples/training).
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from importlib.resources import files
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.engine.effort import TILE_OVERLAP_PX, fusion_tile_px
from depthapps.engine.fusion.choose import choose_together, likeliest
from depthapps.engine.fusion.clues import carried_from_sides, clues, cut, neighbours_at, see_from_right
from depthapps.engine.fusion.support import lack_of_support, usual_difference
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

CANDIDATES = 9
_OUTPUTS = ["choices", "scores", "confidence", "occluded"]
_MULTIPLE = 32  # width and height must be multiples: the input is half the picture's size and is halved four times
# Converging cameras have disparities far below 0, which training did not contain: at -100 px the median confidence on a
# 3D camera's photo was 0.15. It is 0.82 if the right view is shifted so that the smallest disparity is about 0.
# Rectified pairs reach -6 px, so up to -16 px nothing is shifted.
_BEHIND_PX = 16

_unblock = Kernel(
    "depthapps.engine.fusion._kernels", "from_blocks", "float32[:,:,:,::1] int64[::1] int64 int64 float32[:,:,::1]"
)
KERNELS = (_unblock,)


class Fused(NamedTuple):
    """What the network says of each pixel, (H, W) float32.

    disparity_px: the chosen disparity.
    confidence: the probability that it is right to 1 px.
    occluded: the probability that the right view does not show the pixel's surface.
    """

    disparity_px: FloatMap
    confidence: FloatMap
    occluded: FloatMap


def fuse(
    left: Image,
    right: Image,
    guesses: list[FloatMap],
    known: FloatMap,
    from_right: FloatMap | None = None,
    *,
    choose: Literal["together", "alone", "none"] = "together",
) -> Fused:
    """Choose each pixel's disparity among candidates.

    left: (H, W, 3) uint8 RGB.
    right: (H, W) uint8 grey, aligned with the left view's rows and exposure.
    guesses: one to five complete disparity maps (H, W) px, the best one first.
    known: (H, W) px, the confirmed matches, NaN elsewhere.
    from_right: (H, W) px, the right view's complete disparity; if None, the best guess is warped into the right view.
    choose: how a candidate is chosen. together: by the network, the colours and the neighbours. alone: by what the
        network scores highest, whatever these say. none: the best guess is kept, and only judged.
    """
    behind = math.ceil(-float(guesses[0].min()))
    if behind > _BEHIND_PX:
        seen = None if from_right is None else _moved_left(from_right, behind) + behind
        higher = [guess + behind for guess in guesses]
        moved = fuse(left, _moved_left(right, behind), higher, known + behind, seen, choose=choose)
        return moved._replace(disparity_px=moved.disparity_px - behind)
    height, width = right.shape
    seen_right = see_from_right(guesses[0]) if from_right is None else from_right
    kept, sides = _distinct(guesses), carried_from_sides(known)
    usual = usual_difference(left, right, guesses[0]) if choose == "together" else 0.0
    maps = Fused(*(np.empty((height, width), np.float32) for _ in Fused._fields))
    down, across = (size + -size % _MULTIPLE for size in (height, width))  # what lies beyond repeats the last pixels
    tile_px = fusion_tile_px(height * width)  # bounds memory, since a tile reuses the memory of the one before
    for rows, inner_rows in _tiles(down, tile_px):
        right_rows, seen_rows = (cut(view, rows, slice(0, across)) for view in (right, seen_right))
        for columns, inner_columns in _tiles(across, tile_px):
            tile = _candidates_at(guesses, sides, rows, columns)
            picture, sure = cut(left, rows, columns), np.isfinite(cut(known, rows, columns)).astype(np.float32)
            seen = clues(picture, right_rows, tile, sure, seen_rows, columns.start)
            network = fusion_network()
            network.setInput(seen.picture[None], "clues")
            network.setInput(to_blocks(tile), "candidates")
            network.setInput(seen.evidence, "evidence")
            choices, scores, *judged = (np.asarray(found, np.float32) for found in network.forward(_OUTPUTS))
            if choose == "none":
                guess = tile[0]
            else:
                choices, scores = _from_blocks(choices, kept), _from_blocks(scores, kept)
                if choose == "alone":
                    guess = likeliest(choices, scores)
                else:
                    scores -= lack_of_support(picture, right_rows, choices, scores, usual, columns.start)
                    guess = choose_together(choices, scores, picture)
            inner = (_within(rows, inner_rows), _within(columns, inner_columns))
            for out, found in zip(maps, (guess, *(_from_blocks(found, [0])[:, 0] for found in judged)), strict=True):
                target = out[inner_rows, inner_columns]
                target[:] = found[inner][: target.shape[0], : target.shape[1]]
    if max(down, across) > tile_px:  # what follows for a large pair needs the memory that the network keeps: 1.1 GB
        fusion_network.cache_clear()
    return maps


def _distinct(guesses: list[FloatMap]) -> list[int]:
    """The choices that are no other choice once more, which would only take time: a guess may stand for several."""
    seen = [id(guess) for guess in guesses]
    # the network's own surface, the best guess, other guesses, and the nearest matches on four sides
    return [
        0,
        1,
        *(k + 1 for k in range(1, len(seen)) if seen[k] not in seen[:k]),
        *range(CANDIDATES - 3, CANDIDATES + 1),
    ]


def _moved_left(view: NDArray, by: int) -> NDArray:
    """Shift a view (H, W) left by `by` columns, repeating its last column."""
    return cv2.copyMakeBorder(view[:, by:], 0, 0, 0, by, cv2.BORDER_REPLICATE)


def stack_candidates(guesses: list[FloatMap], known: FloatMap) -> FloatMap:
    """The candidates (CANDIDATES, H, W) px: the guesses and the known disparities on four sides; see `fuse`."""
    return _candidates_at(guesses, carried_from_sides(known), *(slice(0, size) for size in known.shape))


def _candidates_at(guesses: list[FloatMap], sides: list[FloatMap], rows: slice, columns: slice) -> FloatMap:
    """`stack_candidates` of a tile: all those of a large picture would be most of the memory."""
    found = [cut(guess, rows, columns) for guess in guesses]
    nearby = neighbours_at(sides, rows, columns)
    found += [found[-1]] * (CANDIDATES - len(nearby) - len(found))
    return np.stack([*found, *(np.where(np.isnan(side), found[0], side) for side in nearby)])


def _tiles(size: int, tile_px: int) -> list[tuple[slice, slice]]:
    """Cut 0..size (a multiple of _MULTIPLE) into ranges; returns pairs: with the overlap, and without it."""
    count = max(1, round(size / tile_px))
    bounds = [size // _MULTIPLE * k // count * _MULTIPLE for k in range(count + 1)]
    inner = [slice(a, b) for a, b in itertools.pairwise(bounds)]
    return [(slice(max(0, i.start - TILE_OVERLAP_PX), min(size, i.stop + TILE_OVERLAP_PX)), i) for i in inner]


def to_blocks(maps: FloatMap) -> FloatMap:
    """Rearrange maps (K, H, W) into a batch (4, K, H/2, W/2), one entry for each pixel of a 2x2 block."""
    count, height, width = maps.shape
    blocks = maps.reshape(count, height // 2, 2, width // 2, 2).transpose(2, 4, 0, 1, 3)
    return np.ascontiguousarray(blocks).reshape(4, count, height // 2, width // 2)


def from_blocks(blocks: FloatMap) -> FloatMap:
    """Undo `to_blocks`: (4, K, H/2, W/2) to (K, H, W)."""
    return np.ascontiguousarray(_from_blocks(blocks, range(blocks.shape[1])).swapaxes(0, 1))


def _from_blocks(blocks: FloatMap, kept: Sequence[int]) -> FloatMap:
    """Some maps (H, N, W) of blocks (4, K, H/2, W/2), by their numbers: a pixel's candidates are near each other."""
    height, width = blocks.shape[2:]
    maps = np.empty((2 * height, len(kept), 2 * width), np.float32)
    inputs = np.ascontiguousarray(blocks), np.array(kept, np.int64)
    for_bands(height, lambda first, end: _unblock(*inputs, first, end, maps))
    return maps


def _within(outer: slice, inner: slice) -> slice:
    """The inner range, counted from the start of the outer one."""
    return slice(inner.start - outer.start, inner.stop - outer.start)


@functools.cache
def fusion_network() -> cv2.dnn.Net:
    """The trained network, which ships with this package; loading takes 30 ms."""
    weights = np.frombuffer((files("depthapps.engine.fusion") / "fusion.onnx").read_bytes(), np.uint8)
    return cv2.dnn.readNetFromONNX(weights, cv2.dnn.ENGINE_NEW)
