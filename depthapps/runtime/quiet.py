"""Keep what C libraries print out of the user's sight: libpng, libjpeg and libtiff write to stderr by themselves."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_STDERR = 2
_lock = threading.Lock()
_kept: list[int] = []  # where stderr went before, while it is silent
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
            _silence()
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _restore()


def end_silence() -> None:
    """Give stderr back although libraries may still be at work, for a last word of a process that ends."""
    _restore()


def _silence() -> None:
    with suppress(OSError):  # a program without stderr has nothing to keep silent
        kept = os.dup(_STDERR)
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
        except OSError:
            os.close(kept)
            raise
        os.dup2(nowhere, _STDERR)
        os.close(nowhere)
        _kept.append(kept)


def _restore() -> None:
    while _kept:
        kept = _kept.pop()
        with suppress(OSError):
            os.dup2(kept, _STDERR)
        os.close(kept)
