"""What `depthapps bokeh` shows and writes beside the picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from depthapps import read_image
from depthapps.cli.app import app


@pytest.fixture
def given(tmp_path):
    rng = np.random.default_rng(0)
    cv2.imwrite(str(tmp_path / "photo.png"), rng.integers(0, 255, (60, 80, 3)).astype(np.uint8))
    depth = np.full((60, 80), 3, np.float32)
    depth[15:50, 25:55] = 1
    np.save(tmp_path / "depth.npy", depth)
    return [str(tmp_path / "photo.png"), "--depth", str(tmp_path / "depth.npy"), "--fov", "60"]


def _run(*arguments):
    return CliRunner().invoke(app, ["bokeh", *(str(a) for a in arguments)])


@pytest.mark.parametrize("name", ["pull.gif", "pull.mp4"])
def test_a_sweep_is_a_video(given, tmp_path, name):
    result = _run(*given, "-o", tmp_path / name, "--sweep", "1:3", "--frames", 3, "--quality", "fast")
    assert result.exit_code == 0, result.output
    video = cv2.VideoCapture(str(tmp_path / name))
    assert sum(1 for _ in iter(lambda: video.read()[0], False)) == 3


@pytest.mark.parametrize("what", ["coc", "focus", "depth"])
def test_what_is_shown_is_a_picture(given, tmp_path, what):
    result = _run(*given, "-o", tmp_path / "show.png", "--show", what, "--focus", "auto")
    assert result.exit_code == 0, result.output
    assert read_image(tmp_path / "show.png").shape[0] == 60
    assert "the subject is at" in result.output


def test_where_nothing_stands_out_the_middle_is_in_focus_and_told(given, tmp_path):
    np.save(tmp_path / "depth.npy", np.full((60, 80), 3, np.float32))
    result = _run(*given, "-o", tmp_path / "flat.png", "--focus", "auto")
    assert result.exit_code == 0, result.output
    assert "nothing stands out; in focus is the middle, at 39.5,29.5, 3 m away" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["-o", "a.png", "--sweep", "1:2"], 1, "a video cannot take"),
        (["-o", "a.mp4"], 1, "a picture cannot take"),
        (["-o", "a.mp4", "--sweep", "1:2", "--focus", "3,4"], 1, "moves the focus itself"),
        (["-o", "a.mp4", "--sweep", "1:2", "--show", "coc"], 1, "exclude each other"),
        (["-o", "a.mp4", "--sweep", "0:2"], 1, "two distances"),
        (["-o", "a.mp4", "--sweep", "2"], 1, "--sweep 2 is not two distances"),
        (["-o", "a.mp4", "--sweep", "1:nan"], 1, "--sweep 1:nan is not two distances"),
        (["-o", "a.mp4", "--sweep", "1,2"], 1, "--sweep 1,2 is not two distances"),
        (["-o", "a.png", "--focus", "9,9,3,3"], 1, "has no inside"),
        (["-o", "a.png", "--blades", "5", "--rotation", "nan"], 1, "hint: change --rotation\n"),
        (["-o", "a.png", "--focus", "1,2,3"], 2, "is not auto"),
    ],
)
def test_what_does_not_go_together_is_refused(given, arguments, status, message):
    result = _run(*given, *arguments)
    assert result.exit_code == status
    assert message in result.output
