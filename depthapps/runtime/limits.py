"""How many threads and how much memory a piece of work may take.

Libraries choose their threads when they are loaded: each takes all cores, whatever runs beside it. Two processes on two
cores then wait for each other, and are slower than one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

# Read by OpenMP (Open3D), OpenBLAS and MKL (numpy), numba and OpenCV when they are loaded.
_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
              "OPENCV_FOR_THREADS_NUM")  # fmt: skip
_one_at_a_time = Lock()


def count_cores() -> int:
    """Cores that this process may use, which a batch system or `taskset` may have limited."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class Limits:
    """The bounds of one piece of work.

    threads: of each library. memory_bytes: of all data of the process; None for no bound. An allocation beyond it
    fails, so that the work ends with an error and the machine does not run out of memory.
    """

    threads: int
    memory_bytes: int | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables by which the libraries of a new process keep to the threads."""
        return dict.fromkeys(_VARIABLES, str(self.threads))

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep to the limits in the block, also in a process that others started, such as a Dask worker.

        Both limits are of a process, so only one thread of it is in such a block; others wait.
        """
        with _one_at_a_time:
            os.environ.update(self.environment)  # for libraries that are not loaded yet
            if cv2 := sys.modules.get("cv2"):
                cv2.setNumThreads(self.threads)
            with _data_limit(self.memory_bytes):
                yield


def can_limit_memory() -> bool:
    """Whether the system can bound a process's memory: Linux counts its data, others only what nobody asks for."""
    return sys.platform == "linux"


@contextmanager
def _data_limit(memory_bytes: int | None) -> Iterator[None]:
    if memory_bytes is None or sys.platform != "linux":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    lowest = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
