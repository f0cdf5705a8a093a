"""Both eyes see the photos through one window, in every form that viewers take."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import Card, TruePair, make_pair, read_raw
from PIL import Image as Pillow
from test_cli import run

import depthapps as da
from depthapps.apps.view3d_params import player_name
from depthapps.core.color import srgb_encode, to_linear
from depthapps.draw.new_views import ViewSource
from depthapps.draw.stereo import common_box, draw_stereo
from depthapps.io.photos.contents import read_contents
from depthapps.io.photos.pairs import stereo_pictures

Style = da.StereoStyle
LAYERS = (Card(0, 0, 10), Card(0, 0, 30, (120, 70, 220, 170)))


def opened_of(true: TruePair) -> da.OpenedScene:
    """A scene with its two views and its true disparity, as if it had been matched."""
    pair, calibration = true.pair, true.pair.calibration
    depth = da.depth_from_disparity(true.disparity_px, calibration)
    return da.OpenedScene(
        scene=da.Scene(pair.left, depth, calibration.camera), calibration=calibration, disparity_px=true.disparity_px,
        metadata=da.Metadata(), depth_is_given=False, views=(pair.left, pair.right), name="photo",
    )  # fmt: skip


@pytest.fixture(scope="module")
def opened() -> da.OpenedScene:
    return opened_of(make_pair(*LAYERS))


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(np.mean((a.astype(float) - b) ** 2), 1e-6)))


# ------------------------------------------------------------------------------------- the window


@pytest.mark.parametrize(
    ("params", "side"),
    [
        (da.View3DParams(), 1200),  # the photos themselves: depth only tells where the window lies
        (da.View3DParams(view_size_px=800), 1200),
        (da.View3DParams(style=Style.RGBD), None),
        (da.View3DParams(eye_distance=2), None),
        (da.View3DParams(view_size_px=512, style=Style.QUILT), 1200),
        (da.View3DParams(view_size_px=1920, views=12), 3840),
        (da.View3DParams(view_size_px=1920, motion=da.Motion.ORBIT), 3840),
    ],
)
def test_photos_are_matched_only_as_large_as_what_is_shown_needs(params, side):
    assert params.matched_side_px == side


def test_the_command_matches_photos_that_are_shown_themselves_at_a_smaller_size(tmp_path):
    rng = np.random.default_rng(5)
    texture = np.kron(rng.integers(0, 256, (90, 340, 3), np.uint8), np.ones((4, 4, 1), np.uint8))
    for name, start in (("l.png", 0), ("r.png", 16)):  # a wall at 16 px
        Pillow.fromarray(texture[:, start : start + 1300]).save(tmp_path / name)
    pair = ("view3d", tmp_path / "l.png", tmp_path / "r.png", "--quality", "fast", "--overwrite", "--json")
    for more, smaller in ((), True), (("--save-disparity", tmp_path / "d.npy"), False):
        told = run(*pair, "-o", tmp_path / "a.gif", *more)
        assert told.exit_code == 0, told.stderr
        facts = json.loads(told.stdout)
        assert facts["window_px"] == round(16 * 800 / 1300), smaller
        assert facts["size"] == [1300, 360]
    opened = da.open_scene(
        tmp_path / "l.png", tmp_path / "r.png", da.SceneParams(quality=da.Quality.FAST, matched_side_px=650)
    )
    blocks = opened.disparity_px.reshape(180, 2, 650, 2)
    assert (blocks == blocks[:, :1, :, :1]).all()
    assert not (np.load(tmp_path / "d.npy").reshape(180, 2, 650, 2)[:, :1, :, :1] == blocks).all()


@pytest.mark.parametrize(
    ("params", "window"),
    [
        (da.View3DParams(), 10),  # the wall is what the border cuts
        (da.View3DParams(convergence_px=(170, 120)), 30),
        (da.View3DParams(convergence_m=300 * 0.1 / 20), 20),
        (da.View3DParams(convergence_m=1e9), 0),
    ],
)
def test_what_lies_in_the_window_is_at_one_place_in_both_views(opened, params, window):
    shown = da.make_view3d(opened, params)
    assert shown.window_px == window
    left, right = shown.views((0, 1))
    assert left.shape == right.shape == (240, 320 - window, 3)
    assert shown.summary.startswith(f"{320 - window}x240 px a view")
    assert np.array_equal(left, opened.views[0][:, window:])  # no pixel is computed anew
    assert np.array_equal(right, opened.views[1][:, : 320 - window])
    if window in (10, 30):
        at = np.s_[100:140, 20:60] if window == 10 else np.s_[100:140, 110:150]
        assert psnr(left[at], right[at]) > 35


def test_a_window_behind_infinity_cuts_the_other_sides(opened):
    left, right = opened.views
    far = da.View3D(pair=da.StereoPair(left, right, opened.calibration), disparity_px=opened.disparity_px,
                    window_px=-4, params=da.View3DParams())  # fmt: skip
    left, right = far.views((0, 1))
    assert np.array_equal(left, opened.views[0][:, :-4])
    assert np.array_equal(right, opened.views[1][:, 4:])


def test_without_known_depth_at_the_border_nothing_stands_before_the_window(opened):
    disparity = opened.disparity_px.copy()
    disparity[:, :40], disparity[:, -40:] = np.nan, np.nan
    assert da.make_view3d(da.OpenedScene(**{**vars(opened), "disparity_px": disparity})).window_px == 30


def test_smaller_views_keep_the_window_where_it_was(opened):
    shown = da.make_view3d(opened, da.View3DParams(view_size_px=160))
    assert shown.pair.left.shape == (120, 160, 3)
    assert shown.window_px == 5
    assert shown.pair.calibration.camera.fx == 150


def test_black_corners_are_cut_off():
    left, right = np.full((2, 60, 80, 3), 90, np.uint8)
    for k in range(20):
        left[k, : 20 - k] = 0
    right[-3:], right[:, -5:] = 0, 0
    left[30, 40] = 0  # a black pixel of the photo itself
    rows, columns = common_box(left, right)
    kept = left[rows, columns], right[rows, columns]
    assert all((~view.any(axis=2)).sum() <= 5 for view in kept)
    assert kept[0].shape[0] * kept[0].shape[1] > 0.7 * 57 * 75


@pytest.mark.parametrize(("degrees", "dark"), [(0.6, 1), (1.5, 1), (3.0, 6)])
def test_corners_of_little_turned_and_of_dark_photos_are_cut_off(degrees, dark):
    photo = np.random.default_rng(0).integers(60, 200, (240, 360, 3), np.uint8) // dark
    photo = np.asarray(cv2.warpAffine(photo, cv2.getRotationMatrix2D((180, 120), degrees, 1.0), (360, 240)), np.uint8)
    assert not photo.any(axis=2).all()
    rows, columns = common_box(photo, photo)
    kept = np.asarray(photo[rows, columns].max(axis=2) > 0)
    assert min(kept[0].mean(), kept[-1].mean(), kept[:, 0].mean(), kept[:, -1].mean()) >= 0.99
    assert kept.size > 0.7 * 240 * 360


def test_nothing_is_cut_off_a_black_backdrop():
    y, x = np.indices((120, 160))
    image = np.where(((x - 60) ** 2 + (y - 60) ** 2 < 30**2)[..., None], np.uint8(150), np.zeros(3, np.uint8))
    depth = np.where(image[..., 0] > 0, np.float32(1.5), np.float32(3))
    shown = da.make_view3d(da.open_scene(image, depth=depth, params=da.SceneParams(fov_deg=60)))
    assert shown.pair.left.shape == image.shape


def test_what_is_seen_from_too_far_aside_is_refused(opened):
    near = replace(opened, views=None, disparity_px=np.where(opened.disparity_px > 20, opened.disparity_px, 1000))
    assert da.make_view3d(near).pair.right.any()  # the near card alone
    one = replace(opened, views=None, disparity_px=1000 + opened.disparity_px)
    with pytest.raises(da.InputError, match="nothing of the photo is seen"):
        da.make_view3d(one)


def test_the_width_of_views_that_the_window_cuts_whole_is_none():
    inverse = np.full((64, 64), 0.01, np.float32)
    inverse[:, :20] = 1 / np.linspace(1.2, 3, 20)
    params = da.SceneParams(fov_deg=60, baseline_m=1.5)
    opened = da.open_scene(np.full((64, 64, 3), 90, np.uint8), depth=1 / inverse, params=params)
    shown = da.make_view3d(opened)
    assert shown.facts["view_size"] == [0, 64]


def test_a_spatial_photo_of_a_long_lens_tells_its_focal_length(tmp_path):
    pytest.importorskip("pillow_heif")
    camera = da.Camera.centred(160, 120, 400.0)  # 2.5 widths: more than 32 bits hold in units of 2^-30
    depth = np.full((120, 160), 2, np.float32)
    image = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    opened = da.open_scene(image, depth=depth, params=da.SceneParams(calibration=da.Calibration(camera, 0.01)))
    da.write_view3d(tmp_path / "long.heic", da.make_view3d(opened))
    data = (tmp_path / "long.heic").read_bytes()
    at = data.index(bytes.fromhex("22cc04c7d6d94e079d904eb6ecbaf3a3")) + 16
    flags, focal, x, _ = struct.unpack(">I3i", data[at : at + 16])
    assert focal / 2 ** (flags >> 8) == pytest.approx(2.5, rel=0.05)
    assert x / 2 ** (flags >> 8) == pytest.approx(0.5, abs=0.02)
    usual = replace(camera, fx=240.0, fy=240.0)
    wide = da.open_scene(image, depth=depth, params=da.SceneParams(calibration=da.Calibration(usual, 0.01)))
    da.write_view3d(tmp_path / "usual.heic", da.make_view3d(wide))
    data = (tmp_path / "usual.heic").read_bytes()
    assert data[data.index(bytes.fromhex("22cc04c7d6d94e079d904eb6ecbaf3a3")) + 18] == 30  # as iPhones write it
    far = replace(opened, calibration=da.Calibration(camera, 2100.0), disparity_px=opened.disparity_px)
    with pytest.raises(da.OutputError, match="2100 m apart"):
        da.write_view3d(tmp_path / "far.heic", da.make_view3d(far))
    assert not (tmp_path / "far.heic").exists()


def test_a_scene_in_another_frame_than_its_views_is_refused(opened):
    turned = da.OpenedScene(**{**vars(opened), "views": (opened.views[0] // 2, opened.views[1])})
    with pytest.raises(da.InputError, match="rectified") as error:
        da.make_view3d(turned)
    assert "frame='rectified'" in error.value.hint
    with pytest.raises(da.InputError, match="outside"):
        da.make_view3d(opened, da.View3DParams(convergence_px=(1000, 3)))


# ------------------------------------------------------------------------------------- the styles


def test_styles_put_the_views_where_viewers_look():
    left, right = np.zeros((8, 12, 3), np.uint8), np.full((8, 12, 3), 200, np.uint8)
    pictures = {style: draw_stereo(left, right, style) for style in list(Style)[:10]}
    assert {style: p.shape[:2] for style, p in pictures.items()} == {
        Style.SIDE_BY_SIDE: (8, 24), Style.HALF_SIDE_BY_SIDE: (8, 12), Style.TOP_BOTTOM: (16, 12),
        Style.HALF_TOP_BOTTOM: (8, 12), Style.CROSS_EYED: (8, 24), Style.ANAGLYPH: (8, 12),
        Style.ANAGLYPH_OPTIMIZED: (8, 12), Style.ANAGLYPH_GREY: (8, 12), Style.GREEN_MAGENTA: (8, 12),
        Style.INTERLACED: (8, 12),
    }  # fmt: skip
    assert pictures[Style.SIDE_BY_SIDE][0, :, 0].tolist() == [0] * 12 + [200] * 12
    assert pictures[Style.HALF_SIDE_BY_SIDE][0, :, 0].tolist() == [0] * 6 + [200] * 6
    assert pictures[Style.TOP_BOTTOM][:, 0, 0].tolist() == [0] * 8 + [200] * 8
    assert pictures[Style.HALF_TOP_BOTTOM][:, 0, 0].tolist() == [0] * 4 + [200] * 4
    assert pictures[Style.CROSS_EYED][0, :, 0].tolist() == [200] * 12 + [0] * 12
    assert pictures[Style.INTERLACED][:, 0, 0].tolist() == [0, 200] * 4


@pytest.mark.parametrize("style", [Style.ANAGLYPH, Style.ANAGLYPH_OPTIMIZED, Style.ANAGLYPH_GREY, Style.GREEN_MAGENTA])
def test_an_anaglyph_shows_each_eye_its_own_view(style):
    white, black = np.full((4, 4, 3), 255, np.uint8), np.zeros((4, 4, 3), np.uint8)
    both = draw_stereo(white, white, style)[0, 0]
    assert both.min() >= 235  # white stays white
    for_left, for_right = draw_stereo(white, black, style)[0, 0], draw_stereo(black, white, style)[0, 0]
    passes = np.array([0, 1, 0] if style is Style.GREEN_MAGENTA else [1, 0, 0], bool)  # the filter of the left glass
    assert for_left[passes].min() > 235
    assert for_left[~passes].max() < 60
    assert for_right[passes].max() < 60
    assert for_right[~passes].min() > 235


def test_a_grey_anaglyph_is_as_bright_as_the_views(opened, tmp_path):
    shown = da.make_view3d(opened, da.View3DParams(style=Style.ANAGLYPH_GREY, convergence_m=1e9))
    da.write_view3d(tmp_path / "a.png", shown)
    image = da.read_image(tmp_path / "a.png")
    luma = [srgb_encode(to_linear(view) @ [0.2126, 0.7152, 0.0722]) * 255 for view in opened.views]
    assert np.abs(image[..., 0] - luma[0]).max() < 1
    assert np.abs(image[..., 1] - luma[1]).max() < 1
    assert np.array_equal(image[..., 1], image[..., 2])


# ------------------------------------------------------------------------------------ other files


def test_a_multi_picture_file_is_read_by_pillow_and_by_us(opened, tmp_path):
    da.write_view3d(tmp_path / "a.mpo", da.make_view3d(opened))
    with Pillow.open(tmp_path / "a.mpo") as picture:
        file: Any = picture  # Pillow's types do not know of frames
        assert (file.format, file.n_frames) == ("MPO", 2)
        file.seek(1)
        assert psnr(np.asarray(file.convert("RGB")), opened.views[1][:, :310]) > 30
    assert len(stereo_pictures((tmp_path / "a.mpo").read_bytes())) == 2
    contents = read_contents(tmp_path / "a.mpo")
    assert contents.baseline_m == pytest.approx(0.1)
    assert contents.order_known
    assert contents.right is not None
    assert psnr(contents.photo.image, opened.views[0][:, 10:]) > 30
    assert psnr(contents.right, opened.views[1][:, :310]) > 30


def test_a_spatial_photo_keeps_the_whole_views_and_tells_the_window(opened, tmp_path):
    pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
    da.write_view3d(tmp_path / "a.heic", da.make_view3d(opened))
    contents = read_contents(tmp_path / "a.heic")
    assert contents.right is not None
    assert psnr(contents.photo.image, opened.views[0]) > 25  # noise is hard to code
    assert psnr(contents.right, opened.views[1]) > 25
    assert contents.baseline_m == pytest.approx(0.1)
    assert contents.camera == opened.scene.camera


def test_a_spatial_photo_of_converged_views_has_infinity_at_one_place(opened, tmp_path):
    pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
    for doffs in (20.0, -20.0):
        calibration = replace(opened.calibration, doffs_px=doffs)
        da.write_view3d(tmp_path / "a.heic", da.make_view3d(replace(opened, calibration=calibration)))
        contents = read_contents(tmp_path / "a.heic")
        assert contents.right is not None
        assert contents.camera is not None
        assert contents.doffs_px == pytest.approx(0, abs=1e-6)
        kept = np.s_[:, 20:] if doffs < 0 else np.s_[:, :-20]
        assert psnr(contents.photo.image, opened.views[0][kept]) > 25
        assert contents.camera.cx == pytest.approx(159.5 - (20 if doffs < 0 else 0), abs=1e-5)


@pytest.mark.parametrize(("suffix", "views", "frames"), [(".gif", 2, 2), (".webp", 2, 2), (".webp", 4, 6)])
def test_an_animation_closes_its_loop(opened, tmp_path, suffix, views, frames):
    shown = da.make_view3d(opened, da.View3DParams(views=views))
    da.write_view3d(tmp_path / f"a{suffix}", shown)
    with Pillow.open(tmp_path / f"a{suffix}") as picture:
        file: Any = picture
        assert (file.n_frames, file.info["loop"], file.size) == (frames, 0, (310, 240))
        seen = []
        for k in range(frames):
            file.seek(k)
            seen.append(np.asarray(file.convert("RGB")))
    assert psnr(seen[0], opened.views[0][:, 10:]) > 22
    assert psnr(seen[views - 1], opened.views[1][:, :310]) > 22
    if views == 4:
        assert psnr(seen[1], seen[5]) > 45  # it goes back as it came


def test_a_sweep_of_very_many_views_is_refused_at_once():
    with pytest.raises(da.InputError, match="a sweep over 62 views"):
        da.View3DParams(views=62)
    assert da.View3DParams(views=62, motion=da.Motion.ORBIT).frames == 62
    assert da.View3DParams(views=61).frames == 61


def test_a_quilt_begins_at_the_bottom_left(opened):
    from depthapps.apps.view3d import QUILT_PLACES, _picture

    shown = da.make_view3d(opened, da.View3DParams(style=Style.QUILT, view_size_px=80))
    quilt = _picture(shown)
    height, width = quilt.shape[0] // 6, quilt.shape[1] // 8
    first, last = shown.views(QUILT_PLACES)
    assert psnr(quilt[-height:, :width], np.asarray(first)) > 50
    assert psnr(quilt[:height, -width:], np.asarray(last)) > 50
    assert player_name("a", Style.QUILT, 0.75) == "a_qs8x6a0.75"


@pytest.mark.parametrize(("views", "frames"), [(2, 12), (4, 6)])
def test_a_wiggle_of_the_photos_that_players_show_once_lasts_three_seconds(opened, views, frames, tmp_path):
    shown = da.make_view3d(opened, da.View3DParams(views=views, view_size_px=160))
    da.write_view3d(tmp_path / "o.mp4", shown)
    video = cv2.VideoCapture(str(tmp_path / "o.mp4"))
    found = 0
    while video.read()[0]:
        found += 1
    assert found == frames
    assert found / video.get(cv2.CAP_PROP_FPS) == pytest.approx(3 if views == 2 else 1.2, abs=0.01)


@pytest.mark.parametrize("style", [Style.QUILT, Style.RGBD, Style.SIDE_BY_SIDE])
def test_views_are_told_as_wide_as_they_are_written(opened, style, tmp_path):
    shown = da.make_view3d(opened, da.View3DParams(style=style, view_size_px=160))
    assert shown.window_px
    da.write_view3d(tmp_path / "o.png", shown)
    with Pillow.open(tmp_path / "o.png") as file:
        columns, rows = (8, 6) if style is Style.QUILT else (2, 1)
        assert f"{file.width // columns}x{file.height // rows} px a view" in shown.summary


# -------------------------------------------------------------------------------------- new views


@pytest.mark.parametrize("place", [0.5, 1.5, -0.5])
@pytest.mark.parametrize("both", [True, False])
def test_new_views_show_what_a_camera_there_would(place, both):
    true = make_pair(*LAYERS)
    cards = [Card(0, 0, card.c * place, card.box, card.seed) for card in LAYERS]
    expected = make_pair(*cards).pair.right  # its texture is that of the left view
    source = ViewSource(true.pair.left, true.disparity_px, true.pair.right if both else None)
    shown = source.at(place)
    inside = np.s_[:, 45:-45]  # beyond the border nobody has seen anything
    # outside of the photos a strip shows that neither saw
    assert psnr(shown[inside], expected[inside]) > (20 if not both else 45 if place == 0.5 else 27)


def test_the_second_photo_shows_what_the_first_one_hides():
    true = make_pair(*LAYERS)
    expected = make_pair(*(Card(0, 0, card.c / 2, card.box, card.seed) for card in LAYERS)).pair.right
    strip = np.s_[80:160, 207:213]  # right of the square at the place 0.5: hidden in the left photo
    alone = ViewSource(true.pair.left, true.disparity_px).at(0.5)
    both = ViewSource(true.pair.left, true.disparity_px, true.pair.right).at(0.5)
    assert psnr(both[strip], expected[strip]) > 30
    assert psnr(alone[strip], expected[strip]) < 25


def test_a_photo_with_a_depth_gets_a_second_view(opened, tmp_path):
    alone = da.OpenedScene(**{**vars(opened), "views": None})
    shown = da.make_view3d(alone)
    assert any("made from its depth" in str(note) for note in shown.notes)
    assert psnr(shown.pair.right[:, 40:110], opened.views[1][:, 40:110]) > 30


@pytest.mark.parametrize("both", [True, False])
def test_eyes_at_another_distance_see_what_cameras_there_would(opened, both):
    scene = opened if both else da.OpenedScene(**{**vars(opened), "views": None})
    shown = da.make_view3d(scene, da.View3DParams(eye_distance=0.5))
    expected = make_pair(*(Card(0, 0, card.c / 2, card.box, card.seed) for card in LAYERS)).pair.right
    assert psnr(shown.pair.right[:, 45:-45], expected[:, 45:-45]) > (40 if both else 20)
    assert np.array_equal(shown.pair.left, opened.views[0])
    assert shown.window_px == 5  # the wall, as the eyes see it
    assert shown.pair.calibration.baseline_m == pytest.approx(0.05)


@pytest.mark.parametrize("distance", [0, -1, 5, float("nan")])
def test_eyes_at_no_distance_are_refused(distance):
    with pytest.raises(da.InputError, match="times as far apart"):
        da.View3DParams(eye_distance=distance)


@pytest.mark.parametrize("pixel", [(float("nan"), 5), (5, float("inf")), (1, 2, 3), ()])
def test_a_pixel_that_is_no_place_is_refused(pixel):
    with pytest.raises(da.InputError, match="is no place"):
        da.View3DParams(convergence_px=pixel)


@pytest.mark.parametrize("depth_m", [1e-320, 1e-6])
def test_a_window_at_the_eyes_is_refused(opened, depth_m):
    with pytest.raises(da.InputError, match="farther before the scene"):
        da.make_view3d(opened, da.View3DParams(convergence_m=depth_m)).views((0, 1))


@pytest.mark.parametrize("both", [True, False])
def test_what_no_photo_sees_is_the_background_and_no_copy_of_what_hides_it(both):
    """A red card before a grey wall, from twice as far aside: it is seen once, as wide as it is."""
    left, right = np.full((2, 40, 200, 3), 128, np.uint8)
    disparity = np.full((40, 200), 5, np.float32)
    left[:, 90:130], right[:, 60:100], disparity[:, 90:130] = (255, 0, 0), (255, 0, 0), 30
    for place, start in ((2.0, 30), (-1.0, 120)):
        shown = ViewSource(left, disparity, right if both else None).at(place)[20, 5:195].astype(int)
        red = np.flatnonzero(shown[:, 0] - shown[:, 1] > 60) + 5
        assert (red.min(), red.max()) == pytest.approx((start, start + 39), abs=1)


def test_what_no_photo_sees_is_no_stripes():
    """Beyond the frame a wall of noise goes over to its mean; repeated, its last colours would be lines."""
    wall = np.random.default_rng(3).integers(60, 200, (120, 400, 3), np.uint8)
    shown = ViewSource(wall, np.full((120, 400), 60, np.float32)).at(-1.0).astype(float)
    assert shown[:, 75:].std() > 35
    assert shown[:, :45].std() < 8
    assert abs(shown[:, :45].mean() - wall.mean()) < 8


def test_nothing_near_leaves_its_outline_behind():
    """The photo mixes the colours of a card into the wall beside it, which does not move with the card."""
    left = np.full((40, 200, 3), 128, np.uint8)
    disparity = np.full((40, 200), 5, np.float32)
    left[:, 90:130], disparity[:, 90:130] = (255, 0, 0), 30
    left[:, 88:90] = left[:, 130:132] = (200, 60, 60)
    for place, outline, card in ((-1.0, 93, 120), (1.0, 125, 60)):
        shown = ViewSource(left, disparity).at(place)[20].astype(int)
        assert abs(shown[outline - 3 : outline + 3] - 128).max() < 12, place
        assert (shown[card + 2 : card + 38] == (255, 0, 0)).all(), place


def test_outlines_are_finer_than_a_pixel():
    left = np.full((20, 100, 3), 40, np.uint8)
    disparity = np.zeros((20, 100), np.float32)
    left[:, 40:60], disparity[:, 40:60] = 220, 21
    right_edge = []
    for place in (0.0, 0.5):  # by 10.5 px
        shown = ViewSource(left, disparity).at(place)[10, :, 0].astype(float)
        right_edge.append((shown[:70] - 40).sum() / 180)  # the width of the card in pixels
    assert right_edge[1] == pytest.approx(right_edge[0], abs=0.3)


# ------------------------------------------------------------------------------------ the command


@pytest.fixture
def photo(tmp_path) -> list[object]:
    """A small photo and its depth, as arguments."""
    da.write_image(tmp_path / "photo.png", np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8))
    da.write_depth(tmp_path / "z.npy", np.full((90, 120), 2, np.float32))
    return ["view3d", tmp_path / "photo.png", "--depth", tmp_path / "z.npy", "--fov", "60"]


def test_into_a_folder_goes_a_name_that_players_know(tmp_path, photo):
    (tmp_path / "out").mkdir()
    for style in ("side-by-side", "anaglyph", "rgbd"):
        run(*photo, "-o", tmp_path / "out", "--style", style)
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert names == ["photo_LRF_Full_SBS.jpg", "photo_redcyan.jpg", "photo_rgbd.jpg"]
    assert read_raw(tmp_path / "out" / "photo_rgbd.jpg").shape == (90, 240, 3)
    assert "exists already" in run(*photo, "-o", tmp_path / "out", code=1).stderr


def test_the_name_of_a_quilt_tells_the_shape_of_its_tiles(tmp_path, photo):
    """Displays stretch the tiles to that shape, so what the window cuts off must not count."""
    (tmp_path / "out").mkdir()
    run(*photo, "-o", tmp_path / "out", "--style", "quilt", "--convergence", 1.5)
    [path] = (tmp_path / "out").iterdir()
    height, width = read_raw(path).shape[:2]
    assert path.stem.endswith(f"a{(width / 8) / (height / 6):.2f}")
    assert (width / 8) / (height / 6) < 1.3  # the window has cut something off


def test_options_that_a_file_has_no_use_for_are_refused(tmp_path, photo):
    assert "--style is for pictures" in run(*photo, "-o", tmp_path / "a.mpo", "--style", "rgbd", code=1).stderr
    assert "--views is for animations" in run(*photo, "-o", tmp_path / "a.jpg", "--views", 3, code=1).stderr
    assert "--motion is for" in run(*photo, "-o", tmp_path / "a.jpg", "--motion", "orbit", code=1).stderr
    for option in (("--motion", "orbit"), ("--views", 3)):  # a folder takes a .jpg
        assert f"{option[0]} is for animations" in run(*photo, "-o", tmp_path, *option, code=1).stderr
    for option in (("--swap",), ("--eye-distance", 2), ("--convergence", 1.5), ("--convergence", "9,9")):
        rgbd = ("--style", "rgbd", *option)
        assert "rgbd shows one view" in run(*photo, "-o", tmp_path / "a.jpg", *rgbd, code=1).stderr
    both = ("--motion", "orbit", "--swap")
    assert "one eye sees" in run(*photo, "-o", tmp_path / "a.mp4", *both, code=1).stderr
    assert "cannot take" in run(*photo, "-o", tmp_path / "a.avi", code=1).stderr
    assert run(*photo, "-o", tmp_path / "a.jpg", "--convergence", "near", code=2)
    assert {p.name for p in tmp_path.iterdir()} == {"photo.png", "z.npy"}


@pytest.mark.parametrize(
    ("name", "less"), [("loop.jpg", "a .webp, without --style"), ("loop.gif", "a .jpg, without --views")]
)
def test_hints_do_not_lead_to_the_next_refusal(name, less, tmp_path):
    """A style and a number of views exclude each other under any suffix."""
    result = run("view3d", "l.png", "r.png", "-o", tmp_path / name, "--style", "quilt", "--views", 3, code=1)
    assert f"write {less}" in " ".join(result.output.split())
