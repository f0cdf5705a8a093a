"""Hold against each candidate disparity that the pixel's own colour matches worse there: what thin things are told by.

The network sees the views at half size and compares windows that are wider than a stem. So it prefers the ground
behind a thin thing, which the window shows on both sides. Here only pixels of one colour are compared (adaptive support
weights, Yoon and Kweon 2006).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.engine.fusion.choose import likeliest
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

# Costs of windows of 5x5 px. In three ray-cast rooms, of all seen pixels of thin things with a right and a wrong
# candidate, the right one costs less at 85 %, and by the network's scores at 77 %. Beside depth edges it is 80 and
# 63 %. Scales of 10 or 40 levels and a cap of 40 levels change that by 1 % at most, 9x9 px gain nothing. Grey levels
# are as they are: less a local mean, thin things lose what tells them.
SCALE = 20.0  # sum of the channels' differences at which a pixel counts 1/e
CAP = 20.0  # grey levels
# Taken off the scores for a difference as large as the views' usual one and a grey level, as logits. Of thin things in
# three rooms 48 % are off by more than 2 px with 0, 40, 37 and 36 % with 0.75, 1 and 1.25; of 20 real pairs 7.48, 7.40,
# 7.39 and 7.38 %. One weight for all pairs, whatever their noise, costs those in the street 0.1 %.
_LOGITS = 1.0
_TOLERANCE = 0.5  # of the same; with 0.25 and 1, bad2 differs by 0.02 %
_REACH = 2  # px of the windows to each side
MARGIN_PX = 8  # around the right view; eight pixels side by side are read at once
_ROWS = 512  # that are compared together: bounds memory
_NO_COLOR = 30_000  # of what is outside the left view: so unlike any colour that it does not count
_HIDDEN_PX = 1.0  # by which something must be nearer to hide a pixel; with 0.5 px the same

_compare = Kernel(
    "depthapps.engine.fusion._support_kernels",
    "compare_support",
    "int16[:,:,::1] uint8[:,::1] uint8[:,::1] float32[:,:,::1] int64 float64 float64 int64 int64 float32[:,::1] "
    "float32[:,:,::1]",
)
_mark_hidden = Kernel(
    "depthapps.engine.fusion._support_kernels",
    "mark_hidden",
    "float32[:,::1] int64 float64 int64 int64 float32[::1] uint8[:,::1]",
)
KERNELS = (_compare, _mark_hidden)  # in the order in which they are needed


def usual_difference(left: Image, right: Image, disparity: FloatMap) -> float:
    """The median difference of a pixel from its match, grey levels, by every fourth row.

    left: (H, W, 3) uint8 RGB. right: (H, W) uint8 grey. disparity: (H, W) px.
    """
    height, width = disparity.shape
    x = np.arange(width, dtype=np.float32) - disparity[::4]
    y = np.repeat(np.arange(0, height, 4, dtype=np.float32)[:, None], width, axis=1)
    matches = cv2.remap(right.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return float(np.median(np.abs(matches - cv2.cvtColor(np.ascontiguousarray(left[::4]), cv2.COLOR_RGB2GRAY))))


class Windows(NamedTuple):
    """Views with pixels around them, so that the windows of their outermost pixels lie inside.

    colors: the left view's channels (3, H + 4, W + 8) int16. grey: the left view (H + 4, W + 8) uint8.
    right: the right view (H + 4, W + 16) uint8, which may be wider than the left one.
    """

    colors: NDArray[np.int16]
    grey: NDArray[np.uint8]
    right: NDArray[np.uint8]


def windows(left: Image, right: Image) -> Windows:
    """The left view (H, W, 3) uint8 RGB and the right one (H, any) uint8 grey as `_support_kernels` reads them."""

    def widened(view: NDArray, columns: tuple[int, int], kind: int = cv2.BORDER_REPLICATE) -> NDArray:
        return cv2.copyMakeBorder(view, _REACH, _REACH, *columns, kind, value=_NO_COLOR)

    beside = _REACH, MARGIN_PX - _REACH
    colors = [widened(channel.astype(np.int16), beside, cv2.BORDER_CONSTANT) for channel in cv2.split(left)]
    grey = cv2.cvtColor(left, cv2.COLOR_RGB2GRAY)
    return Windows(np.stack(colors), widened(grey, beside), widened(right, (MARGIN_PX, MARGIN_PX)))


def weights_scratch() -> FloatMap:
    """What compiled loops keep the weights of a window in, for one thread."""
    return np.empty((6, 8), np.float32)


def lack_of_support(
    left: Image, right: Image, choices: FloatMap, scores: FloatMap, usual: float, first_column: int = 0
) -> FloatMap:
    """What to take off the scores of candidates whose support is less than the best one's, (H, K, W) logits.

    left: (H, W, 3) uint8 RGB, a tile that starts at `first_column`. right: (H, any width) uint8 grey, from column 0 on.
    choices: (H, K, W) px, the network's own surface first. scores: (H, K, W), logits. usual: see `usual_difference`.

    It is 0 where the right view probably does not show the pixel, because nothing can match there: where the likeliest
    candidates, or the network's own surface, put the pixel behind something nearer or outside.
    """
    costs = support_costs(left, right, choices, first_column)
    height, _, width = choices.shape
    shown = np.ones((height, width), np.bool_)
    for disparity in (likeliest(choices, scores), choices[:, 0]):
        landing = np.arange(first_column, first_column + width, dtype=np.float32) - disparity
        shown &= (landing > -0.5) & (landing < right.shape[1] - 0.5) & ~hidden(disparity)
    costs *= np.where(shown, np.float32(_LOGITS / (1 + usual)), np.float32(0))[:, None]
    return costs


def support_costs(left: Image, right: Image, choices: FloatMap, first_column: int) -> FloatMap:
    """How much worse than at its best candidate the pixels of one colour around a pixel match: grey levels (H, K, W).

    See `lack_of_support`.
    """
    costs = np.empty_like(choices, order="C")
    inputs = (*windows(left, right), np.ascontiguousarray(choices), first_column, CAP, SCALE)
    for_bands(len(left), lambda first, end: _compare(*inputs, first, end, weights_scratch(), costs))
    return costs


def worse_by(left: Image, right: Image, before: FloatMap, after: FloatMap) -> FloatMap:
    """By how much the pixels of one colour around each match worse at another disparity, (H, W).

    left: (H, W, 3) uint8 RGB. right: (H, W) uint8 grey. before, after: disparity (H, W) px. The difference counts as a
    multiple of the views' usual one and a grey level, and is negative where they match better.
    """
    height, worse = len(before), np.empty(before.shape, np.float32)
    for first in range(0, height, _ROWS):
        end = min(first + _ROWS, height)
        rows = slice(max(0, first - _REACH), min(height, end + _REACH))
        costs = support_costs(left[rows], right[rows], np.stack([before[rows], after[rows]], axis=1), 0)
        inner = slice(first - rows.start, end - rows.start)
        worse[first:end] = costs[inner, 1] - costs[inner, 0]
    worse /= np.float32(1 + usual_difference(left, right, before))
    return worse


def is_supported(left: Image, right: Image, before: FloatMap, after: FloatMap) -> NDArray[np.bool_]:
    """Where the views do not speak against a changed disparity: it matches as well, or nothing can match; (H, W).

    See `worse_by`.
    """
    return hidden(before) | hidden(after) | (worse_by(left, right, before, after) < _TOLERANCE)


def hidden(disparity: FloatMap) -> NDArray[np.bool_]:
    """Where a disparity map (H, W) px, finite, puts something nearer onto the pixel's match in the right view; (H, W).

    The right view may be wider than the map, which may be a tile.
    """
    (height, width), least, most = disparity.shape, *(round(float(end)) for end in (disparity.min(), disparity.max()))
    out = np.empty((height, width), np.uint8)
    disparity = np.ascontiguousarray(disparity)

    def mark(first: int, end: int) -> None:
        _mark_hidden(disparity, least, _HIDDEN_PX, first, end, np.empty(width + most - least, np.float32), out)

    for_bands(height, mark)
    return out.view(np.bool_)
