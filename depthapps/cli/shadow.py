"""depthapps shadow: lights on the scene."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from depthapps.cli.lights import LightOptions, Sweep
from depthapps.cli.options import RunOptions, SourceOptions, VideoOptions
from depthapps.core.errors import InputError, OutputError
from depthapps.core.quality import Quality
from depthapps.shadow.params import LitBy, RelightParams

_SAMPLES = {Quality.BALANCED: 48, Quality.BEST: 256}  # rays a pixel to a light with an extent; fast has shadow maps
_SKY_SAMPLES = {Quality.FAST: 8, Quality.BALANCED: 16, Quality.BEST: 64}  # rays a pixel to the sky


def shadow(
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="the relit picture: .png .jpg .tif; of a sweep .mp4 .gif", metavar="FILE"),
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
    ao: Annotated[
        Path | None, typer.Option(help="how open the sky over each surface is: 8-bit .png or .tif", metavar="FILE")
    ] = None,
    confidence: Annotated[
        Path | None,
        typer.Option(
            help="white where the shadow is certain, black where it depends on what nobody saw, grey where on what "
            "is outside the picture: 8-bit .png or .tif",
            metavar="FILE",
        ),
    ] = None,
    light: LightOptions,
    lights: Annotated[
        Path | None,
        typer.Option(help="several lights: a JSON list of objects with these options' names", metavar="FILE"),
    ] = None,
    video: VideoOptions,
    ambient: Annotated[float, typer.Option(help="light from the sky", metavar="N")] = RelightParams.ambient,
    strength: Annotated[
        float, typer.Option(help="0 leaves the picture as it is, 1 relights it fully", metavar="N")
    ] = RelightParams.strength,
    flatten: Annotated[
        float,
        typer.Option(help="how much of the light in the photo is taken out first: an estimate, 0 to 1", metavar="N"),
    ] = RelightParams.flatten,
    map_size: Annotated[
        int | None,
        typer.Option(
            min=16, max=16384, help="pixels of the shadow map's side [default: the picture's longer]", metavar="PX"
        ),
    ] = None,
    source: SourceOptions,
    run: RunOptions,
) -> None:
    """Put lights on the scene: the relit picture, the mask of its shadows, the light's own depth map.

    \b
    depthapps shadow left.png right.png -c calib.txt -o relit.png --azimuth 70 --elevation 30
    depthapps shadow left.png right.png -c calib.txt -o relit.png --light point --position 0.5,-0.4,1.2
    depthapps shadow left.png right.png -c calib.txt -o day.mp4 --sweep azimuth=-90:90
    depthapps shadow photo.png --depth depth.npy --fov 60 --mask mask.png --shadow-map map.tif
    """
    from depthapps.cli.report import Report
    from depthapps.cli.source import load_source, save_side_outputs, side_outputs
    from depthapps.io.lights import read_lights
    from depthapps.io.outputs import Outputs, check_suffix
    from depthapps.io.photos.images import IMAGE_SUFFIXES, MASK_SUFFIXES, write_image, write_mask
    from depthapps.io.shadow_map import SHADOW_MAP_SUFFIXES, matrices_path, write_shadow_map
    from depthapps.io.video import VIDEO_SUFFIXES, write_video

    params = RelightParams(ambient, strength, flatten)
    pictures = [p for p in (mask, shadow_map, ao, confidence) if p is not None]
    wanted = [p for p in (output, *pictures) if p is not None]
    if not wanted:
        raise OutputError("no output was asked for", hint="pass -o relit.png, --mask mask.png or --shadow-map map.tif")
    if video.sweep and (output is None or pictures or lights):
        raise OutputError("a sweep makes one video, of one sun", hint="pass -o day.mp4 and no --mask and no --lights")
    if output:
        check_suffix(
            output, VIDEO_SUFFIXES if video.sweep else IMAGE_SUFFIXES, "a video" if video.sweep else "a picture"
        )
    for path in (mask, ao, confidence):
        if path:
            check_suffix(path, MASK_SUFFIXES, "a mask")
    if shadow_map:
        check_suffix(shadow_map, SHADOW_MAP_SUFFIXES, "a shadow map")
        wanted.append(matrices_path(shadow_map))
    if lights and light != LightOptions():
        raise InputError("the lights were given twice", hint="pass either --lights or the options of one light")
    if lights:
        entries = enumerate(read_lights(lights), 1)
        lit_by = [LightOptions.from_entry(entry, number).lit_by() for number, entry in entries]
    else:
        lit_by = Sweep.parse(video.sweep).steps(light, video.frames) if video.sweep else [light.lit_by()]
    if shadow_map and len(lit_by) > 1:
        raise OutputError(f"{len(lit_by)} lights have no one shadow map", hint="ask for each light's map by itself")

    outputs = Outputs([*wanted, *side_outputs(source)], overwrite=run.overwrite)
    report = Report("shadow", run)
    with report.stage("loading"):
        import numpy as np

        from depthapps.core.color import to_8bit
        from depthapps.runtime.kernel import load_ahead
        from depthapps.shadow import mapped, tracing
        from depthapps.shadow.mapped import Mapper
        from depthapps.shadow.relight import beam, relight
        from depthapps.shadow.solid import build_solid
        from depthapps.shadow.tracing import Tracer

        load_ahead(mapped.KERNELS if run.quality is Quality.FAST else tracing.KERNELS)
    loaded = load_source(source, run, report, confidence_matters=True)
    with report.stage("surface"):
        solid = build_solid(loaded.scene)
        tracer = cache(lambda: Tracer(solid))  # maps alone need none
        mapper = Mapper(solid) if run.quality is Quality.FAST else None

    def seen_of(lit: LitBy) -> tuple[Any, Any]:
        if mapper is None:
            seen, sure = tracer().visibility(lit.light, _SAMPLES[run.quality])
        else:  # a map does not tell what is sure: that takes one ray a pixel, if it is asked for
            seen = mapper.visibility(lit.light)
            sure = tracer().visibility(lit.light, 1).confidence if confidence else None
        return seen * beam(lit.light, solid.points), sure

    if video.sweep and output:
        with report.stage("tracing"), outputs:
            moments = report.progress(lit_by, len(lit_by), "frames")
            relit = (relight(loaded.scene, solid, [(lit, seen_of(lit)[0])], params) for lit in moments)
            write_video(outputs.part(output), (to_8bit(picture) for picture in relit), video.fps)
            save_side_outputs(source, loaded, outputs)
        report.finish(outputs.written)
        return
    with report.stage("tracing"):
        traced = [seen_of(lit) for lit in lit_by]
        openness = tracer().openness(_SKY_SAMPLES[run.quality]) if ao else None
    # several lights: lit by any, as certain as the least certain
    best = np.maximum.reduce([seen for seen, _ in traced])
    certain = np.minimum.reduce([sure for _, sure in traced]) if confidence else None
    report.add(lit_share=round(float(best.mean()), 4))
    with report.stage("writing"), outputs:
        if output:
            shares = [(lit, seen) for lit, (seen, _) in zip(lit_by, traced, strict=True)]
            relit = relight(loaded.scene, solid, shares, params, openness)
            write_image(outputs.part(output), relit, loaded.metadata)
        for path, picture in ((mask, best), (ao, openness), (confidence, certain)):
            if path and picture is not None:
                write_mask(outputs.part(path), picture)
        if shadow_map:
            from depthapps.shadow.light_view import draw_shadow_map

            side = map_size or max(best.shape)
            write_shadow_map(shadow_map, draw_shadow_map(solid, lit_by[0].light, side), outputs)
        save_side_outputs(source, loaded, outputs)
    report.finish(outputs.written)
