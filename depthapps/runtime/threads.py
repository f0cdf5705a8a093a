"""Work that is split over threads, as many as OpenCV may use.

Threads gain only where the work releases the GIL, as numpy, OpenCV and `Kernel`s do.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
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
    starts = range(0, count, size)
    if len(starts) == 1:
        work(0, count)
        return
    with ThreadPoolExecutor(max(1, cv2.getNumThreads())) as pool:
        for _ in pool.map(lambda first: work(first, min(first + size, count)), starts):
            pass  # taking the results raises the error of a band that failed


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
