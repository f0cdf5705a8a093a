"""depthapps shadow: a light on the scene."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from depthapps.cli.options import RunOptions, SourceOptions, numbers
from depthapps.errors import InputError, OutputError
from depthapps.quality import Quality
from depthapps.shadow.params import DirectionalLight, Light, PointLight, RelightParams


class LightKind(StrEnum):
    """The lights of `depthapps shadow`."""

    DIRECTIONAL = "directional"
    POINT = "point"


_SAMPLES = {Quality.FAST: 16, Quality.BALANCED: 36, Quality.BEST: 100}  # rays a pixel to a light with an extent


def shadow(
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="the relit picture: .png .jpg .tif", metavar="FILE")
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="who sees the light, white = all of it: 8-bit .png or .tif", metavar="FILE")
    ] = None,
    shadow_map: Annotated[
        Path | None,
        typer.Option(
            help="the light's own depth map: float .tif in metres, with its matrices in a .json", metavar="FILE"
        ),
    ] = None,
    light: Annotated[LightKind, typer.Option(help="a sun or a lamp")] = LightKind.DIRECTIONAL,
    direction: Annotated[
        tuple | None,
        typer.Option(parser=numbers(3), help="the way a sun's light travels: right, down, forward", metavar="X,Y,Z"),
    ] = None,
    azimuth: Annotated[
        float, typer.Option(help="of a sun: 0 behind the camera, 90 at its right", metavar="DEG")
    ] = -60.0,
    elevation: Annotated[float, typer.Option(help="of a sun over the horizon", metavar="DEG")] = 40.0,
    angular_size: Annotated[
        float, typer.Option(help="diameter a sun shows, 0 for hard shadows", metavar="DEG")
    ] = DirectionalLight.angular_size_deg,
    position: Annotated[
        tuple | None,
        typer.Option(parser=numbers(3), help="of a lamp, in metres: right, down, forward", metavar="X,Y,Z"),
    ] = None,
    size: Annotated[
        float, typer.Option(help="diameter of a lamp in metres, 0 for hard shadows", metavar="M")
    ] = PointLight.size_m,
    color: Annotated[
        tuple, typer.Option(parser=numbers(3), help="of the light, linear red, green, blue", metavar="R,G,B")
    ] = "1,1,1",  # pyright: ignore[reportArgumentType]  (typer parses a default as it parses what is typed)
    intensity: Annotated[
        float, typer.Option(help="of the light, 1 = as bright as the picture", metavar="N")
    ] = RelightParams.intensity,
    ambient: Annotated[float, typer.Option(help="light in the shadows", metavar="N")] = RelightParams.ambient,
    strength: Annotated[
        float, typer.Option(help="0 leaves the picture as it is, 1 relights it fully", metavar="N")
    ] = RelightParams.strength,
    map_size: Annotated[
        int | None,
        typer.Option(
            min=16, max=16384, help="pixels of the shadow map's side [default: the picture's longer]", metavar="PX"
        ),
    ] = None,
    source: SourceOptions,
    run: RunOptions,
) -> None:
    """Put a light on the scene: the relit picture, the mask of its shadows, the light's own depth map.

    \b
    depthapps shadow left.png right.png -c calib.txt -o relit.png --azimuth 70 --elevation 30
    depthapps shadow left.png right.png -c calib.txt -o relit.png --light point --position 0.5,-0.4,1.2
    depthapps shadow photo.png --depth depth.npy --fov 60 --mask mask.png --shadow-map map.tif
    """
    from depthapps.cli.report import Report
    from depthapps.cli.source import load_source, save_side_outputs, side_outputs
    from depthapps.io.files import Outputs, check_suffix
    from depthapps.io.images import IMAGE_SUFFIXES, MASK_SUFFIXES, write_image, write_mask
    from depthapps.io.shadow_map import SHADOW_MAP_SUFFIXES, matrices_path, write_shadow_map
    from depthapps.shadow.light_view import trace_shadow_map
    from depthapps.shadow.relight import relight
    from depthapps.shadow.tracing import build_surface, trace_visibility

    params = RelightParams(intensity, ambient, strength, color)
    source_light = _light(light, direction, azimuth, elevation, angular_size, position, size)
    wanted = [p for p in (output, mask, shadow_map) if p is not None]
    if not wanted:
        raise OutputError("no output was asked for", hint="pass -o relit.png, --mask mask.png or --shadow-map map.tif")
    if output:
        check_suffix(output, IMAGE_SUFFIXES, "a picture")
    if mask:
        check_suffix(mask, MASK_SUFFIXES, "a mask")
    if shadow_map:
        check_suffix(shadow_map, SHADOW_MAP_SUFFIXES, "a shadow map")
        wanted.append(matrices_path(shadow_map))
    outputs = Outputs([*wanted, *side_outputs(source)], overwrite=run.overwrite)
    report = Report("shadow", run)
    loaded = load_source(source, run, report, confidence_matters=True)
    with report.stage("surface"):
        surface = build_surface(loaded.scene)
    with report.stage("tracing"):
        visibility = trace_visibility(surface, source_light, _SAMPLES[run.quality])
    report.add(lit_share=round(float(visibility.mean()), 4))
    with report.stage("writing"), outputs:
        if output:
            relit = relight(loaded.scene, surface, visibility, source_light, params)
            write_image(outputs.part(output), relit, loaded.metadata)
        if mask:
            write_mask(outputs.part(mask), visibility)
        if shadow_map:
            side = map_size or max(visibility.shape)
            write_shadow_map(shadow_map, trace_shadow_map(surface, source_light, side), outputs)
        save_side_outputs(source, loaded, outputs)
    report.finish(outputs.written)


def _light(
    kind: LightKind,
    direction: tuple | None,
    azimuth: float,
    elevation: float,
    angular_size: float,
    position: tuple | None,
    size: float,
) -> Light:
    if kind is LightKind.DIRECTIONAL:
        if position is not None:
            raise InputError("a directional light has no position", hint="pass --light point with --position")
        if direction is not None:
            return DirectionalLight(direction, angular_size)
        return DirectionalLight.from_angles(azimuth, elevation, angular_size)
    if direction is not None:
        raise InputError("a point light has no direction", hint="pass --light directional with --direction")
    if position is None:
        raise InputError("a point light needs a position", hint="--position 0.5,-0.4,1.2 is right, above, 1.2 m ahead")
    return PointLight(position, size)
