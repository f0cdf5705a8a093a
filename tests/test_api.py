"""The front door: `import depthapps as da` reaches every job, and does what the commands do, to the byte."""

from __future__ import annotations

import ast
import dataclasses
import enum
import inspect
import math
import pickle
import re
import shlex
import shutil
import subprocess
import sys
import typing
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import docstring_parser
import numpy as np
import pytest
import trimesh
from conftest import ROOT, SAMPLES
from test_cli import run
from test_mesh_fuse import CAMERA, POSES, view

import depthapps as da
from depthapps.mesh.params import SimplifyParams

FUNCTIONS = [name for name in da.__all__ if inspect.isfunction(getattr(da, name))]
CLASSES = [name for name in da.__all__ if inspect.isclass(getattr(da, name))]


# ------------------------------------------------------------------------------ what can be reached


def test_every_name_loads_and_is_listed():
    assert set(da.__all__) <= set(dir(da))
    assert all(getattr(da, name) is not None for name in da.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = da.nothing  # pyright: ignore[reportAttributeAccessIssue]


def test_the_version_is_that_of_the_package():
    assert da.__version__ == metadata.version("depthapps")


def test_importing_it_loads_nothing_heavy():
    code = "import sys, depthapps; print([m for m in ('numpy', 'cv2', 'typer', 'numba', 'open3d') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["Camera", "Scene", "SceneParams", "BokehParams", "OpenedScene"])
def test_types_and_parameters_are_public(name):
    assert dataclasses.is_dataclass(getattr(da, name))


def _depthapps_types(annotation: object) -> set[str]:
    """The names of the package's own classes in an annotation."""
    if inspect.isclass(annotation) and annotation.__module__.startswith("depthapps."):
        return {annotation.__name__}
    return set().union(*(_depthapps_types(part) for part in typing.get_args(annotation)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_type_in_a_public_signature_is_public(name):
    from depthapps.engine.network import StereoNetwork

    scope = {"StereoNetwork": StereoNetwork}
    hints = typing.get_type_hints(getattr(da, name), localns=scope)
    used = set().union(*(_depthapps_types(hint) for hint in hints.values()))
    protocols = {
        "ShadowMapLike",
        "SolidLike",
    }  # what a ShadowMap and a printable solid are, to the room that writes them
    assert used <= set(da.__all__) | protocols


@pytest.mark.parametrize("name", FUNCTIONS)
def test_help_tells_every_parameter_in_sections_that_tools_can_parse(name):
    function = getattr(da, name)
    docstring = docstring_parser.parse(inspect.getdoc(function) or "", docstring_parser.DocstringStyle.NUMPYDOC)
    assert docstring.short_description
    documented = {part.strip(" *") for p in docstring.params for part in p.arg_name.split(",")}
    assert documented == set(inspect.signature(function).parameters), name
    returned = inspect.signature(function).return_annotation
    assert (returned in (None, "None")) == (docstring.returns is None), name


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_class_is_described(name):
    kind = getattr(da, name)
    assert len((kind.__doc__ or "").split()) > 3
    if issubclass(kind, enum.Enum) or issubclass(kind, Exception):
        return
    assert not (kind.__doc__ or "").startswith(f"{name}("), "a dataclass's own signature is no description"


# ------------------------------------------------------------------------------ the same as the commands


@pytest.fixture(scope="module")
def opened(small_sample) -> da.OpenedScene:
    """The small sample with its exact disparity."""
    params = da.SceneParams(calibration=small_sample / "calib.txt")
    return da.open_scene(small_sample / "left.png", params=params, disparity=small_sample / "disparity.png")


@pytest.fixture
def given(small_sample) -> tuple[str | Path, ...]:
    """The same for a command."""
    left, disparity, calibration = (small_sample / name for name in ("left.png", "disparity.png", "calib.txt"))
    return left, "--disparity", disparity, "-c", calibration


def same(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def test_depth_maps_are_those_of_the_command(tmp_path, small_sample):
    left, right, calibration = (small_sample / name for name in ("left.png", "right.png", "calib.txt"))
    pair = da.open_scene(left, right, da.SceneParams(calibration=calibration, quality=da.Quality.FAST))
    for k, (name, kind) in enumerate([("a.png", None), ("b.pfm", None), ("c.png", "depth"), ("d.npy", "disparity")]):
        flags = ["--kind", kind] if kind else []
        run("depth", left, right, "-c", calibration, "--quality", "fast", *flags, "-o", tmp_path / f"cli{k}{name}")
        da.write_depth_map(tmp_path / f"api{k}{name}", pair, da.MapKind(kind) if kind else None)
        assert same(tmp_path / f"cli{k}{name}", tmp_path / f"api{k}{name}"), name


@pytest.mark.parametrize("quality", list(da.Quality))
def test_refocused_pictures_are_those_of_the_command(tmp_path, opened, given, quality):
    run("bokeh", *given, "--focus", "425,300", "--blur", 12, "--quality", quality, "-o", tmp_path / "cli.jpg")
    near = da.refocus(opened.scene, da.BokehParams(focus_px=(425, 300), blur_px=12), quality)
    da.write_image(tmp_path / "api.jpg", near.image, opened.metadata)
    assert same(tmp_path / "cli.jpg", tmp_path / "api.jpg")
    assert near.facts["focus_m"] == pytest.approx(near.focus.depth_m, abs=1e-4)


def test_a_focus_pull_is_that_of_the_command(tmp_path, opened, given):
    run("bokeh", *given, "--sweep", "0.8:2", "--frames", 3, "--quality", "fast", "-o", tmp_path / "cli.gif")
    frames = da.refocus_sweep(opened.scene, 0.8, 2, 3, quality=da.Quality.FAST)
    da.write_video(tmp_path / "api.gif", frames, 24)
    assert same(tmp_path / "cli.gif", tmp_path / "api.gif")


@pytest.mark.parametrize("quality", ["fast", "balanced"])
def test_shadows_are_those_of_the_command(tmp_path, opened, given, quality):
    names = ("relit.png", "mask.png", "ao.png", "sure.png", "map.tif")
    flags = [text for flag, n in zip(("-o", "--mask", "--ao", "--confidence", "--shadow-map"), names, strict=True)
             for text in (flag, tmp_path / f"cli_{n}")]  # fmt: skip
    spot = ("--light", "spot", "--position=0.3,-0.5,0.3", "--target=0,0.1,1")
    run("shadow", *given, *spot, "--quality", quality, *flags)
    light = da.LitBy(da.SpotLight((0.3, -0.5, 0.3), (0, 0.1, 1)))
    shadows = da.cast_shadows(opened.scene, [light], da.Quality(quality), certainty=True, ambient_occlusion=True)
    da.write_image(tmp_path / "api_relit.png", da.relight(opened.scene, shadows), opened.metadata)
    assert shadows.openness is not None
    assert shadows.certainty is not None
    for name, share in (("mask", shadows.mask), ("ao", shadows.openness), ("sure", shadows.certainty)):
        da.write_mask(tmp_path / f"api_{name}.png", share)
    da.write_shadow_map(tmp_path / "api_map.tif", da.make_shadow_map(shadows, light.light))
    for name in (*names, "map.json"):
        assert same(tmp_path / f"cli_{name}", tmp_path / f"api_{name}"), name


def test_a_sun_on_its_way_is_that_of_the_command(tmp_path, opened, given):
    flags = ("--sweep", "azimuth=-60:60", "--frames", 2, "--quality", "fast")
    run("shadow", *given, *flags, "-o", tmp_path / "cli.gif")
    moments = da.sun_path("azimuth", -60, 60, 2)
    da.write_video(tmp_path / "api.gif", da.relight_sweep(opened.scene, moments, quality=da.Quality.FAST), 24)
    assert same(tmp_path / "cli.gif", tmp_path / "api.gif")


def test_models_and_prints_are_those_of_the_command(tmp_path, opened, given):
    run("mesh", *given, "--preset", "web", "-o", tmp_path / "cli.glb", "-o", tmp_path / "cli.ply",
        "--viewer", tmp_path / "cli.html")  # fmt: skip
    model = da.make_model(opened.scene, da.ModelParams(preset=da.Preset.WEB))
    da.write_model([tmp_path / "api.glb", tmp_path / "api.ply"], model)
    *rest, calibration = given
    command = shlex.join(map(str, (*rest[:-1], "--calibration", calibration)))
    da.write_page(tmp_path / "api.html", da.make_page(opened, command=command))
    run("mesh", *given, "--preset", "print", "--size-mm", 60, "--max-triangles", 2000, "-o", tmp_path / "cli.stl")
    da.write_model(tmp_path / "api.stl", da.make_print(opened.scene, da.PrintParams(60, 2000)))
    for suffix in ("glb", "ply", "html", "stl"):
        assert same(tmp_path / f"cli.{suffix}", tmp_path / f"api.{suffix}"), suffix


def test_a_scan_is_that_of_the_command(tmp_path):
    folder = tmp_path / "room"
    folder.mkdir()
    for k, pose in enumerate(POSES):
        scene = view(pose)
        da.write_image(folder / f"frame-{k:06}.color.png", scene.image)
        da.write_depth(folder / f"frame-{k:06}.depth.png", scene.depth_m)
        np.savetxt(folder / f"frame-{k:06}.pose.txt", pose)
    np.savetxt(folder / "camera-intrinsics.txt", [[CAMERA.fx, 0, CAMERA.cx], [0, CAMERA.fy, CAMERA.cy], [0, 0, 1]])
    run("mesh", "--sequence", folder, "--voxel-mm", 20, "-o", tmp_path / "cli.ply")
    scan = da.scan_folder(folder, da.FuseParams(voxel_m=0.02))
    measured = da.ModelParams(holes=da.Holes.KEEP)  # what the command takes for a .ply alone
    da.write_model(tmp_path / "api.ply", da.model_of_scan(scan, measured))
    # Open3D's fusion gives the same vertices in another order each time
    found = [np.asarray(trimesh.load(tmp_path / f"{name}.ply", process=False).vertices) for name in ("cli", "api")]  # pyright: ignore
    one, other = (np.sort(vertices, axis=0) for vertices in found)
    assert np.array_equal(one, other)


def test_a_calibration_is_that_of_the_command(tmp_path):
    left, right = (str(SAMPLES / "board" / f"{side}*.jpg") for side in ("left", "right"))
    run("calibrate", "--left", left, "--right", right, "--board", "9x6", "--square", 0.03, "-o", tmp_path / "cli.yml",
        "--coverage", tmp_path / "cli.png", "--example", tmp_path / "cli2.png")  # fmt: skip
    found = da.calibrate_cameras(left, right, da.Board.parse("9x6", 0.03))
    assert found.rig is not None
    da.write_calibration(tmp_path / "api.yml", found.rig, rms_px=found.rms_px)
    da.write_image(tmp_path / "api.png", found.draw_coverage())
    da.write_image(tmp_path / "api2.png", found.draw_example())
    for name in (".png", "2.png"):
        assert same(tmp_path / f"cli{name}", tmp_path / f"api{name}"), name
    # the solver's last digits differ from run to run
    matrices = [da.read_calibration(tmp_path / f"{name}.yml").matrix for name in ("cli", "api")]
    assert np.allclose(*matrices, rtol=1e-9)


# ------------------------------------------------------------------------------ values, notes, progress


def test_arrays_serve_as_files_do(opened, small_sample):
    calibration = da.Calibration(opened.calibration.camera, opened.calibration.baseline_m)
    disparity = da.read_disparity(small_sample / "disparity.png")
    again = da.open_scene(opened.scene.image, disparity=disparity, params=da.SceneParams(calibration=calibration))
    assert np.array_equal(again.scene.depth_m, opened.scene.depth_m, equal_nan=True)
    assert again.facts["inputs"] == {"image": "array", "disparity": "array"}
    with pytest.raises(da.InputError, match="only one view"):
        da.open_scene(opened.scene.image)


def test_words_serve_as_choices(opened):
    assert da.SceneParams(rectify="never").rectify is da.Rectify.NEVER  # pyright: ignore[reportArgumentType]
    with pytest.raises(da.InputError, match="a mesh, not a point cloud"):
        _ = da.make_model(opened.scene).cloud
    with pytest.raises(da.InputError, match="'sometimes' is no rectify") as caught:
        da.SceneParams(rectify="sometimes")  # pyright: ignore[reportArgumentType]
    assert caught.value.hint == "it may be auto, never, always"


def test_notes_are_data_and_progress_is_told(two_layers):
    events = []
    pair = two_layers.pair
    found = da.open_scene(pair.left, pair.right, da.SceneParams(quality=da.Quality.FAST), progress=events.append)
    assert any("assuming" in str(note) and "(fov_deg)" in str(note) for note in found.notes)
    assert [e for e in events if isinstance(e, da.Note)] == list(found.notes)
    stages = [e for e in events if isinstance(e, da.Stage)]
    assert {(s.name, s.done) for s in stages} >= {("reading", 0), ("reading", 1), ("matching", 1)}
    assert set(found.seconds) == {"reading", "matching"}


def test_a_spot_lights_its_cone_only(opened):
    spot = da.SpotLight((0, -0.2, 0), target=(0, 0.1, 1.2), angle_deg=20, penumbra=0)
    for quality in (da.Quality.FAST, da.Quality.BALANCED):
        mask = da.cast_shadows(opened.scene, [da.LitBy(spot)], quality).mask
        wide = da.cast_shadows(opened.scene, [da.LitBy(da.PointLight((0, -0.2, 0)))], quality).mask
        assert 0.01 < (mask > 0).mean() < 0.5 * (wide > 0).mean()
        lit = da.relight(opened.scene, [da.LitBy(spot)], da.RelightParams(ambient=0), quality)
        assert not lit[mask == 0].any()


def test_a_folder_is_batch_processed_in_15_lines(tmp_path, small_sample):
    for k in range(2):
        shutil.copy(small_sample / "left.png", tmp_path / f"{k}_left.png")
        shutil.copy(small_sample / "right.png", tmp_path / f"{k}_right.png")
    program = f"""
import sys
from pathlib import Path
import depthapps as da
from depthapps.mesh.params import SimplifyParams

params = da.SceneParams(calibration={str(small_sample / "calib.txt")!r}, quality=da.Quality.FAST)
lens = da.BokehParams(focus_px="auto", f_number=2)
for left in sorted(Path({str(tmp_path)!r}).glob("*_left.png")):
    right = left.with_name(left.name.replace("_left", "_right"))
    try:
        opened = da.open_scene(left, right, params, confidence=False)
        near = da.refocus(opened.scene, lens, da.Quality.FAST)
        da.write_image(left.with_name(left.name.replace("_left", "_near")), near.image, opened.metadata)
    except da.DepthappsError as error:
        print(f"{{left.name}}: {{error.message}} ({{error.hint}})")
assert not any(name.startswith(("depthapps.cli", "typer")) for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    assert len(list(tmp_path.glob("*_near.png"))) == 2


# ------------------------------------------------------------------------------ hints


def test_no_text_of_the_library_names_a_flag():
    for path in sorted((ROOT / "depthapps").rglob("*.py")):
        if "cli" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and not _is_docstring(path, node):
                assert not re.search(" --(?!-)", f" {node.value}"), f"{path.name}:{node.lineno} {node.value!r}"


def _is_docstring(path: Path, node: ast.Constant) -> bool:
    return '"""' in path.read_text(encoding="utf-8").splitlines()[node.lineno - 1]


# ------------------------------------------------------------------------------ what is passed by mistake

WORDS = {
    "quality": lambda opened, word: da.refocus(opened.scene, quality=word),
    "kind": lambda opened, word: da.write_depth_map("bogus.pfm", opened, word),
    "show": lambda opened, word: da.refocus(opened.scene, show=word),
    "unsure": lambda opened, word: da.draw_preview(opened, word),
}


@pytest.mark.parametrize("name", WORDS)
def test_a_word_that_is_no_choice_is_named_with_the_choices(opened, name):
    with pytest.raises(da.InputError, match="bogus") as caught:
        WORDS[name](opened, "bogus")
    assert caught.value.hint


def test_a_choice_may_be_passed_as_its_word(opened):
    word = da.refocus(opened.scene, quality="fast")  # pyright: ignore[reportArgumentType]
    np.testing.assert_array_equal(word.image, da.refocus(opened.scene, quality=da.Quality.FAST).image)


@pytest.mark.parametrize("job", ["refocus", "make_model"])
def test_what_was_opened_is_not_a_scene(opened, job):
    with pytest.raises(da.InputError) as caught:
        getattr(da, job)(opened)
    assert ".scene" in caught.value.hint


@pytest.mark.parametrize("place", [(1,), (1, 2, 3), (1, float("nan")), "middle"])
def test_a_focus_that_is_no_place_is_refused(place):
    with pytest.raises(da.InputError, match="focus_px"):
        da.BokehParams(focus_px=place)


def test_a_calibration_may_be_what_was_read_and_nothing_else(opened, small_sample):
    left, disparity = small_sample / "left.png", small_sample / "disparity.png"
    read = da.SceneParams(calibration=da.read_calibration(small_sample / "calib.txt"))
    again = da.open_scene(left, params=read, disparity=disparity)
    assert again.calibration == opened.calibration
    with pytest.raises(da.CalibrationError, match="is a int"):
        da.open_scene(left, params=da.SceneParams(calibration=7), disparity=disparity)  # pyright: ignore


@pytest.mark.parametrize("write", ["write_image", "write_mask"])
def test_a_picture_of_an_unknown_suffix_is_refused(tmp_path, write):
    with pytest.raises(da.OutputError, match="suffix"):
        getattr(da, write)(tmp_path / "a.docx", np.zeros((4, 4), np.float32))


@pytest.mark.parametrize(
    "error", [da.InputError("a", hint="b"), da.MissingExtraError("a", "heif"), da.UnalignedError("c", hint="d")]
)
def test_an_error_crosses_to_another_process(error):
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.hint) == (type(error), str(error), error.hint)


def test_whole_numbers_of_depth_are_scaled_as_in_files(opened, small_sample):
    params = da.SceneParams(calibration=small_sample / "calib.txt", depth_scale=500)
    whole = np.rint(np.nan_to_num(opened.scene.depth_m, nan=0, posinf=0) * 500).astype(np.uint16)
    read = da.open_scene(small_sample / "left.png", depth=whole, params=params).scene.depth_m
    np.testing.assert_allclose(read[whole > 0], opened.scene.depth_m[whole > 0], atol=0.0011)
    assert np.isnan(read[whole == 0]).all()


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4, 3), np.int64), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8)]
)
def test_a_scene_has_a_picture_of_a_known_kind(image):
    with pytest.raises(da.InputError, match="image is"):
        da.Scene(image, np.ones((4, 4), np.float32), da.Camera.from_fov(4, 4, 60))


def test_a_scene_takes_depth_in_any_order_and_zero_for_unknown():
    depth = np.asfortranarray(np.ones((4, 5)))
    depth[1, 2] = 0
    scene = da.Scene(np.zeros((4, 5, 3), np.uint8), depth, da.Camera.from_fov(5, 4, 60))  # pyright: ignore
    assert scene.depth_m.flags.c_contiguous
    assert scene.depth_m.dtype == np.float32
    assert np.argwhere(np.isnan(scene.depth_m)).tolist() == [[1, 2]]
    assert depth[1, 2] == 0


def test_two_views_of_different_sample_types_are_refused():
    left, right = np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9, 3), np.float32)
    with pytest.raises(da.InputError, match="uint8"):
        da.PhotoPair(left, right, da.Calibration(da.Camera.from_fov(9, 9, 60), 0.1))


def smaller(scene: da.Scene) -> da.Scene:
    """The upper half of a scene."""
    half = scene.camera.height // 2
    return da.Scene(scene.image[:half], scene.depth_m[:half], dataclasses.replace(scene.camera, height=half))


REFUSED: dict[str, Callable[[typing.Any, Path], object]] = {
    "a video of floats": lambda opened, folder: da.write_video(folder / "a.mp4", [np.zeros((8, 8, 3))], 24),  # pyright: ignore
    "a focus behind": lambda opened, folder: list(da.refocus_sweep(opened.scene, -1, 2, 3)),
    "no frames": lambda opened, folder: list(da.refocus_sweep(opened.scene, 1, 2, 0)),
    "no triangles": lambda opened, folder: da.ModelParams(max_triangles=0),
    "no number of triangles": lambda opened, folder: da.ModelParams(max_triangles=typing.cast("int", math.nan)),
    "triangles without end": lambda opened, folder: da.ModelParams(max_triangles=typing.cast("int", math.inf)),
    "no number of triangles of a print": lambda opened, folder: da.PrintParams(
        max_triangles=typing.cast("int", math.nan)
    ),
    "no number of triangles that are left": lambda opened, folder: SimplifyParams(typing.cast("int", math.nan)),
    "a view of 200 degrees": lambda opened, folder: da.SceneParams(fov_deg=200),
    "a focal length of nothing": lambda opened, folder: da.SceneParams(focal_px=0),
    "lenses behind each other": lambda opened, folder: da.SceneParams(baseline_m=-1),
    "a model that may be all wrong": lambda opened, folder: da.ModelParams(max_error_pct=100),
    "copies of no size to match": lambda opened, folder: da.SceneParams(matched_side_px=0),
    "copies of a size that is no number": lambda opened, folder: da.SceneParams(
        matched_side_px=typing.cast("int", math.nan)
    ),
    "a view that no memory holds": lambda opened, folder: da.render_view(
        opened.scene, opened.scene.camera, (1_000_000, 1_000_000)
    ),
    "a camera whose picture no memory holds": lambda opened, folder: da.render_view(
        opened.scene, da.Camera.from_fov(1_000_000, 1_000_000, 60)
    ),
    "a picture that is not finite": lambda opened, folder: da.write_image(
        folder / "a.tif", np.full((8, 8, 3), np.nan, np.float32)
    ),
    "a grey picture of infinite light": lambda opened, folder: da.write_image(
        folder / "a.png", np.array([[0.5, np.inf]])
    ),
    "a page of a print": lambda opened, folder: da.write_page(folder / "a.html", object()),  # pyright: ignore
    "a light that is not in a list": lambda opened, folder: da.cast_shadows(opened.scene, da.PointLight((0, 0, 0))),  # pyright: ignore
    "a lamp in a plane": lambda opened, folder: da.PointLight((0, 0)),  # pyright: ignore
    "a sun in a plane": lambda opened, folder: da.DirectionalLight((0, 1)),  # pyright: ignore
    "a picture that is a scene": lambda opened, folder: da.write_image(folder / "a.png", opened.scene),  # pyright: ignore
    "a mask that is a scene": lambda opened, folder: da.write_mask(folder / "a.png", opened.scene),  # pyright: ignore
    "a model that is a scene": lambda opened, folder: da.write_model(folder / "a.glb", opened.scene),  # pyright: ignore
    "no units a metre": lambda opened, folder: da.write_depth(folder / "a.png", opened.scene.depth_m, 0),
    "fewer units a metre": lambda opened, folder: da.SceneParams(depth_scale=-5),
    "shadows of another scene": lambda opened, folder: da.relight(
        smaller(opened.scene), da.cast_shadows(opened.scene, [da.PointLight((0, 0, 0))], da.Quality.FAST)
    ),
    "a light that is none": lambda opened, folder: da.cast_shadows(opened.scene, [{"light": "point"}]),  # pyright: ignore
    "a model of what was opened": lambda opened, folder: da.render_view(opened, opened.scene.camera),
    "a background that is no colour": lambda opened, folder: da.render_view(
        opened.scene, opened.scene.camera, background=(300, 0, 0)
    ),
    "a scene that is turned": lambda opened, folder: list(da.turntable(opened.scene)),
    "a shadow map of what was opened": lambda opened, folder: da.make_shadow_map(opened, da.PointLight((0, 0, 0))),
    "a scene that was not opened": lambda opened, folder: da.write_depth_map(folder / "a.png", opened.scene),
    "a preview of a scene": lambda opened, folder: da.draw_preview(opened.scene),
    "the photos of a scene": lambda opened, folder: da.placed_photos(opened.scene),
    "a scene seen in depth": lambda opened, folder: da.make_view3d(opened.scene),
    "a picture of four channels": lambda opened, folder: da.write_image(
        folder / "a.png", np.zeros((8, 8, 4), np.uint8)
    ),
    "a picture of large numbers": lambda opened, folder: da.write_image(
        folder / "a.jpg", np.zeros((8, 8, 3), np.int64)
    ),
    "a list of pictures": lambda opened, folder: da.write_image(folder / "a.tif", opened.scene.image[None]),
    "a mask of no shape": lambda opened, folder: da.write_mask(folder / "a.png", np.zeros(5)),
    "a depth map of three channels": lambda opened, folder: da.write_depth(folder / "a.exr", opened.scene.image),
    "a depth map that is a scene": lambda opened, folder: da.write_depth(folder / "a.npy", opened.scene),
    "a disparity that was opened": lambda opened, folder: da.write_disparity(folder / "a.npy", opened),
    "a confidence that is missing": lambda opened, folder: da.write_confidence(folder / "a.png", opened.views),
    "rows of grey pictures": lambda opened, folder: da.draw_matched_rows(
        opened.scene.image[..., 0], opened.scene.image[..., 0]
    ),
    "a pair of grey pictures": lambda opened, folder: da.StereoPair(
        opened.scene.image[..., 0], opened.scene.image[..., 0], opened.calibration
    ),
    "a right view without pixels": lambda opened, folder: da.open_scene(
        opened.scene.image, np.zeros((0, 0, 3), np.uint8)
    ),
    "a plate of a depth map": lambda opened, folder: da.make_print(
        opened.scene.depth_m, da.PrintParams(lithophane=True)
    ),
    "a scene of lists": lambda opened, folder: da.Scene(
        opened.scene.image.tolist(), opened.scene.depth_m, opened.scene.camera
    ),
    "a video that stands still": lambda opened, folder: da.write_video(
        folder / "a.gif", [opened.scene.image] * 2, 1e-3
    ),
    "no shadow map": lambda opened, folder: da.make_shadow_map(opened.scene, da.DirectionalLight((0, 1, 0)), 0),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_makes_no_sense_is_refused_with_a_hint(opened, tmp_path, what):
    with pytest.raises(da.InputError) as caught:
        REFUSED[what](opened, tmp_path)
    assert caught.value.hint
    assert not list(tmp_path.iterdir())


def test_a_confidence_that_is_no_share_is_held_as_the_nearest_one(tmp_path):
    given = np.array([[0.5, 1.0001, -0.1, np.nan]], np.float32)
    da.write_confidence(tmp_path / "a.png", given)
    da.write_mask(tmp_path / "b.png", given)
    found = da.read_image(tmp_path / "a.png")[0, :, 0], da.read_image(tmp_path / "b.png")[0, :, 0]
    assert found[0].tolist() == [32768, 65535, 0, 0]
    assert found[1].tolist() == [128, 255, 0, 0]
