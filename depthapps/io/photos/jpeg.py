"""Parse a JPEG file: its segments, XMP, and the pictures behind the first one. No sample is decoded."""

from __future__ import annotations

import hashlib
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from PIL.TiffImagePlugin import ImageFileDirectory_v2

SIGNATURE = b"\xff\xd8\xff"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_MPF = b"MPF\0"
_ICC, _ICC_PART = b"ICC_PROFILE\0", 65000
_APP0, _APP1, _APP2, _SCAN, _END = 0xE0, 0xE1, 0xE2, 0xDA, 0xD9
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # headers of all codings; the others are tables
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_XMP_PART = 65000  # bytes of an extended packet in a segment, which holds 65 533 with its header
_GUID, _EXTENDED_HEADER = 32, 40  # bytes: a digest; the same and the length of the whole and the offset of the part
_MOST_PICTURES = 32  # that an index is believed; cameras write two to five
_ENTRIES = 0xB002  # tag of the MP entries, 16 bytes a picture (CIPA DC-007, 5.2.3)


@dataclass(frozen=True)
class MultiPicture:
    """One picture of a multi-picture file (CIPA DC-007): type code, encoded bytes, and MP attributes by tag."""

    kind: int
    data: bytes
    attributes: dict[int, Any] = field(default_factory=dict)


def segments(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Marker, offset of the content in the file, and content of each segment in front of the samples."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _WITHOUT_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        yield marker, at + 4, data[at + 4 : at + 2 + length]
        if marker in (_SCAN, _END):
            return
        at += 2 + length


def end_of_picture(data: bytes) -> int:
    """The offset behind the first picture; 0 if the file is cut off before its end."""
    scan = next((offset for marker, offset, _ in segments(data) if marker == _SCAN), None)
    # the end marker cannot occur among the samples, where 0xFF is always followed by 0
    end = -1 if scan is None else data.find(bytes((0xFF, _END)), scan)
    return end + 2 if end >= 0 else 0


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, as the first picture's header states them; None where it has none."""
    content = next((content for marker, _, content in segments(data) if marker in _FRAMES), b"")
    if len(content) < 5:
        return None
    return int.from_bytes(content[3:5], "big"), int.from_bytes(content[1:3], "big")


def with_profile(data: bytes, icc: bytes) -> bytes:
    """Put a colour profile into a JPEG, in as many segments as it needs (ICC.1, annex B.4)."""
    parts = [icc[k : k + _ICC_PART] for k in range(0, len(icc), _ICC_PART)]
    return with_segments(data, [(_APP2, _ICC + bytes((k, len(parts))) + part) for k, part in enumerate(parts, 1)])


def with_xmp(data: bytes, packet: bytes, extended: bytes = b"") -> bytes:
    """Put an XMP packet into a JPEG, and an extended one in as many segments as it needs (XMP part 3, 1.1.3).

    The packet has to name the extended one: `xmp_guid(extended)` as xmpNote:HasExtendedXMP.
    """
    head = _EXTENDED_XMP + xmp_guid(extended).encode()
    parts = [
        (_APP1, head + struct.pack(">II", len(extended), k) + extended[k : k + _XMP_PART])
        for k in range(0, len(extended), _XMP_PART)
    ]
    return with_segments(data, [(_APP1, _XMP + packet), *parts])


def xmp_guid(extended: bytes) -> str:
    """The name of an extended XMP packet: its MD5 digest in capital letters, as the standard asks for."""
    return hashlib.md5(extended, usedforsecurity=False).hexdigest().upper()


def with_segments(data: bytes, contents: list[tuple[int, bytes]]) -> bytes:
    """Put segments, by marker and content, into a JPEG."""
    added = b"".join(struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content for marker, content in contents)
    # behind the JFIF or EXIF segment, which has to be the first
    first = next(segments(data), None)
    at = first[1] + len(first[2]) if first and first[0] in (_APP0, _APP1) else 2
    return data[:at] + added + data[at:]


def xmp_packets(data: bytes) -> list[bytes]:
    """The XMP packets of a JPEG: the standard one, and the extended one put together from its parts (XMP part 3)."""
    found: list[bytes] = []
    extended: dict[bytes, bytearray] = {}
    kept = 0
    for marker, _, content in segments(data):
        if marker == _APP1 and content.startswith(_XMP):
            found.append(content[len(_XMP) :])
        elif marker == _APP1 and content.startswith(_EXTENDED_XMP):
            part = content[len(_EXTENDED_XMP) :]
            if len(part) < _EXTENDED_HEADER:
                continue
            length, offset = struct.unpack(">II", part[_GUID:_EXTENDED_HEADER])
            if part[:_GUID] not in extended:
                kept += length
            if kept > len(data):  # a damaged file: its parts cannot be longer than all of it
                break
            whole = extended.setdefault(part[:_GUID], bytearray(length))
            whole[offset : offset + len(part) - _EXTENDED_HEADER] = part[_EXTENDED_HEADER:]
    return found + [bytes(whole) for whole in extended.values()]


def multi_pictures(data: bytes) -> list[MultiPicture]:
    """The pictures that the MP index of the file lists, in its order; empty without an index or if one is missing."""
    index = _mp_segment(data)
    if index is None:
        return []
    start, directories = index
    entries = directories[0].get(_ENTRIES, b"") if directories else b""
    order = _byte_order(data[start : start + 4])
    found = []
    for k in range(min(len(entries) // 16, _MOST_PICTURES)):
        attribute, size, offset = struct.unpack(order + "III", entries[16 * k : 16 * k + 12])
        begin = start + offset if offset else 0  # counted from the MP header; the first picture has offset 0
        picture = data[begin : begin + size]
        if not picture.startswith(SIGNATURE):
            return []
        own = directories if k == 0 else (_mp_segment(picture) or (0, []))[1]
        attributes = {tag: value for directory in own for tag, value in directory.items()}
        found.append(MultiPicture(attribute & 0xFFFFFF, picture, attributes))
    return found


def _mp_segment(data: bytes) -> tuple[int, list[dict[int, Any]]] | None:
    """The offset of the MP header in the file, and its directories; None where there is none."""
    for marker, offset, content in segments(data):
        if marker == _APP2 and content.startswith(_MPF):
            return offset + len(_MPF), _directories(content[len(_MPF) :])
    return None


def _byte_order(header: bytes) -> str:
    return "<" if header.startswith(b"II") else ">"


def _directories(tiff: bytes) -> list[dict[int, Any]]:
    """The chain of TIFF directories in an MP segment; those that cannot be read are left out."""
    found: list[dict[int, Any]] = []
    try:
        with warnings.catch_warnings(action="ignore"):
            following, seen = ImageFileDirectory_v2(tiff[:8]).next, set()
            while following and following not in seen and len(seen) < _MOST_PICTURES:
                seen.add(following)
                file = BytesIO(tiff)
                file.seek(following)
                directory = ImageFileDirectory_v2(tiff[:8])
                directory.load(file)
                found.append(dict(directory))
                following = directory.next
    except Exception:  # Pillow raises errors of every kind for broken directories
        pass
    return found
