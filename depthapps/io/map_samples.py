"""The numbers of a map file as they stand in it: .npy, .npz, .exr, and what OpenCV decodes (.pfm, .tif, .png)."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import InputError, MissingExtraError
from depthapps.io.formats import MAP_SUFFIXES
from depthapps.io.inputs import StrPath, check_input, read_bytes
from depthapps.io.photos.decode import decode

_LARGEST_MATRIX = 4  # rows or columns: an array of an archive that is no larger is a camera matrix or a pose


def read_samples(path: StrPath, what: str) -> NDArray:
    """Read the numbers (h, w) of a map, of any type; `what` is its name in messages. Raises InputError."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in (".npy", ".npz"):
        values = _read_npy(path, what)
    elif suffix == ".exr":
        values = _read_exr(path, what)
    else:
        values = decode(read_bytes(path, what), cv2.IMREAD_UNCHANGED)
    if values is None:
        known = " ".join((*MAP_SUFFIXES, ".npz", ".exr"))
        raise InputError(f"{path} is not a {what} that can be read", hint=f"one of {known} holds it")
    if values.ndim == 3 and values.shape[2] > 1 and not (values == values[..., :1]).all():
        raise InputError(f"the {what} {path} has colours", hint="pass the measured map, not a coloured preview of it")
    return values.reshape(values.shape[:2]) if values.ndim == 2 or values.shape[2] == 1 else values[..., 0]


def _read_npy(path: Path, what: str) -> NDArray:
    data = read_bytes(path, what)
    try:
        values = np.load(BytesIO(data), allow_pickle=False)
        if not isinstance(values, np.ndarray):  # an archive of arrays
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
    """The one array of an .npz archive that is a map, not a camera matrix or a pose; of several, the one so named."""
    maps = {name: a for name, a in arrays.items() if a.squeeze().ndim == 2 and min(a.squeeze().shape) > _LARGEST_MATRIX}
    name = next((n for n in ("depth", "disparity", "arr_0") if n in maps), None)
    if name is None and len(maps) != 1:
        raise InputError(
            f"{path} holds {', '.join(arrays) or 'nothing'}: which one is the {what} cannot be told",
            hint="name the (height, width) array depth or disparity, or save it alone",
        )
    return maps[name or next(iter(maps))].squeeze()


def _read_exr(path: Path, what: str) -> NDArray:
    check_input(path, what)
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
