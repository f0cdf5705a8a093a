"""What speaks for planes in a picture of half the size, and how planes rank by it: matches, shading and texture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.engine.matching.correlation import Bands, Texture, band_passed
from depthapps.engine.matching.plane_fits import SIGMA_PX, Plane
from depthapps.engine.matching.regions import Region

# All lengths are in pixels of the half-size picture; disparities are those of the views.
_TEXTURE = 6.0  # gradient along the row at which a match counts in full, grey levels a pixel
_PLAIN_WEIGHT = 0.05  # of a match without texture where planes are compared
# A match speaks for its plane at some distance: sides of windows, and the weight of a match in each
_WINDOWS = ((9, 1.0), (33, 0.25), (129, 0.06))
_BEHIND_COUNTS = 2.0  # times as much as a match on the plane
_SHADING_TIMES = 2  # the half-size picture's size over that in which shading is compared
_SHADING_MEAN_PX = 17
_SHADING_WINDOW_PX = 9
_SHADING_CAP = 6.0  # grey levels
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
    times = 2 * _SHADING_TIMES
    size = (-(-grey.shape[1] // times), -(-grey.shape[0] // times))

    def shading(view: Image) -> FloatMap:
        small = np.asarray(cv2.resize(view.astype(np.float32), size, interpolation=cv2.INTER_AREA))
        return small - cv2.blur(small, (_SHADING_MEAN_PX, _SHADING_MEAN_PX))

    unit = max(_SHADING_UNIT, 1.5 * noise / times)
    ends = (float(np.nanmin(matches)), float(np.nanmax(matches))) if there.any() else (0.0, 0.0)
    views = shading(grey), shading(right)
    return Evidence(matches, weights, there & ~thin, *views, unit, band_passed(grey, right), ends)


def values_on(region: Region, planes: list[Plane], chosen: NDArray[np.intp]) -> FloatMap:
    """The disparity (h, w) px of a region's frame on the planes that are chosen, by number (h, w)."""
    rows, columns = region.places()
    level, down, right = np.moveaxis(np.asarray(planes, np.float32)[chosen], 2, 0)
    return level + down * rows + right * columns


def rank_planes(seen: Evidence, region: Region, texture: Texture, planes: list[Plane]) -> FloatMap:
    """How much speaks for each plane at every pixel of a region's frame, (P, h, w): matches, shading and texture."""
    if len(planes) == 1:
        return np.zeros((1, *region.mask.shape), np.float32)
    matches = seen.matches[region.frame]
    weights = np.maximum(seen.weights[region.frame], np.float32(_PLAIN_WEIGHT)) * np.isfinite(matches) * region.near
    total = _around(weights) + 1
    rows, columns = region.places()
    likelihoods = texture.likelihoods(planes)
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


def _shading_cost(seen: Evidence, region: Region, disparity: FloatMap) -> FloatMap:
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
