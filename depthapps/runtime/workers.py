"""Processes that work for this one: started once, used again and again, and replaced when one dies.

`concurrent.futures.ProcessPoolExecutor` gives up all its work when a single process dies, and does not tell whose work
that process did. Here each process has one thread of this process that waits for it, so only its own work fails. The
processes are started by themselves, not by `multiprocessing`: they never run the main script again, they can be given
an environment before any library is loaded, and they end at once when this process does, even if it was killed.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

_DYING_S = 5.0  # a process that writes its memory to a core file takes seconds to end


class WorkerDiedError(BrokenProcessPool):
    """The process that did the work ended without an answer: it was killed, or a library crashed."""


class WorkerProcesses(Executor):
    """An executor of `count` processes.

    Parameters
    ----------
    count : int
        Number of processes; each does one piece of work at a time.
    environment : mapping of str to str
        Variables that are added to their environment.
    show_stderr : bool, optional
        Let them write to this process's stderr. What libraries print there is dropped otherwise.

    Notes
    -----
    A function and its arguments are pickled, so the function must be importable by its name.
    """

    def __init__(self, count: int, environment: Mapping[str, str], *, show_stderr: bool = False) -> None:
        modules = os.pathsep.join(filter(None, sys.path))  # the worker imports what this process would import
        self._start = lambda: _Process({**os.environ, "PYTHONPATH": modules, **environment}, show_stderr)
        self._idle: SimpleQueue[_Process | None] = SimpleQueue()  # None stands for a process that is not started yet
        self._running: set[_Process] = set()
        self._ended = False
        for _ in range(count):
            self._idle.put(None)
        self._threads = ThreadPoolExecutor(count)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do `fn(*args, **kwargs)` in the next process that is free. Its future raises WorkerDiedError if that dies."""
        return self._threads.submit(self._call, (fn, args, kwargs))

    def _call(self, work: tuple[Any, ...]) -> Any:
        process = self._idle.get()
        try:
            if process is None:
                process = self._start()
                self._running.add(process)
            if self._ended:
                raise WorkerDiedError("the workers were stopped")
            return process.call(work)
        except WorkerDiedError:
            if process is not None:
                self._running.discard(process)
                process.close()
            process = None
            raise
        finally:
            self._idle.put(process)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the processes finish their work, if `wait`, then end them; without it, they are ended at once."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        self.kill()

    def kill(self) -> None:
        """End the processes at once, also in the middle of their work, whose futures raise WorkerDiedError."""
        self._ended = True
        for process in list(self._running):
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        while self._running:
            self._running.pop().close()


class _Process:
    """A process that runs `depthapps.runtime.worker`."""

    def __init__(self, environment: Mapping[str, str], show_stderr: bool) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "depthapps.runtime.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if show_stderr else subprocess.DEVNULL,
            env=dict(environment),
        )

    def call(self, work: tuple[Any, ...]) -> Any:
        """Do `fn(*args, **kwargs)` there. Raises what it raises, or WorkerDiedError."""
        jobs, answers = self._process.stdin, self._process.stdout
        assert jobs is not None
        assert answers is not None
        try:
            pickle.dump(pickle.dumps(work), jobs)
            jobs.flush()
            failed, result = pickle.load(answers)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise WorkerDiedError(f"its worker was {self._end()}") from error
        if failed:
            raise result
        return result

    def _end(self) -> str:
        """How the process ended, in words."""
        try:
            code = self._process.wait(_DYING_S)
        except subprocess.TimeoutExpired:  # it closed its pipe and goes on
            return "ended without an answer"
        if code >= 0:
            return f"ended with status {code}"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"killed by {name}" + (", as the system does when memory runs out" if name == "SIGKILL" else "")

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def close(self) -> None:
        """End the process and close its pipes, which no thread may be using."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what was not sent yet has no one to read it
                if pipe is not None:
                    pipe.close()
