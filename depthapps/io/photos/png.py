"""The chunks of a PNG file: whether they are whole, and what they say beside the samples (W3C PNG, third edition)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER, _SAMPLES, _END, _ANIMATION = b"IHDR", b"IDAT", b"IEND", b"acTL"
_CRITICAL = (_HEADER, b"PLTE", _SAMPLES, _END)
_DESCRIBING = {b"eXIf", b"iCCP", b"tEXt", b"zTXt", b"iTXt"}  # some programs write EXIF as text
_ONE_PIXEL = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)  # width, height, 8 bits, grey


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, int]]:
    """Kind, kind with content, and checksum of each chunk that is not cut off."""
    at, view = len(SIGNATURE), memoryview(data)
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(view[at : at + 4], "big")
        if end + 4 > len(data):
            return
        yield bytes(view[at + 4 : at + 8]), view[at + 4 : end], int.from_bytes(view[end : end + 4], "big")
        at = end + 4


def is_whole(data: bytes) -> bool:
    """Whether all chunks up to the end agree with their checksums; libpng would print a message of its own."""
    for kind, content, checksum in _chunks(data):
        if kind in _CRITICAL and zlib.crc32(content) != checksum:
            return False
        if kind == _END:
            return True
    return False


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels as the header states them; None where it is cut off."""
    return struct.unpack_from(">II", data, 16) if len(data) >= 24 else None


def is_animation(data: bytes) -> bool:
    """Whether a PNG holds several frames."""
    return _ANIMATION in data[: data.find(_SAMPLES)]


def is_described(data: bytes) -> bool:
    """Whether a PNG has a chunk that may hold EXIF or a colour profile."""
    return any(kind in _DESCRIBING for kind, _, _ in _chunks(data))


def without_samples(data: bytes) -> bytes:
    """A PNG of one grey pixel with the describing chunks of this one, for readers that would decode all samples."""
    kept = b"".join(_chunk(bytes(content)) for kind, content, _ in _chunks(data) if kind in _DESCRIBING)
    return b"".join(
        (SIGNATURE, _chunk(_HEADER + _ONE_PIXEL), kept, _chunk(_SAMPLES + zlib.compress(b"\0\0")), _chunk(_END))
    )


def _chunk(content: bytes) -> bytes:
    """A chunk from its kind and content: length before, checksum behind."""
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
