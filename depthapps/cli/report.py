"""Print what a command reports, while it runs and when it is done."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from depthapps.apps.journal import JobResult, Note, Stage
from depthapps.cli.flags import as_flag
from depthapps.cli.options import RunOptions, TalkOptions
from depthapps.cli.terminal import answer, done_waiting, tell, wait_for
from depthapps.core.errors import spelled

log = logging.getLogger("depthapps")


class _EchoHandler(logging.Handler):
    """Prints log records as plain lines on stderr, and a warning as a note."""

    def emit(self, record: logging.LogRecord) -> None:
        kind = "note: " if record.levelno == logging.WARNING else ""
        tell(kind + self.format(record))


class Report:
    """Collects the facts that `--json` prints at the end, and prints notes and progress on stderr.

    `follow` is the progress callback to pass to every job.
    """

    def __init__(self, command: str, run: TalkOptions) -> None:
        self._run = run
        self._data: dict[str, Any] = {"command": command}
        if isinstance(run, RunOptions):
            self.add(quality=str(run.quality))
        self._seconds: dict[str, float] = {}
        self._start = time.perf_counter()
        self._bar: Any = None
        log.setLevel(logging.INFO if run.verbose else logging.ERROR if run.quiet else logging.WARNING)
        log.handlers = [_EchoHandler()]

    def follow(self, event: Note | Stage) -> None:
        """Print a note; show on a terminal which stage runs, as a bar if it has several parts; log how long it took."""
        if isinstance(event, Note):
            self.note(event.raw)
            return
        if event.total > 1:
            self._show(event)
        elif event.done == event.total:
            done_waiting()
        elif not self._run.quiet:
            wait_for(event.name)
        if event.done == event.total:
            log.info("%s: %.2f s", event.name, event.seconds)

    def _show(self, stage: Stage) -> None:
        """Start, move or end the progress bar."""
        if self._run.quiet:
            return
        if stage.done == 0:
            from rich.console import Console
            from rich.progress import Progress

            done_waiting()
            console = Console(stderr=True)
            self._bar = Progress(console=console, transient=True, disable=not console.is_terminal)
            self._bar.add_task(stage.name, total=stage.total)
            self._bar.start()
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=stage.done)
            if stage.done == stage.total:
                self._bar.stop()
                self._bar = None

    def add(self, **facts: Any) -> None:
        """Add facts to the JSON object."""
        self._data.update(facts)

    def take(self, result: JobResult) -> None:
        """Add a job's facts and times to the JSON object; its notes were printed while it ran."""
        self.add(**result.facts)
        for name, seconds in result.seconds.items():
            self._seconds[name] = round(self._seconds.get(name, 0) + seconds, 3)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage of the command itself, such as writing files."""
        start = time.perf_counter()
        if not self._run.quiet:
            wait_for(name)
        yield
        done_waiting()
        seconds = time.perf_counter() - start
        self._seconds[name] = round(self._seconds.get(name, 0) + seconds, 3)
        log.info("%s: %.2f s", name, seconds)

    def detail(self, text: str) -> None:
        """Print a line on stderr with -v."""
        log.info(text)

    def note(self, text: str) -> None:
        """Print a note for the user on stderr."""
        self.say(f"note: {spelled(text, as_flag)}")

    def say(self, text: str) -> None:
        """Print a line on stderr, unless the user asked for quiet."""
        if not self._run.quiet and text:
            tell(text)

    def table(self, head: list[str], rows: list[list[str]]) -> None:
        """Print rows of text as a table on stderr."""
        if not self._run.quiet:
            widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
            for row in (head, *rows):
                cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
                tell("  ".join(cells))

    def finish(self, outputs: list[Path]) -> None:
        """Print which files were written: a line on stderr, and with --json all facts as an object on stdout."""
        if self._bar is not None:  # of a stage that had fewer parts than it promised
            self._bar.stop()
        done_waiting()
        seconds = time.perf_counter() - self._start
        if self._run.json:
            total = {"total": round(seconds, 3)}
            facts = {**self._data, "seconds": {**self._seconds, **total}, "outputs": [str(p) for p in outputs]}
            answer(json.dumps(facts, indent=2))
        self.say(f"wrote {', '.join(str(p) for p in outputs)} in {seconds:.1f} s")
