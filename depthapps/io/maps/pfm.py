"""Read maps of bare floats behind a short header: PFM, the .dpt files of MPI Sintel and the .bin files of COLMAP."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from depthapps.core.errors import InputError
from depthapps.io.formats import MAP_SUFFIXES
from depthapps.io.maps.numbers import RawMap, only_channel

# kind, width, height and scale, with any blanks and comments between them; one blank ends the header. A comment is a
# whole line: could it end earlier, one with many # would be tried in more ways than there is time for.
_HEADER = re.compile(rb"(P[fF])(?:\s+#[^\n]*(?=\n))*\s+(\d+)\s+(\d+)\s+([-+.\deE]+)[ \t]*(?:\r\n|\s)")

_COLMAP = re.compile(rb"(\d{1,6})&(\d{1,6})&(\d{1,3})&")  # width, height and channels
_COLMAP_UNIT = "{} is in COLMAP's unit of length, which is taken as the metre"


def read_pfm(data: bytes, path: Path, what: str) -> RawMap:
    """Read a PFM file. Of its scale only the sign counts, which is the order of the bytes.

    Middlebury's maps have the scale 1/255, which belongs to no unit of theirs.
    """
    header = _HEADER.match(data)
    bands = 3 if data.startswith(b"PF") else 1
    if header is None:
        raise _broken(path, what)
    width, height = int(header[2]), int(header[3])
    try:
        order = "<" if float(header[4]) < 0 else ">"
    except ValueError:
        raise _broken(path, what) from None
    size = width * height * bands
    if not size or len(data) - header.end() < 4 * size:
        raise _broken(path, what)
    values = np.frombuffer(data, f"{order}f4", size, header.end()).reshape(height, width, bands)
    return RawMap(_native(only_channel(values[::-1], f"the {what} {path}")), f"the {what} {path}")


def read_sintel(data: bytes, path: Path, what: str) -> RawMap:
    """Read the depth of MPI Sintel: a mark, width and height, and metres row by row."""
    width, height = (int(v) for v in np.frombuffer(data[4:12].ljust(8, b"\0"), "<i4"))
    if len(data) == 12 + 8 * width * height > 12:
        raise InputError(
            f"{path} is optical flow, two numbers a pixel, and no {what}",
            hint="of a stereo pair's flow the first number is the disparity, negated: save that alone with numpy.save",
        )
    if width <= 0 or height <= 0 or len(data) < 12 + 4 * width * height:
        raise _broken(path, what)
    values = np.frombuffer(data, "<f4", width * height, 12).reshape(height, width)
    return RawMap(_native(values), f"the {what} {path}")


def read_colmap(data: bytes, path: Path, what: str) -> RawMap:
    """Read a map of COLMAP's dense stereo: its size as text, and depths row by row, 0 where unknown."""
    header = _COLMAP.match(data)
    if header is None:
        raise unreadable(path, what)
    width, height, channels = (int(part) for part in header.groups())
    if channels != 1:
        raise InputError(
            f"{path} has {channels} numbers a pixel and is no {what}", hint="COLMAP writes those into depth_maps/"
        )
    if not width * height or len(data) - header.end() < 4 * width * height:
        raise _broken(path, what)
    values = np.frombuffer(data, "<f4", width * height, header.end()).reshape(height, width)
    name = f"the {what} {path}"
    return RawMap(_native(values), name, note=_COLMAP_UNIT.format(name))


def unreadable(path: Path, what: str) -> InputError:
    """The error for a file of no known format."""
    return InputError(
        f"{path} is not a {what} that can be read",
        hint=f"{' '.join((*MAP_SUFFIXES, '.h5', '.mat', '.csv'))} are; bare numbers of floats become one by "
        "numpy.save('map.npy', numpy.fromfile(FILE, 'float32').reshape(HEIGHT, WIDTH))",
    )


def _native(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, np.float32)


def _broken(path: Path, what: str) -> InputError:
    return InputError(f"{path} is not a {what} that can be read", hint="is the file whole? copy it anew")
