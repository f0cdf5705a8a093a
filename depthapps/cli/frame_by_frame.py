"""Let a command that makes a picture of a picture make a video of a video."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from depthapps.cli.groups import HelpfulCommand
from depthapps.cli.options import TalkOptions
from depthapps.cli.typed import as_arguments, typed_options
from depthapps.core.choices import MapKind
from depthapps.core.errors import InputError
from depthapps.io.formats import FILM_SUFFIXES, VIDEO_SUFFIXES

_LAYOUTS = ("side_by_side", "top_bottom", "anaglyph", "depth_network")  # what tells where the depth of a frame is
_OF_ONE_PICTURE = (
    "right", "depth", "disparity", "mask", "shadow_map", "ao", "confidence", "save_depth", "save_disparity",
    "save_confidence", "save_rectified", "sweep", "views", "motion", "viewer",
)  # fmt: skip
_SHOWN = (None, MapKind.PREVIEW, MapKind.AFFINE_INVERSE)  # kinds of depth maps that are pictures
_OWN = frozenset({"output", *(f.name for f in fields(TalkOptions))})


class FrameByFrame(HelpfulCommand):
    """A command that does each frame of a video as it does a picture; everything about pictures is left to it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse, and keep what was typed."""
        ctx.obj = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Do the frames of a video, or the picture."""
        image = ctx.params.get("image")
        if image is None or image.suffix.lower() not in FILM_SUFFIXES:
            return super().invoke(ctx)
        return _do_film(str(self.name), image, ctx.params, typed_options(self, ctx, ctx.obj, _OWN))


def _do_film(name: str, path: Path, given: dict[str, Any], options: dict[str, tuple]) -> None:
    """Check that a video can be made of a video, make it, and report."""
    output: Path = given["output"]
    _check(given, output)
    arguments = as_arguments(options)
    from depthapps.cli.in_process import check_options, run_command
    from depthapps.cli.opening import leave_if_only_checked
    from depthapps.io.outputs import Outputs

    check_options(name, ["frame.png", *arguments, "--output=result.png"])
    leave_if_only_checked()
    reads = [text for texts in options.values() for text in texts if Path(text).is_file()]
    outputs = Outputs([output], overwrite=given["overwrite"], inputs=[path, *reads])
    from depthapps.apps.filmed import Filmed, results_of
    from depthapps.apps.journal import Journal
    from depthapps.cli.report import Report
    from depthapps.io.film import read_film
    from depthapps.io.video import write_video
    from depthapps.runtime.budget import limit_memory

    limit_memory(given["max_memory"])
    report = Report(name, TalkOptions(**{f.name: given[f.name] for f in fields(TalkOptions)}))
    film, told, journal = read_film(path), Filmed(), Journal(report.follow)

    def do(frame: Path, result: Path) -> Any:
        return run_command(name, [str(frame), *arguments, f"--output={result}"])

    with outputs:
        write_video(output, results_of(film, path.name, do, told, journal), film.fps, outputs=outputs)
    report.add(
        inputs={"image": str(path)},
        frames=told.count,
        fps=film.fps,
        frames_repeated=told.repeated,
        first_frame=told.first,
    )
    report.finish(outputs.written)


def _check(given: dict[str, Any], output: Path) -> None:
    """Refuse what makes no video. Raises InputError or OutputError."""
    from depthapps.io.outputs import check_suffix

    image = given["image"]
    if output is None or output.suffix.lower() not in VIDEO_SUFFIXES:
        if output is not None:
            check_suffix(output, VIDEO_SUFFIXES, f"the result of {image.name}, a video,")
        raise InputError(f"{image.name} is a video, and so is its result", hint="add -o result.mp4")
    for option in _OF_ONE_PICTURE:
        if given.get(option):
            raise InputError(
                f"{image.name} is a video, and {option.replace('_', '-')} is for one picture",
                hint="leave it out; of a video only -o is made, from videos that show both views in each frame",
            )
    if not any(given.get(layout) for layout in _LAYOUTS):
        raise InputError(
            f"{image.name} is a video that does not say how it shows both views",
            hint="add --side-by-side, --top-bottom or --anaglyph; of one view, --depth-network guesses the depth",
        )
    if given.get("kind") not in _SHOWN:
        raise InputError(
            f"a video cannot hold a map of {given['kind']}", hint="leave --kind out, or take affine-inverse"
        )
