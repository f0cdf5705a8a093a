"""The picture under other lights."""

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

# What changes over less than this share of the picture is taken as paint, what changes over more as light.
_LIGHT_REACH = 1 / 8
# What the ground sends back of the sky's light: about what grass, soil, asphalt and wooden floors reflect (0.1 to 0.3).
_GROUND = 0.2
# How likely the depth is right to 1 px where its light is taken as it is, and where it is not believed at all.
_SURE, _UNSURE = 0.9, 0.5
_SPOT = 5  # quarters of the light's reach: what is sure over less than half of that square is a spot
_WIDER = (8, 4, 2, 1)  # reaches over which light is averaged, the next where too little is sure in one
_ENOUGH_SURE = 0.1
_DARKEST = 1e-3  # below this, of full white, a logarithm is noise


def relight(
    scene: Scene,
    solid: LitSolid,
    lights: Sequence[tuple[LitBy, FloatMap]],
    params: RelightParams,
    openness: FloatMap | None = None,
) -> Image:
    """The scene's picture under lights, in linear light, of its own sample type.

    lights: each with its visibility (H, W) in 0..1. openness: (H, W) in 0..1, how much of the ambient light arrives;
    None is all of it. Ambient light comes from a sky, and less from the ground. Every surface is taken as matt
    (Lambert), and the picture itself, flattened or not, as its colour: light and shadows that are in the photo stay
    in it. What is infinitely far stays as it is. Where the scene's confidence is low, light is that of surer surfaces
    around: on walls that stereo gets wrong no shadows of their dents appear.
    """
    arriving = np.ones(scene.depth_m.shape, np.float32) if openness is None else openness
    gain = np.repeat((params.ambient * arriving * _from_sky(solid.normals))[..., None], 3, axis=-1)
    for lit, visibility in lights:
        received = lit.intensity * visibility * _irradiance(lit.light, solid)
        gain += received[..., None] * np.asarray(lit.color, np.float32)
    if scene.confidence is not None:
        gain = _believed(gain, scene.confidence)
    if params.flatten:
        gain *= (1 / estimated_light(to_linear(scene.image)) ** params.flatten)[..., None]
    finite = np.isfinite(solid.points[..., 2:])  # infinite depth, infinite point
    relit = np.empty_like(scene.image)

    def band(first: int, end: int) -> None:
        rows = slice(first, end)
        share = 1 + params.strength * (np.where(finite[rows], gain[rows], 1) - 1)
        relit[rows] = from_linear(to_linear(scene.image[rows]) * share, relit.dtype)

    for_bands(len(relit), band)
    return relit


def _believed(gain: FloatMap, confidence: FloatMap) -> FloatMap:
    """Light (H, W, 3) with that of sure surroundings where the confidence (H, W) is low.

    A sure spot amid unsure ones is no surer than they are. Where nothing near is sure, farther surroundings tell.
    """
    height, width = confidence.shape
    reach = _LIGHT_REACH * max(height, width) / 2
    step = max(1, round(reach / 4))  # so wide a mean is as good on a small copy
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
    """What surfaces with unit normals (H, W, 3) get of an even sky over an even ground, (H, W); an upright one gets 1.

    Up is the level camera's, -Y. The share of a hemisphere over a surface that is sky is (1 + n·up) / 2.
    """
    sky = np.nan_to_num(1 - normals[..., 1], nan=1.0) / 2
    return (sky + _GROUND * (1 - sky)) / ((1 + _GROUND) / 2)


def _irradiance(light: Light, solid: LitSolid) -> FloatMap:
    """What a surface gets from a light that it sees (H, W): 1 where it faces a sun, or a lamp at the usual distance."""
    way = to_light(light, solid.points)
    with np.errstate(invalid="ignore"):
        distance = np.sqrt(np.einsum("ijk,ijk->ij", way, way))
        received = np.clip(np.einsum("ijk,ijk->ij", solid.normals, way) / distance, 0, 1)
        if not isinstance(light, DirectionalLight):
            reference = np.median(distance[np.isfinite(distance)])
            received *= (reference / np.maximum(distance, 0.1 * reference)) ** 2
    return np.nan_to_num(received, nan=0.0, posinf=0.0, neginf=0.0)


def estimated_light(linear: NDArray[np.floating]) -> FloatMap:
    """An estimate of the light in a picture (H, W, 3), in linear light: (H, W), 1 on the geometric mean.

    Retinex with an edge-preserving surround (Land 1977; Durand and Dorsey 2002): in the logarithm, what varies slowly
    or with steps that stand alone over a wide surround is light. Dark paint over large areas is taken for shadow.
    """
    height, width = linear.shape[:2]
    bright = np.log(np.maximum(linear.mean(axis=-1), _DARKEST)).astype(np.float32)
    small = max(1, round(max(height, width) / 256))  # light is smooth: estimating it small saves most of the time
    shrunk = cv2.resize(bright, (max(1, width // small), max(1, height // small)), interpolation=cv2.INTER_AREA)
    reach = _LIGHT_REACH * max(shrunk.shape) / 2
    smooth = cv2.bilateralFilter(shrunk, -1, 1.0, reach)
    smooth = np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.exp(smooth - smooth.mean())
