"""depthapps mesh: the scene as a model for 3D viewers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from depthapps.cli.options import RunOptions, SourceOptions
from depthapps.errors import OutputError


def mesh(
    *,
    output: Annotated[
        list[Path] | None,
        typer.Option("--output", "-o", help="the model: .glb .obj .ply; may be given several times", metavar="FILE"),
    ] = None,
    points: Annotated[bool, typer.Option("--points", help="a point cloud instead of a surface: .glb .ply")] = False,
    viewer: Annotated[
        Path | None,
        typer.Option(help="a page .html that shows the model in a browser, without a network", metavar="FILE"),
    ] = None,
    source: SourceOptions,
    run: RunOptions,
) -> None:
    """Make a textured mesh or a point cloud, torn at depth edges.

    GLB, OBJ and the viewer page have Y up and look along -Z, as viewers expect; PLY keeps the camera's axes (Y down,
    Z forward). Units are metres.

    \b
    depthapps mesh left.png right.png -c calib.txt -o model.glb --viewer model.html
    depthapps mesh left.png right.png -c calib.txt -o model.obj -o model.ply
    depthapps mesh photo.png --depth depth.npy --fov 60 --points -o cloud.ply
    depthapps mesh spatial_photo.heic -o model.glb --viewer model.html
    """
    from depthapps.cli.report import Report
    from depthapps.cli.source import load_source, save_side_outputs, side_outputs
    from depthapps.io.files import Outputs, check_suffix
    from depthapps.io.models import CLOUD_SUFFIXES, MESH_SUFFIXES, companions, write_cloud, write_mesh
    from depthapps.io.viewer import VIEWER_SUFFIXES, VIEWER_VERTICES, viewer_page
    from depthapps.mesh.surface import build_cloud, build_mesh
    from depthapps.scene import PointCloud

    models = output or []
    if not models and viewer is None:
        raise OutputError("no output was asked for", hint="pass -o model.glb or --viewer page.html")
    for path in models:
        check_suffix(path, CLOUD_SUFFIXES if points else MESH_SUFFIXES, "a point cloud" if points else "a mesh")
    if viewer:
        check_suffix(viewer, VIEWER_SUFFIXES, "a viewer page")
    parts = [p for path in models for p in (path, *companions(path))]
    outputs = Outputs([*parts, *([viewer] if viewer else []), *side_outputs(source)], overwrite=run.overwrite)
    report = Report("mesh", run)
    loaded = load_source(source, run, report, confidence_matters=True)
    with report.stage("meshing"):
        model = build_cloud(loaded.scene) if points else build_mesh(loaded.scene)
    with report.stage("writing"), outputs:
        for path in models:
            if isinstance(model, PointCloud):
                write_cloud(path, model, outputs)
            else:
                write_mesh(path, model, outputs)
        if viewer:
            stride = math.ceil(math.sqrt(loaded.scene.depth_m.size / VIEWER_VERTICES))
            if stride > 1:
                report.note(f"{viewer.name} shows one of {stride}x{stride} pixels, for the browser's sake")
                model = build_cloud(loaded.scene, stride) if points else build_mesh(loaded.scene, stride)
            page = viewer_page(model, loaded.scene.camera, source.image.stem)
            outputs.part(viewer).write_text(page, encoding="utf-8")
        save_side_outputs(source, loaded, outputs)
    report.finish(outputs.written)
