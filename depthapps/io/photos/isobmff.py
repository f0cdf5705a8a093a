"""Parse the boxes of a HEIF file (ISO/IEC 14496-12 and 23008-12) for what pillow-heif does not tell."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_UUID = b"uuid"
_MOST_PARTS, _MOST_TIMES = 100_000, 4  # of items; and of the file's length that all items together may have
_IN_FILE, _IN_IDAT = 0, 1  # construction methods in the box iloc: an item's bytes stand in the file, or in idat


@dataclass(frozen=True)
class Property:
    """A property of an item: its kind, four letters or the 16 bytes of a uuid box, and its content."""

    kind: bytes
    content: bytes


@dataclass(frozen=True)
class Items:
    """The items of a HEIF file by their ids.

    Attributes
    ----------
    types : dict of int to bytes
        Four letters each: hvc1 is a picture, mime a file such as XMP.
    properties : dict of int to list of Property
        In the order in which they apply.
    references : list of (bytes, int, tuple of int)
        Type, the item that refers, and the items that it refers to.
    contents : dict of int to bytes
        The encoded bytes.
    primary : int
        The item that is shown first; 0 where the file does not tell.
    """

    types: dict[int, bytes]
    properties: dict[int, list[Property]]
    references: list[tuple[bytes, int, tuple[int, ...]]]
    contents: dict[int, bytes]
    primary: int

    def referring(self, kind: bytes, to: int) -> list[int]:
        """The items that refer to item `to` with a reference of this type."""
        return [item for name, item, targets in self.references if name == kind and to in targets]


def read_items(data: bytes) -> Items:
    """Parse the items of a HEIF file. Raises ValueError, struct.error or IndexError for a damaged file."""
    meta = next((content for kind, content in _boxes(data) if kind == b"meta"), None)
    if meta is None:
        raise ValueError("no meta box")
    boxes = dict(_boxes(meta[4:]))
    return Items(
        types=_types(boxes.get(b"iinf", b"")),
        properties=_properties(boxes.get(b"iprp", b"")),
        references=_references(boxes.get(b"iref", b"")),
        contents=_contents(data, boxes.get(b"iloc", b""), boxes.get(b"idat", b"")),
        primary=_unsigned(boxes[b"pitm"], 4, 2 if boxes[b"pitm"][0] == 0 else 4) if b"pitm" in boxes else 0,
    )


def _unsigned(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        raise ValueError("a box ends within a number")
    return int.from_bytes(data[at : at + size], "big")


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of each box. The type of a uuid box is its 16 bytes."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        header = 8
        if size == 1:
            size, header = _unsigned(data, at + 8, 8), 16
        elif size == 0:
            size = len(data) - at
        if size < header:
            raise ValueError("a box is smaller than its header")
        content = data[at + header : at + size]
        if kind == _UUID:
            kind, content = content[:16], content[16:]
        yield kind, content
        at += size


def _types(iinf: bytes) -> dict[int, bytes]:
    found = {}
    for kind, content in _boxes(iinf[6 if iinf[:1] == b"\0" else 8 :]):
        if kind == b"infe" and content[0] >= 2:
            wide = 2 if content[0] == 2 else 4
            found[_unsigned(content, 4, wide)] = content[6 + wide : 10 + wide]
    return found


def _properties(iprp: bytes) -> dict[int, list[Property]]:
    known: list[Property] = []
    found: dict[int, list[Property]] = {}
    for kind, content in _boxes(iprp):
        if kind == b"ipco":
            known = [Property(*box) for box in _boxes(content)]
        elif kind == b"ipma":
            version, wide_index = content[0], content[3] & 1
            at = 8
            for _ in range(_unsigned(content, 4, 4)):
                size = 2 if version == 0 else 4
                item, at = _unsigned(content, at, size), at + size
                count, at = content[at], at + 1
                for _ in range(count):
                    index = _unsigned(content, at, 1 + wide_index) & (0x7FFF if wide_index else 0x7F)
                    at += 1 + wide_index
                    if 0 < index <= len(known):
                        found.setdefault(item, []).append(known[index - 1])
    return found


def _references(iref: bytes) -> list[tuple[bytes, int, tuple[int, ...]]]:
    if not iref:
        return []
    size = 2 if iref[0] == 0 else 4
    found = []
    for kind, content in _boxes(iref[4:]):
        count = _unsigned(content, size, 2)
        targets = tuple(_unsigned(content, size + 2 + size * k, size) for k in range(count))
        found.append((kind, _unsigned(content, 0, size), targets))
    return found


def _contents(data: bytes, iloc: bytes, idat: bytes) -> dict[int, bytes]:
    """The bytes of each item."""
    if not iloc:
        return {}
    version, sizes, more = iloc[0], iloc[4], iloc[5]
    offset_size, length_size, base_size = sizes >> 4, sizes & 15, more >> 4
    index_size = more & 15 if version else 0
    id_size = 2 if version < 2 else 4
    at = 6
    count, at = _unsigned(iloc, at, id_size), at + id_size
    found, left, parts = {}, _MOST_TIMES * len(data), 0
    for _ in range(count):
        item, at = _unsigned(iloc, at, id_size), at + id_size
        method = 0
        if version:
            method, at = _unsigned(iloc, at, 2) & 15, at + 2
        at += 2  # data reference index; items in other files are not read
        base, at = _unsigned(iloc, at, base_size), at + base_size
        extents, at = _unsigned(iloc, at, 2), at + 2
        whole = b""
        source = {_IN_FILE: data, _IN_IDAT: idat}.get(method, b"")
        parts += extents
        if parts > _MOST_PARTS:
            raise ValueError("the file has more parts than a picture has")
        for _ in range(extents):
            at += index_size
            offset, at = base + _unsigned(iloc, at, offset_size), at + offset_size
            length, at = _unsigned(iloc, at, length_size), at + length_size
            part = source[offset : offset + length] if length else source[offset:]
            left -= len(part)
            if left < 0:
                raise ValueError("the items of the file are larger than the file")
            whole += part
        found[item] = whole
    return found
