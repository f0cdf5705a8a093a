"""Do one job of a batch, in whatever process: look whether it is done, else make its result and put it in its place."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from depthapps.apps.batch.jobs import Job
from depthapps.core.errors import DepthappsError
from depthapps.core.version import __version__
from depthapps.io.batch_folder import BatchFolder, Record, digest_file
from depthapps.io.contact_sheet import write_thumbnail
from depthapps.io.formats import FILM_SUFFIXES, IMAGE_SUFFIXES
from depthapps.io.inputs import files_seen
from depthapps.runtime.limits import Limits


@dataclass(frozen=True)
class Told:
    """What a command told: facts and notes, or the error that ended it, with a traceback if it is a bug."""

    facts: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: str = ""
    hint: str = ""
    traceback: str = ""


RunCommand = Callable[[str, list[str]], Told]
"""Runs a command in this process, by its name and arguments."""

Explain = Callable[[DepthappsError], tuple[str, str]]
"""Writes the message and the hint of an error for the reader."""


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    status: "done", "there" if its result was already there, or "failed". outputs: its files. seconds: how long it took.
    attempts: how many workers tried it.
    """

    name: str
    status: str
    files: tuple[Path, ...]
    outputs: tuple[Path, ...] = ()
    seconds: float = 0.0
    attempts: int = 1
    told: Told = field(default_factory=Told)


@dataclass(frozen=True)
class Task:
    """How the jobs of a batch are done: the same in this process, in another one and on another machine.

    run, explain: of the command line, which knows commands and flags. again: make results anew that are there.
    overwrite: replace files that are not the batch's own, and those that somebody changed.
    """

    run: RunCommand
    explain: Explain
    limits: Limits
    again: bool = False
    overwrite: bool = False

    def __call__(self, job: Job) -> Outcome:
        """Do a job. It raises no errors of depthapps: these are part of the outcome."""
        start = time.perf_counter()
        with self.limits.kept():
            try:
                outcome = self._done(job)
            except DepthappsError as error:
                outcome = self.failed(job, error)
        return replace(outcome, seconds=round(time.perf_counter() - start, 3))

    def failed(self, job: Job, error: DepthappsError) -> Outcome:
        """The outcome of a job that an error ended."""
        message, hint = self.explain(error)
        return Outcome(job.name, "failed", job.files, told=Told(error=message, hint=hint))

    def _done(self, job: Job) -> Outcome:
        folder, signature = BatchFolder(job.folder), signature_of(job)
        if not self.again and (record := folder.find(job.name, signature)):
            return self._outcome(job, "there", record)
        if not self.overwrite:
            folder.refuse_changed(job.name, job.outputs)
        with folder.stage() as stage:
            for name in job.outputs:
                (stage / name).parent.mkdir(parents=True, exist_ok=True)
            with files_seen() as seen:
                told = self.run(job.command, job.arguments(stage))
            if told.error:  # the folder in which results are made is none of the user's
                told = replace(told, error=told.error.replace(str(stage), str(job.folder)))
                return Outcome(job.name, "failed", job.files, told=told)
            beside = _beside(job, seen)
            facts = {**told.facts, "outputs": job.outputs}
            record = Record(signature, beside, facts=facts, notes=list(told.notes))
            record = folder.keep(job.name, stage, record, replace=self.overwrite, inputs=seen)
        outcome = self._outcome(job, "done", record)
        pictures = [path for path in outcome.outputs if path.suffix.lower() in (*IMAGE_SUFFIXES, *FILM_SUFFIXES)]
        write_thumbnail(folder.thumbnail_path(job.name), [*pictures, job.files[0]])
        return outcome

    def _outcome(self, job: Job, status: str, record: Record) -> Outcome:
        outputs = tuple(job.folder / name for name in sorted(record.outputs, key=_named_first(job)))
        return Outcome(job.name, status, job.files, outputs, told=Told(record.facts, tuple(record.notes)))


def signature_of(job: Job) -> str:
    """What a result depends on, as one hash: the version, the command, its options and the content of its files.

    Raises InputError for a file that is not there.
    """
    files = [digest_file(path, "image") for path in job.files]
    reads = {
        flag: [digest_file(value, flag.lstrip("-")) if os.path.exists(value) else value for value in values]  # noqa: PTH110
        for flag, values in job.reads.items()
    }
    parts = [__version__, job.command, files, reads, job.settings, job.writes]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _beside(job: Job, seen: set[Path]) -> dict[str, str]:
    """The hashes of files that were read and that the job does not name."""
    named = {*map(str, job.files), *(value for values in job.reads.values() for value in values)}
    found = {str(path.absolute()) for path in seen if path.is_file()} - named
    return {path: digest_file(path, "file") for path in sorted(found)}


def _named_first(job: Job) -> Callable[[str], tuple[bool, int, str]]:
    """Order files as the options name them, and those that came with them last."""
    named = {name: place for place, name in enumerate(job.outputs)}
    return lambda name: (name not in named, named.get(name, 0), name)
