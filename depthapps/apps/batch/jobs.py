"""Plan a batch: which files belong together, and with which options each job makes which result."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from depthapps.core.errors import InputError, OutputError, brief
from depthapps.io.batch_folder import OWN_FOLDER, SHEET, BatchFolder
from depthapps.io.manifest import ManifestRow
from depthapps.io.shots import FoundFile, find_files, pair_files

Options = Mapping[str, tuple[str, ...]]
"""The texts given to each option by its flag, such as "--f-number"; none for a flag that has no value."""

_PLACE = re.compile(r"\{[^{}]*\}")  # which stands for a word that each pair has its own of


@dataclass(frozen=True)
class CommandKind:
    """What a batch has to know of a command: its name, and the flags whose values are files that it reads or writes."""

    name: str
    reads: frozenset[str]
    writes: frozenset[str]


@dataclass(frozen=True)
class Source:
    """A pair, or one picture: its name, which becomes that of its result, its files, and options of its own."""

    name: str
    files: tuple[Path, ...]
    options: Options


@dataclass(frozen=True)
class Job:
    """One run of a command, which can be done anywhere: all paths are absolute.

    name: of the result below the batch's folder, without suffix. files: the picture, or the left and the right view.
    reads: files that options name. settings: the other options. writes: the results' names below the folder.
    """

    command: str
    name: str
    files: tuple[Path, ...]
    reads: Options
    settings: Options
    writes: Options
    folder: Path

    @property
    def inputs(self) -> list[str]:
        """All files that are read, as far as they are named."""
        return [*map(str, self.files), *(value for values in self.reads.values() for value in values)]

    @property
    def outputs(self) -> list[str]:
        """The names of the results that options name; a command may write further files beside them."""
        return [name for names in self.writes.values() for name in names]

    def arguments(self, folder: Path | None = None) -> list[str]:
        """The arguments of the command, with its results in another folder if one is given."""
        folder = folder or self.folder
        writes = {flag: tuple(str(folder / name) for name in names) for flag, names in self.writes.items()}
        arguments = [str(path) for path in self.files]
        for flag, values in {**self.reads, **self.settings, **writes}.items():
            arguments += [f"{flag}={value}" for value in values] if values else [flag]
        return arguments


def pairs_of(left: str, right: str, folder: Path) -> tuple[list[Source], list[Path]]:
    """Pair the files of two patterns or folders; also the files without a partner. Raises InputError.

    folder: of the results, which may lie where the patterns lead; what the batch has made there is no input.
    """
    pairs, alone = pair_files(*(_foreign(pattern, folder) for pattern in (left, right)))
    return [Source(one.name, (one.path, two.path), {}) for one, two in pairs], [file.path for file in alone]


def pictures_of(pattern: str, folder: Path) -> list[Source]:
    """The files of a pattern or folder; see `pairs_of`. Raises InputError."""
    return [Source(file.name, (file.path,), {}) for file in _foreign(pattern, folder)]


def _foreign(pattern: str, folder: Path) -> list[FoundFile]:
    batch = BatchFolder(folder)
    return [file for file in find_files(pattern) if not batch.has_made(file.path)]


def sources_of(rows: Sequence[ManifestRow], flags: Mapping[str, tuple[str, bool]]) -> list[Source]:
    """The pairs or pictures of a manifest; `flags`: by the options' names the command's flags, and if they take values.

    A row without a name is named by its picture below the folder that all pictures share. Raises InputError.
    """
    parents = [os.path.dirname(os.path.abspath(row.image)) for row in rows]  # noqa: PTH100, PTH120 ("..", not links)
    shared = os.path.commonpath(parents)
    sources = []
    for row in rows:
        name = row.name or Path(os.path.relpath(row.image, shared)).with_suffix("").as_posix()
        files = tuple(Path(path) for path in (row.image, row.right) if path)
        sources.append(Source(name, files, dict(_flag(row, *each, flags) for each in row.options.items() if each[1])))
    return sources


def _flag(
    row: ManifestRow, name: str, value: tuple[str, ...] | bool, flags: Mapping[str, tuple[str, bool]]
) -> tuple[str, tuple[str, ...]]:
    if name not in flags:
        raise InputError(
            f"{row.where} has the option {brief(name)}, which the command does not know",
            hint="its help lists its options",
        )
    flag, takes_value = flags[name]
    if isinstance(value, bool) == takes_value:
        what = "takes a value" if takes_value else "takes no value but yes or no"
        raise InputError(f"{row.where} has an option {name}, which {what}", hint="write it as on the command line")
    return flag, () if isinstance(value, bool) else value


def plan(kind: CommandKind, sources: Iterable[Source], options: Options, folder: Path) -> list[Job]:
    """Make the jobs of a batch.

    Parameters
    ----------
    kind : CommandKind
    sources : iterable of Source
        An option of a source takes the place of the same one in `options`.
    options : Options
        Those of all jobs. In values, "{name}" stands for the name of a source and "{folder}" for the folder of its
        first file. Names of results are below `folder`; ".npy" is short for "{name}.npy".
    folder : Path
        Where the results go.

    Raises
    ------
    InputError, OutputError
        There is nothing to do, a result has no name of its own, or lies outside of the folder, or braces in an option
        stand for nothing.
    """
    jobs = [_job(kind, source, {**options, **source.options}, folder) for source in sources]
    if not jobs:
        raise InputError("no two photos belong together", hint="what stands in place of the stars has to be the same")
    makers: dict[str, list[str]] = {SHEET: ["the contact sheet"]}
    for job in jobs:
        for name in job.outputs:
            makers.setdefault(os.path.normcase(name), []).append(str(job.files[0]))
    for name, of in makers.items():
        if len(of) > 1:
            raise OutputError(
                f"{folder / name} would be the result of {of[0]} and of {of[1]}",
                hint="use {name} in the names of results, or give each pair a name in a manifest",
            )
    return jobs


def _job(kind: CommandKind, source: Source, options: Options, folder: Path) -> Job:
    paths = tuple(path.absolute() for path in source.files)
    places = {"{name}": source.name, "{folder}": str(paths[0].parent)}
    _refuse_other_places(kind, options, places)
    filled = {flag: tuple(_filled(value, places) for value in values) for flag, values in options.items()}
    writes = {
        flag: tuple(_below(_filled("{name}" + v if v.startswith(".") and "/" not in v else v, places)) for v in values)
        for flag, values in options.items()
        if flag in kind.writes
    }
    reads = {
        flag: tuple(str(Path(v).absolute()) if Path(v).exists() else v for v in values)
        for flag, values in filled.items()
        if flag in kind.reads
    }
    settings = {flag: v for flag, v in filled.items() if flag not in kind.reads and flag not in kind.writes}
    return Job(kind.name, _below(source.name), paths, reads, settings, writes, folder.absolute())


def _refuse_other_places(kind: CommandKind, options: Options, places: Mapping[str, str]) -> None:
    """Refuse braces that nothing fills, unless a file that is read has them in its name. Raises InputError."""
    for flag, values in options.items():
        for value in values:
            unknown = [found for found in _PLACE.findall(value) if found not in places]
            if unknown and not (flag in kind.reads and Path(_filled(value, places)).exists()):
                raise InputError(
                    f"{flag} {value} has {unknown[0]} in it, which stands for nothing",
                    hint="{name} stands for the name of a pair, and {folder} for the folder of its first file",
                )


def _filled(text: str, places: Mapping[str, str]) -> str:
    for place, value in places.items():
        text = text.replace(place, value)
    return text


def _below(name: str) -> str:
    """A name of a result, which lies below the batch's folder and not among its records. Raises OutputError."""
    path = PurePosixPath(Path(name).as_posix())
    if path.is_absolute() or ".." in path.parts or path.parts[:1] in ((), (OWN_FOLDER,)) or Path(name).drive:
        raise OutputError(f"{name} is no name for a result", hint="name it relative to the folder of the results")
    return str(path)
