"""Fill holes of a picture with patches of the surface around them."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands
from depthapps.surface.tearing import BoolMap

_LEVELS = 4  # of the pyramid; on the coarsest a patch is as wide as a twentieth of a picture of 1000 px
COARSEST = 2 ** (_LEVELS - 1)  # px of the picture in one of that level
# Sweeps of matching on each level, the finest first, and how far from a match random ones are tried at first, in px.
# What goes where is settled on the coarse levels, which cost little. On the finest, three quarters of the pixels, what
# was found is only blended.
_SWEEPS, _FARTHEST_PX = (0, 1, 4, 12), (0, 4, 32, 64)
# Where patches are compared, a pixel of the hole counts by half less for each px of the way to what is known, and a
# tenth at least: the guess in it is smooth, and would be best matched by what is as plain. Two rendered rooms look
# 30.29, 30.30 and 30.31 dB like the truth from nine new places each if it does not count less, by half and by three
# quarters less. Without that, plain areas spread over stripes beside them.
_LESS, _LEAST = 0.5, 0.1
# What is so near to something nearer is not copied: its colours are mixed with those. Without this the two rooms look
# 30.33 dB like the truth, but red dots of a real flower spread over the wall behind it.
_MIXED_PX = 2
_NEARER = 0.12  # natural logarithm of the ratio of 1/Z

_BAND_PIXELS = 4096  # that a thread matches or colours at a time

_KERNELS = "depthapps.mesh._inpaint_kernels"
_improve = Kernel(
    _KERNELS,
    "improve_matches",
    "float32[:,:,::1] float32[:,::1] float32[:,::1] float32[:,:,::1] float32[:,:,::1] float32[:,::1] uint8[:,::1] "
    "float32[:,::1] int32[:,::1] int64 int64 int64 int64 int32[:,:,::1] float32[:,::1]",
)
_vote = Kernel(
    _KERNELS,
    "vote",
    "float32[:,:,::1] float32[:,::1] float32[:,:,::1] float32[:,::1] int32[:,::1] int32[:,:,::1] float32[:,::1] "
    "float32[:,::1]",
)


class Layered(NamedTuple):
    """A picture (H, W, 3) float32 and the logarithm of 1/Z (H, W) float32 of the surface that each pixel shows.

    counts: (H, W), the pixels that matter: the hole that is to be filled, or those that may be copied.
    """

    picture: NDArray[np.floating]
    layer: FloatMap
    counts: BoolMap


def inpaint(
    target: Layered, source: Layered, tilt: NDArray[np.floating], match: NDArray[np.int32], reach_px: FloatMap
) -> NDArray[np.floating]:
    """Fill a hole with patches that go on what surrounds it on the same surface.

    target: with a first guess in the hole; its layer is NaN where there is no surface. source: of the same size. Of a
    patch, what lies on the surface of its middle is compared and copied. tilt: (H, W, 2), by which share 1/Z of the
    target's surface rises a pixel downwards and to the right: what is off this plane, as a thing that stands on it is,
    is not copied. match: (h, w, 2) int32, row and column of where a pixel of the hole may be copied from, to begin
    with, for every COARSEST-th pixel of every COARSEST-th row. reach_px: (H, W), how far from each pixel that may be:
    plain patches from far away would spread otherwise.
    Returns the filled picture; the guess stays where no patch fits.

    Patches are matched by PatchMatch (Barnes et al. 2009) and blended by voting, from a coarse copy of the picture to
    the fine one (Wexler et al. 2007).
    """
    holes, known = [_surface(target, np.isfinite(target.layer))], [_unmixed(source)]
    for _ in range(_LEVELS - 1):
        holes.append(_halved(holes[-1], whole=False))
        known.append(_halved(known[-1], whole=True))
    shape = holes[-1].counts.shape
    match = np.ascontiguousarray(match[: shape[0], : shape[1]] // COARSEST, np.int32)
    cost = np.full(shape, np.inf, np.float32)
    filled = target.picture
    for level in reversed(range(_LEVELS)):
        finer = holes[level]
        if level < _LEVELS - 1:
            match = _doubled(match, finer.counts.shape)
            height, width = finer.counts.shape
            cost = np.ascontiguousarray(cost.repeat(2, axis=0).repeat(2, axis=1)[:height, :width])
        reach = np.ascontiguousarray(reach_px[:: 2**level, :: 2**level] / 2**level, np.float32)
        steep = np.ascontiguousarray(tilt[:: 2**level, :: 2**level] * 2**level, np.float32)
        filled = _filled(finer, known[level], steep, match, cost, reach, _SWEEPS[level], _FARTHEST_PX[level])
        if level:
            below = holes[level - 1]
            height, width = below.counts.shape
            grown = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
            matched = below.counts & (match[..., 0] >= 0).repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
            holes[level - 1] = below._replace(picture=np.where(matched[..., None], grown, below.picture))
    return filled


def _surface(view: Layered, shown: BoolMap) -> Layered:
    """The same with its surface where it is shown (H, W), and elsewhere a place that is on no surface."""
    return view._replace(layer=np.where(shown, view.layer, np.float32(1e9)))


def _unmixed(source: Layered) -> Layered:
    """What of the source may be copied: what is known, and has nothing nearer beside it."""
    window = np.ones((2 * _MIXED_PX + 1, 2 * _MIXED_PX + 1), np.uint8)
    nearest = cv2.dilate(np.where(source.counts, source.layer, np.float32(-np.inf)), window)
    with np.errstate(invalid="ignore"):
        alone = source.counts & (nearest < source.layer + np.float32(_NEARER))
    return _surface(source._replace(counts=alone), alone)


def _halved(view: Layered, *, whole: bool) -> Layered:
    """All of it at half the size; a pixel counts if any below it does, or, if `whole`, if all do."""
    counts = view.counts
    height, width = (counts.shape[0] + 1) // 2, (counts.shape[1] + 1) // 2
    ends = [(0, 2 * height - counts.shape[0]), (0, 2 * width - counts.shape[1])]

    def cells(values: NDArray) -> NDArray:
        """The values of each cell, (height, 2, width, 2) and what else they have."""
        padded = np.pad(values, [*ends, *[(0, 0)] * (values.ndim - 2)], mode="edge")
        return padded.reshape(height, 2, width, 2, *values.shape[2:])

    some = cells(counts)
    used = some | ~np.asarray(some.any(axis=(1, 3)))[:, None, :, None]  # a cell has what its pixels that count have
    layer = np.where(used, cells(view.layer), np.float32(np.inf))
    depth = layer.min(axis=(1, 3))
    weight = (layer <= depth[:, None, :, None] + np.float32(_NEARER)).astype(np.float32)  # its farthest surface alone
    color = (cells(view.picture) * weight[..., None]).sum(axis=(1, 3)) / weight.sum(axis=(1, 3))[..., None]
    return Layered(color.astype(np.float32), depth, np.asarray((some.all if whole else some.any)(axis=(1, 3))))


def _doubled(match: NDArray[np.int32], shape: tuple[int, int]) -> NDArray[np.int32]:
    """Matches for a picture of twice the size."""
    finer = 2 * match.repeat(2, axis=0).repeat(2, axis=1)[: shape[0], : shape[1]]
    y, x = np.indices(shape)
    finer[..., 0] += (y % 2).astype(np.int32)
    finer[..., 1] += (x % 2).astype(np.int32)
    return np.ascontiguousarray(np.where(finer < 0, np.int32(-1), finer))


def _filled(
    target: Layered,
    source: Layered,
    tilt: NDArray[np.floating],
    match: NDArray[np.int32],
    cost: FloatMap,
    reach: FloatMap,
    sweeps: int,
    farthest_px: int,
) -> NDArray[np.floating]:
    """Fill the hole on one level, and leave the matches and their costs in `match` and `cost`."""
    hole, pixels = target.counts, np.ascontiguousarray(np.argwhere(target.counts), np.int32)
    match[~hole] = -1
    picture, colors = target.picture.copy(), np.empty((len(pixels), 3), np.float32)
    layer, there = (np.ascontiguousarray(view.layer, np.float32) for view in (target, source))
    copied, usable = np.ascontiguousarray(source.picture, np.float32), source.counts.astype(np.uint8)
    way = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5)
    weights = np.maximum(np.float32(_LESS) ** way, np.float32(_LEAST)).astype(np.float32)

    def vote(first: int, end: int) -> None:
        _vote(picture, layer, copied, there, pixels[first:end], match, cost, colors[first:end])

    # A pixel takes over matches of its own row and of the one before it in the sweep. A band holds a row at least, and
    # first the even bands are matched, then the odd ones: no thread reads matches that another one writes meanwhile.
    size = max(_BAND_PIXELS, hole.shape[1])
    alternate = [range(start, len(pixels), 2 * size) for start in (0, size)]

    def improve(sweep: int, first: int) -> None:
        end = min(first + size, len(pixels))
        views = picture, layer, weights, tilt, copied, there, usable, reach
        _improve(*views, pixels, first, end, sweep, farthest_px, match, cost)

    for number in range(sweeps):
        for starts in alternate:
            for_bands(len(starts), lambda k, _, starts=starts, number=number: improve(number, starts[k]), 1)
        if number % 2 and number < sweeps - 1:
            for_bands(len(pixels), vote, _BAND_PIXELS)
            picture[hole] = colors
    for_bands(len(pixels), vote, _BAND_PIXELS)
    picture[hole] = colors
    return picture
