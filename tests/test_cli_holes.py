"""`depthapps mesh`: holes, and a video of the turned model."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh
from typer.testing import CliRunner

from depthapps import write_image
from depthapps.cli.app import app


@pytest.fixture
def arguments(step_scene, tmp_path, monkeypatch):
    """The start of a command: a photo and a depth map with a hole in its wall."""
    monkeypatch.chdir(tmp_path)
    write_image("photo.png", step_scene.image)
    depth = step_scene.depth_m.copy()
    depth[5:15, 5:25] = np.nan
    np.save("depth.npy", depth)
    return ["mesh", "photo.png", "--depth", "depth.npy", "--focal-px", "100"]


def run(arguments: list[str], *more: str):
    return CliRunner().invoke(app, [*arguments, *more])


def test_models_to_look_at_are_filled_and_those_to_measure_are_not(arguments):
    vertices = {}
    for name, more in (("a.glb", ()), ("b.ply", ()), ("c.ply", ("--holes", "fill")), ("d.glb", ("--holes", "keep"))):
        result = run(arguments, "-o", name, "--json", *more)
        assert result.exit_code == 0, result.stderr
        facts = json.loads(result.stdout)
        vertices[name[0]] = len(trimesh.load_mesh(name, process=False).vertices)
        assert facts["holes"] == ("fill" if name[0] in "ac" else "keep")
        assert ("made up" in result.stderr) == (name[0] in "ac")
    assert vertices["a"] == vertices["c"] == 120 * 90
    assert vertices["b"] == vertices["d"] == 120 * 90 - 200
    marks = trimesh.load("c.ply", process=False).metadata["_ply_raw"]["vertex"]["data"]["made_up"]
    assert marks.sum() == 200
    assert b"made_up" not in Path("b.ply").read_bytes()[:1000]


def test_a_turn_puts_a_background_behind_a_given_depth(arguments):
    result = run(arguments, "-o", "a.glb", "--turn", "8", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["behind"]["made_up"] > 0.05
    assert len(trimesh.load_scene("a.glb").geometry) == 2


def test_a_turntable_is_a_video_of_the_pictures_size(arguments):
    result = run(arguments, "--turntable", "turn.mp4", "--turn", "5")
    assert result.exit_code == 0, result.stderr
    video = cv2.VideoCapture("turn.mp4")
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 96
    assert (video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (120, 90)


@pytest.mark.parametrize(
    "more",
    [
        ("-o", "a.glb", "--points", "--holes", "fill"),
        ("-o", "a.stl", "--preset", "print", "--holes", "keep"),
        ("-o", "a.glb", "--holes", "keep", "--turn", "5"),
        ("-o", "a.glb", "--points", "--turntable", "a.mp4"),
        ("--turntable", "a.txt"),
    ],
)
def test_options_that_exclude_each_other_are_refused(arguments, more, tmp_path):
    result = run(arguments, *more)
    assert result.exit_code == 1
    assert result.stderr.count("error: ") == 1
    assert result.stderr.count("hint: ") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["depth.npy", "photo.png"]
