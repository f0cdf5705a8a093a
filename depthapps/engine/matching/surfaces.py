"""Guess plain surfaces as whole planes: what the rim of a wall and its faint shading tell holds for all of it.

Where a picture has no texture, local matching finds nothing. But the surface ends somewhere, and there it is matched.
The picture is cut into regions of one colour. In each that is not matched all over, planes are fitted to confirmed
matches with random samples (RANSAC, Fischler 1981), and every pixel takes the plane that its surroundings speak for,
and all the texture of its region. Matches on the rim may belong to something nearer, but never to something farther
that would be seen through the region, so these count against a plane. What is more of a larger surface, seen through
gaps, takes the plane of that.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import largest_channel
from depthapps.core.scene import FloatMap, Image
from depthapps.engine.front.noise import roughness
from depthapps.engine.matching import correlation, gaps, plane_fits
from depthapps.engine.matching.correlation import CLEAR_NATS, LARGE, Texture
from depthapps.engine.matching.gaps import rivals, seen_through, with_rim
from depthapps.engine.matching.plane_evidence import Evidence, gather_evidence, plane_at, rank_planes, values_on
from depthapps.engine.matching.plane_fits import SIGMA_PX, Plane, fit_planes
from depthapps.engine.matching.regions import SMALLEST_REGION, Region, color_steps, find_regions
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

# All lengths are in pixels of the half-size picture, in which regions are found; disparities are those of the views.
# The numbers were compared by what the best of these and the other guesses is off by more than 2 px, over 20 real
# pairs and six rendered ones (4.1, 3.6 and 1.1 %; without planes 5.2, 13.2 and 1.2 %). All figures of rooms are from
# before gaps were looked through.
_THIN_PX = 5  # things less wide than half of it, cables above all, do not part a wall from itself
_UNLIKE = 12  # colour difference by which such a thing stands out, grey levels, or six sigma of the halved noise
# Largest colour difference of neighbours within a region, grey levels: where no plane fits, the region is cut further.
# With 11 and 5.5, or 14, 7 and 3.5 regions run into each other (rendered rooms: 5.6 and 5.2 instead of 3.6 %).
_COLOR_STEPS = (8.0, 4.0)
_NOISE_SIGMAS = 2.5  # of it that noise alone may be
# Share of a region that is matched, above which it takes no plane: its matches know its shape better. With 0.9, 0.95,
# 0.98 and without this rule `balanced` is off by more than 0.5 px at 10.2, 10.0, 10.2 and 10.2 % of 18 rendered rooms,
# by more than 2 px at 4.15, 4.16, 4.17 and 4.31 %; of 20 real pairs with three seeds of the random numbers, at 16.5,
# 16.7 and 16.9 % (0.95, 0.98, without), by more than 2 px at 5.75, 5.83 and 5.82 %.
_KNOWN = 0.95
_LEAST_EVIDENCE = 20.0  # confirmed pixels of full texture
_SAMPLES = 600
_MOST_PLANES = 4
# Of a large region whose true plane one draw of samples misses, another one may hold it: with 1, 2 and 3 draws the best
# guess of 14 rooms is off by more than 2 px at 11.0, 10.7 and 10.7 %.
_DRAWS = 2
_LEAST_SHARE = 0.12  # of the samples
_MOST_PLAIN_PLANES = 2
_LEAST_PLAIN_SHARE = 0.15
# The planes by what lies inside come first where more of a region than this is matched: then its rim tells less than
# itself. With 0.5, 0.7 and 0.8 the first planes are wrong at 16.2, 16.6 and 16.7 % of 1900 rendered scenes, at 3.7, 3.7
# and 3.6 % of 18 other rooms, at 4.6, 4.6 and 5.0 % of 20 real pairs and at 1.9, 1.7 and 1.6 % of six streets; without
# this rule at 17.1, 4.1, 6.9 and 1.7 %.
_MATCHED = 0.7
# They also come first if more than this share of what is matched inside lies behind the others: such a wall would hide
# what is seen. Matches on plain walls deceive, so that with 0.7 the first planes are wrong at 0.6 % more of the rooms.
# So it does not count where the others are clearly likelier by the texture of all the region, which takes what is off
# by more than 2 px in 28 rooms at `fast` from 6.14 to 5.47 %, all of it in one, whose floor is plain; in others it is
# alike.
_BEHIND = 0.8
# They also come first where they rank higher by more than this over the region, by all that `rank_planes` weighs. With
# noise of 8 levels in the right view, the first planes are wrong at 12.3 % of 20 real pairs, without this rule at
# 12.8 %; with 2 instead of 1 at 12.7 %, with 0.5 at 12.1 %, but at 9.9 instead of 8.7 % without noise.
_CLEAR = 1.0
# Unless more than this share of the matched texture of the region and its rim would lie behind them, as it does behind
# the plane of one side of a folded cloth: without this, `best` is off by more than 2 px at 5.97 instead of 5.83 % of 20
# real pairs. With 0.3 alike; with 0.1 what _CLEAR gains with noise is lost.
_MOST_HIDDEN = 0.2
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
# Share of a region beyond the farthest match, above which it is cut further: a wall and the floor before it, say, are
# one region where noise hides their seam, and the floor's plane leads below the horizon. Of nine rendered rooms with
# noise of 1.7 levels `balanced` is off by more than 2 px at 4.1 instead of 7.4 %; with 0.03 instead of 0.1 alike to
# 0.01 %, and rooms without noise and real pairs are as they were.
_MOST_BEYOND = 0.1
_DECEIVED_PX = 2.0  # from the plane of what is seen through gaps, from which on a match is not of it
_NO_PLANE = -1

_draw_planes = Kernel(
    "depthapps.engine.matching._fit_kernels",
    "draw_planes",
    "int32[:,::1] float32[:,::1] int64 int64 float32[:,::1]",
)
KERNELS = (*plane_fits.KERNELS, *correlation.KERNELS, *gaps.KERNELS, _draw_planes)  # in the order of their use


class Surfaces(NamedTuple):
    """Plain surfaces of the left view, all (H, W).

    by_rims: disparity in float32 px by matches with texture, NaN where no plane is found.
    by_insides: the same by what lies inside regions, or the second best by matches with texture.
    plain: where nothing that could be matched is near, on surfaces that are thinly matched.
    through: what is more of a larger surface, seen through gaps; by_rims is the plane of that.
    """

    by_rims: FloatMap
    by_insides: FloatMap
    plain: NDArray[np.bool_]
    through: NDArray[np.bool_]

    def believed(self, known: FloatMap) -> FloatMap:
        """Confirmed matches (H, W) px, NaN elsewhere, without those that are not of the surface seen through gaps."""
        return np.where(self.through & (np.abs(known - self.by_rims) >= _DECEIVED_PX), np.float32(np.nan), known)

    def onto(self, known: FloatMap, *, trusted: bool = False) -> FloatMap:
        """Confirmed matches (H, W) px, NaN elsewhere, with planes in their holes.

        trusted: also in place of matches where all is plain.
        """
        taken = np.isnan(known) | self.plain if trusted else np.isnan(known)
        return np.where(taken & np.isfinite(self.by_rims), self.by_rims, known)


def fit_surfaces(left: Image, right: Image, known: FloatMap, noise: float = 0.0) -> Surfaces:
    """Guess the disparity of plain surfaces.

    left: (H, W, 3) uint8 RGB. right: (H, W) uint8 grey, aligned with it.
    known: (H, W) px, the confirmed matches, NaN elsewhere.
    noise: what was removed from the noisier view, grey levels.
    """
    rng = np.random.default_rng(0)  # the same planes every time
    height, width = known.shape
    half = _halved(left)
    smooth = cv2.medianBlur(half, _THIN_PX)
    grey = cv2.cvtColor(left, cv2.COLOR_RGB2GRAY)
    rough = roughness(grey)
    unlike = largest_channel(cv2.absdiff(half, smooth))
    steps, thin = color_steps(smooth), unlike > max(_UNLIKE, 3 * rough)
    # of Sobel's filter, noise of 1 becomes 0.87
    gradient = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0)) / 4 - np.float32(_NOISE_SIGMAS * 0.87 * rough)
    seen = gather_evidence(grey, right, known, gradient, thin, max(rough, noise))
    plain = cv2.dilate(gradient, np.ones((_PLAIN_PX, _PLAIN_PX), np.uint8)) < _PLAIN
    thinly, through = (np.zeros(steps.shape, np.bool_) for _ in range(2))
    matched = np.isfinite(seen.matches)
    repeated = functools.cache(lambda: rivals(cv2.cvtColor(half, cv2.COLOR_RGB2GRAY), _halved(right), seen.matches / 2))
    planes: list[Plane] = []
    labels = [np.full(steps.shape, _NO_PLANE, np.int32) for _ in range(2)]
    for largest in _COLOR_STEPS:
        regions = find_regions((steps < largest) & (labels[0] == _NO_PLANE))
        for region in regions:
            if matched[region.frame][region.mask].mean() > _KNOWN:
                continue
            rims, insides = _plane_candidates(seen, region, rng)
            if not len(rims) + len(insides):
                continue
            texture = Texture(seen.bands, region, rng)
            rims += texture.clear_level([*rims, *insides], *seen.range_px)
            chosen = _best_planes(seen, region, texture, rims, insides)
            if largest == _COLOR_STEPS[0] and _leads_beyond(seen, region, [*rims, *insides], chosen[0]):
                continue
            for label, best in zip(labels, chosen, strict=True):
                label[region.frame][region.mask] = len(planes) + best[region.mask]
            planes += [*rims, *insides]
            told = matched[region.frame][region.mask & plain[::2, ::2][region.frame]]
            thinly[region.frame][region.mask] = told.mean() < _DENSE if told.size else True
        for region, plane in list(seen_through(seen, regions, labels[0], planes, repeated, smooth, largest)):
            part = with_rim(region, smooth, largest) & (region.mask | (labels[0][region.frame] == _NO_PLANE))
            labels[0][region.frame][part] = plane
            through[region.frame][part] = True
    for label in labels:
        label[thin] = _NO_PLANE
    by_rims, by_insides = (_drawn(label, planes, (height, width)) for label in labels)
    thinly, through = (part.repeat(2, 0).repeat(2, 1)[:height, :width] for part in (thinly, through))
    return Surfaces(by_rims, by_insides, plain & thinly, through & np.isfinite(by_rims))


def _plane_candidates(seen: Evidence, region: Region, rng: np.random.Generator) -> tuple[list[Plane], list[Plane]]:
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
    away = [(matches - plane_at(region, plane))[deep] for plane in insides]
    held = [(np.abs(error) < 2 * SIGMA_PX).mean() for error in away]
    return rims, [plane for plane, share in zip(insides, held, strict=True) if share > _LEAST_DEEP]


def _best_planes(
    seen: Evidence, region: Region, texture: Texture, rims: list[Plane], insides: list[Plane]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which plane each pixel of a region's frame is taken to be on, by number: of the first ones, and of the others.

    Without planes of one kind, the best and the second best of the other.
    """
    planes = [*rims, *insides]
    likely = texture.likelihoods(planes)
    ranks = rank_planes(seen, region, planes, likely)
    if not (rims and insides):
        order = np.argsort(-ranks, axis=0)
        return order[0], order[min(1, len(order) - 1)]
    first, other = ranks[: len(rims)].argmax(axis=0), len(rims) + ranks[len(rims) :].argmax(axis=0)
    ahead = (ranks[len(rims) :].max(axis=0) - ranks[: len(rims)].max(axis=0))[region.mask].mean()
    clear = ahead > _CLEAR and _hidden_texture(seen, region, planes, other) < _MOST_HIDDEN
    matches = seen.matches[region.frame]
    if clear or np.isfinite(matches)[region.mask].mean() > _MATCHED:
        return other, first
    if likely[: len(rims)].max() > likely[len(rims) :].max() + CLEAR_NATS:
        return first, other
    behind = matches < values_on(region, planes, first) - 3 * SIGMA_PX
    return (other, first) if behind[_inside(seen, region)].mean() > _BEHIND else (first, other)


def _hidden_texture(seen: Evidence, region: Region, planes: list[Plane], chosen: NDArray[np.intp]) -> float:
    """The share of a region's and its rim's matched texture behind the planes that are chosen, by number (h, w)."""
    texture = seen.weights[region.frame] * region.near
    behind = seen.matches[region.frame] < values_on(region, planes, chosen) - 3 * SIGMA_PX
    return float(texture[behind].sum() / max(texture.sum(), 1e-6))


def _leads_beyond(seen: Evidence, region: Region, planes: list[Plane], chosen: NDArray[np.intp]) -> bool:
    """Whether much of a region would be farther than anything that is matched: then it is more than one surface."""
    on = values_on(region, planes, chosen)[region.mask]
    return bool((on < seen.range_px[0] - 3 * SIGMA_PX).mean() > _MOST_BEYOND)


def _inside(seen: Evidence, region: Region) -> NDArray[np.bool_]:
    """The matches of a region away from its rim, if there are enough, or all, in its frame."""
    inside = region.mask & seen.broad[region.frame]
    deep = inside & (cv2.erode(region.mask.astype(np.uint8), np.ones((_DEEP_PX, _DEEP_PX), np.uint8)) > 0)
    return deep if np.count_nonzero(deep) >= SMALLEST_REGION // 2 else inside


def _halved(picture: Image) -> Image:
    """A picture (H, W, any) or (H, W) of half the size; odd sides are rounded up."""
    size = ((picture.shape[1] + 1) // 2, (picture.shape[0] + 1) // 2)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _drawn(labels: NDArray[np.int32], planes: list[Plane], shape: tuple[int, int]) -> FloatMap:
    """The disparity (H, W) px of planes by their labels in the half-size picture, NaN where there is none."""
    table, disparity = np.array(planes, np.float32).reshape(-1, 3), np.empty(shape, np.float32)
    for_bands(shape[0], lambda first, end: _draw_planes(labels, table, first, end, disparity))
    return disparity
