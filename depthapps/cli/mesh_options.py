"""Options of `depthapps mesh`: what is written, and what is made of one view or of many."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from depthapps.apps.params import TURN_DEG, ModelParams, print_params
from depthapps.cli.groups import NOT_GIVEN
from depthapps.cli.options import SourceOptions
from depthapps.cli.pages import Viewer
from depthapps.core.choices import Axes, DepthKind, Holes, Preset, TurnStyle
from depthapps.core.errors import InputError, OutputError
from depthapps.io.formats import (
    CLOUD_SUFFIXES,
    COLMAP_POINTS,
    COLMAP_SUFFIX,
    MESH_SUFFIXES,
    SOLID_SUFFIXES,
    SPLAT_SUFFIXES,
    TEXTURED_SUFFIXES,
    VIDEO_SUFFIXES,
    VIEWER_SUFFIXES,
    companions,
)
from depthapps.io.outputs import Outputs, check_suffix
from depthapps.mesh.params import PrintParams

TURNTABLE_FPS = 24
_WRITTEN_BY = {
    **dict.fromkeys(MESH_SUFFIXES, "a mesh, without --preset print, --points and --splats"),
    **dict.fromkeys(VIEWER_SUFFIXES, "--viewer page.html"),
    **dict.fromkeys(VIDEO_SUFFIXES, "--turntable turn.mp4"),
    ".3mf": "--preset print and --preset lithophane",
    ".spz": "--splats",
    COLMAP_SUFFIX: f"--points -o {COLMAP_POINTS}",
}

if TYPE_CHECKING:
    from depthapps.apps.model import Model, Print
    from depthapps.apps.side_files import SideFiles
    from depthapps.cli.report import Report


@dataclass(frozen=True)
class ModelOptions:
    """Options of the model and its simplification; the defaults are those of `ModelParams` and `PrintParams`."""

    headings: ClassVar = {"preset": "The model"}

    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="the model: .glb .usdz .obj .ply .stl .3mf, points3D.txt of COLMAP; may be given several times",
            metavar="FILE",
        ),
    ] = None
    preset: Annotated[
        Preset,
        typer.Option(
            help="full: a vertex a pixel; web: 80 000 triangles and 5 MB at most; print: a closed solid, .stl .3mf; "
            "lithophane: a plate that shows the photo when light shines through it"
        ),
    ] = ModelParams.preset
    max_triangles: Annotated[int | None, typer.Option(min=4, help="simplify to this many triangles", metavar="N")] = (
        None
    )
    max_error: Annotated[
        float | None,
        typer.Option(help="simplify as far as depth is wrong by at most this many percent", metavar="PCT"),
    ] = None
    size_mm: Annotated[
        float | None,
        typer.Option(
            help=f"the longest side of a print, in millimetres [default: {PrintParams.size_mm:g}]", metavar="MM"
        ),
    ] = None
    relief: Annotated[
        float | None,
        typer.Option(
            help=f"share of the depth that a print keeps, 0.3 for a flat relief [default: {PrintParams.relief:g}]",
            metavar="N",
        ),
    ] = None
    points: Annotated[
        bool, typer.Option("--points", help="a point cloud instead of a surface: .glb .ply points3D.txt")
    ] = False
    splats: Annotated[
        bool, typer.Option("--splats", help="Gaussian splats, one a pixel, instead of a surface: .ply .spz .glb")
    ] = False
    holes: Annotated[
        Holes | None,
        typer.Option(
            help="fill: complete unsure depth, and continue surfaces behind things; keep: leave holes "
            "[default: fill for .glb .usdz .obj --turntable --splats; keep for .ply .stl alone and --points]"
        ),
    ] = None
    turn: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=45,
            help="how far the model can be turned before gaps open behind things, in degrees "
            f"[default: {TURN_DEG:g} for two photos, else 0]",
            metavar="DEG",
        ),
    ] = None
    axes: Annotated[
        Axes | None,
        typer.Option(help="Y down and Z forward, or Y up and Z backward [default: camera for .ply, else viewer]"),
    ] = None
    viewer: Viewer = None
    turntable: Annotated[
        Path | None,
        typer.Option(help="a video .mp4 .gif that turns the model to and fro, as far as --turn", metavar="FILE"),
    ] = None

    @property
    def print_it(self) -> bool:
        """Whether a solid for printing is wanted, and not a model for viewers."""
        return self.preset in {Preset.PRINT, Preset.LITHOPHANE}

    @property
    def turn_style(self) -> TurnStyle:
        """How a page first draws the scene."""
        return TurnStyle.POINTS if self.points else TurnStyle.SURFACE

    @property
    def wanted(self) -> bool:
        """Whether a model is wanted, and not only a page of the scene."""
        return bool(self.output or self.turntable)

    def paths(self) -> list[Path]:
        """Paths of all files, after a check of the options. Raises InputError or OutputError."""
        models = self.output or []
        if not models and self.viewer is None and self.turntable is None:
            raise OutputError("no output was asked for", hint="pass -o model.glb or --viewer page.html")
        of_models = (self.holes, self.turn, self.max_triangles, self.max_error, self.axes)
        if not self.wanted and (self.preset is not Preset.FULL or any(v is not None for v in of_models)):
            what = "--preset, --holes, --turn, --max-triangles, --max-error and --axes are for models"
            raise InputError(f"{what}, and the page shows the scene itself", hint="add -o model.glb, or leave them out")
        if self.splats and (self.points or self.viewer):
            raise InputError("splats take none of --points and --viewer", hint="leave them out, or --splats")
        if (self.points or self.splats) and (self.preset, self.max_triangles, self.max_error) != (
            Preset.FULL,
            None,
            None,
        ):
            hint = "leave --preset, --max-triangles and --max-error out"
            raise InputError(f"{'splats have' if self.splats else 'a point cloud has'} no triangles", hint=hint)
        if self.print_it and (self.max_error is not None or self.viewer or self.axes):
            raise InputError("a print takes none of --max-error, --axes, --viewer", hint="leave them out")
        if self.print_it and (self.holes or self.turn):
            raise InputError("a print is closed behind and has no holes", hint="leave --holes and --turn out")
        if self.turntable and (self.print_it or self.points or self.splats):
            raise InputError("a mesh is turned, no print and no points", hint="leave --turntable out")
        if not self.print_it and (self.size_mm, self.relief) != (None, None):
            hint = "leave it out, or pass --preset print"
            what = "--size-mm is for prints, models are in metres" if self.size_mm else "--relief is for prints"
            raise InputError(what, hint=hint)
        suffixes, what = (
            (SOLID_SUFFIXES, "a print") if self.print_it
            else (SPLAT_SUFFIXES, "a splat file") if self.splats
            else ((*CLOUD_SUFFIXES, COLMAP_SUFFIX), "a point cloud") if self.points
            else (MESH_SUFFIXES, "a mesh")
        )  # fmt: skip
        for path in models:
            check_suffix(path, suffixes, what, _WRITTEN_BY)
        if self.axes and models and self.colmap == models:
            raise InputError("COLMAP's points have the axes of the camera", hint="leave --axes out")
        if self.viewer:
            check_suffix(self.viewer, VIEWER_SUFFIXES, "a page")
        if self.turntable:
            check_suffix(self.turntable, VIDEO_SUFFIXES, "a video")
        _ = self.print_params if self.print_it else self.params  # which refuse wrong numbers
        shows = [path for path in (self.viewer, self.turntable) if path]
        return [p for path in models for p in (path, *companions(path))] + shows

    @property
    def models(self) -> list[Path]:
        """Files that hold a mesh, a cloud or a print alone."""
        return [p for p in self.output or [] if not self.splats and p.suffix.lower() != COLMAP_SUFFIX]

    @property
    def colmap(self) -> list[Path]:
        """Files of points that stand beside the cameras and the photos that saw them."""
        return [path for path in self.output or [] if path.suffix.lower() == COLMAP_SUFFIX]

    @property
    def params(self) -> ModelParams:
        """Parameters of a mesh or a cloud."""
        looked_at = self.turntable or any(path.suffix.lower() in TEXTURED_SUFFIXES for path in self.output or [])
        filled = looked_at or self.points or self.splats or self.turn  # points by their own rule: never
        holes = self.holes or (None if filled else Holes.KEEP)
        return ModelParams(
            self.preset, self.points, self.max_triangles, self.max_error, holes, self.turn, splats=self.splats
        )

    @property
    def print_params(self) -> PrintParams:
        """Parameters of a print."""
        lithophane = self.preset is Preset.LITHOPHANE
        return print_params(self.size_mm, self.max_triangles, self.relief, lithophane=lithophane)

    def write(self, model: Model | Print, report: Report, outputs: Outputs) -> None:
        """Write the files of a model or a print, and the video that turns a model."""
        from depthapps.apps.model import Print, write_model

        report.take(model)
        models = self.models
        write_model(models, model, axes=self.axes, outputs=outputs)
        if isinstance(model, Print):
            return
        if self.splats:
            self._write_splats(model, outputs)
        if self.turntable:
            self._write_turntable(self.turntable, model, report, outputs)
        report.add(megabytes={p.name: round(outputs.part(p).stat().st_size / 1e6, 3) for p in models})

    def _write_splats(self, model: Model, outputs: Outputs) -> None:
        """Write the points of a model as splats, with the photo's camera."""
        from depthapps.io.models.glb import Viewpoint
        from depthapps.io.models.splats import write_splats
        from depthapps.mesh.splats import splats_of_cloud

        splats, viewpoint = splats_of_cloud(model.cloud, model.camera), Viewpoint(model.camera, model.pose)
        for path in self.output or []:
            write_splats(path, splats, axes=self.axes, viewpoint=viewpoint, outputs=outputs)

    def _write_turntable(self, path: Path, model: Model, report: Report, outputs: Outputs) -> None:
        """Write the video that turns a model."""
        from depthapps.apps.turntable import turntable
        from depthapps.io.video import write_video

        frames = turntable(model, TURN_DEG if self.turn is None else self.turn, progress=report.follow)
        write_video(path, frames, TURNTABLE_FPS, outputs=outputs)


@dataclass(frozen=True)
class ScanOptions:
    """Options for many views instead of one."""

    headings: ClassVar = {"sequence": "Many views"}

    sequence: Annotated[
        Path | None,
        typer.Option(
            help="a folder of many views instead of IMAGE: 7-Scenes, TUM RGB-D, Open3D, or stereo pairs",
            metavar="FOLDER",
        ),
    ] = None
    find_poses: Annotated[
        bool, typer.Option("--find-poses", help="estimate the poses of a sequence's views, even if its files have them")
    ] = False
    voxel_mm: Annotated[
        float | None,
        typer.Option(
            help="side of a voxel that a sequence is fused in [default: 1.5 pixels of the first view, or its noise]",
            metavar="MM",
        ),
    ] = None

    def check(self, source: SourceOptions, model: ModelOptions, side: SideFiles) -> None:
        """Refuse options of one view together with many views, and the other way round. Raises InputError."""
        if (source.image == NOT_GIVEN) == (self.sequence is None):
            hint = "depthapps mesh left.png right.png -o model.glb"
            raise InputError("one of IMAGE and --sequence is wanted", hint=hint)
        if self.sequence is None and (self.find_poses or self.voxel_mm is not None):
            hint = "leave them out, or give --sequence"
            raise InputError("--find-poses and --voxel-mm are for many views", hint=hint)
        views = (source.side_by_side, source.top_bottom, source.squeezed, source.cross_eyed)
        one_view = source.depth or source.disparity or source.depth_network or any(views)
        if self.sequence and (model.max_error is not None or side.paths() or one_view):
            raise InputError(
                "a sequence takes none of --max-error, --depth, --disparity, --side-by-side, --save-depth and the like",
                hint="leave them out",
            )
        if self.sequence and (model.turntable or model.turn):
            raise InputError("a scan has no picture to be turned from", hint="leave --turntable and --turn out")
        if self.sequence and (model.colmap or model.splats):
            raise InputError("COLMAP's models and splats are made of two photos", hint="pass --points -o cloud.ply")
        if self.sequence and model.relief is not None:
            raise InputError("a sequence is printed in its true shape", hint="leave --relief out")
        if self.sequence and source.depth_kind is not DepthKind.METRIC:
            raise InputError("the depth of a sequence is metric", hint="leave --depth-kind out")
