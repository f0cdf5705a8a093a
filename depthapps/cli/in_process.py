"""Run a command of depthapps inside this process, from its arguments, and take what it tells as data."""

from __future__ import annotations

import json
import traceback
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from typing import Any

import typer

from depthapps.apps.batch.task import Told
from depthapps.cli.flags import explained
from depthapps.core.errors import DepthappsError, InputError

_UsageError: Any = typer.BadParameter.__base__  # of click, which newer versions of typer have inside them
_NOTE = "note: "
_CV2_NO_MEMORY = -4  # Error::StsNoMem in the code of a cv2.error
_NO_THREAD = "can't start new thread"  # of Python's RuntimeError where no memory is left for its stack


def command_of(name: str) -> Any:
    """The parser and function of a command, as `depthapps NAME` runs it."""
    return _commands()[name]


@cache
def _commands() -> dict[str, Any]:
    from depthapps.cli.app import app  # it has the batch command, which needs this module

    return dict(typer.main.get_command(app).commands)  # pyright: ignore[reportAttributeAccessIssue]


def check_options(name: str, arguments: list[str]) -> None:
    """Check a command's options as the command does, but not the files that it would read and write.

    Raises DepthappsError, with the parser's message for an option that cannot be parsed.
    """
    from depthapps.cli.opening import only_options_checked

    with only_options_checked():
        _run(name, arguments)


def run_command(name: str, arguments: list[str]) -> Told:
    """Run a command; its errors are part of what it tells."""
    facts, words = StringIO(), StringIO()
    try:
        with redirect_stdout(facts), redirect_stderr(words):
            _run(name, [*arguments, "--json"])
    except (DepthappsError, OSError) as error:
        message, hint = explained(error)
        return Told(error=message, hint=hint)
    except Exception as error:  # a bug ends this job only
        no_thread = isinstance(error, RuntimeError) and str(error) == _NO_THREAD
        if no_thread or isinstance(error, MemoryError) or getattr(error, "code", 0) == _CV2_NO_MEMORY:
            hint = "use smaller pictures or fewer --workers, or raise --worker-memory"
            return Told(error="there is not enough memory", hint=hint)
        trace = traceback.format_exc()
        return Told(error=f"{type(error).__name__}: {error}", hint="this is a bug: please report it", traceback=trace)
    notes = [line.removeprefix(_NOTE) for line in words.getvalue().splitlines() if line.startswith(_NOTE)]
    return Told(json.loads(facts.getvalue()), tuple(notes))


def _run(name: str, arguments: list[str]) -> None:
    try:
        command_of(name).main(arguments, prog_name=f"depthapps {name}", standalone_mode=False)
    except _UsageError as error:
        raise InputError(error.format_message(), hint=f"see depthapps {name} --help") from None
