"""Let the process keep the memory that arrays have freed, instead of asking the system for it again."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

from depthapps.runtime.budget import memory_left

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # mallopt's numbers of these settings, see malloc.h
_MOST_KEPT, _SHARE_KEPT = (1 << 31) - 1, 1 / 8  # bytes, and of what the process may use
_LARGEST_KEPT = 1 << 30  # bytes of one block


def keep_freed_memory() -> None:
    """Let glibc's malloc keep up to 2 GB of freed memory for the next arrays, in one heap for all threads.

    Memory that comes from the system must be zeroed, page by page. By itself glibc gives each thread a heap of its own,
    returns blocks of more than 32 MB at once, and what lies free at the end of a heap beyond 64 MB (mallopt(3)).
    Matching a pair of 2 megapixels on two cores takes 9.4 s that way and 6.5 s this way, and 2.70 or 2.62 GB of
    memory. One heap is only had before there are threads, such as those that numpy starts when it is imported: call
    this first. Other C libraries are left as they are.
    """
    if sys.platform != "linux":
        return
    with suppress(AttributeError, OSError):  # a C library without this function
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_ARENA_MAX, 1)
        mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT)
        mallopt(_TRIM_THRESHOLD, int(min(_MOST_KEPT, memory_left() * _SHARE_KEPT)))
