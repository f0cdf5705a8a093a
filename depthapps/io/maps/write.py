"""Write depth, disparity and confidence maps: floats, and scaled whole numbers in .png."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Calibration, Camera
from depthapps.core.errors import InputError
from depthapps.core.geometry import filled_inverse_depth
from depthapps.core.scene import FloatMap, check_map
from depthapps.io.formats import (
    DEPTH_PNG_SCALE,
    DISPARITY_PNG_SCALE,
    INVERSE_SUFFIXES,
    MAP_SUFFIXES,
    check_depth_scale,
)
from depthapps.io.inputs import StrPath
from depthapps.io.maps.exr import exr_bytes
from depthapps.io.outputs import Outputs, check_suffix, opened
from depthapps.io.photos.images import encode

CONFIDENCE_PNG_SCALE = 65535.0
_INTEGER_MAX = 65535
# The ends of inverse depth without unit are these percentiles, so that a speck does not take most of the range.
_ENDS_PERCENT = (0.1, 99.9)


def write_depth(
    path: StrPath,
    depth_m: FloatMap,
    png_scale: float = DEPTH_PNG_SCALE,
    *,
    camera: Camera | None = None,
    outputs: Outputs | None = None,
) -> float:
    """Write a depth map. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        ``.npy``, ``.npz``, ``.pfm``, ``.tif`` and ``.exr`` hold float32 metres, NaN where unknown; ``.png`` holds
        16-bit whole numbers, 0 where unknown. An ``.npz`` names the map ``depth``, an ``.exr`` has it as channel ``Z``.
        The ``.tif`` is what ROS calls 32FC1.
    depth_m : ndarray, (H, W) float32
        Depth in metres, NaN where unknown, +inf where infinitely far.
    png_scale : float, optional
        Units a metre in a ``.png``; 1000 writes millimetres.
    camera : Camera, optional
        The map's camera; an ``.npz`` keeps it as ``intrinsics``, K (3, 3) in pixels.
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
    InputError
        `png_scale` is not positive, or `depth_m` is no map.
    """
    check_depth_scale(png_scale)
    check_map(depth_m, "a depth map", "depth_m")
    beside = {} if camera is None else {"intrinsics": camera.matrix}
    return _write_map(path, "a depth map", depth_m, png_scale, outputs, ("depth", "Z"), beside)


def write_disparity(
    path: StrPath,
    disparity_px: FloatMap,
    *,
    calibration: Calibration | None = None,
    outputs: Outputs | None = None,
) -> float:
    """Write a disparity map. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        ``.pfm`` holds float32 pixels, +inf where unknown, as Middlebury writes; ``.npy``, ``.npz``, ``.tif`` and
        ``.exr`` hold the same with NaN; ``.png`` holds 16-bit whole numbers, 256 a pixel and 0 where unknown, as KITTI
        writes. An ``.npz`` names the map ``disparity``.
    disparity_px : ndarray, (H, W) float32
        Disparity in pixels, NaN where unknown.
    calibration : Calibration, optional
        What turns the map into metres; an ``.npz`` keeps it as ``intrinsics``, ``baseline_m`` and ``doffs_px``.
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
    InputError
        `disparity_px` is no map.
    """
    check_map(disparity_px, "a disparity map", "disparity_px")
    if Path(path).suffix.lower() == ".pfm":
        disparity_px = np.where(np.isnan(disparity_px), np.float32(np.inf), disparity_px)
    beside = {}
    if calibration is not None:
        beside = {
            "intrinsics": calibration.camera.matrix,
            "baseline_m": np.float64(calibration.baseline_m),
            "doffs_px": np.float64(calibration.doffs_px),
        }
    return _write_map(path, "a disparity map", disparity_px, DISPARITY_PNG_SCALE, outputs, ("disparity", "Y"), beside)


def write_inverse_depth(path: StrPath, depth_m: FloatMap, *, outputs: Outputs | None = None) -> tuple[float, float]:
    """Write inverse depth without a unit, for programs that animate or repaint photos. The file is whole or absent.

    Parameters
    ----------
    path : str or PathLike
        ``.png`` holds 16-bit whole numbers from 0, far, to 65535, near; ``.jpg`` the same in 8 bits, for programs that
        take no more; ``.npy``, ``.npz``, ``.pfm``, ``.tif`` and ``.exr`` hold float32 from 0 to 1.
    depth_m : ndarray, (H, W) float32
        Depth in metres, NaN where unknown, +inf where infinitely far.
    outputs : Outputs, optional
        As for `write_depth`.

    Returns
    -------
    near_m, far_m : float
        The depths of 1 and of 0. With them `open_scene` turns the file into metres again: ``depth_kind``
        "affine-inverse", ``near_m`` and ``far_m``. far_m is inf if 0 is infinitely far.

    Raises
    ------
    InputError
        All of the map has one depth, or none; or it is no map.
    OutputError
        The file cannot be written, or its suffix is of no such format.

    Notes
    -----
    The numbers are even in 1/Z, as those of monocular networks are. Unknown pixels take the value of the background
    beside them, because such programs know no holes. One in a thousand pixels is nearer or farther than the two ends,
    and is written as they are.
    """
    path = Path(path)
    check_suffix(path, INVERSE_SUFFIXES, "inverse depth")
    check_map(depth_m, "a depth map", "depth_m")
    known = np.isfinite(depth_m) & (depth_m > 0)
    if not known.any():
        raise InputError("the depth map holds no known depth at all", hint="check its units, scale and file")
    inverse = filled_inverse_depth(depth_m)
    low, high = (float(v) for v in np.percentile(inverse, _ENDS_PERCENT))
    if not low < high:
        raise InputError(
            "all of the picture has one depth: there is nothing to spread", hint="write depth or disparity"
        )
    share = np.clip((inverse - np.float32(low)) / np.float32(high - low), 0, 1)
    if path.suffix.lower() in MAP_SUFFIXES and path.suffix.lower() != ".png":
        _write_map(path, "inverse depth", share, 1, outputs, ("inverse_depth", "Y"))
    else:
        largest = np.iinfo(kind := np.uint16 if path.suffix.lower() == ".png" else np.uint8).max
        data = encode(path, np.rint(share * largest).astype(kind))
        with opened(outputs, [path]) as group:
            group.write(path, data)
    return 1 / high, 1 / low if low > 0 else np.inf


def write_confidence(path: StrPath, confidence: FloatMap, *, outputs: Outputs | None = None) -> None:
    """Write a confidence map. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        ``.npy``, ``.npz``, ``.pfm``, ``.tif`` and ``.exr`` hold float32; ``.png`` holds 16-bit whole numbers, 65535
        for 1. An ``.npz`` names the map ``confidence``.
    confidence : ndarray, (H, W) float32
        Confidence from 0 to 1; a ``.png`` holds larger values as 1, and negative ones and NaN as 0.
    outputs : Outputs, optional
        As for `write_depth`.

    Raises
    ------
    OutputError
        The file cannot be written, or its suffix is of no such format.
    InputError
        `confidence` is no map.
    """
    check_map(confidence, "a confidence map", "confidence")
    if Path(path).suffix.lower() != ".png":
        _write_map(path, "a confidence map", confidence, CONFIDENCE_PNG_SCALE, outputs, ("confidence", "Y"))
        return
    share = np.nan_to_num(np.clip(confidence, 0, 1))
    data = encode(Path(path), np.rint(share * CONFIDENCE_PNG_SCALE).astype(np.uint16))
    with opened(outputs, [path]) as group:
        group.write(path, data)


def _write_map(
    path: StrPath,
    what: str,
    values: FloatMap,
    png_scale: float,
    outputs: Outputs | None,
    names: tuple[str, str],
    beside: Mapping[str, NDArray | np.float64] | None = None,
) -> float:
    """Write a map by its suffix; returns the share of the known values that the file cannot hold.

    names: of the map in an .npz and of its channel in an .exr. beside: further arrays of an .npz, by their names.
    """
    path = Path(path)
    check_suffix(path, MAP_SUFFIXES, what)
    suffix, lost, file = path.suffix.lower(), 0.0, BytesIO()
    floats = values.astype(np.float32)
    if suffix == ".npy":
        np.save(file, floats)
        data = file.getvalue()
    elif suffix == ".npz":
        np.savez_compressed(file, **{names[0]: floats}, **(beside or {}))  # pyright: ignore[reportArgumentType]
        data = file.getvalue()
    elif suffix == ".exr":
        data = exr_bytes(floats, names[1])
    elif suffix == ".png":
        units = np.rint(values.astype(np.float64) * png_scale)
        held, known = (units > 0) & (units < _INTEGER_MAX), np.count_nonzero(~np.isnan(values))
        lost = 1 - np.count_nonzero(held) / known if known else 0.0
        data = encode(path, np.where(held, units, 0).astype(np.uint16))
    else:
        data = encode(path, floats)
    with opened(outputs, [path]) as group:
        group.write(path, data)
    return lost
