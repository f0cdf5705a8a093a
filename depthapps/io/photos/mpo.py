"""Write two views as a multi-picture file (CIPA DC-007), which 3D cameras, 3D televisions and the Nintendo 3DS show."""

from __future__ import annotations

import struct
from pathlib import Path

from depthapps.core.scene import Image
from depthapps.io.formats import MPO_SUFFIXES
from depthapps.io.inputs import StrPath
from depthapps.io.outputs import Outputs, check_suffix, opened
from depthapps.io.photos.images import encode_image
from depthapps.io.photos.jpeg import segments, with_segments
from depthapps.io.photos.metadata import Metadata

_APP2, _MPF = 0xE2, b"MPF\0"
_HEADER = b"MM\0*" + struct.pack(">I", 8)  # big-endian TIFF, whose first directory follows
_DISPARITY, _REPRESENTATIVE = 0x020002, 0x20000000  # type code of a stereo view; the flag of the one shown first
_LONG, _RATIONAL, _UNDEFINED, _SIGNED_RATIONAL = 4, 5, 7, 10
_VERSION = (0xB000, _UNDEFINED, 4, b"0100")
_UM = 1_000_000  # the baseline is a fraction of whole micrometres

Entry = tuple[int, int, int, bytes]  # tag, type, count, value


def write_mpo(
    path: StrPath,
    left: Image,
    right: Image,
    baseline_m: float,
    metadata: Metadata | None = None,
    *,
    outputs: Outputs | None = None,
) -> None:
    """Write two views as a multi-picture file. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        A ``.mpo`` file.
    left, right : ndarray, (H, W, 3)
        The views, see `Image`.
    baseline_m : float
        Distance of the two cameras in metres.
    metadata : Metadata, optional
        As for `write_image`.
    outputs : Outputs, optional
        The group of files that this one belongs to. Without it the file is written at once and replaces an old one.

    Raises
    ------
    OutputError
        The file cannot be written, or has another suffix.
    """
    path = Path(path)
    check_suffix(path, MPO_SUFFIXES, "a multi-picture file")
    first, second = (encode_image(path.with_suffix(".jpg"), view, metadata) for view in (left, right))
    with opened(outputs, [path]) as group:
        group.write(path, mpo_bytes(first, second, baseline_m))


def mpo_bytes(first: bytes, second: bytes, baseline_m: float) -> bytes:
    """A multi-picture file of two JPEGs, the left view first, taken `baseline_m` apart."""
    behind = _with_mpf(second, _directory([_VERSION, *_attributes(2, baseline_m)], 8, 0))
    draft = _with_mpf(first, _index(0, len(behind), 0, baseline_m))
    header = next(at for marker, at, c in segments(draft) if marker == _APP2 and c.startswith(_MPF)) + len(_MPF)
    return _with_mpf(first, _index(len(draft), len(behind), len(draft) - header, baseline_m)) + behind


def _with_mpf(jpeg: bytes, directories: bytes) -> bytes:
    return with_segments(jpeg, [(_APP2, _MPF + _HEADER + directories)])


def _index(first_bytes: int, second_bytes: int, second_at: int, baseline_m: float) -> bytes:
    """The directory of both pictures, and behind it the attributes of the first one. second_at: from the header."""
    table = struct.pack(">IIIHH", _REPRESENTATIVE | _DISPARITY, first_bytes, 0, 0, 0)
    table += struct.pack(">IIIHH", _DISPARITY, second_bytes, second_at, 0, 0)
    entries = [_VERSION, (0xB001, _LONG, 1, struct.pack(">I", 2)), (0xB002, _UNDEFINED, len(table), table)]
    following = 8 + len(_directory(entries, 8, 0))
    return _directory(entries, 8, following) + _directory(_attributes(1, baseline_m), following, 0)


def _attributes(number: int, baseline_m: float) -> list[Entry]:
    """Number of the view, counted from the left, the view that the base points are of, convergence and baseline."""
    return [
        (0xB101, _LONG, 1, struct.pack(">I", number)),
        (0xB204, _LONG, 1, struct.pack(">I", 1)),
        (0xB205, _SIGNED_RATIONAL, 1, struct.pack(">ii", 0, 1)),  # the views are parallel
        (0xB206, _RATIONAL, 1, struct.pack(">II", round(baseline_m * _UM), _UM)),
    ]


def _directory(entries: list[Entry], at: int, following: int) -> bytes:
    """A TIFF directory that stands at an offset from the header; `following` is the offset of the next one, or 0."""
    head, tail = struct.pack(">H", len(entries)), b""
    behind = at + 2 + 12 * len(entries) + 4
    for tag, form, count, value in entries:
        head += struct.pack(">HHI", tag, form, count)
        head += value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(">I", behind + len(tail))
        tail += b"" if len(value) <= 4 else value
    return head + struct.pack(">I", following) + tail
