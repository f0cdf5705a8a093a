"""How much memory a job may use. Free of numpy, so that a file of an absurd size is refused at once."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

_SHARE = 0.8  # of what is free: other programs want some of it, too
_UNKNOWN = 4 << 30  # bytes that are taken to be free where the system does not tell
_UNITS = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_limit: int | None = None
_aside: ContextVar[int] = ContextVar("_aside", default=0)


def limit_memory(max_memory: int | str | None) -> None:
    """Set how much memory the jobs of this process may use.

    Parameters
    ----------
    max_memory : int, str or None
        Bytes, or a text such as "4G" or "800M" in powers of 1000. None takes 80 % of what is free whenever a job asks.

    Raises
    ------
    ValueError
        A text is no size.

    Notes
    -----
    A file whose header promises more than fits is refused before it is decoded. Two views are matched at a smaller size
    where that is enough. The limit is a plan, not a wall: libraries may take more for a moment.
    """
    global _limit
    _limit = parsed_bytes(max_memory) if isinstance(max_memory, str) else max_memory


def parsed_bytes(text: str) -> int:
    """The number of bytes of a text such as 4G, 800M or 100000. Raises ValueError."""
    unit = text[-1:].upper() if text[-1:].isalpha() else ""
    size = float(text.removesuffix(text[-1:]) if unit else text) * _UNITS.get(unit, 0)
    if not 1 <= size < 1e18:
        raise ValueError(f"{text!r} is no size of memory such as 4G or 800M")
    return int(size)


def size_text(size: float) -> str:
    """Return the text, as `parsed_bytes` reads it, of at least `size` bytes: what a hint names must not be refused."""
    return f"{math.ceil(size / 1e6)}M" if size <= 999e6 else f"{math.ceil(size / 1e8) / 10:g}G"


def memory_budget() -> int:
    """The bytes that the process may use: what `limit_memory` set, else 80 % of what is free."""
    return int(_SHARE * free_memory()) if _limit is None else _limit


@contextmanager
def set_aside(size: int) -> Iterator[None]:
    """Tell in a block that so many bytes of what `limit_memory` set are taken by what waits for the end of the work."""
    token = _aside.set(_aside.get() + size)
    try:
        yield
    finally:
        _aside.reset(token)


def memory_left() -> int:
    """The bytes of `memory_budget` that are not set aside; what is free does not hold them anyway."""
    return memory_budget() - (0 if _limit is None else _aside.get())


def free_memory() -> int:
    """Bytes that the process can get, by the least of what machine, container and its own limit leave."""
    found = [size for size in (_free_of_machine(), _free_of_container(), _free_of_process()) if size is not None]
    return max(min(found, default=_UNKNOWN), 0)


def _free_of_machine() -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    if sys.platform == "win32":
        return _free_of_windows()
    with suppress(OSError, ValueError, AttributeError):  # macOS does not tell what is free without a program
        import os

        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return None


def _free_of_windows() -> int | None:
    import ctypes

    status = (ctypes.c_uint64 * 8)()  # MEMORYSTATUSEX: its size and the load share the first eight bytes
    ctypes.cast(status, ctypes.POINTER(ctypes.c_uint32))[0] = 64
    done = ctypes.windll.kernel32.GlobalMemoryStatusEx(status)  # pyright: ignore[reportAttributeAccessIssue]
    return int(status[2]) if done else None


def _free_of_container() -> int | None:
    """What a control group of Linux, version 2 or 1, leaves."""
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        with suppress(OSError, ValueError):  # "max" is no number
            return int(Path(limit).read_text()) - int(Path(used).read_text())
    return None


def _free_of_process() -> int | None:
    """What `ulimit -v` leaves."""
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            return limit - resource.getpagesize() * int(Path("/proc/self/statm").read_text().split()[0])
    return None
