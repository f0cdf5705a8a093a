"""depthapps depth: the disparity, the depth, or a picture of it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from depthapps.cli.options import RunOptions, SourceOptions


class Kind(StrEnum):
    """What `depthapps depth` writes."""

    DISPARITY = "disparity"
    DEPTH = "depth"
    PREVIEW = "preview"


def depth(
    *,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help=".pfm .npy .tif, 16-bit .png, or .png .jpg for a preview", metavar="FILE"),
    ],
    kind: Annotated[
        Kind | None,
        typer.Option(
            help="pixels, metres, or a picture with a legend [default: preview for .png and .jpg, else disparity]"
        ),
    ] = None,
    source: SourceOptions,
    run: RunOptions,
) -> None:
    """Compute a depth map: disparity in pixels, depth in metres, or a picture of it.

    \b
    depthapps depth left.png right.png -c calib.txt -o preview.png
    depthapps depth left.png right.png -o disparity.pfm
    depthapps depth left.png right.png -c calib.txt --kind depth -o depth.npy
    depthapps depth photo.jpg --depth kinect.png -o preview.png
    depthapps depth fujifilm_w3.mpo -o preview.png
    depthapps depth both_views.jpg --side-by-side -o disparity.pfm
    """
    from depthapps.cli.report import Report
    from depthapps.cli.source import load_source, save_side_outputs, side_outputs
    from depthapps.draw.preview import render_depth_preview, render_disparity_preview
    from depthapps.io.maps import MAP_SUFFIXES, write_depth, write_disparity
    from depthapps.io.outputs import Outputs, check_suffix
    from depthapps.io.photos.images import write_image

    pictures = (".png", ".jpg", ".jpeg")
    if kind is None:
        kind = Kind.PREVIEW if output.suffix.lower() in pictures else Kind.DISPARITY
    check_suffix(output, pictures if kind is Kind.PREVIEW else MAP_SUFFIXES, f"a {kind}")
    outputs = Outputs([output, *side_outputs(source)], overwrite=run.overwrite)
    report = Report("depth", run)
    loaded = load_source(source, run, report, camera_matters=kind is Kind.DEPTH)
    with report.stage("writing"), outputs:
        part = outputs.part(output)
        if kind is Kind.DISPARITY:
            write_disparity(part, loaded.disparity_px)
        elif kind is Kind.DEPTH:
            write_depth(part, loaded.scene.depth_m, source.depth_scale)
        elif not loaded.depth_is_given and {"baseline", "focal length"} & set(loaded.calibration.assumed):
            write_image(part, render_disparity_preview(loaded.disparity_px))
        else:
            write_image(part, render_depth_preview(loaded.scene.depth_m))
        save_side_outputs(source, loaded, outputs)
    report.finish(outputs.written)
