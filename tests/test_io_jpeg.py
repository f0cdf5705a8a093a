"""The segments of JPEG files, whole, in odd orders, and broken."""

from __future__ import annotations

import numpy as np
import pytest
from photo_files import encoded, multi_picture, with_segments, with_xmp

from depthapps.io.photos.decode import decode_image
from depthapps.io.photos.jpeg import end_of_picture, multi_pictures, segments, with_profile, xmp_packets

PICTURE = encoded(np.random.default_rng(0).integers(0, 255, (24, 32, 3)).astype(np.uint8))


def test_the_end_of_the_first_picture_is_found():
    assert end_of_picture(PICTURE) == len(PICTURE)
    assert end_of_picture(PICTURE + PICTURE + b"tail") == len(PICTURE)
    with_thumbnail = with_segments(PICTURE, (0xE1, b"Exif\0\0" + PICTURE))
    assert end_of_picture(with_thumbnail) == len(with_thumbnail)
    for cut in (3, 100, len(with_thumbnail) // 2, len(with_thumbnail) - 1):
        assert end_of_picture(with_thumbnail[:cut]) == 0


def test_extended_xmp_is_put_together():
    extended = np.random.default_rng(0).integers(32, 120, 150_000).astype(np.uint8).tobytes()
    assert xmp_packets(with_xmp(PICTURE, b"<a/>", extended)) == [b"<a/>", extended]
    impossible = b"http://ns.adobe.com/xmp/extension/\0" + bytes(32) + b"\xff" * 8 + b"x"
    assert xmp_packets(with_segments(PICTURE, (0xE1, impossible))) == []


@pytest.mark.parametrize("size", [10, 65_000, 200_000])
def test_profiles_are_split_into_segments(size):
    profile = np.random.default_rng(0).bytes(size)
    data = with_profile(PICTURE, profile)
    parts = [c for marker, _, c in segments(data) if marker == 0xE2]
    assert [p[12] for p in parts] == list(range(1, len(parts) + 1))
    assert {p[13] for p in parts} == {len(parts)}
    assert b"".join(p[14:] for p in parts) == profile
    assert np.array_equal(decode_image(data, "a"), decode_image(PICTURE, "a"))


def test_multi_pictures_tell_their_numbers():
    pictures = multi_pictures(multi_picture([PICTURE, PICTURE, PICTURE], [3, 1, 2]))
    assert [p.attributes[0xB101] for p in pictures] == [3, 1, 2]
    assert [float(p.attributes[0xB206]) for p in pictures] == [0.075] * 3
    assert all(np.array_equal(decode_image(p.data, "a"), decode_image(PICTURE, "a")) for p in pictures)
    assert multi_pictures(PICTURE) == []


@pytest.mark.parametrize("cut", [30, 60, 90, 120, 150])
def test_a_broken_index_is_no_index(cut):
    header = b"MM\0*\0\0\0\x08\0\2" + bytes(range(140))
    assert multi_pictures(with_segments(PICTURE, (0xE2, b"MPF\0" + header[:cut]))) == []
