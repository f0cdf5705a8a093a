"""Write videos: MP4 for players and browsers, GIF and WebP where only pictures are taken."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import chain, islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from depthapps.core.errors import InputError, OutputError, explain_os_error
from depthapps.io.formats import VIDEO_SUFFIXES
from depthapps.io.inputs import StrPath
from depthapps.io.outputs import Outputs, check_suffix, opened
from depthapps.io.scratch import temporary_folder

# VP9 is the only codec in OpenCV's wheels that browsers play; MPEG-4 part 2 is in all of them, for desktop players.
_CODECS = ("vp09", "mp4v")
_WEBP_QUALITY, _WEBP_METHOD = 90, 2  # no loss can be seen; a method of 0 to 6: higher ones are slow and hardly smaller
_GIF_TICKS = 100  # a second; each frame of a GIF is shown for a whole number of them
# Frames a second that are kept. Browsers take a GIF's or a WebP's 10 ms or less for 100 ms. A WebP's frames are all
# shown for the same whole number of milliseconds, from 11 on: it is 5 % too short or too long at most.
_GIF_FPS, _WEBP_FPS = 50, 90
_LEAST_FPS = 0.01  # below 0.002 a GIF cannot tell how long a frame is shown, and OpenCV writes no .mp4
_MOST_FPS = 1000  # phones film in slow motion at up to 960

Frame = NDArray[np.uint8]


def write_video(path: StrPath, frames: Iterable[Frame], fps: float, *, outputs: Outputs | None = None) -> None:
    """Write a video. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        An ``.mp4``, ``.gif`` or ``.webp`` file.
    frames : iterable of ndarray, (H, W, 3) uint8
        RGB frames of one size; they are taken one at a time.
    fps : float
        Frames a second, 0.01 to 1000. Of more than 50 a GIF, of more than 90 a WebP leaves out some.
    outputs : Outputs, optional
        The group of files that this one belongs to. Without it the file is written at once and replaces an old one.

    Raises
    ------
    InputError
        There is no frame, a frame has no pixels, the frames differ in size, or the rate is out of range.
    OutputError
        The file cannot be written, or OpenCV has no encoder for it.

    Notes
    -----
    MP4 stores colours for pairs of pixels, so a frame of odd width or height is continued by one pixel. It holds VP9,
    or MPEG-4 part 2 where OpenCV has no VP9 encoder. GIF and WebP repeat for ever; a GIF has 256 dithered colours
    a frame, a WebP all of them.
    """
    path = Path(path)
    check_suffix(path, VIDEO_SUFFIXES, "a video")
    if not _LEAST_FPS <= fps <= _MOST_FPS:
        raise InputError(f"the frame rate is {fps:g}, it must be {_LEAST_FPS} to {_MOST_FPS}", hint="24 is usual")
    with opened(outputs, [path]) as group:
        frames = _of_one_size(frames)
        first = next(frames, None)
        if first is None:
            raise InputError("a video needs at least one frame", hint="ask for more frames")
        frames = chain([first], frames)
        if path.suffix.lower() == ".gif":
            group.write(path, _gif(frames, fps))
        elif path.suffix.lower() == ".webp":
            group.write(path, _webp(frames, fps))
        else:
            group.write(path, _mp4(path, frames, first.shape, fps))


def _of_one_size(frames: Iterable[Frame]) -> Iterator[Frame]:
    expected = None
    for frame in frames:
        expected = expected or frame.shape
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            raise InputError(f"a frame is {frame.dtype} of {frame.shape}", hint="give RGB (H, W, 3) uint8 arrays")
        if not frame.size:
            raise InputError(f"a frame of {frame.shape} has no pixels", hint="give frames of one pixel or more")
        if frame.shape != expected:  # OpenCV would leave it out without a word
            raise InputError(f"a frame is {frame.shape}, the ones before it {expected}", hint="make them of one size")
        yield frame


def _mp4(path: Path, frames: Iterable[Frame], shape: tuple[int, ...], fps: float) -> bytes:
    """The bytes of an MP4. OpenCV encodes into files only, so it gets one whose name is ASCII on every system."""
    height, width = shape[:2]
    size = width + width % 2, height + height % 2
    with temporary_folder() as folder:
        encoded, writer = folder / "video.mp4", cv2.VideoWriter()
        try:
            if not any(writer.open(str(encoded), cv2.VideoWriter.fourcc(*codec), fps, size) for codec in _CODECS):
                raise OutputError(
                    f"{path.suffix} cannot be written: this OpenCV has neither a VP9 nor an MPEG-4 encoder",
                    hint="write a .gif instead, or install opencv-python from PyPI",
                )
            for frame in frames:
                bgr = np.ascontiguousarray(frame[..., ::-1])
                writer.write(cv2.copyMakeBorder(bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE))
        finally:
            writer.release()
        try:
            data = encoded.read_bytes()
        except OSError as error:
            message, hint = explain_os_error(error)
            raise OutputError(message, hint=hint) from error
        if not _is_whole(data):  # OpenCV does not tell of a full disk
            raise OutputError(
                f"{path.name} could not be encoded: the video in {folder.parent} is not whole",
                hint="free some space there, or name another folder in TMPDIR",
            )
        return data


def _is_whole(mp4: bytes) -> bool:
    """Whether the boxes of an MP4 (ISO/IEC 14496-12) fill it to its end, samples and their index among them."""
    kinds, at = [], 0
    while at + 16 <= len(mp4):
        size, kind, wide = struct.unpack_from(">I4sQ", mp4, at)
        kinds.append(kind)
        at += max(wide if size == 1 else size, 8)
    return at == len(mp4) and {b"mdat", b"moov"} <= set(kinds)


def _gif(frames: Iterable[Frame], fps: float) -> bytes:
    pictures, file = _timed(frames, fps), BytesIO()
    next(pictures).save(file, format="GIF", save_all=True, append_images=pictures, loop=0)
    return file.getvalue()


def _timed(frames: Iterable[Frame], fps: float) -> Iterator[Pillow.Image]:
    """The pictures of a GIF, each with how long it is shown: the rounding of one is made up for by the next."""
    every = math.ceil(fps / _GIF_FPS)
    ticks = every * _GIF_TICKS / fps
    for k, frame in enumerate(islice(frames, 0, None, every)):
        picture = Pillow.fromarray(frame).quantize(dither=Pillow.Dither.FLOYDSTEINBERG)
        picture.info["duration"] = (round((k + 1) * ticks) - round(k * ticks)) * 1000 // _GIF_TICKS
        yield picture


def _webp(frames: Iterable[Frame], fps: float) -> bytes:
    every = math.ceil(fps / _WEBP_FPS)
    pictures = (Pillow.fromarray(frame) for frame in islice(frames, 0, None, every))
    first, file = next(pictures), BytesIO()
    options = {"duration": round(1000 * every / fps), "loop": 0, "quality": _WEBP_QUALITY, "method": _WEBP_METHOD}
    first.save(file, format="WEBP", save_all=True, append_images=pictures, **options)
    return file.getvalue()
