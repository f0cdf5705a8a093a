"""Videos with both views in each frame: a video is made of each, alone and in a batch."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from test_cli import refuse, run

from depthapps import InputError, read_image
from depthapps.apps.batch.task import Told
from depthapps.apps.filmed import Filmed, results_of
from depthapps.apps.journal import Journal
from depthapps.io.film import Film, read_film

FAST = ("--quality", "fast", "--fov", "60", "--baseline", "0.1")


@pytest.fixture
def clip(tmp_path, two_layers) -> Path:
    """Four frames side by side, of which the first and the third are black."""
    path = tmp_path / "in" / "clip \u00e4.avi"
    path.parent.mkdir()
    both = np.hstack([two_layers.pair.left, two_layers.pair.right])[:120, :, ::-1]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 12, both.shape[1::-1])
    for shown in (False, True, False, True):
        writer.write(np.ascontiguousarray(both * shown))
    writer.release()
    return path


def test_a_video_makes_a_video_and_tells_which_frames_could_not_be_done(tmp_path, clip):
    done = run("depth", clip, "--side-by-side", *FAST, "-o", tmp_path / "o.mp4", "--json")
    facts = json.loads(done.stdout)
    assert (facts["frames"], facts["fps"], facts["frames_repeated"]) == (4, 12, [1, 3])
    assert facts["first_frame"]["calibration"]["baseline_m"] == 0.1
    assert "2 of 4 frames of clip \u00e4.avi could not be done and show a neighbour's result: 1, 3: " in done.stderr
    film = read_film(tmp_path / "o.mp4")
    frames = list(film.frames)
    assert (film.fps, len(frames)) == (12, 4)
    run("depth", *_frame(tmp_path, clip), *FAST, "-o", tmp_path / "one.png")
    expected = read_image(tmp_path / "one.png")
    assert all(
        np.abs(frame[: len(expected), : expected.shape[1]].astype(int) - expected).mean() < 4 for frame in frames
    )


def _frame(folder: Path, clip: Path) -> tuple[Path, str]:
    """The arguments that name the second frame of a video as a picture of its own."""
    cv2.imwrite(str(folder / "frame.png"), list(read_film(clip).frames)[1][..., ::-1])
    return folder / "frame.png", "--side-by-side"


def test_a_batch_takes_videos(tmp_path, clip):
    inputs = ["bokeh", "--image", tmp_path / "in" / "*", "--side-by-side", "--focus-depth", 1, *FAST]
    line = run("batch", *inputs, "--out-dir", tmp_path / "o", "--print-jobs").stdout.rstrip()
    assert line.endswith(f"--output={tmp_path}/o/clip \u00e4.mp4'")
    done = run("batch", *inputs, "--out-dir", tmp_path / "o", "--workers", 1, "--json-lines")
    (entry,) = map(json.loads, done.stdout.splitlines())
    assert entry["outputs"] == [str(tmp_path / "o" / "clip \u00e4.mp4")]
    assert entry["facts"]["frames"] == 4
    assert len(list(read_film(entry["outputs"][0]).frames)) == 4
    assert (tmp_path / "o/depthapps-batch/thumbnails/clip \u00e4.jpg").is_file()
    again = run("batch", *inputs, "--out-dir", tmp_path / "o", "--workers", 1, "--json-lines", "--resume")
    assert json.loads(again.stdout)["status"] == "there"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["depth", "-o", "o.png", "--side-by-side"], "which the result of clip"),
        (["depth", "-o", "o.mp4"], "does not say how it shows both views"),
        (["view3d", "--side-by-side", "-o", "o.mp4", "--motion", "orbit"], "motion is for one picture"),
        (["depth", "-o", "o.mp4", "--side-by-side", "--kind", "depth"], "a video cannot hold a map of depth"),
        (["depth", "-o", "o.mp4", "--side-by-side", "--save-depth", "z.npy"], "save-depth is for one picture"),
        (["bokeh", "-o", "o.mp4", "--side-by-side", "--sweep", "1:2"], "sweep is for one picture"),
        (["bokeh", "-o", "o.mp4", "--side-by-side", "--f-number", "-2"], "it must be positive"),
        (["shadow", "--side-by-side", "--mask", "m.png"], "and so is its result"),
        (["mesh", "--side-by-side", "-o", "o.glb"], "it is a video"),
        (["depth", "-o", "in/clip \u00e4.mp4", "--side-by-side", "--depth-network", "none.onnx"], "and more was given"),
    ],
)
def test_what_makes_no_video_is_refused(tmp_path, clip, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    clip = clip.rename(clip.with_suffix(".mp4"))
    command, *options = arguments
    assert message in refuse(command, tmp_path, clip, *options)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"#EXTM3U\nhttp://127.0.0.1/a.ts\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\0\0\0\x18ftypmp42" + bytes(200),
        b"RIFF\xff\xff\xff\xffAVI " + bytes(99),
    ],
)
def test_what_is_no_video_is_refused_and_no_list_is_followed(tmp_path, data, capfd):
    path = tmp_path / "x.mp4"
    path.write_bytes(data)
    with pytest.raises(InputError, match="no video that can be read"):
        list(read_film(path).frames)
    assert "".join(capfd.readouterr()) == ""


def test_a_video_that_is_cut_off_is_done_as_far_as_it_goes(tmp_path, clip):
    data = clip.read_bytes()
    clip.write_bytes(data[: int(0.5 * len(data))])
    done = run("depth", clip, "--side-by-side", *FAST, "-o", tmp_path / "o.mp4")
    assert "promises 4 frames, and" in done.stderr


def test_a_video_without_a_frame_that_can_be_done_is_refused_soon():
    film = Film(10, 0, iter([np.zeros((8, 8, 3), np.uint8)] * 1000))
    tried = []

    def do(frame: Path, result: Path) -> Told:
        tried.append(frame)
        return Told(error="no texture", hint="take another")

    with pytest.raises(InputError, match=r"no frame of the first 30 of x\.mp4 can be done: no texture"):
        list(results_of(film, "x.mp4", do, Filmed(), Journal()))
    assert len(tried) == 30
