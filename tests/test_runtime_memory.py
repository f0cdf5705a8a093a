"""Freed memory is kept for the next arrays."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from depthapps.runtime.budget import parsed_bytes, size_text

_COUNT_FAULTS = """
import resource
from threading import Thread
from depthapps.runtime.memory import keep_freed_memory
{call}
import numpy as np
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        first, second = np.ones(40 << 20, np.uint8), np.ones(40 << 20, np.uint8)
        del first, second
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
if {threaded}:
    thread = Thread(target=lambda: print(faults()))
    thread.start()
    thread.join()
else:
    print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's malloc can be told to keep it")
@pytest.mark.parametrize("threaded", [False, True])
def test_arrays_do_not_take_new_pages_from_the_system_each_time(threaded: bool):
    """Two arrays of 40 MB: by itself, glibc returns what is larger than 32 MB, and no thread has room for both."""
    pages = {}
    for call in ("", "keep_freed_memory()"):
        command = [sys.executable, "-c", _COUNT_FAULTS.format(call=call, threaded=threaded)]
        pages[call] = int(subprocess.check_output(command, cwd=Path(__file__).parents[1]))
    assert pages["keep_freed_memory()"] < pages[""] / 5


@pytest.mark.parametrize("size", [1, 1.7e6, 341e6, 998.5e6, 999.9e6, 1.04e9, 1.4e9, 12.34e9])
def test_a_size_that_a_hint_names_is_enough(size: float):
    """Rounded up, by a tenth or a megabyte at most: 1.7 MB was once told as 0G, and 1.4 GB as 1G."""
    assert size <= parsed_bytes(size_text(size)) <= 1.1 * size + 1e6
