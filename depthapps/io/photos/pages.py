"""Find the pages of a TIFF file, which may be the two views of a scene. Nothing is decoded."""

from __future__ import annotations

import struct

_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}  # whole numbers with the low byte first, and with the high byte first
_KIND, _BOTH_SAME = 254, (256, 257, 258, 277)  # tags: what a page is; its width, height, bits a sample, and bands
_REDUCED = 1  # flag of a page that is a thumbnail of another one


def two_pages(data: bytes) -> tuple[bytes, bytes] | None:
    """A file for each page of a TIFF of exactly two pages of one size and kind of samples; None for other files."""
    order = _ORDERS.get(data[:4])
    if order is None:
        return None
    try:
        (first,) = struct.unpack_from(f"{order}I", data, 4)
        tags, second = _page(data, first, order)
        if not second or second == first:
            return None
        others, third = _page(data, second, order)
    except struct.error:  # the file is cut off, which the decoder tells
        return None
    kinds = [struct.unpack(f"{order}I", page.get(_KIND, bytes(4)))[0] for page in (tags, others)]
    thumbnail = any(kind & _REDUCED for kind in kinds)
    if third or thumbnail or any(tags.get(tag) != others.get(tag) for tag in _BOTH_SAME):
        return None
    return data, data[:4] + struct.pack(f"{order}I", second) + data[8:]


def _page(data: bytes, at: int, order: str) -> tuple[dict[int, bytes], int]:
    """The tags of the page that is described from a byte on, and where the next one is; 0 behind the last (TIFF 6.0).

    A tag's value is its four bytes in the description; longer ones, of which those only tell the place, are empty.
    """
    (count,) = struct.unpack_from(f"{order}H", data, at)
    tags = {}
    for k in range(count):
        tag, _, length = struct.unpack_from(f"{order}HHI", data, at + 2 + 12 * k)
        value = data[at + 10 + 12 * k : at + 14 + 12 * k]
        tags[tag] = value if length == 1 else b""
    return tags, struct.unpack_from(f"{order}I", data, at + 2 + 12 * count)[0]
