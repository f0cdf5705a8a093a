"""Check a command's inputs and outputs and open its scene: the steps that four commands share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from depthapps.apps.memory import NOTHING, fitting, needed_bytes
from depthapps.apps.side_files import SideFiles
from depthapps.cli.options import RunOptions, SourceOptions
from depthapps.cli.report import Report
from depthapps.core.errors import param
from depthapps.engine.effort import CELLS, has_small_tiles, matched_cells
from depthapps.io.outputs import Outputs
from depthapps.io.photos.describe import describe_contents, picture_size
from depthapps.runtime.budget import limit_memory, memory_budget

if TYPE_CHECKING:  # loaded only after all cheap checks
    from depthapps.apps.scene import OpenedScene
    from depthapps.core.scene import Image

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


def within_memory(
    command: str,
    run: RunOptions,
    report: Report,
    picture: Path,
    *,
    matched: bool,
    matched_side_px: int | None = None,
    shrinkable: bool = True,
    beside: Mapping[str, int] = NOTHING,
) -> tuple[RunOptions, int]:
    """Tell what a command needs of the memory for a picture of this size, by its header.

    matched, beside: see `needed_bytes`. matched_side_px: as in `SceneParams`.

    Returns the options that fit into it, and how many times shorter the sides of the scene have to be made. From now on
    the limit stays: what is free changes while the command works, and what was told and planned by it must not. Raises
    InputError where nothing fits.
    """
    limit_memory(memory_budget())
    size = picture_size(picture)
    if size is None:
        return run, 1
    pixels, gigabytes = size[0] * size[1], memory_budget() / 1e9
    share = 1.0 if matched_side_px is None else min(matched_side_px / max(size), 1.0)
    matched_px = round(share**2 * pixels)
    quality, times = fitting(
        command, run.quality, size, matched=matched, matched_px=matched_px, shrinkable=shrinkable, beside=beside
    )
    needed = (
        needed_bytes(command, quality, pixels, matched=matched, matched_px=matched_px, times=times, beside=beside) / 1e9
    )
    report.add(memory_gb={"needed": round(needed, 2), "limit": round(gigabytes, 2)}, quality=str(quality))
    report.detail(f"needs about {needed:.1f} GB of memory; {gigabytes:.1f} GB may be used")
    why = f"as only {gigabytes:.1f} GB of memory may be used ({param('max_memory')})"
    if quality is not run.quality:
        report.note(f"{param('quality', quality)} is taken, {why}")
    if times > 1:
        report.note(f"the scene is made {times} times smaller, to {size[0] // times}x{size[1] // times}, {why}")
    # no pair has more cells to match than pixels times its width
    if matched and matched_cells(quality, matched_px) < min(CELLS[quality], matched_px * share * size[0]):
        report.note(f"the views are matched at a smaller size, {why}")
    if matched and has_small_tiles(quality, matched_px):
        report.note(f"the network looks at smaller parts of the views, {why}")
    return replace(run, quality=quality), times


def leave_if_only_checked() -> None:
    """Leave a command here if it runs in a block of `only_options_checked`. Raises OptionsChecked."""
    if _options_only.get():
        raise OptionsChecked


@dataclass(frozen=True, eq=False)
class Opening:
    """A command's inputs, outputs and report, checked before any heavy library is loaded.

    times: how many times shorter the sides of the scene are made, so that the memory is enough. matched_side_px: as in
    `SceneParams`.
    """

    source: SourceOptions
    run: RunOptions
    report: Report
    side: SideFiles
    outputs: Outputs
    times: int = 1
    matched_side_px: int | None = None

    @classmethod
    def of(
        cls,
        command: str,
        source: SourceOptions,
        run: RunOptions,
        outputs: Sequence[Path],
        inputs: Sequence[Path] = (),
        *,
        beside: Mapping[str, int] = NOTHING,
        picture_only: bool = False,
        matched_side_px: int | None = None,
    ) -> Opening:
        """Check inputs and outputs. Raises InputError or OutputError.

        inputs: files that are read beside those of `source`. beside: see `needed_bytes`. picture_only: the command
        needs no depth, so that one photo is enough. matched_side_px: as in `SceneParams`, where the command needs no
        finer depth; side files get the finest.
        """
        side, files, params = source.side_files, source.files, source.params(run.quality)
        paths = [*outputs, *side.paths()]
        files.check_kinds(params)
        matched = not picture_only and (files.depth, files.disparity, source.depth_network) == (None, None, None)
        if not picture_only:
            side.check(matched=matched)
        leave_if_only_checked()
        group = Outputs(paths, overwrite=run.overwrite, inputs=[*source.inputs, *inputs])
        limit_memory(run.max_memory)
        files.check(params, picture_only=picture_only)
        report = Report(command, run)
        matched = matched and (files.right is not None or not describe_contents(source.image).has_depth)
        side_px = None if side.paths() else matched_side_px
        run, times = within_memory(
            command, run, report, source.image, matched=matched, matched_side_px=side_px, beside=beside
        )
        return cls(source, run, report, side, group, times, side_px)

    def picture(self) -> Image:
        """The picture, or the left view, without a depth."""
        from depthapps.apps.inputs import read_picture

        with self.report.stage("reading"):
            return read_picture(self.source.image, self.source.params(self.run.quality)).image

    def scene(self, *, confidence: bool, metres_matter: bool = True) -> OpenedScene:
        """Open the scene, with its confidence if the command or a side file needs it."""
        from depthapps.apps.scene import open_scene
        from depthapps.apps.shrink import shrunk

        files, params = self.source.files, self.source.params(self.run.quality)
        params = replace(params, matched_side_px=self.matched_side_px)
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
        opened = shrunk(opened, self.times)
        self.report.take(opened)
        self.side.check(matched=opened.views is not None)
        return opened
