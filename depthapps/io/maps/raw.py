"""Read the numbers of a map file as they stand in it; the first bytes tell the format, whatever the file is called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from depthapps.core.errors import InputError
from depthapps.io.formats import MAP_SUFFIXES
from depthapps.io.inputs import StrPath, read_bytes
from depthapps.io.maps import arrays, exr, hdf5, pfm
from depthapps.io.maps.numbers import RawMap, only_channel
from depthapps.io.photos.decode import decode

Reader = Callable[[bytes, Path, str], RawMap]

# A format is one line here and one function: the first bytes of its files, and what reads them.
_READERS: tuple[tuple[bytes, Reader], ...] = (
    (b"\x93NUMPY", arrays.read_npy),
    (b"PK", arrays.read_npz),
    (b"Pf", pfm.read_pfm),
    (b"PF", pfm.read_pfm),
    (b"PIEH", pfm.read_sintel),
    (b"\x76\x2f\x31\x01", exr.read_exr),
    (b"\x89HDF", hdf5.read_hdf5),
    (b"MATLAB 7.3", hdf5.read_hdf5),
    (b"MATLAB", hdf5.read_mat),
)
_BY_SUFFIX: dict[str, Reader] = {".npy": arrays.read_npy, ".npz": arrays.read_npz, ".exr": exr.read_exr}


def read_raw(path: StrPath, what: str) -> RawMap:
    """Read a map file; `what` is its name in messages, "depth map". Raises InputError, MissingExtraError."""
    path = Path(path)
    data = read_bytes(path, what)
    reader = next((reader for start, reader in _READERS if data.startswith(start)), None)
    # a damaged file of a known name is told by the words of its format
    return (reader or _BY_SUFFIX.get(path.suffix.lower(), _read_picture))(data, path, what)


def _read_picture(data: bytes, path: Path, what: str) -> RawMap:
    """Read the samples of a picture: of 8 or 16 bits, or of floats."""
    values = decode(data, cv2.IMREAD_UNCHANGED)
    if values is None:
        known = " ".join((*MAP_SUFFIXES, ".h5", ".mat"))
        raise InputError(f"{path} is not a {what} that can be read", hint=f"one of {known} holds it")
    return RawMap(only_channel(values, f"the {what} {path}"), f"the {what} {path}")


def raw_of_array(values: object, what: str) -> RawMap:
    """Take a map given as an array instead of a file; axes of length 1 are left out. Raises InputError."""
    name = f"the {what}"
    return RawMap(only_channel(arrays.squeezed(np.asarray(values), name, what), name), name)
