"""depthapps mesh: the scene as a model for 3D viewers and printers."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from depthapps.cli.options import NOT_GIVEN, DepthKind, RunOptions, SourceOptions
from depthapps.core.errors import InputError, OutputError


class Preset(StrEnum):
    """What the model is for."""

    FULL = "full"
    WEB = "web"
    PRINT = "print"


class AxesOption(StrEnum):
    """Where the model's Y and Z point; io.models.Axes, which is too heavy to import for --help."""

    CAMERA = "camera"
    VIEWER = "viewer"


SIZE_MM = 100.0  # mesh.solid.SolidParams.size_mm, too heavy likewise; a test holds them equal


def mesh(
    *,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "-o", help="the model: .glb .obj .ply .stl .3mf; may be given several times", metavar="FILE"
        ),
    ] = None,
    preset: Annotated[
        Preset,
        typer.Option(
            help="full: a vertex a pixel; web: 80 000 triangles and 5 MB at most; print: a closed solid, .stl .3mf"
        ),
    ] = Preset.FULL,
    max_triangles: Annotated[int | None, typer.Option(min=4, help="simplify to so many triangles", metavar="N")] = None,
    max_error: Annotated[
        float | None,
        typer.Option(help="simplify while depth stays right to so many percent of itself", metavar="PCT"),
    ] = None,
    size_mm: Annotated[
        float | None,
        typer.Option(help=f"the longest side of a print, in millimetres [default: {SIZE_MM:g}]", metavar="MM"),
    ] = None,
    sequence: Annotated[
        Path | None,
        typer.Option(
            help="a folder of many views instead of IMAGE: 7-Scenes, TUM RGB-D, Open3D, or stereo pairs",
            metavar="FOLDER",
        ),
    ] = None,
    find_poses: Annotated[
        bool, typer.Option("--find-poses", help="find where the views of a sequence stood, even if its files say it")
    ] = False,
    voxel_mm: Annotated[
        float | None,
        typer.Option(
            help="the grid that a sequence is fused in [default: 1.5 pixels of the first view, or its noise]",
            metavar="MM",
        ),
    ] = None,
    points: Annotated[bool, typer.Option("--points", help="a point cloud instead of a surface: .glb .ply")] = False,
    axes: Annotated[
        AxesOption | None,
        typer.Option(help="Y down and Z forward, or Y up and Z backward [default: camera for .ply, else viewer]"),
    ] = None,
    viewer: Annotated[
        Path | None,
        typer.Option(help="a page .html that shows the model in a browser, without a network", metavar="FILE"),
    ] = None,
    source: SourceOptions = NOT_GIVEN,  # pyright: ignore[reportArgumentType]  (with_options takes it as a mark)
    run: RunOptions,
) -> None:
    """Make a textured mesh, a point cloud or a printable solid, torn at depth edges.

    GLB, OBJ, STL and the viewer page have Y up and look along -Z, as viewers expect; PLY keeps the camera's axes (Y
    down, Z forward). Units are metres; a print's are millimetres.

    \b
    depthapps mesh left.png right.png -c calib.txt -o model.glb --viewer model.html
    depthapps mesh left.png right.png -c calib.txt -o model.glb --preset web
    depthapps mesh left.png right.png -c calib.txt -o relief.stl --preset print --size-mm 120
    depthapps mesh photo.png --depth depth.npy --fov 60 --points -o cloud.ply
    depthapps mesh spatial_photo.heic -o model.glb --viewer model.html
    depthapps mesh --sequence folder -o room.ply
    """
    from depthapps.cli.models import ModelOptions, make_print, make_single_view
    from depthapps.cli.report import Report
    from depthapps.cli.source import side_outputs
    from depthapps.io.models.solids import SOLID_SUFFIXES
    from depthapps.io.models.viewer import VIEWER_SUFFIXES
    from depthapps.io.models.write import CLOUD_SUFFIXES, MESH_SUFFIXES, Axes, companions
    from depthapps.io.outputs import Outputs, check_suffix

    models = output or []
    if not models and viewer is None:
        raise OutputError("no output was asked for", hint="pass -o model.glb or --viewer page.html")
    if points and (preset is not Preset.FULL or max_triangles is not None or max_error is not None):
        raise InputError("a point cloud has no triangles", hint="leave --preset, --max-triangles and --max-error out")
    if preset is Preset.PRINT and (max_error is not None or viewer or axes):
        raise InputError("a print takes none of --max-error, --axes, --viewer", hint="leave them out")
    if preset is not Preset.PRINT and size_mm is not None:
        raise InputError("--size-mm is for prints, models are in metres", hint="leave it out, or pass --preset print")
    suffixes, what = (
        (SOLID_SUFFIXES, "a print") if preset is Preset.PRINT
        else (CLOUD_SUFFIXES, "a point cloud") if points
        else (MESH_SUFFIXES, "a mesh")
    )  # fmt: skip
    for path in models:
        check_suffix(path, suffixes, what)
    if viewer:
        check_suffix(viewer, VIEWER_SUFFIXES, "a viewer page")
    if (source.image == NOT_GIVEN) == (sequence is None):
        raise InputError("one of IMAGE and --sequence is wanted", hint="depthapps mesh left.png right.png -o model.glb")
    if sequence is None and (find_poses or voxel_mm is not None):
        raise InputError("--find-poses and --voxel-mm are for many views", hint="leave them out, or give --sequence")
    one_view = (source.depth, source.disparity, source.side_by_side, source.top_bottom, source.squeezed)
    if sequence and (max_error is not None or side_outputs(source) or any(one_view)):
        raise InputError(
            "a sequence takes none of --max-error, --depth, --disparity, --side-by-side, --save-depth and the like",
            hint="leave them out",
        )
    if sequence and source.depth_kind is not DepthKind.METRIC:
        raise InputError("the depth of a sequence is metric", hint="leave --depth-kind out")
    parts = [p for path in models for p in (path, *companions(path))]
    outputs = Outputs([*parts, *([viewer] if viewer else []), *side_outputs(source)], overwrite=run.overwrite)
    report = Report("mesh", run)
    wanted = ModelOptions(
        models,
        viewer,
        points=points,
        web=preset is Preset.WEB,
        max_triangles=max_triangles,
        max_error_pct=max_error,
        axes=Axes(axes) if axes else None,
        size_mm=SIZE_MM if size_mm is None else size_mm,
        print_it=preset is Preset.PRINT,
    )
    if sequence:
        from depthapps.cli.sequence import make_sequence

        make_sequence(sequence, voxel_mm, find_poses, wanted, source, run, report, outputs)
        report.finish(outputs.written)
        return
    make = make_print if preset is Preset.PRINT else make_single_view
    make(wanted, source, run, report, outputs)
    report.finish(outputs.written)
