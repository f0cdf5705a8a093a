"""The boxes of HEIF files, against what pillow-heif reads from the same files."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from photo_files import HeifItem, heif_file

from depthapps.io.photos.isobmff import read_items

pytest.importorskip("pillow_heif")
GREY = np.full((64, 64), 90, np.uint8)


@pytest.fixture(scope="module")
def data() -> bytes:
    uuid = bytes(range(16))
    return heif_file([HeifItem(GREY, ((uuid, b"own"),)), HeifItem(GREY, ((b"auxC", b"\0\0\0\0a\0"),), 1, b"<xmp/>")])


def test_items_and_their_relations(data):
    items = read_items(data)
    assert items.types == {1: b"hvc1", 2: b"hvc1", 3: b"mime"}
    assert items.primary == 1
    assert items.referring(b"auxl", 1) == [2]
    assert items.referring(b"cdsc", 2) == [3]
    assert items.contents[3] == b"<xmp/>"
    assert {p.kind: p.content for p in items.properties[1]}[bytes(range(16))] == b"own"
    size = next(p.content for p in items.properties[2] if p.kind == b"ispe")
    assert struct.unpack(">II", size[4:]) == (64, 64)


def test_broken_boxes_raise_what_is_announced(data):
    rng = np.random.default_rng(0)
    for _ in range(300):
        broken = bytearray(data)
        for at in rng.integers(0, len(data) // 2, 3):
            broken[at] = rng.integers(0, 256)
        try:
            read_items(bytes(broken[: rng.integers(100, len(data))]))
        except (ValueError, IndexError, struct.error):
            continue
