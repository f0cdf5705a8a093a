"""What the commands share that write pages: the arguments that a page shows, and the page beside other results."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from depthapps.cli.options import SourceOptions
from depthapps.core.choices import PageMode
from depthapps.io.outputs import Outputs

if TYPE_CHECKING:
    from depthapps.apps.model import Model
    from depthapps.apps.scene import OpenedScene
    from depthapps.cli.report import Report

Viewer = Annotated[
    Path | None,
    typer.Option(help="the page of `depthapps view`, .html, that opens with what this command makes", metavar="FILE"),
]
"""A page beside the results of a command."""


def arguments_of(source: SourceOptions) -> str:
    """The arguments that open a scene, as a shell takes them: what differs from the defaults, but for what is saved.

    Empty if the name of a file is not UTF-8, for a page could not tell it.
    """
    photos = [str(path) for path in (source.image, source.right) if path is not None]
    words = [f"./{photo}" if photo.startswith("-") else photo for photo in photos]
    for field in dataclasses.fields(source):
        value, flag = getattr(source, field.name), f"--{field.name.replace('_', '-')}"
        if field.name in ("image", "right") or field.name.startswith("save_") or value == field.default:
            continue
        values = value if isinstance(value, list) else [value]
        words += [flag] if value is True else [word for each in values for word in (flag, str(each))]
    command = shlex.join(words)
    return command if command.encode("utf-8", "ignore").decode() == command else ""


def write_view(
    path: Path, what: OpenedScene | Model, mode: PageMode, report: Report, outputs: Outputs, **first: Any
) -> None:
    """Write the page of a scene, or of the model of a scan. first: what it shows first, as `make_page` takes it."""
    from depthapps.apps.view import make_page, write_page

    write_page(path, make_page(what, mode, progress=report.follow, **first), outputs=outputs)
