"""Single files on the command line: what is in them is found, used, and said."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from conftest import REAL_PORTRAITS, TruePair
from photo_files import encoded, gdepth_jpeg, multi_picture
from PIL import Image as Pillow
from PIL import ImageCms
from test_cli import refuse, run
from test_io_calibration import camera_infos

from depthapps import Metadata, read_calibration, read_disparity, read_image, read_photo, write_image
from depthapps.io.photos.metadata import camera_name

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 255, (height, width, 3)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 0.8)


def sharpness(image: np.ndarray, rows: slice, columns: slice) -> float:
    """Mean squared Laplacian of a region."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[rows, columns].astype(np.float32)
    return float((cv2.Laplacian(grey, cv2.CV_32F) ** 2).mean())


@pytest.fixture
def portrait(tmp_path):
    """A GDepth photo of a near square before a far wall, both full of detail, turned by its EXIF."""
    image = texture(240, 320)
    image[60:180, 100:220] = texture(120, 120, 1)
    depth = np.full((60, 80), 255, np.uint8)
    depth[15:45, 25:55] = 0
    exif = Pillow.Exif()
    exif[0x0110], exif[0x0112] = "Phone", 6
    data = gdepth_jpeg(
        encoded(image, exif=exif, icc_profile=PROFILE), encoded(depth, ".png"),
        Format="RangeInverse", Near=0.5, Far=4, Units="m",
    )  # fmt: skip
    (tmp_path / "portrait.jpg").write_bytes(data)
    return tmp_path / "portrait.jpg"


def test_focus_moves_in_a_portrait(tmp_path, portrait):
    near, far = (slice(130, 190), slice(90, 150)), (slice(20, 60), slice(20, 220))
    pictures = {}
    for name, focus in (("near", "120,160"), ("far", "30,30")):
        out = tmp_path / f"{name}.jpg"
        facts = json.loads(run("bokeh", portrait, "-o", out, "--focus", focus, "--blur", 6, "--json").stdout)
        pictures[name] = read_photo(out)
        assert facts["focus_m"] == pytest.approx(0.5 if name == "near" else 4, rel=0.02)
        assert facts["calibration"]["assumed"] == ["focal length"]
        assert pictures[name].image.shape == (320, 240, 3)
        assert pictures[name].metadata.icc == PROFILE
        assert camera_name(pictures[name].metadata) == "Phone"
    images = {name: photo.image for name, photo in pictures.items()}
    assert sharpness(images["near"], *near) > 10 * sharpness(images["far"], *near)
    assert sharpness(images["far"], *far) > 10 * sharpness(images["near"], *far)


def test_relative_depth_says_that_metres_are_a_guess(tmp_path):
    data = gdepth_jpeg(encoded(texture(120, 160)), encoded(np.tile(np.arange(40, dtype=np.uint8), (30, 1)), ".png"))
    (tmp_path / "a.jpg").write_bytes(data)
    result = run("depth", tmp_path / "a.jpg", "-o", tmp_path / "z.npy", "--kind", "depth", "--json")
    assert "scale" in json.loads(result.stdout)["calibration"]["assumed"]
    assert "no unit" in result.stderr


def test_the_preview_of_a_given_depth_is_in_metres(tmp_path, portrait, monkeypatch):
    shown = []
    monkeypatch.setattr(
        "depthapps.draw.preview.render_depth_preview", lambda z, _: shown.append(z) or np.zeros((4, 4, 3), np.uint8)
    )
    run("depth", portrait, "-o", tmp_path / "p.png")
    assert np.nanmedian(shown[0]) == pytest.approx(4, rel=0.01)


def close(path, truth: TruePair) -> bool:
    return float(np.median(np.abs(read_disparity(path) - truth.disparity_px))) < 0.3


@pytest.mark.parametrize("cross_eyed", [False, True])
@pytest.mark.parametrize("squeezed", [False, True])
@pytest.mark.parametrize("layout", ["--side-by-side", "--top-bottom"])
def test_views_that_share_a_picture(tmp_path, two_layers, layout, squeezed, cross_eyed):
    views = [two_layers.pair.left, two_layers.pair.right]
    axis = 1 if layout == "--side-by-side" else 0
    if squeezed:
        size = (160, 240) if axis else (320, 120)
        views = [cv2.resize(v, size, interpolation=cv2.INTER_AREA) for v in views]
    write_image(tmp_path / "both.png", np.concatenate(views[::-1] if cross_eyed else views, axis))
    flags = [layout, *["--squeezed"] * squeezed, *["--cross-eyed"] * cross_eyed]
    run("depth", tmp_path / "both.png", *flags, "-o", tmp_path / "d.npy", "--save-confidence", tmp_path / "c.npy")
    assert close(tmp_path / "d.npy", two_layers)


def test_a_3d_cameras_file_is_matched_with_its_own_baseline(tmp_path, two_layers):
    views = [encoded(v) for v in (two_layers.pair.left, two_layers.pair.right)]
    (tmp_path / "a.mpo").write_bytes(multi_picture(views, [1, 2], (77, 1000)))
    facts = json.loads(run("depth", tmp_path / "a.mpo", "-o", tmp_path / "d.npy", "--json").stdout)
    assert close(tmp_path / "d.npy", two_layers)
    assert facts["calibration"]["baseline_m"] == 0.077
    assert facts["calibration"]["assumed"] == ["focal length"]


def test_never_rectifying_converged_views_of_a_3d_camera_says_where_infinity_is(tmp_path, two_layers):
    """The file tells the order, so that only the cameras can converge; the offset in the hint is one that works."""
    views = [encoded(v) for v in (two_layers.pair.left, np.roll(two_layers.pair.right, 40, axis=1))]
    (tmp_path / "a.mpo").write_bytes(multi_picture(views, [1, 2]))
    arguments = "depth", tmp_path / "a.mpo", "--rectify", "never", "-o", tmp_path / "d.npy"
    hint = run(*arguments, code=1).stderr.splitlines()[-1]
    offset = hint.split("--doffs ")[1].split()[0]
    run(*arguments, "--doffs", offset)
    error = read_disparity(tmp_path / "d.npy") + 40 - two_layers.disparity_px
    assert (np.abs(error[:, 60:-40]) > 1).mean() < 0.06
    assert 20 < float(offset) <= 40


def test_a_3d_camera_held_on_its_side_has_its_views_above_each_other(tmp_path, two_layers):
    exif = Pillow.Exif()
    exif[0x0112] = 6
    views = [encoded(v, exif=exif) for v in (two_layers.pair.left, two_layers.pair.right)]
    (tmp_path / "a.mpo").write_bytes(multi_picture(views, [1, 2]))
    run("depth", tmp_path / "a.mpo", "-o", tmp_path / "d.npy")
    error = read_disparity(tmp_path / "d.npy") - np.rot90(two_layers.disparity_px, -1)
    # where infinity lies is told by the keystone alone, see test_engine_rectify.py
    assert (np.abs(error - np.nanmedian(error))[60:-40, 30:-30] <= 2).mean() > 0.94


@pytest.mark.parametrize("size", [(160, 120), (400, 300)])
def test_a_second_photo_of_another_size_is_brought_to_the_first_ones(tmp_path, two_layers, size):
    write_image(tmp_path / "a.png", two_layers.pair.left)
    write_image(tmp_path / "b.png", cv2.resize(two_layers.pair.right, size, interpolation=cv2.INTER_AREA))
    result = run("depth", tmp_path / "a.png", tmp_path / "b.png", "-o", tmp_path / "d.npy")
    assert f"the second photo, {size[0]}x{size[1]}, is brought" in result.stderr
    assert close(tmp_path / "d.npy", two_layers)


def test_a_crop_is_not_stretched(tmp_path, two_layers):
    write_image(tmp_path / "a.png", two_layers.pair.left)
    write_image(tmp_path / "b.png", two_layers.pair.right[:-8, :-4])
    arguments = (tmp_path / "a.png", tmp_path / "b.png", "-o", tmp_path / "d.npy")
    note = run("depth", *arguments).stderr
    assert "316x232, is cut or padded" in note
    assert "off by 2 px" in note  # the middle of the crop is put on the middle: it cannot be farther away
    found, truth = np.load(tmp_path / "d.npy"), two_layers.disparity_px
    near = truth > truth.mean()
    inside = np.zeros(truth.shape, np.bool_)
    inside[16:-16, 40:-16] = True
    # the crop moves all disparities alike, as cameras turned towards each other do; what lies between them stays
    apart = [np.nanmedian(part[near & inside]) - np.nanmedian(part[~near & inside]) for part in (found, truth)]
    assert apart[0] == pytest.approx(apart[1], abs=0.5)
    assert np.nanmean(np.abs(found - np.nanmedian(found[~near & inside]))[~near & inside] < 1) > 0.9


def test_hints_of_pairs_that_do_not_match_lead_on(tmp_path, two_layers):
    """Cameras one above the other are matched once their rows may be made to line up."""
    left, right = (np.rot90(v) for v in (two_layers.pair.left, two_layers.pair.right))
    for name, view in (("a", left), ("b", right), ("c", two_layers.pair.right)):
        write_image(tmp_path / f"{name}.png", np.ascontiguousarray(view))
    arguments = ["depth", tmp_path / "a.png", tmp_path / "b.png", "-o", tmp_path / "d.npy"]
    assert "without --rectify never" in run(*arguments, "--rectify", "never", code=1).stderr.splitlines()[-1]
    run(*arguments)
    arguments[2] = tmp_path / "c.png"
    assert "turn one of them by 90 degrees" in run(*arguments, "--overwrite", code=1).stderr.splitlines()[-1]


def test_a_3d_cameras_file_that_lost_its_second_view(tmp_path, two_layers):
    (tmp_path / "a.mpo").write_bytes(encoded(two_layers.pair.left))
    result = run("depth", tmp_path / "a.mpo", "-o", tmp_path / "d.npy", code=1)
    assert "from the camera" in result.stderr.splitlines()[-1]


def test_doffs_by_hand_has_no_part_in_what_was_rectified(tmp_path, two_layers):
    for name, view in (("a", two_layers.pair.left), ("b", two_layers.pair.right)):
        write_image(tmp_path / f"{name}.png", view)
    arguments = ["depth", tmp_path / "a.png", tmp_path / "b.png", "--doffs", "3", "-o"]
    assert "--doffs is not used" in run(*arguments, tmp_path / "d.npy", "--rectify", "always").stderr
    assert "--doffs" not in run(*arguments, tmp_path / "e.npy").stderr


@pytest.mark.parametrize("kind", ["metric", "inverse", "affine-inverse"])
def test_depth_maps_of_other_kinds_and_sizes(tmp_path, step_scene, kind):
    write_image(tmp_path / "photo.png", step_scene.image)
    small = cv2.resize(step_scene.depth_m, (40, 30), interpolation=cv2.INTER_NEAREST)
    values = {"metric": small, "inverse": 1 / small, "affine-inverse": 7 / small - 2}[kind]
    np.save(tmp_path / "map.npy", values)
    result = run("depth", tmp_path / "photo.png", "--depth", tmp_path / "map.npy", "--depth-kind", kind,
                 "-o", tmp_path / "z.npy", "--kind", "depth", "--json")  # fmt: skip
    expected = np.where(step_scene.depth_m == 1, 1, 10) if kind == "affine-inverse" else step_scene.depth_m
    assert (np.abs(np.load(tmp_path / "z.npy") / expected - 1) > 0.02).mean() < 0.01
    assert ("range" in json.loads(result.stdout)["calibration"]["assumed"]) == (kind == "affine-inverse")
    np.save(tmp_path / "tall.npy", np.ones((40, 30), np.float32))
    message = refuse("depth", tmp_path, tmp_path / "photo.png", "--depth", tmp_path / "tall.npy", "--depth-kind", kind,
                     "-o", tmp_path / "y.npy")  # fmt: skip
    assert "depth is 30x40" in message or "same value" in message


def test_layouts_that_contradict_are_refused(tmp_path, two_layers, portrait):
    write_image(tmp_path / "both.png", np.hstack([two_layers.pair.right, two_layers.pair.left]))
    write_image(tmp_path / "left.png", two_layers.pair.left)
    out = ["-o", tmp_path / "d.npy"]
    cases = {
        "given twice": [tmp_path / "both.png", "--side-by-side", "--anaglyph"],
        "depth was given twice": [tmp_path / "both.png", tmp_path / "both.png", "--side-by-side"],
        "--squeezed says": [tmp_path / "both.png", "--squeezed"],
        "--cross-eyed says": [tmp_path / "both.png", "--cross-eyed"],
        "only one view": [tmp_path / "left.png"],
        "look exchanged": [tmp_path / "both.png", "--side-by-side", "--rectify", "never"],
        "no confidence": [portrait, "--save-confidence", tmp_path / "c.npy"],
        "needs a stereo pair": [portrait, "--matcher", "a.onnx"],
        "--rectify always needs a stereo pair": [portrait, "--rectify", "always"],
        "--depth-kind says": [portrait, "--depth-kind", "inverse"],
    }
    for message, arguments in cases.items():
        assert message in refuse("depth", tmp_path, *arguments, *out)
    hint = run("depth", tmp_path / "both.png", "--side-by-side", "--rectify", "never", *out, code=1).stderr
    assert "--cross-eyed" in hint


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("right", "--depth-kind", "inverse"), "add --depth FILE, or leave --depth-kind out"),
        (("--disparity", "map", "--depth-kind", "inverse"), "add --depth FILE, or leave --depth-kind out"),
        (("right", "--disparity-scale", "4"), "add --disparity FILE, or leave --disparity-scale out"),
        (("--depth", "map", "--disparity-scale", "4"), "add --disparity FILE, or leave --disparity-scale out"),
        (("right", "--invert"), "add --depth FILE or --disparity FILE, or leave --invert out"),
        (("--depth", "map", "--rectify", "always"), "add the right view, or leave --rectify always out"),
        (("right", "--cameras", "a,b"), "add --calibration FILE, or leave --cameras out"),
    ],
)
def test_options_that_would_change_nothing_are_refused(tmp_path, two_layers, given, said):
    write_image(tmp_path / "left.png", two_layers.pair.left)
    write_image(tmp_path / "right.png", two_layers.pair.right)
    np.save(tmp_path / "map.npy", two_layers.disparity_px)
    named = [tmp_path / f"{word}.{'npy' if word == 'map' else 'png'}" if word in ("map", "right") else word
             for word in given]  # fmt: skip
    result = run("depth", tmp_path / "left.png", *named, "-o", tmp_path / "d.npy", code=1)
    assert result.stderr.splitlines()[-1] == f"hint: {said}"
    assert not (tmp_path / "d.npy").exists()


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_shadow_and_bokeh_keep_sixteen_bits_exif_and_profile(tmp_path, step_scene, suffix):
    exif = Pillow.Exif()
    exif[0x0110] = "Camera"
    metadata = Metadata(exif.tobytes().removeprefix(b"Exif\0\0"), PROFILE)
    write_image(tmp_path / "photo.png", step_scene.image.astype(np.uint16) * 200, metadata)
    np.save(tmp_path / "z.npy", step_scene.depth_m)
    for command in ("bokeh", "shadow"):
        out = tmp_path / f"{command}.{suffix}"
        run(command, tmp_path / "photo.png", "--depth", tmp_path / "z.npy", "-o", out)
        photo = read_photo(out)
        assert photo.image.dtype == np.uint16
        assert photo.metadata.icc == PROFILE
        assert camera_name(photo.metadata) == "Camera"


@pytest.mark.skipif(not REAL_PORTRAITS.is_dir(), reason="the real portraits are not on this machine")
@pytest.mark.parametrize(
    ("name", "depth", "near", "far", "reach"),
    [
        ("gdepth.jpg", (), (480, 1130), (1200, 300), 100),
        ("apple_portrait.heic", (), (3850, 2600), (1200, 600), 100),
        (
            "iphone_rear.png",
            ("--depth", REAL_PORTRAITS / "iphone_rear_depth.png", "--depth-kind", "affine-inverse"),
            (283, 378),
            (80, 280),
            60,
        ),
    ],
    ids=["gdepth", "apple", "photo and map"],
)
def test_focus_moves_in_real_portraits(tmp_path, name, depth, near, far, reach):
    if name.endswith("heic"):
        pytest.importorskip("pillow_heif")
    pictures = {}
    for which, (x, y) in (("near", near), ("far", far)):
        out = tmp_path / f"{which}.jpg"
        run("bokeh", REAL_PORTRAITS / name, *depth, "-o", out, "--focus", f"{x},{y}", "--blur", 8, "--quality", "fast")
        pictures[which] = read_image(out)
    for which, other, (x, y) in (("near", "far", near), ("far", "near", far)):
        region = slice(y - reach, y + reach), slice(x - reach, x + reach)
        assert sharpness(pictures[which], *region) > 2 * sharpness(pictures[other], *region)


def test_rectified_views_with_the_calibration_of_the_cameras_that_took_them(tmp_path, two_layers):
    left, right, other = (tmp_path / f"{name}.png" for name in ("left", "right", "other"))
    for path, view in ((left, two_layers.pair.left), (right, two_layers.pair.right), (other, texture(240, 320))):
        write_image(path, view)
    (rig, _), out = camera_infos(tmp_path), ["-o", tmp_path / "out.npy"]
    found = json.loads(run("depth", left, right, "-c", rig, *out, "--rectify", "never", "--json").stdout)
    assert found["calibration"]["fx_px"] == pytest.approx(
        read_calibration(rig).matrix[0, 0] / 2, rel=1e-3
    )  # at half the size
    assert "--rectify never" in run("depth", left, other, "-c", rig, *out, "--overwrite", code=1).stderr


def test_a_baseline_in_millimetres_is_noticed(tmp_path, two_layers):
    photo = [tmp_path / "left.png", tmp_path / "right.png", "--quality", "fast"]
    for path, view in zip(photo, (two_layers.pair.left, two_layers.pair.right), strict=False):
        write_image(path, view)
    for given, told in ((65, True), (0.065, False)):
        result = run("depth", *photo, "--baseline", given, "-o", tmp_path / f"{told}.png")
        assert ("if millimetres are meant, pass --baseline 0.065" in result.stderr) == told
