"""What stands in a PNG file: its chunks, and whether they are whole."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAMPLES, _END, _ANIMATION = b"IDAT", b"IEND", b"acTL"
_CRITICAL = (b"IHDR", b"PLTE", _SAMPLES, _END)
_DESCRIBING = {b"eXIf", b"iCCP", b"tEXt", b"zTXt", b"iTXt"}  # EXIF stands in texts, too


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, int]]:
    """Kind, kind with content, and checksum of each chunk of a file that has not been cut off."""
    at, view = len(SIGNATURE), memoryview(data)
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(view[at : at + 4], "big")
        if end + 4 > len(data):
            return
        yield bytes(view[at + 4 : at + 8]), view[at + 4 : end], int.from_bytes(view[end : end + 4], "big")
        at = end + 4


def is_whole(data: bytes) -> bool:
    """Whether a PNG's chunks agree with their checksums up to its end; libpng would tell so in words of its own."""
    for kind, content, checksum in _chunks(data):
        if kind in _CRITICAL and zlib.crc32(content) != checksum:
            return False
        if kind == _END:
            return True
    return False


def is_animation(data: bytes) -> bool:
    """Whether a PNG holds several frames."""
    return _ANIMATION in data[: data.find(_SAMPLES)]


def is_described(data: bytes) -> bool:
    """Whether anything in a PNG could tell of a camera or a colour profile."""
    return any(kind in _DESCRIBING for kind, _, _ in _chunks(data))
