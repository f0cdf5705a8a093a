"""The process at the other end of `workers`: take pickled work from stdin, do it, and answer on stdout."""

from __future__ import annotations

import os
import pickle
import signal
from queue import SimpleQueue
from threading import Thread
from typing import Any, BinaryIO

from depthapps.runtime.memory import keep_freed_memory


def serve() -> None:
    """Work until stdin ends, which it does when the process that gives the work has ended, in whatever way."""
    keep_freed_memory()  # before there are threads
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: who gave the work ends this process
    jobs, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a library prints must not stand among the answers
    waiting: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_receive, args=(jobs, waiting), daemon=True).start()
    while True:
        answer = _answer(waiting.get())
        answers.write(answer)
        answers.flush()


def _receive(jobs: BinaryIO, waiting: SimpleQueue[bytes]) -> None:
    """Take work; when there is no one left to give it, end the process, even in the middle of work."""
    try:
        while True:
            waiting.put(pickle.load(jobs))
    except (EOFError, OSError):
        os._exit(0)


def _answer(pickled: bytes) -> bytes:
    try:
        function, arguments, named = pickle.loads(pickled)
        answer: tuple[bool, Any] = (False, function(*arguments, **named))
        return pickle.dumps(answer)
    except Exception as error:
        try:
            return pickle.dumps((True, error))
        except Exception:  # an error that holds what cannot be pickled
            return pickle.dumps((True, RuntimeError(f"{type(error).__name__}: {error}")))


if __name__ == "__main__":
    serve()
