"""Define `depthapps mesh`, which makes a model of a scene for 3D viewers and printers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from depthapps.apps.params import ModelParams, print_params
from depthapps.cli.options import NOT_GIVEN, RunOptions, SourceOptions
from depthapps.cli.pages import arguments_of, write_turning_page
from depthapps.core.choices import Axes, DepthKind, Preset
from depthapps.core.errors import InputError, OutputError
from depthapps.io.formats import (
    CLOUD_SUFFIXES,
    COLMAP_SUFFIX,
    IMAGE_SUFFIXES,
    MESH_SUFFIXES,
    SOLID_SUFFIXES,
    SPLAT_SUFFIXES,
    VIEWER_SUFFIXES,
    companions,
)
from depthapps.io.outputs import Outputs, check_suffix
from depthapps.mesh.params import PrintParams
from depthapps.runtime.budget import limit_memory
from depthapps.scan.params import FuseParams

if TYPE_CHECKING:
    from depthapps.apps.model import Model, Print
    from depthapps.apps.side_files import SideFiles
    from depthapps.cli.report import Report


@dataclass(frozen=True)
class ModelOptions:
    """Options of the model and its simplification; the defaults are those of `ModelParams` and `PrintParams`."""

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
            help="full: a vertex a pixel; web: 80 000 triangles and 5 MB at most; print: a closed solid, .stl .3mf"
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
        bool, typer.Option("--splats", help="Gaussian splats, one a pixel, instead of a surface: .ply .spz")
    ] = False
    axes: Annotated[
        Axes | None,
        typer.Option(help="Y down and Z forward, or Y up and Z backward [default: camera for .ply, else viewer]"),
    ] = None
    viewer: Annotated[
        Path | None,
        typer.Option(
            help="the page of `depthapps view`, .html, that opens with the scene to be turned", metavar="FILE"
        ),
    ] = None

    @property
    def print_it(self) -> bool:
        """Whether a solid for printing is wanted, and not a model for viewers."""
        return self.preset is Preset.PRINT

    def paths(self) -> list[Path]:
        """Paths of all files, after a check of the options. Raises InputError or OutputError."""
        models = self.output or []
        if not models and self.viewer is None:
            raise OutputError("no output was asked for", hint="pass -o model.glb or --viewer page.html")
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
            check_suffix(path, suffixes, what)
        if self.viewer:
            check_suffix(self.viewer, VIEWER_SUFFIXES, "a page")
        return [p for path in models for p in (path, *companions(path))] + ([self.viewer] if self.viewer else [])

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
        return ModelParams(self.preset, self.points or self.splats, self.max_triangles, self.max_error)

    @property
    def print_params(self) -> PrintParams:
        """Parameters of a print."""
        return print_params(self.size_mm, self.max_triangles, self.relief)

    def write(self, model: Model | Print, report: Report, outputs: Outputs) -> None:
        """Write the files of a model or a print."""
        from depthapps.apps.model import Print, write_model

        report.take(model)
        models = self.models
        write_model(models, model, axes=self.axes, outputs=outputs)
        if isinstance(model, Print):
            return
        report.add(megabytes={p.name: round(outputs.part(p).stat().st_size / 1e6, 3) for p in models})


@dataclass(frozen=True)
class ScanOptions:
    """Options for many views instead of one."""

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
        if self.sequence and (model.colmap or model.splats):
            raise InputError("COLMAP's models and splats are made of two photos", hint="pass --points -o cloud.ply")
        if self.sequence and model.relief is not None:
            raise InputError("a sequence is printed in its true shape", hint="leave --relief out")
        if self.sequence and source.depth_kind is not DepthKind.METRIC:
            raise InputError("the depth of a sequence is metric", hint="leave --depth-kind out")


def mesh(
    *,
    model: ModelOptions,
    scan: ScanOptions,
    source: SourceOptions = NOT_GIVEN,  # pyright: ignore[reportArgumentType]  (with_options takes it as a mark)
    run: RunOptions,
) -> None:
    """Make a textured mesh, a point cloud or a printable solid, torn at depth edges.

    GLB, USDZ, OBJ and STL have Y up and look along -Z, as viewers expect; PLY keeps the camera's axes
    (Y down, Z forward). Units are metres; a print's are millimetres.

    \b
    depthapps mesh left.png right.png -c calib.txt -o model.glb --viewer model.html
    depthapps mesh left.png right.png -c calib.txt -o model.glb -o for_iphone.usdz --preset web
    depthapps mesh left.png right.png -c calib.txt -o relief.stl --preset print --size-mm 120
    depthapps mesh photo.png --depth depth.npy --fov 60 --points -o cloud.ply
    depthapps mesh left.png right.png -c calib.txt --points -o sparse/points3D.txt
    depthapps mesh left.png right.png -c calib.txt --splats -o splats.spz
    depthapps mesh spatial_photo.heic -o model.glb --viewer model.html
    depthapps mesh --sequence folder -o room.ply
    """
    paths = model.paths()
    scan.check(source, model, source.side_files)
    if scan.sequence:
        frames = [path for path in scan.sequence.rglob("*") if path.is_file()]
        outputs = Outputs(paths, overwrite=run.overwrite, inputs=[*source.inputs, *frames])
        _scan(scan, scan.sequence, model, source, run, outputs)
        return
    from depthapps.cli.opening import Opening

    opening = Opening.of("mesh", source, run, paths)
    from depthapps.apps.maps import write_side_files
    from depthapps.apps.model import Model, make_model, make_print
    from depthapps.apps.placed import placed_photos
    from depthapps.io.models.colmap import write_colmap
    from depthapps.io.models.splats import write_splats
    from depthapps.mesh.splats import splats_of_cloud

    report, outputs = opening.report, opening.outputs
    opened = opening.scene(confidence=True)
    if model.print_it:
        made = make_print(opened.scene, model.print_params, progress=report.follow)
    else:
        made = make_model(opened.scene, model.params, progress=report.follow)
    with report.stage("writing"), outputs:
        model.write(made, report, outputs)
        if model.viewer:
            arguments = arguments_of(source)
            write_turning_page(model.viewer, opened, opened.name, arguments, report, outputs, points=model.points)
        if isinstance(made, Model):
            for path in model.colmap:
                write_colmap(path, made.cloud, placed_photos(opened), outputs=outputs)
            for path in (model.output or []) if model.splats else []:
                write_splats(path, splats_of_cloud(made.cloud, made.camera), axes=model.axes, outputs=outputs)
        write_side_files(opening.side, opened, outputs, progress=report.follow)
    report.say(made.summary)
    report.finish(outputs.written)


def _scan(
    options: ScanOptions, folder: Path, model: ModelOptions, source: SourceOptions, run: RunOptions, outputs: Outputs
) -> None:
    """Fuse the views of a folder into one mesh, cloud or print."""
    voxels = FuseParams(None if options.voxel_mm is None else options.voxel_mm / 1000)
    from depthapps.cli.report import Report

    report = Report("mesh", run)
    from depthapps.cli.opening import within_memory

    limit_memory(run.max_memory)
    first = next((path for path in sorted(folder.rglob("*")) if path.suffix.lower() in IMAGE_SUFFIXES), None)
    if first is not None:
        run = within_memory("mesh", run, report, first, matched=(folder / "left").is_dir())
    from depthapps.apps.model import Model
    from depthapps.apps.scan import model_of_scan, print_of_scan, scan_folder

    scanned = scan_folder(
        folder, voxels, source.params(run.quality), find_poses=options.find_poses, progress=report.follow
    )
    report.take(scanned)
    if model.print_it:
        made = print_of_scan(scanned, model.print_params, progress=report.follow)
    else:
        made = model_of_scan(scanned, model.params, progress=report.follow)
    with report.stage("writing"), outputs:
        model.write(made, report, outputs)
        if model.viewer and isinstance(made, Model):
            write_turning_page(model.viewer, made, folder.name, "", report, outputs, points=model.points)
    report.say(made.summary)
    report.finish(outputs.written)
