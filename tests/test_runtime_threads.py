"""Bands cover a picture once, whatever its height."""

import threading

import cv2
import pytest

from depthapps.runtime.threads import beside, for_bands


@pytest.mark.parametrize("height", [0, 1, 31, 32, 33, 500])
def test_bands_cover_every_row_once(height):
    rows = []
    for_bands(height, lambda first, end: rows.extend(range(first, end)))
    assert sorted(rows) == list(range(height))


def test_an_error_in_a_band_is_raised():
    def fail(first, end):
        raise RuntimeError(first)

    with pytest.raises(RuntimeError):
        for_bands(10, fail)


@pytest.mark.parametrize("threads", [1, 2])
def test_work_beside_the_callers_own_keeps_to_the_threads(threads):
    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        with beside(1) as pool:
            where, failed = pool.submit(threading.get_ident), pool.submit(int, "no number")
            assert (where.result() == threading.get_ident()) == (threads == 1)
            with pytest.raises(ValueError, match="no number"):
                failed.result()
    finally:
        cv2.setNumThreads(before)
