"""Read the numbers of a map file as they stand in it; the first bytes tell the format, whatever the file is called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from depthapps.core.errors import InputError
from depthapps.io.inputs import StrPath, parsing, read_bytes
from depthapps.io.maps import arrays, exr, hdf5, pfm
from depthapps.io.maps.coded import of_colors
from depthapps.io.maps.numbers import RawMap, only_channel
from depthapps.io.photos import jpeg, png
from depthapps.io.photos.decode import decode_map
from depthapps.io.photos.whole import check_size, check_whole

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
_BY_SUFFIX: dict[str, Reader] = {
    ".npy": arrays.read_npy, ".npz": arrays.read_npz, ".exr": exr.read_exr, ".csv": arrays.read_table,
    ".txt": arrays.read_table, ".bin": pfm.read_colmap,
}  # fmt: skip
_TIFF = (b"II*\0", b"MM\0*")
# The first bytes of files that hold something else, what they are, and a step that helps.
_OTHERS = (
    (b"\x80", "a Python pickle, which may run programs", "numpy.save('map.npy', map) is safe"),
    (b"\x1f\x8b", "a compressed file", "unpack it first"),
    (b"ply\n", "a point cloud", "pass the map that it was made from"),
)


def read_raw(path: StrPath, what: str) -> RawMap:
    """Read a map file; `what` is its name in messages, "depth map". Raises InputError, MissingExtraError."""
    path = Path(path)
    data = read_bytes(path, what)
    if not data:
        raise InputError(f"{path} is not a {what}, it is empty: 0 bytes", hint="copy it anew from where it came")
    reader = next((reader for start, reader in _READERS if data.startswith(start)), None)
    for start, other, remedy in _OTHERS if reader is None else ():
        if data.startswith(start):
            raise InputError(f"{path} is not a {what}, it is {other}", hint=remedy)
    # a damaged file of a known name is told by the words of its format
    read = reader or _BY_SUFFIX.get(path.suffix.lower(), _read_picture)
    with parsing(path, what):
        return read(data, path, what)


def _read_picture(data: bytes, path: Path, what: str) -> RawMap:
    """Read the samples of a picture: of 8 or 16 bits, or of floats."""
    if data.startswith((png.SIGNATURE, jpeg.SIGNATURE)):
        check_whole(data, f"the {what} {path}")  # else it may be decoded in part
    check_size(data, f"the {what} {path}")
    values, clear = decode_map(data, f"the {what} {path}")
    if values is None and data.startswith(_TIFF):
        raise InputError(f"{path} is not a {what} that can be read, it is damaged or cut", hint="copy it anew")
    if values is None:
        raise pfm.unreadable(path, what)
    name = f"the {what} {path}"
    if coded := of_colors(values, name, what):
        return coded
    share = 0.0 if clear is None else 100 * float(clear.mean())
    note = None if clear is None else f"{share:.2g} % of {name} is transparent: its depth there is unknown"
    return RawMap(only_channel(values, name), name, note=note, clear=clear)


def raw_of_array(values: object, what: str) -> RawMap:
    """Take a map given as an array instead of a file; axes of length 1 are left out. Raises InputError."""
    name = f"the {what}"
    return RawMap(only_channel(arrays.squeezed(np.asarray(values), name, what), name), name)
