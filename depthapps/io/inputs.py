"""Files that people name as inputs: checked first, then read, with an error that names the file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from depthapps.core.errors import InputError, explain_os_error

StrPath = str | os.PathLike[str]
_seen: list[set[Path]] = []


def check_input(path: StrPath, what: str) -> Path:
    """Check that a file can be opened for reading.

    Parameters
    ----------
    path : str or PathLike
        The file.
    what : str
        What the file is for, as messages call it: "image", "depth map".

    Returns
    -------
    Path
        The path itself.

    Raises
    ------
    InputError
        Nothing lies there, it is not a file, or it may not be read.
    """
    path = Path(path)
    try:
        if not path.exists():
            raise InputError(f"the {what} {path} does not exist", hint="check the path and its spelling")
        if not path.is_file():
            raise InputError(f"the {what} {path} is not a file", hint="pass the file itself, not its folder")
        with path.open("rb"):  # asking for the permissions instead is not reliable on Windows and on network folders
            pass
    except PermissionError:
        raise InputError(f"the {what} {path} may not be read", hint="check the file's permissions") from None
    except OSError as error:
        raise _not_read(error, path, what) from error
    for files in _seen:
        files.add(path)
    return path


@contextmanager
def files_seen() -> Iterator[set[Path]]:
    """Collect the files that are checked as inputs in the block, by any thread: all that a result depends on."""
    files: set[Path] = set()
    _seen.append(files)
    try:
        yield files
    finally:
        _seen[:] = [others for others in _seen if others is not files]


def read_bytes(path: StrPath, what: str) -> bytes:
    """Read a whole file; `what` is its name in messages, as in `check_input`. Raises InputError."""
    path = check_input(path, what)
    try:
        return path.read_bytes()
    except OSError as error:
        raise _not_read(error, path, what) from error


def read_text(path: StrPath, what: str, *, hint: str = "save it as UTF-8 text") -> str:
    """Read a whole text file in UTF-8; the byte order mark that Windows programs put first is dropped.

    Raises InputError, with `hint` when the file is not text.
    """
    data = read_bytes(path, what)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not a text file", hint=hint) from None


def _not_read(error: OSError, path: Path, what: str) -> InputError:
    message, hint = explain_os_error(error, path)
    return InputError(f"the {what} cannot be read: {message}", hint=hint)
