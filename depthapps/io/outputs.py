"""Where results go: checked before the work begins, and under their names only when all of them are whole."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from depthapps.core.errors import OutputError, explain_os_error, param
from depthapps.io import scratch
from depthapps.io.inputs import StrPath

# Windows refuses these in names, or writes NAME:REST into a hidden stream of the file NAME.
_FORBIDDEN_IN_NAMES = '<>:"|?*' if os.name == "nt" else ""


def check_suffix(
    path: StrPath, suffixes: Iterable[str], what: str, elsewhere: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Raise OutputError unless the path ends in one of `suffixes` (lower case, with the dot).

    elsewhere: what writes files of other suffixes, which the hint then tells.
    """
    path, suffixes = Path(path), tuple(suffixes)
    if path.suffix.lower() not in suffixes:
        found = f"the suffix {path.suffix!r}" if path.suffix else "no suffix"
        hint = f"use one of {' '.join(suffixes)}"
        if path.suffix.lower() in elsewhere:
            hint += f"; {path.suffix.lower()} is written by {elsewhere[path.suffix.lower()]}"
        raise OutputError(f"{path.name or path} has {found}, which {what} cannot take", hint=hint)


@contextmanager
def opened(outputs: Outputs | None, paths: Iterable[StrPath]) -> Iterator[Outputs]:
    """The given group of outputs, which its owner completes, or a group of these paths alone that replaces old files.

    Every public writer goes through here, so that a file written alone is whole or absent, too.
    """
    if outputs is not None:
        yield outputs
        return
    with Outputs(paths, overwrite=True) as own:
        yield own


Identity = tuple[int, int]
"""What a file is to the system, whatever path, link or second name leads to it."""


def identities(paths: Iterable[StrPath]) -> dict[Identity, Path]:
    """The files that are there, by their identities."""
    return {found: Path(path) for path in paths if (found := _identity(path)) is not None}


def refuse_inputs(paths: Iterable[StrPath], inputs: Mapping[Identity, Path]) -> None:
    """Refuse outputs that are inputs. Raises OutputError."""
    for path in map(Path, paths):
        given = inputs.get(_identity(path) or (0, 0))
        if given is not None:
            same = "" if _same_place(given) == _same_place(path) else f" under another name, {given}"
            raise OutputError(f"{path} is an input{same}, and inputs are never replaced", hint="choose another name")


class Outputs:
    """A group of files to write: all of them appear, or none.

    Made before the work begins, it refuses folders that do not exist or cannot be written to, and files that exist
    already. In its `with` block, and only there, `write(path, data)` fills a hidden file beside `path`, and
    `part(path)` names it for programs that write by themselves. When the block ends without an error, every hidden file
    is renamed to its place and stands in `written`; otherwise all of them are removed and old files stay as they were.

    Parameters
    ----------
    paths : iterable of str or PathLike
        The files that will be written; more may be announced later by writing them.
    overwrite : bool, optional
        Replace files that exist already instead of refusing.
    inputs : iterable of str or PathLike, optional
        Files that the results are made from. They are never replaced, by whatever path or link an output leads to one.

    Raises
    ------
    OutputError
        A file cannot be written where it should go, or is written outside the `with` block, where it would stay hidden.

    Examples
    --------
    >>> with da.Outputs(["portrait.jpg", "depth.png"]) as outputs:  # doctest: +SKIP
    ...     da.write_image("portrait.jpg", refocused.image, outputs=outputs)
    ...     da.write_depth("depth.png", scene.depth_m, outputs=outputs)

    Notes
    -----
    A process that is killed leaves hidden files of the name ``.depthapps-...`` behind. The next group of outputs in
    that folder removes them.
    """

    def __init__(self, paths: Iterable[StrPath], *, overwrite: bool = False, inputs: Iterable[StrPath] = ()) -> None:
        self._paths: list[Path] = []
        self._overwrite = overwrite
        self._inputs = identities(inputs)
        self._parts: dict[Path, Path] = {}
        self._open = False
        self.written: list[Path] = []
        for path in map(Path, paths):
            if _same_place(path) in map(_same_place, self._paths):
                raise OutputError(f"{path} is named twice as an output", hint="give every output a name of its own")
            self._announce(path)
        for folder in {path.parent for path in self._paths}:
            scratch.remove_abandoned(folder)

    def _announce(self, path: Path) -> None:
        folder = path.parent
        bad = [letter for letter in path.name if letter in _FORBIDDEN_IN_NAMES]
        if bad:
            raise OutputError(
                f"{path.name} has {bad[0]} in its name, which Windows refuses", hint="choose another name"
            )
        try:
            if not folder.is_dir():
                raise OutputError(f"the folder {folder} does not exist", hint=f"mkdir -p {folder}")
            if path.is_dir():
                raise OutputError(f"{path} is a folder", hint="name a file in it")
            refuse_inputs([path], self._inputs)
            if os.path.lexists(path) and not self._overwrite:
                raise OutputError(
                    f"{path} exists already", hint=f"pass {param('overwrite')} to replace it, or choose another name"
                )
            if path.exists() and not path.is_file():
                raise OutputError(f"{path} is no file but a pipe or a device", hint="choose another name")
        except OSError as error:  # a name that is too long, a folder that may not be looked into
            raise _not_written(error, path) from error
        try:
            scratch.remove(scratch.hidden_file(path))  # trying is the only check that holds on every system
        except FileNotFoundError as error:  # the folder is there, as /proc is
            raise OutputError(f"the folder {folder} takes no files", hint="choose another folder") from error
        except OSError as error:
            message, hint = explain_os_error(error, path)
            raise OutputError(f"the folder {folder} may not be written to: {message}", hint=hint) from error
        self._paths.append(path)

    def part(self, path: StrPath) -> Path:
        """The hidden file that becomes `path`; a path that was not announced is checked as the others were."""
        path = Path(path)
        if path not in self._paths:
            self._announce(path)
        if not self._open:
            raise OutputError(
                f"{path} is written outside the with block of its outputs, where it would stay hidden",
                hint="write it in: with Outputs([...]) as outputs",
            )
        if path not in self._parts:
            try:
                self._parts[path] = scratch.hidden_file(path)
            except OSError as error:
                raise _not_written(error, path) from error
        return self._parts[path]

    def write(self, path: StrPath, data: bytes | Iterable[bytes | memoryview]) -> None:
        """Write the content of `path`, at once or in pieces, into its hidden file. Raises OutputError."""
        path = Path(path)
        part, size = self.part(path), 0
        try:
            with part.open("wb") as file:  # a full disk may show only when the file is closed
                for piece in (data,) if isinstance(data, bytes | bytearray | memoryview) else data:
                    size += file.write(piece)
            found = part.stat().st_size
        except OSError as error:
            raise _not_written(error, path) from error
        if found != size:
            raise OutputError(f"{path} is cut short: {found} of {size} bytes were written", hint="check the disk")

    def __enter__(self) -> Self:
        self._open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        parts, self._parts, self._open = self._parts, {}, False
        try:
            if kind is None:
                for path, part in parts.items():
                    _flush(path, part)
                with scratch.settling():
                    _rename_all(parts)
                self.written = list(parts)
        finally:
            for part in parts.values():
                scratch.remove(part)  # what was renamed is gone; on Windows a file may be held open


def _same_place(path: Path) -> str:
    """The path without links in its folders, so that all paths to one name are alike."""
    return os.path.normcase(os.path.join(os.path.realpath(path.parent), path.name))  # noqa: PTH118


def _identity(path: StrPath) -> Identity | None:
    try:
        found = os.stat(path)  # noqa: PTH116 (of what a link leads to)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _rename_all(parts: dict[Path, Path]) -> None:
    """Rename every part to its path. If one fails, put back what was there before. Raises OutputError."""
    done: list[tuple[Path, bool, Path | None]] = []  # path, whether a file was there, its second name
    try:
        for path, part in parts.items():
            existed = path.exists()
            # without a second name, a later failure in the same group cannot put the old file back
            second = scratch.second_name(path) if existed and len(parts) > 1 else None
            done.append((path, existed, second))
            try:
                part.replace(path)
            except OSError as error:
                done.pop()
                if second is not None:
                    scratch.remove(second)
                raise _not_written(error, path) from error
            scratch.forget(part)
    except BaseException:
        for path, existed, second in done:
            if second is not None:
                second.replace(path)
                scratch.forget(second)
            elif not existed:
                path.unlink(missing_ok=True)
        raise
    for _, _, second in done:
        if second is not None:
            scratch.remove(second)


def _flush(path: Path, part: Path) -> None:
    """Have the disk take a part as a whole; some disks tell only now that they are full. Raises OutputError."""
    try:
        with part.open("rb+") as file:
            os.fsync(file.fileno())
    except OSError as error:
        raise _not_written(error, path) from error


def _not_written(error: OSError, path: Path) -> OutputError:
    message, hint = explain_os_error(error, path)
    return OutputError(message, hint=hint)
