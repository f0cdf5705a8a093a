"""Networks of one photo that the test writes itself: what they give is the photo's own brightness."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

import depthapps as da
from depthapps.cli.app import app
from depthapps.engine.onnx_inputs import declared_inputs

WIDTH, HEIGHT = 320, 240
NET = (96, 72)  # width and height of the network's input
FOCAL_PX = 400.0


def tiny_network(
    times: float = 1.0,
    plus: float = 0.0,
    *,
    points: bool = False,
    smaller: bool = False,
    logarithm: bool = False,
    second: bool = False,
    any_size: bool = False,
    tensorflow: bool = False,
) -> bytes:
    """An ONNX network whose output "map" is the brightness of its input, times a factor, plus an offset.

    points: there is a second output "points" (1, H, W, 3), whose last number is the map. smaller: the map has half the
    size of the input. logarithm: of the map; below 0 it is no number. second: there is another input, added to the map.
    any_size: its sides have names instead of lengths. tensorflow: the input has its channels last.
    """
    width, height = NET
    constants = {
        "weights": np.full((1, 3, 1, 1), 1 / 3, np.float32),
        "times": np.full(1, times, np.float32),
        "plus": np.full(1, plus, np.float32),
    }
    nodes = [
        helper.make_node("Transpose", ["image"], ["planes"], perm=[0, 3, 1, 2] if tensorflow else [0, 1, 2, 3]),
        helper.make_node("Conv", ["planes", "weights"], ["brightness"], kernel_shape=[1, 1]),
        helper.make_node("Mul", ["brightness", "tokens" if second else "times"], ["multiplied"]),
        helper.make_node("Add", ["multiplied", "plus"], ["added"]),
        helper.make_node("Log" if logarithm else "Identity", ["added"], ["whole"]),
    ]
    stride = 2 if smaller else 1
    nodes += [helper.make_node("AveragePool", ["whole"], ["map"], kernel_shape=[stride] * 2, strides=[stride] * 2)]
    outputs: dict[str, list] = {"map": [1, 1, height // stride, width // stride]}
    if points:
        nodes += [
            helper.make_node("Concat", ["image", "map"], ["four"], axis=1),
            helper.make_node("Transpose", ["four"], ["points"], perm=[0, 2, 3, 1]),
        ]
        outputs["points"] = [1, height, width, 4]
    inputs: dict[str, list] = {"image": [1, 3, "h", "w"] if any_size else [1, 3, height, width]}
    if tensorflow:
        inputs["image"] = [1, height, width, 3]
    if second:
        inputs["tokens"] = [1]
    if any_size:
        outputs = {"map": [1, 1, "h", "w"]}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def picture(width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """A grey picture that is brighter, so nearer, further down; a square of 250 stands before it."""
    rows = np.linspace(50, 130, height)[:, None].repeat(width, axis=1)
    rows[height // 4 : height // 2, width // 4 : width // 2] = 250
    return np.rint(rows)[..., None].repeat(3, axis=2).astype(np.uint8)


BASE = {"inputs": ["image"], "size": list(NET), "fit": "stretch"}
INVERSE, METRIC = BASE | {"gives": "inverse"}, BASE | {"gives": "metric", "unit_m": 0.01}


def opened(
    entries: dict, model: bytes | None = None, image: NDArray | None = None, focal_px: float = FOCAL_PX
) -> da.OpenedScene:
    network = da.DepthNetwork(model or tiny_network(), da.NetworkDescription.from_json(entries))
    params = da.SceneParams(depth_network=network, focal_px=focal_px)
    return da.open_scene(picture() if image is None else image, params=params)


# ------------------------------------------------------------------------------ what is found


def test_inverse_depth_is_spread_over_the_assumed_range_and_says_so():
    found = opened(INVERSE)
    depth = found.scene.depth_m
    assert depth.shape == (HEIGHT, WIDTH)
    assert np.isfinite(depth).all()
    assert depth[90, 120] == pytest.approx(1, abs=0.02)  # the square
    assert depth[0, 10] == pytest.approx(10, rel=0.1)
    # evenly in 1/Z: brightness 90 lies (90 - 50) / (250 - 50) of the way
    assert 1 / depth[120, 300] == pytest.approx(0.1 + 0.9 * 0.2, abs=0.02)
    assert found.calibration.assumed == ("range",)
    assert found.scene.confidence is None
    assert found.depth_is_given
    told = [str(note) for note in found.notes]
    assert told[0] == "assuming depths from 1 to 10 m (near_m, far_m); metres are a guess"
    assert told[1:] == ["the network guessed the depth from one photo: nothing was measured, so shapes are a guess too"]
    assert found.facts["depth_network"] == {"file": "object", "gives": "inverse", "map_size": list(NET)}


def test_a_panorama_of_a_full_turn_is_refused_by_name():
    rows, columns = np.mgrid[:128, :256].astype(np.float32)
    waves = np.sin(rows / 127 * np.pi) * np.cos(columns / 256 * 2 * np.pi * 3)  # seamless, and one point at each pole
    sphere = np.repeat((127 + 100 * waves).astype(np.uint8)[..., None], 3, axis=2)
    with pytest.raises(da.InputError, match="360° panorama"):
        opened(INVERSE, image=sphere)


def test_affine_depth_is_spread_evenly_in_depth():
    depth = opened(BASE | {"gives": "affine"}, tiny_network(-1, 300)).scene.depth_m
    assert depth[90, 120] == pytest.approx(1, abs=0.05)
    assert depth[120, 300] == pytest.approx(1 + 9 * 0.8, rel=0.03)


@pytest.mark.parametrize("gives", ["inverse", "affine"])
def test_known_ends_take_the_place_of_the_assumed_range(gives):
    model = tiny_network() if gives == "inverse" else tiny_network(-1, 300)
    network = da.DepthNetwork(model, da.NetworkDescription.from_json(BASE | {"gives": gives}))
    params = da.SceneParams(depth_network=network, focal_px=FOCAL_PX, near_m=2, far_m=5)
    found = da.open_scene(picture(), params=params)
    assert found.facts["depth_range_m"] == pytest.approx([2, 5], rel=0.02)
    assert found.calibration.assumed == ()


def test_metres_have_no_ends():
    network = da.DepthNetwork(tiny_network(), da.NetworkDescription.from_json(METRIC))
    with pytest.raises(da.InputError, match="gives metres"):
        da.open_scene(picture(), params=da.SceneParams(depth_network=network, near_m=2, far_m=5))


def test_metric_depth_is_in_its_unit():
    found = opened(METRIC | {"gives": "metric"})
    assert found.scene.depth_m[90, 120] == pytest.approx(2.5, rel=0.01)
    assert found.scene.depth_m[120, 300] == pytest.approx(0.9, rel=0.02)
    assert found.calibration.assumed == ()


@pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (2 * WIDTH, 2 * HEIGHT)])
def test_a_canonical_focal_length_makes_metres_of_a_known_camera(size):
    # the input is resized, and with it the focal length: 400 px at 320 px are 120 px at 96 px
    focal_px = FOCAL_PX * size[0] / WIDTH
    depth = opened(METRIC | {"canonical_focal_px": 60}, image=picture(*size), focal_px=focal_px).scene.depth_m
    assert depth[size[1] * 3 // 8, size[0] * 3 // 8] == pytest.approx(2.5 * 120 / 60, rel=0.01)


def test_metres_by_an_assumed_focal_length_are_told_to_be_a_guess():
    for entries, told in ((METRIC | {"canonical_focal_px": 60}, 1), (METRIC, 0)):
        network = da.DepthNetwork(tiny_network(), da.NetworkDescription.from_json(entries))
        found = da.open_scene(picture(), params=da.SceneParams(depth_network=network), metres_matter=False)
        assert sum("metres are a guess" in str(note) for note in found.notes) == told


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_photos_of_other_samples_look_the_same_to_the_network(kind):
    image = picture().astype(np.uint16) * 257
    if kind is np.float32:
        share = image / 65535
        image = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4).astype(np.float32)
    network = da.DepthNetwork(tiny_network(), da.NetworkDescription.from_json(METRIC))
    brightness = network.find(image, FOCAL_PX) * 100
    assert np.abs(brightness - network.find(picture(), FOCAL_PX) * 100).max() < 1


def test_edges_of_the_guess_are_moved_onto_edges_of_the_photo():
    depth = opened(METRIC).scene.depth_m
    inside, near_it = depth[60:120, 80:160], depth[50:130, 70:170]
    assert (np.abs(inside - 2.5) < 0.1).mean() > 0.97
    assert ((near_it > 1.4) & (near_it < 2.3)).mean() < 0.02  # hardly anything lies between the two surfaces


@pytest.mark.parametrize(
    ("entries", "model"),
    [
        (METRIC | {"sign": -1}, {"times": -1}),
        (METRIC | {"output": "map"}, {"points": True}),
        (METRIC | {"output": "points", "channel": 3}, {"points": True}),
        (METRIC | {"color": "bgr"}, {}),
        (METRIC | {"unit_m": 2.55, "scale": 1 / 255}, {}),
        (METRIC, {"smaller": True}),
        (METRIC, {"tensorflow": True}),
    ],
    ids=["negative", "named output", "channels last", "bgr", "scaled", "smaller map", "channels last in"],
)
def test_outputs_of_several_shapes_are_read(entries, model):
    depth = opened(entries, tiny_network(**model)).scene.depth_m
    assert np.median(np.abs(depth - picture()[..., 0] / 100)) < 0.02


@pytest.mark.parametrize(
    ("entries", "size"),
    [
        ({"size": list(NET), "fit": "pad"}, (320, 240)),
        ({"size": list(NET), "fit": "pad"}, (240, 320)),
        ({"size": list(NET), "fit": "pad"}, (500, 200)),
        ({"size": None, "short_side": 70, "multiple": 14}, (333, 240)),
        ({"size": None, "multiple": 14}, (100, 70)),
    ],
)
def test_a_photo_of_any_shape_is_fitted_to_the_network(entries, size):
    image = picture(*size)
    model = tiny_network(any_size=entries["size"] is None)
    depth = opened(METRIC | entries, model, image).scene.depth_m
    assert depth.shape == image.shape[:2]
    assert np.median(np.abs(depth - image[..., 0] / 100)) < 0.03


# ------------------------------------------------------------------------------ what cannot be


@pytest.mark.parametrize(
    ("entries", "model", "message"),
    [
        (INVERSE, {"times": 0}, "same value everywhere, 0"),
        (INVERSE, {"times": -1}, "100 % of what the network gives are negative"),
        (METRIC | {"sign": -1}, {}, "are negative"),
        (METRIC | {"unit_m": 100}, {}, "depths run from"),
        (METRIC | {"unit_m": 1e-5}, {}, "depths run from"),
        (INVERSE, {"times": -1, "logarithm": True}, "are no numbers"),
        (INVERSE | {"channel": 2}, {}, "gives 1 maps of 96x72, channel 2"),
        (INVERSE | {"output": "nothing"}, {}, "does not take the photo"),
        (INVERSE | {"inputs": ["photo"]}, {}, "has no input 'photo'"),
        (INVERSE | {"color": "grey"}, {}, "input is 1x3x72x96, by its description it would get 1x1x72x96"),
        (INVERSE | {"size": [72, 96]}, {}, "input is 1x3x72x96, by its description it would get 1x3x96x72"),
        (
            INVERSE | {"size": [72, 96]},
            {"tensorflow": True},
            "input is 1x72x96x3, by its description it would get 1x96",
        ),
        (INVERSE | {"inputs": ["image"]}, {"second": True}, "besides 'image' the network wants tokens"),
        (INVERSE, {"points": True}, "has 2 outputs"),
    ],
)
def test_a_wrong_description_is_noticed(entries, model, message):
    with pytest.raises(da.NetworkError, match=message) as error:
        opened(entries, tiny_network(**model))
    assert error.value.hint


def test_a_network_of_a_fixed_size_tells_it():
    with pytest.raises(da.NetworkError, match="1x3x72x96") as error:
        opened(METRIC | {"size": None, "short_side": 48})
    assert '"size" to [96, 72]' in error.value.hint


def test_what_is_no_onnx_file_declares_nothing():
    assert declared_inputs(b"no network") == {}
    assert declared_inputs(tiny_network()[:200]) in ({}, {"image": (1, 3, 72, 96)})
    assert declared_inputs(tiny_network(any_size=True)) == {"image": (1, 3, 0, 0)}


def test_near_and_far_exchanged_are_told():
    exchanged = opened(INVERSE, tiny_network(-1, 300))
    assert any("the top of the photo came out nearer" in str(note) for note in exchanged.notes)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"gives": "depth"}, "gives is 'depth'"),
        ({"inputs": ["left", "right"]}, "names 2 inputs, a network that gives 'inverse' has 1"),
        ({"fit": "tile"}, "takes one photo"),
        ({"layout": "four"}, "takes one photo"),
        ({"short_side": 518}, "a fixed size and a shorter side"),
        ({"short_side": 0, "size": None}, "cannot be used"),
        ({"gives": "metric", "canonical_focal_px": -1}, "cannot be used"),
        ({"canonical_focal_px": 1000}, "which has no metres"),
        ({"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}, "black and white are 1.14e\\+03 apart"),
        ({"scale": 1 / 255, "mean": [123.675], "std": [58.395]}, "black and white are 0.0171 apart"),
        ({"std": ["a"]}, "no list of numbers"),
        ({"mean": [0, 1]}, "2 means"),
        ({"gives": "disparity", "inputs": ["left", "right"], "unit_m": 0.001}, "but it gives disparity"),
    ],
)
def test_an_impossible_description_is_refused(entries, message):
    with pytest.raises(da.NetworkError, match=message) as error:
        da.NetworkDescription.from_json(INVERSE | entries)
    assert error.value.hint


def test_a_network_of_the_other_kind_is_refused():
    stereo = da.NetworkDescription(("left", "right"))
    with pytest.raises(da.NetworkError, match="of a stereo network") as error:
        da.DepthNetwork(tiny_network(), stereo)
    assert "matcher" in error.value.hint
    with pytest.raises(da.NetworkError, match="takes one photo") as error:
        da.StereoNetwork(tiny_network(), da.NetworkDescription.from_json(INVERSE))
    assert "depth_network" in error.value.hint


# ------------------------------------------------------------------------------ command line


@pytest.fixture
def files(tmp_path) -> Path:
    """A folder with a photo and a network with its description."""
    da.write_image(tmp_path / "photo.png", picture())
    (tmp_path / "net.onnx").write_bytes(tiny_network())
    (tmp_path / "net.json").write_text(json.dumps(INVERSE))
    return tmp_path


def run(folder: Path, *arguments: str):
    words = [str(folder / word) if "." in word and "/" not in word else word for word in arguments]
    return CliRunner().invoke(app, words)


@pytest.mark.parametrize(
    "arguments",
    [
        ("depth", "photo.png", "-o", "out.png"),
        ("depth", "photo.png", "--kind", "depth", "-o", "out.npy"),
        ("bokeh", "photo.png", "--focus", "120,90", "--quality", "fast", "-o", "out.png"),
        ("shadow", "photo.png", "--quality", "fast", "-o", "out.png"),
        ("mesh", "photo.png", "--preset", "web", "-o", "out.glb"),
    ],
    ids=["preview", "depth", "bokeh", "shadow", "mesh"],
)
def test_every_command_takes_a_network_of_one_photo(files, arguments):
    result = run(files, *arguments, "--depth-network", "net.onnx", "--json")
    assert result.exit_code == 0, result.stderr
    assert (files / arguments[-1]).exists()
    facts = json.loads(result.stdout)
    assert facts["depth_network"]["gives"] == "inverse"
    assert facts["calibration"]["assumed"] == ["focal length", "range"]
    assert result.stderr.count("metres are a guess") == 1
    assert result.stderr.count("net.onnx guessed the depth from one photo") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("photo.png", "photo.png"), "--depth-network guesses the depth of one photo"),
        (("photo.png", "--depth", "z.npy"), "--depth-network guesses the depth of one photo"),
        (("photo.png", "--side-by-side"), "--depth-network guesses the depth of one photo"),
        (("photo.png", "--matcher", "net.onnx"), "--depth-network guesses the depth of one photo"),
        (("photo.png", "--depth-kind", "affine"), "--depth-kind and --invert are for maps"),
        (("photo.png", "--invert"), "--depth-kind and --invert are for maps"),
        (("photo.png", "--save-confidence", "c.png"), "there is no confidence to save"),
        (("nothing.png",), "does not exist"),
    ],
)
def test_what_a_guess_excludes_gets_one_error_and_one_hint(files, arguments, message):
    np.save(files / "z.npy", np.ones((HEIGHT, WIDTH), np.float32))
    result = run(files, "depth", *arguments, "--depth-network", "net.onnx", "-o", "d.npy")
    assert result.exit_code == 1
    lines = [line for line in result.stderr.splitlines() if line.startswith(("error:", "hint:"))]
    assert len(lines) == 2, result.stderr
    assert message in lines[0]
    assert not (files / "d.npy").exists()


def test_a_sequence_takes_no_network_of_one_photo(files):
    result = run(files, "mesh", "--sequence", str(files), "--depth-network", "net.onnx", "-o", "m.ply")
    assert result.exit_code == 1
    assert "a sequence takes none of" in result.stderr
    with pytest.raises(da.InputError, match="depths or pairs"):
        da.scan_folder(files, scene_params=da.SceneParams(depth_network=files / "net.onnx"))


def test_one_photo_without_anything_is_led_to_a_network(files):
    result = run(files, "depth", "photo.png", "-o", "d.npy")
    assert result.exit_code == 1
    assert "--depth-network FILE" in result.stderr


def test_a_depth_inside_the_photo_gives_way(files):
    """The portrait's own depth is not used, its camera is."""
    from conftest import SAMPLES

    (files / "net.json").write_text(json.dumps(METRIC))
    portrait = da.open_scene(SAMPLES / "portrait.jpg")
    params = da.SceneParams(depth_network=files / "net.onnx")
    guessed = da.open_scene(SAMPLES / "portrait.jpg", params=params)
    assert guessed.calibration.camera == portrait.calibration.camera
    assert guessed.facts["depth_network"]["file"] == str(files / "net.onnx")
    assert not np.allclose(guessed.scene.depth_m, portrait.scene.depth_m, equal_nan=True)
