"""Work that is split over threads, as many as OpenCV may use.

Threads gain only where the work releases the GIL, as numpy, OpenCV and `Kernel`s do.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from threading import Lock, Thread
from typing import Any, TypeVar

import cv2

Item = TypeVar("Item")
Result = TypeVar("Result")
# Small enough that two cores get equal shares of a small picture, large enough that starting a task costs little.
BAND_ROWS = 32


def for_bands(count: int, work: Callable[[int, int], None], size: int = BAND_ROWS) -> None:
    """Call work(first, end) in several threads for bands of `size` rows, which together cover the rows 0 to count.

    The bands do not depend on the number of threads, so the results do not either.
    """
    starts, taking = iter(range(0, count, size)), Lock()
    errors: list[BaseException] = []

    def take_bands() -> None:
        while not errors:
            with taking:
                first = next(starts, None)
            if first is None:
                return
            try:
                work(first, min(first + size, count))
            except BaseException as error:
                errors.append(error)

    # plain threads that take the next band: an executor's tasks and their results cost a millisecond a call
    helpers = [Thread(target=take_bands) for _ in range(min(cv2.getNumThreads(), math.ceil(count / size)) - 1)]
    started: list[Thread] = []
    try:
        for helper in helpers:
            helper.start()
            started.append(helper)
        take_bands()
    except BaseException as error:
        errors.append(error)
    while started:
        try:
            started[-1].join()
            started.pop()
        except BaseException as error:  # an interrupt: no thread goes on with what the caller takes to be its own again
            errors.append(error)
    if errors:
        raise errors[0]


def in_order(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Call work(item) in several threads and yield the results in the order of the items.

    No more results than threads are kept waiting, since they may be large.
    """
    threads = max(1, cv2.getNumThreads())
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class _AtOnce(Executor):
    """An executor without threads: what is submitted is done before `submit` returns."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done


def beside(count: int) -> Executor:
    """An executor for `count` pieces of work beside the caller's own, to be used in a `with` block.

    Where OpenCV may use one thread only, as in a worker of a batch that has others beside it, each is done at once.
    """
    return ThreadPoolExecutor(count) if cv2.getNumThreads() > 1 else _AtOnce()
