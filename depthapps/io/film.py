"""Read videos, frame by frame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from depthapps.core.errors import InputError
from depthapps.core.scene import Image
from depthapps.io.inputs import StrPath, check_input
from depthapps.io.sizes import check_pixels
from depthapps.runtime.quiet import silent_libraries

_HEAD = 12
# FFmpeg's own threads would still print about a damaged frame when stderr is no longer silent
_IN_THIS_THREAD = (cv2.CAP_PROP_N_THREADS, 1)
_MOST_FRAMES = 10_000_000  # a day and more at 100 a second: what promises more is no promise


@dataclass(frozen=True, eq=False)
class Film:
    """A video that is being read.

    fps: frames a second. promised: how many frames its header promises, 0 if it does not tell. frames: (H, W, 3) uint8
    RGB, upright, to be taken once.
    """

    fps: float
    promised: int
    frames: Iterator[Image]


def read_film(path: StrPath) -> Film:
    """Open a video for reading.

    Parameters
    ----------
    path : str or PathLike
        An MP4, QuickTime, Matroska, WebM or AVI file, of a codec that OpenCV's FFmpeg has.

    Returns
    -------
    Film
        Its frames end where the file does, be it cut off or not.

    Raises
    ------
    InputError
        The file is no such video, or promises frames that no memory holds.
    """
    path = check_input(path, "video")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    # FFmpeg would also follow lists of other files, on other machines too
    if not (head[4:8] == b"ftyp" or head.startswith(b"\x1a\x45\xdf\xa3") or (head[:4], head[8:]) == (b"RIFF", b"AVI ")):
        raise _unreadable(path)
    try:
        with silent_libraries():
            capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, _IN_THIS_THREAD)
    except (cv2.error, UnicodeError):
        raise _unreadable(path) from None
    fps, promised, width, height = (
        capture.get(key)
        for key in (cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    )
    if not (capture.isOpened() and math.isfinite(fps) and fps > 0 and width >= 1 and height >= 1):
        raise _unreadable(path)
    check_pixels(int(width), int(height), path.name)
    return Film(fps, int(promised) if 0 < promised < _MOST_FRAMES else 0, _frames(capture, path))


def _frames(capture: cv2.VideoCapture, path: Path) -> Iterator[Image]:
    none = True
    try:
        while True:
            try:
                with silent_libraries():
                    there, frame = capture.read()
            except cv2.error:
                there, frame = False, None
            if not there or frame is None or frame.ndim != 3:
                break
            none = False
            yield np.ascontiguousarray(frame[..., ::-1])
    finally:
        with silent_libraries():
            capture.release()
    if none:
        raise _unreadable(path)


def _unreadable(path: Path) -> InputError:
    return InputError(
        f"{path} is no video that can be read", hint="is it whole? else convert it to an MP4 with H.264, as ffmpeg does"
    )
