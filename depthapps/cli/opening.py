"""Check a command's inputs and outputs and open its scene: the steps that four commands share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from depthapps.apps.side_files import SideFiles
from depthapps.cli.options import RunOptions, SourceOptions
from depthapps.cli.report import Report
from depthapps.io.outputs import Outputs

if TYPE_CHECKING:  # loaded only after all cheap checks
    from depthapps.apps.scene import OpenedScene

_options_only: ContextVar[bool] = ContextVar("_options_only", default=False)


class OptionsChecked(Exception):  # noqa: N818 - not an error: the command is left once its options are found right
    """Ends a command in a block of `only_options_checked`."""


@contextmanager
def only_options_checked() -> Iterator[None]:
    """Let a command in this block check its options, and neither its files nor its outputs, and do nothing."""
    token = _options_only.set(True)
    try:
        yield
    except OptionsChecked:
        pass
    finally:
        _options_only.reset(token)


@dataclass(frozen=True, eq=False)
class Opening:
    """A command's inputs, outputs and report, checked before any heavy library is loaded."""

    source: SourceOptions
    run: RunOptions
    report: Report
    side: SideFiles
    outputs: Outputs

    @classmethod
    def of(cls, command: str, source: SourceOptions, run: RunOptions, outputs: Sequence[Path]) -> Opening:
        """Check inputs and outputs. Raises InputError or OutputError."""
        side, files, params = source.side_files, source.files, source.params(run.quality)
        paths = [*outputs, *side.paths()]
        files.check_kinds(params)
        side.check(matched=(files.depth, files.disparity, source.depth_network) == (None, None, None))
        if _options_only.get():
            raise OptionsChecked
        group = Outputs(paths, overwrite=run.overwrite)
        files.check(params)
        return cls(source, run, Report(command, run), side, group)

    def scene(self, *, confidence: bool, metres_matter: bool = True) -> OpenedScene:
        """Open the scene, with its confidence if the command or a side file needs it."""
        from depthapps.apps.scene import open_scene

        files, params = self.source.files, self.source.params(self.run.quality)
        opened = open_scene(
            files.image,
            files.right,
            params,
            depth=files.depth,
            disparity=files.disparity,
            confidence=confidence or self.side.confidence is not None,
            metres_matter=metres_matter,
            progress=self.report.follow,
        )
        self.report.take(opened)
        self.side.check(matched=opened.views is not None)
        return opened
