"""Write depth, disparity and confidence maps: floats in .npy, .pfm and .tif, scaled whole numbers in .png."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np

from depthapps.core.scene import FloatMap
from depthapps.io.formats import DEPTH_PNG_SCALE, DISPARITY_PNG_SCALE, MAP_SUFFIXES
from depthapps.io.inputs import StrPath
from depthapps.io.outputs import Outputs, check_suffix, opened
from depthapps.io.photos.images import encode

CONFIDENCE_PNG_SCALE = 65535.0
_INTEGER_MAX = 65535


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
