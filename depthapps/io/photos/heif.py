"""Decode HEIF files: their picture, the stereo pair of a spatial photo, the depth of a portrait."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.errors import InputError
from depthapps.core.scene import Image
from depthapps.io.photos.heif_file import NOT_DECODED, depth_picture, open_heif, primary, stereo_group
from depthapps.io.photos.isobmff import Items, read_items
from depthapps.io.photos.metadata import Metadata
from depthapps.io.photos.orientation import upright
from depthapps.io.photos.xmp import Xmp
from depthapps.io.sizes import check_pixels

# Boxes with a camera's position in micrometres: the standard's (ISO/IEC 23008-12), and Apple's from before it existed.
_EXTRINSICS = (b"cmex", bytes.fromhex("4363e9145b7d4aab97aebea69803b434"))
_QUARTER_TURNS = {0: 1, 1: 8, 2: 3, 3: 6}  # irot, anticlockwise -> EXIF orientation
_DEPTH_TYPES = (b"urn:mpeg:hevc:2015:auxid:2\0", b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth\0")


@dataclass(frozen=True, eq=False)
class SpatialPhoto:
    """The two views of a spatial photo and its cameras.

    Attributes
    ----------
    left, right : ndarray, (H, W, 3)
        RGB, upright.
    camera : Camera or None
        The left view's; None where the file does not tell.
    baseline_m : float or None
        Distance of the two cameras in metres; None where the file does not tell.
    doffs_px : float
        Difference of the principal points, right minus left, in pixels.
    """

    left: Image
    right: Image
    camera: Camera | None
    baseline_m: float | None
    doffs_px: float


@dataclass(frozen=True, eq=False)
class AuxiliaryDepth:
    """A depth image as the file stores it, upright.

    Attributes
    ----------
    samples : ndarray, (h, w) float32
        Samples in 0..1.
    level : float
        Distance between two neighbouring levels of the samples.
    xmp : Xmp
        Properties that describe the depth image.
    range : dict
        Its range, as the HEIF standard's depth representation message tells it.
    orientation : int
        EXIF orientation in which the photo is stored.
    """

    samples: NDArray[np.floating]
    level: float
    xmp: Xmp
    range: dict[str, Any]
    orientation: int


def read_view(path: Path, data: bytes) -> Image:
    """Decode the primary picture: (H, W, 3) RGB uint8, or uint16 where it has more than 8 bits, upright."""
    return _samples(path, primary(open_heif(path, data)))


def view_metadata(path: Path, data: bytes) -> Metadata:
    """Read the primary picture's EXIF and colour profile."""
    info = primary(open_heif(path, data)).info
    return Metadata.from_exif(info.get("exif") or b"", info.get("icc_profile") or b"")


def read_spatial(path: Path, data: bytes) -> SpatialPhoto | None:
    """Decode the stereo pair of a spatial photo; None where the file holds no pair."""
    file = open_heif(path, data)
    pair = stereo_group(file)
    if pair is None:
        return None
    left, right = (file[k] for k in pair["images"][:2])
    cameras = [_camera(view) for view in (left, right)]
    doffs = cameras[1].cx - cameras[0].cx if cameras[0] and cameras[1] else 0.0
    positions = [_position_m(_items(data), item) for item in pair["entities"][:2]]
    baseline = math.dist(*positions)
    return SpatialPhoto(_samples(path, left), _samples(path, right), cameras[0], baseline or None, doffs)


def read_auxiliary_depth(path: Path, data: bytes) -> AuxiliaryDepth | None:
    """Decode the depth image that belongs to the primary picture; None where there is none. Raises InputError."""
    found = depth_picture(open_heif(path, data))
    if found is None:
        return None
    width, height = found.size
    check_pixels(width, height, f"the depth in {path}")
    try:
        samples = np.asarray(found)
    except NOT_DECODED:
        raise InputError(f"the depth in {path} cannot be read, it is damaged", hint="copy the file anew") from None
    samples = samples[..., 0] if samples.ndim == 3 else samples
    items = _items(data)
    packets: list[bytes] = []
    orientation = 1
    if items:
        orientation = _orientation(items, items.primary)
        depth_items = [i for i in items.referring(b"auxl", items.primary) if _is_depth(items, i)]
        packets = [items.contents.get(i, b"") for depth in depth_items for i in items.referring(b"cdsc", depth)]
        if depth_items and _orientation(items, depth_items[0]) == 1:  # then it is stored as the photo is
            samples = upright(samples, orientation)
    levels = np.iinfo(samples.dtype).max
    return AuxiliaryDepth(
        samples / np.float32(levels),
        1 / levels,
        Xmp(packets),
        found.info.get("metadata") or {},
        orientation,
    )


def _is_depth(items: Items, item: int) -> bool:
    return any(p.kind == b"auxC" and p.content[4:].startswith(_DEPTH_TYPES) for p in items.properties.get(item, []))


def _orientation(items: Items, item: int) -> int:
    """The EXIF orientation that an item's rotation stands for."""
    turn = next((p.content[0] & 3 for p in items.properties.get(item, []) if p.kind == b"irot" and p.content), 0)
    return _QUARTER_TURNS[turn]


def _samples(path: Path, view: Any) -> Image:
    width, height = view.size
    check_pixels(width, height, str(path))
    try:
        samples = np.asarray(view)
    except NOT_DECODED:
        raise InputError(
            f"{path} is not an image that can be read, it is no whole HEIC file", hint="copy it anew from where it came"
        ) from None
    if samples.ndim == 2:
        samples = samples[..., None].repeat(3, axis=2)
    return np.ascontiguousarray(samples[..., :3])


def _camera(view: Any) -> Camera | None:
    matrix = view.info.get("heif", {}).get("camera_intrinsic_matrix")
    if not matrix or not (matrix["focal_length_x"] > 0 and matrix["focal_length_y"] > 0):
        return None
    width, height = view.size
    # the standard counts from the picture's corner, this package from the first pixel's centre
    centre = matrix["principal_point_x"] - 0.5, matrix["principal_point_y"] - 0.5
    return Camera(width, height, matrix["focal_length_x"], matrix["focal_length_y"], *centre)


def _items(data: bytes) -> Items | None:
    try:
        return read_items(data)
    except (ValueError, IndexError, struct.error):
        return None


def _position_m(items: Items | None, item: int) -> tuple[float, ...]:
    """Position of an item's camera in metres; the origin where the file does not tell."""
    for prop in items.properties.get(item, []) if items else []:
        if prop.kind in _EXTRINSICS and len(prop.content) >= 4:
            flags, numbers = prop.content[3], iter(struct.iter_unpack(">i", prop.content[4 : 4 + 12]))
            return tuple(next(numbers, (0,))[0] / 1e6 if flags >> axis & 1 else 0.0 for axis in range(3))
    return 0.0, 0.0, 0.0
