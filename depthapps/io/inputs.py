"""Files that people name as inputs: checked first, then read, with an error that names the file."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from depthapps.core.errors import DepthappsError, InputError, explain_os_error
from depthapps.io.sizes import check_bytes

_LARGEST_TEXT = 64 << 20  # bytes: hundreds of thousands of rows; Python takes ten times as much for what it reads there
StrPath = str | os.PathLike[str]
log = logging.getLogger(__name__)
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
        check_bytes(path.stat().st_size, path.name)
        return path.read_bytes()
    except MemoryError:
        raise InputError(f"the {what} {path} is larger than the memory", hint="is it the right file?") from None
    except OSError as error:
        raise _not_read(error, path, what) from error


def read_text(path: StrPath, what: str, *, hint: str = "save it as UTF-8 text") -> str:
    """Read a whole text file in UTF-8; the byte order mark that Windows programs put first is dropped.

    Raises InputError, with `hint` when the file is not text.
    """
    size = check_input(path, what).stat().st_size
    if size > _LARGEST_TEXT:
        raise InputError(f"{path} has {size >> 20} MiB, too much for a {what}", hint="is it the right file?")
    data = read_bytes(path, what)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not a text file", hint=hint) from None


@contextmanager
def parsing(path: StrPath, what: str) -> Iterator[None]:
    """The edge of a reader: whatever goes wrong with a file's content inside becomes an InputError with its name.

    Libraries that decode a broken file raise errors of every kind, and so does what is computed from absurd numbers in
    it. The log, which -v shows, has the traceback.
    """
    try:
        yield
    except DepthappsError:
        raise
    except MemoryError:
        raise InputError(
            f"the {what} {path} is too large for the memory", hint="is the file whole? else pass a smaller one"
        ) from None
    except Exception as error:
        log.info("reading %s", path, exc_info=True)
        raise InputError(
            f"the {what} {path} cannot be read: it is damaged, or not what it seems ({type(error).__name__})",
            hint="is the file whole? copy it anew from where it came",
        ) from None


def read_json(path: StrPath, what: str, *, hint: str) -> Any:
    """Read a JSON file; numbers in it may be infinite. Raises InputError, with `hint` when it is not JSON."""
    text = read_text(path, what, hint=hint)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is not JSON: {error}", hint=hint) from None
    except (ValueError, RecursionError):
        raise InputError(
            f"{path} is not JSON that can be read: a number is too long, or it is nested too deep", hint=hint
        ) from None


def _not_read(error: OSError, path: Path, what: str) -> InputError:
    message, hint = explain_os_error(error, path)
    return InputError(f"the {what} cannot be read: {message}", hint=hint)
