"""Guess plain surfaces as whole planes: what the rim of a wall and its faint shading tell holds for all of it.

Where a picture has no texture, local matching finds nothing. But the surface ends somewhere, and there it is matched.
The picture is cut into regions of one colour. In each, planes are fitted to confirmed matches with random samples
(RANSAC, Fischler 1981), and every pixel takes the plane that its surroundings speak for, and all the texture of its
region. Matches on the rim may belong to something nearer, but never to something farther that would be seen through the
region, so these count against a plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.engine.front.noise import noise_level
from depthapps.engine.matching.correlation import LARGE, Bands, Texture, band_passed
from depthapps.engine.matching.plane_fits import SIGMA_PX, Plane, fit_planes
from depthapps.engine.matching.regions import SMALLEST_REGION, Region, color_steps, find_regions

# All lengths are in pixels of the half-size picture, in which regions are found; disparities are those of the views.
# The numbers were compared by what the best of these and the other guesses is off by more than 2 px, over 20 real
# pairs and six rendered ones (4.1, 3.6 and 1.1 %; without planes 5.2, 13.2 and 1.2 %).
_THIN_PX = 5  # things less wide than half of it, cables above all, do not part a wall from itself
_UNLIKE = 12  # colour difference by which such a thing stands out, grey levels, or six sigma of the halved noise
# Largest colour difference of neighbours within a region, grey levels: where no plane fits, the region is cut further.
# With 11 and 5.5, or 14, 7 and 3.5 regions run into each other (rendered rooms: 5.6 and 5.2 instead of 3.6 %).
_COLOR_STEPS = (8.0, 4.0)
_TEXTURE = 6.0  # gradient along the row at which a match counts in full, grey levels a pixel
_NOISE_SIGMAS = 2.5  # of it that noise alone may be
_LEAST_EVIDENCE = 20.0  # confirmed pixels of full texture
_PLAIN_WEIGHT = 0.05  # of a match without texture where planes are compared
_SAMPLES = 600
_MOST_PLANES = 4
# Of a large region whose true plane one draw of samples misses, another one may hold it: with 1, 2 and 3 draws the best
# guess of 14 rooms is off by more than 2 px at 11.0, 10.7 and 10.7 %.
_DRAWS = 2
_LEAST_SHARE = 0.12  # of the samples
_MOST_PLAIN_PLANES = 2
_LEAST_PLAIN_SHARE = 0.15
# A match speaks for its plane at some distance: sides of windows, and the weight of a match in each
_WINDOWS = ((9, 1.0), (33, 0.25), (129, 0.06))
_BEHIND_COUNTS = 2.0  # times as much as a match on the plane
# The planes by what lies inside come first where more of a region than this is matched: then its rim tells less than
# itself. With 0.5, 0.7 and 0.8 the first planes are wrong at 16.2, 16.6 and 16.7 % of 1900 rendered scenes, at 3.7, 3.7
# and 3.6 % of 18 other rooms, at 4.6, 4.6 and 5.0 % of 20 real pairs and at 1.9, 1.7 and 1.6 % of six streets; without
# this rule at 17.1, 4.1, 6.9 and 1.7 %.
_MATCHED = 0.7
# They also come first if more than this share of what is matched inside lies behind the others: such a wall would hide
# what is seen. Matches on plain walls deceive, so that with 0.7 the first planes are wrong at 0.6 % more of the rooms.
_BEHIND = 0.8
# What is matched so near to a region's rim, in windows that reach beyond it, may be at the rim's disparity.
_DEEP_PX = 9  # side of the square that must lie within the region
_LEAST_DEEP = 0.3  # share of the matches inside, away from the rim, that a plane of them must hold
# Where no gradient is larger, in a window of so many pixels of the view, a match is less likely right than a plane.
_PLAIN, _PLAIN_PX = 1.0, 5  # grey levels a pixel beyond noise; side of the window
# But not on a surface that is matched at more of its plain pixels: there matches agree with each other, and what is no
# plane is round or has folds. With 0.6, 0.7 and 0.8 `fast` is off by more than 2 px at 7.3, 7.2 and 7.3 % of 20 real
# pairs, at 11.2, 10.9 and 10.9 % of six streets and at 10.6, 10.4 and 10.4 % of six rendered rooms; with 0.8 a plain
# cloth becomes a plane when its pair is hand-held.
_DENSE = 0.7
_SHADING_TIMES = 2  # the half-size picture's size over that in which shading is compared
_SHADING_MEAN_PX = 17
_SHADING_WINDOW_PX = 9
_SHADING_CAP = 6.0  # grey levels
_SHADING_UNIT = 0.5  # grey levels that count as much as full support, or 1.5 sigma of the noise that is left
# What a nat of a region's texture counts as in full support, and all of them at most. The best guess of 14 rooms is off
# by more than 2 px at 11.8 % without texture and with one draw, and at 10.7 % so, that of 20 real pairs at 7.4 %
# both times, or at 9.4 and 8.3 % with a gamma of 0.5 between the views. 0.3 a nat, and at
# most 1 or 5, differ by less than 0.1 %.
_NAT, _MOST_TOLD = 0.1, 2.0
_NO_PLANE = -1


class Surfaces(NamedTuple):
    """Plain surfaces of the left view, all (H, W).

    by_rims: disparity in float32 px by matches with texture, NaN where no plane is found.
    by_insides: the same by what lies inside regions, or the second best by matches with texture.
    plain: where nothing that could be matched is near, on surfaces that are thinly matched.
    """

    by_rims: FloatMap
    by_insides: FloatMap
    plain: NDArray[np.bool_]

    def onto(self, known: FloatMap, *, trusted: bool = False) -> FloatMap:
        """Confirmed matches (H, W) px, NaN elsewhere, with planes in their holes.

        trusted: also in place of matches where all is plain.
        """
        taken = np.isnan(known) | self.plain if trusted else np.isnan(known)
        return np.where(taken & np.isfinite(self.by_rims), self.by_rims, known)


@dataclass(frozen=True, eq=False)
class _Evidence:
    """What speaks for planes, in the half-size picture (h, w).

    matches: px of disparity, NaN where there is none.
    weights: how much texture each match has, 0..1; 0 where there is none.
    broad: where there is a match, and not on a thin thing.
    left, right: the views at a quarter of their size without their local means, float32; unit: see _SHADING_UNIT.
    bands: the views, band-passed. range_px: the least and the largest match.
    """

    matches: FloatMap
    weights: FloatMap
    broad: NDArray[np.bool_]
    left: FloatMap
    right: FloatMap
    unit: float
    bands: Bands
    range_px: tuple[float, float]


def fit_surfaces(left: Image, right: Image, known: FloatMap) -> Surfaces:
    """Guess the disparity of plain surfaces.

    left: (H, W, 3) uint8 RGB. right: (H, W) uint8 grey, aligned with it.
    known: (H, W) px, the confirmed matches, NaN elsewhere.
    """
    rng = np.random.default_rng(0)  # the same planes every time
    height, width = known.shape
    half = cv2.resize(left, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
    smooth = cv2.medianBlur(half, _THIN_PX)
    grey = cv2.cvtColor(left, cv2.COLOR_RGB2GRAY)
    noise = noise_level(grey)
    unlike = np.abs(half.astype(np.int16) - smooth).max(axis=2)
    steps, thin = color_steps(smooth), unlike > max(_UNLIKE, 3 * noise)
    # of Sobel's filter, noise of 1 becomes 0.87
    gradient = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0)) / 4 - np.float32(_NOISE_SIGMAS * 0.87 * noise)
    seen = _evidence(grey, right, known, gradient, thin, noise)
    plain = cv2.dilate(gradient, np.ones((_PLAIN_PX, _PLAIN_PX), np.uint8)) < _PLAIN
    thinly, matched = np.zeros(steps.shape, np.bool_), np.isfinite(seen.matches)
    planes: list[Plane] = []
    labels = [np.full(steps.shape, _NO_PLANE, np.int32) for _ in range(2)]
    for largest in _COLOR_STEPS:
        for region in find_regions((steps < largest) & (labels[0] == _NO_PLANE)):
            rims, insides = _plane_candidates(seen, region, rng)
            if not len(rims) + len(insides):
                continue
            texture = Texture(seen.bands, region, rng)
            rims += texture.clear_level([*rims, *insides], *seen.range_px)
            for label, best in zip(labels, _best_planes(seen, region, texture, rims, insides), strict=True):
                label[region.frame][region.mask] = len(planes) + best[region.mask]
            planes += [*rims, *insides]
            told = matched[region.frame][region.mask & plain[::2, ::2][region.frame]]
            thinly[region.frame][region.mask] = told.mean() < _DENSE if told.size else True
    for label in labels:
        label[thin] = _NO_PLANE
    by_rims, by_insides = (_drawn(label, planes, (height, width)) for label in labels)
    plain &= thinly.repeat(2, 0).repeat(2, 1)[:height, :width]
    return Surfaces(by_rims, by_insides, plain)


def _evidence(
    grey: Image, right: Image, known: FloatMap, gradient: FloatMap, thin: NDArray[np.bool_], noise: float
) -> _Evidence:
    matches = known[::2, ::2]
    there = np.isfinite(matches)
    weights = np.where(there, np.clip(gradient[::2, ::2] / _TEXTURE, 0, 1), 0).astype(np.float32)
    times = 2 * _SHADING_TIMES
    size = (-(-grey.shape[1] // times), -(-grey.shape[0] // times))

    def shading(view: Image) -> FloatMap:
        small = np.asarray(cv2.resize(view.astype(np.float32), size, interpolation=cv2.INTER_AREA))
        return small - cv2.blur(small, (_SHADING_MEAN_PX, _SHADING_MEAN_PX))

    unit = max(_SHADING_UNIT, 1.5 * noise / times)
    ends = (float(np.nanmin(matches)), float(np.nanmax(matches))) if there.any() else (0.0, 0.0)
    views = shading(grey), shading(right)
    return _Evidence(matches, weights, there & ~thin, *views, unit, band_passed(grey, right), ends)


def _plane_candidates(seen: _Evidence, region: Region, rng: np.random.Generator) -> tuple[list[Plane], list[Plane]]:
    """Planes of a region, each by its coefficients (3,) for 1, row and column.

    The first ones hold matches with texture on the region and its rim, the others any matches inside it.
    """
    matches = seen.matches[region.frame]
    weights = np.where(region.near, seen.weights[region.frame], 0)
    if weights.sum() < _LEAST_EVIDENCE:
        return [], []
    start = np.array([region.rows.start, region.columns.start])

    def samples(places: NDArray[np.intp], chosen: NDArray[np.intp]) -> tuple[NDArray[np.intp], FloatMap]:
        at = places[chosen]
        return at + start, matches[tuple(at.T)]

    textured = np.argwhere(weights)
    likely = weights[tuple(textured.T)].astype(np.float64)
    rims: list[Plane] = []
    for _ in range(_DRAWS if np.count_nonzero(region.mask) >= LARGE else 1):
        taken = rng.choice(len(textured), min(_SAMPLES, len(textured)), p=likely / likely.sum())
        rims += fit_planes(*samples(textured, taken), _MOST_PLANES, _LEAST_SHARE, rng, opaque=True)
    inside = np.argwhere(region.mask & seen.broad[region.frame])
    if len(inside) < SMALLEST_REGION // 2:
        return rims, []
    taken = rng.integers(0, len(inside), _SAMPLES // 2)
    insides = fit_planes(*samples(inside, taken), _MOST_PLAIN_PLANES, _LEAST_PLAIN_SHARE, rng, opaque=False)
    deep = _inside(seen, region)
    away = [(matches - _values(region, [plane], np.zeros(deep.shape, np.intp)))[deep] for plane in insides]
    held = [(np.abs(error) < 2 * SIGMA_PX).mean() for error in away]
    return rims, [plane for plane, share in zip(insides, held, strict=True) if share > _LEAST_DEEP]


def _best_planes(
    seen: _Evidence, region: Region, texture: Texture, rims: list[Plane], insides: list[Plane]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which plane each pixel of a region's frame is taken to be on, by number: of the first ones, and of the others.

    Without planes of one kind, the best and the second best of the other.
    """
    planes = [*rims, *insides]
    ranks = _ranks(seen, region, texture, planes)
    if not (rims and insides):
        order = np.argsort(-ranks, axis=0)
        return order[0], order[min(1, len(order) - 1)]
    first, other = ranks[: len(rims)].argmax(axis=0), len(rims) + ranks[len(rims) :].argmax(axis=0)
    matches = seen.matches[region.frame]
    if np.isfinite(matches)[region.mask].mean() > _MATCHED:
        return other, first
    behind = matches < _values(region, planes, first) - 3 * SIGMA_PX
    return (other, first) if behind[_inside(seen, region)].mean() > _BEHIND else (first, other)


def _inside(seen: _Evidence, region: Region) -> NDArray[np.bool_]:
    """The matches of a region away from its rim, if there are enough, or all, in its frame."""
    inside = region.mask & seen.broad[region.frame]
    deep = inside & (cv2.erode(region.mask.astype(np.uint8), np.ones((_DEEP_PX, _DEEP_PX), np.uint8)) > 0)
    return deep if np.count_nonzero(deep) >= SMALLEST_REGION // 2 else inside


def _values(region: Region, planes: list[Plane], chosen: NDArray[np.intp]) -> FloatMap:
    """The disparity (h, w) px of a region's frame on the planes that are chosen, by number (h, w)."""
    rows, columns = region.places()
    level, down, right = np.moveaxis(np.asarray(planes, np.float32)[chosen], 2, 0)
    return level + down * rows + right * columns


def _ranks(seen: _Evidence, region: Region, texture: Texture, planes: list[Plane]) -> FloatMap:
    """How much speaks for each plane at every pixel of a region's frame, (P, h, w): matches, shading and texture."""
    if len(planes) == 1:
        return np.zeros((1, *region.mask.shape), np.float32)
    matches = seen.matches[region.frame]
    weights = np.maximum(seen.weights[region.frame], np.float32(_PLAIN_WEIGHT)) * np.isfinite(matches) * region.near
    total = _around(weights) + 1
    rows, columns = region.places()
    likelihoods = np.array([texture.likelihood(plane) for plane in planes])
    told = np.maximum(_NAT * (likelihoods - likelihoods.max()), -_MOST_TOLD)
    ranks = np.empty((len(planes), *matches.shape), np.float32)
    for k, plane in enumerate(planes):
        disparity = (plane[0] + plane[1] * rows + plane[2] * columns).astype(np.float32)
        error = matches - disparity
        votes = (np.abs(error) < 2 * SIGMA_PX) - np.float32(_BEHIND_COUNTS) * (error < -3 * SIGMA_PX)
        ranks[k] = _around(weights * votes) / total - _shading_cost(seen, region, disparity) + told[k]
    return ranks


def _around(values: FloatMap) -> FloatMap:
    """Sums of a map (h, w) around each pixel; what is near counts for more."""
    sums = (
        np.float32(weight) * cv2.boxFilter(values, -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
        for side, weight in _WINDOWS
    )
    return np.asarray(sum(sums), np.float32)


def _shading_cost(seen: _Evidence, region: Region, disparity: FloatMap) -> FloatMap:
    """How badly the views' shading matches at a disparity (h, w), near each pixel and over the whole region."""
    times = _SHADING_TIMES
    small = disparity[::times, ::times] / (2 * times)
    top, first = region.rows.start // times, region.columns.start // times
    rows, columns = np.indices(small.shape, np.float32)
    at = (columns + first - small, rows + top)
    there = cv2.remap(seen.right, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    here = seen.left[top : top + small.shape[0], first : first + small.shape[1]]
    mask = cv2.resize(region.mask.astype(np.float32), small.shape[::-1], interpolation=cv2.INTER_AREA)
    costs = np.minimum(np.abs(there - here), _SHADING_CAP) * mask
    window = (_SHADING_WINDOW_PX, _SHADING_WINDOW_PX)
    near = cv2.blur(costs, window) / (cv2.blur(mask, window) + 1e-3)
    mean = (near + costs.sum() / max(mask.sum(), 1)) / 2
    return np.asarray(cv2.resize(mean, disparity.shape[::-1]), np.float32) / seen.unit


def _drawn(labels: NDArray[np.int32], planes: list[Plane], shape: tuple[int, int]) -> FloatMap:
    """The disparity (H, W) px of planes by their labels in the half-size picture, NaN where there is none."""
    height, width = shape
    table = np.array([*planes, (np.nan,) * 3], np.float32)  # the last one is what _NO_PLANE stands for
    level, down, right = (table[:, k][labels].repeat(2, 0).repeat(2, 1)[:height, :width] for k in range(3))
    rows, columns = (np.arange(n, dtype=np.float32) / 2 for n in (height, width))
    return level + down * rows[:, None] + right * columns
