"""Videos come back with the frames that went in."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageSequence

from depthapps import InputError, Outputs, write_video


def _frames(count: int, height: int = 48, width: int = 64):
    """A red bar that moves to the right over grey."""
    for k in range(count):
        frame = np.full((height, width, 3), 90, np.uint8)
        frame[:, 4 * k : 4 * k + 12] = (230, 40, 30)
        yield frame


def _read_mp4(path) -> tuple[list[np.ndarray], float]:
    video = cv2.VideoCapture(str(path))
    frames = []
    while True:
        there, frame = video.read()
        if not there:
            return frames, video.get(cv2.CAP_PROP_FPS)
        frames.append(frame[..., ::-1])


@pytest.mark.parametrize("size", [(48, 64), (47, 63)])
def test_mp4_holds_every_frame(tmp_path, size):
    path = tmp_path / "pull.mp4"
    write_video(path, _frames(9, *size), 12.5)
    found, fps = _read_mp4(path)
    assert fps == pytest.approx(12.5)
    assert len(found) == 9
    assert found[0].shape == (48, 64, 3)
    for frame, truth in zip(found, _frames(9, *size), strict=True):
        assert np.abs(frame[: size[0], : size[1]].astype(int) - truth).mean() < 8


def test_gif_holds_every_frame_and_repeats(tmp_path):
    path = tmp_path / "pull.gif"
    write_video(path, _frames(9, 47, 63), 20)
    with Pillow.open(path) as gif:
        assert (gif.size, gif.info["loop"], gif.info["duration"]) == ((63, 47), 0, 50)
        found = [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(gif)]
    for frame, truth in zip(found, _frames(9, 47, 63), strict=True):
        assert np.abs(frame - truth).max() < 8


def test_a_video_that_breaks_off_leaves_nothing_behind(tmp_path):
    def breaks():
        yield from _frames(3)
        raise RuntimeError

    for name in ("pull.mp4", "pull.gif"):
        outputs = Outputs([tmp_path / name])
        with pytest.raises(RuntimeError), outputs:
            write_video(outputs.part(tmp_path / name), breaks(), 10)
    assert not list(tmp_path.iterdir())


def test_frames_of_different_sizes_none_at_all_and_wild_rates_are_refused(tmp_path):
    odd = [np.zeros((8, 8, 3), np.uint8), np.zeros((8, 10, 3), np.uint8)]
    with pytest.raises(InputError, match="a frame is"):
        write_video(tmp_path / "a.mp4", odd, 10)
    with pytest.raises(InputError, match="at least one"):
        write_video(tmp_path / "b.gif", [], 10)
    for name in ("a.mp4", "b.gif", "c.webp"):
        with pytest.raises(InputError, match="has no pixels"):
            write_video(tmp_path / name, [np.zeros((0, 8, 3), np.uint8)] * 2, 10)
    with pytest.raises(InputError, match="frame rate is 0"):
        write_video(tmp_path / "c.gif", odd, 0)
    with pytest.raises(InputError, match="frame rate is 1001"):
        write_video(tmp_path / "c.webp", odd[:1], 1001)


@pytest.mark.parametrize("fps", [10, 24, 50, 60, 67, 100, 101, 120, 150, 200, 240, 700, 1000])
def test_a_video_is_as_long_in_every_file(tmp_path, fps):
    count = 2 * fps if fps <= 240 else fps
    for name, least_ms, off in (("a.gif", 20, 0.01), ("a.webp", 11, 0.05)):
        write_video(tmp_path / name, (np.full((8, 8, 3), 40 + 8 * (k % 20), np.uint8) for k in range(count)), fps)
        with Pillow.open(tmp_path / name) as picture:
            shown_ms, frames = [], []
            for frame in ImageSequence.Iterator(picture):
                frame.load()
                shown_ms.append(frame.info["duration"])
                frames.append(int(np.asarray(frame.convert("RGB"))[0, 0, 0]))
        assert min(shown_ms) >= least_ms
        assert sum(shown_ms) / 1000 == pytest.approx(count / fps, rel=off, abs=0.021)
        assert frames[0] == pytest.approx(40, abs=2)
        if fps <= 50:
            assert len(frames) == count


def test_slow_motion_is_kept_whole_in_an_mp4(tmp_path):
    for fps in (240, 1000):
        write_video(tmp_path / "a.mp4", _frames(24, width=128), fps)
        frames, read = _read_mp4(tmp_path / "a.mp4")
        assert (len(frames), read) == (24, pytest.approx(fps))
