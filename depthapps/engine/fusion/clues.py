"""Compute the fusion network's input features: each pixel's candidate disparities and how well they match.

The network was trained on exactly these features, so a change here needs new training (samples/training).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.filling import carry_down, fill_background
from depthapps.core.scene import FloatMap, Image
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

REACH_PX = 6  # least distance of the pixels that the four neighbour candidates are taken from
_SIDES = ((0, -1), (0, 1), (-1, 0), (1, 0))  # steps down and across to the left, the right, above and below
_LOCAL_MEAN_PX = 9  # side of the window
_MARGIN_PX = 4  # around costs, half the window in which their mean is taken
# The order of what the U-Net sees of each pixel: three colours and the best guess, see `_clue_kernels` for its costs.
_KNOWN, _AROUND, _AT_PIXELS = 4, 6, 9
_COST_CAP = 40.0  # grey levels
_COST_UNIT = 16.0  # grey levels that become 1 in the network's input
EVIDENCE = 6  # maps a candidate
_SURROUNDINGS_PX = 33  # side of the window of the local mean disparity
# Shading is all that plain walls have. A copy of a quarter of the size has a quarter of their noise, four times the
# gradients, and its local mean spans 68 px of the views.
_SHADING_TIMES = 4
_SHADING_MEAN_PX = 17  # sides of windows in the small copy
_SHADING_COST_PX = 5
_SHADING_UNIT = 4.0  # grey levels that become 1 in the network's input

_KERNELS = "depthapps.engine.fusion._clue_kernels"
_compare = Kernel(
    _KERNELS,
    "compare",
    "float32[:,::1] float32[:,::1] float32[:,::1] float32[:,:,::1] int64 float64 float64 int64 int64 float32[:,:,::1] "
    "float32[:,:,:,:,::1] float32[:,:,:,::1] float32[:,:,::1]",
)
_summarize = Kernel(
    _KERNELS,
    "summarize",
    "float32[:,:,::1] float32[:,:,::1] float64 int64 int64 float32[:,::1] int32[:,::1] float32[:,:,:,:,::1] "
    "float32[:,:,:,::1] float32[:,:,::1]",
)
_see_nearest = Kernel(_KERNELS, "see_nearest", "float32[:,::1] int64 int64 int64 float32[:,::1]")
KERNELS_OF_THE_RIGHT_VIEW = (_see_nearest,)
KERNELS = (*KERNELS_OF_THE_RIGHT_VIEW, _compare, _summarize)  # in the order in which they are needed


def neighbour_candidates(disparity: FloatMap) -> list[FloatMap]:
    """For every pixel the nearest known disparity at least REACH_PX to its left, right, above and below.

    disparity: (H, W) px, NaN = unknown. Returns four maps (H, W) px, NaN where no disparity is known in that direction.
    """
    return neighbours_at(carried_from_sides(disparity), *(slice(0, size) for size in disparity.shape))


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
        moved = slice(rows.start + down * REACH_PX, rows.stop + down * REACH_PX)
        found.append(cut(side, moved, slice(columns.start + across * REACH_PX, columns.stop + across * REACH_PX)))
    return found


def cut(view: NDArray, rows: slice, columns: slice) -> NDArray:
    """The rows and columns of a view; what lies beyond it repeats its outermost pixels. Not a copy if nothing does."""
    height, width = view.shape[:2]
    inside = view[max(rows.start, 0) : min(rows.stop, height), max(columns.start, 0) : min(columns.stop, width)]
    above, below, before, after = (
        max(pixels, 0) for pixels in (-rows.start, rows.stop - height, -columns.start, columns.stop - width)
    )
    if not (above or below or before or after):
        return inside
    return cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_REPLICATE)


def see_from_right(disparity: FloatMap) -> FloatMap:
    """Warp the left view's complete disparity map (H, W) px into the right view, with a z-buffer and holes filled."""
    return fill_background(nearest_from_right(disparity))


def nearest_from_right(disparity: FloatMap, times: int = 1) -> FloatMap:
    """The largest disparity px that each pixel of the right view shows, NaN where none lands.

    disparity: (H, W) px of the left view's pixels, NaN where unknown.
    times: how many px of the views one pixel of the result spans, (ceil(H / times), ceil(W / times)).
    """
    height, width = (-(-side // times) for side in disparity.shape)
    seen, known = np.empty((height, width), np.float32), np.ascontiguousarray(disparity, np.float32)
    for_bands(height, lambda first, end: _see_nearest(known, times, first, end, seen))
    return seen


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
    guess, count, shape = candidates[0], len(candidates), (height // 2, width // 2)
    views = (_detail(cv2.cvtColor(left, cv2.COLOR_RGB2GRAY)), _detail(right), np.ascontiguousarray(from_right))
    candidates, shading = np.ascontiguousarray(candidates), _shading_costs(left, right, candidates, first_column)
    costs = np.empty((count + 2, height + 2 * _MARGIN_PX, width + 2 * _MARGIN_PX), np.float32)
    evidence, halved = np.empty((4, count, EVIDENCE, *shape), np.float32), np.empty((count, 3, *shape), np.float32)
    picture = np.empty((4 * _AT_PIXELS + 4 * count, *shape), np.float32)

    def compare(first: int, end: int) -> None:
        limits = first_column, _COST_CAP, _COST_UNIT
        _compare(*views, candidates, *limits, first, end, costs, evidence, halved, picture)

    def summarize(first: int, end: int) -> None:
        scratch = np.empty((6, costs.shape[2]), np.float32), np.empty((count, width), np.int32)
        _summarize(costs, candidates, _COST_UNIT, first, end, *scratch, evidence, halved, picture)

    for_bands(len(picture[0]), compare)
    _mirror(costs)
    for_bands(len(picture[0]), summarize)
    evidence[:, :, -1] = _twice(shading)
    around = np.asarray(cv2.blur(guess, (_SURROUNDINGS_PX, _SURROUNDINGS_PX)), np.float32)
    at_pixels = {k: left[..., k].astype(np.float32) / 128 - 1 for k in range(3)}
    at_pixels |= {_KNOWN: known - np.float32(0.5), _AROUND: _squashed(guess - around)}
    for k, values in at_pixels.items():
        picture[4 * k : 4 * k + 4] = _blocks(values)
    apart, nearer, worse = halved.swapaxes(0, 1)
    at_blocks, others = picture[4 * _AT_PIXELS :], 2 * (count - 1)
    at_blocks[0:others:2], at_blocks[1:others:2] = apart[1:], worse[1:]  # of the best guess they are 0
    at_blocks[others : others + count] = nearer
    x = np.arange(first_column, first_column + width, 2, dtype=np.float32)
    at_blocks[others + count] = guess[::2, ::2] / 64 - 1
    at_blocks[others + count + 1] = np.clip((x - guess[::2, ::2]) / 16, -1, 1)
    shading[1:] -= shading[0]
    at_blocks[3 * count :] = _twice(shading)
    return Clues(picture, evidence.reshape(4, count * EVIDENCE, *shape))


def _mirror(maps: FloatMap) -> None:
    """Fill the margins of maps (K, H, W) with what lies beside them inside, the outermost pixels not repeated."""
    margin = _MARGIN_PX
    for view in (maps, maps.swapaxes(1, 2)):
        view[:, :margin] = view[:, 2 * margin : margin : -1]
        view[:, -margin:] = view[:, -margin - 2 : -2 * margin - 2 : -1]


def _blocks(full: FloatMap) -> FloatMap:
    """The four pixels of the 2x2 blocks of a map (H, W), (4, H/2, W/2)."""
    height, width = full.shape
    return full.reshape(height // 2, 2, width // 2, 2).transpose(1, 3, 0, 2).reshape(4, height // 2, width // 2)


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
