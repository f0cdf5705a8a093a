"""Run the `depthapps` command: its subcommands, and the mapping of errors to messages and exit codes."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from contextlib import suppress
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from depthapps.cli.batch import group as batch
from depthapps.cli.bokeh import bokeh
from depthapps.cli.calibrate import calibrate
from depthapps.cli.depth import depth
from depthapps.cli.flags import explained
from depthapps.cli.frame_by_frame import FrameByFrame
from depthapps.cli.groups import HelpfulCommand, with_options
from depthapps.cli.mesh import mesh
from depthapps.cli.shadow import shadow
from depthapps.cli.stopping import end_if_stopped
from depthapps.cli.terminal import done_waiting, tell
from depthapps.cli.view import view
from depthapps.cli.view3d import view3d
from depthapps.core.errors import DepthappsError, explain_os_error
from depthapps.runtime.memory import keep_freed_memory

_LIBRARIES = ("opencv-python", "numpy", "open3d", "trimesh", "numba", "typer", "pillow")


class _Group(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        """Turn depthapps' own errors into two lines on stderr and exit status 1; a bug keeps its traceback."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (DepthappsError, OSError) as error:  # a full disk or a missing folder is no bug
            message, hint = explained(error)
        _tell(message, hint)
        raise typer.Exit(1)


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    rich_markup_mode=None,  # the rich modes swallow [m] and break example lines, and triple the start-up time
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (depth, bokeh, shadow, mesh, view, view3d, calibrate):
    _makes_pictures = _command not in (mesh, view, calibrate)
    app.command(cls=FrameByFrame if _makes_pictures else HelpfulCommand)(with_options(_command))
app.add_typer(batch, name="batch")


def _print_version(wanted: bool) -> None:
    if wanted:
        import platform  # these two take 25 ms to load
        from importlib import metadata

        typer.echo(f"depthapps {metadata.version('depthapps')}")
        typer.echo(f"python {platform.python_version()}")
        for name in _LIBRARIES:
            typer.echo(f"{name} {metadata.version(name)}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="print versions and exit")
    ] = False,
) -> None:
    """Stereo photographs to depth, and depth to work: bokeh, shadows and meshes, without a GPU."""


def _log_warning(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
    """Send a library's warning to the log, which -v shows, so that stderr has messages of depthapps only."""
    import logging

    logging.getLogger("depthapps").info("%s:%d: %s: %s", filename, lineno, category.__name__, message)


def main() -> None:
    """Run the command line, and end the process at once; whoever calls it watches for signals.

    Python would first take its modules apart one by one. That takes 50 ms, as long as matching a small pair.
    """
    # depthapps gives OpenBLAS small problems only; its other threads would wait in busy loops and use up a core
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if not sys.warnoptions:
        warnings.showwarning = _log_warning
    keep_freed_memory()  # before there are threads: they share one heap then
    gc.set_threshold(100_000)  # most objects belong to modules and stay: searching them for garbage takes 30 ms
    try:
        app(prog_name="depthapps")
    except BaseException as end:
        done_waiting()
        end_if_stopped()
        if isinstance(end, OSError):  # help or a version that could not be printed
            _tell(*explain_os_error(end, "the standard output"))
            _leave(1)
        if isinstance(end, SystemExit) and isinstance(end.code, int):
            _leave(end.code)
        raise


def _tell(message: str, hint: str) -> None:
    with suppress(OSError):  # nobody is there to be told
        done_waiting()
        tell(f"error: {message}")
        tell(f"hint: {hint}")


def _leave(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:  # closed by whoever started this process
                stream.flush()
        except OSError:
            code = code or 1
    if object_files := sys.modules.get("depthapps.runtime.object_files"):  # imported if a kernel was used
        object_files.finish()
    os._exit(code)
