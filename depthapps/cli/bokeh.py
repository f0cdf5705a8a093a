"""depthapps bokeh: the picture with a shallow depth of field."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from depthapps.bokeh.params import BokehParams
from depthapps.cli.options import RunOptions, SourceOptions, VideoOptions, numbers
from depthapps.core.errors import InputError

_VIDEO_SUFFIXES = (".mp4", ".gif")  # io.video.VIDEO_SUFFIXES, too heavy for --help; a test holds them equal


class Show(StrEnum):
    """What `--show` draws instead of the picture."""

    COC = "coc"
    FOCUS = "focus"
    DEPTH = "depth"


def _focus(text: str) -> tuple[float, ...] | str:
    """`auto`, a pixel or a box."""
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
    """NEAR:FAR in metres."""
    values = numbers(2)(text.replace(":", ","))
    if not 0 < min(values) <= max(values) < float("inf"):
        raise typer.BadParameter(f"{text!r} is not two distances in metres such as 0.8:3")
    return values


@dataclass(frozen=True)
class LensOptions:
    """The lens beyond its size; the defaults are those of `BokehParams`."""

    focus_range: Annotated[
        float, typer.Option(help="depth around the focus that stays sharp, in metres", metavar="M")
    ] = BokehParams.focus_range_m
    tilt: Annotated[
        float,
        typer.Option(help="tilt of the focus plane: the bottom in focus nearer by this share, the top farther"),
    ] = BokehParams.tilt
    blades: Annotated[int, typer.Option(help="of the aperture, 0 for a round one", metavar="N")] = BokehParams.blades
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


def bokeh(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="the picture: .png .jpg .tif; with --sweep .mp4 .gif", metavar="FILE")
    ],
    focus: Annotated[
        tuple | None,
        typer.Option(
            parser=_focus, help="the pixel or box in focus, or auto: the subject [default: the middle]", metavar="X,Y"
        ),
    ] = None,
    focus_depth: Annotated[float | None, typer.Option(help="the distance in focus, in metres", metavar="M")] = None,
    blur: Annotated[
        float | None,
        typer.Option(help="radius of the strongest blur in pixels [default: 1.5 % of the width]", metavar="PX"),
    ] = None,
    f_number: Annotated[float | None, typer.Option(help="a real lens: its f-number", metavar="N")] = None,
    focal_length: Annotated[
        float, typer.Option(help="of the real lens, in millimetres", metavar="MM")
    ] = BokehParams.focal_length_mm,
    sensor_width: Annotated[
        float, typer.Option(help="behind the real lens, in millimetres", metavar="MM")
    ] = BokehParams.sensor_width_mm,
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
    depthapps bokeh photo.jpg --depth depth.npy -o pull.mp4 --sweep 0.8:4 --blur 25
    depthapps bokeh photo.png --depth network.png --depth-kind affine-inverse -o portrait.png
    depthapps bokeh iphone_portrait.heic -o portrait.jpg --focus 2200,1900
    """
    from depthapps.bokeh.focus import find_focus
    from depthapps.bokeh.lens import signed_coc
    from depthapps.bokeh.render import blur as render_blur
    from depthapps.bokeh.subject import find_subject
    from depthapps.bokeh.sweep import focus_pull
    from depthapps.cli.report import Report
    from depthapps.cli.source import load_source, save_side_outputs, side_outputs
    from depthapps.draw.focus import show_coc, show_focus
    from depthapps.draw.preview import render_depth_preview
    from depthapps.io.outputs import Outputs, check_suffix
    from depthapps.io.photos.images import IMAGE_SUFFIXES, write_image
    from depthapps.io.video import write_video

    params = BokehParams(
        f_number, focal_length, sensor_width, blur, focus_depth, focus, lens.focus_range, lens.tilt, lens.blades,
        lens.rotation, lens.squeeze, lens.cat_eye, lens.soap_bubble, lens.fringe, lens.highlights, lens.grain,
    )  # fmt: skip
    sweep = _sweep(video.sweep) if video.sweep else None
    if sweep and show:
        raise InputError("--sweep and --show exclude each other", hint="show one setting, or sweep without --show")
    if sweep and (focus is not None or focus_depth is not None):
        raise InputError("--sweep moves the focus itself", hint="leave --focus and --focus-depth out")
    check_suffix(output, _VIDEO_SUFFIXES if sweep else IMAGE_SUFFIXES, "a video" if sweep else "a picture")
    outputs = Outputs([output, *side_outputs(source)], overwrite=run.overwrite)
    report = Report("bokeh", run)
    loaded = load_source(source, run, report, camera_matters=False)
    scene = loaded.scene
    with outputs:
        if sweep:
            report.add(sweep_m=list(sweep), frames=video.frames)
            with report.stage("rendering"):
                pull = focus_pull(scene, params, sweep, video.frames, run.quality)
                write_video(outputs.part(output), report.progress(pull, video.frames, "focus pull"), video.fps)
        else:
            with report.stage("rendering"):
                if focus == "auto":
                    params = replace(params, focus_px=find_subject(scene))
                focus_m, place = find_focus(scene, params)
                if focus == "auto" and place is not None:
                    what = "the subject is" if params.focus_px else "nothing stands out; in focus is the middle,"
                    report.note(f"{what} at {place[0]:g},{place[1]:g}, {focus_m:.3g} m away")
                fixed = replace(params, focus_px=None, focus_depth_m=focus_m)
                coc, _ = signed_coc(scene, fixed)
                if show is Show.DEPTH:
                    image = render_depth_preview(scene.depth_m)
                elif show is not None:
                    image = show_coc(coc) if show is Show.COC else show_focus(scene.image, coc)
                else:
                    image = render_blur(scene.image, coc, fixed, run.quality)
            report.add(focus_m=round(focus_m, 4), largest_blur_px=round(float(abs(coc).max()), 2))
            report.add(focus_px=[round(float(v), 1) for v in place] if place else None)
            write_image(outputs.part(output), image, loaded.metadata)
        with report.stage("writing"):
            save_side_outputs(source, loaded, outputs)
    report.finish(outputs.written)
