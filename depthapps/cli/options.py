"""Define every option that several commands take, once, so that it means the same in each of them.

Options that belong together are the fields of a dataclass. A command has such dataclasses as parameters, and
`groups.with_options` turns their fields into options of the command line. Defaults are those of the parameter classes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from depthapps.apps.params import SceneParams
from depthapps.cli.parsers import memory_size
from depthapps.core.choices import DepthKind, Frame, Layout, Quality, Rectify
from depthapps.core.errors import InputError
from depthapps.io.formats import DEPTH_PNG_SCALE, DISPARITY_PNG_SCALE

if TYPE_CHECKING:
    from depthapps.apps.files import SceneFiles
    from depthapps.apps.side_files import SideFiles

BUILTIN = "builtin"


@dataclass(frozen=True)
class SourceOptions:
    """Options that say where the picture and its depth come from."""

    headings: ClassVar = {
        "side_by_side": "One file with both views",
        "depth": "Depth that is known",
        "calibration": "Cameras",
        "matcher": "Matching",
        "save_depth": "Maps to keep",
    }

    image: Annotated[
        Path,
        typer.Argument(
            help="the left view of a stereo pair; or one file with both views, or with depth inside; for depth, bokeh "
            "and shadow also a video with both views in each frame, of which a video is made"
        ),
    ]
    right: Annotated[Path | None, typer.Argument(help="the right view, or a second photo", show_default=False)] = None
    side_by_side: Annotated[
        bool, typer.Option("--side-by-side", help="IMAGE holds both views, the left one at the left")
    ] = False
    top_bottom: Annotated[bool, typer.Option("--top-bottom", help="IMAGE holds both views, the left one on top")] = (
        False
    )
    anaglyph: Annotated[
        bool, typer.Option("--anaglyph", help="IMAGE is red for the left eye and cyan for the right one")
    ] = False
    squeezed: Annotated[
        bool, typer.Option("--squeezed", help="both views in IMAGE were made half as wide, or high, to fit")
    ] = SceneParams.squeezed
    cross_eyed: Annotated[bool, typer.Option("--cross-eyed", help="the right view comes first in IMAGE")] = (
        SceneParams.cross_eyed
    )
    depth: Annotated[
        Path | None,
        typer.Option(help="depth of IMAGE: floats in .npy .npz .pfm .tif .exr .h5 .mat, or a PNG", metavar="FILE"),
    ] = None
    disparity: Annotated[
        Path | None,
        typer.Option(
            help="disparity of IMAGE in pixels: files as for --depth, or a 16-bit PNG, 256 a pixel", metavar="FILE"
        ),
    ] = None
    depth_kind: Annotated[
        DepthKind,
        typer.Option(
            help="what --depth holds: metres along the axis, or along the rays; 1/metres; numbers that are only larger "
            "where it is nearer (affine-inverse) or farther (affine); a renderer's z-buffer"
        ),
    ] = SceneParams.depth_kind
    depth_scale: Annotated[
        float | None,
        typer.Option(
            help=f"units per metre in depth maps [default: {DEPTH_PNG_SCALE:g} for whole numbers, 1 for floats]",
            metavar="N",
        ),
    ] = SceneParams.depth_scale
    disparity_scale: Annotated[
        float | None,
        typer.Option(
            help=f"units per pixel in --disparity [default: {DISPARITY_PNG_SCALE:g} for 16 bits, 16 for int16, 1 for "
            "floats]",
            metavar="N",
        ),
    ] = SceneParams.disparity_scale
    invert: Annotated[
        bool, typer.Option("--invert", help="the numbers of --depth or --disparity run the other way: dark for bright")
    ] = SceneParams.invert
    near: Annotated[
        float | None,
        typer.Option(help="depth of the near end of an affine map, or the near plane of a z-buffer", metavar="M"),
    ] = SceneParams.near_m
    far: Annotated[float | None, typer.Option(help="depth of the far end, or the far plane", metavar="M")] = (
        SceneParams.far_m
    )
    calibration: Annotated[
        list[Path] | None,
        typer.Option(
            "--calibration",
            "-c",
            help="what the cameras are, as most programs and devices write it; of two files, both: -c LEFT -c RIGHT",
            metavar="FILE",
        ),
    ] = None
    cameras: Annotated[
        str | None,
        typer.Option(
            help="of a calibration of more than two cameras, the left and the right one", metavar="LEFT,RIGHT"
        ),
    ] = None
    focal_px: Annotated[float | None, typer.Option(help="focal length in pixels", metavar="PX")] = None
    fov: Annotated[float | None, typer.Option(help="horizontal field of view in degrees", metavar="DEG")] = None
    baseline: Annotated[float | None, typer.Option(help="distance of the two lenses in metres", metavar="M")] = None
    doffs: Annotated[
        float | None,
        typer.Option(help="cx right - cx left, in pixels: the negative of the disparity at infinity", metavar="PX"),
    ] = None
    rectify: Annotated[
        Rectify, typer.Option(help="bring both views onto common rows: if they are not yet, never, or always")
    ] = SceneParams.rectify
    frame: Annotated[
        Frame, typer.Option(help="pixels of the result: those of the photo as it was taken, or of the rectified photo")
    ] = SceneParams.frame
    matcher: Annotated[
        str, typer.Option(help="builtin, or a stereo network FILE.onnx with FILE.json beside it", metavar="NAME")
    ] = BUILTIN
    depth_network: Annotated[
        Path | None,
        typer.Option(
            help="guess the depth of IMAGE alone: a monocular network FILE.onnx with FILE.json beside it",
            metavar="FILE",
        ),
    ] = None
    save_depth: Annotated[
        Path | None,
        typer.Option(help="keep the depth: .npy .npz .pfm .tif .exr, or .png in --depth-scale", metavar="FILE"),
    ] = None
    save_disparity: Annotated[
        Path | None,
        typer.Option(help="keep the disparity: .npy .npz .pfm .tif .exr, or .png, 256 a pixel", metavar="FILE"),
    ] = None
    save_confidence: Annotated[
        Path | None,
        typer.Option(
            help="keep how sure the matcher is, 0 to 1: files as for --save-depth, or .png, 65535 = 1", metavar="FILE"
        ),
    ] = None
    save_rectified: Annotated[
        Path | None,
        typer.Option(
            help="keep both views as matched: PREFIX_left.png, PREFIX_right.png, PREFIX_lines.png with rows drawn",
            metavar="PREFIX",
        ),
    ] = None

    @property
    def files(self) -> SceneFiles:
        """The files that the scene is made of."""
        from depthapps.apps.files import SceneFiles

        return SceneFiles(self.image, self.right, self.depth, self.disparity)

    @property
    def inputs(self) -> list[Path]:
        """All files that are read, as far as the options name them."""
        networks = [self.depth_network, None if self.matcher == BUILTIN else Path(self.matcher)]
        beside = [path.with_suffix(".json") for path in networks if path and path.name]
        given = (self.image, self.right, self.depth, self.disparity, *(self.calibration or ()), *networks, *beside)
        return [path for path in given if path is not None]

    @property
    def side_files(self) -> SideFiles:
        """The maps that are saved beside the result."""
        from depthapps.apps.side_files import SideFiles

        return SideFiles(
            self.save_depth, self.save_disparity, self.save_confidence, self.save_rectified, self.png_scale
        )

    @property
    def png_scale(self) -> float:
        """Units per metre in the depth PNGs that are written."""
        return DEPTH_PNG_SCALE if self.depth_scale is None else self.depth_scale

    def params(self, quality: Quality) -> SceneParams:
        """Parameters for opening the scene. Raises InputError for options that contradict each other."""
        given = {
            Layout.SIDE_BY_SIDE: self.side_by_side, Layout.TOP_BOTTOM: self.top_bottom, Layout.ANAGLYPH: self.anaglyph
        }  # fmt: skip
        layouts = [layout for layout, chosen in given.items() if chosen]
        if len(layouts) > 1:
            raise InputError(
                "the depth was given twice",
                hint="pass one of: --side-by-side, --top-bottom, --anaglyph, a right view, --depth",
            )
        return SceneParams(
            layout=layouts[0] if layouts else None,
            squeezed=self.squeezed,
            cross_eyed=self.cross_eyed,
            depth_kind=self.depth_kind,
            depth_scale=self.depth_scale,
            disparity_scale=self.disparity_scale,
            invert=self.invert,
            near_m=self.near,
            far_m=self.far,
            calibration=self.calibration or None,
            cameras=tuple(self.cameras.split(",")) if self.cameras else (),
            focal_px=self.focal_px,
            fov_deg=self.fov,
            baseline_m=self.baseline,
            doffs_px=self.doffs,
            rectify=self.rectify,
            frame=self.frame,
            matcher=None if self.matcher == BUILTIN else self.matcher,
            depth_network=self.depth_network,
            quality=quality,
        )


def unused_by_pictures(source: SourceOptions) -> list[str]:
    """The flags that were given and that a picture without its depth has no use for."""
    used = {"image", "side_by_side", "top_bottom", "anaglyph", "squeezed", "cross_eyed"}
    given = [f.name for f in fields(source) if f.name not in used and getattr(source, f.name) != f.default]
    return [f"--{name.replace('_', '-')}" for name in given]


@dataclass(frozen=True)
class TalkOptions:
    """Options of what a command prints, and of whether it may replace files."""

    headings: ClassVar = {"overwrite": "Running"}

    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace outputs that exist")] = False
    json: Annotated[bool, typer.Option("--json", help="print what was done as one JSON object")] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="say nothing but errors")] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="say what is found and how long it takes")] = False


@dataclass(frozen=True)
class VideoOptions:
    """Options of a video in which the focus or a light moves; the command parses the text of `sweep`."""

    headings: ClassVar = {"sweep": "A video of it"}

    sweep: Annotated[
        str | None,
        typer.Option(
            help="a video in which one thing moves: bokeh's focus, NEAR:FAR, or shadow's sun, WHAT=FROM:TO",
            metavar="[WHAT=]FROM:TO",
        ),
    ] = None
    frames: Annotated[int, typer.Option(min=2, help="number of frames in that video", metavar="N")] = 72
    fps: Annotated[float, typer.Option(min=1, max=1000, help="frames a second of that video", metavar="N")] = 24.0

    def check(self) -> None:
        """Refuse frames and their rate if there is no video. Raises InputError."""
        if not self.sweep and (self.frames, self.fps) != (VideoOptions.frames, VideoOptions.fps):
            raise InputError("--frames and --fps are for the video of a sweep", hint="add --sweep, or leave them out")


@dataclass(frozen=True)
class RunOptions(TalkOptions):
    """Options of how a command runs and what it prints."""

    quality: Annotated[Quality, typer.Option(help="how much time the result may take")] = SceneParams.quality
    max_memory: Annotated[
        int | None,
        typer.Option(
            parser=memory_size, help="memory that may be used: 4G, 800M [default: 80 % of what is free]", metavar="SIZE"
        ),
    ] = None
