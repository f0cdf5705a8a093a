"""Networks that the test writes itself: differences of shifted views, of which the smallest tells the disparity."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from conftest import Card, TruePair, make_pair
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from depthapps import (
    NetworkDescription,
    NetworkError,
    StereoNetwork,
    StereoPair,
    match_pair,
    read_disparity,
    write_image,
)
from depthapps.cli.app import app

LEVELS = 24


def tiny_network(width: int, height: int, *, channels: int = 3, stacked: bool = False, negative: bool = False) -> bytes:
    """An ONNX network for pairs of one size and disparities of 0..LEVELS−1, in whole pixels.

    Its output is (1, 2, H, W): channel 0 is 100 px off, channel 1 the disparity.
    """
    constants = {"axis": np.array([3]), "width": np.array([width]), "zero": np.array([0])}
    nodes = []
    if stacked:
        constants |= {"channel_axis": np.array([1]), "first": np.array([channels]), "second": np.array([2 * channels])}
        nodes += [helper.make_node("Slice", ["both", "zero", "first", "channel_axis"], ["left"])]
        nodes += [helper.make_node("Slice", ["both", "first", "second", "channel_axis"], ["right"])]
    for d in range(LEVELS):
        constants[f"pads{d}"] = np.array([0, 0, 0, d, 0, 0, 0, 0])
        nodes += [
            helper.make_node("Pad", ["right", f"pads{d}"], [f"padded{d}"]),
            helper.make_node("Slice", [f"padded{d}", "zero", "width", "axis"], [f"shifted{d}"]),
            helper.make_node("Sub", ["left", f"shifted{d}"], [f"difference{d}"]),
            helper.make_node("Abs", [f"difference{d}"], [f"absolute{d}"]),
            helper.make_node("ReduceMean", [f"absolute{d}"], [f"mean{d}"], axes=[1], keepdims=1),
            helper.make_node(
                "AveragePool", [f"mean{d}"], [f"cost{d}"], kernel_shape=[9, 9], pads=[4] * 4, strides=[1, 1]
            ),
        ]
    nodes += [
        helper.make_node("Concat", [f"cost{d}" for d in range(LEVELS)], ["volume"], axis=1),
        helper.make_node("ArgMin", ["volume"], ["best"], axis=1, keepdims=1),
        helper.make_node("Cast", ["best"], ["positive"], to=TensorProto.FLOAT),
        helper.make_node("Neg" if negative else "Identity", ["positive"], ["disparity"]),
        helper.make_node("Add", ["positive", "hundred"], ["far_off"]),
        helper.make_node("Concat", ["far_off", "disparity"], ["out"], axis=1),
    ]
    initializers = [numpy_helper.from_array(v.astype(np.int64), k) for k, v in constants.items()]
    initializers.append(numpy_helper.from_array(np.full(1, 100, np.float32), "hundred"))
    names = {"both": 2 * channels} if stacked else {"left": channels, "right": channels}
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, c, height, width]) for n, c in names.items()]
    output = helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 2, height, width])
    graph = helper.make_graph(nodes, "tiny", inputs, [output], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.fixture(scope="module")
def plane() -> TruePair:
    """A slanted plane from 6 to 18 px, 320x240."""
    return make_pair(Card(0.01, 0.036, 6))


def error_share(network: StereoNetwork, true: TruePair) -> float:
    """Percent of the seen pixels that are more than 1.5 px off: the tiny network knows whole pixels only."""
    found = match_pair(true.pair, network=network).disparity_px
    assert found.shape == true.disparity_px.shape
    return 100 * float((np.abs(found - true.disparity_px)[true.seen] > 1.5).mean())


BASE = {"inputs": ["left", "right"], "channel": 1}


@pytest.mark.parametrize(
    ("model", "description"),
    [
        ({}, {}),
        ({}, {"color": "bgr", "scale": 1 / 255, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}),
        ({"channels": 1}, {"color": "grey"}),
        ({"stacked": True}, {"layout": "stacked", "inputs": ["both"]}),
        ({"negative": True}, {"sign": -1}),
        ({}, {"output": "out"}),
    ],
    ids=["plain", "normalised", "grey", "stacked", "negative", "named output"],
)
def test_a_network_finds_a_plane(plane, model, description):
    network = StereoNetwork(tiny_network(320, 240, **model), NetworkDescription.from_json(BASE | description))
    assert error_share(network, plane) < 3


@pytest.mark.parametrize(
    ("size", "description"),
    [
        ((384, 256), {"multiple": 128}),
        ((384, 256), {"size": [384, 256]}),
        ((256, 192), {"size": [256, 192], "fit": "stretch"}),
        ((128, 96), {"size": [128, 96], "fit": "tile"}),
        ((400, 300), {"size": [400, 300], "fit": "tile"}),
    ],
    ids=["padded to a multiple", "padded to a size", "stretched", "tiled", "one tile"],
)
def test_pictures_are_fitted_to_the_network(plane, size, description):
    network = StereoNetwork(tiny_network(*size), NetworkDescription.from_json(BASE | description))
    assert error_share(network, plane) < 4


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"sign": -1}, "disparities run from"),
        ({"channel": 0}, "disparities run from"),
        ({"channel": 5}, "gives 2 maps of 320x240"),
        ({"inputs": ["a", "b"]}, "does not take the pair"),
        ({"output": "nothing"}, "does not take the pair"),
        ({"size": [200, 100]}, "too large to pad"),
        ({"size": [30, 100], "fit": "tile"}, "too narrow"),
    ],
)
def test_a_wrong_description_is_noticed(plane, description, message):
    network = StereoNetwork(tiny_network(320, 240), NetworkDescription.from_json(BASE | description))
    with pytest.raises(NetworkError, match=message) as error:
        match_pair(plane.pair, network=network)
    assert error.value.hint


def test_a_network_sees_both_views_with_their_grain(plane, monkeypatch):
    rng = np.random.default_rng(0)
    left, right = (
        np.clip(np.rint(view + rng.normal(0, 8, view.shape)), 0, 255).astype(np.uint8)
        for view in (plane.pair.left, plane.pair.right)
    )
    network = StereoNetwork(tiny_network(320, 240), NetworkDescription.from_json(BASE))
    shown = []
    match = StereoNetwork.match
    monkeypatch.setattr(StereoNetwork, "match", lambda self, *given: (shown.append(given[:2]), match(self, *given))[1])
    match_pair(StereoPair(left, right, plane.pair.calibration), network=network)
    assert all(np.array_equal(seen, view) for seen, view in zip(shown[0], (left, right), strict=True))


@pytest.mark.parametrize(("given", "share"), [((np.nan, np.nan), 100), ((np.inf, 5.0), 50)])
def test_a_network_that_overflows_is_told_without_foreign_words(plane, monkeypatch, given, share):
    def overflowing(self: StereoNetwork, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        answer = np.full((len(left), left.shape[1]), given[0], np.float32)
        answer[: len(left) // 2 - 1] = given[1]
        return answer

    monkeypatch.setattr(StereoNetwork, "_run", overflowing)
    network = StereoNetwork(tiny_network(320, 240), NetworkDescription.from_json(BASE))
    with pytest.raises(NetworkError, match=f"{share} % of what the network gives are no numbers"):
        match_pair(plane.pair, network=network)


@pytest.mark.parametrize(("value", "told"), [(20, "20"), (-0.0, "0")])
def test_one_disparity_everywhere_is_no_answer(plane, monkeypatch, value, told):
    def same(self, left, right):
        answer = np.full(left.shape[:2], value, np.float32)
        answer[0, 0] = np.nan
        return answer

    monkeypatch.setattr(StereoNetwork, "_run", same)
    network = StereoNetwork(tiny_network(320, 240), NetworkDescription.from_json(BASE))
    with pytest.raises(NetworkError, match=f"gives the same disparity everywhere, {told} px"):
        match_pair(plane.pair, network=network)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({}, "names no inputs"),
        ({"inputs": ["left"]}, "names 1 inputs, the layout 'two' has 2"),
        ({"inputs": ["left", 2]}, "inputs are .*, which are no names"),
        (BASE | {"colour": "rgb"}, "unknown key 'colour'"),
        (BASE | {"color": "red"}, "color is 'red'"),
        (BASE | {"scale": "1/255"}, "scale is '1/255'"),
        (BASE | {"fit": "tile"}, "tiles without a size"),
        (BASE | {"size": [3]}, "size is"),
        (BASE | {"std": [0]}, "cannot be"),
    ],
)
def test_an_impossible_description_is_refused(entries, message):
    with pytest.raises(NetworkError, match=message) as error:
        NetworkDescription.from_json(entries)
    assert error.value.hint


def test_what_is_no_network_is_refused():
    with pytest.raises(NetworkError, match="cannot be loaded"):
        StereoNetwork(b"no network", NetworkDescription(("left", "right")))


# ------------------------------------------------------------------------------- command line


@pytest.fixture
def files(tmp_path, plane) -> Path:
    """A folder with a pair and a network with its description."""
    write_image(tmp_path / "left.png", plane.pair.left)
    write_image(tmp_path / "right.png", plane.pair.right)
    (tmp_path / "net.onnx").write_bytes(tiny_network(320, 240))
    (tmp_path / "net.json").write_text(json.dumps(BASE))
    return tmp_path


def depth(folder: Path, *arguments: str):
    return CliRunner().invoke(
        app, ["depth", *(str(folder / a) if "." in a[1:] else a for a in arguments), "-o", str(folder / "d.npy")]
    )


def test_the_command_line_takes_a_network(files, plane):
    result = depth(files, "left.png", "right.png", "--matcher", "net.onnx")
    assert result.exit_code == 0, result.stderr
    found = read_disparity(files / "d.npy")
    assert np.array_equal(found, np.rint(found))  # whole pixels: it was the tiny network
    assert np.median(np.abs(found - plane.disparity_px)) < 0.5


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda p: (p / "net.json").unlink(), "no description net.json"),
        (lambda p: (p / "net.json").write_text("{,"), "is not JSON"),
        (lambda p: (p / "net.json").write_text("[]"), "no JSON object"),
        (lambda p: (p / "net.onnx").unlink(), "does not exist"),
        (lambda p: (p / "net.onnx").write_bytes(b"x"), "cannot be loaded"),
    ],
)
def test_bad_network_files_get_one_error_and_one_hint(files, prepare, message):
    prepare(files)
    result = depth(files, "left.png", "right.png", "--matcher", "net.onnx")
    assert result.exit_code == 1
    errors = [line for line in result.stderr.splitlines() if line.startswith(("error:", "hint:"))]
    assert len(errors) == 2
    assert message in errors[0]
    assert not (files / "d.npy").exists()


@pytest.mark.parametrize("folder", [".", "/"])
def test_a_folder_is_no_network(files, folder):
    for option in ("--matcher", "--depth-network"):
        photos = ["left.png", "right.png"][: 2 if option == "--matcher" else 1]
        result = depth(files, *photos, option, folder)
        assert result.exit_code == 1
        assert "error: the network" in result.stderr


def test_a_network_needs_a_pair(files):
    np.save(files / "z.npy", np.ones((240, 320), np.float32))
    result = depth(files, "left.png", "--depth", "z.npy", "--matcher", "net.onnx")
    assert result.exit_code == 1
    assert "needs a stereo pair" in result.stderr
