"""Compute the fusion network's input features: each pixel's candidate disparities and how well they match.

The network was trained on exactly these features, so a change here needs new training (samples/training).
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.filling import carry_down, fill_background
from depthapps.core.scene import FloatMap, Image
from depthapps.runtime.threads import for_bands

REACH_PX = 6  # least distance of the pixels that the four neighbour candidates are taken from
_SIDES = ((0, -1), (0, 1), (-1, 0), (1, 0))  # steps down and across to the left, the right, above and below
_LOCAL_MEAN_PX = 9  # side of the window
_COST_CAP = 40.0  # grey levels
_COST_UNIT = 16.0  # grey levels that become 1 in the network's input
_AGREEMENT_UNITS = 4  # steps a pixel
EVIDENCE = 6  # maps a candidate
_SURROUNDINGS_PX = 33  # side of the window of the local mean disparity
# Shading is all that plain walls have. A copy of a quarter of the size has a quarter of their noise, four times the
# gradients, and its local mean spans 68 px of the views.
_SHADING_TIMES = 4
_SHADING_MEAN_PX = 17  # sides of windows in the small copy
_SHADING_COST_PX = 5
_SHADING_UNIT = 4.0  # grey levels that become 1 in the network's input


def neighbour_candidates(disparity: FloatMap) -> list[FloatMap]:
    """For every pixel the nearest known disparity at least REACH_PX to its left, right, above and below.

    disparity: (H, W) px, NaN = unknown. Returns four maps (H, W) px, NaN where no disparity is known in that direction.
    """
    return neighbours_at(carried_from_sides(disparity), *map(slice, disparity.shape))


def carried_from_sides(disparity: FloatMap) -> list[FloatMap]:
    """For every pixel the nearest known disparity at it or to its left, right, above and below; four maps (H, W) px.

    Where all are known the maps are the disparity itself, and take no memory.
    """
    if not np.isnan(disparity).any():
        return [disparity] * len(_SIDES)
    return [
        carry_down(disparity.T).T,
        carry_down(disparity.T[::-1])[::-1].T,
        carry_down(disparity),
        carry_down(disparity[::-1])[::-1],
    ]


def neighbours_at(carried: list[FloatMap], rows: slice, columns: slice) -> list[FloatMap]:
    """`neighbour_candidates` of a tile, from the maps of `carried_from_sides`; the tile may reach beyond them."""
    found = []
    for side, (down, across) in zip(carried, _SIDES, strict=True):
        last_row, last_column = side.shape[0] - 1, side.shape[1] - 1
        moved = (
            np.clip(np.r_[rows] + down * REACH_PX, 0, last_row),
            np.clip(np.r_[columns] + across * REACH_PX, 0, last_column),
        )
        found.append(side[np.ix_(*moved)])
    return found


def see_from_right(disparity: FloatMap) -> FloatMap:
    """Warp the left view's complete disparity map (H, W) px into the right view, with a z-buffer and holes filled."""
    height, width = disparity.shape
    seen = np.full((height, width), np.nan, np.float32)

    def see(first: int, end: int) -> None:
        rows, columns = np.indices((end - first, width), np.int32)
        landing = np.rint(columns - disparity[first:end]).astype(np.int32)
        inside = (landing >= 0) & (landing < width)
        np.fmax.at(seen[first:end].ravel(), (rows * width + landing)[inside], disparity[first:end][inside])

    for_bands(height, see)
    return fill_background(seen)


class Clues(NamedTuple):
    """The network's inputs, float32. The pixels of 2x2 blocks become channels of the first, a batch of the second.

    picture: (C, H/2, W/2), what the U-Net sees: the left view and the best guess; of each candidate the means over
        blocks of what tells it from the best guess.
    evidence: (4, K · EVIDENCE, H/2, W/2), for each candidate alike, what speaks for it at the very pixel.
    """

    picture: FloatMap
    evidence: FloatMap


def clues(
    left: Image, right: Image, candidates: FloatMap, known: FloatMap, from_right: FloatMap, first_column: int = 0
) -> Clues:
    """The network's inputs for a picture or a tile.

    H, W and first_column are multiples of 4.
    left: (H, W, 3) uint8 RGB, a tile that starts at `first_column`.
    right: (H, any width) uint8 grey, aligned with the left view's rows and exposure, from column 0 on.
    candidates: (K, H, W) px, the best guess first.
    known: (H, W), 1 where the best guess is a confirmed match, 0 where it was filled in.
    from_right: disparity px of the right view's pixels, same shape as right.
    """
    height, width = known.shape
    x = np.arange(first_column, first_column + width, dtype=np.float32)
    y = np.repeat(np.arange(height, dtype=np.float32)[:, None], width, axis=1)
    left_detail = _detail(cv2.cvtColor(left, cv2.COLOR_RGB2GRAY))
    right_detail = _detail(right)
    guess, count = candidates[0], len(candidates)
    halved = np.empty((3 * count - 2, height // 2, width // 2), np.float32)
    evidence = np.empty((4, count, EVIDENCE, height // 2, width // 2), np.float32)
    shading = _shading_costs(left, right, candidates, first_column)

    def landed(seen: FloatMap, disparity: FloatMap, interpolation: int) -> FloatMap:
        return np.asarray(cv2.remap(seen, x - disparity, y, interpolation, borderMode=cv2.BORDER_REPLICATE), np.float32)

    def difference(disparity: FloatMap) -> FloatMap:
        return np.clip(landed(right_detail, disparity, cv2.INTER_LINEAR) - left_detail, -_COST_CAP, _COST_CAP)

    def mean_cost(costs: FloatMap, window_px: int = 3) -> FloatMap:
        return np.asarray(cv2.blur(costs, (window_px, window_px)), np.float32) / _COST_UNIT

    def nearer_there(disparity: FloatMap) -> FloatMap:
        """Right view's disparity at the match minus `disparity`. Above 0: something nearer may occlude the pixel in the
        right view. Below 0: the pixel would occlude what the right view sees there."""
        return _squashed(landed(from_right, disparity, cv2.INTER_NEAREST) - disparity)

    cost, agreeing = mean_cost(np.abs(difference(guess))), _agreement(candidates)

    def describe(first: int, end: int) -> None:
        for k in range(first, end):
            candidate = candidates[k]
            costs, apart, nearer = np.abs(difference(candidate)), _squashed(candidate - guess), nearer_there(candidate)
            match = mean_cost(costs)
            maps = (apart, match, mean_cost(costs, _LOCAL_MEAN_PX), nearer, agreeing[k] / np.float32(count))
            for n, value in enumerate(maps):
                evidence[:, k, n] = _blocks(value)
            evidence[:, k, -1] = _twice(shading[k])
            halved[2 * count - 2 + k] = _halved(nearer)
            if k:
                halved[2 * k - 2], halved[2 * k - 1] = _halved(apart), _halved(match - cost)

    for_bands(count, describe, 1)
    around = np.asarray(cv2.blur(guess, (_SURROUNDINGS_PX, _SURROUNDINGS_PX)), np.float32)
    full = [left[..., k].astype(np.float32) / 128 - 1 for k in range(3)]
    full += [difference(guess) / _COST_UNIT, known - np.float32(0.5), cost, _squashed(guess - around)]
    full += [mean_cost(np.abs(difference(guess + step))) - cost for step in (-1, 1)]
    shading[1:] -= shading[0]
    where = np.stack([guess[::2, ::2] / 64 - 1, np.clip((x - guess) / 16, -1, 1)[::2, ::2]])
    picture = np.concatenate([*(_blocks(value) for value in full), halved, where, _twice(shading)])
    return Clues(picture, evidence.reshape(4, count * EVIDENCE, height // 2, width // 2))


def _agreement(candidates: FloatMap) -> NDArray[np.uint8]:
    """How many of the other candidates are within 1 px of each, (K, H, W)."""
    units = np.clip(candidates * _AGREEMENT_UNITS, -(2**14), 2**14).astype(np.int16)
    agreeing = np.zeros(candidates.shape, np.uint8)
    for j, k in itertools.combinations(range(len(candidates)), 2):
        near = np.abs(units[j] - units[k]) <= _AGREEMENT_UNITS
        agreeing[j] += near
        agreeing[k] += near
    return agreeing


def _blocks(full: FloatMap) -> FloatMap:
    """The four pixels of the 2x2 blocks of a map (H, W), (4, H/2, W/2)."""
    height, width = full.shape
    return full.reshape(height // 2, 2, width // 2, 2).transpose(1, 3, 0, 2).reshape(4, height // 2, width // 2)


def _halved(full: FloatMap) -> FloatMap:
    """Means over 2x2 blocks of a map (H, W), (H/2, W/2)."""
    return np.asarray(cv2.resize(full, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)


def _twice(maps: FloatMap) -> FloatMap:
    """Maps (..., h, w) of twice the size."""
    return maps.repeat(2, axis=-2).repeat(2, axis=-1)


def _shading_costs(left: Image, right: Image, candidates: FloatMap, first_column: int) -> FloatMap:
    """How well small copies of the views match: each candidate's cost (K, H/4, W/4).

    H, W and first_column are multiples of 4; see `clues` for the rest.
    """
    times = _SHADING_TIMES

    def small_detail(grey: Image) -> FloatMap:
        size = (grey.shape[1] // times, grey.shape[0] // times)
        small = np.asarray(cv2.resize(grey.astype(np.float32), size, interpolation=cv2.INTER_AREA))
        return _detail(small, _SHADING_MEAN_PX)

    detail, other = small_detail(cv2.cvtColor(left, cv2.COLOR_RGB2GRAY)), small_detail(right)
    height, width = detail.shape
    x = np.arange(first_column // times, first_column // times + width, dtype=np.float32)
    y = np.repeat(np.arange(height, dtype=np.float32)[:, None], width, axis=1)
    costs, window = np.empty((len(candidates), height, width), np.float32), (_SHADING_COST_PX, _SHADING_COST_PX)
    for cost, candidate in zip(costs, candidates, strict=True):
        at = x - candidate[times // 2 :: times, times // 2 :: times] / times
        seen = cv2.remap(other, at, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        cost[:] = cv2.blur(np.minimum(np.abs(seen - detail), _COST_CAP), window) / _SHADING_UNIT
    return costs


def _detail(grey: Image | FloatMap, window_px: int = _LOCAL_MEAN_PX) -> FloatMap:
    """A grey picture minus its local mean, float32 levels: exposure differences change it little."""
    levels = grey.astype(np.float32)
    return levels - cv2.blur(levels, (window_px, window_px))


def _squashed(disparity: FloatMap) -> FloatMap:
    """Compress disparity differences d px to the range -2..2: d / 4 near zero, ±2 for large d."""
    return np.asarray(disparity / (4 + np.abs(disparity) / 2), np.float32)
