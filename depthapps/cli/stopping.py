"""End the process when a signal tells it to: outputs are whole or absent, and one line says what happened.

Free of typer, which takes 100 ms to load: until `watch` is called, a signal ends the process without a word.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from threading import Thread
from types import FrameType
from typing import NoReturn

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
# A command that computes in compiled code cannot notice the signal before that returns. Whoever sent it waits for some
# seconds, ten in most service managers, and then kills.
_GRACE_S = 2.0
_SHOW_CURSOR = "\r\x1b[K\x1b[?25h"  # on a line of its own, without what was waited for or what a bar has hidden


_received: list[int] = []


def watch() -> None:
    """Raise KeyboardInterrupt at the first signal; end the process if that takes more than a moment, or at the second.

    Whoever watches calls `end_if_stopped` where the exception arrives.
    """
    for name in _SIGNALS:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, _stop)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_ignore_parent)
    if hasattr(os, "set_blocking"):
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        Thread(target=_force, args=(reading,), daemon=True).start()


def end_if_stopped() -> None:
    """End the process if a signal has told it to."""
    if _received:
        _end(_received[0])


def _end(number: int) -> NoReturn:
    """Remove what is not whole, say that a signal has ended the process, and end it with the usual status."""
    if scratch := sys.modules.get("depthapps.io.scratch"):
        scratch.remove_all()
    if processes := sys.modules.get("multiprocessing"):
        for child in processes.active_children():
            child.terminate()
    if quiet := sys.modules.get("depthapps.runtime.quiet"):
        quiet.end_silence()
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            cursor = _SHOW_CURSOR if sys.stderr.isatty() else ""
            sys.stderr.write(f"{cursor}error: stopped by {signal.Signals(number).name}; outputs are whole or absent\n")
            sys.stderr.flush()
    os._exit(128 + number)


def _ignore_parent() -> None:
    """In a forked process: signals are its own, and not told to the parent through the pipe that both have."""
    signal.set_wakeup_fd(-1)
    for name in _SIGNALS:
        if (number := getattr(signal, name, None)) and signal.getsignal(number) is _stop:
            signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)


def _stop(number: int, _: FrameType | None) -> None:
    _received.append(number)
    if len(_received) == 1:  # cleaning up is not to be disturbed; `_force` sees the next one
        raise KeyboardInterrupt


def _force(reading: int) -> None:
    """Wait for a signal in a thread of its own, then for the process to end, and end it."""
    import select

    number = os.read(reading, 1)[0]
    select.select([reading], [], [], _GRACE_S)
    _end(number)
