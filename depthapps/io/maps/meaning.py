"""What the numbers of a map mean: metres, inverse metres, only nearer and farther, a z-buffer, or pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from depthapps.core.choices import DepthKind
from depthapps.core.errors import InputError, NoDepthError, param
from depthapps.core.scene import FloatMap
from depthapps.io.formats import DEPTH_PNG_SCALE, DISPARITY_PNG_SCALE, check_depth_scale
from depthapps.io.maps.numbers import RawMap
from depthapps.io.maps.plausible import doubts_of_depth, largest_is_sky, meant_for_floats

ASSUMED_NEAR_M, ASSUMED_FAR_M = 1.0, 10.0  # for maps that tell only what is nearer: a portrait in a room
SGBM_SCALE = 16.0  # units a pixel of OpenCV's block matchers, which return int16
_ENDS_PERCENT = (0.5, 99.5)  # percentiles that get these two depths; few pixels are nearer or farther
_INTEGER_MAX = 65535
_ROUNDING = 1 / math.sqrt(12)  # standard deviation of rounding to whole numbers
_NO_DISPARITY = 1e6  # pixels; larger numbers are marks of what is unknown, such as 1e10


@dataclass(frozen=True)
class Meaning:
    """What a user says of a depth map's numbers; the attributes are those of `SceneParams`."""

    kind: DepthKind = DepthKind.METRIC
    scale: float | None = None
    invert: bool = False
    near_m: float | None = None
    far_m: float | None = None


@dataclass(frozen=True, eq=False)
class DepthMap:
    """A map (h, w) float32 whose meaning is known.

    values: depth in metres, +inf where infinitely far; with `inverse`, 1/Z in 1/m. NaN where unknown. sigma_m: standard
    deviation of 1/Z in 1/m that comes from rounding to whole numbers, 0 if not known. scaled: whether metres are told.
    along_rays: whether lengths are those of the rays, and not along the optical axis. notes: what the user should know.
    """

    values: FloatMap
    inverse: bool = False
    sigma_m: float = 0.0
    scaled: bool = True
    along_rays: bool = False
    notes: tuple[str, ...] = ()


@np.errstate(all="ignore")  # a damaged file holds numbers of every size; what overflows is unknown
def depth_of(raw: RawMap, meaning: Meaning) -> DepthMap:
    """Turn the numbers of a depth map into depth or inverse depth. Raises InputError where they cannot mean that."""
    check_depth_scale(meaning.scale)
    if meaning.kind in (DepthKind.METRIC, DepthKind.DISTANCE):
        found = _metres(raw, meaning)
    elif meaning.kind is DepthKind.INVERSE:
        found = _inverse_metres(raw, meaning)
    elif meaning.kind is DepthKind.REVERSED_Z:
        found = _z_buffer(raw, meaning)
    else:
        found = _relative(raw, meaning)
    if np.isnan(found.values).all():
        signs = [] if raw.values.dtype.kind == "u" else [(raw.values < 0).any(), (raw.values > 0).any()]
        hint = "is it the right file?"
        if meaning.invert and any(signs):
            hint = f"leave {param('invert')} out, which changes the sign of its numbers"
        elif any(signs[:1]):
            hint = f"its numbers are negative: {param('invert', True)} changes their sign"
        raise NoDepthError(f"{raw.name} holds no known depth at all", hint=hint)
    return replace(found, notes=(raw.note, *found.notes)) if raw.note else found


@np.errstate(all="ignore")  # a damaged file holds numbers of every size; what overflows is unknown
def disparity_of(raw: RawMap, scale: float | None = None, *, invert: bool = False) -> tuple[FloatMap, tuple[str, ...]]:
    """Turn the numbers of a disparity map into pixels (h, w) float32, NaN where unknown, with notes for the user.

    Raises InputError for a map of 8 bits without a scale, and for a scale that is not positive.
    """
    if scale is not None and not 0 < scale < math.inf:
        raise InputError(f"a disparity scale of {scale:g} was given, it must be positive", hint="1 means pixels")
    values, notes = raw.values, (raw.note,) if raw.note else ()
    if values.dtype.kind == "f":
        values = values.astype(np.float32)
        unknown = ~np.isfinite(values) | (np.abs(values) >= _NO_DISPARITY)
        scale = scale or 1.0
    else:
        unknown = _unknown_whole(values)
        if scale is None:
            scale = _disparity_scale(raw)
            if values.dtype == np.int16:
                notes = (
                    *notes,
                    f"{raw.name} is of int16: divided by {scale:g}, as OpenCV's matchers count",
                )
    pixels = _inverted(values) if invert else values.astype(np.float32)
    return np.where(unknown | ~raw.opaque, np.float32(np.nan), pixels / np.float32(scale)).astype(np.float32), notes


def _disparity_scale(raw: RawMap) -> float:
    """Units a pixel of a disparity map of whole numbers, by their type."""
    if raw.values.dtype.itemsize == 1:
        raise InputError(
            f"{raw.name} has 8 bits, and nothing tells how many of its units are a pixel",
            hint=f"pass {param('disparity_scale', 1)} if they are pixels; Middlebury's maps have 4, 8 or 16 a pixel",
        )
    return {"uint16": DISPARITY_PNG_SCALE, "int16": SGBM_SCALE}.get(str(raw.values.dtype), 1.0)


def _unknown_whole(values: NDArray) -> NDArray[np.bool_]:
    """Where whole numbers mark the unknown: 0 and the largest of 16 bits; of signed ones, the negative least."""
    if values.dtype.kind == "u":
        return (values == 0) | (values == _INTEGER_MAX)
    least = values.min()
    return (values == least) & (least < 0)


def _inverted(values: NDArray) -> FloatMap:
    """Numbers that run the other way: what is left to the largest of an unsigned type, else of the other sign."""
    if values.dtype.kind == "u":
        return np.float32(np.iinfo(values.dtype).max) - values.astype(np.float32)
    return -values.astype(np.float32)


def _metres(raw: RawMap, meaning: Meaning) -> DepthMap:
    """Metres along the axis or along the rays."""
    values, scale = raw.values, meaning.scale
    whole = values.dtype.kind != "f"
    if whole and values.dtype.itemsize == 1 and scale is None:
        affine, inverse = param("depth_kind", DepthKind.AFFINE), param("depth_kind", DepthKind.AFFINE_INVERSE)
        raise InputError(
            f"{raw.name} has 8 bits, too few to hold metres",
            hint=f"pass {inverse} if bright is near in it, {affine} if bright is far, or the units a metre as "
            f"{param('depth_scale')}",
        )
    unknown = (values == 0) | (values == _INTEGER_MAX) if whole else np.isnan(values)
    numbers = _inverted(values) if meaning.invert else values.astype(np.float32)
    notes: tuple[str, ...] = ()
    if whole:
        scale = scale or DEPTH_PNG_SCALE
    elif scale is not None and not meant_for_floats(numbers, scale):
        notes, scale = (f"{raw.name} holds metres: {param('depth_scale')} is left to files of whole numbers",), None
    sky = np.zeros(values.shape, np.bool_) if whole else largest_is_sky(numbers)
    metres = numbers / np.float32(scale or 1.0)
    depth = np.where(
        unknown | ~raw.opaque | ~(numbers > 0), np.float32(np.nan), np.where(sky, np.float32(np.inf), metres)
    )
    along = meaning.kind is DepthKind.DISTANCE
    doubts = doubts_of_depth(raw, depth, told=meaning.scale is not None, along_rays=along)
    return DepthMap(depth.astype(np.float32), along_rays=along, notes=(*notes, *doubts))


def _inverse_metres(raw: RawMap, meaning: Meaning) -> DepthMap:
    """1/metres; whole numbers without a scale are shares of the largest of their type."""
    values = raw.values
    whole = values.dtype.kind in "ui"
    unit = 1 / (meaning.scale or (np.iinfo(values.dtype).max if whole else 1.0))
    inverse = (_inverted(values) if meaning.invert else values.astype(np.float32)) * np.float32(unit)
    known = np.isfinite(inverse) & (inverse > 0) & raw.opaque
    return DepthMap(
        np.where(known, inverse, np.float32(np.nan)).astype(np.float32),
        inverse=True,
        sigma_m=unit * _ROUNDING if whole else 0.0,
    )


def _relative(raw: RawMap, meaning: Meaning) -> DepthMap:
    """Inverse depth, or depth, of unknown scale and offset, spread between two depths in metres."""
    shares, known, level = _spread(raw, meaning)
    near, far = meaning.near_m or ASSUMED_NEAR_M, meaning.far_m or ASSUMED_FAR_M
    if not near < far:
        raise InputError(
            f"depths from {near:g} to {far:g} m were asked for",
            hint=f"pass {param('near_m')} and {param('far_m')}, the nearer one first",
        )
    told = meaning.near_m is not None and meaning.far_m is not None
    if meaning.kind is DepthKind.AFFINE_INVERSE:
        span = 1 / near - 1 / far
        inverse, sigma = 1 / far + shares * np.float32(span), level * span * _ROUNDING
    else:
        metres = near + shares * np.float32(far - near)
        inverse = 1 / metres
        sigma = level * (far - near) * _ROUNDING * float(np.median(inverse[known])) ** 2
        inverse = np.where(np.isposinf(raw.values) | _sky(raw), np.float32(0), inverse)
        known = known | (_sky(raw) & raw.opaque)
    values = np.where(known, inverse, np.float32(np.nan)).astype(np.float32)
    return DepthMap(values, inverse=True, sigma_m=sigma, scaled=told)


def _sky(raw: RawMap) -> NDArray[np.bool_]:
    if raw.values.dtype.kind != "f":
        return np.zeros(raw.values.shape, np.bool_)
    return largest_is_sky(raw.values.astype(np.float32))


def _spread(raw: RawMap, meaning: Meaning) -> tuple[FloatMap, NDArray[np.bool_], float]:
    """Numbers as shares 0 to 1 of their range, where they are known, and the distance of two levels in such shares.

    Given ends belong to the ends of a type's numbers or of 0 to 1; assumed ones to those of what the map shows.
    """
    values, whole = raw.values, raw.values.dtype.kind in "ui"
    numbers = _inverted(values) if meaning.invert else values.astype(np.float32)
    known = np.isfinite(numbers) & ~_sky(raw) & raw.opaque
    if not known.any():
        raise NoDepthError(f"{raw.name} holds no known depth at all", hint="check its kind and units")
    told = meaning.near_m is not None and meaning.far_m is not None
    low, high = (float(v) for v in np.percentile(numbers[known], (0, 100) if told else _ENDS_PERCENT))
    if not low < high:
        raise InputError(f"{raw.name} has the same value everywhere", hint="is it the right file?")
    if told and whole and values.dtype.kind == "u":
        low, high = 0.0, float(np.iinfo(values.dtype).max)
    elif told and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    shares = np.clip(numbers - np.float32(low), 0, high - low) / np.float32(high - low)
    return shares, known, 1 / (high - low) if whole else 0.0


def _z_buffer(raw: RawMap, meaning: Meaning) -> DepthMap:
    """Depth of a reversed z-buffer: 1 at the near plane, 0 at the far one or infinitely far; inverted, 0 is near.

    Z = near · far / (near + v · (far − near)), which is near / v for a far plane at infinity.
    """
    near, far = meaning.near_m, meaning.far_m or math.inf
    if near is None or not 0 < near < far:
        raise InputError(
            f"a z-buffer between {'an unknown plane' if near is None else f'{near:g} m'} and {far:g} m has no metres",
            hint=f"pass {param('near_m')}, and {param('far_m')} if it is not infinite: the planes of the camera in the "
            "renderer",
        )
    values, whole = raw.values, raw.values.dtype.kind in "ui"
    largest = float(np.iinfo(values.dtype).max) if whole else 1.0
    share = values.astype(np.float32) / np.float32(largest)
    known = np.isfinite(share) & raw.opaque
    if known.any() and not (share[known].min() >= -1e-3 and share[known].max() <= 1.001):
        raise InputError(
            f"{raw.name} has numbers from {share[known].min():g} to {share[known].max():g}, a z-buffer 0 to 1",
            hint=f"leave {param('depth_kind')} out if they are metres",
        )
    share = np.clip(1 - share if meaning.invert else share, 0, 1)
    # Where nothing was drawn the buffer keeps what it was cleared to, the far plane. That is the sky.
    inverse = share / np.float32(near) + (0 if math.isinf(far) else (1 - share) / np.float32(far))
    inverse = np.where(share > 0, inverse, np.float32(0))
    sigma = (1 / near - (0 if math.isinf(far) else 1 / far)) / largest * _ROUNDING if whole else 0.0
    return DepthMap(np.where(known, inverse, np.float32(np.nan)).astype(np.float32), inverse=True, sigma_m=sigma)
