"""Larger triangles over a depth map where planes fit, so that edge collapses have fewer to begin with.

Right-angled triangles over blocks of pixels, each the half of a larger one (Lindstrom et al. 1996, Evans et al. 2001).
Two become one where the vertex in the middle of the longest side lies on that side, in 1/Z, in which planes are plane.
A vertex counts as far off as all that rest on it, so that there are no cracks. Quads that are not whole stay as they
are, and what touches them.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap
from depthapps.surface.tearing import BoolMap, Quads

BLOCK_PX = 32  # the short side of the largest triangles
LEVELS = 2 * int(math.log2(BLOCK_PX))  # how often these are halved down to pixels

# Squares of two steps: their corners are even rows and columns, what lies between these is odd.
_MIDDLES, _ON_ROWS, _ON_COLUMNS = np.s_[1::2, 1::2], np.s_[::2, 1::2], np.s_[1::2, ::2]
_ABOVE, _BELOW, _LEFT, _RIGHT = np.s_[:-1:2, 1::2], np.s_[2::2, 1::2], np.s_[1::2, :-1:2], np.s_[1::2, 2::2]
_A, _B, _C, _D = np.s_[:-1, :-1], np.s_[:-1, 1:], np.s_[1:, :-1], np.s_[1:, 1:]  # corners of squares, as Quads has them


def coarse_triangles(
    inverse: FloatMap, quads: Quads, *, error: float = math.inf, vertices: int | None = None
) -> NDArray[np.int32]:
    """Triangles (T, 3) int32 over the row-major pixels of a map of 1/Z (H, W), anticlockwise seen from the camera.

    error: by what share of 1/Z they may be off at most. vertices: of those that are not needed along borders, so many
    are left that are farthest off; None for as few as the error allows.
    """
    off = _errors(inverse, quads)
    limit = error / LEVELS  # each halving that is left out may add as much
    inner = off[np.isfinite(off)]
    if vertices is not None and inner.size:
        rank = min(max(inner.size - vertices, 0), inner.size - 1)
        limit = min(limit, float(np.partition(inner, rank)[rank]))
    return _leaves(off > limit, quads)


def _errors(inverse: FloatMap, quads: Quads) -> FloatMap:
    """By what share of 1/Z every vertex is off if it is left out, or any that rests on it; inf where it may not be.

    (H', W'), which is a multiple of BLOCK_PX and one.
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
        # on the middle of a side of the next larger squares rest the middles of the four squares around it
        resting = np.asarray(cv2.dilate(np.pad(found[_MIDDLES], (0, 1)), np.ones((2, 2))))
        step *= 2
    return off


def _bend(middle: FloatMap, one: FloatMap, other: FloatMap) -> FloatMap:
    """How far a value is from the mean of those on either side, as a share of it; NaN where one is not known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs((one + other) / (2 * middle) - 1)


def _falling(shape: tuple[int, ...]) -> BoolMap:
    """Which squares are halved from the upper left to the lower right: all diagonals end in the next larger middles."""
    row, column = np.indices(shape, sparse=True)
    return (row + column) % 2 == 0


def _leaves(kept: BoolMap, quads: Quads) -> NDArray[np.int32]:
    """The triangles between the vertices that are kept (H', W'), with everything that rests on them."""
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
        # a half is there where the corner between its short sides is kept, on which its middle rests
        corner = here[::2, ::2] | (2 * step == BLOCK_PX)
        halved = (
            (falling & corner[_B], (a, d, b)), (falling & corner[_C], (a, c, d)),
            (~falling & corner[_A], (a, c, b)), (~falling & corner[_D], (b, c, d)),
        )  # fmt: skip
        for there, half in halved:
            add(there & ~quartered, *half)
        step //= 2

    # single pixels: a quad of which both halves are kept may have the other diagonal, or a tear
    kept = kept[: quads.acd.shape[0] + 1, :width]
    falling = _falling(quads.acd.shape)
    halves = Quads(falling & kept[_C], falling & kept[_B], ~falling & kept[_A], ~falling & kept[_D])
    both = (halves.acd & halves.adb) | (halves.acb & halves.bcd)
    single = Quads(*(np.where(both, quad, half) for quad, half in zip(quads, halves, strict=True)))
    return np.concatenate([*found, single.triangles()])
