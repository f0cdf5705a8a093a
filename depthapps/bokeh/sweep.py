"""Render a focus pull: frames of one scene while the focus moves through it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from depthapps.bokeh.edges import snapped_from
from depthapps.bokeh.lens import signed_coc
from depthapps.bokeh.params import F_NUMBERS, BokehParams
from depthapps.bokeh.render import blur_snapped
from depthapps.core.choices import Quality
from depthapps.core.color import to_8bit, to_encoded
from depthapps.core.scene import Scene


def focus_pull(
    scene: Scene, params: BokehParams, ends_m: tuple[float, ...], count: int, quality: Quality
) -> Iterator[NDArray[np.uint8]]:
    """Yield frames (H, W, 3) uint8 RGB while the focus moves from ends_m[0] to ends_m[1], both in metres.

    The focus moves evenly in 1/Z and eases in and out. If no f-number is given, the lens is the one whose strongest
    blur over the pull is as asked, because a pull changes the focus and not the aperture. Depth edges are moved onto
    image edges only once, so that they do not change between frames.
    """
    t = np.linspace(0, 1, count)
    inverse = 1 / ends_m[0] + (1 / ends_m[1] - 1 / ends_m[0]) * t * t * (3 - 2 * t)
    if params.f_number is None:
        params = _as_lens(scene, params, ends_m)
    if quality is not Quality.FAST:
        plain = replace(params, focus_range_m=0.0, tilt=0.0)
        source = snapped_from(to_encoded(scene.image), signed_coc(scene, plain, ends_m[0]))
        scene = replace(scene, depth_m=scene.depth_m.ravel()[source])
    for w in inverse:
        coc = signed_coc(scene, params, float(1 / w))
        yield to_8bit(blur_snapped(scene.image, coc, params, quality))


def _as_lens(scene: Scene, params: BokehParams, ends_m: tuple[float, ...]) -> BokehParams:
    """Choose the f-number with which no end of the pull is blurred more than asked."""
    unit = replace(params, blur_px=None, f_number=1.0)
    widest = 0.0
    for end in ends_m:
        strong, lens = signed_coc(scene, params, end), signed_coc(scene, unit, end)
        largest = float(np.abs(strong).max())
        if largest > 0:
            widest = max(widest, float(np.percentile(np.abs(lens), 99)) / largest)
    return replace(unit, f_number=float(np.clip(widest, *F_NUMBERS)) if widest > 0 else F_NUMBERS[1])
