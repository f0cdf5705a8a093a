"""Depth that phones keep in forms of their own: Samsung, Huawei, MediaTek's; Xiaomi's is refused by name."""

from __future__ import annotations

import base64
import struct

import cv2
import numpy as np
import pytest
from photo_files import GDEPTH, encoded, huawei_file, mediatek_file, samsung_file, with_xmp, xmp
from PIL import Image as Pillow

from depthapps import InputError
from depthapps.io.photos.contents import read_contents
from depthapps.io.photos.describe import describe_contents

WIDTH, HEIGHT = 160, 120
SHARP, BLURRED = (
    cv2.resize(np.random.default_rng(k).integers(40, 210, (3, 4, 3)).astype(np.uint8), (WIDTH, HEIGHT)) for k in (1, 2)
)
SAMPLES = np.tile(np.linspace(0, 255, 80).round().astype(np.uint8), (60, 1))  # bright is far
SAMPLES[40:] //= 2
NEAR = 1 - SAMPLES / np.float32(255)
SHAPE = bytes(40) + b"\1\0\xff\xff" + struct.pack("<II", 80, 60) + bytes(60)


@pytest.fixture
def read(tmp_path):
    def write_and_read(data: bytes):
        (tmp_path / "a.jpg").write_bytes(data)
        assert describe_contents(tmp_path / "a.jpg").has_depth
        return read_contents(tmp_path / "a.jpg")

    return write_and_read


def turned(value: int) -> Pillow.Exif:
    exif = Pillow.Exif()
    exif[0x0112] = value
    return exif


def like(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and float(np.abs(a.astype(int) - b.astype(int)).mean()) < 5


@pytest.mark.parametrize("name", ["DualShot_DepthMap_1", "DualShot_DepthMap_5"])
def test_samsungs_depth_and_its_sharp_photo(read, name):
    entries = {"DualShot_1": encoded(SHARP), name: SAMPLES.tobytes(), "DualShot_Extra_Info": SHAPE, "Other": b"x"}
    contents = read(samsung_file(encoded(BLURRED), entries))
    assert like(contents.photo.image, SHARP)
    assert np.allclose(contents.inverse_m, NEAR, atol=1e-6)
    assert not contents.scaled


def test_samsungs_depth_lies_as_its_photo_is_stored(read):
    entries = {"DualShot_DepthMap_1": SAMPLES.tobytes(), "DualShot_Extra_Info": SHAPE}
    contents = read(samsung_file(encoded(SHARP, exif=turned(6)), entries))
    assert contents.photo.image.shape == (WIDTH, HEIGHT, 3)
    assert np.allclose(contents.inverse_m, np.rot90(NEAR, -1), atol=1e-6)


@pytest.mark.parametrize("original", [False, True])
def test_huaweis_depth(read, original):
    jpegs = [encoded(BLURRED), encoded(SHARP)] if original else [encoded(BLURRED)]
    contents = read(huawei_file(jpegs, 80, 60, SAMPLES.tobytes()))
    assert like(contents.photo.image, SHARP if original else BLURRED)
    assert contents.right is None
    assert np.allclose(contents.inverse_m, NEAR, atol=1e-6)


@pytest.mark.parametrize(("turn", "quarters"), [(1, 1), (2, 2), (3, -1)])
def test_huaweis_depth_has_a_turn_of_its_own(read, turn, quarters):
    photo = np.ascontiguousarray(np.rot90(SHARP, quarters))
    contents = read(huawei_file([encoded(photo)], 80, 60, SAMPLES.tobytes(), turn))
    assert np.allclose(contents.inverse_m, np.rot90(NEAR, quarters), atol=1e-6)


def test_mediateks_depth_is_bright_where_near(read):
    large = cv2.resize(SAMPLES, (400, 300))
    contents = read(mediatek_file(encoded(SHARP), 400, 300, large.tobytes()))
    assert np.allclose(contents.inverse_m, large / 255, atol=1e-6)


def test_xiaomis_depth_is_refused_by_name(tmp_path):
    meta = 'MiCamera:XMPMeta="&lt;?xml version=&apos;1.0&apos;?&gt;&lt;depthmap version=&quot;3&quot; /&gt;"'
    packet = xmp(meta, 'xmlns:MiCamera="http://ns.xiaomi.com/photos/1.0/camera/"')
    for data in (with_xmp(encoded(SHARP), packet), encoded(SHARP) + b"PMPD\2\0\x64\0" + bytes(9)):
        (tmp_path / "a.jpg").write_bytes(data)
        with pytest.raises(InputError, match="Xiaomi") as refused:
            read_contents(tmp_path / "a.jpg")
        assert "depth" in refused.value.hint


def test_arcsofts_depth_is_refused_by_name(tmp_path):
    """Nokia's and Motorola's first phones of two lenses: GDepth by its names, but no picture."""
    data = base64.b64encode(b"AS" + bytes(200)).decode()
    packet = xmp(f'GDepth:Mime="AS/depthmap" GDepth:Manufacturer="ArcSoft" GDepth:Data="{data}"', GDEPTH)
    (tmp_path / "a.jpg").write_bytes(with_xmp(encoded(SHARP), packet))
    with pytest.raises(InputError, match="ArcSoft") as refused:
        read_contents(tmp_path / "a.jpg")
    assert "affine-inverse" in refused.value.hint


@pytest.mark.parametrize(
    ("maker", "data"),
    [
        ("Samsung", samsung_file(encoded(SHARP), {"DualShot_DepthMap_1": b"short", "DualShot_Extra_Info": SHAPE})),
        ("Samsung", samsung_file(encoded(SHARP), {"DualShot_DepthMap_1": SAMPLES.tobytes()})),
        ("Huawei", huawei_file([encoded(SHARP)], 60000, 60000, b"short")),
        ("Huawei", huawei_file([encoded(SHARP)], 60, 80, SAMPLES.tobytes())),  # lies across the photo
        ("MediaTek", mediatek_file(encoded(SHARP), 0, 300, SAMPLES.tobytes())),
    ],
)
def test_maps_that_cannot_be(tmp_path, maker, data):
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(InputError, match=maker):
        read_contents(tmp_path / "a.jpg")


@pytest.mark.parametrize("end", [b"SEFT", b"\0\0\0\xffSEFT", b"SEFH\0\0\0\0\xff\xff\xff\xff\x0c\0\0\0SEFT"])
def test_a_damaged_trailer_is_none(tmp_path, end):
    (tmp_path / "a.jpg").write_bytes(encoded(SHARP) + end)
    assert not describe_contents(tmp_path / "a.jpg").has_depth
