"""Object files that are kept between runs: in which folders, which of them are trusted, and when they are removed.

A cache may fail in any way and the program must still run: whatever cannot be found, read or trusted is a miss, and
whatever cannot be written or removed is left. No function here raises OSError.

Whoever can write an object file decides what this process runs. So a folder or a file counts only if it belongs to
root or to the user who runs this, and not everybody may write to it. Members of a file's group may: the default
permissions of many systems allow it. Windows has no such mode bits and gives a user's folders to that user alone; there
the check is left out.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock

log = logging.getLogger("depthapps")
_DAY_S = 24 * 3600.0
_UNUSED_S = 30 * _DAY_S  # an object file that was not used for so long is removed
_ABANDONED_S = 3600.0  # writing a file takes milliseconds: an older unfinished one is of a run that was ended
_KEPT = 16  # files a kernel: a home folder may be shared by as many kinds of processors
_UNFINISHED = ".part"
_DIGEST_BYTES = 32
_storing = Lock()


def folders(source: Path) -> list[Path]:
    """Where the object files of a source file may lie, best first.

    That is where numba is told to keep its own, else beside Python's, else in the user's cache. A user without a home,
    as in many containers, has no such cache.
    """
    if told := os.environ.get("NUMBA_CACHE_DIR"):
        return [Path(told)]
    found = [source.parent / "__pycache__"]
    with suppress(RuntimeError):  # neither HOME nor an entry in the system's list of users
        found.append(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "depthapps")
    return found


def read(name: str, places: list[Path]) -> Iterator[bytes]:
    """The contents of the object files of this name that are whole and trusted, in the order of the folders."""
    for folder in places:
        if _is_trusted(folder):
            content = _read_trusted(folder / name)
            code, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
            if code and digest == _digest(name, code):
                yield code


def can_store(places: list[Path]) -> bool:
    """Whether one of the folders, which are created where they are missing, would take a file."""
    return any(_created(folder) and os.access(folder, os.W_OK) for folder in places)


def store(name: str, code: bytes, places: list[Path]) -> bool:
    """Write an object file to the first folder that takes it, whole or not at all; False if none does.

    Its name is `kernel-key.o`. Other object files of the kernel that are no longer used are removed.
    """
    with _storing:
        for folder in places:
            if _created(folder) and _write(folder / name, code + _digest(name, code)):
                _prune(folder, name)
                return True
    return False


def finish(timeout_s: float = 5.0) -> None:
    """Wait for the file that another thread is writing, and let none begin after it. Call this only to end the process.

    A thread that is still compiling is not waited for: this run ended without that kernel, often with an error that the
    user should see at once, and compiling takes seconds.
    """
    _storing.acquire(timeout=timeout_s)  # and kept, so that no unfinished file is left


def _is_trusted(folder: Path) -> bool:
    try:
        trusted = _only_ours(folder.stat())
    except OSError:
        return False
    if not trusted:
        _say_untrusted(folder)
    return trusted


def _only_ours(status: os.stat_result) -> bool:
    """Whether only root and the current user, or members of the group, can have written this."""
    if sys.platform == "win32":
        return True
    return status.st_uid in (0, os.geteuid()) and not status.st_mode & stat.S_IWOTH


@cache
def _say_untrusted(folder: Path) -> None:
    log.info("the cache folder %s is not used, as other users may write to it", folder)


def _read_trusted(path: Path) -> bytes:
    """A file's content, empty if it cannot be read or another user may have written it."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())  # of the file that is open: its name may be given to another meanwhile
            content = file.read() if _only_ours(status) else b""
    except OSError:
        return b""
    if time.time() - status.st_mtime > _DAY_S:
        with suppress(OSError):  # root's file, read by another user
            os.utime(path)  # in use: not to be pruned
    return content


def _digest(name: str, code: bytes) -> bytes:
    """Stands behind the machine code, to tell a damaged or renamed file: LLVM may end the process when it loads one."""
    return hashlib.sha256(name.encode() + code).digest()


def _created(folder: Path) -> bool:
    """Whether the folder is there, created if it was missing, and trusted."""
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError:
        return False
    return _is_trusted(folder)


def _write(path: Path, content: bytes) -> bool:
    """Write beside the file and rename, so that other processes see all of it or nothing."""
    part = path.with_name(f"{path.name}.{os.urandom(4).hex()}{_UNFINISHED}")
    try:
        # the usual permissions, so that other users can read what root compiled; less what the umask takes away
        with open(part, "xb", opener=lambda file, flags: os.open(file, flags, 0o644)) as file:
            file.write(content)
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        return False
    return True


def _prune(folder: Path, name: str) -> None:
    """Remove what other versions of this kernel and interrupted runs left. Other processes may do so meanwhile."""
    kernel, now = name.rpartition("-")[0] + "-", time.time()
    others: list[tuple[float, Path]] = []
    with suppress(OSError):
        for path in folder.iterdir():
            with suppress(OSError):
                used = path.stat().st_mtime
                if path.name.startswith(kernel) and path.suffix == ".o" and path.name != name:
                    others.append((used, path))
                elif ".o." in path.name and path.suffix == _UNFINISHED and now - used > _ABANDONED_S:
                    path.unlink()
    others.sort(reverse=True)
    for rank, (used, path) in enumerate(others, 2):  # the new file is the first
        if rank > _KEPT or now - used > _UNUSED_S:
            with suppress(OSError):
                path.unlink()
