"""Cover flat parts of a depth map with large triangles, so that mesh simplification starts with fewer of them.

The triangles are right-angled, and each is half of a larger one (Lindstrom et al. 1996, Evans et al. 2001). Two halves
merge into the larger triangle where the vertex in the middle of its longest side lies on that side in 1/Z, in which
every plane of the scene is a plane. A vertex that is kept needs others kept with it: it depends on them. The error of a
vertex is the largest of its own and of those that depend on it, so no cracks open between coarse and fine triangles. A
quad of pixels with a tear in it stays as it is, as do the vertices at its corners.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap
from depthapps.surface.tearing import BoolMap, Quads

BLOCK_PX = 32  # short side of the largest triangles, in pixels
LEVELS = 2 * int(math.log2(BLOCK_PX))  # times that the largest triangles are halved to reach single pixels

# Slices of a map that is cut into squares of 2x2 steps: corners lie on even rows and columns, midpoints on odd ones.
_MIDDLES, _ON_ROWS, _ON_COLUMNS = np.s_[1::2, 1::2], np.s_[::2, 1::2], np.s_[1::2, ::2]
_ABOVE, _BELOW, _LEFT, _RIGHT = np.s_[:-1:2, 1::2], np.s_[2::2, 1::2], np.s_[1::2, :-1:2], np.s_[1::2, 2::2]
_A, _B, _C, _D = np.s_[:-1, :-1], np.s_[:-1, 1:], np.s_[1:, :-1], np.s_[1:, 1:]  # corners of squares, named as in Quads


def coarse_triangles(
    inverse: FloatMap, quads: Quads, *, error: float = math.inf, vertices: int | None = None
) -> NDArray[np.int32]:
    """Make triangles (T, 3) int32 over the row-major pixels of a map of 1/Z (H, W), anticlockwise seen from the camera.

    error: the largest error of 1/Z, as a share of it. vertices: how many vertices to keep at least, beside those that
    borders need; the ones with the largest errors are kept. None keeps as few as `error` allows.
    """
    off = _errors(inverse, quads)
    limit = error / LEVELS  # each level of triangles that is merged may add its own error
    inner = off[np.isfinite(off)]
    if vertices is not None and inner.size:
        rank = min(max(inner.size - vertices, 0), inner.size - 1)
        limit = min(limit, float(np.partition(inner, rank)[rank]))
    return _leaves((off > limit) | np.isposinf(off), quads)  # the limit is infinite, too, where all must stay


def _errors(inverse: FloatMap, quads: Quads) -> FloatMap:
    """Error of 1/Z, as a share of it, if a vertex and all that depend on it are left out; inf where it must stay.

    The result is (H', W'), each a multiple of BLOCK_PX plus one.
    """
    whole = np.add.reduce(quads, dtype=np.int8) == 2
    margin = [(0, -n % BLOCK_PX) for n in whole.shape]
    whole, values = np.pad(whole, margin), np.pad(inverse, margin, mode="edge")
    off = np.zeros(values.shape, np.float32)
    for corner in (_A, _B, _C, _D):
        off[corner][~whole] = np.inf
    step, resting = 1, np.zeros_like(off)
    while step < BLOCK_PX:
        z, found = values[::step, ::step], off[::step, ::step]
        for at, one, other in (
            (_ON_ROWS, np.s_[::2, :-1:2], np.s_[::2, 2::2]),
            (_ON_COLUMNS, np.s_[:-1:2, ::2], np.s_[2::2, ::2]),
        ):
            found[at] = np.fmax.reduce([found[at], resting[at], _bend(z[at], z[one], z[other])])
        corner = z[::2, ::2]
        falling, rising = (_bend(z[_MIDDLES], corner[one], corner[other]) for one, other in ((_A, _D), (_B, _C)))
        bend = np.where(_falling(falling.shape), falling, rising)
        sides = (found[side] for side in (_ABOVE, _BELOW, _LEFT, _RIGHT))
        found[_MIDDLES] = np.fmax.reduce([found[_MIDDLES], bend, *sides])
        # The middles of four squares depend on their common corner, which is a side's midpoint of a larger square.
        resting = np.asarray(cv2.dilate(np.pad(found[_MIDDLES], (0, 1)), np.ones((2, 2))))
        step *= 2
    return off


def _bend(middle: FloatMap, one: FloatMap, other: FloatMap) -> FloatMap:
    """Difference of a value from the mean of its two neighbours, as a share of the value; NaN where one is unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs((one + other) / (2 * middle) - 1)


def _falling(shape: tuple[int, ...]) -> BoolMap:
    """Which squares are halved from upper left to lower right: all diagonals end in the middles of larger squares."""
    row, column = np.indices(shape, sparse=True)
    return (row + column) % 2 == 0


def _leaves(kept: BoolMap, quads: Quads) -> NDArray[np.int32]:
    """Triangles (T, 3) between the kept vertices (H', W'); with a vertex, those that it depends on are kept too."""
    width = quads.acd.shape[1] + 1
    found = []

    def add(squares: BoolMap, *corners: tuple[int, int]) -> None:
        row, column = np.nonzero(squares)
        places = [(2 * row + down) * step * width + (2 * column + right) * step for down, right in corners]
        found.append(np.stack(places, axis=1).astype(np.int32))

    a, b, c, d, middle = (0, 0), (0, 2), (2, 0), (2, 2), (1, 1)
    step = BLOCK_PX // 2
    while step:
        here = kept[::step, ::step]
        quartered, falling = here[_MIDDLES], _falling(here[_MIDDLES].shape)
        for side, ends in ((_ABOVE, (b, a)), (_LEFT, (a, c)), (_BELOW, (c, d)), (_RIGHT, (d, b))):
            add(quartered & ~here[side], *ends, middle)
        # half a square exists where its right-angled corner is kept: that corner is what split the larger triangle
        corner = here[::2, ::2] | (2 * step == BLOCK_PX)
        halved = (
            (falling & corner[_B], (a, d, b)), (falling & corner[_C], (a, c, d)),
            (~falling & corner[_A], (a, c, b)), (~falling & corner[_D], (b, c, d)),
        )  # fmt: skip
        for there, half in halved:
            add(there & ~quartered, *half)
        step //= 2

    # At single pixels, a quad with both halves kept takes its own triangles: their diagonal may differ, or one is torn.
    kept = kept[: quads.acd.shape[0] + 1, :width]
    falling = _falling(quads.acd.shape)
    halves = Quads(falling & kept[_C], falling & kept[_B], ~falling & kept[_A], ~falling & kept[_D])
    both = (halves.acd & halves.adb) | (halves.acb & halves.bcd)
    single = Quads(*(np.where(both, quad, half) for quad, half in zip(quads, halves, strict=True)))
    return np.concatenate([*found, single.triangles()])
