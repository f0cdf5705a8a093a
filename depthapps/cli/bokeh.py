"""depthapps bokeh: the picture with a shallow depth of field."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from depthapps.bokeh.params import BokehParams
from depthapps.cli.options import RunOptions, SourceOptions, numbers


def bokeh(
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="the picture: .png .jpg .tif", metavar="FILE")],
    focus: Annotated[
        tuple | None,
        typer.Option(parser=numbers(2), help="the pixel in focus [default: the middle]", metavar="X,Y"),
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
    source: SourceOptions,
    run: RunOptions,
) -> None:
    """Blur what is out of focus, as a fast lens does.

    \b
    depthapps bokeh left.png right.png -o portrait.png --focus 500,400
    depthapps bokeh left.png right.png -c calib.txt -o portrait.jpg --focus-depth 2.1 --f-number 1.4
    depthapps bokeh photo.jpg --depth depth.npy -o portrait.jpg --blur 25
    depthapps bokeh photo.png --depth network.png --depth-kind affine-inverse -o portrait.png
    depthapps bokeh iphone_portrait.heic -o portrait.jpg --focus 2200,1900
    """
    from depthapps.bokeh.lens import signed_coc
    from depthapps.bokeh.render import blur as render_blur
    from depthapps.cli.report import Report
    from depthapps.cli.source import load_source, save_side_outputs, side_outputs
    from depthapps.io.files import Outputs, check_suffix
    from depthapps.io.images import IMAGE_SUFFIXES, write_image

    params = BokehParams(f_number, focal_length, sensor_width, blur, focus_depth, focus)
    check_suffix(output, IMAGE_SUFFIXES, "a picture")
    outputs = Outputs([output, *side_outputs(source)], overwrite=run.overwrite)
    report = Report("bokeh", run)
    loaded = load_source(source, run, report, camera_matters=False)
    with report.stage("rendering"), report.compiling():
        coc, focus_m = signed_coc(loaded.scene, params)
        image = render_blur(loaded.scene.image, coc)
    report.add(focus_m=round(focus_m, 4), largest_blur_px=round(float(abs(coc).max()), 2))
    with report.stage("writing"), outputs:
        write_image(outputs.part(output), image, loaded.metadata)
        save_side_outputs(source, loaded, outputs)
    report.finish(outputs.written)
