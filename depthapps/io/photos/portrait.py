"""Depth that phones keep inside their photos: Google's GDepth and Dynamic Depth, Apple's depth data."""

from __future__ import annotations

import base64
import binascii
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import ASSUMED_FOV_DEG, Camera
from depthapps.core.errors import InputError
from depthapps.core.geometry import ray_directions
from depthapps.core.scene import FloatMap
from depthapps.io.photos.images import decode
from depthapps.io.photos.jpeg import end_of_picture, multi_pictures, xmp_packets
from depthapps.io.photos.metadata import Metadata, focal_px
from depthapps.io.photos.xmp import Xmp

_METRES = {"m": 1.0, "meter": 1.0, "meters": 1.0, "metres": 1.0, "mm": 1e-3, "millimeters": 1e-3}
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG")
_DEPTH_SEMANTICS = ("Depth", "DepthMap")
_LEVEL_SIGMA = 1 / math.sqrt(12)  # of numbers rounded to whole ones
_NEAREST_M = 1e-3  # what a file says is nearer is a sample at its scale's end, not a depth


@dataclass(frozen=True, eq=False)
class EmbeddedDepth:
    """Depth inside a photo, in the orientation in which the photo's samples are stored.

    inverse_m: (h, w) float32 1/Z in 1/m, NaN = unknown. sigma_m: the deviation of it that comes from the few levels it
    is kept in, in 1/m. scaled: False if metres are not known but by a factor.
    camera: the photo's own, of any size of the same shape; None where the file does not tell. photo: the bytes of the
    sharp photo, where the file keeps it beside the one that the phone has blurred already.
    """

    inverse_m: FloatMap
    sigma_m: float
    scaled: bool
    camera: Camera | None = None
    photo: bytes | None = None


def embedded_depth(data: bytes, name: str, metadata: Metadata) -> EmbeddedDepth | None:
    """The depth inside a JPEG file; None where there is none.

    Raises InputError for depth that is announced and cannot be read.
    """
    xmp = Xmp(xmp_packets(data))
    listed = any(entry.get("item:Semantic", "") in _DEPTH_SEMANTICS for entry in xmp.entries("item:Semantic"))
    if listed or "depthmap:Data" in xmp.properties or "depthmap:DepthURI" in xmp.properties:
        return _google_depth(data, xmp, name, metadata)
    for picture in multi_pictures(data)[1:]:
        aside = Xmp(xmp_packets(picture.data))
        if is_apple_depth(aside):
            return apple_depth(*_depth_samples(picture.data, name), aside, {})
    return None


def _google_depth(data: bytes, xmp: Xmp, name: str, metadata: Metadata) -> EmbeddedDepth:
    """GDepth keeps pictures as text in XMP; Dynamic Depth appends them to the file and lists their lengths there.

    Pixels of 2023 and later list them by their semantics and give no range, as Ultra HDR photos list gain maps.
    """
    if "depthmap:Data" in xmp.properties:
        encoded, photo = _decoded(xmp, "depthmap:Data"), _decoded(xmp, "image:Data")
    else:
        appended = _appended(data, xmp)
        wanted = (xmp.properties.get("depthmap:DepthURI", ""), *_DEPTH_SEMANTICS)
        encoded = next((appended[item] for item in wanted if item in appended), None)
        photo = next((item for uri, item in appended.items() if "original" in uri.lower()), None)
    if encoded is None:
        raise InputError(f"the depth that {name} announces is not in it", hint="pass the phone's own file, unedited")
    values, level = _depth_samples(encoded, name)

    near, far = xmp.number("depthmap:Near"), xmp.number("depthmap:Far")
    units = xmp.properties.get("depthmap:Units", "").lower()
    to_metres = _METRES.get(units)
    if near is None or far is None or not (0 < near < math.inf and far > 0 and near != far):
        # without its ends the scale is one of inverse depth from near, 0, to infinitely far, 1
        return EmbeddedDepth(1 - values, level * _LEVEL_SIGMA, scaled=False, photo=photo)
    linear = xmp.properties.get("depthmap:Format") == "RangeLinear"
    # Pixels say diopters and mean distances, which the order tells: what is near has more diopters
    diopters = units.startswith("diopter") and near > far
    if diopters:
        to_metres = 1.0

    def to_inverse(values: FloatMap) -> FloatMap:
        if diopters:
            return near + values * (far - near) if linear else 1 / ((1 - values) / near + values / far)
        inverse = (
            1 / np.maximum(near + values * (far - near), np.float32(_NEAREST_M))
            if linear
            else (1 - values) / near + values / far
        )
        return inverse / (to_metres or 1.0)

    inverse = to_inverse(values)
    sigma = _level_sigma(inverse, to_inverse(values + np.float32(level)))
    if xmp.properties.get("depthmap:MeasureType") == "OpticRay":
        inverse = inverse * _ray_lengths(inverse.shape, metadata)
    return EmbeddedDepth(inverse.astype(np.float32), sigma, scaled=to_metres is not None, photo=photo)


def _level_sigma(inverse_m: FloatMap, next_inverse_m: FloatMap) -> float:
    """Deviation of the rounding of maps (h, w) in 1/m, from what they would be a level further on."""
    return float(np.median(np.abs(next_inverse_m - inverse_m))) * _LEVEL_SIGMA


def _decoded(xmp: Xmp, name: str) -> bytes | None:
    text = xmp.properties.get(name)
    if not text:
        return None
    try:
        return base64.b64decode("".join(text.split()) + "==")
    except (binascii.Error, ValueError):
        return None


def _appended(data: bytes, xmp: Xmp) -> dict[str, bytes]:
    """The items behind the first picture by their names, as the container's directory lists them."""
    for prefix in ("item", "container", "containeritem"):
        entries = xmp.entries(f"{prefix}:Mime")
        if not entries:
            continue
        lengths, padding = ([_whole(e.get(f"{prefix}:{name}")) for e in entries] for name in ("Length", "Padding"))
        names = [e.get(f"{prefix}:DataURI") or e.get(f"{prefix}:Semantic") or str(k) for k, e in enumerate(entries)]
        behind = sum(lengths[1:]) + sum(padding[1:])
        # the directory describes the file's end; files that something else was appended to since, what follows the
        # first picture
        for start in (len(data) - behind, end_of_picture(data) + padding[0]):
            found, at = {}, start
            for name, length, pad in zip(names[1:], lengths[1:], padding[1:], strict=True):
                found[name] = data[at : at + length]
                at += length + pad
            if all(item.startswith(_PICTURES) for n, item in found.items() if "depth" in n.lower()):
                return found
    return {}


def _whole(text: str | None) -> int:
    """A length in bytes; 0 where it is left out or is none."""
    return int(text) if text and text.isdecimal() else 0


def _depth_samples(encoded: bytes, name: str) -> tuple[FloatMap, float]:
    """A depth picture's samples (h, w) in 0..1, and how far apart its levels are."""
    samples = decode(encoded, cv2.IMREAD_UNCHANGED)
    if samples is None or samples.dtype.kind != "u":
        raise InputError(f"the depth inside {name} cannot be read", hint="pass the phone's own file, unedited")
    samples = samples[..., 0] if samples.ndim == 3 else samples
    levels = np.iinfo(samples.dtype.name).max
    return samples / np.float32(levels), 1 / levels


def _ray_lengths(shape: tuple[int, ...], metadata: Metadata) -> NDArray[np.floating]:
    """Distance along each pixel's ray over depth along the axis, (h, w)."""
    height, width = shape
    focal = focal_px(metadata, width, height)
    camera = Camera.centred(width, height, focal) if focal else Camera.from_fov(width, height, ASSUMED_FOV_DEG)
    return np.linalg.norm(ray_directions(camera), axis=-1)


def is_apple_depth(xmp: Xmp) -> bool:
    """Whether the XMP beside a picture says that it is depth; mattes call themselves so too, with a subtype."""
    kind = xmp.properties.get("pixeldatainfo:AuxiliaryImageType", "").lower()
    return kind in ("depth", "disparity") and "pixeldatainfo:AuxiliaryImageSubType" not in xmp.properties


def apple_depth(samples: FloatMap, level: float, xmp: Xmp, heif_range: dict[str, float]) -> EmbeddedDepth:
    """Apple's depth: samples (h, w) in 0..1 between the ends that the XMP names, in metres or, disparity, in 1/m.

    level: how far apart the samples' levels are. heif_range: what the HEIF standard's own message says of the ends, for
    files of others, without Apple's XMP. The lens's distortion is left alone: photo and depth are bent alike.
    """
    low, high = xmp.number("pixeldatainfo:FloatMinValue"), xmp.number("pixeldatainfo:FloatMaxValue")
    metres = xmp.properties.get("pixeldatainfo:AuxiliaryImageType", "").lower() == "depth"
    absolute = xmp.properties.get("depthData:Accuracy") == "absolute"
    if low is None or high is None:
        # 0: 1/Z from z_near to z_far, 1: disparity, 2: depth (ISO/IEC 23008-2, depth representation information)
        metres = heif_range.get("representation_type") == 2
        ends = ("z_near", "z_far") if metres else ("d_min", "d_max")
        low, high = (heif_range.get(end) for end in ends)
        if heif_range.get("representation_type") == 0 and heif_range.get("z_near") and heif_range.get("z_far"):
            low, high = 1 / heif_range["z_far"], 1 / heif_range["z_near"]
    if low is None or high is None or not low < high:
        return EmbeddedDepth(samples, level * _LEVEL_SIGMA, scaled=False)  # bright is near

    def to_inverse(samples: FloatMap) -> FloatMap:
        values = low + samples * np.float32(high - low)
        return 1 / np.maximum(values, np.float32(_NEAREST_M)) if metres else np.maximum(values, 0)

    inverse = to_inverse(samples)
    sigma = _level_sigma(inverse, to_inverse(samples + np.float32(level)))
    return EmbeddedDepth(inverse.astype(np.float32), sigma, absolute, _apple_camera(xmp))


def _apple_camera(xmp: Xmp) -> Camera | None:
    """The pinhole camera of the calibration data: a matrix by columns, for pictures of a reference size."""
    matrix = xmp.numbers("depthData:IntrinsicMatrix")
    size = [xmp.number(f"depthData:IntrinsicMatrixReference{side}") for side in ("Width", "Height")]
    if len(matrix) != 9 or not size[0] or not size[1] or not (matrix[0] > 0 and matrix[4] > 0):
        return None
    return Camera(round(size[0]), round(size[1]), matrix[0], matrix[4], matrix[6], matrix[7])
