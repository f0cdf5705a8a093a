"""Fit a plane in inverse depth to every pixel, over as much of the surface as agrees with it.

A flat face gets one plane. On a round surface the support of the fit grows along the surface and stops at creases and
tears. The fits themselves show how large it may grow.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from depthapps.core.scene import FloatMap
from depthapps.core.statistics import robust_deviation
from depthapps.runtime.threads import for_bands
from depthapps.surface.denoise.faces import find_faces
from depthapps.surface.denoise.fits import BoolMap, fit, gathered
from depthapps.surface.noise import noise_unevenness

# Standard deviations of the weights around a pixel, in px. Over four noisy rooms a spacing by factors of 2 costs 0.01
# of shadow IoU; a finer spacing gains nothing.
SCALES_PX = (4.0, 6.0, 9.0, 14.0, 21.0, 32.0)
# Two fits agree if they differ by at most this many deviations of pure noise. Agreement fades to nothing at one
# deviation more. Over two ray-traced rooms 1.0 to 1.2 give shadows within 0.005 of IoU; 1.5 rounds edges off.
AGREEMENT = 1.1
# A matcher's errors are correlated over a share of the picture, so on 12 Mpx planes over a few pixels follow each dent.
# For walls at that size, fits to every third pixel leave almost no dents; fits to every sixth lose objects.
_LARGEST_PX = 1500
_NEAR = 0.02  # share of 1/Z by which two pixels of one surface differ at most
_EVEN_PX = 6.0  # slopes of round surfaces are averaged over this, so that they look even; shadows do not change
# Share of the picture. Faces that matching makes of its own mistakes are small. If the picture guides the normals of no
# face, of those below .003, of those below .01, and of all, the light of eight suns is off by .131, .128, .128 and .128
# on five rooms of matched depth, by .098, .092, .091 and .091 in four lens scenes, by .099, .097, .097 and .094 on the
# sample. Shadows in three shaded rooms of exact depth with noise have an IoU of .888, .888, .883 and .865.
_SMALL_FACE = 0.003
_STILL_COUNTED = 5.0  # deviations; larger differences are capped, so that one pixel cannot decide for its neighbours


@dataclass(frozen=True, eq=False)
class LocalPlanes:
    """The plane that each pixel lies on, as float32 maps (H, W).

    inverse: 1/Z in 1/m. du, dv: its slopes to the right and down, in 1/m per pixel. sigma: the standard deviation of
    the noise left in `inverse`, in 1/m. flat: (H, W), where the plane is that of a whole face which is not small.
    """

    inverse: FloatMap
    du: FloatMap
    dv: FloatMap
    sigma: FloatMap
    flat: BoolMap


def fit_planes(inverse: FloatMap, right: BoolMap, down: BoolMap) -> LocalPlanes:
    """Fit planes to noisy inverse depth (H, W) without NaN, along links right (H, W-1) and down (H-1, W).

    Large pictures are sampled at every second, third ... pixel, so that the longer side has about 1500 samples.
    """
    every = max(1, round(max(inverse.shape) / _LARGEST_PX))
    if every == 1:
        return _fit(inverse, right, down)
    top, first = _first_samples(inverse.shape, every)
    sampled = np.ascontiguousarray(inverse[top::every, first::every])
    height, width = sampled.shape
    # two samples are linked if all pixels between them are
    right = np.logical_and.reduce([right[top::every, first + k :: every][:, : width - 1] for k in range(every)])
    down = np.logical_and.reduce([down[top + k :: every, first::every][: height - 1] for k in range(every)])
    return _spread(_fit(sampled, right, down), inverse, every)


def _first_samples(shape: tuple[int, ...], every: int) -> list[int]:
    """Row and column of the first sample: half a step in, but the last one of a picture that ends before."""
    return [min(every // 2, side - 1) for side in shape]


def _spread(planes: LocalPlanes, inverse: FloatMap, every: int) -> LocalPlanes:
    """Extend the planes of the samples to all pixels (H, W): each takes the closest of the four sample planes near it.

    A pixel that none of them comes near belongs to something too thin to be sampled. It keeps its 1/Z and faces the
    camera.
    """
    height, width = inverse.shape
    value, du, dv, sigma = (np.zeros_like(inverse) for _ in range(4))
    flat = np.zeros(inverse.shape, np.bool_)
    top, left = _first_samples(inverse.shape, every)
    at_x = (np.arange(width) - left) // every

    def band(first: int, end: int) -> None:
        rows = slice(first, end)
        at_y = (np.arange(first, end) - top) // every
        value[rows] = inverse[rows]
        least = _NEAR * inverse[rows]
        for k in range(4):
            y = np.clip(at_y + k // 2, 0, planes.inverse.shape[0] - 1)
            x = np.clip(at_x + k % 2, 0, planes.inverse.shape[1] - 1)
            u, v, deviation, there = (a[y][:, x] for a in (planes.du, planes.dv, planes.sigma, planes.inverse))
            u, v = u / every, v / every
            there = there + u * (np.arange(width) - x * every - left).astype(np.float32)
            there += v * (np.arange(first, end) - y * every - top).astype(np.float32)[:, None]
            off = np.abs(there - inverse[rows])
            nearer = off < least
            maps = (value, there), (du, u), (dv, v), (sigma, deviation), (flat, planes.flat[y][:, x])
            for known, new in maps:
                np.copyto(known[rows], new, where=nearer)
            np.copyto(least, off, where=nearer)

    for_bands(height, band)
    return LocalPlanes(value, du, dv, sigma, flat)


def _fit(inverse: FloatMap, right: BoolMap, down: BoolMap) -> LocalPlanes:
    """Fit a plane at every pixel; see `fit_planes`.

    From fine to coarse, a pixel takes the next larger fit as long as its value and slopes agree with the fit before
    (the intersection of confidence intervals: Katkovnik 1999; with local planes: Foi 2005). The difference that pure
    noise causes is the median over the picture, so neither the noise's strength nor its grain has to be known. Where
    the noise is stronger than elsewhere, so is that difference.
    """
    uneven = noise_unevenness(inverse)
    faces = find_faces(inverse, right, down, uneven)
    right = right & (faces.label[:, :-1] == faces.label[:, 1:])
    down = down & (faces.label[:-1] == faces.label[1:])
    previous = fit(inverse, right, down, SCALES_PX[0])
    chosen = list(previous)
    share = np.ones(inverse.shape, np.float32)
    sigma = share
    for step, scale_px in enumerate(SCALES_PX[1:]):
        larger = fit(inverse, right, down, scale_px)
        surprise = np.zeros(inverse.shape, np.float32)
        deviations = []
        for k in range(3):
            difference = larger[k] - previous[k]
            deviations.append(max(robust_deviation(difference), 1e-30))
            surprise += np.minimum(np.abs(difference) / (deviations[k] * uneven), _STILL_COUNTED) ** 2 / 3
        # a real disagreement extends over the whole support, noise does not
        distance = np.sqrt(cv2.GaussianBlur(surprise, (0, 0), scale_px))
        share = np.minimum(share, np.clip(2 - distance / AGREEMENT, 0, 1))
        if step == 0:
            sigma = np.full(inverse.shape, deviations[0], np.float32)
        sigma = sigma + share * (np.float32(deviations[0]) - sigma)
        chosen = [c + share * (n - c) for c, n in zip(chosen, larger, strict=True)]
        previous = larger
    value, du, dv = chosen
    sums = np.zeros((*du.shape, 9), np.float32)
    sums[..., 0], sums[..., 1], sums[..., 2] = 1, du, dv
    sums = gathered(sums, right, down, _EVEN_PX)
    chosen = [value, sums[..., 1] / sums[..., 0], sums[..., 2] / sums[..., 0]]
    value, du, dv = (np.where(np.isnan(faces.plane[0]), c, p) for c, p in zip(chosen, faces.plane, strict=True))
    large = np.bincount(faces.label.ravel()) >= _SMALL_FACE * inverse.size
    return LocalPlanes(value, du, dv, sigma, large[faces.label] & ~np.isnan(faces.plane[0]))
