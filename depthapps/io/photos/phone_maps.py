"""Find the depth that phones keep in forms of their own: Samsung, Huawei, MediaTek's. Nothing is decoded.

The forms are not published. Sources: ExifTool's description of Samsung's trailer, and the open programs that take
depth out of such photos for other uses. The maps have 8 bits and no unit.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from depthapps.io.photos.jpeg import SIGNATURE, end_of_picture, segments
from depthapps.io.photos.lif import whole_jpegs
from depthapps.io.photos.xmp import Xmp

_LONGEST_SIDE = 8192  # of a depth map; a larger number is damage
_MOST_ENTRIES = 1000
_SAMSUNG_MAPS, _SAMSUNG_SHAPE, _SAMSUNG_PHOTO = "DualShot_DepthMap", "DualShot_Extra_Info", "DualShot_1"
_SHAPE_FOLLOWS = re.compile(rb"[\x01-\x09]\0\xff\xff")  # in front of the width and height of Samsung's maps
_HUAWEI, _HUAWEI_HEADER = b"edof\0", 72  # bytes from its mark to its samples
_TURNS = {0: 1, 1: 8, 2: 3, 3: 6}  # Huawei's quarter turns, anticlockwise -> EXIF orientation
_APP15, _MEDIATEK = 0xEF, b"DEPTHBF"
_XIAOMI = b"PMPD\2\0\x64\0"


@dataclass(frozen=True)
class RawDepth:
    """Depth of 8 bits as a phone appended it.

    Attributes
    ----------
    maker : str
        The maker of the phone or its camera, as messages call it.
    width, height : int
        Size of the map in pixels; 0 where its form is not known.
    samples : bytes
        Row by row, bright is near; empty where the form is not known.
    orientation : int or None
        EXIF orientation of the map; None for that of the photo.
    photo : bytes or None
        The encoded sharp photo, where the file keeps it beside the one that the phone has blurred.
    """

    maker: str
    width: int = 0
    height: int = 0
    samples: bytes = b""
    orientation: int | None = None
    photo: bytes | None = None


def appended_depth(data: bytes, xmp: Xmp) -> RawDepth | None:
    """The depth that a phone appended to a JPEG; None where there is none."""
    behind = data[end_of_picture(data) :]
    if found := _samsung(behind) or _huawei(data, behind) or _mediatek(data, xmp):
        return found
    xiaomi = "<depthmap" in xmp.properties.get("camera:XMPMeta", "") or _XIAOMI in behind
    return RawDepth("Xiaomi") if xiaomi else None


def _samsung(behind: bytes) -> RawDepth | None:
    """Samsung's trailer: named entries, then a list of where they stand before it."""
    entries = _samsung_entries(behind)
    samples = next((entries[name] for name in entries if name.startswith(_SAMSUNG_MAPS)), None)
    if samples is None:
        return None
    photo = entries.get(_SAMSUNG_PHOTO, b"")
    shape = entries.get(_SAMSUNG_SHAPE, b"")
    for found in _SHAPE_FOLLOWS.finditer(shape):
        width, height = struct.unpack("<II", shape[found.end() : found.end() + 8].ljust(8, b"\0"))
        if depth := _raw(width, height, samples):
            kept = photo if photo.startswith(SIGNATURE) and end_of_picture(photo) else None
            return RawDepth("Samsung", width, height, _near_is_bright(depth), photo=kept)
    return RawDepth("Samsung")


def _samsung_entries(behind: bytes) -> dict[str, bytes]:
    """The contents of the entries by their names."""
    at = behind.rfind(b"SEFT")
    length = int.from_bytes(behind[max(at - 4, 0) : at], "little") if at >= 4 else 0
    start = at - 4 - length
    if start < 0 or behind[start : start + 4] != b"SEFH":
        return {}
    count = min(int.from_bytes(behind[start + 8 : start + 12], "little"), _MOST_ENTRIES)
    found: dict[str, bytes] = {}
    for k in range(count):
        entry = behind[start + 12 + 12 * k : start + 24 + 12 * k]
        if len(entry) < 12:
            break
        back, size = struct.unpack("<II", entry[4:])
        if not 8 <= size <= back <= start:
            continue
        block = behind[start - back : start - back + size]
        name = int.from_bytes(block[4:8], "little")
        found[block[8 : 8 + name].decode("ascii", "replace")] = block[8 + name :]
    return found


def _huawei(data: bytes, behind: bytes) -> RawDepth | None:
    at = behind.rfind(_HUAWEI)
    if at < 0:
        return None
    header = behind[at : at + _HUAWEI_HEADER].ljust(_HUAWEI_HEADER, b"\0")
    width, height = struct.unpack("<HH", header[20:24])
    samples = _raw(width, height, behind[at + _HUAWEI_HEADER :])
    if samples is None:
        return RawDepth("Huawei")
    jpegs = whole_jpegs(data)
    turn = _TURNS[header[11] & 3]
    return RawDepth("Huawei", width, height, _near_is_bright(samples), turn, jpegs[1] if len(jpegs) > 1 else None)


def _mediatek(data: bytes, xmp: Xmp) -> RawDepth | None:
    """A map of phones with MediaTek's camera, in segments of the JPEG itself: behind their length, a name, a number."""
    name = slice(4, 4 + len(_MEDIATEK))
    parts = [c[name.stop + 1 :] for marker, _, c in segments(data) if marker == _APP15 and c[name] == _MEDIATEK]
    if not parts:
        return None
    told = {key.rpartition(":")[2]: text for key, text in xmp.properties.items()}
    sides = [told.get(f"DepthBuffer{side}", "") for side in ("Width", "Height")]
    width, height = (int(side) if side.isdecimal() and len(side) < 6 else 0 for side in sides)
    samples = _raw(width, height, b"".join(parts))
    return RawDepth("MediaTek", width, height, samples, orientation=1) if samples else RawDepth("MediaTek")


def _raw(width: int, height: int, samples: bytes) -> bytes | None:
    """The samples of a map of this size; None where the size cannot be right."""
    fits = 2 <= min(width, height) <= max(width, height) <= _LONGEST_SIDE and width * height <= len(samples)
    return samples[: width * height] if fits else None


def _near_is_bright(samples: bytes) -> bytes:
    """Samples in which bright is far, turned over."""
    return samples.translate(bytes(range(255, -1, -1)))
