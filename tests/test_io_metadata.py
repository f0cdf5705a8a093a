"""EXIF and colour profiles travel from the photo to what is made of it."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import read_raw
from photo_files import encoded
from PIL import Image as Pillow
from PIL import ImageCms

from depthapps import Metadata, read_image, read_photo, write_image
from depthapps.io.photos.metadata import camera_name, exif_for, focal_px, read_metadata, subject_m

IMAGE = np.random.default_rng(0).integers(0, 255, (30, 40, 3)).astype(np.uint8)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(orientation: int = 6) -> Pillow.Exif:
    found = Pillow.Exif()
    found[0x010F], found[0x0110], found[0x0112] = "Maker", "Model 1", orientation
    tags = found.get_ifd(0x8769)
    tags[0x829A], tags[0x8827], tags[0xA405] = 1 / 125, 400, 28
    tags[0xA002], tags[0xA003] = 4000, 3000
    tags[0x927C] = b"maker's note"
    found.get_ifd(0x8825)[0x0001] = "N"
    return found


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
@pytest.mark.parametrize("source", [".jpg", ".png", ".tif"])
def test_a_photos_exif_and_profile_are_kept_in_every_format(tmp_path, source, suffix):
    if source == ".tif":  # Pillow writes no EXIF directory into a TIFF
        stored = Metadata(exif().tobytes().removeprefix(b"Exif\0\0"), PROFILE)
        write_image(tmp_path / "in.tif", np.ascontiguousarray(np.rot90(IMAGE, -1)), stored)
    else:
        (tmp_path / f"in{source}").write_bytes(encoded(IMAGE, source, exif=exif(), icc_profile=PROFILE))
    photo = read_photo(tmp_path / f"in{source}")
    assert photo.image.shape == (40, 30, 3)
    path = tmp_path / f"out{suffix}"
    write_image(path, photo.image, photo.metadata)
    with Pillow.open(path) as picture:
        found, profile = picture.getexif(), picture.info["icc_profile"]
        tags, place = found.get_ifd(0x8769), found.get_ifd(0x8825)
        picture.load()
    assert profile == PROFILE
    assert (found[0x010F], found[0x0110], found.get(0x0112, 1)) == ("Maker", "Model 1", 1)
    assert (tags[0x829A], tags[0x8827], tags[0x927C]) == (1 / 125, 400, b"maker's note")
    assert (tags[0xA002], tags[0xA003]) == (30, 40)
    assert place[0x0001] == "N"
    assert np.abs(read_image(path).astype(int) - photo.image).mean() < (6 if suffix == ".jpg" else 0.01)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(300, 257, 3), (64, 80)])
def test_tiff_samples_are_untouched_by_metadata(tmp_path, dtype, shape):
    image = (np.random.default_rng(0).random(shape) * 200).astype(dtype)
    path = tmp_path / "a.tif"
    write_image(path, image, Metadata(exif().tobytes().removeprefix(b"Exif\0\0"), PROFILE))
    raw = read_raw(path)
    assert raw.dtype == dtype
    assert np.array_equal(raw, image if image.ndim == 2 else image[..., ::-1])
    found = read_metadata(path.read_bytes())
    assert camera_name(found) == "Model 1"
    assert found.icc == (PROFILE if len(shape) == 3 else b"")


def test_sixteen_bit_png_keeps_samples_and_metadata(tmp_path):
    image = IMAGE.astype(np.uint16) * 251
    write_image(tmp_path / "a.png", image, Metadata(exif().tobytes().removeprefix(b"Exif\0\0"), PROFILE))
    photo = read_photo(tmp_path / "a.png")
    assert np.array_equal(photo.image, image)
    assert photo.metadata.icc == PROFILE
    assert camera_name(photo.metadata) == "Model 1"


def test_large_profiles_and_large_notes_fit_into_a_jpeg(tmp_path):
    found = exif()
    found.get_ifd(0x8769)[0x927C] = bytes(70000)
    profile = (len(PROFILE) + 150_000).to_bytes(4, "big") + PROFILE[4:] + np.random.default_rng(0).bytes(150_000)
    write_image(tmp_path / "a.jpg", IMAGE, Metadata(found.tobytes().removeprefix(b"Exif\0\0"), profile))
    back = read_metadata((tmp_path / "a.jpg").read_bytes())
    assert back.icc == profile
    assert camera_name(back) == "Model 1"


def test_the_thumbnail_is_dropped(tmp_path):
    thumbnail = encoded(IMAGE)
    stream = exif(1).tobytes()
    first = int.from_bytes(stream[10:14], "big")
    entries = int.from_bytes(stream[6 + first : 8 + first], "big")
    link = 8 + first + 12 * entries
    at = len(stream) - 6
    directory = b"\0\2" + b"".join(
        tag.to_bytes(2, "big") + b"\0\4\0\0\0\1" + value.to_bytes(4, "big")
        for tag, value in ((0x0201, at + 30), (0x0202, len(thumbnail)))
    )
    stream = stream[:link] + at.to_bytes(4, "big") + stream[link + 4 :] + directory + bytes(4) + thumbnail
    (tmp_path / "a.jpg").write_bytes(encoded(IMAGE, exif=stream))
    with Pillow.open(tmp_path / "a.jpg") as picture:
        assert picture.getexif().get_ifd(-1)[0x0202] == len(thumbnail)
    photo = read_photo(tmp_path / "a.jpg")
    assert thumbnail not in exif_for(photo.metadata, 40, 30)
    assert camera_name(photo.metadata) == "Model 1"


@pytest.mark.parametrize(("written", "read"), [(2.5, 2.5), (0.0, None), (4294967.0, None), (None, None)])
def test_the_distance_focused_at_is_read_unless_it_stands_for_infinity(written, read):
    found = Pillow.Exif()
    if written is not None:
        found.get_ifd(0x8769)[0x9206] = written
    assert subject_m(Metadata(found.tobytes().removeprefix(b"Exif\0\0"))) == read


def test_focal_lengths_of_cameras_that_know_no_35_mm():
    found = Pillow.Exif()
    tags = found.get_ifd(0x8769)
    tags[0x920A], tags[0xA20E], tags[0xA210], tags[0xA002] = 6.3, 5952.0, 3, 4000
    metadata = Metadata(found.tobytes().removeprefix(b"Exif\0\0"))
    assert focal_px(metadata, 4000, 3000) == pytest.approx(6.3 / 10 * 5952)
    assert focal_px(metadata, 3000, 4000) == pytest.approx(6.3 / 10 * 5952)
    assert focal_px(metadata, 1000, 750) == pytest.approx(6.3 / 10 * 5952 / 4)
    tags[0xA20E] = 59520.0  # of a sensor ten times too small: an angle that no lens has
    tags[0x920A] = 63
    assert focal_px(Metadata(found.tobytes().removeprefix(b"Exif\0\0")), 4000, 3000) is None


@pytest.mark.parametrize(
    "broken", [b"", b"MM\0*", b"II*\0\xff\xff\xff\xff", bytes(100), b"MM\0*\0\0\0\x08\0\x05" + b"\xff" * 30]
)
def test_broken_exif_is_no_exif(broken):
    jpeg = encoded(IMAGE)
    segment = b"\xff\xe1" + (len(broken) + 8).to_bytes(2, "big") + b"Exif\0\0" + broken
    assert read_metadata(jpeg[:2] + segment + jpeg[2:]).orientation == 1
    assert Metadata.from_exif(broken, PROFILE).icc == PROFILE


def test_heic_keeps_its_profile_and_exif(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(Pillow.fromarray(IMAGE)).save(
        tmp_path / "a.heic", exif=exif(1).tobytes(), icc_profile=PROFILE, quality=90
    )
    photo = read_photo(tmp_path / "a.heic")
    assert photo.metadata.icc == PROFILE
    assert focal_px(photo.metadata, 4000, 3000) == pytest.approx(28 / 43.2666 * 5000, rel=1e-4)


@pytest.mark.parametrize("profile", [b"", bytes(200), PROFILE[:-1], PROFILE[:16] + b"GRAY" + PROFILE[20:]])
def test_profiles_that_do_not_describe_the_samples_are_left_out(tmp_path, profile):
    (tmp_path / "a.jpg").write_bytes(encoded(IMAGE, icc_profile=profile))
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.metadata.icc == b""
    for suffix in ("jpg", "png", "tif"):
        write_image(tmp_path / f"b.{suffix}", photo.image, photo.metadata)
