"""What a page shows first: the lens and the light of a command, as far as the page has them."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np

from depthapps.apps.journal import Journal
from depthapps.bokeh.focus import find_focus
from depthapps.bokeh.lens import lens_strength
from depthapps.bokeh.params import BokehParams
from depthapps.core.errors import InputError
from depthapps.core.geometry import filled_inverse_depth
from depthapps.core.scene import Scene
from depthapps.io.page.contents import PageLens, PageLight
from depthapps.shadow.params import DirectionalLight, Light, LitBy, RelightParams, SpotLight

_WIDEST, _NARROWEST = 0.05, 1000.0  # f-numbers that the page is given; a scene of one depth has no strongest blur
_NOT_OF_PAGES = ("focus_range_m", "tilt", "rotation_deg", "squeeze", "cat_eye", "soap_bubble", "fringe", "grain")


def page_lens(scene: Scene, params: BokehParams, width: int, journal: Journal) -> PageLens:
    """The page's lens that blurs a scene as `params` do. width: of the page's photo, px. Raises InputError."""
    left_out = [name for name in _NOT_OF_PAGES if getattr(params, name) != getattr(BokehParams, name)]
    if left_out:
        names = ", ".join(name.removesuffix("_m").removesuffix("_deg").replace("_", " ") for name in left_out)
        journal.note(f"the page shows the lens without its {names}")
    focus = find_focus(scene, params)
    defocus = filled_inverse_depth(scene.depth_m) - np.float32(1 / focus.depth_m)
    strength = lens_strength(params, scene.camera.width, defocus)
    normal = BokehParams()
    focal_px = normal.focal_length_mm / normal.sensor_width_mm * scene.camera.width
    f_number = focal_px * normal.focal_length_mm / 2000 / max(strength, 1e-9)
    place, scale = focus.place, width / scene.camera.width
    if place is not None:
        x, y = place if len(place) == 2 else ((place[0] + place[2]) / 2, (place[1] + place[3]) / 2)
        place = (x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5
    at_place = focus.place is not None and len(focus.place) == 2
    return PageLens(
        f_number=float(f"{min(max(f_number, _WIDEST), _NARROWEST):.3g}"),
        focus_px=place,
        focus_inverse=None if at_place else 1 / focus.depth_m,
        blades=params.blades,
        highlights=params.highlights,
    )


def usual_lens(scene: Scene, width: int, journal: Journal) -> PageLens:
    """The lens of a page that was given none: on the subject, or the middle, as strong as `depthapps bokeh` blurs."""
    try:
        return page_lens(scene, BokehParams(focus_px="auto"), width, journal)
    except InputError:  # its depth is unknown
        known = scene.depth_m[np.isfinite(scene.depth_m)]
        middle = float(np.median(known)) if known.size else 1.0
        return page_lens(scene, BokehParams(focus_depth_m=middle), width, journal)


def page_light(given: LitBy | Light, params: RelightParams, journal: Journal) -> PageLight:
    """The page's light that shines as a light of `relight`."""
    lit = given if isinstance(given, LitBy) else LitBy(given)
    light = lit.light
    left_out = [f.name for f in fields(params) if f.name != "ambient" and getattr(params, f.name) != f.default]
    if isinstance(light, SpotLight):
        left_out.append("beam")
    if left_out:
        journal.note(f"the page shows the light without its {', '.join(left_out)}")
    brightest = max(lit.color) or 1.0
    if isinstance(light, DirectionalLight):
        length = math.hypot(*light.direction)
        x, y, z = (-v / length for v in light.direction)
        at, size = (x, y, z), light.angular_size_deg
    else:
        at, size = light.position, light.size_m
    red, green, blue = (v / brightest for v in lit.color)
    lamp = not isinstance(light, DirectionalLight)
    return PageLight(lamp, at, size, (red, green, blue), lit.intensity * brightest, params.ambient)
