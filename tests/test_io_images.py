"""Pictures survive a round trip and bad ones are refused."""

from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
import pytest
from conftest import read_raw
from PIL import Image as Pillow
from PIL import ImageOps

from depthapps import InputError, MissingExtraError, OutputError, read_image, write_image, write_mask
from depthapps.io.photos.describe import describe_contents
from depthapps.io.photos.metadata import focal_px, read_metadata


def picture(dtype) -> np.ndarray:
    values = np.random.default_rng(0).random((20, 30, 3))
    return values.astype(np.float32) * 3 if dtype is np.float32 else (values * np.iinfo(dtype).max).astype(dtype)


@pytest.mark.parametrize(
    ("suffix", "dtype"),
    [("png", np.uint8), ("png", np.uint16), ("tif", np.uint8), ("tif", np.uint16), ("tif", np.float32)],
)
def test_lossless_formats_keep_every_sample(tmp_path, suffix, dtype):
    path, image = tmp_path / f"ä {suffix}.{suffix}", picture(dtype)
    write_image(path, image)
    back = read_image(path)
    assert back.dtype == dtype
    assert np.array_equal(back, image)


def test_red_is_red(tmp_path):
    image = np.zeros((8, 8, 3), np.uint8)
    image[..., 0] = 255
    for name in ("a.png", "a.jpg", "a.tif"):
        write_image(tmp_path / name, image)
        assert np.asarray(Pillow.open(tmp_path / name))[4, 4].tolist() == pytest.approx([255, 0, 0], abs=2)


def test_jpeg_and_png_take_what_they_can(tmp_path):
    write_image(tmp_path / "a.jpg", picture(np.uint16))
    assert read_image(tmp_path / "a.jpg").dtype == np.uint8
    write_image(tmp_path / "f.png", np.full((4, 4, 3), 0.25, np.float32))
    assert (read_image(tmp_path / "f.png") == 137).all()  # linear light became sRGB


def test_grey_and_alpha_become_rgb(tmp_path):
    grey = np.arange(200, dtype=np.uint8).reshape(10, 20)
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    assert np.array_equal(read_image(tmp_path / "grey.png"), grey[..., None].repeat(3, axis=2))
    cv2.imwrite(str(tmp_path / "alpha.png"), np.full((4, 4, 4), (1, 2, 3, 0), np.uint8))
    assert read_image(tmp_path / "alpha.png")[0, 0].tolist() == [3, 2, 1]


def test_exif_turns_the_picture_and_tells_the_lens(tmp_path):
    path, picture = tmp_path / "a.jpg", Pillow.new("RGB", (40, 20), "red")
    exif = Pillow.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif.get_ifd(0x8769)[0xA405] = 28
    picture.save(path, exif=exif)
    assert read_image(path).shape == (40, 20, 3)
    assert focal_px(read_metadata(path.read_bytes()), 3000, 2000) == pytest.approx(28 / 36 * 3000)
    assert focal_px(read_metadata(path.read_bytes()), 2000, 3000) == pytest.approx(28 / 36 * 3000)
    Pillow.new("RGB", (4, 4)).save(tmp_path / "plain.png")
    assert focal_px(read_metadata((tmp_path / "plain.png").read_bytes()), 4, 4) is None


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n broken"])
def test_unreadable_pictures_are_refused(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not an image"):
        read_image(path)
    assert focal_px(read_metadata(path.read_bytes()), 4, 4) is None


def test_float_pictures_with_nan_are_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "a.tif"), np.full((4, 4, 3), np.nan, np.float32))
    with pytest.raises(InputError, match="NaN"):
        read_image(tmp_path / "a.tif")


def test_heif_names_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    (tmp_path / "a.heic").write_bytes(b"x")
    with pytest.raises(MissingExtraError, match="heif") as error:
        read_image(tmp_path / "a.heic")
    assert error.value.hint == "pip install 'depthapps[heif]'"


def test_heif_is_read_upright(tmp_path):
    heif = pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
    heif.register_heif_opener()
    Pillow.new("RGB", (64, 32), (200, 30, 60)).save(tmp_path / "a.heic")
    image = read_image(tmp_path / "a.heic")
    assert image.shape == (32, 64, 3)
    assert image[16, 32].tolist() == pytest.approx([200, 30, 60], abs=6)


def test_masks_are_eight_bit_grey(tmp_path):
    write_mask(tmp_path / "m.png", np.array([[0, 0.5, 1, 2]], np.float32))
    mask = read_raw(tmp_path / "m.png")
    assert mask.dtype == np.uint8
    assert mask.tolist() == [[0, 128, 255, 255]]


def test_a_failed_write_is_our_error(tmp_path):
    with pytest.raises(OutputError):
        write_image(tmp_path / "no" / "a.png", picture(np.uint8))


def pillow_file(image: Pillow.Image, kind: str, **options) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


PICTURE = Pillow.fromarray(cv2.resize(picture(np.uint8), (90, 60)))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_truncated_pictures_are_refused(tmp_path, kind, share, capfd):
    data = pillow_file(PICTURE, kind)
    (tmp_path / "a").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError, match="not an image that can be read"):
        read_image(tmp_path / "a")
    if kind != "TIFF":  # OpenCV tells of those by itself, unless it is told to be silent, as the commands do
        assert capfd.readouterr().err == ""


def test_a_truncated_jpeg_with_a_whole_thumbnail_is_refused(tmp_path):
    exif = b"Exif\0\0" + pillow_file(PICTURE, "JPEG")
    data = pillow_file(PICTURE, "JPEG", exif=exif)
    (tmp_path / "a.jpg").write_bytes(data[:-40])
    with pytest.raises(InputError, match="truncated"):
        read_image(tmp_path / "a.jpg")


def test_a_damaged_png_is_refused_in_our_words_only(tmp_path, capfd):
    data = bytearray(pillow_file(PICTURE, "PNG"))
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        read_image(tmp_path / "a.png")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_animations_are_refused_and_stills_are_not(tmp_path, kind):
    still = PICTURE.convert("P") if kind == "GIF" else PICTURE
    path = tmp_path / "a.gif"
    path.write_bytes(pillow_file(still, kind))
    assert read_image(path).shape == (60, 90, 3)
    path.write_bytes(pillow_file(still, kind, save_all=True, append_images=[still.rotate(90), still.rotate(180)]))
    with pytest.raises(InputError, match="animation"):
        read_image(path)


@pytest.mark.parametrize("kind", ["TGA", "PCX", "QOI", "DDS"])
def test_pictures_of_game_engines_are_read(tmp_path, kind):
    data = pillow_file(PICTURE.convert("RGB"), kind)
    (tmp_path / "a").write_bytes(data)
    assert np.array_equal(read_image(tmp_path / "a"), np.asarray(PICTURE.convert("RGB")))
    (tmp_path / "a").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError):
        read_image(tmp_path / "a")


def test_an_animation_without_times_is_one(tmp_path):
    path = tmp_path / "a.gif"
    Pillow.fromarray(np.asarray(PICTURE)).save(path, save_all=True, append_images=[PICTURE.rotate(90)])
    assert path.read_bytes().startswith(b"GIF87a")
    with pytest.raises(InputError, match="animation"):
        read_image(path)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [*((mode, "PNG") for mode in ("P", "LA", "L", "1", "RGBA")), *((mode, "TIFF") for mode in ("1", "P", "CMYK")),
     ("CMYK", "JPEG")],
)  # fmt: skip
def test_every_kind_of_samples_becomes_rgb(tmp_path, mode, kind):
    converted = PICTURE.convert(mode)
    (tmp_path / "a").write_bytes(pillow_file(converted, kind, **({"quality": 95} if kind == "JPEG" else {})))
    expected = np.asarray(converted.convert("RGB")).astype(int)
    assert np.abs(read_image(tmp_path / "a") - expected).mean() < (8 if kind == "JPEG" else 1.5)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_every_orientation_is_turned_upright(tmp_path, kind, orientation):
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    smooth = PICTURE.resize((9, 6)).resize((90, 60))
    (tmp_path / "a").write_bytes(pillow_file(smooth, kind, exif=exif))
    marked = smooth.copy()
    marked.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(marked)).astype(int)
    image = read_image(tmp_path / "a")
    assert image.shape == expected.shape
    assert np.abs(image - expected).mean() < 6


@pytest.mark.parametrize(
    ("name", "data", "cause", "step"),
    [
        ("a.CR2", b"II*\0\x10\0\0\0CR\2\0" + bytes(500), "a raw photo", "TIFF"),
        ("a.cr3", b"\0\0\0\x18ftypcrx " + bytes(100), "a raw photo", "TIFF"),
        ("a.jpg", b"\0\0\0\x18ftypmp42" + bytes(100), "a video", "frame"),
        ("a.psd", b"8BPS\0\1" + bytes(100), "Photoshop", "PNG"),
        ("a.jxl", b"\xff\x0a" + bytes(100), "JPEG XL", "PNG"),
        ("a.jpg", b"\n<!DOCTYPE HTML><html></html>", "a web page", "picture"),
        ("a.npy", b"\x93NUMPY\1\0v\0{" + bytes(200), "an array of numpy", "imwrite"),
        ("a.zip", b"PK\3\4" + bytes(60), "an archive", "unpack"),
    ],
)
def test_what_is_no_picture_is_told_by_what_it_is(tmp_path, name, data, cause, step):
    (tmp_path / name).write_bytes(data)
    for read in (read_image, describe_contents):
        with pytest.raises(InputError, match=cause) as refused:
            read(tmp_path / name)
        assert step in refused.value.hint
