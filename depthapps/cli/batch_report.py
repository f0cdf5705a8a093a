"""Print how a batch goes on: a bar on a terminal, a line a minute elsewhere, and what failed at the end."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import typer

from depthapps.apps.batch.task import Outcome
from depthapps.cli.options import TalkOptions
from depthapps.cli.terminal import answer
from depthapps.io.batch_folder import SHEET, BatchFolder
from depthapps.io.contact_sheet import SheetEntry, write_contact_sheet

TICK_S = 1.0  # how often the bar's times are brought up to date
_LINE_EVERY_S = 60.0


class Stopped(KeyboardInterrupt):
    """A signal asked for the end of the batch."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class BatchReport:
    """Collects the outcomes of a batch and prints them as the user wants it."""

    def __init__(self, command: str, talk: TalkOptions, total: int, alone: list[Path], *, json_lines: bool) -> None:
        self._command, self._talk, self._total, self._json_lines = command, talk, total, json_lines
        self._alone = alone
        self._outcomes: list[Outcome] = []
        self._start = self._last_line = time.monotonic()
        self._bar: Any = None
        for path in alone:
            self._say(f"note: {path} has no partner")

    def take(self, outcome: Outcome | None) -> None:
        """Take what a job ended with, or note that time goes by."""
        if outcome is not None:
            self._outcomes.append(outcome)
            if self._json_lines:
                answer(json.dumps(_entry(outcome)))
            if outcome.told.error:
                self._say(f"{outcome.name} failed: {outcome.told.error}")
            elif self._talk.verbose:
                self._say(f"{outcome.name}: {outcome.status} in {outcome.seconds:.1f} s")
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=len(self._outcomes), speed=self._speed())
        elif time.monotonic() - self._last_line > _LINE_EVERY_S:
            self._last_line = time.monotonic()
            self._say(f"{self._progress()}; {self._speed()}")

    @contextmanager
    def until_ended(self, folder: BatchFolder) -> Iterator[None]:
        """Show the progress in the block; a signal ends the block, with a word on how to go on, and the process."""
        with _signals_raise():
            try:
                self._show_bar()
                yield
            except Stopped as stopped:
                self._hide_bar()
                if folder.path.is_dir():  # else nothing has begun
                    self._write_sheet(folder)
                name = signal.Signals(stopped.number).name
                typer.echo(f"error: {name} ended the batch: {self._progress()}", err=True)
                typer.echo("hint: the same command with --resume goes on", err=True)
                raise typer.Exit(128 + stopped.number) from None
            finally:
                self._hide_bar()

    def finish(self, folder: BatchFolder) -> None:
        """Print what was noted and what failed, and write the contact sheet; typer.Exit(1) if not all is well."""
        failed = [outcome for outcome in self._outcomes if outcome.told.error]
        notes = Counter(note for outcome in self._outcomes for note in outcome.told.notes)
        for note, count in notes.most_common():
            self._say(f"note: {note}" + (f" ({count} of {self._total})" if self._total > 1 else ""))
        if self._talk.json:
            answer(json.dumps(self._facts(folder), indent=2))
        self._say(f"{self._progress()} in {time.monotonic() - self._start:.1f} s: {folder.path / SHEET}")
        for line in _failures(failed, self._alone):
            typer.echo(_plain(line), err=True)
        self._write_sheet(folder)
        if failed or self._alone:
            raise typer.Exit(1)

    def _facts(self, folder: BatchFolder) -> dict[str, Any]:
        counts = Counter(outcome.status for outcome in self._outcomes)
        return {
            "command": f"batch {self._command}",
            **{status: counts[status] for status in ("done", "there", "failed")},
            "alone": list(map(str, self._alone)),
            "seconds": round(time.monotonic() - self._start, 3),
            "pairs": [_entry(outcome) for outcome in self._outcomes],
            "sheet": str(folder.path / SHEET),
        }

    def _progress(self) -> str:
        counts = Counter(outcome.status for outcome in self._outcomes)
        more = [f"{counts[status]} {words}" for status, words in
                (("there", "were there"), ("failed", "failed")) if counts[status]]  # fmt: skip
        ended = counts["done"] + counts["there"]
        return f"{ended} of {self._total} done" + (f" ({', '.join(more)})" if more else "")

    def _speed(self) -> str:
        """Pairs a minute, and the time that is left; those that were there do not count."""
        worked = sum(outcome.status != "there" for outcome in self._outcomes)
        if not worked:
            return "..."
        pace_s = (time.monotonic() - self._start) / worked
        minutes, seconds = divmod(round(pace_s * (self._total - len(self._outcomes))), 60)
        return f"{60 / pace_s:.1f} a minute, {minutes // 60}:{minutes % 60:02}:{seconds:02} left"

    def _show_bar(self) -> None:
        from rich.console import Console

        console = Console(stderr=True)
        if self._talk.quiet or not console.is_terminal:
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[speed]}"))
        self._bar = Progress(*columns, console=console, transient=True)
        self._bar.add_task("", total=self._total, speed="...")
        self._bar.start()

    def _hide_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _say(self, text: str) -> None:
        """Print a line on stderr, above the bar, unless the user asked for quiet."""
        if self._talk.quiet:
            return
        if self._bar is not None:
            self._bar.console.print(_plain(text), markup=False, highlight=False, soft_wrap=True)
        else:
            typer.echo(_plain(text), err=True)

    def _write_sheet(self, folder: BatchFolder) -> None:
        write_contact_sheet(
            folder.path / SHEET,
            [
                SheetEntry(
                    outcome.name,
                    outcome.outputs,
                    thumbnail if (thumbnail := folder.thumbnail_path(outcome.name)).is_file() else None,
                    outcome.told.error,
                )
                for outcome in self._outcomes
            ],
            f"depthapps batch {self._command}: {folder.path.name}",
        )


def _entry(outcome: Outcome) -> dict[str, Any]:
    """An outcome as an object for JSON."""
    told = outcome.told
    return {
        "name": outcome.name,
        "status": outcome.status,
        "files": list(map(str, outcome.files)),
        "outputs": list(map(str, outcome.outputs)),
        "seconds": outcome.seconds,
        "attempts": outcome.attempts,
        **({"error": told.error, "hint": told.hint} if told.error else {"notes": told.notes, "facts": told.facts}),
        **({"traceback": told.traceback} if told.traceback else {}),
    }


def _failures(failed: list[Outcome], alone: list[Path]) -> list[str]:
    """The table of what failed, as lines."""
    if not failed and not alone:
        return []
    rows = [(outcome.name, outcome.told.error, outcome.told.hint) for outcome in failed]
    rows += [(str(path), "it has no partner", "") for path in alone]
    width = max(len(name) for name, *_ in rows)
    lines = ["failed:"]
    for name, error, hint in rows:
        lines.append(f"  {name.ljust(width)}  error: {error}")
        lines += [f"  {'':{width}}  hint: {hint}"] if hint else []
    return lines


def _plain(text: str) -> str:
    """A text in one line that changes nothing of a terminal: control characters in names are written out."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@contextmanager
def _signals_raise() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise Stopped in the block; other threads than the main one have no signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _: FrameType | None) -> None:
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
