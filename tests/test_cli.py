"""The commands: what they write, what they say, and how they refuse."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import ROOT, SAMPLES, read_raw
from PIL import Image as Pillow
from typer.testing import CliRunner

from depthapps import read_depth, read_disparity, read_image, write_image
from depthapps.cli.app import app

COMMANDS = {"depth": "out.pfm", "bokeh": "out.png", "shadow": "out.png", "mesh": "out.glb"}
LEFT, RIGHT, CALIB = (str(SAMPLES / n) for n in ("left.png", "right.png", "calib.txt"))


def run(*arguments, code: int = 0):
    """The result of a command in this process, which has to end with `code`."""
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def pair(tmp_path, two_layers) -> list[Path]:
    """Two small views on disk."""
    paths = [tmp_path / "left.png", tmp_path / "right.png"]
    for path, view in zip(paths, (two_layers.pair.left, two_layers.pair.right), strict=True):
        write_image(path, view)
    return paths


@pytest.fixture
def photo(tmp_path, step_scene) -> list:
    """The arguments of a photo with its depth."""
    write_image(tmp_path / "photo.png", step_scene.image)
    np.save(tmp_path / "depth.npy", step_scene.depth_m)
    return [tmp_path / "photo.png", "--depth", tmp_path / "depth.npy", "--focal-px", 100]


def entries(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


# ------------------------------------------------------------------------------ real processes


@pytest.mark.parametrize(
    ("arguments", "check"),
    [
        (["depth", "-o", "d.pfm"], lambda p: read_disparity(p / "d.pfm")),
        (["bokeh", "-o", "b.jpg", "--focus", "200,215"], lambda p: read_image(p / "b.jpg")),
        (["shadow", "-o", "r.tif"], lambda p: read_image(p / "r.tif")),
        (["mesh", "-o", "m.glb"], lambda p: (p / "m.glb").read_bytes()[:4] == b"glTF" or pytest.fail("no glTF")),
    ],
    ids=COMMANDS,
)
def test_each_command_in_a_process_of_its_own(tmp_path, small_sample, arguments, check):
    job, *flags = arguments
    pair = [small_sample / "left.png", small_sample / "right.png", "-c", small_sample / "calib.txt"]
    command = [sys.executable, "-m", "depthapps", job, *pair, *flags, "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    facts = json.loads(done.stdout)
    assert facts["command"] == job
    assert facts["calibration"]["baseline_m"] == 0.05
    assert facts["calibration"]["assumed"] == []
    assert facts["disparity_range_px"][0] < 7.1
    assert facts["disparity_range_px"][1] > 42.2
    assert facts["seconds"]["total"] > 0
    assert facts["outputs"] == [arguments[2]]
    assert "Traceback" not in done.stderr
    assert check(tmp_path) is not None


def test_the_entry_point_is_installed():
    done = subprocess.run(
        [Path(sys.executable).with_name("depthapps"), "--version"], capture_output=True, text=True, check=True
    )
    assert "opencv-python" in done.stdout
    assert done.stdout.startswith("depthapps ")


# ------------------------------------------------------------------------------------- results


def test_depth_kinds(tmp_path, pair, two_layers):
    disparity, depth = tmp_path / "d.npy", tmp_path / "z.npy"
    run("depth", *pair, "-o", disparity, "--baseline", 0.1, "--focal-px", 300)
    assert np.median(np.abs(read_disparity(disparity) - two_layers.disparity_px)) < 0.2
    run("depth", *pair, "-o", depth, "--kind", "depth", "--baseline", 0.1, "--focal-px", 300)
    assert np.allclose(read_depth(depth), 30 / read_disparity(disparity), rtol=1e-5)
    run("depth", *pair, "-o", tmp_path / "p.png")
    preview = read_image(tmp_path / "p.png")
    assert preview.shape[0] == 240
    assert preview.shape[1] > 320
    run("depth", *pair, "-o", tmp_path / "p16.png", "--kind", "disparity")
    assert read_raw(tmp_path / "p16.png").dtype == np.uint16


def test_a_small_pair_is_matched_whole_in_little_memory(tmp_path, pair):
    """The limit halves the largest volume to match; that of a small pair is far below it, and nothing is told."""
    told = run("depth", *pair, "-o", tmp_path / "d.npy", "--max-memory", "2G").stderr
    assert "smaller size" not in told
    assert "of memory may be used" not in told


def test_depth_and_disparity_are_taken_from_files(tmp_path, photo, step_scene):
    run("depth", *photo, "-o", tmp_path / "d.pfm", "--baseline", 0.1)
    assert np.allclose(read_disparity(tmp_path / "d.pfm"), 10 / step_scene.depth_m)
    run("depth", photo[0], "--disparity", tmp_path / "d.pfm", "--focal-px", 100, "--baseline", 0.1,
        "--kind", "depth", "-o", tmp_path / "z.tif")  # fmt: skip
    assert np.allclose(read_depth(tmp_path / "z.tif"), step_scene.depth_m, rtol=1e-5)


def test_what_the_engine_found_is_kept(tmp_path, pair):
    run(
        "bokeh",
        *pair,
        "-o",
        tmp_path / "b.png",
        "--save-depth",
        tmp_path / "z.png",
        "--save-disparity",
        tmp_path / "d.npy",
        "--save-confidence",
        tmp_path / "c.png",
    )
    assert np.isfinite(read_disparity(tmp_path / "d.npy")).all()
    confidence = read_raw(tmp_path / "c.png") / 65535
    assert confidence.shape == (240, 320)
    assert np.median(confidence) > 0.8
    assert read_raw(tmp_path / "z.png").dtype == np.uint16


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_bokeh_keeps_sixteen_bits(tmp_path, photo, step_scene, suffix):
    image = step_scene.image.astype(np.uint16) * 200
    write_image(photo[0], image)
    run("bokeh", *photo, "-o", tmp_path / f"b.{suffix}", "--focus", "60,45", "--blur", 4)
    out = read_image(tmp_path / f"b.{suffix}")
    assert out.dtype == np.uint16
    assert np.array_equal(out[40:50, 55:65], image[40:50, 55:65])


def test_a_lens_blurs_as_it_should(tmp_path, photo):
    result = run("bokeh", *photo, "-o", tmp_path / "b.png", "--focus-depth", 1, "--f-number", 1.8, "--json")
    facts = json.loads(result.stdout)
    assert facts["focus_m"] == 1
    assert facts["largest_blur_px"] == pytest.approx(50 / 36 * 120 * 0.05 / 3.6 * (1 - 1 / 3), abs=0.01)


def test_shadow_writes_mask_and_map(tmp_path, photo):
    run("shadow", *photo, "--direction=0.4,0.1,1", "--mask", tmp_path / "m.png", "--shadow-map", tmp_path / "s.tif",
        "--map-size", 200)  # fmt: skip
    mask, depth = read_raw(tmp_path / "m.png"), read_depth(tmp_path / "s.tif")
    assert mask.dtype == np.uint8
    assert mask.shape == (90, 120)
    assert 0.005 < (mask == 0).mean() < 0.2
    assert depth.shape == (200, 200)
    matrices = json.loads((tmp_path / "s.json").read_text())
    assert np.shape(matrices["camera_to_light"]) == (4, 4)
    assert np.shape(matrices["projection"]) == (3, 4)


def test_shadow_takes_several_lights_and_says_how_sure_it_is(tmp_path, photo):
    (tmp_path / "l.json").write_text(
        '[{"azimuth": 60}, {"light": "spot", "position": [0.3, -0.5, 0.2], "target": [0, 0, 3], "temperature": 3000}]'
    )
    outputs = ["-o", tmp_path / "r.png", "--ao", tmp_path / "ao.png", "--confidence", tmp_path / "c.png"]
    run("shadow", *photo, "--lights", tmp_path / "l.json", *outputs)
    assert {"r.png", "ao.png", "c.png"} <= entries(tmp_path)
    (tmp_path / "bad.json").write_text('[{"azimut": 60}]')
    assert "'azimut'" in refuse("shadow", tmp_path, *photo, "--lights", tmp_path / "bad.json", "-o", tmp_path / "b.png")
    (tmp_path / "bad.json").write_text('[{"light": "point", "position": [0, 0, 0], "angle": 30}]')
    message = refuse("shadow", tmp_path, *photo, "--lights", tmp_path / "bad.json", "-o", tmp_path / "b.png")
    assert message == "error: a point light has no angle"


def test_a_sweep_makes_a_video(tmp_path, photo):
    run("shadow", *photo, "--sweep", "azimuth=-60:60", "--frames", 5, "-o", tmp_path / "day.gif")
    with Pillow.open(tmp_path / "day.gif") as gif:
        assert getattr(gif, "n_frames", 1) == 5


def test_quality_sets_how_a_soft_light_is_found(tmp_path, photo):
    masks = {}
    for quality in ("fast", "balanced", "best"):
        run("shadow", *photo, "--direction=0.4,0.1,1", "--angular-size", 15, "--mask", tmp_path / f"{quality}.png",
            "--confidence", tmp_path / f"{quality}_sure.png", "--quality", quality)  # fmt: skip
        masks[quality] = read_raw(tmp_path / f"{quality}.png") / 255
    assert len(np.unique(masks["balanced"])) <= 49 < len(np.unique(masks["best"]))
    assert 0 < np.abs(masks["fast"] - masks["best"]).mean() < 0.02
    assert np.array_equal(*(read_raw(tmp_path / f"{quality}_sure.png") > 200 for quality in ("balanced", "best")))


def test_mesh_writes_all_it_is_asked_for(tmp_path, photo):
    run("mesh", *photo, "-o", tmp_path / "a.glb", "-o", tmp_path / "a.obj", "-o", tmp_path / "a.ply",
        "--viewer", tmp_path / "a.html")  # fmt: skip
    assert {"a.glb", "a.obj", "a.mtl", "a.png", "a.ply", "a.html"} <= entries(tmp_path)
    run("mesh", *photo, "-o", tmp_path / "cloud.ply", "--points")
    assert b"element face" not in (tmp_path / "cloud.ply").read_bytes()[:600]


# ------------------------------------------------------------------------------------ messages


def test_an_assumption_is_said_once_and_is_data(tmp_path, pair):
    result = run("depth", *pair, "-o", tmp_path / "z.npy", "--kind", "depth", "--json")
    assert json.loads(result.stdout)["calibration"]["assumed"] == ["focal length", "baseline"]
    assert result.stderr.count("assuming") == 1
    assert "60°" in result.stderr
    assert "65 mm" in result.stderr
    assert run("depth", *pair, "-o", tmp_path / "z.npy", "--overwrite", "-q").stderr == ""
    verbose = run("depth", *pair, "-o", tmp_path / "z.npy", "--overwrite", "-v").stderr
    assert "disparities from" in verbose


def test_the_photos_own_lens_comes_before_the_assumption(tmp_path, photo):
    exif = Pillow.Exif()
    exif.get_ifd(0x8769)[0xA405] = 35  # EXIF: FocalLengthIn35mmFilm
    Pillow.new("RGB", (120, 90)).save(tmp_path / "photo.jpg", exif=exif)
    facts = json.loads(run("depth", tmp_path / "photo.jpg", *photo[1:3], "-o", tmp_path / "p.png", "--json").stdout)
    assert facts["calibration"]["fx_px"] == pytest.approx(35 / 43.2666 * 150, abs=0.01)
    assert facts["calibration"]["assumed"] == []


def test_a_focal_length_by_hand_keeps_the_files_principal_point(tmp_path, pair):
    (tmp_path / "c.txt").write_text("cam0=[300 0 100; 0 300 90; 0 0 1]\nbaseline=100\ndoffs=2\nwidth=320\nheight=240\n")
    facts = json.loads(run("depth", *pair, "-c", tmp_path / "c.txt", "--fov", 60, "--doffs", 1, "--baseline", 0.2,
                           "-o", tmp_path / "z.npy", "--json").stdout)  # fmt: skip
    found = facts["calibration"]
    assert found["fx_px"] == pytest.approx(277.128)
    assert (found["cx_px"], found["doffs_px"], found["baseline_m"]) == (100, 1, 0.2)


def test_a_calibration_is_scaled_to_the_picture(tmp_path, pair):
    (tmp_path / "c.txt").write_text(
        "cam0=[600 0 319.5; 0 600 239.5; 0 0 1]\nbaseline=100\ndoffs=4\nwidth=640\nheight=480\n"
    )
    facts = json.loads(run("depth", *pair, "-c", tmp_path / "c.txt", "-o", tmp_path / "z.npy", "--json").stdout)
    assert facts["calibration"]["fx_px"] == 300
    assert facts["calibration"]["cx_px"] == 159.5
    assert facts["calibration"]["doffs_px"] == 2


# -------------------------------------------------------------------------------------- errors


def refuse(command: str, folder: Path, *arguments) -> str:
    """The message of a command that has to refuse: one error line, one hint line, exit 1, nothing written."""
    before = entries(folder)
    result = run(command, *arguments, code=1)
    lines = result.stderr.strip().splitlines()
    assert [line.split(":")[0] for line in lines if not line.startswith("note:")] == ["error", "hint"]
    assert result.stdout == ""
    assert entries(folder) == before
    return lines[-2]


@pytest.mark.parametrize("command", COMMANDS)
def test_bad_input_gets_one_error_and_one_hint(command, tmp_path, pair):
    left, right = pair
    out = ["-o", tmp_path / COMMANDS[command]]
    write_image(tmp_path / "small.png", np.zeros((100, 90, 3), np.uint8))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG broken")
    (tmp_path / "there.glb").write_bytes(b"")
    (tmp_path / COMMANDS[command].replace("out", "there")).write_bytes(b"old")
    np.save(tmp_path / "z.npy", np.ones((3, 3), np.float32))
    cases = {
        "does not exist": [left, tmp_path / "no.png", *out],
        "the image": [tmp_path / "no.png", right, *out],
        "not an image": [left, tmp_path / "broken.png", *out],
        "the first photo is 320x240 but the second is 90x100": [left, tmp_path / "small.png", *out],
        "which a": [left, right, "-o", tmp_path / "out.xyz"],
        "the folder": [left, right, "-o", tmp_path / "no" / COMMANDS[command]],
        "exists already": [left, right, "-o", tmp_path / COMMANDS[command].replace("out", "there")],
        "only one view": [left, *out],
        "given twice": [left, right, "--depth", tmp_path / "z.npy", *out],
        "exchanged": [right, left, "--rectify", "never", *out],
        "the two photos are the same": [left, left, "--rectify", "never", *out],
        "depth is 3x3": [left, "--depth", tmp_path / "z.npy", *out],
        "no names with numbers": [left, right, "-c", ROOT / "LICENSE", *out],
        "focal length was given twice": [left, right, "--fov", 60, "--focal-px", 300, *out],
        "a baseline of 0 m": [left, right, "--baseline", 0, *out],
        "a depth scale of 0": [left, right, "--depth-scale", 0, *out],
        "field of view of 200": [left, right, "--fov", 200, *out],
        "calibration": [left, right, "-c", tmp_path / "no.yml", *out],
        "disparity map": [left, right, "--save-disparity", tmp_path / "d.jpg", *out],
        "no confidence to save": [left, "--depth", tmp_path / "z.npy", "--save-confidence", tmp_path / "c.npy", *out],
    }
    for message, arguments in cases.items():
        assert message in refuse(command, tmp_path, *arguments)
    assert (tmp_path / COMMANDS[command].replace("out", "there")).read_bytes() == b"old"


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        ("bokeh", ["-o", "b.png", "--focus", "900,5"], "outside the picture"),
        ("bokeh", ["-o", "b.png", "--f-number", "0"], "f-number is 0"),
        ("bokeh", ["-o", "b.png", "--rotation", "20"], "turns the blades"),
        ("bokeh", ["-o", "b.png", "--focal-length", "85"], "are of a real lens"),
        ("bokeh", ["-o", "b.png", "--blur", "9", "--sensor-width", "24"], "are of a real lens"),
        ("shadow", ["--mask", "m.png", "--map-size", "99"], "side of a shadow map"),
        *(
            ("shadow", ["--mask", "m.png", f"--{name}", value], f"--{name} changes the relit picture")
            for name, value in (
                ("ambient", "0.5"),
                ("strength", "0.5"),
                ("flatten", "1"),
                ("color", "1,0,0"),
                ("temperature", "2700"),
                ("intensity", "2"),
            )
        ),
        ("shadow", [], "no output"),
        ("shadow", ["-o", "r.png", "--light", "point"], "needs a position"),
        ("shadow", ["-o", "r.png", "--position", "1,1,1"], "has no position"),
        ("shadow", ["-o", "r.png", "--light", "point", "--position", "0,0,0", "--direction", "0,0,1"], "no direction"),
        ("shadow", ["-o", "r.png", "--light", "point", "--position", "0,0,0", "--target", "0,0,1"], "no target"),
        (
            "shadow",
            ["-o", "r.png", "--light", "point", "--position", "0,0,0", "--angle", "30"],
            "point light has no angle",
        ),
        ("shadow", ["-o", "r.png", "--light", "point", "--position", "0,0,0", "--azimuth", "9"], "has no azimuth"),
        ("shadow", ["-o", "r.png", "--size", "0.2"], "directional light has no size"),
        ("shadow", ["-o", "r.png", "--direction", "0,1,1", "--elevation", "9"], "direction was given twice"),
        ("shadow", ["-o", "r.gif", "--sweep", "azimuth=0:9", "--azimuth", "9"], "--sweep moves the azimuth itself"),
        ("shadow", ["-o", "r.png", "--frames", "9"], "for the video of a sweep"),
        ("bokeh", ["-o", "b.png", "--fps", "30"], "for the video of a sweep"),
        ("shadow", ["-o", "r.png", "--direction", "0,0,0"], "no length"),
        ("shadow", ["--mask", "m.jpg"], "suffix '.jpg'"),
        ("mesh", [], "no output"),
        ("mesh", ["-o", "a.obj", "--points"], "point cloud cannot take"),
        ("mesh", ["-o", "a.glb", "-o", "a.glb"], "named twice"),
        ("mesh", ["-o", "my model.obj"], "blank"),
        ("depth", ["-o", "d.pfm", "--unsure", "grey"], "--unsure is for previews"),
        ("depth", ["-o", "d.pfm", "--kind", "preview"], "suffix '.pfm'"),
        ("depth", ["-o", "d.pfm", "--save-rectified", "."], "no beginning of a name"),
    ],
)
def test_contradictions_are_refused(command, arguments, message, tmp_path, photo, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in refuse(command, tmp_path, *photo, *arguments)


@pytest.mark.parametrize(
    "arguments",
    [["bokhe"], ["depth"], ["bokeh", "a", "b", "-o", "c.png", "--focus", "1"], ["mesh", "a", "--quality", "x"]],
)
def test_usage_errors_exit_with_2(arguments):
    run(*arguments, code=2)


def test_a_full_disk_gets_one_error_and_leaves_nothing(tmp_path, photo, monkeypatch):
    own = Path.open

    def full(path, mode="r", *rest, **options):
        if mode == "wb":
            raise OSError(28, "No space left on device")
        return own(path, mode, *rest, **options)

    monkeypatch.setattr(Path, "open", full)
    assert f"no space left for {tmp_path / 'm.ply'}" in refuse("mesh", tmp_path, *photo, "-o", tmp_path / "m.ply")


def test_a_wrong_command_gets_a_suggestion():
    assert "bokeh" in run("bokhe", code=2).output


def test_overwriting_is_asked_for(tmp_path, photo):
    out = tmp_path / "b.png"
    out.write_bytes(b"old")
    run("bokeh", *photo, "-o", out, "--overwrite")
    assert cv2.imread(str(out)) is not None


@pytest.mark.parametrize(
    ("command", "arguments", "out"),
    [
        ("bokeh", ["photo.png", "--depth", "depth.npy"], ["-o", "photo.png"]),
        ("depth", ["photo.png", "--depth", "depth.npy"], ["-o", "d.png", "--save-depth", "depth.npy"]),
        ("mesh", ["photo.png", "--depth", "depth.npy"], ["-o", "photo.obj"]),
        ("mesh", ["--sequence", "."], ["-o", "photo.obj"]),
        ("shadow", ["photo.png", "--depth", "depth.npy", "--lights", "sun.json"], ["--shadow-map", "sun.tif"]),
        ("calibrate", ["--left", "p*.png", "--board", "9x6", "--square=1"], ["-o", "r.yml", "--coverage", "photo.png"]),
    ],
)  # fmt: skip
def test_an_input_is_not_replaced_even_if_it_is_asked_for(tmp_path, photo, monkeypatch, command, arguments, out):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sun.json").write_text('[{"azimuth": 20}]')
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert "inputs are never replaced" in run(command, *arguments, *out, "--overwrite", code=1).stderr
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_names_are_shown_as_text_and_not_obeyed_by_the_terminal(tmp_path):
    told = run("depth", tmp_path / "a\x1b[31m\nb.png", "-o", tmp_path / "o.png", code=1).stderr
    assert "a\\x1b[31m\\nb.png" in told
    assert len(told.splitlines()) == 2


def test_a_file_path_may_hold_anything(tmp_path, photo):
    folder = tmp_path / "Bilder ü 日本"
    folder.mkdir()
    run("bokeh", *photo, "-o", folder / "b ß.png")
    run("mesh", *photo, "-o", folder / "m ß.glb")
    assert entries(folder) == {"b ß.png", "m ß.glb"}


def test_one_view_without_depth_is_refused_before_anything_is_loaded(tmp_path):
    program = (
        "import sys\nfrom typer.testing import CliRunner\nfrom depthapps.cli.app import app\n"
        f"result = CliRunner().invoke(app, ['bokeh', {LEFT!r}, '-o', {str(tmp_path / 'out.png')!r}])\n"
        "print(result.exit_code, 'only one view' in result.output, 'numpy' in sys.modules, 'cv2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "True", "False", "False"]


def test_what_a_16_bit_map_cannot_hold_is_said(tmp_path, step_scene):
    write_image(tmp_path / "photo.png", step_scene.image)
    np.save(tmp_path / "far.npy", np.where(step_scene.depth_m > 2, 80, 1).astype(np.float32))
    given = [tmp_path / "photo.png", "--depth", tmp_path / "far.npy", "--kind", "depth"]
    said = run("depth", *given, "-o", tmp_path / "far.png").stderr
    assert "far.png holds depths up to 65.5 m" in said
    assert "--depth-scale" in said
    assert "holds depths" not in run("depth", *given, "-o", tmp_path / "far.tif").stderr
    assert "holds depths" not in run("depth", *given, "-o", tmp_path / "scaled.png", "--depth-scale", 500).stderr


def test_a_16_bit_map_whose_units_are_too_large_says_so(tmp_path, pair):
    flags = ("--kind", "depth", "--focal-px", 100, "--depth-scale", 1e-4)
    said = run("depth", *pair, *flags, "-o", tmp_path / "coarse.png").stderr
    assert "in steps of 1e+04 m: 100 % of the pixels are unknown" in said
    assert "or another --depth-scale" in said


@pytest.mark.parametrize(
    ("numbers", "flags", "said", "hint"),
    [
        (0, ["--depth"], "no known depth", "is it the right file?"),
        (2, ["--invert", "--depth"], "no known depth", "leave --invert out"),
        (-2, ["--depth"], "no known depth", "--invert changes their sign"),
        (np.nan, ["--disparity"], "no known disparity", "is it the right file?"),
        (2, ["--near", 1, "--depth"], "as --near, belong to maps without a scale", "or leave them out"),
    ],
)
def test_hints_on_maps_without_a_known_pixel_are_true(tmp_path, numbers, flags, said, hint):
    write_image(tmp_path / "photo.png", np.zeros((20, 30, 3), np.uint8))
    np.save(tmp_path / "map.npy", np.full((20, 30), numbers, np.float32))
    result = run("bokeh", tmp_path / "photo.png", *flags, tmp_path / "map.npy", "-o", tmp_path / "o.png", code=1)
    assert said in result.stderr
    assert hint in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("suffix", [".npy", ".png", ".exr"])
def test_an_empty_map_is_called_that(tmp_path, suffix):
    write_image(tmp_path / "photo.png", np.zeros((20, 30, 3), np.uint8))
    (tmp_path / f"map{suffix}").write_bytes(b"")
    given = [tmp_path / "photo.png", "--depth", tmp_path / f"map{suffix}"]
    assert "it is empty: 0 bytes" in run("bokeh", *given, "-o", tmp_path / "o.png", code=1).stderr


def test_a_photo_that_is_transparent_everywhere_is_called_that(tmp_path):
    Pillow.new("RGBA", (30, 20), (9, 9, 9, 0)).save(tmp_path / "photo.png")
    np.save(tmp_path / "depth.npy", np.ones((20, 30), np.float32))
    given = [tmp_path / "photo.png", "--depth", tmp_path / "depth.npy"]
    result = run("bokeh", *given, "-o", tmp_path / "o.png", code=1)
    assert "error: the picture is transparent wherever its depth is known" in result.stderr
    assert "units" not in result.stderr


def test_an_output_without_a_name_is_not_told_of_with_none(tmp_path):
    assert "error: . has no suffix" in run("depth", LEFT, RIGHT, "-o", "", code=1).stderr


def test_numbers_out_of_range_name_their_option(tmp_path, photo):
    blur = run("bokeh", *photo, "-o", tmp_path / "b.png", "--blur", "nan", code=1).stderr
    assert "must be a number" in blur
    assert "--blur" in blur
    plate = ("-o", tmp_path / "p.stl", "--preset", "lithophane", "--size-mm", 0)
    assert "--size-mm" in run("mesh", *photo, *plate, code=1).stderr


@pytest.mark.parametrize(
    ("command", "option", "value", "told"),
    [
        ("bokeh", "--f-number", "two", ""),
        ("bokeh", "--blades", "2.5", ""),
        ("bokeh", "--quality", "zz", "'fast', 'balanced', 'best'"),
        ("mesh", "--max-triangles", "1", "4"),
        ("mesh", "--turn", "99", "45"),
        ("calibrate", "--square", "x", ""),
    ],
)
def test_a_value_that_no_option_takes_is_named_and_no_other_library_speaks(command, option, value, told):
    lines = run(command, option, value, code=2).stderr.splitlines()
    assert f"'{option}'" in lines[-1]
    assert value in lines[-1].partition(option)[2]
    assert told in lines[-1]
    assert not any(word in lines[-1] for word in ("Input should", "Value error", "parse"))
