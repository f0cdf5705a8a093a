"""Check a command's inputs and outputs and open its scene: the steps that four commands share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from depthapps.apps.side_files import SideFiles
from depthapps.cli.options import RunOptions, SourceOptions
from depthapps.cli.report import Report
from depthapps.io.outputs import Outputs

if TYPE_CHECKING:  # loaded only after all cheap checks
    from depthapps.apps.scene import OpenedScene


@dataclass(frozen=True, eq=False)
class Opening:
    """A command's inputs, outputs and report, checked before any heavy library is loaded."""

    source: SourceOptions
    run: RunOptions
    report: Report
    side: SideFiles
    outputs: Outputs

    @classmethod
    def of(
        cls,
        command: str,
        source: SourceOptions,
        run: RunOptions,
        outputs: Sequence[Path],
        inputs: Sequence[Path] = (),
    ) -> Opening:
        """Check inputs and outputs. Raises InputError or OutputError.

        inputs: files that are read beside those of `source`.
        """
        side = source.side_files
        group = Outputs([*outputs, *side.paths()], overwrite=run.overwrite, inputs=[*source.inputs, *inputs])
        files = source.files
        files.check(source.params(run.quality))
        side.check(matched=(files.depth, files.disparity, source.depth_network) == (None, None, None))
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
