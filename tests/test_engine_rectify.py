"""Two photos of one scene, from cameras that were not aligned: the rectification, its way back and its refusals."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from photo_files import encoded
from PIL import Image as Pillow
from PIL.ExifTags import IFD, Base
from test_cli_given import texture
from typer.testing import CliRunner

from depthapps import (
    Calibration,
    Camera,
    Frame,
    Image,
    LensCamera,
    PhotoPair,
    Quality,
    Rectify,
    SceneParams,
    StereoError,
    StereoPair,
    StereoRig,
    match_pair,
    match_photos,
    open_scene,
    read_image,
    write_image,
)
from depthapps.cli.app import app
from depthapps.engine.front.rows import RowOffset, shift_rows
from depthapps.engine.rectify.rectification import rectify_rig

FOCAL = 300.0
CAMERA = Camera.centred(320, 240, FOCAL)
CALIBRATION = Calibration(CAMERA, 0.1)


def rotation_of(degrees: tuple[float, float, float]) -> np.ndarray:
    """The rotation (3, 3) about an axis by its length."""
    return np.asarray(cv2.Rodrigues(np.radians(degrees))[0], np.float64)


def turned(view: Image, degrees: tuple[float, float, float], k1: float = 0.0) -> tuple[Image, np.ndarray]:
    """What a camera with a bent lens sees from the same place after turning, and by what rotation."""
    rotation = rotation_of(degrees)
    height, width = view.shape[:2]
    matrix = np.array([[FOCAL, 0, (width - 1) / 2], [0, FOCAL, (height - 1) / 2], [0, 0, 1]])
    y, x = np.mgrid[:height, :width].astype(float)
    points = np.stack([x, y], -1).reshape(-1, 1, 2)
    straight = cv2.undistortPoints(points, matrix, np.array([k1, 0, 0, 0.0]), R=rotation.T, P=matrix)
    at = np.asarray(straight, np.float32).reshape(height, width, 2)
    return cv2.remap(view, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT), rotation


def bad(found: np.ndarray, true: np.ndarray) -> float:
    """Percentage of pixels off by more than 2 px, away from the borders that a turned camera does not see."""
    inner = np.s_[30:-30, 60:-40]
    return 100 * float((~(np.abs(found - true) <= 2))[inner].mean())


def as_taken(pair: StereoPair) -> PhotoPair:
    """A rectified pair as two photos of which nobody says that they are."""
    return PhotoPair(pair.left, pair.right, pair.calibration)


def test_a_pair_whose_rows_line_up_is_matched_as_before(two_layers):
    expected = match_pair(two_layers.pair)
    found = match_photos(as_taken(two_layers.pair))
    assert found.rectification is None
    assert np.array_equal(found.match.disparity_px, expected.disparity_px)
    assert found.match.confidence is not None
    assert expected.confidence is not None
    assert np.array_equal(found.match.confidence, expected.confidence)


@pytest.mark.parametrize(("degrees", "k1"), [((0, 0, 3), 0), ((2, -3, -2), 0), ((1, 2, 4), 0.03)])
def test_a_known_rig_gives_the_disparity_of_its_first_photo(two_layers, degrees, k1):
    right, rotation = turned(two_layers.pair.right, degrees, k1)
    rig = StereoRig(LensCamera(CAMERA), LensCamera(CAMERA, (k1, 0, 0, 0)), rotation, rotation @ np.array([-0.1, 0, 0]))
    pair = PhotoPair(two_layers.pair.left, right, CALIBRATION)
    found = match_photos(pair, Quality.FAST, rig=rig, confidence=False)
    assert bad(found.match.disparity_px, two_layers.disparity_px) < 4
    assert found.calibration.doffs_px == 0
    assert found.calibration.camera == CAMERA


def test_photos_tell_which_way_a_rig_was_written(two_layers):
    """T as the place of the second camera would put it on the other side, and all points behind the cameras."""
    lens = LensCamera(CAMERA)
    found = match_photos(as_taken(two_layers.pair), rig=StereoRig(lens, lens, np.eye(3), np.array([0.1, 0, 0])))
    assert found.rectification is not None
    assert found.rectification.inverted
    assert bad(found.match.disparity_px, two_layers.disparity_px) < 4
    swapped = PhotoPair(two_layers.pair.right, two_layers.pair.left, CALIBRATION)
    found = match_photos(swapped, rig=StereoRig(lens, lens, np.eye(3), np.array([0.1, 0, 0])))
    assert found.rectification is not None
    assert not found.rectification.inverted
    assert np.nanmedian(found.match.disparity_px) == pytest.approx(10, abs=0.5)


@pytest.mark.parametrize(("size", "few"), [(20, True), (160, False)])
@pytest.mark.parametrize(("down_m", "where"), [(0.1, "below"), (-0.1, "above")])
def test_a_rig_of_cameras_above_each_other_is_matched_along_columns_and_told(size, few, down_m, where):
    """Also for pictures too small to show whether the calibration is theirs, which a note tells."""
    shift = 4 if down_m > 0 else -4
    whole = texture(size + 20, size + 20)
    first, second = (np.ascontiguousarray(whole[10 + y : 10 + y + size, 10 : 10 + size]) for y in (0, shift))
    lens = LensCamera(Camera.centred(size, size, float(size)))
    rig = StereoRig(lens, lens, np.eye(3), np.array([0, -down_m, 0]))
    opened = open_scene(first, second, SceneParams(calibration=rig, quality=Quality.FAST))
    assert np.nanmedian(opened.scene.depth_m) == pytest.approx(size * 0.1 / 4, rel=0.1)
    notes = " ".join(map(str, opened.notes))
    assert f"the calibration puts the second camera {where}: matched along columns" in notes
    assert ("too few points tell whether the rows of the two views line up" in notes) == few


KANNALA_BRANDT = (0.02, -0.004, 0.003, -0.001)


def through_a_fisheye(view: np.ndarray, focal: float, *, nearest: bool = False) -> np.ndarray:
    """What an equidistant lens shows of a flat view of this focal length, by the model's own polynomial."""
    height, width = view.shape[:2]
    angles = np.linspace(0, 1.4, 2000)
    k1, k2, k3, k4 = KANNALA_BRANDT
    bent = angles * (1 + k1 * angles**2 + k2 * angles**4 + k3 * angles**6 + k4 * angles**8)
    y, x = np.mgrid[:height, :width] - np.array([(height - 1) / 2, (width - 1) / 2])[:, None, None]
    radius = np.hypot(x, y)
    scale = focal * np.tan(np.interp(radius / FISHEYE_FOCAL, bent, angles)) / np.maximum(radius, 1e-9)
    at = [(v * scale + (side - 1) / 2).astype(np.float32) for v, side in ((x, width), (y, height))]
    how = cv2.INTER_NEAREST if nearest else cv2.INTER_CUBIC
    outside = (np.nan if nearest else 0.0,) * 3
    return cv2.remap(view, at[0], at[1], how, borderMode=cv2.BORDER_CONSTANT, borderValue=outside)


FISHEYE_FOCAL, FLAT_FOCAL = 150.0, 160.0  # the flat view sees 90 degrees


@pytest.mark.parametrize("frame", Frame)
def test_fisheye_photos_are_straightened(two_layers, frame):
    pair = two_layers.pair
    lens = LensCamera(Camera.centred(pair.left.shape[1], pair.left.shape[0], FISHEYE_FOCAL), KANNALA_BRANDT, True)
    rig = StereoRig(lens, lens, np.eye(3), np.array([-0.1, 0, 0]))
    left, right = (through_a_fisheye(view, FLAT_FOCAL) for view in (pair.left, pair.right))
    photos = PhotoPair(left, right, CALIBRATION)
    found = match_photos(photos, rig=rig, frame=frame)
    true = np.where(two_layers.seen, two_layers.disparity_px, np.float32(np.nan))
    if frame is Frame.ORIGINAL:
        expected = through_a_fisheye(true, FLAT_FOCAL, nearest=True) * FISHEYE_FOCAL / FLAT_FOCAL
        shown = found.match.disparity_px
    else:
        camera = found.calibration.camera
        x = (np.arange(camera.width) - camera.cx) / camera.fx * FLAT_FOCAL + (true.shape[1] - 1) / 2
        y = (np.arange(camera.height) - camera.cy) / camera.fy * FLAT_FOCAL + (true.shape[0] - 1) / 2
        at = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        flat = cv2.remap(true, at[0], at[1], cv2.INTER_NEAREST, borderValue=np.nan)
        expected, shown = flat * camera.fx / FLAT_FOCAL, found.match.disparity_px + found.calibration.doffs_px
    inner = np.isfinite(expected) & np.isfinite(shown)
    assert inner.sum() > 0.9 * np.isfinite(expected).sum() > 30_000
    assert np.median(np.abs(shown - expected)[inner]) < 0.1
    assert (np.abs(shown - expected)[inner] > 1).mean() < 0.08


def test_what_a_fisheye_sees_beyond_a_flat_picture_is_unknown():
    wide = LensCamera(Camera.centred(256, 256, 90.0), KANNALA_BRANDT, True)  # 160 degrees across, 220 in the corners
    rectification = rectify_rig(StereoRig(wide, wide, np.eye(3), np.array([-0.1, 0, 0])))
    assert rectification.width < 2 * 256
    plain = np.full((rectification.height, rectification.width), 5, np.float32)
    back = rectification.restored(plain, 0, 10)
    assert np.isnan(back[[0, 0, -1, -1], [0, -1, 0, -1]]).all()
    assert back[128, 128] == pytest.approx(5)


@pytest.mark.parametrize("fisheye", [False, True])
def test_the_ways_in_and_out_agree_for_both_lens_models(fisheye):
    lens = LensCamera(CAMERA, KANNALA_BRANDT if fisheye else (-0.1, 0.01, 0, 0), fisheye)
    rig = StereoRig(lens, lens, rotation_of((1, 2, 0.5)), np.array([-0.1, 0.002, 0]))
    warp = rectify_rig(rig).second
    points = np.array([[30.0, 20.0], [160.0, 120.0], [300.0, 200.0]])
    assert warp.taken(warp.rectified(points)) == pytest.approx(points, abs=1e-3)


def test_the_ways_into_the_rectified_frame_and_out_agree():
    rotation = rotation_of((2, -3, 5))
    lens = LensCamera(CAMERA, (-0.1, 0.02, 1e-3, 0))
    rectification = rectify_rig(StereoRig(lens, LensCamera(CAMERA), rotation, rotation @ np.array([-0.1, 0.01, 0])))
    points = np.random.default_rng(0).uniform((0, 0), (319, 239), (100, 2))
    assert np.abs(rectification.first.taken(rectification.first.rectified(points)) - points).max() < 0.01
    assert not rectification.mirrored


def test_points_of_a_rig_land_on_one_row_and_their_depth_comes_back():
    rng = np.random.default_rng(1)
    points = rng.uniform((-0.5, -0.4, 1.5), (0.5, 0.4, 4), (200, 3))
    for aside in (-0.1, 0.1):  # to the right of the first camera, and to the left
        rotation = rotation_of((1, 3, -4))
        rig = StereoRig(LensCamera(CAMERA), LensCamera(CAMERA), rotation, rotation @ np.array([aside, 0.01, 0.005]))
        rectification = rectify_rig(rig)
        assert rectification.mirrored == (aside > 0)
        seen = [p[:, :2] / p[:, 2:] * FOCAL + (159.5, 119.5) for p in (points, points @ rotation.T + rig.translation_m)]
        first, second = rectification.first.rectified(seen[0]), rectification.second.rectified(seen[1])
        assert np.abs(first[:, 1] - second[:, 1]).max() < 1e-3
        disparity = first[:, 0] - second[:, 0] + rectification.calibration.doffs_px
        z = rectification.calibration.camera.fx * rig.baseline_m / disparity
        assert np.allclose(z, (points @ rectification.first.turn.T)[:, 2], rtol=1e-3)


@pytest.mark.parametrize("aside", [-0.1, 0.1])
def test_moved_infinity_moves_all_disparities_of_the_first_photo(aside):
    rotation = rotation_of((0, 0, 2))
    rig = StereoRig(LensCamera(CAMERA), LensCamera(CAMERA), rotation, rotation @ np.array([aside, 0, 0]))
    rectification = rectify_rig(rig)
    doffs = rectification.calibration.doffs_px
    disparity = np.full((rectification.height, rectification.width), 20 - doffs, np.float32)
    disparity[: rectification.height // 2] = -30 - doffs
    moved = replace(rectification, nearer_px=30.0)
    found = moved.restored(disparity, -60 - doffs, 30 - doffs)
    assert np.nanmedian(found[200:]) == pytest.approx(50, abs=0.5)
    assert np.nanmedian(found[:60]) == pytest.approx(0, abs=0.5)
    assert moved.original == rectification.original


def test_a_turned_second_photo_is_found_out_up_to_where_infinity_lies(two_layers):
    right, _ = turned(two_layers.pair.right, (2, 1, 3))
    found = match_photos(PhotoPair(two_layers.pair.left, right, CALIBRATION), Quality.FAST, confidence=False)
    assert found.report is not None
    assert found.report.vertical_error_px < 0.3
    assert found.report.inlier_share > 0.6
    assert not found.report.exchanged
    # how far the cameras turned inwards is told by little else than the keystone of a picture of 320 px
    off = float(np.nanmedian(found.match.disparity_px - two_layers.disparity_px))
    assert bad(found.match.disparity_px - off, two_layers.disparity_px) < 6


def test_exchanged_photos_are_matched_the_other_way_round(two_layers):
    pair = PhotoPair(two_layers.pair.right, two_layers.pair.left, CALIBRATION)
    found = match_photos(pair, Quality.FAST, confidence=False)
    assert found.report is not None
    assert found.report.exchanged
    assert np.nanmedian(found.match.disparity_px) > 0
    assert found.match.disparity_px.shape == (240, 320)


def test_calibrated_views_in_the_wrong_order_are_matched_as_they_are(two_layers):
    """The calibration is of the views in their order: its camera took the second photo here."""
    left, right = two_layers.pair.left, two_layers.pair.right
    calibration = replace(CALIBRATION, doffs_px=4.0)
    found = match_photos(PhotoPair(right, left, calibration), Quality.FAST, infinity_known=True, confidence=False)
    assert found.exchanged
    assert found.rectification is None
    assert np.array_equal(found.image, right)
    assert found.calibration == replace(calibration, camera=replace(CAMERA, cx=CAMERA.cx + 4))
    true = np.full(right.shape[:2], 10, np.float32)
    true[70:170, 90:190] = 30  # the square, as the right view shows it
    assert bad(found.match.disparity_px, true) < 3
    assert np.isfinite(found.match.disparity_px).all()
    assert np.array_equal(found.views[0], left)
    assert found.second.camera == CAMERA
    assert found.second.from_scene[0, 3] == pytest.approx(0.1)  # of the right camera, as the left one sees it

    turned_right, _ = turned(right, (0.6, 0.0, 1.5))
    turned_pair = PhotoPair(turned_right, left, calibration)
    assert match_photos(turned_pair, Quality.FAST, infinity_known=True, confidence=False).report is not None


def test_rows_of_views_in_the_wrong_order_are_brought_together(two_layers):
    left, right = two_layers.pair.left, two_layers.pair.right
    higher = shift_rows(left, RowOffset(2, 0, 0))
    found = match_photos(PhotoPair(right, higher, CALIBRATION), Quality.FAST, infinity_known=True, confidence=False)
    assert found.exchanged
    off, before = (np.abs(view[10:-10].astype(int) - left[10:-10]).mean() for view in (found.views[0], higher))
    assert off < 0.3 * before


def test_shifted_views_in_order_are_not_taken_for_exchanged(two_layers):
    """All lies behind infinity, as of a 3D camera that shifts its views. What is hidden tells their order."""
    shift = 42
    left, right = two_layers.pair.left[:, shift:].copy(), two_layers.pair.right[:, :-shift].copy()
    pair = PhotoPair(left, right, Calibration(Camera.centred(320 - shift, 240, FOCAL), 0.1))
    found = match_photos(pair, Quality.FAST, infinity_known=True, confidence=False)
    assert not found.exchanged
    near, far = found.match.disparity_px[100:140, 90:160], found.match.disparity_px[100:140, 5:60]
    assert np.nanmedian(near) > np.nanmedian(far) + 10


def test_the_rectified_frame(two_layers):
    pair = as_taken(two_layers.pair)
    found = match_photos(pair, Quality.FAST, rectify=Rectify.ALWAYS, frame=Frame.RECTIFIED, confidence=False)
    camera = found.calibration.camera
    assert found.image.shape[:2] == found.match.disparity_px.shape == (camera.height, camera.width)


def cloud(seen_from: tuple[float, float, float], seed: int = 0, turn: tuple[float, float, float] = (0, 0, 0)) -> Image:
    """Textured discs from 1.5 to 5 m away, as a camera at a place in metres sees them."""
    rng = np.random.default_rng(seed)
    places = rng.uniform((-2.5, -2, 1.5), (2.5, 2, 5), (500, 3))
    texture = rng.integers(0, 255, (500, 8, 8, 3)).astype(np.uint8)
    view = np.full((240, 320, 3), 128, np.uint8)
    inside = (places - seen_from) @ rotation_of(turn).T
    for k in np.argsort(-inside[:, 2]):
        x, y, z = inside[k]
        if z < 0.3:
            continue
        u, v, size = FOCAL * x / z + 159.5, FOCAL * y / z + 119.5, FOCAL * 0.2 / z / 8
        way = np.array([[size, 0, u - 4 * size], [0, size, v - 4 * size]])
        cv2.warpAffine(texture[k], way, (320, 240), view, cv2.INTER_CUBIC, cv2.BORDER_TRANSPARENT)
    return view


def under_a_sky(view: Image) -> Image:
    """The view with its upper 80 % as plain as a sky."""
    covered = view.copy()
    covered[: len(view) * 4 // 5] = (120, 160, 220)
    return covered


def saved_anew(view: Image) -> Image:
    """The view as a small JPEG."""
    data = cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, 20])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


WIDE = np.s_[:96]  # of which a fifth is less than a cell of features


HERE, ASIDE, AHEAD = (0, 0, 0), (0.1, 0, 0), (0, 0, 0.4)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (cloud(HERE), cloud(HERE), "are the same"),
        (cloud(HERE), cloud(HERE, turn=(2, 4, 1)), "turned by .* but did not move"),
        (cloud(HERE), cloud(ASIDE, seed=7), "not show the same scene"),
        (cloud(HERE), cloud(AHEAD), "moved forward"),
        (under_a_sky(cloud(HERE)), under_a_sky(cloud(ASIDE)), "has any texture"),
        (under_a_sky(cloud(HERE)[WIDE]), under_a_sky(cloud(ASIDE)[WIDE]), "has any texture"),
        (cloud(HERE), saved_anew(cloud(HERE)), "are the same|did not move"),
    ],
    ids=["twice the same", "only turned", "unrelated", "forward", "sky", "wide sky", "saved anew"],
)
@pytest.mark.parametrize("rectify", [Rectify.AUTO, Rectify.ALWAYS])
def test_what_makes_no_pair_is_refused_with_its_reason(first, second, reason, rectify):
    calibration = Calibration(Camera.centred(320, len(first), FOCAL), 0.1)
    with pytest.raises(StereoError, match=reason) as error:
        match_photos(PhotoPair(first, second, calibration), Quality.FAST, rectify=rectify, confidence=False)
    assert error.value.hint


def test_the_same_discs_from_aside_are_matched():
    pair = PhotoPair(cloud(HERE), cloud(ASIDE, turn=(2, 3, -2)), CALIBRATION)
    report = match_photos(pair, Quality.FAST, confidence=False).report
    assert report is not None
    assert report.vertical_error_px < 0.5
    assert np.abs(np.array(report.rotation_deg) - (2, 3, -2)).max() < 0.7


def test_plain_views_are_not_taken_for_rectified(two_layers):
    plain, right = (under_a_sky(v) for v in (two_layers.pair.left, turned(two_layers.pair.right, (1, 1, 4))[0]))
    with pytest.raises(StereoError, match="texture") as error:
        match_photos(PhotoPair(plain, right, CALIBRATION), Quality.FAST, confidence=False)
    assert "rectify='never'" in error.value.hint


def test_the_command_tells_and_keeps_what_was_rectified(tmp_path, two_layers):
    for name, view in (("a", two_layers.pair.left), ("b", turned(two_layers.pair.right, (1, 0, 3))[0])):
        write_image(tmp_path / f"{name}.png", view)
    arguments = ["depth", str(tmp_path / "a.png"), str(tmp_path / "b.png"), "-o", str(tmp_path / "d.npy")]
    arguments += ["--focal-px", "300", "--save-rectified", str(tmp_path / "r"), "--quality", "fast", "--json"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)["rectification"]
    assert facts["method"] == "estimated"
    assert facts["vertical_error_px"] < 0.5
    assert {p.name for p in tmp_path.glob("r_*")} == {"r_left.png", "r_right.png", "r_lines.png"}
    assert read_image(tmp_path / "r_left.png").shape == read_image(tmp_path / "r_right.png").shape
    again = CliRunner().invoke(app, [*arguments, "-o", str(tmp_path / "e.npy")])
    assert again.exit_code == 1
    assert "exists already" in again.stderr


def zoomed(view: Image, factor: float) -> Image:
    height, width = view.shape[:2]
    about = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), 3, factor)
    return cv2.warpAffine(view, about, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def test_a_second_photo_at_another_zoom_is_taken_at_its_own_focal_length(tmp_path, two_layers):
    equivalent_mm = 32  # with one focal length for both the ratio comes out 0.4 % off
    first, second = tmp_path / "first.jpg", tmp_path / "second.jpg"
    for path, view, mm in (
        (first, two_layers.pair.left, equivalent_mm),
        (second, zoomed(two_layers.pair.right, 1.5), equivalent_mm * 1.5),
    ):
        exif = Pillow.Exif()
        exif.get_ifd(IFD.Exif)[Base.FocalLengthIn35mmFilm] = int(mm)
        path.write_bytes(encoded(view, exif=exif))
    out = tmp_path / "disparity.pfm"
    result = CliRunner().invoke(
        app, ["depth", str(first), str(second), "-o", str(out), "--quality", "fast", "--rectify", "always", "--json"]
    )
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)["rectification"]
    one, other = report["focal_px"]
    assert other / one == pytest.approx(1.5, rel=0.002)
    assert report["vertical_error_px"] < 0.3
    assert report["focal"] == "known"


def shaken(view: Image) -> Image:
    """What a phone's second camera sees whose picture its stabiliser has moved and bent."""
    return shift_rows(view, RowOffset(0.8, -1, 0.5, 4, 3))


def test_a_measured_device_keeps_its_columns(two_layers):
    right = shaken(two_layers.pair.right)
    found = match_photos(PhotoPair(two_layers.pair.left, right, CALIBRATION), Quality.FAST, confidence=False)
    assert found.rectification is None
    assert found.match.row_offset is not None
    assert found.match.row_offset.twist != 0
    wall, square = found.match.disparity_px[20:60, 40:-20], found.match.disparity_px[80:160, 130:210]
    assert np.median(wall) == pytest.approx(10, abs=1)
    assert np.median(square) == pytest.approx(30, abs=1)
    # of a camera that is only assumed nobody measured anything
    guessed = replace(CALIBRATION, assumed=("focal length", "baseline"))
    found = match_photos(PhotoPair(two_layers.pair.left, right, guessed), Quality.FAST, confidence=False)
    assert found.rectification is not None


def in_fog(view: Image) -> Image:
    """The view with nothing in its upper five sixths that has corners."""
    soft = cv2.GaussianBlur(view, (0, 0), 12)
    return np.concatenate([soft[:200], view[200:]])


def test_a_calibrated_pair_of_few_points_stays_as_it_is(two_layers):
    photos = PhotoPair(in_fog(two_layers.pair.left), in_fog(two_layers.pair.right), CALIBRATION)
    found = match_photos(photos, Quality.FAST, infinity_known=True, confidence=False)
    assert found.rectification is None
    assert np.median(found.match.disparity_px[-30:, 40:]) == pytest.approx(10, abs=0.5)
    with pytest.raises(StereoError):
        match_photos(photos, Quality.FAST, confidence=False)
