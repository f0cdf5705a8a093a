"""Moving pictures out: MP4 for players and browsers, GIF for where only pictures go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from depthapps.core.errors import InputError, OutputError

VIDEO_SUFFIXES = (".mp4", ".gif")
# VP9 is the one codec in OpenCV's wheels that browsers play; MPEG-4 part 2 is in all of them, for desktop players.
_CODECS = ("vp09", "mp4v")
_GIF_TICKS = 100  # a second; frames of a GIF last whole ticks

Frame = NDArray[np.uint8]


def write_video(path: Path, frames: Iterable[Frame], fps: float) -> None:
    """Write frames, (H, W, 3) uint8 RGB of one size, as .mp4 or .gif; they are taken one at a time.

    `path` is a part of `Outputs`, so that a video that breaks off leaves nothing behind. A picture of odd width or
    height is continued by one pixel in an MP4, whose colours come in pairs. Raises InputError without frames or for
    frames of different sizes, OutputError when the file cannot be written.
    """
    if not 0 < fps <= _GIF_TICKS:
        raise InputError(f"the frame rate is {fps:g}, it must be above 0 and at most {_GIF_TICKS}", hint="24 is usual")
    frames = _of_one_size(frames)
    first = next(frames, None)
    if first is None:
        raise InputError("a video needs at least one frame", hint="ask for more frames")
    write = _write_gif if path.suffix.lower() == ".gif" else _write_mp4
    write(path, chain([first], frames), first.shape, fps)


def _of_one_size(frames: Iterable[Frame]) -> Iterator[Frame]:
    expected = None
    for frame in frames:
        expected = expected or frame.shape
        if frame.shape != expected:  # which cv2 would drop without a word
            raise InputError(f"a frame is {frame.shape}, the ones before it {expected}", hint="make them of one size")
        yield frame


def _write_mp4(path: Path, frames: Iterable[Frame], shape: tuple[int, ...], fps: float) -> None:
    height, width = shape[:2]
    size = width + width % 2, height + height % 2
    writer = cv2.VideoWriter()
    try:
        if not any(writer.open(str(path), cv2.VideoWriter.fourcc(*codec), fps, size) for codec in _CODECS):
            raise OutputError(
                f"{path.suffix} cannot be written: this OpenCV has neither a VP9 nor an MPEG-4 encoder",
                hint="write a .gif instead, or install opencv-python from PyPI",
            )
        for frame in frames:
            bgr = np.ascontiguousarray(frame[..., ::-1])
            writer.write(cv2.copyMakeBorder(bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE))
    finally:
        writer.release()
    if not path.stat().st_size:
        raise OutputError("the video could not be written", hint="is the disk full?")


def _write_gif(path: Path, frames: Iterable[Frame], shape: tuple[int, ...], fps: float) -> None:
    pictures = (Pillow.fromarray(frame).quantize(dither=Pillow.Dither.FLOYDSTEINBERG) for frame in frames)
    first = next(pictures)
    duration_ms = round(_GIF_TICKS / fps) * 1000 // _GIF_TICKS
    try:
        first.save(path, format="GIF", save_all=True, append_images=pictures, duration=duration_ms, loop=0)
    except OSError as error:
        raise OutputError(f"the video could not be written ({error})", hint="is the disk full?") from None
