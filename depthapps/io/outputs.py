"""Where results go: checked before the work begins, and under their names only when all of them are whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from depthapps.core.errors import InputError, OutputError, param


def check_input(path: Path, what: str) -> Path:
    """The path itself if it is a file that can be opened; InputError otherwise."""
    if not path.exists():
        raise InputError(f"the {what} {path} does not exist", hint="check the path and its spelling")
    if not path.is_file():
        raise InputError(f"the {what} {path} is not a file", hint="pass the file itself, not its folder")
    if not os.access(path, os.R_OK):
        raise InputError(f"the {what} {path} may not be read", hint="check the file's permissions")
    return path


def check_suffix(path: Path, suffixes: Iterable[str], what: str) -> None:
    """Raise OutputError unless the path ends in one of `suffixes` (lower case, with the dot)."""
    suffixes = tuple(suffixes)
    if path.suffix.lower() not in suffixes:
        found = f"the suffix {path.suffix!r}" if path.suffix else "no suffix"
        raise OutputError(f"{path.name} has {found}, which {what} cannot take", hint=f"use one of {' '.join(suffixes)}")


class Outputs:
    """The files one command writes: all of them or none.

    Made before the work begins, it refuses folders that do not exist and files that do (unless `overwrite`). In its
    `with` block, `part(path)` names a hidden file beside `path` to be written; when the block ends well every part is
    renamed to its place and stands in `written`, when it does not they are all removed.
    """

    def __init__(self, paths: Iterable[Path], *, overwrite: bool = False) -> None:
        self._paths = list(paths)
        self._overwrite = overwrite
        self._parts: dict[Path, Path] = {}
        self.written: list[Path] = []
        for k, path in enumerate(self._paths):
            if path in self._paths[:k]:
                raise OutputError(f"{path} is named twice as an output", hint="give every output a name of its own")
            self._check(path)

    def _check(self, path: Path) -> None:
        if not path.parent.is_dir():
            raise OutputError(f"the folder {path.parent} does not exist", hint=f"mkdir -p {path.parent}")
        if path.is_dir():
            raise OutputError(f"{path} is a folder", hint="name a file in it")
        if path.exists() and not self._overwrite:
            raise OutputError(
                f"{path} exists already", hint=f"pass {param('overwrite')} to replace it, or choose another name"
            )
        if not os.access(path.parent, os.W_OK):
            raise OutputError(f"the folder {path.parent} may not be written to", hint="choose another folder")

    def part(self, path: Path) -> Path:
        """The hidden file that becomes `path`; a path that was not announced is checked as the others were."""
        if path not in self._paths:
            self._check(path)
            self._paths.append(path)
        if path not in self._parts:
            handle, name = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)
            os.close(handle)
            self._parts[path] = Path(name)
        return self._parts[path]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        parts, self._parts = self._parts, {}
        if kind is None:
            umask = os.umask(0)
            os.umask(umask)
            for path, part in parts.items():
                part.chmod(0o666 & ~umask)  # mkstemp makes files private; results are ordinary ones
                part.replace(path)
            self.written = list(parts)
        else:
            for part in parts.values():
                part.unlink(missing_ok=True)
