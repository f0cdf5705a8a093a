"""Relight a picture: multiply it by the light that lamps, sun and sky bring to each surface."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import from_linear, to_linear
from depthapps.core.scene import FloatMap, Image, Scene
from depthapps.runtime.threads import for_bands
from depthapps.shadow.lights import to_light
from depthapps.shadow.params import DirectionalLight, Light, LitBy, RelightParams
from depthapps.shadow.solid import LitSolid
from depthapps.surface.tearing import even_confidence

# Brightness that changes over less than this share of the picture counts as paint; slower changes count as light.
_LIGHT_REACH = 1 / 8
# Share of the sky's light that the ground reflects. Grass, soil, asphalt and wooden floors reflect about 0.1 to 0.3.
_GROUND = 0.2
# Confidence (probability that the depth is right to 1 px) above which the light of a pixel is used as it is, and below
# which it is ignored.
_SURE, _UNSURE = 0.9, 0.5
# Side of a median window, in quarters of the reach: a confident spot that fills less than half of it is not trusted.
_SPOT = 5
# Radii, in reaches, over which light is averaged. A narrow one is used where it holds enough confident pixels.
_WIDER = (8, 4, 2, 1)
_ENOUGH_SURE = 0.1
# A matcher's confidence flickers by about as much between pixels of one surface, which shows in dark places. What is
# less sure than its surroundings by more is an edge, whose light is blurred.
_FLICKER = np.float32(0.2)
_DARKEST = 1e-3  # share of full white; below it a logarithm shows only noise


def shade(
    scene: Scene,
    solid: LitSolid,
    lights: Sequence[tuple[LitBy, FloatMap]],
    params: RelightParams,
    openness: FloatMap | None = None,
) -> Image:
    """Light the scene's picture (H, W, 3) anew, computing in linear light; returns the picture's own sample type.

    Every surface is taken as matt (Lambertian), with the picture, flattened or not, as its colour. Light and shadows in
    the photo therefore stay in it, unless they are flattened. Ambient light comes from the sky, and less of it from the
    ground. Infinitely far pixels do not change. Where the scene's confidence is low, the light is averaged from more
    confident surfaces around, so that dents in walls that stereo got wrong show no shading.

    lights: each with its visibility (H, W) in 0..1. openness: (H, W) in 0..1, the share of the ambient light that
    arrives (ambient occlusion); None means all of it.
    """
    arriving = np.ones(scene.depth_m.shape, np.float32) if openness is None else openness
    gain = np.repeat((params.ambient * arriving * _from_sky(solid.normals))[..., None], 3, axis=-1)
    for lit, visibility in lights:
        received = lit.intensity * visibility * _irradiance(lit.light, solid)
        gain += received[..., None] * np.asarray(lit.color, np.float32)
    sure = steady_confidence(scene)
    if sure is not None:
        gain = _believed(gain, sure)
    if params.flatten:
        gain *= (1 / estimated_light(to_linear(scene.image)) ** params.flatten)[..., None]
    finite = np.isfinite(solid.points[..., 2:])  # points at infinite depth are infinite
    relit = np.empty_like(scene.image)

    def band(first: int, end: int) -> None:
        rows = slice(first, end)
        share = 1 + params.strength * (np.where(finite[rows], gain[rows], 1) - 1)
        relit[rows] = from_linear(to_linear(scene.image[rows]) * share, relit.dtype)

    for_bands(len(relit), band)
    return relit


def steady_confidence(scene: Scene) -> FloatMap | None:
    """The confidence (H, W) by which light is believed, without flicker and low at edges; None if there is none."""
    even = even_confidence(scene)
    return None if scene.confidence is None or even is None else np.minimum(even, scene.confidence + _FLICKER)


def _believed(gain: FloatMap, confidence: FloatMap) -> FloatMap:
    """Replace the light (H, W, 3) by that of confident surroundings where the confidence (H, W) is low.

    A small confident spot amid unsure pixels is trusted no more than they are. If nothing near is confident, wider
    surroundings decide.
    """
    height, width = confidence.shape
    reach = _LIGHT_REACH * max(height, width) / 2
    step = max(1, round(reach / 4))  # so wide an average is as accurate on a small copy
    small = (max(1, width // step), max(1, height // step))

    def enlarged(values: NDArray) -> FloatMap:
        return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)

    coarse = cv2.resize(np.asarray(confidence, np.float32), small, interpolation=cv2.INTER_AREA)
    sure = np.minimum(confidence, enlarged(np.asarray(cv2.medianBlur(coarse, _SPOT))))
    trust = np.clip((sure - _UNSURE) / (_SURE - _UNSURE), 0, 1)[..., None]
    weighted = cv2.resize(np.dstack([gain * trust, trust]).astype(np.float32), small, interpolation=cv2.INTER_AREA)
    around = np.full((small[1], small[0], 3), gain.mean(axis=(0, 1)), np.float32)
    for wider in _WIDER:
        near = cv2.GaussianBlur(weighted, (0, 0), wider * reach / step)
        share = np.clip(near[..., 3:] / _ENOUGH_SURE, 0, 1)
        around += share * (near[..., :3] / np.maximum(near[..., 3:], 1e-6) - around)
    return np.asarray(trust * gain + (1 - trust) * enlarged(around), np.float32)


def _from_sky(normals: NDArray[np.floating]) -> FloatMap:
    """Light (H, W) on surfaces with unit normals (H, W, 3) under an even sky over an even ground; 1 if upright.

    Up is −Y, as for a level camera. The sky fills the share (1 + n·up) / 2 of the hemisphere over a surface.
    """
    sky = np.nan_to_num(1 - normals[..., 1], nan=1.0) / 2
    return (sky + _GROUND * (1 - sky)) / ((1 + _GROUND) / 2)


def _irradiance(light: Light, solid: LitSolid) -> FloatMap:
    """Light (H, W) that a surface receives from a light it sees: 1 if it faces a sun, or a lamp at median distance."""
    way = to_light(light, solid.points)
    with np.errstate(invalid="ignore"):
        distance = np.sqrt(np.einsum("ijk,ijk->ij", way, way))
        received = np.clip(np.einsum("ijk,ijk->ij", solid.normals, way) / distance, 0, 1)
        if not isinstance(light, DirectionalLight):
            reference = np.median(distance[np.isfinite(distance)])
            received *= (reference / np.maximum(distance, 0.1 * reference)) ** 2
    return np.nan_to_num(received, nan=0.0, posinf=0.0, neginf=0.0)


def estimated_light(linear: NDArray[np.floating]) -> FloatMap:
    """Estimate the light (H, W) in a linear picture (H, W, 3); its geometric mean is 1.

    Retinex with an edge-preserving surround (Land 1977; Durand and Dorsey 2002): in the logarithm of brightness, slow
    changes and isolated steps within a wide surround count as light. Large areas of dark paint are mistaken for shadow.
    """
    height, width = linear.shape[:2]
    bright = np.log(np.maximum(linear.mean(axis=-1), _DARKEST)).astype(np.float32)
    # light is smooth; estimating it on a small copy saves most of the time
    small = max(1, round(max(height, width) / 256))
    shrunk = cv2.resize(bright, (max(1, width // small), max(1, height // small)), interpolation=cv2.INTER_AREA)
    reach = _LIGHT_REACH * max(shrunk.shape) / 2
    smooth = cv2.bilateralFilter(shrunk, -1, 1.0, reach)
    smooth = np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.exp(smooth - smooth.mean())
