"""What single files hold: both views, or depth, in all the ways that cameras and phones know."""

from __future__ import annotations

import struct
import subprocess
import sys

import cv2
import numpy as np
import pytest
from conftest import REAL_PHOTOS, ROOT
from photo_files import (
    HeifItem,
    apple_xmp,
    container_jpeg,
    dynamic_depth_jpeg,
    encoded,
    gdepth_jpeg,
    heif_file,
    multi_picture,
)
from PIL import Image as Pillow

from depthapps import InputError, write_image
from depthapps.io.photos.contents import read_contents
from depthapps.io.photos.describe import describe_contents

WIDTH, HEIGHT = 160, 120
DEPTH_AUX = (b"auxC", bytes(4) + b"urn:mpeg:hevc:2015:auxid:2\0")
TURN_LEFT = (b"irot", b"\1")  # a quarter, anticlockwise


def colours(seed: int) -> np.ndarray:
    """A picture without fine detail, which every codec keeps."""
    small = np.random.default_rng(seed).integers(40, 210, (3, 4, 3)).astype(np.uint8)
    return cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


PHOTO, OTHER = colours(1), colours(2)
SAMPLES = np.tile(np.linspace(0, 255, 80).round().astype(np.uint8), (60, 1))
SHARE = SAMPLES / np.float32(255)


def like(a: np.ndarray, b: np.ndarray, tolerance: float = 5) -> bool:
    return a.shape == b.shape and float(np.abs(a.astype(int) - b.astype(int)).mean()) < tolerance


def orientation(value: int) -> Pillow.Exif:
    exif = Pillow.Exif()
    exif[0x0112] = value
    return exif


@pytest.fixture
def read(tmp_path):
    def write_and_read(data: bytes, name: str = "a.jpg"):
        (tmp_path / name).write_bytes(data)
        return read_contents(tmp_path / name)

    return write_and_read


def test_a_picture_is_a_picture(read):
    contents = read(encoded(PHOTO))
    assert contents.right is None
    assert contents.inverse_m is None


# ------------------------------------------------------------------------------------ GDepth


@pytest.mark.parametrize("extended", [False, True])
def test_gdepth_inverse_range(read, extended):
    noise = np.random.default_rng(0).integers(0, 2, (600, 800), np.uint8)
    samples = np.clip(cv2.resize(SAMPLES, (800, 600)).astype(int) + noise, 0, 255).astype(np.uint8)  # a long packet
    depth = samples if extended else SAMPLES
    contents = read(
        gdepth_jpeg(encoded(PHOTO), encoded(depth, ".png"), extended=extended,
                    Format="RangeInverse", Near=0.5, Far=8, Units="m")
    )  # fmt: skip
    near, far, d = 0.5, 8, depth / 255
    assert np.allclose(1 / contents.inverse_m, far * near / (far - d * (far - near)), rtol=1e-4)
    assert contents.scaled
    assert like(contents.photo.image, PHOTO)


def test_gdepth_linear_range_in_millimetres_and_sixteen_bits(read):
    depth = encoded(SAMPLES.astype(np.uint16) * 257, ".png")
    contents = read(gdepth_jpeg(encoded(PHOTO), depth, Format="RangeLinear", Near=500, Far=4500, Units="mm"))
    assert np.allclose(1 / contents.inverse_m, 0.5 + 4 * SHARE, rtol=1e-4)


@pytest.mark.parametrize("depth_format", ["RangeLinear", "RangeInverse"])
def test_the_rounding_of_few_levels_is_known(read, depth_format):
    exact = np.random.default_rng(0).random((60, 80))
    near, far = 1, 1.4

    def inverse(share: np.ndarray) -> np.ndarray:
        return 1 / (near + share * (far - near)) if depth_format == "RangeLinear" else (1 - share) / near + share / far

    depth = encoded((exact * 255).round().astype(np.uint8), ".png")
    contents = read(gdepth_jpeg(encoded(PHOTO), depth, Format=depth_format, Near=near, Far=far, Units="m"))
    assert contents.sigma_m == pytest.approx(float(np.std(contents.inverse_m - inverse(exact))), rel=0.3)


def test_gdepth_along_rays_becomes_depth_along_the_axis(read):
    exif = Pillow.Exif()
    exif.get_ifd(0x8769)[0xA405] = 24
    contents = read(
        gdepth_jpeg(encoded(PHOTO, exif=exif), encoded(np.zeros_like(SAMPLES), ".png"), Format="RangeLinear",
                    Near=2, Far=3, Units="m", MeasureType="OpticRay")
    )  # fmt: skip
    focal = 24 / 43.2666 * np.hypot(80, 60)
    y, x = np.mgrid[:60, :80]
    expected = 2 / np.sqrt(1 + ((x - 39.5) / focal) ** 2 + ((y - 29.5) / focal) ** 2)
    assert np.allclose(1 / contents.inverse_m, expected, rtol=1e-4)


def test_depth_without_units_or_ends_is_relative(read):
    without_units = read(gdepth_jpeg(encoded(PHOTO), encoded(SAMPLES, ".png"), Format="RangeInverse", Near=18, Far=600))
    assert not without_units.scaled
    assert np.allclose(without_units.inverse_m, (1 - SHARE) / 18 + SHARE / 600)
    without_ends = read(gdepth_jpeg(encoded(PHOTO), encoded(SAMPLES, ".png")))
    assert not without_ends.scaled
    assert np.allclose(without_ends.inverse_m, 1 - SHARE)


def test_the_original_is_what_is_read(read):
    depth, original = encoded(SAMPLES, ".png"), encoded(OTHER)
    contents = read(gdepth_jpeg(encoded(PHOTO), depth, original, Near=1, Far=5, Units="m"))
    assert like(contents.photo.image, OTHER)


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
@pytest.mark.parametrize("own", [False, True])
def test_depth_and_original_are_turned_with_the_photo(read, turn, own):
    exif = orientation(turn)
    original = encoded(OTHER, exif=exif) if own else encoded(OTHER)
    contents = read(gdepth_jpeg(encoded(PHOTO, exif=exif), encoded(SAMPLES, ".png"), original, Near=1, Far=5))
    turns = {1: 0, 3: 2, 6: -1, 8: 1}[turn]
    assert like(contents.photo.image, np.rot90(OTHER, turns))
    assert np.allclose(contents.inverse_m, np.rot90((1 - SHARE) + SHARE / 5, turns))


def test_depth_that_is_broken_is_refused(read):
    with pytest.raises(InputError, match="depth inside"):
        read(gdepth_jpeg(encoded(PHOTO), b"no picture", Near=1, Far=5))


# ----------------------------------------------------------------------------- Dynamic Depth


@pytest.mark.parametrize("tail", [b"", b"something that another program appended"])
def test_dynamic_depth_is_found_behind_the_photo(read, tail):
    depth = encoded(SAMPLES.repeat(2, 0), ".png")
    items = {"android/original_image": encoded(OTHER), "android/depthmap": depth, "android/confidencemap": depth}
    contents = read(
        dynamic_depth_jpeg(encoded(PHOTO), items, tail, Format="RangeInverse", Near=0.4, Far=6, Units="Meters")
    )
    assert np.allclose(contents.inverse_m[0], (1 - SHARE[0]) / 0.4 + SHARE[0] / 6, rtol=1e-4)
    assert contents.scaled
    assert like(contents.photo.image, OTHER)


def test_diopters_are_told_by_their_order(read):
    items = {"android/depthmap": encoded(SAMPLES, ".png")}
    pixel = read(dynamic_depth_jpeg(encoded(PHOTO), items, Near=0.086, Far=0.129, Units="Diopters"))
    assert pixel.inverse_m[0, 0] > pixel.inverse_m[0, -1]
    assert not pixel.scaled
    proper = read(dynamic_depth_jpeg(encoded(PHOTO), items, Format="RangeLinear", Near=2, Far=0.5, Units="Diopters"))
    assert proper.inverse_m[0, [0, -1]] == pytest.approx([2, 0.5])
    assert proper.scaled


def test_late_pixels_list_depth_by_its_semantics(read):
    items = {"GainMap": encoded(OTHER), "Original": encoded(OTHER), "Depth": encoded(SAMPLES), "Confidence": b"x"}
    contents = read(container_jpeg(encoded(PHOTO), items))
    assert np.allclose(contents.inverse_m, 1 - SHARE, atol=0.03)
    assert not contents.scaled
    assert like(contents.photo.image, OTHER)
    ultra_hdr = read(container_jpeg(encoded(PHOTO), {"GainMap": encoded(OTHER)}))
    assert ultra_hdr.inverse_m is None
    assert like(ultra_hdr.photo.image, PHOTO)


def test_depth_that_is_announced_and_missing_is_refused(read):
    with pytest.raises(InputError, match="announces"):
        read(dynamic_depth_jpeg(encoded(PHOTO), {"android/other": b"x"}, Near=1, Far=2))


# ------------------------------------------------------------------------------------- Apple


@pytest.mark.parametrize(("kind", "accuracy"), [("disparity", "relative"), ("depth", "absolute")])
def test_apple_depth_in_heic(read, kind, accuracy):
    pytest.importorskip("pillow_heif")
    camera = (4 * WIDTH, 4 * HEIGHT, 500.0, 500.0, 310.0, 250.0)
    aside = apple_xmp(kind, 0.5, 4.5, accuracy, camera)
    contents = read(heif_file([HeifItem(PHOTO), HeifItem(SAMPLES, (DEPTH_AUX,), 1, aside)]), "a.heic")
    expected = 0.5 + 4 * SHARE
    assert np.allclose(contents.inverse_m, expected if kind == "disparity" else 1 / expected, rtol=0.06)
    assert contents.scaled == (accuracy == "absolute")
    assert contents.camera.fx == 125
    assert contents.camera.cx == pytest.approx((310 + 0.5) / 4 - 0.5)
    assert like(contents.photo.image, PHOTO)


@pytest.mark.parametrize("both", [True, False])
def test_a_turned_heic_turns_depth_and_camera(read, both):
    pytest.importorskip("pillow_heif")
    aside = apple_xmp("disparity", 0, 1, "absolute", (WIDTH, HEIGHT, 120.0, 120.0, 70.0, 50.0))
    turned = (DEPTH_AUX, TURN_LEFT) if both else (DEPTH_AUX,)
    contents = read(heif_file([HeifItem(PHOTO, (TURN_LEFT,)), HeifItem(SAMPLES, turned, 1, aside)]), "a.heic")
    assert like(contents.photo.image, np.rot90(PHOTO))
    assert np.allclose(contents.inverse_m, np.rot90(SHARE), atol=0.03)
    assert (contents.camera.width, contents.camera.height) == (HEIGHT, WIDTH)
    assert (contents.camera.cx, contents.camera.cy) == (50, WIDTH - 1 - 70)


def test_heic_depth_of_others_is_relative(read):
    pytest.importorskip("pillow_heif")
    contents = read(heif_file([HeifItem(PHOTO), HeifItem(SAMPLES, (DEPTH_AUX,), 1)]), "a.heic")
    assert np.allclose(contents.inverse_m, SHARE, atol=0.03)
    assert not contents.scaled


def test_apple_depth_in_a_jpeg_and_no_matte(read):
    aside = apple_xmp("disparity", 1, 3, "relative")
    matte = aside.replace(
        b"<apdi:FloatMin", b"<apdi:AuxiliaryImageSubType>matte</apdi:AuxiliaryImageSubType><apdi:FloatMin"
    )
    gain_map = aside.replace(b">disparity<", b">urn:com:apple:photo:2020:aux:hdrgainmap<")
    from photo_files import with_xmp

    others = [with_xmp(encoded(SAMPLES // 2), packet) for packet in (gain_map, matte)]
    picture = with_xmp(encoded(SAMPLES), aside)
    exif = orientation(6)
    contents = read(multi_picture([encoded(PHOTO, exif=exif), *others, picture], [1, 2, 3, 4], kind=0))
    assert np.allclose(contents.inverse_m, np.rot90(1 + 2 * SHARE, -1), atol=0.05)
    assert read(multi_picture([encoded(PHOTO), *others], [1, 2, 3], kind=0)).inverse_m is None


@pytest.mark.parametrize(
    "extrinsics", [b"cmex", bytes.fromhex("4363e9145b7d4aab97aebea69803b434")], ids=["standard", "Vision Pro"]
)
@pytest.mark.parametrize("left", [1, 2])
def test_the_stereo_group_of_a_spatial_photo_says_which_is_left(read, extrinsics, left):
    pytest.importorskip("pillow_heif")
    focal, centre = int(0.75 * 2**30), int(0.5 * 2**30)  # shares of the picture's width
    intrinsics = (b"cmin", b"\0\0\x1e\0" + struct.pack(">iii", focal, centre, centre))
    here, there = (extrinsics, bytes(4)), (extrinsics, b"\0\0\0\1" + struct.pack(">i", 19238))
    items = [HeifItem(PHOTO, (intrinsics, here)), HeifItem(OTHER, (intrinsics, there))]
    contents = read(heif_file(items, stereo=(left, 3 - left)), "a.heic")
    assert like(contents.photo.image, PHOTO if left == 1 else OTHER)
    assert like(contents.right, OTHER if left == 1 else PHOTO)
    assert contents.baseline_m == pytest.approx(0.019238)
    assert contents.camera.fx == pytest.approx(0.75 * WIDTH)


def test_a_truncated_heic_is_refused(read):
    pytest.importorskip("pillow_heif")
    whole = heif_file([HeifItem(PHOTO)])
    for length in (20, 200, len(whole) // 2, len(whole) - 50):
        with pytest.raises(InputError, match="not an image"):
            read(whole[:length], "a.heic")


# ---------------------------------------------------------------------------------- MPO


@pytest.mark.parametrize("numbers", [[1, 2], [2, 1]])
def test_mpo_views_stand_in_the_order_of_their_numbers(read, numbers):
    contents = read(multi_picture([encoded(PHOTO), encoded(OTHER)], numbers), "a.mpo")
    left, right = (PHOTO, OTHER) if numbers == [1, 2] else (OTHER, PHOTO)
    assert like(contents.photo.image, left)
    assert like(contents.right, right)
    assert contents.baseline_m == 0.075


@pytest.mark.parametrize("both", [True, False])
def test_both_views_of_an_mpo_are_turned_as_its_exif_says(read, both):
    exif = Pillow.Exif()
    exif[0x0112] = 6
    views = [encoded(PHOTO, exif=exif), encoded(OTHER, exif=exif) if both else encoded(OTHER)]
    contents = read(multi_picture(views, [1, 2]), "a.mpo")
    assert like(contents.photo.image, np.rot90(PHOTO, -1))
    assert like(contents.right, np.rot90(OTHER, -1))


def test_a_3ds_says_nothing_of_its_cameras_and_is_known(read):
    exif = Pillow.Exif()
    exif[0x0110] = "Nintendo 3DS"
    views = [encoded(PHOTO, exif=exif), encoded(OTHER)]
    unknown = (0xFFFFFFFF, 0xFFFFFFFF)
    found = read(multi_picture(views, [1, 2], unknown))
    assert found.baseline_m == 0.035
    camera, width = found.camera, PHOTO.shape[1]
    assert np.degrees(2 * np.arctan(np.hypot(0.5, 0.375) * width / camera.fx)) == pytest.approx(64.7, abs=0.3)
    assert read(multi_picture([encoded(PHOTO), encoded(OTHER)], [1, 2], unknown)).baseline_m is None


def test_previews_and_gain_maps_are_no_views(read):
    for kind in (0, 0x010001, 0x020001):
        assert read(multi_picture([encoded(PHOTO), encoded(OTHER)], [1, 2], kind=kind)).right is None


# ------------------------------------------------------------------- told without decoding


@pytest.fixture
def describe(tmp_path, monkeypatch):
    """What a file holds, told while nothing can be decoded."""

    def write_and_describe(data: bytes, name: str = "a.jpg"):
        (tmp_path / name).write_bytes(data)
        with monkeypatch.context() as patch:
            patch.setattr(cv2, "imdecode", None)
            patch.setattr(Pillow.Image, "load", None)
            found = describe_contents(tmp_path / name)
        return found.has_second_view, found.has_depth, found.width, found.height

    return write_and_describe


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_pictures_size_is_told_as_it_stands_upright(tmp_path, describe, kind, turn):
    picture, path = Pillow.fromarray(PHOTO), tmp_path / "whole"
    picture.save(path, kind, exif=orientation(turn), icc_profile=b"x" * 200)
    size = (WIDTH, HEIGHT) if turn in (1, 3) else (HEIGHT, WIDTH)
    assert describe(path.read_bytes()) == (False, False, *size)


def test_a_float_tiff_has_a_size(tmp_path, describe):
    write_image(tmp_path / "whole.tif", PHOTO.astype(np.float32))
    assert describe((tmp_path / "whole.tif").read_bytes(), "a.tif") == (False, False, WIDTH, HEIGHT)


def test_pictures_that_only_opencv_knows_are_described(tmp_path):
    (tmp_path / "a.hdr").write_bytes(cv2.imencode(".hdr", PHOTO.astype(np.float32))[1].tobytes())
    found = describe_contents(tmp_path / "a.hdr")
    assert (found.has_second_view, found.has_depth, found.width, found.height) == (False, False, WIDTH, HEIGHT)


def test_views_and_depth_in_a_jpeg_are_told(describe):
    assert describe(multi_picture([encoded(PHOTO), encoded(OTHER)], [1, 2])) == (True, False, WIDTH, HEIGHT)
    assert describe(multi_picture([encoded(PHOTO), encoded(OTHER)], [1, 2], kind=0)) == (False, False, WIDTH, HEIGHT)
    depth = encoded(SAMPLES, ".png")
    assert describe(gdepth_jpeg(encoded(PHOTO), depth, Near=1, Far=5)) == (False, True, WIDTH, HEIGHT)
    android = dynamic_depth_jpeg(encoded(PHOTO), {"android/depthmap": depth}, Near=1, Far=5)
    assert describe(android) == (False, True, WIDTH, HEIGHT)
    missing = dynamic_depth_jpeg(encoded(PHOTO), {"android/other": b"x"}, Near=1, Far=2)
    assert describe(missing) == (False, True, WIDTH, HEIGHT)  # announced: reading it says what is wrong
    assert describe(container_jpeg(encoded(PHOTO), {"GainMap": encoded(OTHER)}))[:2] == (False, False)


def test_views_and_depth_in_a_heic_are_told(describe):
    pytest.importorskip("pillow_heif")
    plain, depth = HeifItem(PHOTO), HeifItem(SAMPLES, (DEPTH_AUX,), 1)
    assert describe(heif_file([plain]), "a.heic") == (False, False, WIDTH, HEIGHT)
    assert describe(heif_file([plain, depth]), "a.heic") == (False, True, WIDTH, HEIGHT)
    assert describe(heif_file([plain, HeifItem(OTHER)], stereo=(1, 2)), "a.heic") == (True, False, WIDTH, HEIGHT)
    turned = heif_file([HeifItem(PHOTO, (TURN_LEFT,))])
    assert describe(turned, "a.heic") == (False, False, HEIGHT, WIDTH)


@pytest.mark.parametrize("content", [b"", b"no picture", encoded(PHOTO)[:-40], b"\x89PNG\r\n\x1a\n broken"])
def test_what_is_no_picture_is_refused_when_described(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(InputError, match="not an image"):
        describe_contents(tmp_path / "a.jpg")


def test_describing_loads_nothing_heavy():
    code = "import sys, depthapps.io.photos.describe; print([m for m in ('numpy', 'cv2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


# --------------------------------------------------------------------------- real files


@pytest.mark.skipif(not REAL_PHOTOS.is_dir(), reason="the real photos are not on this machine")
@pytest.mark.parametrize(
    ("name", "baseline_m", "size"),
    [
        ("fujifilm_w3.mpo", 0.075, (2736, 3648, 3)),
        ("nintendo_3ds.mpo", 0.035, (480, 640, 3)),
        ("apple_spatial.heic", 0.063807, (2560, 2560, 3)),
    ],
)
def test_files_of_3d_cameras(name, baseline_m, size):
    if name.endswith("heic"):
        pytest.importorskip("pillow_heif")
    contents = read_contents(REAL_PHOTOS / name)
    assert contents.right is not None
    assert contents.photo.image.shape == contents.right.shape == size
    assert contents.baseline_m == pytest.approx(baseline_m)
    assert contents.inverse_m is None
