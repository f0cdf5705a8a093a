"""Let the process keep the memory that arrays have freed, instead of asking the system for it again."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

from depthapps.runtime.budget import memory_left

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt's numbers of these settings, see malloc.h
_MOST_KEPT, _SHARE_KEPT = 1 << 30, 1 / 8  # bytes, and of what the process may use
_LARGEST_KEPT = 64 << 20  # bytes of one block


def keep_freed_memory() -> None:
    """Let glibc's malloc keep up to 1 GB of freed memory for the next arrays instead of returning it to the system.

    Memory that comes back from the system must be zeroed, page by page: of a pair of 2 megapixels that is matched with
    `balanced` in 8.5 s on two cores it takes 1.3 s, of one of 0.3 megapixels 0.1 of 1.0 s. By itself glibc returns
    blocks of more than 32 MB at once, and what lies free at the end of its heap beyond 64 MB (mallopt(3)). To keep it
    takes 8 % more memory at 2 megapixels. Larger blocks still come from the system; keeping them too would take 16 %.
    Other C libraries are left as they are.
    """
    if sys.platform != "linux":
        return
    with suppress(AttributeError, OSError):  # a C library without this function
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT)
        mallopt(_TRIM_THRESHOLD, int(min(_MOST_KEPT, memory_left() * _SHARE_KEPT)))
