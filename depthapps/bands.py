"""Work in bands, side by side on the cores that OpenCV may use."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2

BAND_ROWS = 32  # small enough to balance two cores on a small picture, large enough to hide the cost of a task


def for_bands(count: int, work: Callable[[int, int], None], size: int = BAND_ROWS) -> None:
    """Call work(first, end) for bands of `size` that cover 0..count; `work` must release the GIL to gain from it.

    The bands do not depend on the number of threads, so neither does what is computed from them.
    """
    starts = range(0, count, size)
    with ThreadPoolExecutor(max(1, cv2.getNumThreads())) as pool:
        for _ in pool.map(lambda first: work(first, min(first + size, count)), starts):
            pass
