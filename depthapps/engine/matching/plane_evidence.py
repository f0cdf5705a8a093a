"""What speaks for planes in a picture of half the size, and how planes rank by it: matches, shading and texture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.engine.fusion.clues import nearest_from_right
from depthapps.engine.matching.correlation import Bands, band_passed
from depthapps.engine.matching.plane_fits import SIGMA_PX, Plane
from depthapps.engine.matching.regions import Region

# Lengths are in pixels of the half-size picture, those of shading in pixels of _SHADING_PX; disparities are the views'.
_TEXTURE = 6.0  # gradient along the row at which a match counts in full, grey levels a pixel
_PLAIN_WEIGHT = 0.05  # of a match without texture where planes are compared
# A match speaks for its plane at some distance: sides of windows, and the weight of a match in each
_WINDOWS = ((9, 1.0), (33, 0.25), (129, 0.06))
# A match behind a plane counts so many times as much as one on it, but only for its texture: where all is plain,
# matches behind deceive. If they counted in full, the first planes of 20 real pairs would be wrong at 9.9 instead of
# 8.7 %, nearly all of that in one scene; in 27 rendered rooms it makes no difference.
_BEHIND_COUNTS = 2.0
# Shading is compared in copies of the views as small as the network sees it in, see `clues`.
_SHADING_TIMES = 2  # the half-size picture's size over theirs
_SHADING_PX = 2 * _SHADING_TIMES  # of the views, that one of their pixels spans
_WHOLE = 0.99  # share of such a pixel in a region: where less of it is, what is beyond the region shines through
_SHADING_MEAN_PX = 17
_SHADING_WINDOW_PX = 9
_SHADING_CAP = 6.0  # grey levels
# Share of a region that the right view must show, for its shading to tell what the rest costs: less their mean, a few
# pixels differ from nothing. With 0 to 0.4, planes of 20 real pairs and 27 rooms are alike to 0.05 %.
_LEAST_SHOWN = 0.1
_SHADING_UNIT = 0.5  # grey levels that count as much as full support, or 1.5 sigma of the noise that is left
# What a nat of a region's texture counts as in full support, and all of them at most. Before gaps were looked through,
# the best guess of 14 rooms was off by more than 2 px at 11.8 % without texture and with one draw, and at 10.7 % so,
# that of 20 real pairs at 7.4 % both times, or at 9.4 and 8.3 % with a gamma of 0.5 between the views. 0.3 a nat, and
# at most 1 or 5, differ by less than 0.1 %.
_NAT, _MOST_TOLD = 0.1, 2.0


@dataclass(frozen=True, eq=False)
class Evidence:
    """What speaks for planes, in the half-size picture (h, w).

    matches: px of disparity, NaN where there is none.
    weights: how much texture each match has, 0..1; 0 where there is none.
    broad: where there is a match, and not on a thin thing.
    left, right: the views at a quarter of their size, float32 grey levels; unit: see _SHADING_UNIT.
    nearest: the largest match that is seen at each pixel of that right view, NaN where there is none.
    bands: the views, band-passed. range_px: the least and the largest match.
    """

    matches: FloatMap
    weights: FloatMap
    broad: NDArray[np.bool_]
    left: FloatMap
    right: FloatMap
    nearest: FloatMap
    unit: float
    bands: Bands
    range_px: tuple[float, float]


def gather_evidence(
    grey: Image, right: Image, known: FloatMap, gradient: FloatMap, thin: NDArray[np.bool_], noise: float
) -> Evidence:
    """The evidence in two grey views (H, W) uint8.

    known: (H, W) px, the confirmed matches, NaN elsewhere. gradient: (H, W) grey levels a pixel along the row, beyond
    noise. thin: (h, w), what is thin. noise: grey levels.
    """
    matches = known[::2, ::2]
    there = np.isfinite(matches)
    weights = np.where(there, np.clip(gradient[::2, ::2] / _TEXTURE, 0, 1), 0).astype(np.float32)
    size = (-(-grey.shape[1] // _SHADING_PX), -(-grey.shape[0] // _SHADING_PX))

    def quartered(view: Image) -> FloatMap:
        return np.asarray(cv2.resize(view.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)

    nearest = nearest_from_right(known, _SHADING_PX)
    unit = max(_SHADING_UNIT, 1.5 * noise / _SHADING_PX)
    ends = (float(np.nanmin(matches)), float(np.nanmax(matches))) if there.any() else (0.0, 0.0)
    views = quartered(grey), quartered(right)
    return Evidence(matches, weights, there & ~thin, *views, nearest, unit, band_passed(grey, right), ends)


def values_on(region: Region, planes: list[Plane], chosen: NDArray[np.intp]) -> FloatMap:
    """The disparity (h, w) px of a region's frame on the planes that are chosen, by number (h, w)."""
    rows, columns = region.places()
    level, down, right = (factors[chosen] for factors in np.asarray(planes, np.float32).T)
    return level + down * rows + right * columns


def plane_at(region: Region, plane: Plane) -> FloatMap:
    """The disparity (h, w) px of a region's frame on one plane."""
    rows, columns = region.places()
    return np.asarray(plane[0] + plane[1] * rows + plane[2] * columns, np.float32)


def rank_planes(seen: Evidence, region: Region, planes: list[Plane], likely: NDArray[np.floating]) -> FloatMap:
    """How much speaks for each plane at every pixel of a region's frame, (P, h, w): matches, shading and texture.

    likely: (P,), how likely each is by the texture of all the region, see `Texture.likelihoods`.
    """
    if len(planes) == 1:
        return np.zeros((1, *region.mask.shape), np.float32)
    matches = seen.matches[region.frame]
    textured = seen.weights[region.frame] * region.near
    weights = np.maximum(textured, np.float32(_PLAIN_WEIGHT)) * np.isfinite(matches) * region.near
    total = _around(weights) + 1
    told = np.maximum(_NAT * (likely - likely.max()), -_MOST_TOLD)
    ranks = np.empty((len(planes), *matches.shape), np.float32)
    for k, plane in enumerate(planes):
        disparity = plane_at(region, plane)
        error = matches - disparity
        votes = weights * (np.abs(error) < 2 * SIGMA_PX)
        votes -= np.float32(_BEHIND_COUNTS) * textured * (error < -3 * SIGMA_PX)
        ranks[k] = _around(votes) / total - _shading_cost(seen, region, disparity) + told[k]
    return ranks


def _around(values: FloatMap) -> FloatMap:
    """Sums of a map (h, w) around each pixel; what is near counts for more."""
    sums = (
        np.float32(weight) * cv2.boxFilter(values, -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
        for side, weight in _WINDOWS
    )
    return np.asarray(sum(sums), np.float32)


def _shading_cost(seen: Evidence, region: Region, disparity: FloatMap) -> FloatMap:
    """How badly the views' shading matches at a disparity (h, w), near each pixel and over the whole region.

    Levels are compared less their means around, of the region alone: things before it move otherwise. What would be
    hidden in the right view by something nearer, or lie beyond its border, costs as much as the rest: compared with
    what hides it, a wall beside a lamp would cost least at the lamp's disparity. Of 20 real pairs, with a gamma of 0.5
    between the views, 9.4 instead of 9.0 % of the first planes would be wrong.
    """
    times = _SHADING_TIMES
    small = disparity[::times, ::times]
    top, first = region.rows.start // times, region.columns.start // times
    rows, columns = np.indices(small.shape, np.float32)
    at = (columns + first - small / _SHADING_PX, rows + top)
    there = cv2.remap(seen.right, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    here = seen.left[top : top + small.shape[0], first : first + small.shape[1]]
    before = cv2.remap(seen.nearest, *at, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=np.inf)
    share = cv2.resize(region.mask.astype(np.float32), small.shape[::-1], interpolation=cv2.INTER_AREA)
    inside = share > (_WHOLE if share.max() > _WHOLE else 0)
    told_by = inside & ~(before > small + 3 * SIGMA_PX)  # NaN hides nothing
    if told_by.sum() < _LEAST_SHOWN * inside.sum():
        told_by = inside
    weight, wide = told_by.astype(np.float32), (_SHADING_MEAN_PX, _SHADING_MEAN_PX)
    apart = there - here
    apart -= cv2.blur(apart * weight, wide) / np.maximum(cv2.blur(weight, wide), np.float32(1e-3))
    costs = np.minimum(np.abs(apart), _SHADING_CAP)
    whole = (costs * weight).sum() / max(weight.sum(), 1)
    near = cv2.blur(np.where(told_by, costs, whole), (_SHADING_WINDOW_PX, _SHADING_WINDOW_PX))
    return np.asarray(cv2.resize((near + whole) / 2, disparity.shape[::-1]), np.float32) / seen.unit
