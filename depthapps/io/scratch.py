"""Files and folders that a process must not leave behind: hidden parts of outputs, and temporary folders.

Each is locked for as long as its process lives. A process that was killed could not clean up, but its locks ended with
it. So the next one finds what nobody holds, and removes it. A lock tells this where process numbers would not: between
containers, and after a restart.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed
    fcntl = None

_MARK = ".depthapps-"  # begins the name of every hidden file of ours, and of nothing else
_LOCK_NAME = "lock"  # in a temporary folder
_OLD_S = 86_400.0  # where there are no locks, what is older than a day belongs to no process
_RETRIES = 5
_owned: dict[Path, int | None] = {}  # what this process has, and the open file that holds each lock
_settling = threading.RLock()  # held while outputs are renamed, so that a process does not end in between


@contextmanager
def settling() -> Iterator[None]:
    """For the moment in which results go to their places: `remove_all`, called by another thread, waits for its end."""
    with _settling:
        yield


def hidden_file(beside: Path) -> Path:
    """Make an empty hidden file beside a path, with its suffix, by which writers choose a format. Raises OSError."""
    for _ in range(_RETRIES):
        path = _hidden_name(beside)
        path.open("xb").close()  # with the permissions that every new file of this user has
        if _own(path):
            return path
    raise FileNotFoundError(errno.ENOENT, "hidden files disappear", os.fspath(beside))


def second_name(path: Path) -> Path | None:
    """A hidden hard link to a file, by which it can be put back; None if the disk, such as FAT, or the system has none.

    A system without links has no `os.link`, or one that is not implemented.
    """
    second = _hidden_name(path)
    try:
        os.link(path, second)
    except (OSError, AttributeError, NotImplementedError):
        return None
    return second if _own(second) else None


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder in the system's temporary one, which is removed at the end."""
    root = Path(tempfile.gettempdir())
    remove_abandoned(root)
    folder = next(f for _ in range(_RETRIES) if _own(f := Path(tempfile.mkdtemp(prefix=_MARK, dir=root))))
    try:
        yield folder
    finally:
        remove(folder)


def forget(path: Path) -> None:
    """Unlock a file that has gone to its place."""
    lock = _owned.pop(path, None)
    if lock is not None:
        with suppress(OSError):
            os.close(lock)


def remove(path: Path) -> None:
    """Remove a file or folder of this process, if it is still there, and unlock it."""
    forget(path)
    _delete(path)


def remove_all() -> None:
    """Remove everything that this process has, as it is about to end; call it from any thread."""
    _settling.acquire()  # for good: nothing is to be renamed any more
    for path in list(_owned):
        remove(path)


def remove_abandoned(folder: Path) -> None:
    """Remove what processes that were killed have left in a folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            if entry.name.startswith(_MARK) and path not in _owned and _is_abandoned(path):
                _delete(path)


def _hidden_name(beside: Path) -> Path:
    return beside.with_name(f"{_MARK}{os.urandom(8).hex()}{beside.suffix}")


def _own(path: Path) -> bool:
    """Lock a new file or folder; False if another process has just taken it for abandoned, and removes it."""
    try:
        _owned[path] = _locked(path)
    except (BlockingIOError, FileNotFoundError):
        return False
    except OSError:  # a disk without locks, on which nobody takes anything for abandoned
        _owned[path] = None
    if path.exists():
        return True
    forget(path)
    return False


def _locked(path: Path) -> int | None:
    """The open file that holds the lock of a file or folder; None without locks. Raises OSError if another has it."""
    if fcntl is None:
        return None
    held = path / _LOCK_NAME if path.is_dir() else path
    lock = os.open(held, os.O_RDWR | (os.O_CREAT if held != path else 0), 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


def _is_abandoned(path: Path) -> bool:
    try:
        if fcntl is None:
            return time.time() - path.stat().st_mtime > _OLD_S
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode) or found.st_uid != os.getuid():
            return False  # whatever it is, it is not ours
        lock = _locked(path)
        if lock is not None:
            os.close(lock)
    except OSError:  # somebody holds it, or it is gone
        return False
    return True


def _delete(path: Path) -> None:
    with suppress(OSError):
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
