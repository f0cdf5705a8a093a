"""Where the jobs of a batch are done: in processes of this computer, or by the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from depthapps.core.errors import InputError, MissingExtraError
from depthapps.runtime.limits import Limits
from depthapps.runtime.workers import WorkerProcesses

_ANSWER_S = 10  # a scheduler that is there answers in less than a second


@contextmanager
def worker_processes(count: int, limits: Limits, *, show_stderr: bool = False) -> Iterator[Executor]:
    """Processes that keep to the limits; at the end of the block they are ended, in the middle of their work too."""
    workers = WorkerProcesses(count, limits.environment, show_stderr=show_stderr)
    try:
        yield workers
    finally:
        workers.kill()


@contextmanager
def dask_cluster(address: str) -> Iterator[Executor]:
    """The workers of a Dask scheduler.

    Raises
    ------
    MissingExtraError
        dask[distributed] is not installed.
    InputError
        No scheduler answers at the address.

    Notes
    -----
    The scheduler gives the jobs of a worker that dies to the others, `distributed.scheduler.allowed-failures` times.
    """
    try:
        from distributed import Client  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise MissingExtraError("work on a Dask cluster", "cluster") from None
    try:
        client = Client(address, timeout=_ANSWER_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers at {address}: {error}", hint="start one with `dask scheduler`; see its address"
        ) from None
    with client:
        yield client.get_executor(pure=False)
