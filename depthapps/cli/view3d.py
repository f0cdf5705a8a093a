"""Define `depthapps view3d`, which shows a scene to both eyes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from depthapps.apps.view3d_params import (
    MOTION_VIEWS,
    SMALLEST_VIEW,
    View3DParams,
    cut_by_window,
    player_name,
    usual_view_size,
)
from depthapps.cli.options import RunOptions, SourceOptions
from depthapps.core.choices import Frame, Motion, StereoStyle
from depthapps.core.errors import InputError, OutputError
from depthapps.io.formats import IMAGE_SUFFIXES, MESH_SUFFIXES, VIDEO_SUFFIXES, VIEW3D_SUFFIXES, VIEWER_SUFFIXES
from depthapps.io.outputs import check_suffix

_WRITTEN_BY: dict[str, str] = {
    **dict.fromkeys(VIEWER_SUFFIXES, "depthapps view"),
    **dict.fromkeys(MESH_SUFFIXES, "depthapps mesh"),
}


def _convergence(text: str) -> tuple[float, ...] | str:
    """Parse `auto`, a depth M or a pixel X,Y."""
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if text != "auto" and len(values) not in (1, 2):
        raise typer.BadParameter(f"{text!r} is not auto, a depth in metres or a pixel X,Y")
    return values


@dataclass(frozen=True)
class EyeOptions:
    """Options of what both eyes see; the defaults are those of `View3DParams`."""

    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help=".jpg .png .tif: a picture of --style; .mpo; .heic: a spatial photo; .gif .webp .mp4: an animation; "
            "or a folder, for a .jpg with a name that players understand",
            metavar="FILE",
        ),
    ]
    style: Annotated[
        StereoStyle | None, typer.Option(help="how one picture shows both views [default: side-by-side]")
    ] = None
    convergence: Annotated[
        tuple | None,
        typer.Option(
            parser=_convergence,
            help="what lies in the plane of the screen: a depth in metres, a pixel X,Y of the left view, or auto: what "
            "is nearest at the left and right border [default: auto]",
            metavar="M|X,Y",
        ),
    ] = None
    view_size: Annotated[
        int | None,
        typer.Option(
            min=SMALLEST_VIEW,
            help="longest side of a view [default: its own; 800 in .gif, 1200 in .webp, 1920 in .mp4, 512 in a quilt]",
            metavar="PX",
        ),
    ] = None
    swap: Annotated[bool, typer.Option("--swap", help="exchange the eyes")] = View3DParams.swap
    views: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="views of an animation from left to right, 61 at most [default: 2, the photos], or of the loop of "
            f"another motion [default: {MOTION_VIEWS}]",
            metavar="N",
        ),
    ] = None
    motion: Annotated[
        Motion | None,
        typer.Option(
            help="how the camera of an animation moves: between the photos, around an ellipse, or back while it zooms "
            "in on what --convergence names [default: sweep]"
        ),
    ] = None
    eye_distance: Annotated[
        float,
        typer.Option(
            help="how far the eyes are apart, in distances of the two photos; unless it is 1, the right view is made "
            "from the depth",
            metavar="N",
        ),
    ] = View3DParams.eye_distance

    def check(self) -> None:
        """Refuse files and options that do not fit together. Raises InputError or OutputError."""
        suffix = ".jpg"  # in a folder
        if not self.output.is_dir():
            if not self.output.suffix and not self.output.exists():
                raise OutputError(
                    f"there is no folder {self.output}, and a file needs a suffix",
                    hint=f"mkdir {self.output}, or write a {' '.join(VIEW3D_SUFFIXES)}",
                )
            check_suffix(self.output, VIEW3D_SUFFIXES, "a stereo view", _WRITTEN_BY)
            suffix = self.output.suffix.lower()
        if self.style and suffix not in IMAGE_SUFFIXES:
            given = [name for name, value in (("--views", self.views), ("--motion", self.motion)) if value]
            other = f", without {' and '.join(given)}" if given else ""  # which a picture would refuse
            raise InputError(f"--style is for pictures, not for {suffix}", hint=f"leave it out, or write a .jpg{other}")
        if (self.views or self.motion) and suffix not in VIDEO_SUFFIXES:
            option = "--views" if self.views else "--motion"
            other = ", without --style" if self.style else ""  # which an animation would refuse
            raise InputError(
                f"{option} is for animations, not for {suffix}", hint=f"leave it out, or write a .webp{other}"
            )

    @property
    def params(self) -> View3DParams:
        """Parameters of the views."""
        style, at = self.style or View3DParams.style, self.convergence or ()
        return View3DParams(
            style=style,
            convergence_m=at[0] if len(at) == 1 else None,
            convergence_px=(at[0], at[1]) if len(at) == 2 else None,
            view_size_px=self.view_size or usual_view_size(self.output.suffix, style),
            swap=self.swap,
            views=self.views,
            eye_distance=self.eye_distance,
            motion=self.motion or View3DParams.motion,
        )


def view3d(*, eyes: EyeOptions, source: SourceOptions, run: RunOptions) -> None:
    """Show a scene to both eyes: side by side, anaglyph, MPO, spatial photo, wiggle, quilt.

    The photos themselves are shown, always in the frame `rectified`, through a window that is set by cutting their
    outer sides. Views between them, and the second view of a photo that has only a depth, are made from the depth;
    other motions are made of a model, as `depthapps mesh` makes it.

    \b
    depthapps view3d left.jpg right.jpg -o photo_LRF_Full_SBS.jpg
    depthapps view3d left.jpg right.jpg -o red_cyan.jpg --style anaglyph --convergence 850,600
    depthapps view3d left.jpg right.jpg -o for_vision_pro.heic
    depthapps view3d left.jpg right.jpg -o wiggle.gif
    depthapps view3d left.jpg right.jpg -o loop.mp4 --views 12
    depthapps view3d left.jpg right.jpg -o vertigo.mp4 --motion dolly-zoom --convergence 850,600
    depthapps view3d fujifilm_w3.mpo --style quilt -o folder
    """
    eyes.check()
    params = eyes.params
    from depthapps.cli.opening import Opening

    folder = eyes.output.is_dir()
    source = replace(source, frame=Frame.RECTIFIED)
    moving = {} if params.motion is Motion.SWEEP else {"mesh": (params.view_size_px or 0) ** 2}
    paths, side_px = [] if folder else [eyes.output], params.matched_side_px
    opening = Opening.of("view3d", source, run, paths, beside=moving, matched_side_px=side_px)
    from depthapps.apps.maps import write_side_files
    from depthapps.apps.view3d import make_view3d, write_view3d

    report, outputs = opening.report, opening.outputs
    opened = opening.scene(confidence=False)
    shown = make_view3d(opened, params.of_smaller(opening.times), progress=report.follow)
    report.take(shown)
    camera = shown.pair.calibration.camera if shown.model is None else shown.model.camera
    if eyes.view_size and eyes.view_size > (largest := max(camera.width, camera.height)):
        report.note(f"views are never enlarged: their longest side is {largest} px, not {eyes.view_size} (--view-size)")
    path = eyes.output
    if folder:
        height, width = shown.pair.left.shape[:2]
        aspect = (width - cut_by_window(shown.window_px, params.style)) / height
        path /= f"{player_name(opened.name, params.style, aspect)}.jpg"
    with report.stage("writing"), outputs:
        write_view3d(path, shown, opened.metadata, outputs=outputs)
        write_side_files(opening.side, opened, outputs, progress=report.follow)
    report.say(shown.summary)
    report.finish(outputs.written)
