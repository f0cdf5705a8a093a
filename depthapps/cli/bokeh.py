"""Define `depthapps bokeh`, which renders a picture with a shallow depth of field."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from depthapps.apps.memory import NOTHING, PAGE
from depthapps.bokeh.params import BokehParams
from depthapps.cli.flags import NO_PICTURES
from depthapps.cli.options import RunOptions, SourceOptions, VideoOptions
from depthapps.cli.pages import Viewer, arguments_of, write_view
from depthapps.core.choices import PageMode, Show
from depthapps.core.errors import InputError, OutputError
from depthapps.io.formats import IMAGE_SUFFIXES, VIDEO_SUFFIXES, VIEWER_SUFFIXES
from depthapps.io.outputs import check_suffix


def _focus(text: str) -> tuple[float, ...] | str:
    """Parse `auto`, a pixel X,Y or a box X0,Y0,X1,Y1."""
    if text == "auto":
        return text
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) not in (2, 4):
        raise typer.BadParameter(f"{text!r} is not auto, a pixel X,Y or a box X0,Y0,X1,Y1")
    return values


def _sweep(text: str) -> tuple[float, ...]:
    """Parse NEAR:FAR, two distances in metres."""
    try:
        values = tuple(float(part) for part in text.split(":"))
    except ValueError:
        values = ()
    if len(values) != 2 or not all(0 < value < float("inf") for value in values):
        raise InputError(f"--sweep {text} is not two distances in metres", hint="such as --sweep 0.8:3")
    return values


@dataclass(frozen=True)
class FocusOptions:
    """Options of the focus and the strength of the blur; the defaults are those of `BokehParams`."""

    headings: ClassVar = {"focus": "Focus and blur"}

    focus: Annotated[
        tuple | None,
        typer.Option(
            parser=_focus, help="the pixel or box in focus, or auto: the subject [default: the middle]", metavar="X,Y"
        ),
    ] = None
    focus_depth: Annotated[float | None, typer.Option(help="the distance in focus, in metres", metavar="M")] = None
    blur: Annotated[
        float | None,
        typer.Option(help="radius of the strongest blur in pixels [default: 1.5 % of the width]", metavar="PX"),
    ] = None
    f_number: Annotated[float | None, typer.Option(help="a real lens: its f-number", metavar="N")] = None
    focal_length: Annotated[float, typer.Option(help="focal length of the real lens, in millimetres", metavar="MM")] = (
        BokehParams.focal_length_mm
    )
    sensor_width: Annotated[float, typer.Option(help="width of the camera's sensor, in millimetres", metavar="MM")] = (
        BokehParams.sensor_width_mm
    )


@dataclass(frozen=True)
class LensOptions:
    """Options of the lens' character; the defaults are those of `BokehParams`."""

    headings: ClassVar = {"focus_range": "The lens' character"}

    focus_range: Annotated[
        float, typer.Option(help="depth around the focus that stays sharp, in metres", metavar="M")
    ] = BokehParams.focus_range_m
    tilt: Annotated[
        float,
        typer.Option(help="tilt of the focus plane: the bottom in focus nearer by this share, the top farther"),
    ] = BokehParams.tilt
    blades: Annotated[int, typer.Option(help="blades of the aperture, 0: round", metavar="N")] = BokehParams.blades
    rotation: Annotated[float, typer.Option(help="of the blades, clockwise", metavar="DEG")] = BokehParams.rotation_deg
    squeeze: Annotated[float, typer.Option(help="anamorphic: discs this many times as high as wide", metavar="N")] = (
        BokehParams.squeeze
    )
    cat_eye: Annotated[float, typer.Option(help="discs cut by the barrel toward the corners, 0 to 1", metavar="N")] = (
        BokehParams.cat_eye
    )
    soap_bubble: Annotated[float, typer.Option(help="1: discs with bright rims, -1: creamy ones", metavar="N")] = (
        BokehParams.soap_bubble
    )
    fringe: Annotated[float, typer.Option(help="longitudinal colour fringes, in pixels", metavar="PX")] = (
        BokehParams.fringe
    )
    highlights: Annotated[
        float, typer.Option(help="how bright clipped lamps become again, 0 leaves them", metavar="N")
    ] = BokehParams.highlights
    grain: Annotated[
        float, typer.Option(help="share of the photo's grain given back to what is blurred", metavar="N")
    ] = BokehParams.grain

    def params(self, at: FocusOptions) -> BokehParams:
        """Combine the options into parameters. Raises InputError if they contradict each other, or do nothing."""
        params = BokehParams(
            f_number=at.f_number,
            focal_length_mm=at.focal_length,
            sensor_width_mm=at.sensor_width,
            blur_px=at.blur,
            focus_depth_m=at.focus_depth,
            focus_px=at.focus,
            focus_range_m=self.focus_range,
            tilt=self.tilt,
            blades=self.blades,
            rotation_deg=self.rotation,
            squeeze=self.squeeze,
            cat_eye=self.cat_eye,
            soap_bubble=self.soap_bubble,
            fringe=self.fringe,
            highlights=self.highlights,
            grain=self.grain,
        )
        real = (params.focal_length_mm, params.sensor_width_mm)
        if params.f_number is None and real != (BokehParams.focal_length_mm, BokehParams.sensor_width_mm):
            raise InputError(
                "--focal-length and --sensor-width are of a real lens, whose blur its f-number tells",
                hint="add --f-number 2, or leave them out",
            )
        return params


def bokeh(
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="the picture: .png .jpg .tif; of a sweep .mp4 .gif .webp", metavar="FILE"),
    ] = None,
    viewer: Viewer = None,
    focus: FocusOptions,
    lens: LensOptions,
    show: Annotated[
        Show | None, typer.Option(help="draw the blur's radius, what is in focus, or the depth instead")
    ] = None,
    video: VideoOptions,
    source: SourceOptions,
    run: RunOptions,
) -> None:
    """Blur what is out of focus, as a fast lens does.

    \b
    depthapps bokeh left.png right.png -o portrait.png --focus auto
    depthapps bokeh left.png right.png -c calib.txt -o portrait.jpg --focus-depth 2.1 --f-number 1.4
    depthapps bokeh left.png right.png -o portrait.jpg --viewer page.html
    depthapps bokeh photo.jpg --depth depth.npy -o pull.mp4 --sweep 0.8:4 --blur 25
    depthapps bokeh photo.png --depth network.png --depth-kind affine-inverse -o portrait.png
    depthapps bokeh iphone_portrait.heic -o portrait.jpg --focus 2200,1900
    """
    params = lens.params(focus)
    ends = _ends(video, focus, show)
    if show and output is None:
        raise InputError("--show draws a picture, and none was asked for", hint="add -o picture.png, or leave it out")
    paths = _paths(output, viewer, sweep=bool(ends))
    from depthapps.cli.opening import Opening

    opening = Opening.of("bokeh", source, run, paths, beside=PAGE if viewer else NOTHING)
    from depthapps.apps.maps import write_side_files
    from depthapps.apps.refocus import refocus, refocus_sweep
    from depthapps.io.photos.images import write_image
    from depthapps.io.video import write_video

    report, outputs, run = opening.report, opening.outputs, opening.run
    params = params.of_smaller(opening.times)
    opened = opening.scene(confidence=viewer is not None, metres_matter=viewer is not None)
    with outputs:
        if ends and output:
            report.add(sweep_m=list(ends), frames=video.frames)
            pull = refocus_sweep(
                opened.scene, ends[0], ends[1], video.frames, params, run.quality, progress=report.follow
            )
            with report.stage("rendering"):
                write_video(output, pull, video.fps, outputs=outputs)
        elif output:
            refocused = refocus(opened.scene, params, run.quality, show=show, progress=report.follow)
            report.take(refocused)
            write_image(output, refocused.image, opened.metadata, outputs=outputs)
        with report.stage("writing"):
            if viewer:
                command = arguments_of(source)
                write_view(viewer, opened, PageMode.REFOCUS, report, outputs, command=command, lens=params)
            write_side_files(opening.side, opened, outputs, progress=report.follow)
    report.finish(outputs.written)


def _ends(video: VideoOptions, focus: FocusOptions, show: Show | None) -> tuple[float, ...] | None:
    """The distances between which a video moves the focus; None if none is wanted. Raises InputError."""
    video.check()
    if not video.sweep:
        return None
    ends = _sweep(video.sweep)
    if show:
        raise InputError("--sweep and --show exclude each other", hint="show one setting, or sweep without --show")
    if focus.focus is not None or focus.focus_depth is not None:
        raise InputError("--sweep moves the focus itself", hint="leave --focus and --focus-depth out")
    return ends


def _paths(output: Path | None, viewer: Path | None, *, sweep: bool) -> list[Path]:
    """Paths of all files, after a check of their suffixes. Raises OutputError."""
    if output is None and viewer is None:
        raise OutputError("no output was asked for", hint="pass -o portrait.png or --viewer page.html")
    if sweep and (viewer or not output):
        raise OutputError("a sweep makes one video", hint="pass -o pull.mp4 and no --viewer")
    if output:
        suffixes, what = (VIDEO_SUFFIXES, "a video") if sweep else (IMAGE_SUFFIXES, "a picture")
        check_suffix(output, suffixes, what, NO_PICTURES)
    if viewer:
        check_suffix(viewer, VIEWER_SUFFIXES, "a page")
    return [path for path in (output, viewer) if path]
