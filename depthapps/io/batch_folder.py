"""The folder that a batch writes to: results under their names, and beside them what each was made from.

    OUT/scene/a.png                             results, in the tree of the photos
    OUT/index.html                              a page with all of them
    OUT/depthapps-batch/records/scene/a.json    what the result was made from, and what it is
    OUT/depthapps-batch/thumbnails/scene/a.jpg  for the page
    OUT/depthapps-batch/work/                   what is being made
    OUT/depthapps-batch/lock                    held by the batch that runs

A result is made in `work`. Then its record is written, with the hashes of inputs and results, and only then the result
is renamed to its place. So a result that stands in its place always has its record: however a run ended, the next one
finds all that was done, and what was not done has no result, or the one that its record says stood there before. Any
other file in its place was put there by somebody else, and is not replaced unasked.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from depthapps.core.errors import OutputError, explain_os_error, param
from depthapps.io.inputs import StrPath, check_input
from depthapps.io.outputs import identities, refuse_inputs

OWN_FOLDER, SHEET = "depthapps-batch", "index.html"
_LARGEST_RECORD = 16 << 20  # bytes; a record of ours has some thousand


def digest_file(path: StrPath, what: str) -> str:
    """The SHA-256 of a file's content; `what` is its name in messages. Raises InputError."""
    with check_input(path, what).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Record:
    """What a result was made from, and what it is.

    signature: the command, its options, and the hashes of the files that they name, as one hash. beside: the hashes of
    further files that were read, by their paths, such as the second file of a calibration. outputs: the hashes of the
    files that were written, by their names below the batch's folder. facts, notes: what the command told. before: the
    hashes of the files that stood in the places of `outputs`: a run that was ended may have left these there.
    """

    signature: str
    beside: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    before: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BatchFolder:
    """The folder of a batch, which may be in use by several processes and machines."""

    path: Path

    @property
    def _own(self) -> Path:
        return self.path / OWN_FOLDER

    def record_path(self, name: str) -> Path:
        """The record of a result."""
        return self._own / "records" / f"{name}.json"

    def thumbnail_path(self, name: str) -> Path:
        """The small picture of a result."""
        return self._own / "thumbnails" / f"{name}.jpg"

    def read_record(self, name: str) -> Record | None:
        """The record of a result; None if there is none that can be read."""
        return _read_record(self.record_path(name))

    def has_made(self, path: Path) -> bool:
        """Whether a file is a result of this batch, or stands among its records: a pattern may lead to it."""
        try:
            below = path.absolute().relative_to(self.path.absolute())
        except ValueError:
            return False
        return below.parts[:1] in ((OWN_FOLDER,), (SHEET,)) or below.as_posix() in self._results

    @cached_property
    def _results(self) -> set[str]:
        records = (_read_record(path) for path in (self._own / "records").rglob("*.json"))
        return {name for record in records if record for name in record.outputs}

    def find(self, name: str, signature: str) -> Record | None:
        """The record of a result that is there, whole, and made from these very inputs and options."""
        record = self.read_record(name)
        if record is None or record.signature != signature or not record.outputs:
            return None
        files = {**record.beside, **{str(self.path / output): digest for output, digest in record.outputs.items()}}
        return record if all(_is_file_of(Path(file), digest) for file, digest in files.items()) else None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder, and remove what runs that were killed left in it. Raises OutputError if another run has it.

        The system gives the lock back when this process ends, in whatever way.
        """
        with _explained(self.path):
            self._own.mkdir(parents=True, exist_ok=True)
            lock = self._own / "lock"
            if lock.exists() and not lock.is_file():  # opening a pipe would wait for ever
                raise OutputError(f"{lock} is no file", hint="remove it, or use another folder")
            file = lock.open("ab")
        with file:
            if not _locked(file):
                raise OutputError(f"another batch is writing to {self.path}", hint="wait for it, or use another folder")
            self.clear()
            try:
                yield
            finally:
                self.clear()

    def clear(self) -> None:
        """Remove unfinished results."""
        shutil.rmtree(self._own / "work", ignore_errors=True)

    @contextmanager
    def stage(self) -> Iterator[Path]:
        """A new folder to make a result in; it is removed at the end of the block."""
        stage = self._own / "work" / os.urandom(8).hex()
        with _explained(self.path):
            stage.mkdir(parents=True)
        try:
            yield stage
        finally:
            shutil.rmtree(stage, ignore_errors=True)

    def keep(self, name: str, stage: Path, record: Record, *, replace: bool, inputs: Iterable[StrPath] = ()) -> Record:
        """Give a result its record and its place.

        Files that the old record of this name lists are replaced if nobody has changed them, others only with
        `replace`. If another process has brought the same result to its place meanwhile, that one stays. A result never
        replaces one of the `inputs`.

        Returns
        -------
        Record
            With the hashes of the outputs.

        Raises
        ------
        OutputError
            A file exists already and is not the batch's own, or was changed; or it cannot be written.
        """
        if twin := self.find(name, record.signature):
            return twin
        made = sorted(path for path in stage.rglob("*") if path.is_file())
        outputs = {path.relative_to(stage).as_posix(): digest_file(path, "result") for path in made}
        refuse_inputs((self.path / output for output in outputs), identities(inputs))
        if not replace:
            self.refuse_foreign(name, outputs)
            self.refuse_changed(name, outputs)
        there = {output: digest_file(path, "result") for output in outputs if (path := self.path / output).is_file()}
        record = Record(record.signature, record.beside, outputs, record.facts, record.notes, there)
        target = self.record_path(name)
        with _explained(self.path):
            target.parent.mkdir(parents=True, exist_ok=True)
            part = stage / f"{os.urandom(8).hex()}.json"
            part.write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
            part.replace(target)
            for output in outputs:
                (self.path / output).parent.mkdir(parents=True, exist_ok=True)
                (stage / output).replace(self.path / output)
        return record

    def refuse_foreign(self, name: str, outputs: Iterable[str]) -> None:
        """Refuse files that exist and that the record of this name does not list. Raises OutputError."""
        own = record.outputs if (record := self.read_record(name)) else {}
        foreign = [self.path / output for output in outputs if output not in own and (self.path / output).exists()]
        if foreign:
            raise OutputError(
                f"{foreign[0]} exists already, and is not of this batch",
                hint=f"pass {param('overwrite')} to replace it, or choose another {param('out_dir')}",
            )

    def refuse_other_command(self, name: str, command: str) -> None:
        """Refuse a folder where this name has results of another command. Raises OutputError."""
        record = self.read_record(name)
        made_by = record.facts.get("command", command) if record and isinstance(record.facts, dict) else command
        if record and made_by != command and any((self.path / output).exists() for output in record.outputs):
            raise OutputError(
                f"{self.path} holds results of depthapps {made_by}, and not of depthapps {command}",
                hint=f"choose another {param('out_dir')}, or pass {param('overwrite')} to replace what is there",
            )

    def refuse_changed(self, name: str, outputs: Iterable[str]) -> None:
        """Refuse to replace files that are no longer what was made under this name. Raises OutputError."""
        record = self.read_record(name)
        known = (record.outputs, record.before) if record else ()
        for output in outputs:
            path = self.path / output
            made = [digests[output] for digests in known if output in digests]
            if made and path.exists() and not any(_is_file_of(path, digest) for digest in made):
                raise OutputError(
                    f"{path} was changed since this batch made it",
                    hint=f"rename it to keep it, or add {param('overwrite')} to make it anew",
                )


def _read_record(path: Path) -> Record | None:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_RECORD:
            return None
        record = Record(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return record if isinstance(record.outputs, dict) and isinstance(record.beside, dict) else None


def _is_file_of(path: Path, digest: str) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest
    except OSError:
        return False


def _locked(file: IO[bytes]) -> bool:
    """Whether this process got the lock. Disks without locks, as some network folders, always give it."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn an error of the system into one that says what to do."""
    try:
        yield
    except OSError as error:
        message, hint = explain_os_error(error, error.filename2 or error.filename or path)
        raise OutputError(message, hint=hint) from error
