"""Freed memory is kept for the next arrays."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

_COUNT_FAULTS = """
import resource, numpy as np
from depthapps.runtime.memory import keep_freed_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        first, second = np.ones(20 << 20, np.uint8), np.ones(20 << 20, np.uint8)
        del first, second
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
{call}
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's malloc learns how large blocks are")
def test_arrays_do_not_take_new_pages_from_the_system_each_time():
    """Two arrays of 20 MB: by itself, glibc keeps no more than 40 MB, and returns the rest each time."""
    pages = {}
    for call in ("", "keep_freed_memory()"):
        command = [sys.executable, "-c", _COUNT_FAULTS.format(call=call)]
        pages[call] = int(subprocess.check_output(command, cwd=Path(__file__).parents[1]))
    assert pages["keep_freed_memory()"] < pages[""] / 5
