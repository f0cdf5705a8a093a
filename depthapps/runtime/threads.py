"""Work in bands, side by side on the cores that OpenCV may use."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import cv2

Item = TypeVar("Item")
Result = TypeVar("Result")
BAND_ROWS = 32  # small enough to balance two cores on a small picture, large enough to hide the cost of a task


def for_bands(count: int, work: Callable[[int, int], None], size: int = BAND_ROWS) -> None:
    """Call work(first, end) for bands of `size` that cover 0..count; `work` must release the GIL to gain from it.

    The bands do not depend on the number of threads, so neither does what is computed from them.
    """
    starts = range(0, count, size)
    if len(starts) == 1:
        work(0, count)
        return
    with ThreadPoolExecutor(max(1, cv2.getNumThreads())) as pool:
        for _ in pool.map(lambda first: work(first, min(first + size, count)), starts):
            pass


def in_order(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Results of work(item) in the order of the items, computed side by side; few wait at a time, as they are large."""
    threads = max(1, cv2.getNumThreads())
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
