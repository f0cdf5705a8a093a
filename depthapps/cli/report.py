"""What a command says while it runs and when it is done."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from depthapps.cli.options import RunOptions, TalkOptions

if TYPE_CHECKING:  # numpy comes with it, which --help does without
    from depthapps.core.scene import Camera

log = logging.getLogger("depthapps")
T = TypeVar("T")


class _EchoHandler(logging.Handler):
    """Log records as plain lines on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        typer.echo(self.format(record), err=True)


class Report:
    """Collects what `--json` prints, and speaks on stderr meanwhile."""

    def __init__(self, command: str, run: TalkOptions) -> None:
        self._run = run
        self._data: dict[str, Any] = {"command": command}
        if isinstance(run, RunOptions):
            self.add(quality=str(run.quality))
        self._seconds: dict[str, float] = {}
        self._start = time.perf_counter()
        log.setLevel(logging.INFO if run.verbose else logging.ERROR if run.quiet else logging.WARNING)
        log.handlers = [_EchoHandler()]

    def add(self, **facts: Any) -> None:
        """Put facts into the JSON object."""
        self._data.update(facts)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage of the work."""
        start = time.perf_counter()
        yield
        seconds = time.perf_counter() - start
        self._seconds[name] = round(self._seconds.get(name, 0) + seconds, 3)
        log.info("%s: %.2f s", name, seconds)

    def progress(self, items: Iterable[T], count: int, what: str) -> Iterator[T]:
        """The items themselves, `count` of them, with a bar on stderr if that is a terminal."""
        from rich.console import Console
        from rich.progress import track

        console = Console(stderr=True)
        hidden = self._run.quiet or not console.is_terminal
        yield from track(items, description=what, total=count, console=console, transient=True, disable=hidden)

    def note(self, text: str) -> None:
        """Say something the user should know, on stderr."""
        if not self._run.quiet:
            typer.echo(f"note: {text}", err=True)

    def say(self, text: str) -> None:
        """Say what was made, on stderr."""
        if not self._run.quiet:
            typer.echo(text, err=True)

    def table(self, head: list[str], rows: list[list[str]]) -> None:
        """Show rows of text in columns, on stderr."""
        if not self._run.quiet:
            widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
            for row in (head, *rows):
                cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
                typer.echo("  ".join(cells), err=True)

    def finish(self, outputs: list[Path]) -> None:
        """Say what was written, as text on stderr and with --json as an object on stdout."""
        seconds = time.perf_counter() - self._start
        if self._run.json:
            total = {"total": round(seconds, 3)}
            facts = {**self._data, "seconds": {**self._seconds, **total}, "outputs": [str(p) for p in outputs]}
            typer.echo(json.dumps(facts, indent=2))
        if not self._run.quiet:
            typer.echo(f"wrote {', '.join(str(p) for p in outputs)} in {seconds:.1f} s", err=True)


def camera_facts(camera: Camera) -> dict[str, Any]:
    """A camera for the JSON object."""
    return {
        "fx_px": round(camera.fx, 3),
        "fy_px": round(camera.fy, 3),
        "cx_px": round(camera.cx, 3),
        "cy_px": round(camera.cy, 3),
    }
