"""Read maps out of arrays: .npy and .npz files of numpy, and the choice of the map among several named arrays."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.choices import DepthKind
from depthapps.core.errors import CalibrationError, InputError, reason
from depthapps.io.arrays import NpzArchive, array_of
from depthapps.io.maps.numbers import RawMap, only_channel
from depthapps.io.sizes import check_pixels

_ZIP = b"PK"
_LARGEST_MATRIX = 4  # rows or columns: an array that is no larger is a camera matrix or a pose
_OWN_NAMES = ("depth", "disparity")  # of the maps in archives that this package writes, which may have few rows
_COLORS = 3
# What stands beside a map in archives of networks and data sets, by parts of the names.
_NO_MAP = ("conf", "mask", "valid", "uncert", "normal", "label", "instance", "seg", "std", "sigma", "error", "weight")
_MAP_NAMES = {"depth map": ("depth", "dist", "metric"), "disparity map": ("disp",)}
_ANY_NAMES = ("depth", "disp", "arr_0", "dataset", "pred")
_CAMERA_NAMES = ("intrinsic", "camera_matrix", "cam_k", "k")
_FOCAL_NAMES = ("focallength_px", "focal_px", "focal_length_px", "f_px")
_CENTRE_TOLERANCE = 0.25  # of the width, by which a lens may lie off the middle before its matrix is of another size
SMALL_BYTES = 1 << 16  # larger arrays are maps and pictures, of which only the map itself is unpacked


def read_npy(data: bytes, path: Path, what: str) -> RawMap:
    """Read the one array of an .npy file."""
    if data.startswith(_ZIP):
        return read_npz(data, path, what)
    try:
        values = array_of(data, path.name)
    except ValueError as error:
        raise _broken(path, what, error) from None
    name = f"the {what} {path}"
    return RawMap(only_channel(squeezed(values, str(path), what), name), name)


def read_npz(data: bytes, path: Path, what: str) -> RawMap:
    """Read the map of an .npz archive, and the camera beside it.

    Other programs keep other things in archives of this kind, such as Record3D in its .r3d.
    """
    try:
        archive = NpzArchive(data, path.name)
        found = {n: archive.array(n) if h.size <= SMALL_BYTES else h.stand_in() for n, h in archive.headers.items()}
    except ValueError as error:
        raise _broken(path, what, error) from None
    if not found:
        raise InputError(
            f"{path} is an archive without numpy arrays, and no {what}",
            hint="save the (height, width) array alone with numpy.save",
        )
    try:
        return map_among(found, path, what, archive.array)
    except ValueError as error:
        raise _broken(path, what, error) from None


def read_table(data: bytes, path: Path, what: str) -> RawMap:
    """Read rows of numbers as text, with commas or blanks between them; whole numbers stay whole."""
    rows = [
        re.split(rb"[\s,;]+", row.strip(b" ,;\t\r"))
        for row in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        if row.strip()
    ]
    try:
        values = np.array(rows, np.float64)
    except (ValueError, OverflowError):
        values = np.zeros(0)
    if values.ndim != 2 or min(values.shape) <= _LARGEST_MATRIX:
        raise InputError(
            f"{path} is not a {what}: it has no rows of equally many numbers",
            hint="save rows of numbers alone, without names",
        )
    if not np.isfinite(values).all() or (values != np.rint(values)).any() or np.abs(values).max(initial=0) > 1 << 31:
        with np.errstate(over="ignore"):  # to infinity
            values = values.astype(np.float32)
    else:
        values = values.astype(
            np.uint16 if values.min(initial=0) >= 0 and values.max(initial=0) < 1 << 16 else np.int64
        )
    name = f"the {what} {path}"
    return RawMap(only_channel(squeezed(values, str(path), what), name), name)


def squeezed(values: NDArray, name: str, what: str) -> NDArray:
    """A map (h, w), or (h, w, c) of few channels, without its axes of length 1. Raises InputError for other arrays."""
    few = values.squeeze() if values.ndim > 2 else values
    few = np.atleast_2d(few) if values.ndim > 2 else few  # one row or one column stays a map
    channels_last = few.ndim == 3 and few.shape[2] <= _COLORS + 1
    if values.dtype.kind not in "fui" or not values.size or not (few.ndim == 2 or channels_last):
        raise InputError(
            f"{name} holds {values.ndim}-dimensional {values.dtype}{'' if values.size else ' of size 0'}, a {what} is "
            "2-dimensional numbers",
            hint="save the (height, width) array itself",
        )
    return few


def map_among(
    arrays: Mapping[str, NDArray], path: Path, what: str, load: Callable[[str], NDArray] | None = None
) -> RawMap:
    """The one of several named arrays that is the map, with the camera that stands beside it.

    load: gives the samples of an array by its name, where `arrays` holds only the shapes of those above SMALL_BYTES.
    An array is a map if it has two axes longer than those of a camera matrix, or, where nothing is so large, if it is
    named as our own are. Of several the one is taken whose name says so. Raises InputError if that does not tell.
    """
    maps = {n: a for n, a in arrays.items() if _is_map(a) and not any(part in n.lower() for part in _NO_MAP)}
    if not any(max(a.shape, default=0) > _LARGEST_MATRIX and a.ndim > 2 for a in arrays.values()):  # no photo, no stack
        maps = maps or {n: a for n, a in arrays.items() if n.lower() in _OWN_NAMES and a.ndim == 2}
    name = next(iter(maps)) if len(maps) == 1 else None
    for part in (*_MAP_NAMES.get(what, ()), *_ANY_NAMES):
        named = sorted((n for n in maps if part in n.lower()), key=len)
        name = name or (named[0] if named else None)
    if name is None:
        held = ", ".join(f"{n} ({'x'.join(map(str, a.shape)) or 'one number'})" for n, a in list(arrays.items())[:12])
        raise InputError(
            f"{path} holds {held or 'nothing'}: which one is the {what} cannot be told",
            hint="name the (height, width) array depth or disparity, or save it alone",
        )
    height, width = _as_map(maps[name]).shape
    check_pixels(width, height, f"{name} in {path}")
    values = _as_map((load or maps.__getitem__)(name))
    inverse = what == "depth map" and any(part in name.lower() for part in ("disp", "inv"))
    kind = DepthKind.INVERSE if inverse else None
    return RawMap(values, f"the {what} {path}", _camera_beside(arrays, width, height), kind)


def _is_map(values: NDArray) -> bool:
    return values.dtype.kind in "fui" and values.squeeze().ndim == 2 and min(values.squeeze().shape) > _LARGEST_MATRIX


def _as_map(values: NDArray) -> NDArray:
    """Without axes of length 1 beside the two of a map."""
    return values if values.ndim == 2 else values.squeeze()


def _camera_beside(arrays: Mapping[str, NDArray], width: int, height: int) -> Camera | None:
    """The camera that an archive tells: a matrix K in pixels or in shares of the picture, or a focal length."""
    named = {name.lower().rpartition("/")[2]: values.squeeze() for name, values in arrays.items()}
    matrix = next((a for n, a in named.items() if n.startswith(_CAMERA_NAMES) and a.shape in ((3, 3), (4, 4))), None)
    try:
        if matrix is not None:
            return _camera_of(np.asarray(matrix, np.float64), width, height)
        focal = next((float(a) for n, a in named.items() if n in _FOCAL_NAMES and a.size == 1), None)
        return None if focal is None else Camera.centred(width, height, focal)
    except (CalibrationError, ValueError, TypeError):
        return None


def _camera_of(matrix: NDArray, width: int, height: int) -> Camera:
    """The camera of K (3, 3). MoGe writes shares of the picture; ARKit the pixels of a photo larger than the map."""
    if 0 < matrix[0, 2] <= 1 and 0 < matrix[1, 2] <= 1:
        fx, fy, cx, cy = matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2]
        return Camera(width, height, fx * width, fy * height, cx * width - 0.5, cy * height - 0.5)
    if abs(matrix[0, 2] - width / 2) <= _CENTRE_TOLERANCE * width:
        return Camera.from_matrix(width, height, matrix)
    larger = 2 * matrix[0, 2] / width
    return Camera.from_matrix(round(width * larger), round(height * larger), matrix)


def _broken(path: Path, what: str, error: Exception) -> InputError:
    objects = "Python objects" in str(error)
    hint = (
        "save the numbers: numpy.save('map.npy', numpy.asarray(map, 'float32'))"
        if objects
        else "save it with numpy.save"
    )
    return InputError(f"{path} is not a {what} that can be read ({reason(error)})", hint=hint)
