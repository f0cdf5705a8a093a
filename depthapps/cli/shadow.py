"""Define `depthapps shadow`, which puts lights on a scene and writes their shadows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from depthapps.apps.memory import NOTHING, PAGE
from depthapps.cli.flags import NO_PICTURES
from depthapps.cli.lights import LightOptions, Sweep
from depthapps.cli.options import RunOptions, SourceOptions, VideoOptions
from depthapps.cli.pages import Viewer, arguments_of, write_view
from depthapps.core.choices import PageMode
from depthapps.core.errors import InputError, OutputError
from depthapps.io.formats import IMAGE_SUFFIXES, MASK_SUFFIXES, SHADOW_MAP_SUFFIXES, VIDEO_SUFFIXES, VIEWER_SUFFIXES
from depthapps.io.lights import read_lights
from depthapps.io.outputs import Outputs, check_suffix
from depthapps.shadow.params import LARGEST_MAP_PX, LitBy, RelightParams

if TYPE_CHECKING:
    from depthapps.apps.relight import Shadows
    from depthapps.apps.scene import OpenedScene
    from depthapps.cli.opening import Opening


@dataclass(frozen=True)
class ShadowFiles:
    """Options of the files that are written."""

    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="the picture: .png .jpg .tif; of a sweep .mp4 .gif .webp", metavar="FILE"),
    ] = None
    mask: Annotated[
        Path | None,
        typer.Option(help="which pixels see the light, white = all of it: 8-bit .png or .tif", metavar="FILE"),
    ] = None
    shadow_map: Annotated[
        Path | None,
        typer.Option(
            help="the light's own depth map: float .tif in metres, with its matrices in a .json", metavar="FILE"
        ),
    ] = None
    ao: Annotated[
        Path | None,
        typer.Option(
            help="ambient occlusion, white where the sky over a surface is open: 8-bit .png or .tif", metavar="FILE"
        ),
    ] = None
    confidence: Annotated[
        Path | None,
        typer.Option(
            help="white where the shadow is certain, black where it depends on surfaces that no view saw, grey where "
            "it depends on things outside the picture: 8-bit .png or .tif",
            metavar="FILE",
        ),
    ] = None
    viewer: Viewer = None

    @property
    def pictures(self) -> bool:
        """Whether more than a page is wanted."""
        return any((self.output, self.mask, self.shadow_map, self.ao, self.confidence))

    def paths(self, *, sweep: bool, several: bool, lights: bool) -> list[Path]:
        """Paths of all files, after a check of their suffixes. Raises OutputError for files that exclude each other."""
        beside = [p for p in (self.mask, self.shadow_map, self.ao, self.confidence, self.viewer) if p is not None]
        if self.output is None and not beside:
            hint = "pass -o relit.png, --mask mask.png, --shadow-map map.tif or --viewer page.html"
            raise OutputError("no output was asked for", hint=hint)
        if sweep and (self.output is None or beside or lights):
            hint = "pass -o day.mp4, and no --mask, --viewer or --lights"
            raise OutputError("a sweep makes one video, of one sun", hint=hint)
        if self.output:
            suffixes, what = (VIDEO_SUFFIXES, "a video") if sweep else (IMAGE_SUFFIXES, "a picture")
            check_suffix(self.output, suffixes, what, NO_PICTURES)
        for path in (self.mask, self.ao, self.confidence):
            if path:
                check_suffix(path, MASK_SUFFIXES, "a mask")
        if self.viewer:
            check_suffix(self.viewer, VIEWER_SUFFIXES, "a page")
        paths = [p for p in (self.output, *beside) if p is not None]
        if self.shadow_map:
            check_suffix(self.shadow_map, SHADOW_MAP_SUFFIXES, "a shadow map")
            if several:
                raise OutputError("several lights have no one shadow map", hint="ask for each light's map by itself")
            paths.append(self.shadow_map.with_suffix(".json"))
        return paths


@dataclass(frozen=True)
class RelightOptions:
    """Options of how the lights change the picture; the defaults are those of `RelightParams`."""

    headings: ClassVar = {"ambient": "What it lights"}

    ambient: Annotated[float, typer.Option(help="light from the sky", metavar="N")] = RelightParams.ambient
    strength: Annotated[float, typer.Option(help="0 leaves the picture as it is, 1 relights it fully", metavar="N")] = (
        RelightParams.strength
    )
    flatten: Annotated[
        float,
        typer.Option(help="share of the light in the photo that is estimated and removed first, 0 to 1", metavar="N"),
    ] = RelightParams.flatten
    map_size: Annotated[
        int | None,
        typer.Option(
            min=16,
            max=LARGEST_MAP_PX,
            help="side of the shadow map in pixels [default: the picture's longer side]",
            metavar="PX",
        ),
    ] = None


def shadow(
    *,
    files: ShadowFiles,
    light: LightOptions,
    lights: Annotated[
        Path | None,
        typer.Option(help="several lights: a JSON list of objects with these options' names", metavar="FILE"),
    ] = None,
    video: VideoOptions,
    how: RelightOptions,
    source: SourceOptions,
    run: RunOptions,
) -> None:
    """Put lights on the scene: the relit picture, the mask of its shadows, the light's own depth map.

    \b
    depthapps shadow left.png right.png -c calib.txt -o relit.png --azimuth 70 --elevation 30
    depthapps shadow left.png right.png -c calib.txt -o relit.png --light point --position 0.5,-0.4,1.2
    depthapps shadow left.png right.png -c calib.txt -o day.mp4 --sweep azimuth=-90:90
    depthapps shadow left.png right.png -c calib.txt -o relit.png --viewer page.html
    depthapps shadow photo.png --depth depth.npy --fov 60 --mask mask.png --shadow-map map.tif
    """
    params = RelightParams(how.ambient, how.strength, how.flatten)
    lit = _lights(light, lights, video)
    several = len(lit) > 1 and not video.sweep
    paths = files.paths(sweep=bool(video.sweep), several=several, lights=lights is not None)
    _refuse_unused(files, light, how)
    from depthapps.cli.opening import Opening

    beside = PAGE if files.viewer else NOTHING
    opening = Opening.of("shadow", source, run, paths, [lights] if lights else [], beside=beside)
    report, outputs, run = opening.report, opening.outputs, opening.run
    with report.stage("loading"):
        from depthapps.apps.maps import write_side_files
        from depthapps.apps.relight import load_shadow_loops, relight_sweep
        from depthapps.io.video import write_video

        load_shadow_loops(run.quality)
    opened = opening.scene(confidence=True)
    if video.sweep and files.output:
        frames = relight_sweep(opened.scene, lit, params, run.quality, progress=report.follow)
        with report.stage("tracing"), outputs:
            write_video(files.output, frames, video.fps, outputs=outputs)
            write_side_files(opening.side, opened, outputs, progress=report.follow)
    else:
        _write_still(files, lit, params, how.map_size, opening, opened)
    report.finish(outputs.written)


def _refuse_unused(files: ShadowFiles, light: LightOptions, how: RelightOptions) -> None:
    """Refuse options of results that were not asked for. Raises InputError."""
    if how.map_size is not None and not files.shadow_map:
        raise InputError(
            "--map-size is the side of a shadow map, and none was asked for",
            hint="add --shadow-map map.tif, or leave --map-size out",
        )
    if files.output or files.viewer:
        return
    of_pictures = (how, "ambient"), (how, "strength"), (how, "flatten"), (light, "color"), (light, "temperature")
    for options, name in (*of_pictures, (light, "intensity")):
        if getattr(options, name) != getattr(type(options), name):
            raise InputError(
                f"--{name} changes the relit picture, and none was asked for",
                hint=f"add -o relit.png, or leave --{name} out",
            )


def _lights(light: LightOptions, file: Path | None, video: VideoOptions) -> list[LitBy]:
    """The lights of a file, the moments of a sweep, or the one light. Raises InputError."""
    video.check()
    if file is None:
        return Sweep.parse(video.sweep).steps(light, video.frames) if video.sweep else [light.lit_by()]
    if light != LightOptions():
        raise InputError("the lights were given twice", hint="pass either --lights or the options of one light")
    return [LightOptions.from_entry(entry, number).lit_by() for number, entry in enumerate(read_lights(file), 1)]


def _write_still(
    files: ShadowFiles,
    lights: list[LitBy],
    params: RelightParams,
    map_size: int | None,
    opening: Opening,
    opened: OpenedScene,
) -> None:
    """Cast the shadows and write what is asked for."""
    from depthapps.apps.maps import write_side_files
    from depthapps.apps.relight import cast_shadows

    report, outputs = opening.report, opening.outputs
    shadows = None
    if files.pictures:
        shadows = cast_shadows(
            opened.scene,
            lights,
            opening.run.quality,
            certainty=files.confidence is not None,
            ambient_occlusion=files.ao is not None,
            progress=report.follow,
        )
        report.take(shadows)
    with report.stage("writing"), outputs:
        if shadows:
            _write_pictures(files, shadows, params, map_size, opened, outputs)
        if files.viewer:
            if len(lights) > 1:
                report.note(f"the page shows the first of {len(lights)} lights")
            command = arguments_of(opening.source)
            write_view(
                files.viewer, opened, PageMode.RELIGHT, report, outputs, command=command, light=lights[0],
                relighting=params,
            )  # fmt: skip
        write_side_files(opening.side, opened, outputs, progress=report.follow)


def _write_pictures(
    files: ShadowFiles,
    shadows: Shadows,
    params: RelightParams,
    map_size: int | None,
    opened: OpenedScene,
    outputs: Outputs,
) -> None:
    """Write the relit picture and the maps of its shadows."""
    from depthapps.apps.relight import make_shadow_map, relight
    from depthapps.io.photos.images import write_image, write_mask
    from depthapps.io.shadow_map import write_shadow_map

    if files.output:
        relit = relight(opened.scene, shadows, params)
        write_image(files.output, relit, opened.metadata, outputs=outputs)
    for path, picture in ((files.mask, shadows.mask), (files.ao, shadows.openness),
                          (files.confidence, shadows.certainty)):  # fmt: skip
        if path and picture is not None:
            write_mask(path, picture, outputs=outputs)
    if files.shadow_map:
        shadow_map = make_shadow_map(shadows, shadows.lights[0].light, map_size)
        write_shadow_map(files.shadow_map, shadow_map, outputs=outputs)
