"""Put lights on a scene: find shadows, relight the picture, draw shadow maps, and animate a moving sun."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from depthapps.apps.journal import JobResult, Journal, Progress
from depthapps.core.choices import Quality, chosen
from depthapps.core.color import png_bytes, to_8bit
from depthapps.core.errors import InputError
from depthapps.core.models import ShadowMap
from depthapps.core.scene import FloatMap, Image, Scene, check_scene
from depthapps.runtime.kernel import load_ahead
from depthapps.shadow import mapped, tracing
from depthapps.shadow.light_view import draw_shadow_map
from depthapps.shadow.mapped import Mapper
from depthapps.shadow.params import LARGEST_MAP_PX, Light, LitBy, RelightParams
from depthapps.shadow.shading import shade
from depthapps.shadow.solid import LitSolid, build_lit_solid
from depthapps.shadow.tracing import Tracer

_SAMPLES = {Quality.BALANCED: 48, Quality.BEST: 256}  # rays a pixel to a light that is no point; FAST uses shadow maps
_SKY_SAMPLES = {Quality.FAST: 8, Quality.BALANCED: 16, Quality.BEST: 64}  # rays a pixel to the sky


def load_shadow_loops(quality: Quality) -> None:
    """Load the compiled loops that shadows of a quality need, in a background thread while files are read."""
    load_ahead(mapped.KERNELS if quality is Quality.FAST else tracing.KERNELS)


class _Caster:
    """Finds which pixels see a light; the scene's solid and the data for rays or shadow maps are prepared once."""

    def __init__(self, solid: LitSolid, quality: Quality) -> None:
        self.solid, self.quality = solid, quality

    @cached_property
    def tracer(self) -> Tracer:
        """Traces rays; made on first use, as shadow maps alone need none."""
        return Tracer(self.solid)

    @cached_property
    def mapper(self) -> Mapper:
        """Draws shadow maps; made on first use."""
        return Mapper(self.solid)

    def visibility(self, light: Light, *, certainty: bool = False) -> tuple[FloatMap, FloatMap | None]:
        """How much of a light each pixel sees, and if wanted how certain that is; each (H, W) in 0..1."""
        if self.quality is not Quality.FAST:
            return self.tracer.visibility(light, _SAMPLES[self.quality])
        # a shadow map cannot tell how certain a shadow is: that takes one ray a pixel
        return self.mapper.visibility(light), self.tracer.visibility(light, 1).confidence if certainty else None


@dataclass(frozen=True, eq=False, kw_only=True)
class Shadows(JobResult):
    """Which pixels see which light.

    Attributes
    ----------
    lights : tuple of LitBy
        The lights.
    each : tuple of (H, W) float32 arrays
        How much of a light each pixel sees, 0 to 1; one array for each light.
    certainty : (H, W) float32 array, optional
        How certain the least certain of these shadows is, 0 to 1: 0 where it depends on surfaces that no view saw, one
        half where it depends on things outside the picture. None if it was not asked for.
    openness : (H, W) float32 array, optional
        Ambient occlusion: how open the sky over each pixel is, cosine-weighted, 0 to 1. None if it was not asked for.
    solid : LitSolid
        The solid that casts the shadows.
    """

    lights: tuple[LitBy, ...]
    each: tuple[FloatMap, ...]
    certainty: FloatMap | None
    openness: FloatMap | None
    solid: LitSolid

    def _repr_png_(self) -> bytes:
        """Show in a notebook what the lights reach."""
        return png_bytes(np.repeat(np.rint(255 * self.mask[..., None]).astype(np.uint8), 3, axis=-1))

    @cached_property
    def mask(self) -> FloatMap:
        """For each pixel, how much it sees of the light that it sees best: (H, W) float32 in 0..1."""
        return np.maximum.reduce(self.each)


def cast_shadows(
    scene: Scene,
    lights: Sequence[LitBy | Light],
    quality: Quality = Quality.BALANCED,
    *,
    certainty: bool = False,
    ambient_occlusion: bool = False,
    progress: Progress | None = None,
) -> Shadows:
    """Find which pixels see which light.

    Parameters
    ----------
    scene : Scene
    lights : sequence of LitBy
        Suns, lamps and spots; a bare light has intensity 1 and is white.
    quality : Quality
        FAST draws shadow maps; BALANCED and BEST trace 48 and 256 rays a pixel to lights that are not points.
    certainty : bool
        Also find how certain the shadows are.
    ambient_occlusion : bool
        Also find how open the sky over each pixel is.
    progress : callable, optional
        Called with every `Note` and `Stage` as they happen.

    Returns
    -------
    Shadows

    Raises
    ------
    InputError
        There is no light.

    Notes
    -----
    Rays are traced through a solid made of the scene: the visible surface, torn at depth edges and with its noise
    removed, and a far side that is guessed from it. Shadow maps are filtered by the width of the penumbra (PCSS,
    Fernando 2005).
    """
    if not lights:
        raise InputError("there is no light to cast shadows", hint="give one or more")
    check_scene(scene)
    lights = _lit_by(lights)
    quality, journal = chosen(Quality, quality, "quality"), Journal(progress)
    load_shadow_loops(quality)
    with journal.stage("surface"):
        caster = _Caster(build_lit_solid(scene), quality)
    with journal.stage("tracing"):
        seen = [caster.visibility(lit.light, certainty=certainty) for lit in lights]
        openness = caster.tracer.openness(_SKY_SAMPLES[quality]) if ambient_occlusion else None
    sure = [each for _, each in seen if each is not None]
    shadows = Shadows(
        lights=tuple(lights),
        each=tuple(share for share, _ in seen),
        certainty=np.minimum.reduce(sure) if certainty else None,
        openness=openness,
        solid=caster.solid,
        **journal.told,
    )
    shadows.facts["lit_share"] = round(float(shadows.mask.mean()), 4)
    return shadows


def relight(
    scene: Scene,
    lights: Sequence[LitBy | Light] | Shadows,
    params: RelightParams | None = None,
    quality: Quality = Quality.BALANCED,
    *,
    progress: Progress | None = None,
) -> Image:
    """Render the scene's picture under other lights, with their shadows.

    Parameters
    ----------
    scene : Scene
    lights : sequence of LitBy, or Shadows
        The lights; or the result of `cast_shadows`, whose ambient occlusion is used too if it has any.
    params : RelightParams, optional
        Ambient light, strength, and how much of the light in the photo is removed first.
    quality : Quality
        Quality of the shadows; not used if `lights` holds shadows.
    progress : callable, optional
        Called with every `Note` and `Stage` as they happen.

    Returns
    -------
    (H, W, 3) array
        RGB, of the sample type of the scene's picture.

    Notes
    -----
    Surfaces are assumed to be matt (Lambert) and to have the colours of the picture, so light and shadows in the photo
    stay in it. Where the scene's confidence is low, the light of more certain surroundings is used. Normals of noisy
    depth are smoothed with the picture as their guide (He 2010), so that dents which it does not show are not lit.
    """
    check_scene(scene)
    shadows = lights if isinstance(lights, Shadows) else cast_shadows(scene, lights, quality, progress=progress)
    if shadows.solid.front.shape != scene.depth_m.shape:
        raise InputError("the shadows are those of another scene", hint="cast the shadows of the scene that is relit")
    pairs = list(zip(shadows.lights, shadows.each, strict=True))
    return shade(scene, shadows.solid, pairs, params or RelightParams(), shadows.openness)


def relight_sweep(
    scene: Scene,
    moments: Iterable[LitBy | Light],
    params: RelightParams | None = None,
    quality: Quality = Quality.BALANCED,
    *,
    progress: Progress | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """Render the frames of a scene under one light that changes.

    Parameters
    ----------
    scene : Scene
    moments : iterable of LitBy
        The light at each frame; `sun_path` makes them for a moving sun.
    params : RelightParams, optional
    quality : Quality
    progress : callable, optional
        Called with a `Stage` after every frame.

    Yields
    ------
    (H, W, 3) uint8 array
        RGB; `write_video` takes them.
    """
    check_scene(scene)
    lights = _lit_by(moments)
    quality, journal = chosen(Quality, quality, "quality"), Journal(progress)
    load_shadow_loops(quality)
    with journal.stage("surface"):
        caster = _Caster(build_lit_solid(scene), quality)
    for lit in journal.steps(lights, len(lights), "tracing"):
        seen, _ = caster.visibility(lit.light)
        yield to_8bit(shade(scene, caster.solid, [(lit, seen)], params or RelightParams()))


def make_shadow_map(scene: Scene | Shadows, light: LitBy | Light, size: int | None = None) -> ShadowMap:
    """Draw a shadow map: the depth map of the scene as a light sees it.

    Parameters
    ----------
    scene : Scene or Shadows
    light : LitBy or Light
        Of which only the light itself matters.
    size : int, optional
        Side of the map in pixels, from 2; None takes the longer side of the picture.

    Returns
    -------
    ShadowMap
        Depth in metres, (size, size) float32, NaN where the light meets nothing; and the light's matrices.
    """
    if size is not None and not 2 <= size <= LARGEST_MAP_PX:
        raise InputError(
            f"a shadow map of {size} px was asked for", hint=f"give its side in pixels, 2 to {LARGEST_MAP_PX}, or None"
        )
    seen_by = _lit_by([light])[0].light
    if not isinstance(scene, Shadows):
        check_scene(scene)
    solid = scene.solid if isinstance(scene, Shadows) else build_lit_solid(scene)
    return draw_shadow_map(solid, seen_by, size or max(solid.front.shape))


def _lit_by(lights: Iterable[LitBy | Light]) -> list[LitBy]:
    """The lights, bare ones with intensity 1 and white. Raises InputError for one that is not in a list."""
    if isinstance(lights, LitBy | Light):
        raise InputError(f"a list of lights is wanted, one {type(lights).__name__} was given", hint="pass [light]")
    return [lit if isinstance(lit, LitBy) else LitBy(lit) for lit in lights]
