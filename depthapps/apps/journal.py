"""Collect what a job reports, while it runs and when it is done: stages, notes and facts, as data."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from depthapps.core.errors import spelled

Item = TypeVar("Item")


@dataclass(frozen=True)
class Note:
    """A sentence that the user should read: what was assumed, exchanged or left out. `str(note)` gives it.

    raw: the sentence, with its parameters marked by `core.errors.param`.
    """

    raw: str

    def __str__(self) -> str:
        return spelled(self.raw)

    def spelled(self, spell: Callable[[str, str], str]) -> str:
        """The sentence with its parameters as `spell(name, value)` writes them."""
        return spelled(self.raw, spell)


@dataclass(frozen=True)
class Stage:
    """Progress of one stage of a job: `done` of `total` parts, `seconds` after the stage began."""

    name: str
    done: int
    total: int
    seconds: float


Progress = Callable[[Note | Stage], None]
"""A callback that a job calls with every note and every step of a stage, in the thread that called the job."""


@dataclass(frozen=True, eq=False, kw_only=True)
class JobResult:
    """The fields that the results of all jobs share.

    Attributes
    ----------
    facts : dict
        What was read, assumed and found, of types that JSON can hold.
    notes : tuple of Note
        What the user should know.
    seconds : dict
        How long each stage took, by its name.
    summary : str
        The result in one line; empty if it needs none.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    summary: str = ""


class Journal:
    """Collects the notes, facts and times of a job, and passes notes and stages to `progress` at once."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.facts: dict[str, Any] = {}
        self.notes: list[Note] = []
        self.seconds: dict[str, float] = {}
        self._progress = progress or (lambda _: None)

    def add(self, **facts: Any) -> None:
        """Record facts."""
        self.facts.update(facts)

    def note(self, text: str) -> None:
        """Record a note and pass it to `progress`."""
        self.notes.append(Note(text))
        self._progress(self.notes[-1])

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage that has one part."""
        for _ in self.steps([None], 1, name):
            yield

    def steps(self, items: Iterable[Item], total: int, name: str) -> Iterator[Item]:
        """Yield `total` items; each is a part of a stage, which ends when the item after the last is asked for."""
        start = time.perf_counter()
        self._progress(Stage(name, 0, total, 0.0))
        for done, item in enumerate(items, 1):
            yield item
            self._progress(Stage(name, done, total, time.perf_counter() - start))
        self.seconds[name] = round(self.seconds.get(name, 0) + time.perf_counter() - start, 3)

    @property
    def told(self) -> dict[str, Any]:
        """Facts, notes and seconds, as keyword arguments of a `JobResult`."""
        return {"facts": self.facts, "notes": tuple(self.notes), "seconds": self.seconds}
