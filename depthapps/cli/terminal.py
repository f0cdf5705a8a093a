"""Lines on stderr; a terminal also shows below them what is being waited for."""

from __future__ import annotations

import sys

import typer

from depthapps.cli.plain import plain

_ERASE = "\r\x1b[K"  # back to the start of the line, and all of it gone
_waiting = ""


def tell(text: str) -> None:
    """Print a line."""
    waiting = _waiting
    done_waiting()
    typer.echo(plain(text), err=True)
    if waiting:
        wait_for(waiting)


def wait_for(what: str) -> None:
    """Show on a terminal what takes its time; in a file or a pipe, nothing."""
    global _waiting
    done_waiting()
    if sys.stderr is not None and sys.stderr.isatty():
        typer.echo(plain(f"{what} ..."), nl=False, err=True)
        _waiting = what


def done_waiting() -> None:
    """Erase what was waited for."""
    global _waiting
    if _waiting:
        typer.echo(_ERASE, nl=False, err=True, color=True)
        _waiting = ""
