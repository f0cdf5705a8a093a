"""Lines on stderr; a terminal also shows below them what is being waited for."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TextIO

import typer

from depthapps.cli.plain import plain
from depthapps.core.errors import OutputError, explain_os_error

_ERASE = "\r\x1b[K"  # back to the start of the line, and all of it gone
_waiting = ""
_screen: TextIO | None = None  # where it is shown


def tell(text: str) -> None:
    """Print a line."""
    waiting = _waiting
    done_waiting()
    typer.echo(plain(text), err=True)
    if waiting:
        wait_for(waiting)


def answer(text: str | bytes) -> None:
    """Print on stdout what another program may read. Raises OutputError if that fails, as on a full disk.

    bytes: lines with their ends, of names that are no text.
    """
    try:
        typer.echo(text, nl=isinstance(text, str))
    except BrokenPipeError:  # whoever read it has enough
        raise
    except OSError as error:
        message, hint = explain_os_error(error, "the standard output")
        raise OutputError(message, hint=hint) from error


def wait_for(what: str) -> None:
    """Show on a terminal what takes its time; in a file or a pipe, nothing."""
    global _waiting, _screen
    done_waiting()
    if sys.stderr is not None and sys.stderr.isatty():
        _waiting, _screen = what, sys.stderr
        _show(plain(f"{what} ..."))


def done_waiting() -> None:
    """Erase what was waited for."""
    global _waiting, _screen
    if _waiting:
        _show(_ERASE)
        _waiting, _screen = "", None


def _show(text: str) -> None:
    """Write on the screen itself: a part of the command may collect what is written on stderr meanwhile."""
    if _screen is not None:
        with suppress(OSError, ValueError):  # nobody is there to see it
            _screen.write(text)
            _screen.flush()
