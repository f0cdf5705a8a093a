"""Let the process keep the memory that arrays have freed, instead of asking the system for it again."""

import numpy as np

_LARGEST_KEPT = (32 << 20) - 4096 * 4  # bytes: the most that glibc's threshold grows to, less malloc's own header


def keep_freed_memory() -> None:
    """Let glibc's malloc keep up to 64 MB of freed memory for the next arrays instead of returning it to the system.

    Memory that comes back from the system must be zeroed, page by page. On small pictures this takes 0.1 s of the 0.4 s
    that a shadow needs. Glibc returns large blocks at once, until the program frees one by which it learns how large
    its blocks are (the dynamic mmap threshold in mallopt(3)). So this allocates and frees one block of the largest size
    that counts. The block is never written to and takes no memory. Other C libraries learn nothing from it.
    """
    np.empty(_LARGEST_KEPT, np.uint8)
