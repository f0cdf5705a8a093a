"""Compute the fusion network's input features: each pixel's candidate disparities and how well they match.

The network was trained on exactly these features, so a change here needs new training (samples/training).
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from depthapps.core.filling import carry_down, fill_background
from depthapps.core.scene import FloatMap, Image
from depthapps.runtime.threads import for_bands

REACH_PX = 6  # least distance of the pixels that the four neighbour candidates are taken from
_LOCAL_MEAN_PX = 9  # side of the window
_COST_CAP = 40.0  # grey levels
_COST_UNIT = 16.0  # grey levels that become 1 in the network's input
_SURROUNDINGS_PX = 33  # side of the window of the local mean disparity


def neighbour_candidates(disparity: FloatMap) -> list[FloatMap]:
    """For every pixel the nearest known disparity at least REACH_PX to its left, right, above and below.

    disparity: (H, W) px, NaN = unknown. Returns four maps (H, W) px, NaN where no disparity is known in that direction.
    """
    return [
        _from_above(disparity.T).T,
        _from_above(disparity.T[::-1])[::-1].T,
        _from_above(disparity),
        _from_above(disparity[::-1])[::-1],
    ]


def _from_above(disparity: FloatMap) -> FloatMap:
    """The nearest known disparity at least REACH_PX above every pixel, (H, W) px."""
    carried = carry_down(disparity)
    return carried[np.maximum(np.arange(len(carried)) - REACH_PX, 0)]


def see_from_right(disparity: FloatMap) -> FloatMap:
    """Warp the left view's complete disparity map (H, W) px into the right view, with a z-buffer and holes filled."""
    height, width = disparity.shape
    rows, columns = np.indices((height, width), np.int32)
    landing = np.rint(columns - disparity).astype(np.int32)
    inside = (landing >= 0) & (landing < width)
    seen = np.full(disparity.size, -np.inf, np.float32)
    np.maximum.at(seen, (rows * width + landing)[inside], disparity[inside])
    return fill_background(np.where(np.isfinite(seen), seen, np.float32(np.nan)).reshape(height, width))


def clues(
    left: Image, right: Image, candidates: FloatMap, known: FloatMap, from_right: FloatMap, first_column: int = 0
) -> FloatMap:
    """The network's input (C, H/2, W/2) float32 of a picture or a tile; the pixels of 2x2 blocks become channels.

    H and W are even.
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
    guess = candidates[0]

    def landed(seen: FloatMap, disparity: FloatMap, interpolation: int) -> FloatMap:
        return np.asarray(cv2.remap(seen, x - disparity, y, interpolation, borderMode=cv2.BORDER_REPLICATE), np.float32)

    def difference(disparity: FloatMap) -> FloatMap:
        return np.clip(landed(right_detail, disparity, cv2.INTER_LINEAR) - left_detail, -_COST_CAP, _COST_CAP)

    def extra_cost(disparity: FloatMap) -> FloatMap:
        return np.asarray(cv2.blur(np.abs(difference(disparity)), (3, 3)) - cost, np.float32) / _COST_UNIT

    def nearer_there(disparity: FloatMap) -> FloatMap:
        """Right view's disparity at the match minus `disparity`. Above 0: something nearer may occlude the pixel in the
        right view. Below 0: the pixel would occlude what the right view sees there."""
        return _squashed(landed(from_right, disparity, cv2.INTER_NEAREST) - disparity)

    signed = difference(guess)
    cost = np.asarray(cv2.blur(np.abs(signed), (3, 3)), np.float32)
    full: list[Callable[[], FloatMap]] = [lambda k=k: left[..., k].astype(np.float32) / 128 - 1 for k in range(3)]
    full += [lambda: signed / _COST_UNIT, lambda: known - np.float32(0.5), lambda: cost / _COST_UNIT]
    full += [lambda: _squashed(guess - cv2.blur(guess, (_SURROUNDINGS_PX, _SURROUNDINGS_PX)))]
    full += [lambda step=step: extra_cost(guess + step) for step in (-1, 1)]
    for other in candidates[1:]:
        full += [lambda other=other: _squashed(other - guess), lambda other=other: extra_cost(other)]
    full += [lambda candidate=candidate: nearer_there(candidate) for candidate in candidates]
    out = np.empty((4 * len(full) + 2, height // 2, width // 2), np.float32)

    def write(first: int, end: int) -> None:
        for k in range(first, end):
            blocks = full[k]().reshape(height // 2, 2, width // 2, 2).transpose(1, 3, 0, 2)
            out[4 * k : 4 * k + 4] = blocks.reshape(4, height // 2, width // 2)

    for_bands(len(full), write, 1)
    out[-2] = guess[::2, ::2] / 64 - 1
    out[-1] = np.clip((x - guess) / 16, -1, 1)[::2, ::2]
    return out


def _detail(grey: Image) -> FloatMap:
    """A grey picture minus its local mean, float32 levels: exposure differences change it little."""
    levels = grey.astype(np.float32)
    return levels - cv2.blur(levels, (_LOCAL_MEAN_PX, _LOCAL_MEAN_PX))


def _squashed(disparity: FloatMap) -> FloatMap:
    """Compress disparity differences d px to the range -2..2: d / 4 near zero, ±2 for large d."""
    return np.asarray(disparity / (4 + np.abs(disparity) / 2), np.float32)
