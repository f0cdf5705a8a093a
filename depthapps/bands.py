"""Work on horizontal bands of a picture, side by side on the cores that OpenCV may use."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2

BAND_ROWS = 32  # small enough to balance two cores on a small picture, large enough to hide the cost of a task


def for_bands(height: int, work: Callable[[int, int], None]) -> None:
    """Call work(first_row, end_row) for bands that cover 0..height; `work` must release the GIL to gain from it.

    The bands do not depend on the number of threads, so neither does what is computed from them.
    """
    starts = range(0, height, BAND_ROWS)
    with ThreadPoolExecutor(max(1, cv2.getNumThreads())) as pool:
        for _ in pool.map(lambda y: work(y, min(y + BAND_ROWS, height)), starts):
            pass
