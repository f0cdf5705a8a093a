"""Read and write depth, disparity and confidence maps: float in .npy, .pfm and .tif, scaled whole numbers in .png."""

from __future__ import annotations

import math
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import InputError, param
from depthapps.core.scene import FloatMap
from depthapps.io.formats import DEPTH_PNG_SCALE, DISPARITY_PNG_SCALE, MAP_SUFFIXES
from depthapps.io.inputs import StrPath
from depthapps.io.map_samples import read_samples
from depthapps.io.outputs import Outputs, check_suffix, opened
from depthapps.io.photos.images import encode

CONFIDENCE_PNG_SCALE = 65535.0
_INTEGER_MAX = 65535
ASSUMED_NEAR_M, ASSUMED_FAR_M = 1.0, 10.0  # for maps that tell only what is nearer: a portrait in a room
_ENDS_PERCENT = (0.5, 99.5)  # percentiles that get these two depths; few pixels are nearer or farther


def read_depth(path: StrPath, png_scale: float = DEPTH_PNG_SCALE) -> FloatMap:
    """Read a depth map.

    Parameters
    ----------
    path : str or PathLike
        A ``.npy``, ``.npz``, ``.pfm``, ``.tif`` or, with the extra ``exr``, ``.exr`` file of metres, or a 16-bit
        ``.png`` file.
    png_scale : float, optional
        Units a metre of maps of whole numbers; 1000 means millimetres.

    Returns
    -------
    ndarray, (H, W) float32
        Depth along +Z in metres, +inf where infinitely far. NaN where unknown: NaN, 0 or negative in the file, and
        65535 among whole numbers.

    Raises
    ------
    InputError
        The file is not there, not a map, a picture of 8 bits or of colours, or the scale is not positive.
    MissingExtraError
        The file is EXR and OpenEXR is not installed.

    Notes
    -----
    Kinect, RealSense and 7-Scenes write 16-bit PNG in millimetres with 0 or 65535 in holes.
    """
    if not png_scale > 0:
        raise InputError(
            f"a depth scale of {png_scale:g} was given, it must be positive", hint="1000 means millimetres"
        )
    values = _read_map(path, "depth map", png_scale)
    return np.where(values > 0, values, np.float32(np.nan))


def read_disparity(path: StrPath, png_scale: float = DISPARITY_PNG_SCALE) -> FloatMap:
    """Read a disparity map.

    Parameters
    ----------
    path : str or PathLike
        A file of the kinds that `read_depth` takes, in pixels.
    png_scale : float, optional
        Units a pixel of maps of whole numbers; 256 as KITTI writes.

    Returns
    -------
    ndarray, (H, W) float32
        Disparity in pixels. NaN where unknown: not finite in the file, 0 or 65535 among whole numbers.

    Raises
    ------
    InputError
        The file is not there, not a map, or a picture of 8 bits or of colours.
    MissingExtraError
        The file is EXR and OpenEXR is not installed.

    Notes
    -----
    Middlebury writes ``.pfm`` with +inf where unknown, KITTI 16-bit ``.png`` with 0.
    """
    values = _read_map(path, "disparity map", png_scale)
    return np.where(np.isfinite(values), values, np.float32(np.nan))


def read_inverse_depth(path: StrPath, *, affine: bool) -> tuple[FloatMap, float]:
    """Read a map whose values grow towards the camera, as monocular networks and phones write them.

    Parameters
    ----------
    path : str or PathLike
        A file of the kinds that `read_depth` takes, also of 8 bits. Whole numbers are divided by the largest value of
        their type.
    affine : bool
        The values are 1/Z times an unknown scale plus an unknown offset. They are spread so that the farthest pixels
        lie at ASSUMED_FAR_M and the nearest at ASSUMED_NEAR_M, apart from half a percent at both ends.

    Returns
    -------
    inverse_m : ndarray, (h, w) float32
        1/Z in 1/m, NaN where unknown.
    sigma_m : float
        Standard deviation of `inverse_m` in 1/m that comes from rounding to whole numbers; 0 for float maps.

    Raises
    ------
    InputError
        The file is not there, not a map, has no known depth, or the same value everywhere.
    MissingExtraError
        The file is EXR and OpenEXR is not installed.
    """
    return inverse_depth_of(read_samples(path, "depth map"), f"the depth map {path}", affine=affine)


def inverse_depth_of(raw: NDArray, name: str, *, affine: bool) -> tuple[FloatMap, float]:
    """What `read_inverse_depth` returns, of a map (h, w) as its samples stand in a file; `name` is for messages."""
    whole = raw.dtype.kind in "ui"
    values = raw / np.float32(np.iinfo(raw.dtype).max) if whole else raw.astype(np.float32)
    level = 1 / np.iinfo(raw.dtype).max if whole else 0.0
    known = np.isfinite(values) & ((values > 0) | affine)
    if not known.any():
        raise InputError(f"{name} holds no known depth at all", hint="check its kind and units")
    if affine:
        low, high = (float(v) for v in np.percentile(values[known], _ENDS_PERCENT))
        if not low < high:
            raise InputError(f"{name} has the same value everywhere", hint="is it the right file?")
        scale = (1 / ASSUMED_NEAR_M - 1 / ASSUMED_FAR_M) / (high - low)
        values, level = 1 / ASSUMED_FAR_M + np.clip(values - low, 0, high - low) * scale, level * scale
    return np.where(known, values, np.nan).astype(np.float32), level / math.sqrt(12)


def _read_map(path: StrPath, what: str, png_scale: float) -> FloatMap:
    values = read_samples(path, what)
    if values.dtype == np.uint8:
        raise InputError(
            f"the {what} {path} has 8 bits, too few to hold metres",
            hint="pass a 16-bit PNG or a float .npy .pfm .tif; if bright is near in it, "
            f"{param('depth_kind', 'affine-inverse')}",
        )
    if values.dtype.kind in "ui":
        unknown = (values == 0) | (values == _INTEGER_MAX)
        return np.where(unknown, np.nan, values / png_scale).astype(np.float32)
    return np.ascontiguousarray(values, np.float32)


def write_depth(
    path: StrPath, depth_m: FloatMap, png_scale: float = DEPTH_PNG_SCALE, *, outputs: Outputs | None = None
) -> float:
    """Write a depth map. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        ``.npy``, ``.pfm`` and ``.tif`` hold float32 metres, NaN where unknown; ``.png`` holds 16-bit whole numbers, 0
        where unknown.
    depth_m : ndarray, (H, W) float32
        Depth in metres, NaN where unknown, +inf where infinitely far.
    png_scale : float, optional
        Units a metre in a ``.png``; 1000 writes millimetres.
    outputs : Outputs, optional
        The group of files that this one belongs to. Without it the file is written at once and replaces an old one.

    Returns
    -------
    float
        Share, 0 to 1, of the known pixels that the file cannot hold and that are therefore unknown in it: in a PNG,
        depths that round to 65535 units or more (65.5 m at 1000 units a metre) or to 0. It is 0 for the float formats.

    Raises
    ------
    OutputError
        The file cannot be written, or its suffix is of no such format.
    """
    return _write_map(path, "a depth map", depth_m, png_scale, outputs)


def write_disparity(path: StrPath, disparity_px: FloatMap, *, outputs: Outputs | None = None) -> float:
    """Write a disparity map. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        ``.pfm`` holds float32 pixels, +inf where unknown, as Middlebury writes; ``.npy`` and ``.tif`` hold the same
        with NaN; ``.png`` holds 16-bit whole numbers, 256 a pixel and 0 where unknown, as KITTI writes.
    disparity_px : ndarray, (H, W) float32
        Disparity in pixels, NaN where unknown.
    outputs : Outputs, optional
        As for `write_depth`.

    Returns
    -------
    float
        Share, 0 to 1, of the known pixels that the file cannot hold and that are therefore unknown in it: in a PNG,
        disparities that round to 0, are negative, or reach 256 pixels. It is 0 for the float formats.

    Raises
    ------
    OutputError
        The file cannot be written, or its suffix is of no such format.
    """
    if Path(path).suffix.lower() == ".pfm":
        disparity_px = np.where(np.isnan(disparity_px), np.float32(np.inf), disparity_px)
    return _write_map(path, "a disparity map", disparity_px, DISPARITY_PNG_SCALE, outputs)


def write_confidence(path: StrPath, confidence: FloatMap, *, outputs: Outputs | None = None) -> None:
    """Write a confidence map. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        ``.npy``, ``.pfm`` and ``.tif`` hold float32; ``.png`` holds 16-bit whole numbers, 65535 for 1.
    confidence : ndarray, (H, W) float32
        Confidence from 0 to 1.
    outputs : Outputs, optional
        As for `write_depth`.

    Raises
    ------
    OutputError
        The file cannot be written, or its suffix is of no such format.
    """
    if Path(path).suffix.lower() != ".png":
        _write_map(path, "a confidence map", confidence, CONFIDENCE_PNG_SCALE, outputs)
        return
    data = encode(Path(path), np.rint(confidence * CONFIDENCE_PNG_SCALE).astype(np.uint16))
    with opened(outputs, [path]) as group:
        group.write(path, data)


def _write_map(path: StrPath, what: str, values: FloatMap, png_scale: float, outputs: Outputs | None) -> float:
    """Write a map by its suffix; returns the share of the known values that the file cannot hold."""
    path = Path(path)
    check_suffix(path, MAP_SUFFIXES, what)
    suffix, lost = path.suffix.lower(), 0.0
    if suffix == ".npy":
        file = BytesIO()
        np.save(file, values.astype(np.float32))
        data = file.getvalue()
    elif suffix == ".png":
        units = np.rint(values.astype(np.float64) * png_scale)
        held, known = (units > 0) & (units < _INTEGER_MAX), np.count_nonzero(~np.isnan(values))
        lost = 1 - np.count_nonzero(held) / known if known else 0.0
        data = encode(path, np.where(held, units, 0).astype(np.uint16))
    else:
        data = encode(path, values.astype(np.float32))
    with opened(outputs, [path]) as group:
        group.write(path, data)
    return lost
