"""Depth and disparity maps in and out: float in .npy, .pfm and .tif, whole numbers with a scale in 16-bit .png.

Read are .npz and .exr besides.
"""

from __future__ import annotations

import math
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import InputError, MissingExtraError, param
from depthapps.core.scene import FloatMap
from depthapps.io.outputs import check_input
from depthapps.io.photos.images import decode, encode

MAP_SUFFIXES = (".pfm", ".npy", ".tif", ".tiff", ".png")
DEPTH_PNG_SCALE = 1000.0  # units a metre: millimetres, as Kinect, RealSense and 7-Scenes write
DISPARITY_PNG_SCALE = 256.0  # units a pixel, as KITTI writes
CONFIDENCE_PNG_SCALE = 65535.0
_INTEGER_MAX = 65535
_LARGEST_MATRIX = 4  # rows or columns of a camera or a pose, which no picture has
ASSUMED_NEAR_M, ASSUMED_FAR_M = 1.0, 10.0  # of maps that tell only what is nearer: a portrait in a room
_ENDS_PERCENT = (0.5, 99.5)  # of the pixels outside of that range


def read_depth(path: Path, png_scale: float = DEPTH_PNG_SCALE) -> FloatMap:
    """Read depth in metres, (H, W) float32: NaN where unknown, that is 0, negative or NaN in the file.

    Whole numbers are `png_scale` units a metre. Raises InputError.
    """
    if not png_scale > 0:
        raise InputError(
            f"a depth scale of {png_scale:g} was given, it must be positive", hint="1000 means millimetres"
        )
    values = _read_map(path, "depth map", png_scale)
    return np.where(values > 0, values, np.float32(np.nan))


def read_disparity(path: Path, png_scale: float = DISPARITY_PNG_SCALE) -> FloatMap:
    """Read disparity in pixels, (H, W) float32: NaN where unknown, that is 0 in a PNG, or not finite.

    Whole numbers are `png_scale` units a pixel. Raises InputError.
    """
    values = _read_map(path, "disparity map", png_scale)
    return np.where(np.isfinite(values), values, np.float32(np.nan))


def read_inverse_depth(path: Path | NDArray, *, affine: bool) -> tuple[FloatMap, float]:
    """Read a map whose values grow towards the camera: (h, w) float32 1/Z in 1/m, NaN = unknown, and its rounding.

    Whole numbers are taken as shares of the largest that the file's samples could be. affine: scale and offset of 1/Z
    are unknown, as monocular networks leave them; the nearest becomes ASSUMED_NEAR_M and the farthest ASSUMED_FAR_M.
    The rounding is its deviation in 1/m. Raises InputError.
    """
    raw = path if isinstance(path, np.ndarray) else _samples(path, "depth map")
    name = "given" if isinstance(path, np.ndarray) else str(path)
    whole = raw.dtype.kind in "ui"
    values = raw / np.float32(np.iinfo(raw.dtype).max) if whole else raw.astype(np.float32)
    level = 1 / np.iinfo(raw.dtype).max if whole else 0.0
    known = np.isfinite(values) & ((values > 0) | affine)
    if not known.any():
        raise InputError(f"the depth map {name} holds no known depth at all", hint="check its kind and units")
    if affine:
        low, high = (float(v) for v in np.percentile(values[known], _ENDS_PERCENT))
        if not low < high:
            raise InputError(f"the depth map {name} has the same value everywhere", hint="is it the right file?")
        scale = (1 / ASSUMED_NEAR_M - 1 / ASSUMED_FAR_M) / (high - low)
        values, level = 1 / ASSUMED_FAR_M + np.clip(values - low, 0, high - low) * scale, level * scale
    return np.where(known, values, np.nan).astype(np.float32), level / math.sqrt(12)


def _read_map(path: Path, what: str, png_scale: float) -> FloatMap:
    values = _samples(path, what)
    if values.dtype == np.uint8:
        raise InputError(
            f"the {what} {path} has 8 bits, too few to hold metres",
            hint="pass a 16-bit PNG or a float .npy .pfm .tif; if bright is near in it, "
            f"{param('depth_kind', 'affine-inverse')}",
        )
    if values.dtype.kind in "ui":
        unknown = (values == 0) | (values == _INTEGER_MAX)  # Kinect and 7-Scenes mark holes with 65535
        return np.where(unknown, np.nan, values / png_scale).astype(np.float32)
    return np.ascontiguousarray(values, np.float32)


def _samples(path: Path, what: str) -> NDArray:
    """The map (h, w) in a file, as its samples stand in it."""
    check_input(path, what)
    suffix = path.suffix.lower()
    if suffix in (".npy", ".npz"):
        values = _read_npy(path, what)
    elif suffix == ".exr":
        values = _read_exr(path, what)
    else:
        values = decode(path.read_bytes(), cv2.IMREAD_UNCHANGED)
    if values is None:
        known = " ".join((*MAP_SUFFIXES, ".npz", ".exr"))
        raise InputError(f"{path} is not a {what} that can be read", hint=f"one of {known} holds it")
    if values.ndim == 3 and values.shape[2] > 1 and not (values == values[..., :1]).all():
        raise InputError(f"the {what} {path} has colours", hint="pass the measured map, not a coloured preview of it")
    return values.reshape(values.shape[:2]) if values.ndim == 2 or values.shape[2] == 1 else values[..., 0]


def _read_npy(path: Path, what: str) -> NDArray:
    try:
        values = np.load(BytesIO(path.read_bytes()), allow_pickle=False)
        if not isinstance(values, np.ndarray):  # an archive of them
            with values as archive:
                values = _only_map(path, what, {name: archive[name] for name in archive.files})
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        raise InputError(f"{path} is not a {what} that can be read ({error})", hint="save it with numpy.save") from None
    if values.ndim not in (2, 3) or values.dtype.kind not in "fui":
        raise InputError(
            f"{path} holds {values.ndim}-dimensional {values.dtype}, a {what} is 2-dimensional numbers",
            hint="save the (height, width) array itself",
        )
    return values


def _only_map(path: Path, what: str, arrays: dict[str, NDArray]) -> NDArray:
    """The one array of an .npz archive that is a map, and no camera matrix or pose; of several, the named one."""
    maps = {name: a for name, a in arrays.items() if a.squeeze().ndim == 2 and min(a.squeeze().shape) > _LARGEST_MATRIX}
    name = next((n for n in ("depth", "disparity", "arr_0") if n in maps), None)
    if name is None and len(maps) != 1:
        raise InputError(
            f"{path} holds {', '.join(arrays) or 'nothing'}: which one is the {what} cannot be told",
            hint="name the (height, width) array depth or disparity, or save it alone",
        )
    return maps[name or next(iter(maps))].squeeze()


def _read_exr(path: Path, what: str) -> NDArray:
    try:
        import OpenEXR  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise MissingExtraError(f"reading {path.name}", "exr") from None
    try:
        with OpenEXR.File(str(path)) as file:
            channels = {name: np.array(channel.pixels) for name, channel in file.channels().items()}
    except (RuntimeError, OSError) as error:
        raise InputError(f"{path} is not a {what} that can be read ({error})", hint="is the file whole?") from None
    name = next((n for n in ("Z", "Y", "depth", "R", "RGB", "RGBA") if n in channels), None)
    if name is None:
        raise InputError(f"{path} has the channels {' '.join(channels)}, none of them is Z", hint="save depth as Z")
    return channels[name]


def write_disparity(path: Path, disparity_px: FloatMap) -> None:
    """Write disparity (H, W) px: float .pfm (unknown = inf, as Middlebury), .npy and .tif (NaN); 16-bit .png × 256 (0).

    A PNG cannot hold disparities below 0 or from 256 on; they become unknown.
    """
    if path.suffix.lower() == ".pfm":
        disparity_px = np.where(np.isnan(disparity_px), np.float32(np.inf), disparity_px)
    _write_map(path, disparity_px, DISPARITY_PNG_SCALE)


def write_depth(path: Path, depth_m: FloatMap, png_scale: float = DEPTH_PNG_SCALE) -> None:
    """Write depth (H, W) metres: float .pfm, .npy and .tif (unknown = NaN); 16-bit .png × `png_scale` (0).

    A PNG cannot hold depths from 65535 / png_scale on; they become unknown.
    """
    _write_map(path, depth_m, png_scale)


def write_confidence(path: Path, confidence: FloatMap) -> None:
    """Write confidence (H, W) in 0..1: float .pfm, .npy and .tif; 16-bit .png x 65535."""
    if path.suffix.lower() == ".png":
        encode(path, np.rint(confidence * CONFIDENCE_PNG_SCALE).astype(np.uint16))
    else:
        _write_map(path, confidence, CONFIDENCE_PNG_SCALE)


def _write_map(path: Path, values: FloatMap, png_scale: float) -> None:
    suffix = path.suffix.lower()
    if suffix == ".npy":
        with path.open("wb") as file:
            np.save(file, values.astype(np.float32))
    elif suffix == ".png":
        units = np.rint(values.astype(np.float64) * png_scale)
        encode(path, np.where((units > 0) & (units < _INTEGER_MAX), units, 0).astype(np.uint16))
    else:
        encode(path, values.astype(np.float32))
