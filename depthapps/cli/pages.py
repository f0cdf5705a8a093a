"""What the commands share that write pages: the arguments that a page shows, and the page that turns a scene."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from depthapps.cli.options import SourceOptions
from depthapps.core.choices import PageMode, TurnStyle
from depthapps.io.outputs import Outputs

if TYPE_CHECKING:
    from depthapps.apps.model import Model
    from depthapps.apps.scene import OpenedScene
    from depthapps.cli.report import Report


def arguments_of(source: SourceOptions) -> str:
    """The arguments that open a scene, as a shell takes them: what differs from the defaults, but for what is saved."""
    words = [str(path) for path in (source.image, source.right) if path is not None]
    for field in dataclasses.fields(source):
        value, flag = getattr(source, field.name), f"--{field.name.replace('_', '-')}"
        if field.name in ("image", "right") or field.name.startswith("save_") or value == field.default:
            continue
        values = value if isinstance(value, list) else [value]
        words += [flag] if value is True else [word for each in values for word in (flag, str(each))]
    return shlex.join(words)


def write_turning_page(
    path: Path, what: OpenedScene | Model, title: str, command: str, report: Report, outputs: Outputs, *, points: bool
) -> None:
    """Write the page that turns a scene, or the model of a scan. points: it first shows a cloud."""
    from depthapps.apps.view import make_page, write_page

    style = TurnStyle.POINTS if points else TurnStyle.SURFACE
    page = make_page(what, PageMode.TURN, title=title, style=style, command=command, progress=report.follow)
    write_page(path, page, outputs=outputs)
