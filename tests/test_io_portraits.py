"""Photos with depth or a second view inside, as phones store them: what is written is what other programs read."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from conftest import REAL_PHOTOS, read_raw
from PIL import Image as Pillow
from test_cli import run

import depthapps as da
from depthapps.io.photos import jpeg
from depthapps.io.photos.contents import read_contents
from depthapps.io.photos.depth_jpeg import FARTHEST_M, depth_levels, write_dynamic_depth, write_gdepth
from depthapps.io.photos.heif_write import write_portrait_heic, write_spatial
from depthapps.io.photos.isobmff import read_items

RNG = np.random.default_rng(0)
CAMERA = da.Camera(64, 48, 80.0, 80.0, 30.5, 22.25)
PHOTO = cv2.resize(RNG.integers(30, 220, (4, 5, 3)).astype(np.uint8), (64, 48), interpolation=cv2.INTER_CUBIC)


def scene(seed: int = 0, size: tuple[int, int] = (64, 48)) -> da.Scene:
    """A photo with a random depth from some tenth of a metre on, holes and, with an odd seed, sky."""
    rng = np.random.default_rng(seed)
    width, height = size
    depth = (rng.uniform(0.1, 2) * (1 + rng.uniform(0, 9) * rng.random((height, width)))).astype(np.float32)
    depth[3:5, 4:9] = np.nan
    if seed % 2:
        depth[:2] = np.inf
    return da.Scene(np.asarray(cv2.resize(PHOTO, size)), depth, CAMERA.scaled_to(width, height))


@pytest.fixture
def heif() -> Any:
    """pillow-heif."""
    return pytest.importorskip("pillow_heif", reason="the extra heif is not installed")


def _expected(given: da.Scene) -> Any:
    """1/Z of a scene, where it is known."""
    return np.where(np.isposinf(given.depth_m), 1 / FARTHEST_M, 1 / given.depth_m)


@pytest.mark.parametrize("write", [write_gdepth, write_dynamic_depth])
def test_androids_depth_is_read_back_as_it_was(tmp_path, write):
    for seed in range(100):
        given = scene(seed, (16 + seed % 7, 12 + seed % 5))
        write(tmp_path / "a.jpg", given)
        found = read_contents(tmp_path / "a.jpg")
        known = ~np.isnan(given.depth_m)
        assert found.inverse_m is not None
        assert found.scaled
        step = (np.nanmax(_expected(given)) - np.nanmin(_expected(given))) / 65535
        assert np.abs(found.inverse_m - _expected(given))[known].max() <= 0.51 * step + 1e-6
        assert np.isfinite(found.inverse_m).all()
        assert found.camera is not None
        assert np.allclose(found.camera.matrix, given.camera.matrix, rtol=1e-6)


@pytest.mark.parametrize("lens", ["FocalLengthX", "PrincipalPointY", "ImageWidth"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "1e9", "x", ""])
def test_a_lens_that_is_none_is_not_taken_from_a_portrait(tmp_path, lens, value):
    write_dynamic_depth(tmp_path / "a.jpg", scene(2))
    start, end = (tmp_path / "a.jpg").read_bytes().split(f'ImagingModel:{lens}="'.encode())
    told = end.split(b'"', 1)[0]
    end = end.replace(told, value.encode()[: len(told)].ljust(len(told)), 1)  # of the same length
    (tmp_path / "b.jpg").write_bytes(start + f'ImagingModel:{lens}="'.encode() + end)
    found = read_contents(tmp_path / "b.jpg")
    assert found.inverse_m is not None
    assert found.camera is None


def test_gdepth_stands_in_parts_that_each_fit_into_a_segment(tmp_path):
    given = scene(0, (400, 300))
    write_gdepth(tmp_path / "a.jpg", given)
    data = (tmp_path / "a.jpg").read_bytes()
    kept = [c for marker, _, c in jpeg.segments(data) if marker == 0xE1]
    standard, *extended = kept
    assert len(extended) > 2
    guid = re.search(rb'HasExtendedXMP="([0-9A-F]{32})"', standard)
    assert guid
    assert all(part.startswith(b"http://ns.adobe.com/xmp/extension/\0" + guid[1]) for part in extended)
    text = b"".join(part[75:] for part in extended)  # behind name, digest, length and offset
    assert [int.from_bytes(part[67:71], "big") for part in extended] == [len(text)] * len(extended)
    encoded = re.search(rb'GDepth:Data="([^"]*)"', text)
    assert encoded
    depth = cv2.imdecode(np.frombuffer(base64.b64decode(encoded[1]), np.uint8), cv2.IMREAD_UNCHANGED)
    assert depth is not None
    near, far = (float(m[1]) for n in (b"Near", b"Far") if (m := re.search(rb'GDepth:%s="([^"]*)"' % n, standard)))
    share = depth / 65535  # by Google's formula for RangeInverse
    assert np.allclose((far * near / (far - share * (far - near)))[10:], given.depth_m[10:], rtol=1e-3)
    with Pillow.open(tmp_path / "a.jpg") as photo:
        photo.load()
        assert photo.size == (400, 300)


def test_dynamic_depth_appends_a_picture_of_the_length_it_tells(tmp_path):
    given = scene(2)
    write_dynamic_depth(tmp_path / "a.jpg", given)
    data = (tmp_path / "a.jpg").read_bytes()
    tree = ElementTree.fromstring(data[data.index(b"<x:xmpmeta") : data.index(b"</x:xmpmeta>") + 12])
    dynamic = "{http://ns.google.com/photos/dd/1.0/%s/}%s"
    items = list(tree.iter(dynamic % ("container", "Item")))
    assert [item.get(dynamic % ("item", "DataURI")) for item in items] == ["primary_image", "android/depthmap"]
    appended = data[-int(items[1].attrib[dynamic % ("item", "Length")]) :]
    with Pillow.open(BytesIO(appended)) as depth:
        assert (depth.format, depth.size) == ("PNG", (64, 48))
    assert data[: -len(appended)].endswith(b"\xff\xd9")
    lens = next(tree.iter(dynamic % ("camera", "ImagingModel"))).attrib
    assert float(lens[dynamic % ("imagingmodel", "FocalLengthX")]) == pytest.approx(80 / 64)
    assert float(lens[dynamic % ("imagingmodel", "PrincipalPointY")]) == pytest.approx(22.75 / 48)


def test_a_portrait_keeps_the_photos_exif_and_pixels(tmp_path):
    exif = Pillow.Exif()
    exif[0x010F] = "a maker"
    Pillow.fromarray(PHOTO).save(tmp_path / "photo.jpg", exif=exif, quality=98)
    photo = da.read_photo(tmp_path / "photo.jpg")
    write_gdepth(tmp_path / "a.jpg", scene(), photo.metadata)
    read = read_contents(tmp_path / "a.jpg").photo
    assert b"a maker" in read.metadata.exif
    assert np.abs(read.image.astype(int) - PHOTO).mean() < 2


def test_a_large_depth_is_made_small_without_depths_that_are_not_there():
    depth = np.full((30, 5000), 1, np.float32)
    depth[:, 1700:] = 4
    levels = depth_levels(da.Scene(np.zeros((30, 5000, 3), np.uint8), depth, da.Camera.centred(5000, 30, 900.0)))
    assert levels.share.shape == (12, 2048)
    assert set(np.unique(levels.share)) == {0, 1}
    with pytest.raises(da.InputError, match="one depth"):
        depth_levels(replace(scene(), depth_m=np.full((48, 64), 2, np.float32)))


# ------------------------------------------------------------------------------------------- HEIC


def test_apples_portrait_is_read_back(tmp_path, heif):
    for seed in range(10):
        given = scene(seed)
        write_portrait_heic(tmp_path / "a.heic", given)
        found = read_contents(tmp_path / "a.heic")
        assert found.inverse_m is not None
        assert found.camera == CAMERA
        assert found.scaled
        expected = _expected(given)
        known, step = ~np.isnan(given.depth_m), (np.nanmax(expected) - np.nanmin(expected)) / 255
        assert np.abs(found.inverse_m - expected)[known].max() <= 0.51 * step
        assert np.abs(found.photo.image.astype(int) - PHOTO).mean() < 4


def test_pillow_heif_finds_one_photo_and_its_depth(tmp_path, heif):
    exif = Pillow.Exif()
    exif[0x010F] = "a maker"
    Pillow.fromarray(PHOTO).save(tmp_path / "photo.png", exif=exif)
    write_portrait_heic(tmp_path / "a.heic", scene(), da.read_photo(tmp_path / "photo.png").metadata)
    file = heif.open_heif(tmp_path / "a.heic")
    assert len(file) == 1
    (depth,) = file.info["depth_images"]
    assert (depth.size, depth.mode) == ((64, 48), "L")
    assert b"a maker" in file.info["exif"]


VIEW = np.asarray(cv2.resize(PHOTO, (128, 96)))
PAIR = da.StereoPair(
    VIEW, VIEW[:, ::-1].copy(), da.Calibration(da.Camera(128, 96, 80.0, 80.0, 61.5, 45.25), 0.0638, -2.5)
)


def test_a_spatial_photo_is_read_back(tmp_path, heif):
    write_spatial(tmp_path / "a.heic", PAIR, shift_px=2.56)
    found = read_contents(tmp_path / "a.heic")
    assert found.right is not None
    for view, given in ((found.photo.image, PAIR.left), (found.right, PAIR.right)):
        assert np.abs(view.astype(int) - given).mean() < 4
    assert found.baseline_m == pytest.approx(0.0638)
    assert found.doffs_px == pytest.approx(-2.5, abs=1e-6)
    assert found.camera is not None
    assert [found.camera.fx, found.camera.cx, found.camera.cy] == pytest.approx([80, 61.5, 45.25], abs=1e-6)


def test_views_of_odd_size_lose_a_row_and_a_column(tmp_path, heif):
    odd = da.StereoPair(
        VIEW[:95, :127], VIEW[:95, :127], da.Calibration(da.Camera(127, 95, 80.0, 80.0, 61.5, 45.25), 0.06)
    )
    write_spatial(tmp_path / "a.heic", odd)
    found = read_contents(tmp_path / "a.heic")
    assert found.photo.image.shape == (94, 126, 3)
    assert found.camera is not None
    assert [found.camera.fx, found.camera.cx, found.camera.cy] == pytest.approx([80, 61.5, 45.25], abs=1e-6)


def test_a_spatial_photo_has_the_boxes_of_apples_own(tmp_path, heif):
    write_spatial(tmp_path / "a.heic", PAIR, shift_px=2.56)
    items = read_items((tmp_path / "a.heic").read_bytes())
    kinds = [p.kind for p in items.properties[2]][-3:]
    assert kinds == [bytes.fromhex(k) for k in (
        "4363e9145b7d4aab97aebea69803b434", "22cc04c7d6d94e079d904eb6ecbaf3a3", "de22508536cb436587432f8705e7c78a"
    )]  # fmt: skip
    assert items.properties[2][-1].content == (200).to_bytes(4, "big")  # 2 % of the width
    group = heif.open_heif(tmp_path / "a.heic")[0].info["entity_groups"]
    assert [(g["type"], list(g["entities"])) for g in group] == [("ster", [1, 2])]


def test_apples_own_spatial_photo_has_the_same_boxes(tmp_path, heif):
    own = REAL_PHOTOS / "apple_spatial.heic"
    if not own.is_file():
        pytest.skip("the spatial photo of an iPhone is not on this machine")
    theirs = read_items(own.read_bytes())
    contents = read_contents(own)
    assert contents.camera is not None
    assert contents.baseline_m is not None
    camera = contents.camera.scaled_to(64, 64)
    square = np.zeros((64, 64, 3), np.uint8)
    pair = da.StereoPair(square, square, da.Calibration(camera, contents.baseline_m))
    write_spatial(tmp_path / "a.heic", pair, shift_px=0.0293 * 64)
    ours = read_items((tmp_path / "a.heic").read_bytes())
    for mine, his in ((1, 26), (2, 52)):
        of_them = {p.kind: p.content for p in theirs.properties[his] if len(p.kind) == 16}
        of_us = {p.kind: p.content for p in ours.properties[mine] if len(p.kind) == 16}
        assert of_us.keys() == of_them.keys()
        for kind, content in of_them.items():
            numbers = [np.frombuffer(c, ">i4") for c in (of_us[kind], content)]
            assert numbers[0] == pytest.approx(numbers[1], abs=4), kind.hex()


# ------------------------------------------------------------------------------------ the command


@pytest.mark.parametrize("kind", ["portrait", "dynamic-depth"])
def test_the_command_puts_depth_into_the_photo(tmp_path, kind):
    da.write_image(tmp_path / "photo.png", PHOTO)
    da.write_depth(tmp_path / "z.npz", np.linspace(1, 3, 48 * 64, dtype=np.float32).reshape(48, 64), camera=CAMERA)
    run("depth", tmp_path / "photo.png", "--depth", tmp_path / "z.npz", "--kind", kind, "-o", tmp_path / "a.jpg")
    found = read_contents(tmp_path / "a.jpg")
    assert found.inverse_m is not None
    assert found.inverse_m[0, 0] == pytest.approx(1, abs=1e-4)
    assert found.inverse_m[-1, -1] == pytest.approx(1 / 3, abs=1e-4)
    assert read_raw(tmp_path / "a.jpg").shape == (48, 64, 3)
    refused = run("depth", tmp_path / "photo.png", "--depth", tmp_path / "z.npz", "--kind", kind, "-o",
                  tmp_path / "a.png", code=1)  # fmt: skip
    assert "cannot take" in refused.stderr


@pytest.mark.parametrize("kind", ["portrait", "dynamic-depth", "heic"])
def test_metres_that_are_a_guess_are_one_when_they_are_read_back(tmp_path, kind, two_layers):
    if kind == "heic":
        pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
    kind, file = ("portrait", "a.heic") if kind == "heic" else (kind, "a.jpg")
    for name, view in (("l.png", two_layers.pair.left), ("r.png", two_layers.pair.right)):
        da.write_image(tmp_path / name, view)
    views = ["depth", tmp_path / "l.png", tmp_path / "r.png", "--quality", "fast"]
    run(*views, "--kind", kind, "-o", tmp_path / file)
    read = run("depth", tmp_path / file, "--kind", "depth", "-o", tmp_path / "z.pfm")
    assert "has no unit" in read.stderr
    assert "metres are a guess" in read.stderr
    given = da.open_scene(tmp_path / "l.png", tmp_path / "r.png", da.SceneParams(quality=da.Quality.FAST))
    back = da.open_scene(tmp_path / file)  # the numbers stay
    assert np.nanmedian(back.scene.depth_m) == pytest.approx(np.nanmedian(given.scene.depth_m), rel=0.02)
    run(*views, "--kind", kind, "-o", tmp_path / f"known_{file}", "--focal-px", 300, "--baseline", 0.1)
    read = run("depth", tmp_path / f"known_{file}", "--kind", "depth", "-o", tmp_path / "known.pfm")
    assert "has no unit" not in read.stderr
