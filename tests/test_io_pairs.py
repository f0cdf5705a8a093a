"""One file with both views: JPS, Leia LIF, Cardboard and VR180, and a second JPEG that nothing describes."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import replace

import cv2
import numpy as np
import pytest
from conftest import SAMPLES
from photo_files import encoded, jps_file, lif_file, vr_file, with_segments, with_xmp, xmp

from depthapps import InputError, SceneParams, SwappedViewsError, open_scene, read_image
from depthapps.core.choices import Layout, Quality, Rectify
from depthapps.io.photos.contents import read_contents
from depthapps.io.photos.describe import describe_contents

WIDTH, HEIGHT = 160, 120


def colours(seed: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A picture without fine detail, which every codec keeps."""
    small = np.random.default_rng(seed).integers(40, 210, (3, 4, 3)).astype(np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


LEFT, RIGHT = colours(1), colours(2)
BESIDE, ABOVE = np.hstack([LEFT, RIGHT]), np.vstack([LEFT, RIGHT])


def like(a: np.ndarray | None, b: np.ndarray, tolerance: float = 6) -> bool:
    return a is not None and a.shape == b.shape and float(np.abs(a.astype(int) - b.astype(int)).mean()) < tolerance


@pytest.fixture
def read(tmp_path):
    def write_and_read(data: bytes, name: str = "a.jpg"):
        (tmp_path / name).write_bytes(data)
        contents = read_contents(tmp_path / name)
        assert describe_contents(tmp_path / name).has_second_view == (contents.right is not None)
        return contents

    return write_and_read


# ------------------------------------------------------------------------------------ TIFF of two pages


def tiff_of_pages(pages: list[np.ndarray], order: str = "<", kinds: tuple[int, ...] = ()) -> bytes:
    """A TIFF with a page for each grey picture (H, W) uint16; kinds: what each page says that it is."""
    file = bytearray((b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8))
    for k, page in enumerate(pages):
        (height, width), samples = page.shape, page.astype(f"{order}u2").tobytes()
        kind = kinds[k] if kinds else 0
        tags = {254: kind, 256: width, 257: height, 258: 16, 259: 1, 262: 1, 277: 1, 278: height, 279: len(samples)}
        start = len(file) + 2 + 12 * 10 + 4
        file += struct.pack(f"{order}H", 10)
        for tag, value in sorted({**tags, 273: start}.items()):
            file += struct.pack(f"{order}HHII", tag, 4, 1, value)
        file += struct.pack(f"{order}I", start + len(samples) if k + 1 < len(pages) else 0) + samples
    return bytes(file)


GREYS = [cv2.cvtColor(view, cv2.COLOR_RGB2GRAY).astype(np.uint16) * 257 for view in (LEFT, RIGHT)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_two_pages_of_a_tiff_are_two_views(read, order):
    found = read(tiff_of_pages(GREYS, order), "a.tif")
    assert not found.order_known
    for view, grey in zip((found.photo.image, found.right), GREYS, strict=True):
        assert np.array_equal(view, np.repeat(grey[..., None], 3, axis=2))


def test_other_pages_of_a_tiff_are_no_views(read):
    thumbnail = tiff_of_pages(GREYS, kinds=(0, 1))
    smaller = tiff_of_pages([GREYS[0], GREYS[1][:60, :80]])
    for data in (tiff_of_pages(GREYS[:1]), tiff_of_pages([*GREYS, GREYS[0]]), thumbnail, smaller):
        assert read(data, "a.tif").right is None


def test_two_large_pages_among_others_of_a_tiff_are_two_views(read):
    small = GREYS[0][:60, :80]
    for pages, kinds in (((*GREYS, small), (0, 0, 0)), ((small, *GREYS), (0, 0, 0)), ((*GREYS, GREYS[0]), (0, 0, 4))):
        found = read(tiff_of_pages(list(pages), kinds=kinds), "a.tif")
        assert found.right is not None
        for view, grey in zip((found.photo.image, found.right), GREYS, strict=True):
            assert np.array_equal(view, np.repeat(grey[..., None], 3, axis=2))


def test_a_tiff_of_many_pages_alone_is_refused_with_what_helps(tmp_path):
    for pages in ([*GREYS, GREYS[0]], [GREYS[0], GREYS[0][:60], GREYS[0][:30]]):
        (tmp_path / "stack.tif").write_bytes(tiff_of_pages(pages))
        with pytest.raises(InputError, match=r"stack\.tif has 3 pages") as error:
            open_scene(tmp_path / "stack.tif")
        assert "the page of the left view" in error.value.hint


def test_a_tiff_whose_pages_lead_in_a_circle_or_nowhere_is_one_picture(read):
    whole = tiff_of_pages(GREYS)
    (behind,) = struct.unpack_from("<I", whole, 8 + 2 + 120)
    for to in (8, len(whole) + 100):
        assert read(whole.replace(struct.pack("<I", behind), struct.pack("<I", to), 1), "a.tif").right is None


# ------------------------------------------------------------------------------------ JPS


@pytest.mark.parametrize("name", ["a.jps", "a.jpg"])
@pytest.mark.parametrize(("flags", "views"), [(0, (RIGHT, LEFT)), (4, (LEFT, RIGHT))])
def test_jps_says_which_view_comes_first(read, name, flags, views):
    contents = read(jps_file(encoded(BESIDE), flags=flags), name)
    assert like(contents.photo.image, views[0])
    assert like(contents.right, views[1])
    assert contents.order_known


def test_jps_above_each_other_and_squeezed(read):
    contents = read(jps_file(encoded(ABOVE), layout=3, flags=4))
    assert like(contents.photo.image, LEFT)
    half = cv2.resize(BESIDE, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    contents = read(jps_file(encoded(half), flags=4 | 2))
    assert like(contents.photo.image, LEFT)
    wide = np.hstack([colours(1, 240), colours(2, 240)])  # twice as wide, a view would be 4:1
    assert read(jps_file(encoded(wide), flags=4 | 2)).photo.image.shape == (HEIGHT, 240, 3)


@pytest.mark.parametrize(("name", "suffix"), [("A.JPS", ".jpg"), ("a.pns", ".png")])
def test_a_name_alone_means_the_right_view_first(read, name, suffix):
    data = encoded(BESIDE) if suffix == ".jpg" else encoded(BESIDE[..., ::-1], ".png")
    contents = read(data, name)
    assert like(contents.photo.image, RIGHT)
    assert not contents.order_known
    assert (contents.layout, contents.cross_eyed) == (Layout.SIDE_BY_SIDE, True)


def test_the_hint_for_a_name_that_misleads_helps(tmp_path):
    left, right = (read_image(SAMPLES / f"{name}.png") for name in ("left", "right"))
    (tmp_path / "a.jps").write_bytes(encoded(np.hstack([left, right])))
    params = SceneParams(quality=Quality.FAST, rectify=Rectify.NEVER)
    with pytest.raises(SwappedViewsError) as refused:
        open_scene(tmp_path / "a.jps", params=params)
    assert "add layout='side-by-side'" in refused.value.hint
    assert open_scene(tmp_path / "a.jps", params=replace(params, layout=Layout.SIDE_BY_SIDE)).scene.depth_m.size


@pytest.mark.parametrize("segment", [b"_JPSJPS_", b"_JPSJPS_\0\4\0\0\2\0", b"_JPSJPS_\0\4\0\0\7\1", b"Stim\0"])
def test_a_segment_that_tells_of_no_pair(read, segment):
    assert read(with_segments(encoded(BESIDE), (0xE3, segment))).right is None


def test_a_descriptor_of_one_view_is_believed_against_the_name(read):
    assert read(jps_file(encoded(BESIDE), media=0), "a.jps").right is None
    assert (
        read(with_segments(encoded(BESIDE), (0xE3, b"_JPSJPS_")), "a.jps").right is not None
    )  # a cut one tells nothing


def test_an_anaglyph_in_a_jps(read):
    contents = read(jps_file(encoded(np.dstack([LEFT[..., 0], RIGHT[..., 1:]])), layout=4))
    assert contents.layout is Layout.ANAGLYPH
    assert like(contents.photo.image, np.repeat(LEFT[..., :1], 3, axis=2))
    assert "makeshift" in contents.notes[0]


# ------------------------------------------------------------------------------------ Leia


def lif_view(blob: int, position: object, **camera: object) -> dict[str, object]:
    return {"albedo": {"blob_id": blob}, "camera_data": {"position": position, **camera}}


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("as_list", [False, True])
def test_lif_takes_the_order_from_where_its_cameras_stand(read, swapped, as_list):
    places = [{"x": x, "y": 0, "z": 0} if not as_list else [x, 0, 0] for x in (-0.5, 0.5)]
    left, right = places[::-1] if swapped else places
    meta = {"views": [lif_view(-1, left, focal_ratio_to_width=1.1), lif_view(2001, right, focal_ratio_to_width=1.1)]}
    contents = read(lif_file(encoded(LEFT), {2001: encoded(RIGHT), 3000: b"?"}, meta))
    assert like(contents.photo.image, RIGHT if swapped else LEFT)
    assert like(contents.right, LEFT if swapped else RIGHT)
    assert contents.order_known
    assert contents.camera is not None
    assert contents.camera.fx == pytest.approx(1.1 * WIDTH)


def test_the_later_lif_names_its_baseline(read):
    views = [
        {"width_px": WIDTH, "focal_px": 200, "position": {"x": x}, "image": {"blob_id": blob}}
        for x, blob in ((-1, -1), (1, 5000))
    ]
    contents = read(lif_file(encoded(LEFT), {5000: encoded(RIGHT)}, {"baseline_mm": 45, "views": views}, kind=8))
    assert contents.baseline_m == pytest.approx(0.045)
    assert contents.camera is not None
    assert contents.camera.fx == pytest.approx(200)


def test_json_behind_two_jpegs_tells_their_order(read):
    meta = {"device": {"name": "Lume"}, "views": [{"x": 1.0}, {"x": -1.0}]}
    contents = read(encoded(LEFT) + encoded(RIGHT) + json.dumps(meta).encode() + b"\0\0")
    assert like(contents.photo.image, RIGHT)
    assert contents.order_known


def test_an_old_lif_without_json_has_the_left_view_first(read):
    data = lif_file(encoded(LEFT), {1: encoded(RIGHT)}, {}, kind=99)
    assert like(read(data).right, RIGHT)


@pytest.mark.parametrize(
    "meta", [{"views": [lif_view(-1, [0, 0, 0])]}, {"views": "?"}, {"views": [lif_view(-1, 0), lif_view(9, 1)]}, []]
)
def test_a_lif_of_one_view_is_a_picture(read, meta):
    assert read(lif_file(encoded(LEFT), {2: b"not a picture"}, meta)).right is None


@pytest.mark.parametrize("end", [b"\xff\xff\xff\xff\x1e\x1a", b"\0\0\0\x20\x1e\x1a", b"\x1e\x1a", b'{"views": ['])
def test_the_end_of_a_lif_may_be_damaged(read, end):
    assert read(encoded(LEFT) + b"\xff" * 40 + end).right is None


# ------------------------------------------------------------------------------------ a second JPEG


def test_a_second_jpeg_is_the_right_view_in_no_certain_order(read):
    contents = read(encoded(LEFT) + encoded(RIGHT))
    assert like(contents.right, RIGHT)
    assert not contents.order_known
    assert read(encoded(LEFT) + encoded(colours(3, 80, 60))).right is None  # a preview
    assert read(encoded(LEFT) + encoded(RIGHT)[:-2]).right is None
    assert read(encoded(LEFT) + encoded(RIGHT) + b"SEFT").right is None  # a Samsung's list of what it means


# ------------------------------------------------------------------------------------ VR


def panorama(shift_m: float, span_deg: float, size: int) -> np.ndarray:
    """A textured wall 2 m ahead, as an equirectangular view of `span_deg` each way from `shift_m` to the right."""
    angles = np.deg2rad((np.arange(size) + 0.5) / size * span_deg - span_deg / 2)
    longitude, latitude = angles[None], angles[:, None]
    x = shift_m + 2 * np.tan(np.clip(longitude, -1.2, 1.2))
    y = 2 * np.tan(np.clip(latitude, -1.2, 1.2)) / np.cos(np.clip(longitude, -1.2, 1.2))
    wall = np.random.default_rng(5).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    wall = np.asarray(cv2.resize(wall, (256, 256), interpolation=cv2.INTER_CUBIC))
    places = (x % 4) * 64 - 0.5, (y % 4) * 64 - 0.5
    across, down = (np.ascontiguousarray(p, np.float32) for p in np.broadcast_arrays(*places))
    return np.asarray(cv2.remap(wall, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP))


def vr180(size: int) -> bytes:
    views = [encoded(panorama(x, 180, size)) for x in (-0.03, 0.03)]
    return vr_file(*views, FullPanoWidthPixels=2 * size, FullPanoHeightPixels=size,
                   CroppedAreaLeftPixels=size // 2, CroppedAreaTopPixels=0,
                   CroppedAreaImageWidthPixels=size, CroppedAreaImageHeightPixels=size)  # fmt: skip


def test_vr180_becomes_pinhole_views(read):
    contents = read(vr180(400), "a.vr.jpg")
    camera, focal = contents.camera, 800 / (2 * math.pi)
    assert camera is not None
    assert (camera.width, camera.height) == (int(2 * focal), int(2 * focal))
    assert camera.fx == pytest.approx(focal)
    # on a wall straight ahead a pinhole camera sees straight rows, and every point is shifted alike
    shift = round(focal * 0.06 / 2)
    left, right = contents.photo.image, contents.right
    assert right is not None
    assert like(left[:, shift:], right[:, :-shift], 12)
    assert not like(left, right, 20)


def test_the_depth_of_a_vr180_photo(tmp_path):
    (tmp_path / "a.vr.jpg").write_bytes(vr180(800))
    opened = open_scene(tmp_path / "a.vr.jpg", params=SceneParams(baseline_m=0.06, quality=Quality.FAST))
    assert float(np.nanmedian(opened.scene.depth_m)) == pytest.approx(2, rel=0.1)


def test_a_cardboard_photo_of_a_full_turn_shows_its_middle(read):
    views = [encoded(colours(k, 360, 60)) for k in (1, 2)]
    pano = {"FullPanoWidthPixels": 360, "FullPanoHeightPixels": 180, "CroppedAreaTopPixels": 60,
            "CroppedAreaImageWidthPixels": 360, "CroppedAreaImageHeightPixels": 60}  # fmt: skip
    contents = read(vr_file(*views, **pano))
    camera = contents.camera
    assert camera is not None
    assert (camera.width, camera.height) == (114, 66)  # 90 by 60 degrees
    middle = colours(1, 360, 60)[30, 180].astype(int)
    assert np.abs(contents.photo.image[33, 57].astype(int) - middle).max() < 12


def test_a_panorama_without_its_middle_is_refused(tmp_path):
    views = [encoded(colours(k, 100, 100)) for k in (1, 2)]
    pano = {"FullPanoWidthPixels": 1000, "FullPanoHeightPixels": 500, "CroppedAreaImageWidthPixels": 100,
            "CroppedAreaImageHeightPixels": 100}  # fmt: skip
    (tmp_path / "a.jpg").write_bytes(vr_file(*views, **pano))
    with pytest.raises(InputError, match="middle of its panorama"):
        read_contents(tmp_path / "a.jpg")


@pytest.mark.parametrize("number", ["0", "-5", "nan", "1e12", "?"])
def test_numbers_of_a_panorama_that_cannot_be(read, number):
    assert (
        read(vr_file(encoded(LEFT), encoded(RIGHT), FullPanoWidthPixels=number, FullPanoHeightPixels=100)).right is None
    )


def test_gpano_without_a_second_view_is_a_picture(read):
    packet = xmp(
        'GPano:FullPanoWidthPixels="360" GPano:FullPanoHeightPixels="180"',
        'xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"',
    )
    assert read(with_xmp(encoded(LEFT), packet)).right is None
