"""Find the flat faces of a noisy surface, and the creases between them.

A plane fit that reaches over a crease bends both faces. A few pixels do not show a crease through the noise, but
whole faces do. So neighbouring regions are merged as long as one common plane fits them as well as noise allows.
Merging ends at creases; on round surfaces it ends at facets. The borders tell facets from faces: a round surface
crosses the border with an unchanged slope.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands
from depthapps.surface.denoise.fits import BoolMap, Values, evaluate, fit, local_moments, solve

Labels = NDArray[np.int32]

_BLOCK_PX = 8  # side of the first regions
# One common plane has three degrees of freedom fewer than two planes. Noise raises the sum of squared residuals for
# each of them by an amount that is measured. Regions merge while the rise is below this many times that amount. Over
# four noisy rooms 30 to 70 give shadows within 0.01 of IoU; with 20, walls stay in pieces.
_LIMIT = 50.0
# Block sizes for measuring the noise; the first size with enough pairs is used.
_MEASURE_PX, _LEAST_PAIRS = (32, 16, 8), 20
_MEDIAN_CHI2 = 2.366  # median of the chi-squared distribution with three degrees of freedom
_ROUNDS = 2  # of merging, each followed by as many rounds in which pixels move to the best fitting region
_REACHES_PX = (4, 2, 1)  # distances at which a pixel looks for other regions
_SIGHT_PX = 4.0  # deviation of the neighbourhood that decides which region fits a pixel best
# Across a crease the local slopes jump by as much as the two planes differ (share 1). On a round surface they change
# only by the turn over the width of the fit. A border is a crease if the mean share along it, less two deviations, is
# above _CREASE. Over four noisy rooms 0.5 to 0.8 measure alike. With 0.7 the folds of a real cloth and a plaster head
# stay round, with 0.8 so does a bottle whose depth is of two photos; of two rooms whose depth is such, 1.8 instead of
# 1.9 % are wrongly dark.
_CREASE, _CREASE_PX, _SURE = 0.8, 8.0, 2.0

_join_linked = Kernel(
    "depthapps.surface.denoise._kernels", "join_linked", "uint8[:,::1] uint8[:,::1] int64 int32[:,::1]"
)
_sum_moments = Kernel("depthapps.surface.denoise._kernels", "sum_moments", "int32[:,::1] float32[:,::1] float64[:,::1]")
_relabel = Kernel(
    "depthapps.surface.denoise._kernels",
    "relabel",
    "int32[:,::1] int32[:,::1] float32[:,:,::1] float64[:,::1] int64 int64 int64 int32[:,::1]",
)


class Faces(NamedTuple):
    """The smooth surfaces of a depth map (H, W), and the planes of those that are flat.

    label: (H, W) int32, the smooth surface of each pixel. plane: 1/Z in 1/m and its slopes to the right and down in 1/m
    per pixel, each (H, W); NaN on round surfaces.
    """

    label: Labels
    plane: tuple[FloatMap, FloatMap, FloatMap]


def find_faces(inverse: FloatMap, right: BoolMap, down: BoolMap, uneven: FloatMap | None = None) -> Faces:
    """Find the faces of inverse depth (H, W) without NaN, along links right (H, W-1) and down (H-1, W).

    uneven: (H, W), how many times the usual noise a pixel has, see `noise_unevenness`; None if all have the same.

    Regions are merged greedily by the cost of a common plane, as by Feng et al. 2014 (AHC), but without the noise model
    of a depth camera. Pixels move to the region that fits them best, as in Lloyd's algorithm.
    """
    right, down = np.ascontiguousarray(right), np.ascontiguousarray(down)
    middle = np.float32(np.mean(inverse))
    w = inverse - middle
    piece = _joined(right, down, max(inverse.shape))
    noise = _noise_cost(w, right, down)
    if not noise:
        unknown = np.full(w.shape, np.nan, np.float32)
        return Faces(piece, (unknown, unknown, unknown))
    limit = np.full(w.shape, _LIMIT * noise) if uneven is None else _LIMIT * noise * uneven**2
    label = _regions(w, right, down, piece, limit)
    a, b, c = solve(_moments(label, w), w.shape[1])
    surface, is_face = _surfaces(label, inverse, (b, c), right, down)
    of_pixel = np.where(is_face, a + middle, np.nan)[label], b[label], c[label]
    return Faces(surface[label], evaluate(*of_pixel, len(label)))


def _regions(w: FloatMap, right: BoolMap, down: BoolMap, piece: Labels, limit: FloatMap) -> Labels:
    """Label (H, W) regions that one plane explains; no two connected ones could share a plane for less than `limit`.

    piece: (H, W), connected components. limit: (H, W); that of a region is the mean over its pixels.
    """
    surroundings = local_moments(w, right, down, _SIGHT_PX)
    label = _numbered(_joined(right, down, _BLOCK_PX))
    for _ in range(_ROUNDS):
        label = _merged(label, w, right, down, limit)
        for _ in range(_ROUNDS):
            planes = np.stack(solve(_moments(label, w), w.shape[1]), axis=-1)
            for reach in _REACHES_PX:
                label = _fitting(label, piece, surroundings, planes, reach)
            label = _numbered(label)  # a region may have lost all of its pixels
    return _merged(label, w, right, down, limit)


def _joined(right: BoolMap, down: BoolMap, block: int) -> Labels:
    """Label (H, W) pixels that are connected by links within blocks of `block` px."""
    height, width = len(right), down.shape[1]
    label = np.arange(height * width, dtype=np.int32).reshape(height, width)
    _join_linked(right.view(np.uint8), down.view(np.uint8), block, label)
    return label


def _numbered(label: Labels) -> Labels:
    """Renumber labels from 0 without gaps."""
    used = np.zeros(int(label.max()) + 1, bool)
    used[label] = True
    return (np.cumsum(used, dtype=np.int32) - np.int32(1))[label]


def _moments(label: Labels, w: FloatMap) -> Values:
    """Sum the moments (N, 10) of each label; see `sum_moments`."""
    moments = np.zeros((int(label.max()) + 1, 10))
    _sum_moments(label, w, moments)
    return moments


def _squares_left(moments: Values, width: int) -> Values:
    """Sum of squared residuals (N,) of the best planes for moments (N, 10)."""
    a, b, c = solve(moments, width)
    left = moments[:, 9] - a * moments[:, 6] - b * moments[:, 7] - c * moments[:, 8]
    return np.maximum(left, 0)


def _noise_cost(w: FloatMap, right: BoolMap, down: BoolMap) -> float:
    """Measure by how much noise raises the squared residuals for each degree of freedom that a common plane saves.

    It is the median over pairs of neighbouring, fully linked blocks, most of which lie on one face; 0 if there are too
    few.
    """
    height, width = w.shape
    for size in _MEASURE_PX:
        rows, columns = -(-height // size), -(-width // size)
        block = ((np.arange(height) // size)[:, None] * columns + np.arange(width) // size).astype(np.int32)
        moments = _moments(block, w)
        whole = moments[:, 0] == size * size
        for linked, first, second in _neighbours(right, down, block):
            whole[first[~linked]] = whole[second[~linked]] = False
        at = np.arange(rows * columns).reshape(rows, columns)
        pairs = np.concatenate(
            [np.stack([a.ravel(), b.ravel()]) for a, b in ((at[:, :-1], at[:, 1:]), (at[:-1], at[1:]))], axis=1
        )
        one, other = pairs[:, whole[pairs].all(axis=0)]
        if len(one) >= _LEAST_PAIRS:
            return float(np.median(_cost(moments[one], moments[other], width))) / _MEDIAN_CHI2
    return 0.0


def _neighbours(right: BoolMap, down: BoolMap, values: NDArray) -> Iterator[tuple[BoolMap, NDArray, NDArray]]:
    """Yield the links along rows and then along columns, each with the values (H, W) on their two sides."""
    yield right, values[:, :-1], values[:, 1:]
    yield down, values[:-1], values[1:]


def _cost(one: Values, other: Values, width: int) -> Values:
    """Increase of the squared residuals (N,) if pairs of regions with moments (N, 10) share one plane."""
    return _squares_left(one + other, width) - _squares_left(one, width) - _squares_left(other, width)


def _edges(label: Labels, right: BoolMap, down: BoolMap) -> NDArray[np.int64]:
    """Pairs (2, E) of different labels that are connected by a link."""
    found = []
    for linked, first, second in _neighbours(right, down, label):
        border = linked & (first != second)
        found.append(np.sort(np.stack([first[border], second[border]]), axis=0).astype(np.int64))
    return _distinct(np.concatenate(found, axis=1))[0]


def _distinct(pairs: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Distinct pairs (2, D) of pairs (2, E), sorted, and the index of each pair in them.

    Ten times as fast as numpy.unique over an axis.
    """
    span = int(pairs.max(initial=0)) + 1
    keys, number = np.unique(pairs[0].astype(np.int64) * span + pairs[1], return_inverse=True)
    return np.stack(np.divmod(keys, span)), number


def _merged(label: Labels, w: FloatMap, right: BoolMap, down: BoolMap, limit: FloatMap) -> Labels:
    """Merge regions of labels (H, W), cheapest pairs first, while a common plane costs less than their `limit` (H, W).

    In each round every region has one cheapest neighbour. Two regions that are each other's cheapest neighbour merge.
    Labels are numbered from 0, before and after.
    """
    moments, edges = _moments(label, w), _edges(label, right, down)
    root, width = np.arange(len(moments), dtype=np.int32), w.shape[1]
    limits = np.bincount(label.ravel(), limit.ravel())  # summed over each region
    while edges.size:
        cost = _cost(*moments[edges], width) / (limits[edges] / moments[edges, 0]).max(axis=0)
        edges, cost = edges[:, cost < 1], cost[cost < 1]
        edges = edges[:, np.argsort(cost, kind="stable")]
        rank = np.arange(edges.shape[1])
        best = np.full(len(root), len(rank))
        for end in edges:
            np.minimum.at(best, end, rank)
        into, gone = edges[:, (best[edges] == rank).all(axis=0)]
        moments[into] += moments[gone]
        limits[into] += limits[gone]
        root[gone] = into
        edges = np.sort(root[edges], axis=0)
        edges, _ = _distinct(edges[:, edges[0] != edges[1]])
    return _numbered(_roots(root)[label])


def _fitting(label: Labels, piece: Labels, surroundings: Values, planes: Values, reach: int) -> Labels:
    """Labels (H, W) after each pixel has compared its own label with those `reach` pixels away."""
    better = np.empty_like(label)

    def band(first: int, end: int) -> None:
        _relabel(label, piece, surroundings, planes, reach, first, end, better)

    for_bands(len(label), band)
    return better


def _surfaces(
    label: Labels, inverse: FloatMap, slopes: tuple[Values, Values], right: BoolMap, down: BoolMap
) -> tuple[Labels, BoolMap]:
    """Join regions across borders that are no creases: each region's surface (N,), and whether it is one region alone.

    slopes: (N,) each, the slopes b, c of the regions' planes, per picture width.
    """
    inside = [linked & (first == second) for linked, first, second in _neighbours(right, down, label)]
    _, du, dv = fit(inverse, inside[0], inside[1], _CREASE_PX)
    local = np.stack([du, dv], axis=-1) * label.shape[1]
    own = np.stack(slopes, axis=-1)
    pairs, shares = [], []
    for (linked, first, second), (_, before, after) in zip(
        _neighbours(right, down, label), _neighbours(right, down, local), strict=True
    ):
        border = linked & (first != second)
        a, b = first[border], second[border]
        turn = own[b] - own[a]
        pairs.append(np.sort(np.stack([a, b]), axis=0).astype(np.int64))
        jump = after[border] - before[border]
        shares.append((jump * turn).sum(axis=1) / np.maximum((turn**2).sum(axis=1), 1e-30))
    found, number = _distinct(np.concatenate(pairs, axis=1))
    share = np.concatenate(shares)
    count = np.bincount(number)
    mean = np.bincount(number, share) / count
    spread = np.sqrt(np.bincount(number, (share - mean[number]) ** 2) / count)
    independent = np.maximum(count / (2 * _CREASE_PX), 1)  # number of independent fits along a border
    sure = mean - _SURE * spread / np.sqrt(independent)
    surface = np.arange(len(own), dtype=np.int32)
    for a, b in found[:, sure < _CREASE].T:
        while surface[a] != a:
            a = surface[a]
        while surface[b] != b:
            b = surface[b]
        surface[max(a, b)] = min(a, b)
    surface = _roots(surface)
    return surface, np.bincount(surface, minlength=len(own))[surface] == 1


def _roots(parent: Labels) -> Labels:
    """Follow chains to their ends (N,): parent[n] is n itself at the end, else a number nearer to it."""
    while (parent[parent] != parent).any():
        parent = parent[parent]
    return parent
