"""Find the two prints on a scanned stereo card: rectangles beside each other on a ground of one colour."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_RING = 0.012  # of the longer side: what surely belongs to the ground
_EVEN = 14.0  # levels by which cardboard differs from itself, with stains and the scanner's noise
_FILLED = 0.6  # share of a print's rows or columns that is no ground; arched tops leave out corners
_LEAST_SIDE = 0.2  # of the picture's sides
_UNEQUAL = 0.12  # relative difference of the widths of two prints

Place = tuple[slice, slice]


def prints_on_card(picture: NDArray) -> tuple[Place, Place] | None:
    """Rows and columns of the left and the right print on a card (H, W, 3), both of one size; None without a border."""
    height, width = picture.shape[:2]
    smooth = np.asarray(cv2.blur(picture, (3, 3))).astype(np.float32)
    ring = max(round(_RING * max(height, width)), 2)
    edges = [smooth[:ring], smooth[-ring:], smooth[:, :ring], smooth[:, -ring:]]
    ground = np.median(np.concatenate([edge.reshape(-1, 3) for edge in edges]), axis=0)
    if any(np.percentile(np.abs(edge - ground).max(axis=2), 90) > _EVEN for edge in edges):
        return None
    printed = np.abs(smooth - ground).max(axis=2) > _EVEN
    rows = _longest_run(printed.mean(axis=1) > _FILLED / 2)
    if rows.stop - rows.start < _LEAST_SIDE * height:
        return None
    shares = printed[rows].mean(axis=0)
    middle = _gap(shares)
    left, right = _longest_run(shares[:middle] > _FILLED / 2), _longest_run(shares[middle:] > _FILLED / 2)
    right = slice(right.start + middle, right.stop + middle)
    wide = left.stop - left.start, right.stop - right.start
    if min(wide) < _LEAST_SIDE * width or abs(wide[0] - wide[1]) > _UNEQUAL * max(wide):
        return None
    if any(printed[rows, columns].mean() < _FILLED for columns in (left, right)):
        return None  # things on a white ground, not prints: cutting them out would shift infinity
    # a pixel inside, where the scanner mixed print and ground
    inset, size = 1, min(wide) - 2
    rows = slice(rows.start + inset, rows.stop - inset)
    return tuple((rows, slice(c.start + inset, c.start + inset + size)) for c in (left, right))  # pyright: ignore[reportReturnType]


def _gap(shares: NDArray[np.floating]) -> int:
    """The column between the prints: the middle of the emptiest columns near the middle, by their printed shares."""
    width = len(shares)
    start, stop = round(0.4 * width), round(0.6 * width)
    least = shares[start:stop].min()
    empty = np.flatnonzero(shares[start:stop] <= least + 0.05) + start
    return int(empty[np.argmin(np.abs(empty - np.median(empty)))]) if least < _FILLED / 2 else width // 2


def _longest_run(there: NDArray[np.bool_]) -> slice:
    """The longest run of True; writing on the cardboard makes short ones."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], there.astype(np.int8), [0]])))
    starts, stops = edges[::2], edges[1::2]
    if not len(starts):
        return slice(0, 0)
    k = int(np.argmax(stops - starts))
    return slice(int(starts[k]), int(stops[k]))
