"""Define `depthapps depth`, which writes the disparity or depth of a scene, or a picture of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from depthapps.cli.options import RunOptions, SourceOptions
from depthapps.core.choices import MapKind, Unsure
from depthapps.core.errors import InputError

_OUTPUT = ".pfm .npy .tif .exr, .npz with the camera, 16-bit .png, .png .jpg for a preview, .jpg .heic for a portrait"
_KIND = (
    "pixels; metres; brightness from far to near, as programs that animate photos take it; a picture with a legend; "
    "the photo with its depth inside, as phones store portraits (.jpg: GDepth, or Dynamic Depth; .heic: Apple's) "
    "[default: preview for .png and .jpg, else disparity]"
)


def depth(
    *,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help=_OUTPUT, metavar="FILE"),
    ],
    kind: Annotated[MapKind | None, typer.Option(help=_KIND)] = None,
    unsure: Annotated[
        Unsure | None,
        typer.Option(help="in a preview: depth that is likely wrong in grey, or in colours [default: grey]"),
    ] = None,
    source: SourceOptions,
    run: RunOptions,
) -> None:
    """Compute a depth map: disparity in pixels, depth in metres, inverse depth without a unit, or a picture of it.

    \b
    depthapps depth left.png right.png -c calib.txt -o preview.png
    depthapps depth left.png right.png -o disparity.pfm
    depthapps depth left.png right.png -c calib.txt --kind depth -o depth.npy
    depthapps depth left.png right.png --kind affine-inverse -o for_depthflow.png
    depthapps depth left.jpg right.jpg --kind portrait -o for_my_phone.heic
    depthapps depth photo.jpg --depth kinect.png -o preview.png
    depthapps depth fujifilm_w3.mpo -o preview.png
    depthapps depth both_views.jpg --side-by-side -o disparity.pfm
    """
    from depthapps.apps.side_files import depth_map_kind
    from depthapps.cli.opening import Opening

    kind = depth_map_kind(output, kind)
    if unsure and kind is not MapKind.PREVIEW:
        raise InputError(f"--unsure is for previews, not for a {kind} map", hint="leave it out, or add --kind preview")
    unsure = unsure or Unsure.GREY
    opening = Opening.of("depth", source, run, [output])
    from depthapps.apps.maps import write_depth_map, write_side_files

    greyed = kind is MapKind.PREVIEW and unsure is Unsure.GREY
    opened = opening.scene(
        confidence=greyed, metres_matter=kind in (MapKind.DEPTH, MapKind.PORTRAIT, MapKind.DYNAMIC_DEPTH)
    )
    report, outputs = opening.report, opening.outputs
    with report.stage("writing"), outputs:
        write_depth_map(
            output,
            opened,
            kind,
            unsure=unsure,
            depth_scale=source.png_scale,
            outputs=outputs,
            progress=report.follow,
        )
        write_side_files(opening.side, opened, outputs, progress=report.follow)
    report.finish(outputs.written)
