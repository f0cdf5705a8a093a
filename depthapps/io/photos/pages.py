"""Find the pages of a TIFF file, which may be the two views of a scene. Nothing is decoded."""

from __future__ import annotations

import struct

_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}  # whole numbers with the low byte first, and with the high byte first
_KIND, _BOTH_SAME = 254, (256, 257, 258, 277)  # tags: what a page is; its width, height, bits a sample, and bands
_NO_VIEW = 1 | 4  # flags of a page that is a thumbnail of another one, or its mask
_MOST_PAGES = 64  # that are looked at; a stack of thousands is no pair either


def two_pages(data: bytes) -> tuple[bytes, bytes] | None:
    """A file for each of two pages of a TIFF that are of one size and kind of samples, where the others are smaller.

    None for other files. Thumbnails and masks are no pages.
    """
    pages = _pages(data)
    largest = max((tags for _, tags in pages), key=_area, default=())
    large = [at for at, tags in pages if tags == largest]
    if len(large) != 2:
        return None
    order = _ORDERS[data[:4]]
    first, second = (data[:4] + struct.pack(f"{order}I", at) + data[8:] for at in large)
    return first, second


def number_of_pages(data: bytes) -> int:
    """How many pages a TIFF has, besides thumbnails and masks; 0 for other files. More than 64 are not counted."""
    return len(_pages(data))


def _area(tags: tuple[int, ...]) -> int:
    return tags[0] * tags[1]


def _pages(data: bytes) -> list[tuple[int, tuple[int, ...]]]:
    """The place of each page of a TIFF, and what has to be alike in two views; none if the file is cut or damaged."""
    order = _ORDERS.get(data[:4])
    found: list[tuple[int, tuple[int, ...]]] = []
    seen: set[int] = set()
    try:
        (at,) = struct.unpack_from(f"{order}I", data, 4) if order else (0,)
        while order and at and len(seen) < _MOST_PAGES:
            if at in seen:  # they lead in a circle
                return []
            seen.add(at)
            tags, following = _page(data, at, order)
            if not tags.get(_KIND, 0) & _NO_VIEW:
                found.append((at, tuple(tags.get(tag, 0) for tag in _BOTH_SAME)))
            at = following
    except struct.error:  # the file is cut off, which the decoder tells
        return []
    return found


def _page(data: bytes, at: int, order: str) -> tuple[dict[int, int], int]:
    """The tags of the page that is described from a byte on, and where the next one is; 0 behind the last (TIFF 6.0).

    Only tags of one number are told, as those that are asked for are, but for the bits of each of several bands.
    """
    (count,) = struct.unpack_from(f"{order}H", data, at)
    rows = struct.iter_unpack(f"{order}HHI4s", data[at + 2 : at + 2 + 12 * count])
    kinds = {1: "B3x", 3: "H2x", 4: "I"}  # bytes, and numbers of two and of four bytes, which stand at the left
    tags = {
        tag: struct.unpack(f"{order}{kinds[kind]}", value)[0]
        for tag, kind, length, value in rows
        if length == 1 and kind in kinds
    }
    return tags, struct.unpack_from(f"{order}I", data, at + 2 + 12 * count)[0]
