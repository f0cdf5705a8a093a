"""Workers are used again, are replaced when they die, and end with the process that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from depthapps.runtime.limits import Limits, count_cores
from depthapps.runtime.workers import WorkerDiedError, WorkerProcesses

posix = pytest.mark.skipif(os.name != "posix", reason="this system has no signals")


@pytest.fixture
def worker():
    """One worker process of two threads."""
    workers = WorkerProcesses(1, Limits(2).environment)
    yield workers
    workers.kill()


def test_a_worker_is_started_once_and_knows_its_threads(worker):
    first, second = worker.submit(os.getpid), worker.submit(os.getpid)
    assert first.result() == second.result() != os.getpid()
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENCV_FOR_THREADS_NUM", "OPENBLAS_NUM_THREADS"):
        assert worker.submit(os.getenv, name).result() == "2"
    assert worker.submit(eval, "__import__('cv2').getNumThreads()").result() == 2


def test_what_the_work_raises_and_prints(worker):
    with pytest.raises(ZeroDivisionError):
        worker.submit(divmod, 1, 0).result()
    assert worker.submit(print, "among the answers").result() is None
    assert worker.submit(os.system, "echo among the answers").result() == 0
    with pytest.raises(Exception, match="pickle"):
        worker.submit(eval, "lambda: 0").result()
    assert worker.submit(os.getpid).result()


def test_a_worker_that_dies_fails_its_own_work_only(worker):
    before = worker.submit(os.getpid).result()
    dying, next_one = worker.submit(os._exit, 3), worker.submit(os.getpid)
    with pytest.raises(WorkerDiedError, match="ended with status 3"):
        dying.result()
    assert next_one.result() != before


@posix
def test_a_killed_worker_says_by_what(worker):
    with pytest.raises(WorkerDiedError, match="SIGKILL"):
        worker.submit(eval, "__import__('os').kill(__import__('os').getpid(), 9)").result()


@posix
def test_workers_are_ended_in_the_middle_of_their_work(worker):
    pid = worker.submit(os.getpid).result()
    sleeping, waiting = worker.submit(time.sleep, 600), worker.submit(os.getpid)
    while not sleeping.running():
        time.sleep(0.01)
    worker.kill()
    assert isinstance(sleeping.exception(), WorkerDiedError)
    assert waiting.cancelled()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc")
def test_workers_end_when_their_parent_is_killed():
    code = (
        "import os, time; from depthapps.runtime.workers import WorkerProcesses; w = WorkerProcesses(1, {});"
        "print(w.submit(os.getpid).result(), flush=True); w.submit(time.sleep, 600).result()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    end = time.monotonic() + 30
    while _runs(pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is bounded on Linux only")
def test_memory_beyond_the_limit_is_refused_and_the_limit_is_taken_back():
    code = (
        "import numpy as np, resource; from depthapps.runtime.limits import Limits\n"
        "before = resource.getrlimit(resource.RLIMIT_DATA)\n"
        "try:\n"
        "    with Limits(1, 400 << 20).kept():\n"
        "        np.empty(10 << 20, np.uint8); np.empty(800 << 20, np.uint8)\n"
        "except MemoryError: print('refused')\n"
        "assert resource.getrlimit(resource.RLIMIT_DATA) == before\n"
        "np.empty(800 << 20, np.uint8)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"


def test_there_is_at_least_one_core():
    assert count_cores() >= 1
