"""Decode the depth that phones keep inside their photos: Google's GDepth and Dynamic Depth, Apple's depth data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from depthapps.core.camera import ASSUMED_FOV_DEG, Camera
from depthapps.core.choices import DepthKind
from depthapps.core.errors import InputError, param
from depthapps.core.geometry import ray_lengths
from depthapps.core.scene import FloatMap
from depthapps.io.photos.decode import decode
from depthapps.io.photos.metadata import Metadata, focal_px
from depthapps.io.photos.parts import EncodedDepth
from depthapps.io.photos.whole import check_size
from depthapps.io.photos.xmp import Xmp

_METRES = {"m": 1.0, "meter": 1.0, "meters": 1.0, "metres": 1.0, "mm": 1e-3, "millimeters": 1e-3}
_SHORTEST_FOCAL, _LONGEST_FOCAL = 0.25, 50.0  # of lenses, in longer sides: 127 and 1 degree
_SAME_SHAPE = 0.02  # by which width over height of depth and photo differ at most, as sizes are whole numbers
_LEVEL_SIGMA = 1 / math.sqrt(12)  # standard deviation of rounding to whole numbers
DESCRIBED = ("apple", "google")  # makers whose XMP tells what the samples mean
_NEAREST_M = 1e-3  # a nearer depth is a sample at the end of its scale, not a measurement


@dataclass(frozen=True, eq=False)
class EmbeddedDepth:
    """Depth inside a photo, in the orientation in which the file stores the photo.

    Attributes
    ----------
    inverse_m : ndarray, (h, w) float32
        1/Z in 1/m, NaN where unknown.
    sigma_m : float
        Standard deviation of `inverse_m` in 1/m that comes from rounding to the file's levels.
    scaled : bool
        False if metres are known only up to a factor.
    camera : Camera or None
        The photo's, for a picture of any size and the same shape; None where the file does not tell.
    photo : bytes or None
        The encoded sharp photo, where the file keeps it beside the one that the phone has blurred.
    """

    inverse_m: FloatMap
    sigma_m: float
    scaled: bool
    camera: Camera | None = None
    photo: bytes | None = None


def decode_depth(found: EncodedDepth, name: str, metadata: Metadata) -> EmbeddedDepth:
    """Decode the depth that was found inside a JPEG file; `name` stands in messages.

    Raises InputError for depth that is announced and missing, or that cannot be decoded.
    """
    if found.picture is None and found.maker not in DESCRIBED:
        raise unknown_form(name, found.maker)
    if found.picture is None:
        raise InputError(f"the depth that {name} announces is not in it", hint="pass the phone's own file, unedited")
    if not found.xmp.properties.get("depthmap:Mime", "image/").startswith("image/"):  # ArcSoft's, in older phones
        raise unknown_form(name, found.xmp.properties.get("depthmap:Manufacturer", "its maker"))
    samples, level = _depth_samples(found.picture, name)
    if found.maker == "apple":
        return apple_depth(samples, level, found.xmp, {})
    if found.maker == "google":
        return _google_depth(samples, level, found, metadata)
    return EmbeddedDepth(samples, level * _LEVEL_SIGMA, scaled=False, photo=found.photo)  # bright is near


def unknown_form(name: str, maker: str) -> InputError:
    """The error for depth that a phone keeps in a form that nobody has described."""
    return InputError(
        f"{name} holds depth in a form of {maker}'s that cannot be read",
        hint="where another program takes the depth out as a picture, bright where near, pass that as "
        f"{param('depth', 'FILE')} and {param('depth_kind', DepthKind.AFFINE_INVERSE)}",
    )


def _google_depth(values: FloatMap, level: float, found: EncodedDepth, metadata: Metadata) -> EmbeddedDepth:
    """Google's depth: samples (h, w) in 0..1 between the ends that the XMP names.

    Pixel phones of 2023 and later name no ends.
    """
    xmp, photo = found.xmp, found.photo
    near, far = xmp.number("depthmap:Near"), xmp.number("depthmap:Far")
    units = xmp.properties.get("depthmap:Units", "").lower()
    to_metres = _METRES.get(units)
    if near is None or far is None or not (0 < near < math.inf and far > 0 and near != far):
        # without ends 1/Z falls linearly from sample 0, near, to sample 1, infinitely far
        return EmbeddedDepth(
            1 - values, level * _LEVEL_SIGMA, scaled=False, camera=_lens(xmp, values.shape), photo=photo
        )
    linear = xmp.properties.get("depthmap:Format") == "RangeLinear"
    # Pixel phones write "diopters" but mean distances. The order tells which: what is near has more diopters.
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
    scaled = to_metres is not None
    return EmbeddedDepth(inverse.astype(np.float32), sigma, scaled=scaled, camera=_lens(xmp, values.shape), photo=photo)


def _lens(xmp: Xmp, shape: tuple[int, ...]) -> Camera | None:
    """The camera of a depth (h, w) by Dynamic Depth's "ImagingModel"; None where none is told, or no lens is like that.

    Focal lengths are shares of the longer side, and the principal point shares of both sides.
    """
    names = ("FocalLengthX", "FocalLengthY", "PrincipalPointX", "PrincipalPointY", "ImageWidth", "ImageHeight")
    fx, fy, cx, cy, of_width, of_height = (xmp.number(f"imagingmodel:{name}") or 0.0 for name in names)
    height, width = shape
    longer = max(width, height)
    usual = all(_SHORTEST_FOCAL < focal < _LONGEST_FOCAL for focal in (fx, fy)) and 0 < cx < 1 and 0 < cy < 1
    # of a picture that was cut since, it tells nothing
    whole = of_height > 0 and abs(of_width / of_height * height / width - 1) < _SAME_SHAPE
    if not (usual and whole):
        return None
    return Camera(width, height, fx * longer, fy * longer, cx * width - 0.5, cy * height - 0.5)


def _level_sigma(inverse_m: FloatMap, next_inverse_m: FloatMap) -> float:
    """Standard deviation of rounding in 1/m, from a map (h, w) and the same map with samples one level higher."""
    return float(np.median(np.abs(next_inverse_m - inverse_m))) * _LEVEL_SIGMA


def _depth_samples(encoded: bytes, name: str) -> tuple[FloatMap, float]:
    """The samples (h, w) of a depth picture in 0..1, and the distance between two neighbouring levels."""
    check_size(encoded, f"the depth inside {name}")
    samples = decode(encoded, cv2.IMREAD_UNCHANGED)
    if samples is None or samples.dtype.kind != "u":
        raise InputError(f"the depth inside {name} cannot be read", hint="pass the phone's own file, unedited")
    samples = samples[..., 0] if samples.ndim == 3 else samples
    levels = np.iinfo(samples.dtype.name).max
    return samples / np.float32(levels), 1 / levels


def _ray_lengths(shape: tuple[int, ...], metadata: Metadata) -> FloatMap:
    """Distance along each pixel's ray divided by its depth along the optical axis, (h, w)."""
    height, width = shape
    focal = focal_px(metadata, width, height)
    camera = Camera.centred(width, height, focal) if focal else Camera.from_fov(width, height, ASSUMED_FOV_DEG)
    return ray_lengths(camera)


def apple_depth(samples: FloatMap, level: float, xmp: Xmp, heif_range: dict[str, float]) -> EmbeddedDepth:
    """Convert Apple's depth to inverse depth.

    Parameters
    ----------
    samples : ndarray, (h, w) float32
        Samples in 0..1 between the two ends that the XMP names: depth in metres, or disparity in 1/m.
    level : float
        Distance between two neighbouring levels of the samples.
    xmp : Xmp
        The properties of the depth picture.
    heif_range : dict
        The ends by the HEIF standard's depth representation message, for files of other makers, without Apple's XMP.

    Returns
    -------
    EmbeddedDepth
        With the camera, where the XMP holds one. The lens distortion in the XMP is not needed, because the lens bends
        photo and depth alike.
    """
    low, high = xmp.number("pixeldatainfo:FloatMinValue"), xmp.number("pixeldatainfo:FloatMaxValue")
    metres = xmp.properties.get("pixeldatainfo:AuxiliaryImageType", "").lower() == "depth"
    absolute = xmp.properties.get("depthData:Accuracy") == "absolute"
    if low is None or high is None:
        # type 0: 1/Z from z_near to z_far, 1: disparity, 2: depth (ISO/IEC 23008-2, depth representation information)
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
    """The pinhole camera of Apple's calibration data: a matrix column by column, for pictures of a reference size."""
    matrix = xmp.numbers("depthData:IntrinsicMatrix")
    size = [xmp.number(f"depthData:IntrinsicMatrixReference{side}") for side in ("Width", "Height")]
    if len(matrix) != 9 or not size[0] or not size[1] or not (matrix[0] > 0 and matrix[4] > 0):
        return None
    return Camera(round(size[0]), round(size[1]), matrix[0], matrix[4], matrix[6], matrix[7])
