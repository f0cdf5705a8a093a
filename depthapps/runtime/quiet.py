"""Keep what C libraries print out of the user's sight: libpng, libjpeg and libtiff write to stderr by themselves."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_STDOUT, _STDERR = 1, 2
_lock = threading.Condition()
_kept: list[tuple[int, int]] = []  # the streams that are redirected, and where they went before
_inside = 0  # threads that decode at this moment: the last one to leave gives stderr back


@contextmanager
def silent_libraries() -> Iterator[None]:
    """Send what is written to the file descriptor of stderr nowhere, from any thread.

    For calls of decoders only, which say in their result whether they worked. Errors in Python are raised as ever.
    """
    global _inside
    with _lock:
        _inside += 1
        if _inside == 1:
            with suppress(OSError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                _redirect(nowhere, (_STDERR,))
                os.close(nowhere)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _restore()
                _lock.notify_all()


@contextmanager
def listening() -> Iterator[list[str]]:
    """Take what is written to the file descriptors of stdout and stderr; the list has it at the end.

    For libraries that print what is wrong with a file, and return something nevertheless. What other threads print
    meanwhile is taken, too.
    """
    said: list[str] = []
    with tempfile.TemporaryFile() as file, _lock:
        _lock.wait_for(lambda: _inside == 0)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        _redirect(file.fileno(), (_STDOUT, _STDERR))
        try:
            yield said
        finally:
            _restore()
            file.seek(0)
            said.append(file.read().decode(errors="replace"))


def end_silence() -> None:
    """Give stderr back although libraries may still be at work, for a last word of a process that ends."""
    _restore()


def _redirect(target: int, streams: tuple[int, ...]) -> None:
    for stream in streams:
        with suppress(OSError):  # a program without it has nothing to keep silent
            _kept.append((stream, os.dup(stream)))
            os.dup2(target, stream)


def _restore() -> None:
    while _kept:
        stream, kept = _kept.pop()
        with suppress(OSError):
            os.dup2(kept, stream)
        os.close(kept)
