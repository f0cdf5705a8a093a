"""Give the jobs of a batch to workers, here or on a cluster, and collect their outcomes as they come."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import replace
from queue import Empty, SimpleQueue

from depthapps.apps.batch.jobs import Job
from depthapps.apps.batch.task import Outcome, Task
from depthapps.core.errors import DepthappsError, param
from depthapps.runtime.workers import WorkerDiedError

_ATTEMPTS = 2  # a worker that died may have been killed for what another one did: its job gets a second worker


def outcomes(
    executor: Executor, task: Task, jobs: Sequence[Job], tick_s: float
) -> Generator[Outcome | None, None, None]:
    """Do the jobs, and yield each outcome as soon as it is there.

    Parameters
    ----------
    executor : Executor
        Of `concurrent.futures`, or one with its interface.
    task : Task
        Does a job in a worker; it is pickled.
    jobs : sequence of Job
    tick_s : float
        Yield None after as many seconds without an outcome.

    Notes
    -----
    When the generator is closed, what is not done is given up, and workers of this computer are ended at once.

    The job of a worker that died is tried again once. A task is idempotent, so nothing is lost or done twice if the
    worker died after its result was in place.
    """
    ended: SimpleQueue[Future[Outcome]] = SimpleQueue()
    running: dict[Future[Outcome], tuple[Job, int]] = {}

    def start(job: Job, attempt: int) -> None:
        future = executor.submit(task, job)
        running[future] = job, attempt
        future.add_done_callback(ended.put)

    try:
        for job in jobs:
            start(job, 1)
        while running:
            try:
                future = ended.get(timeout=tick_s)
            except Empty:
                yield None
                continue
            job, attempt = running.pop(future)
            outcome = _outcome_of(future, task, job, attempt)
            if outcome is None:
                start(job, attempt + 1)
            else:
                yield outcome
    finally:
        executor.shutdown(wait=False)


def _outcome_of(future: Future[Outcome], task: Task, job: Job, attempt: int) -> Outcome | None:
    """The outcome of a job; None if its worker died and it is to be tried again."""
    try:
        return replace(future.result(), attempts=attempt)
    except WorkerDiedError as error:
        if attempt < _ATTEMPTS:
            return None
        message = f"{error}, {attempt} times"
        hint = f"use fewer {param('workers')}, or smaller pictures"
    except CancelledError:
        message, hint = "the cluster gave the job up", "is its scheduler running?"
    except MemoryError:  # before the job began
        message = "there is not enough memory"
        hint = f"use smaller pictures or fewer {param('workers')}, or raise {param('worker_memory')}"
    except Exception as error:  # whatever a cluster raises: the other jobs go on
        message, hint = f"{type(error).__name__}: {error}", "see the logs of the workers"
    return replace(task.failed(job, DepthappsError(message, hint=hint)), attempts=attempt)
