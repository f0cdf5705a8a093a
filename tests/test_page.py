"""The page of a scene or a model: what its one file holds, and how exactly."""

from __future__ import annotations

import base64
import html
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import SAMPLES
from PIL import ImageCms
from test_cli import run

import depthapps as da
from depthapps.apps.shrink import shrunk_scene
from depthapps.core.filling import fill_background
from depthapps.io.page.contents import PageContents, PageModel, PagePhoto
from depthapps.io.page.pack import GUESSED, STEPS, pack_confidence, pack_inverse
from depthapps.io.page.write import SCRIPTS, asset, page_html
from depthapps.mesh.layers import photo_layers

NASTY = """</script><script>alert(1)</script><!-- "'&\u2028"""


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def bytes_of(url: str) -> np.ndarray:
    """A picture (H, W, 3) RGB of a data URL."""
    decoded = cv2.imdecode(np.frombuffer(base64.b64decode(url.partition(",")[2]), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert decoded is not None
    return decoded


def inverse_of(packed: dict[str, Any]) -> np.ndarray:
    high, low, _ = bytes_of(packed["src"]).astype(np.uint32).transpose(2, 0, 1)
    code = (high << 8 | low).astype(float)
    return np.where(code == 0, 0, packed["top"] * np.exp((code - 65535) * packed["step"]))


@pytest.mark.parametrize("farthest", [3.0, 60.0, 900.0, 8000.0])
def test_depth_is_packed_to_a_thousandth(farthest):
    depth = np.geomspace(0.8, farthest, 64 * 48).reshape(48, 64).astype(np.float32)
    depth[0] = np.inf
    inverse = np.where(np.isinf(depth), 0, 1 / depth).astype(np.float32)
    for tolerance in (GUESSED, STEPS[0][0]):
        found = inverse_of(pack_inverse(inverse, np.zeros(depth.shape, np.uint8), tolerance))
        assert (found[0] == 0).all()
        assert np.abs(found[1:] / inverse[1:] - 1).max() < min(1e-3, 1.01 * tolerance)


def test_confidence_is_packed_apart_from_what_is_unknown():
    packed = pack_confidence(np.array([[np.nan, 0, 0.5, 1]], np.float32))
    assert packed.tolist() == [[0, 17, 136, 255]]


def test_the_hidden_layer_continues_the_far_side_behind_the_near_one(step_scene):
    layers = photo_layers(step_scene, 15)
    hidden, deeper = layers.hidden
    known = np.isfinite(hidden.inverse_m)
    assert known[31:59, 46:74].all()  # the square hides a part of the wall
    assert hidden.continued[31:59, 46:74].all()
    assert not hidden.continued[25:65, 40:43].any()  # there the wall itself is seen
    assert not known[0, 0]
    assert hidden.inverse_m[45, 60] == pytest.approx(1 / 3, rel=0.02)
    assert hidden.color[45, 60] == pytest.approx([40, 80, 160], abs=2)
    inverse = fill_background(1 / step_scene.depth_m)
    assert (hidden.inverse_m[known] < inverse[known]).all()
    assert np.isnan(deeper.inverse_m).all()


def test_what_a_page_shows_is_completed_but_for_the_sky(step_scene):
    """Depth of no confidence is not a piece of its own in mid-air, and what is infinitely far stays so."""
    depth, confidence = step_scene.depth_m.copy(), np.ones(step_scene.depth_m.shape, np.float32)
    depth[70:80, 10:25], confidence[70:80, 10:25] = 0.7, 0
    depth[:12] = np.inf
    layers = photo_layers(replace(step_scene, depth_m=depth, confidence=confidence), 15)
    assert layers.inverse_m[70:80, 10:25] == pytest.approx(1 / 3, rel=0.02)
    assert (layers.inverse_m[:12] == 0).all()
    assert layers.inverse_m[45, 60] == pytest.approx(1 / step_scene.depth_m[45, 60], rel=0.005)


def test_the_sky_goes_on_behind_what_stands_before_it(step_scene):
    """It is infinitely far there too, and overlaps the sky that is seen, so that no gap opens between the two."""
    sky = replace(step_scene, depth_m=np.where(step_scene.depth_m > 2.5, np.inf, step_scene.depth_m).astype(np.float32))
    shown, (hidden, _) = photo_layers(sky, 15)
    assert (hidden.inverse_m[32:58, 47:73] == 0).all()
    assert (hidden.inverse_m[25:65, 40:43] == 0).all()
    assert (shown[25:65, 40:43] == 0).all()


def test_what_is_nowhere_torn_hides_nothing(step_scene):
    flat = da.Scene(step_scene.image, np.full((90, 120), 2, np.float32), step_scene.camera)
    for hidden in photo_layers(flat, 15).hidden:
        assert np.isnan(hidden.inverse_m).all()
        assert not hidden.continued.any()
    data_of(page_html(da.make_page(flat).contents))


def test_a_page_needs_nothing_from_outside_and_names_are_text(step_scene):
    page = page_html(da.make_page(step_scene, title=NASTY).contents)
    assert "alert(1)</script>" not in page
    assert page.count("<title>" + html.escape(NASTY) + "</title>") == 1
    assert data_of(page)["title"] == NASTY
    assert not re.search(r"""<(script|link|img|iframe)[^>]+(src|href)=["'](?!data:)""", page)
    assert "default-src 'none'" in page
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)


def test_a_page_holds_the_scene(tmp_path, step_scene):
    scene = da.Scene(step_scene.image, step_scene.depth_m.copy(), step_scene.camera)
    scene.depth_m[0, :5] = np.nan
    scene.depth_m[5, :] = np.inf
    photo = data_of(page_html(da.make_page(scene).contents))["photo"]
    inverse = inverse_of(photo["depth"])
    known = np.isfinite(scene.depth_m)
    assert np.abs(inverse[known] * scene.depth_m[known] - 1).max() < 1e-3
    assert (inverse[5] == 0).all()
    assert (bytes_of(photo["depth"]["src"])[0, :5, 2] == 0).all()  # unknown
    assert photo["camera"] == {"fx": 100.0, "fy": 100.0, "cx": 59.5, "cy": 44.5}
    assert photo["inMetres"]


def test_a_page_of_a_megapixel_is_small():
    opened = da.open_scene(
        SAMPLES / "left.png",
        params=da.SceneParams(calibration=SAMPLES / "calib.txt"),
        disparity=SAMPLES / "disparity.png",
    )
    pixels = opened.scene.depth_m.size
    assert len(page_html(da.make_page(opened).contents)) < 4e6 * pixels / 1e6


def test_a_page_of_a_noisy_megapixel_is_small_and_its_depth_exact():
    """Grain as at night and rough depth everywhere: the photo's quality gives way, the depth's does not."""
    rng = np.random.default_rng(5)
    depth = np.linspace(1, 6, 1000) * np.ones((1000, 1))
    depth[300:700, 300:700] = 0.8
    depth = (depth * rng.normal(1, 0.01, depth.shape)).astype(np.float32)
    image = np.clip(rng.normal(120, 40, (1000, 1000, 3)), 0, 255).astype(np.uint8)
    confidence = np.asarray(cv2.GaussianBlur(rng.random((1000, 1000), np.float32), (0, 0), 2), np.float32)
    scene = da.Scene(image, depth, da.Camera.centred(1000, 1000, 900.0), confidence=confidence)
    contents = da.make_page(scene).contents
    assert isinstance(contents.what, PagePhoto)
    rough = replace(contents.what, inverse_m=1 / depth)  # the page's own has its noise removed
    page = page_html(replace(contents, what=rough))
    assert len(page) < 4e6
    data = data_of(page)["photo"]
    assert np.abs(inverse_of(data["depth"]) * depth - 1).max() < 1e-3
    found = re.search(r'id="still"[^>]*src="([^"]*)"', page)
    assert found
    error = bytes_of(found[1]).astype(float) - image
    assert 10 * np.log10(255**2 / np.mean(error**2)) > 30  # and is still the photo


def test_a_large_photo_is_scaled_and_that_is_said():
    size = 2100, 300
    depth = np.full((size[1], size[0]), 2, np.float32)
    depth[100:200, 500:900] = 1
    scene = da.Scene(np.full((*depth.shape, 3), 90, np.uint8), depth, da.Camera.centred(*size, 1500.0))
    page = da.make_page(scene)
    assert "2048x293" in str(page.notes[0])
    photo = data_of(page_html(page.contents))["photo"]
    assert (photo["width"], photo["height"], photo["fullWidth"]) == (2048, 293, 2100)
    assert inverse_of(photo["depth"])[150, 680] == pytest.approx(1, rel=1e-3)


def test_a_model_alone_is_a_page_too(step_scene):
    model = da.make_model(step_scene)
    data = data_of(page_html(da.make_page(model, title="a model").contents))
    assert data["mode"] == "turn"
    assert "photo" not in data
    positions = np.frombuffer(base64.b64decode(data["model"]["positions"]), "<f4").reshape(-1, 3)
    assert np.allclose(positions, model.for_page[0].vertices)  # pyright: ignore
    cloud = da.make_model(step_scene, da.ModelParams(points=True)).cloud
    assert (
        "triangles"
        not in data_of(page_html(PageContents(PageModel(cloud, step_scene.camera), "", da.PageMode.TURN)))["model"]
    )


def test_every_file_of_the_page_is_in_it(step_scene):
    page = page_html(da.make_page(step_scene).contents)
    for name in SCRIPTS:
        assert asset(f"{name}.js") in page
    shaders = json.loads(re.findall(r"const SHADERS = (\{.*?\});\n", page)[0])
    assert {"gather.frag", "shadow.frag", "surface.vert", "common.glsl"} <= set(shaders)


# ------------------------------------------------------------------------------------- commands


def test_the_command_writes_a_page_that_tells_how_to_open_its_scene(tmp_path, small_sample):
    out = tmp_path / "a page.html"
    left, disparity, calibration = (small_sample / name for name in ("left.png", "disparity.png", "calib.txt"))
    given = (left, "--disparity", disparity, "-c", calibration)
    run("view", *given, "-o", out, "--mode", "measure", "--save-depth", tmp_path / "z.npy")
    data = data_of(out.read_text(encoding="utf-8"))
    assert data["mode"] == "measure"
    assert data["title"] == "left"
    assert data["recipe"]["command"].endswith(f"--calibration {calibration}")
    assert "--save-depth" not in data["recipe"]["command"]
    again = eval(data["recipe"]["python"], {"da": da})
    assert np.array_equal(again.scene.depth_m, np.load(tmp_path / "z.npy"))
    assert run("view", *given, "-o", out, code=1).stderr.startswith("error:")


def test_a_photo_of_other_primaries_is_shown_in_srgb(step_scene):
    """The profile is sRGB's with red and blue exchanged."""
    icc = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {bytes(icc[at : at + 4]): at for at in range(132, 132 + 12 * int.from_bytes(icc[128:132]), 12)}
    red, blue = tags[b"rXYZ"], tags[b"bXYZ"]
    icc[red + 4 : red + 12], icc[blue + 4 : blue + 12] = icc[blue + 4 : blue + 12], icc[red + 4 : red + 12]
    scene = da.Scene(step_scene.image.copy(), step_scene.depth_m, step_scene.camera)
    for profile, order, said in ((bytes(icc), [2, 1, 0], 0), (b"no profile", [0, 1, 2], 1), (b"", [0, 1, 2], 0)):
        opened = da.OpenedScene(
            scene=scene, calibration=da.Calibration(scene.camera, 0.1), disparity_px=1 / scene.depth_m,
            metadata=da.Metadata(icc=profile), depth_is_given=True, name="a",
        )  # fmt: skip
        page = da.make_page(opened)
        shown = page.contents.what.image  # pyright: ignore[reportAttributeAccessIssue]
        assert np.abs(shown.astype(int) - scene.image[..., order]).max() <= 3
        assert sum("colour profile" in str(note) for note in page.notes) == said


@pytest.fixture
def small_files(tmp_path, step_scene) -> list[Any]:
    """A photo and its depth as files: the arguments that open them."""
    da.write_image(tmp_path / "photo.png", step_scene.image)
    da.write_depth(tmp_path / "depth.npy", step_scene.depth_m)
    return [tmp_path / "photo.png", "--depth", tmp_path / "depth.npy", "--focal-px", 100]


@pytest.mark.parametrize("option", [("--turn", 5), ("--holes", "keep"), ("--max-triangles", 100), ("--preset", "web")])
def test_a_page_alone_refuses_options_of_models(small_files, tmp_path, option):
    page = ("mesh", *small_files, "--viewer", tmp_path / "a.html", *option)
    assert "the page shows the scene itself" in run(*page, code=1).stderr
    run(*page, "-o", tmp_path / "a.glb")


def test_bokeh_writes_a_page_with_its_lens(tmp_path, small_files):
    out, picture = tmp_path / "a.html", tmp_path / "near.png"
    lens = ("--focus", "60,45", "--f-number", 0.5, "--blades", 5, "--highlights", 0)
    run("bokeh", *small_files, "--viewer", out, "-o", picture, *lens)
    assert picture.exists()
    data = data_of(out.read_text(encoding="utf-8"))
    assert data["mode"] == "refocus"
    assert data["photo"]["lens"] == {
        "f_number": 0.5, "focus_px": [60, 45], "focus_inverse": None, "blades": 5, "highlights": 0
    }  # fmt: skip
    assert str(small_files[0]) in data["recipe"]["command"]
    shown = run("bokeh", *small_files, "--viewer", tmp_path / "c.html", "--show", "depth", code=1)
    assert "--show draws a picture" in shown.stderr
    said = run("bokeh", *small_files, "--viewer", tmp_path / "b.html", "--focus-depth", 3, "--tilt", 1, "--blur", 4)
    assert "without its tilt" in said.stderr
    found = data_of((tmp_path / "b.html").read_text(encoding="utf-8"))["photo"]["lens"]
    assert (found["focus_px"], found["focus_inverse"]) == (None, pytest.approx(1 / 3))
    f_px_m = 50 / 36 * 120 * 0.05  # the square, 1 m away, is blurred over a radius of 4 px
    assert f_px_m / (2 * found["f_number"]) * (1 - 1 / 3) == pytest.approx(4, rel=0.01)


def test_shadow_writes_a_page_with_its_light(tmp_path, small_files):
    out = tmp_path / "a.html"
    run("shadow", *small_files, "--viewer", out, "--azimuth", 90, "--elevation", 0, "--angular-size", 10,
        "--color", "2,1,0.5", "--ambient", 0.5)  # fmt: skip
    data = data_of(out.read_text(encoding="utf-8"))
    assert data["mode"] == "relight"
    light = data["photo"]["light"]
    assert light.pop("at") == pytest.approx([1, 0, 0], abs=1e-6)  # the sun stands at the right
    assert light == {"lamp": False, "size": 10, "color": [1, 0.5, 0.25], "intensity": 2, "ambient": 0.5}
    lights = tmp_path / "lights.json"
    lights.write_text(json.dumps([{"light": "spot", "position": [1, 0, 1], "target": [0, 0, 3]}, {"azimuth": 3}]))
    said = run("shadow", *small_files, "--viewer", tmp_path / "b.html", "--lights", lights).stderr
    assert "without its beam" in said
    assert "the first of 2 lights" in said


def test_a_page_is_refused_beside_a_video(tmp_path, small_files):
    for command, sweep in (("bokeh", "1:3"), ("shadow", "azimuth=0:9")):
        more = ("--sweep", sweep, "-o", tmp_path / "a.mp4", "--viewer", tmp_path / "a.html")
        assert "one video" in run(command, *small_files, *more, code=1).stderr
    assert run("bokeh", *small_files, code=1).stderr.startswith("error: no output was asked for")
    assert not (tmp_path / "a.html").exists()


@pytest.mark.parametrize("command", ["bokeh", "shadow", "mesh"])
def test_a_batch_makes_a_page_of_each(tmp_path, small_files, command):
    photo, *given = small_files
    run("batch", command, "--image", photo, "--out-dir", tmp_path / "out", *given, "--viewer", ".html", "--workers", 1)
    modes = {"bokeh": "refocus", "shadow": "relight", "mesh": "turn"}
    assert data_of((tmp_path / "out" / "photo.html").read_text(encoding="utf-8"))["mode"] == modes[command]
    assert "photo.html" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_a_page_is_opened_in_the_browser(tmp_path, small_files, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    said = run("view", *small_files, "-o", tmp_path / "a b.html", "--open").stderr
    assert opened == [(tmp_path / "a b.html").as_uri()]
    assert "browser" not in said
    monkeypatch.setattr("webbrowser.open", lambda _: False)
    assert "note: no browser was found" in run("view", *small_files, "-o", tmp_path / "c.html", "--open").stderr


def test_a_machine_without_a_browser_has_the_page_and_a_note(tmp_path, small_files):
    command = [
        sys.executable,
        "-m",
        "depthapps",
        "view",
        *map(str, small_files),
        "-o",
        str(tmp_path / "a.html"),
        "--open",
    ]
    bare = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")}
    ended = subprocess.run(command, env=bare | {"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0
    assert (tmp_path / "a.html").exists()
    assert [line for line in ended.stderr.splitlines() if "browser" in line] == [
        "note: no browser was found to open the page with: open it from any other"
    ]


def test_a_page_has_its_suffix(tmp_path):
    result = run("view", SAMPLES / "portrait.jpg", "-o", tmp_path / "a.png", code=1)
    assert result.stderr.splitlines()[1] == "hint: use one of .html .htm"


def test_assumed_cameras_have_no_metres(small_sample):
    left, disparity = small_sample / "left.png", small_sample / "disparity.png"
    pair = da.open_scene(left, params=da.SceneParams(), disparity=disparity, confidence=False)
    assert not data_of(page_html(da.make_page(pair).contents))["photo"]["inMetres"]


def test_results_show_themselves_in_notebooks(step_scene):
    assert cv2.imdecode(np.frombuffer(step_scene._repr_png_(), np.uint8), 1).shape == (90, 240, 3)  # pyright: ignore
    lit = da.cast_shadows(step_scene, [da.DirectionalLight((0, 1, 1))])
    for shown in (da.refocus(step_scene, da.BokehParams(focus_depth_m=1), "fast"), lit):  # pyright: ignore
        assert shown._repr_png_().startswith(b"\x89PNG")
    for framed in (da.make_page(step_scene), da.make_model(step_scene)):
        text = framed._repr_html_()
        assert text.startswith("<iframe srcdoc=")
        assert text.count('"') == 4 or "<script" not in text  # the page is escaped inside its attribute
        inside = html.unescape(re.findall(r'srcdoc="([^"]*)"', text)[0])
        assert data_of(inside)["mode"] == "turn"


def test_a_wide_cut_out_photo_has_a_page():
    """It is shown smaller, with what is transparent."""
    image = np.full((24, 3000, 3), 90, np.uint8)
    scene = da.Scene(
        image, np.full((24, 3000), 2, np.float32), da.Camera.centred(3000, 24, 2000.0), empty=image[..., 0] < 0
    )
    assert scene.empty is not None
    scene.empty[:, :300] = True
    opened = da.OpenedScene(
        scene=scene, calibration=da.Calibration(scene.camera, 0.1), disparity_px=100 / scene.depth_m,
        metadata=da.Metadata(), depth_is_given=True, name="wide",
    )  # fmt: skip
    photo = da.make_page(opened).contents.what
    assert isinstance(photo, PagePhoto)
    assert photo.image.shape == (16, 2048, 3)


def test_a_smaller_scene_has_depths_of_the_large_one():
    depth = np.where(np.indices((90, 120)).sum(axis=0) % 2, np.float32(1), np.float32(3))
    scene = da.Scene(np.zeros((90, 120, 3), np.uint8), depth, da.Camera.from_fov(120, 90, 60), 0.0, depth / 4)
    small = shrunk_scene(scene, 50, 37)
    assert set(np.unique(small.depth_m)) <= {1, 3}
    assert small.confidence is not None
    assert np.array_equal(small.confidence, small.depth_m / 4)
