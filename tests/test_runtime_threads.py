"""Bands cover a picture once, whatever its height."""

import threading
import time

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


def test_after_an_error_no_thread_goes_on():
    begun = []

    def work(first, end):
        begun.append(first)
        if first == 0:
            raise RuntimeError
        time.sleep(0.01)

    with pytest.raises(RuntimeError):
        for_bands(1000, work, 10)
    before = len(begun)
    time.sleep(0.05)
    assert len(begun) == before < 50


def test_an_interrupt_of_the_caller_waits_for_the_others(monkeypatch):
    """As when Ctrl-C is pressed while the caller waits for a helper: that one's band ends before the error is told."""
    ended = []

    def work(first, end):
        if threading.current_thread() is not threading.main_thread():
            time.sleep(0.1)
            ended.append(first)

    def interrupted(thread, timeout=None):
        monkeypatch.undo()
        raise KeyboardInterrupt

    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    monkeypatch.setattr(threading.Thread, "join", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            for_bands(4, work, 1)
    finally:
        cv2.setNumThreads(before)
    count = len(ended)
    time.sleep(0.15)
    assert len(ended) == count


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
