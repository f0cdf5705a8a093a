"""Fill holes of a picture with patches of the surface around them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap
from depthapps.runtime.kernel import Kernel
from depthapps.surface.tearing import BoolMap

_LEVELS = 4  # of the pyramid; on the coarsest a patch is as wide as a twentieth of a picture of 1000 px
COARSEST = 2 ** (_LEVELS - 1)  # px of the picture in one of that level
# Sweeps of matching on each level, the finest first, and how far from a match random ones are tried at first, in px.
# What goes where is settled on the coarse levels, which cost little. On the finest, three quarters of the pixels, what
# was found is only copied.
_SWEEPS, _FARTHEST_PX = (1, 4, 12), (4, 32, 64)
_REACH = 3  # of a patch, as the kernels have it
_SPREAD = 0.06  # natural logarithm of the ratio of 1/Z within a patch that may be copied: it lies on one surface

_KERNELS = "depthapps.mesh._inpaint_kernels"
_improve = Kernel(
    _KERNELS,
    "improve_matches",
    "float32[:,:,::1] float32[:,::1] uint8[:,::1] float32[:,::1] int32[:,::1] int64 int64 int32[:,:,::1] "
    "float32[:,::1]",
)
_vote = Kernel(
    _KERNELS,
    "vote",
    "float32[:,:,::1] float32[:,::1] int32[:,::1] int32[:,:,::1] float32[:,::1] float32[:,::1]",
)


def inpaint(
    picture: NDArray[np.floating],
    hole: BoolMap,
    known: BoolMap,
    layer: FloatMap,
    match: NDArray[np.int32],
    reach_px: FloatMap,
) -> NDArray[np.floating]:
    """Fill a hole with patches that go on what surrounds it on the same surface.

    picture: (H, W, 3) float32 with a first guess in the hole. hole: (H, W). known: (H, W), the pixels that may be
    copied. layer: (H, W) float32, logarithm of 1/Z, NaN where there is no surface; patches are compared and copied
    within one surface. match: (h, w, 2) int32, row and column of where a pixel of the hole may be copied from, to begin
    with, for every COARSEST-th pixel of every COARSEST-th row. reach_px: (H, W), how far from each pixel that may be:
    plain patches from far away would spread otherwise.
    Returns the filled picture; the guess stays where no patch fits.

    Patches are matched by PatchMatch (Barnes et al. 2009) and blended by voting, from a coarse copy of the picture to
    the fine one (Wexler et al. 2007).
    """
    pyramid = [(picture, hole, known, np.where(np.isfinite(layer), layer, np.float32(1e9)))]
    for _ in range(_LEVELS - 1):
        pyramid.append(_halved(*pyramid[-1]))
    shape = pyramid[-1][1].shape
    match = np.ascontiguousarray(match[: shape[0], : shape[1]] // COARSEST, np.int32)
    cost = np.full(shape, np.inf, np.float32)
    for level in reversed(range(1, _LEVELS)):
        finer, gap, source, depth = pyramid[level]
        if level < _LEVELS - 1:
            match = _doubled(match, gap.shape)
            cost = np.ascontiguousarray(cost.repeat(2, axis=0).repeat(2, axis=1)[: gap.shape[0], : gap.shape[1]])
        reach = np.ascontiguousarray(reach_px[:: 2**level, :: 2**level] / 2**level, np.float32)
        filled = _filled(finer, gap, source, depth, match, cost, reach, _SWEEPS[level - 1], _FARTHEST_PX[level - 1])
        if level > 1:
            below, gap_below = pyramid[level - 1][:2]
            grown = cv2.resize(filled, gap_below.shape[::-1], interpolation=cv2.INTER_LINEAR)
            pyramid[level - 1] = (np.where(gap_below[..., None], grown, below), *pyramid[level - 1][1:])
    return _copied(picture, hole, _doubled(match, hole.shape))


def _copied(picture: NDArray[np.floating], hole: BoolMap, match: NDArray[np.int32]) -> NDArray[np.floating]:
    """The picture with the pixels of a hole copied from their matches; the guess stays where there is none."""
    filled = picture.copy()
    matched = hole & (match[..., 0] >= 0)
    filled[matched] = picture[tuple(match[matched].T)]
    return filled


def _halved(
    picture: NDArray[np.floating], hole: BoolMap, known: BoolMap, layer: FloatMap
) -> tuple[NDArray[np.floating], BoolMap, BoolMap, FloatMap]:
    """All maps at half the size; a pixel is of the hole if any below it is, and known if all are."""
    height, width = (hole.shape[0] + 1) // 2, (hole.shape[1] + 1) // 2
    ends = [(0, 2 * height - hole.shape[0]), (0, 2 * width - hole.shape[1])]

    def cells(values: NDArray) -> NDArray:
        """The values of each cell, (height, 2, width, 2) and what else they have."""
        padded = np.pad(values, [*ends, *[(0, 0)] * (values.ndim - 2)], mode="edge")
        return padded.reshape(height, 2, width, 2, *values.shape[2:])

    gaps = cells(hole)
    any_gap = np.asarray(gaps.any(axis=(1, 3)))
    counted = gaps | ~any_gap[:, None, :, None]  # a cell of the hole has the colours and depth of its hole pixels
    weight = counted.astype(np.float32)
    color = (cells(picture) * weight[..., None]).sum(axis=(1, 3)) / weight.sum(axis=(1, 3))[..., None]
    depth = np.where(counted, cells(layer), np.float32(np.inf)).min(axis=(1, 3))
    return color.astype(np.float32), any_gap, np.asarray(cells(known).all(axis=(1, 3))), depth


def _doubled(match: NDArray[np.int32], shape: tuple[int, int]) -> NDArray[np.int32]:
    """Matches for a picture of twice the size."""
    finer = 2 * match.repeat(2, axis=0).repeat(2, axis=1)[: shape[0], : shape[1]]
    y, x = np.indices(shape)
    finer[..., 0] += (y % 2).astype(np.int32)
    finer[..., 1] += (x % 2).astype(np.int32)
    return np.ascontiguousarray(np.where(finer < 0, np.int32(-1), finer))


def _filled(
    picture: NDArray[np.floating],
    hole: BoolMap,
    known: BoolMap,
    layer: FloatMap,
    match: NDArray[np.int32],
    cost: FloatMap,
    reach: FloatMap,
    sweeps: int,
    farthest_px: int,
) -> NDArray[np.floating]:
    """Fill a hole on one level, and leave the matches and their costs in `match` and `cost`."""
    picture, pixels = picture.copy(), np.ascontiguousarray(np.argwhere(hole), np.int32)
    match[~hole] = -1
    layer, colors = np.ascontiguousarray(layer, np.float32), np.empty((len(pixels), 3), np.float32)
    usable = _middles(hole, known, layer)
    for number in range(sweeps):
        _improve(picture, layer, usable, reach, pixels, number, farthest_px, match, cost)
        if number % 2 and number < sweeps - 1:
            _vote(picture, layer, pixels, match, cost, colors)
            picture[hole] = colors
    _vote(picture, layer, pixels, match, cost, colors)
    picture[hole] = colors
    return picture


def _middles(hole: BoolMap, known: BoolMap, layer: FloatMap) -> NDArray[np.uint8]:
    """Mask (H, W) of the middles of patches that may be copied: all of one is known, and lies on one surface."""
    window = np.ones((2 * _REACH + 1, 2 * _REACH + 1), np.uint8)
    one_surface = cv2.dilate(layer, window) - cv2.erode(layer, window) < _SPREAD
    return np.asarray(cv2.erode((known & ~hole).astype(np.uint8), window) * one_surface, np.uint8)
