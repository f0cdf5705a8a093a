"""The renderers: light spread over circles of confusion, each through the part of the lens that sees it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.bands import in_order
from depthapps.bokeh.aperture import Aperture, make_aperture
from depthapps.bokeh.edges import Layer, calm_weight, layers_of, snap_edges
from depthapps.bokeh.highlights import give_grain, recover_highlights
from depthapps.bokeh.lens import signed_coc
from depthapps.bokeh.params import BokehParams
from depthapps.color import from_linear
from depthapps.quality import Quality
from depthapps.scene import FloatMap, Image, Scene

_BAND_ROWS = 64  # each has its own sums, with a margin of the largest radius; added in order, whoever computes them
_SHARP_RADIUS = 1 / math.sqrt(3)  # px; such a disc is no wider than the pixel's own square
_CALM_PX = 9  # the neighbourhood whose mean a border goes on with where it ends in a lamp
_LAMP = 3.0  # times the calm mean around it

Linear = NDArray[np.floating]


def render_bokeh(scene: Scene, params: BokehParams, quality: Quality = Quality.BALANCED) -> Image:
    """The scene through a lens: a picture of the scene's own size and sample type.

    In linear light. Where nothing is out of focus the picture comes back bit for bit. Raises InputError when the
    focus has no depth.
    """
    coc, _ = signed_coc(scene, params)
    return blur(scene.image, coc, params, quality)


def blur(image: Image, coc: FloatMap, params: BokehParams, quality: Quality = Quality.BALANCED) -> Image:
    """A picture with each pixel blurred by its signed circle of confusion, (H, W) radius in px.

    `fast` lays three layers over each other (`scatter`), `balanced` moves the depth edges onto the picture's first,
    `best` finds for every source which parts of the lens it is seen from (`scatter_seen`).
    """
    if not (np.abs(coc) > _SHARP_RADIUS).any():
        return image.copy()
    linear = recover_highlights(image, params.highlights)
    if quality is not Quality.FAST:
        coc = snap_edges(np.minimum(linear, 1), coc)
    render = scatter_seen if quality is Quality.BEST else scatter
    aperture = make_aperture(params)
    if params.fringe:
        shift = params.fringe * np.clip(np.abs(coc) / max(abs(params.fringe), 1), 0, 1)  # none in focus
        channels = [render(linear, (coc + step).astype(np.float32), aperture) for step in (shift, 0 * shift, -shift)]
        light = np.stack([channel[..., k] for k, channel in enumerate(channels)], axis=2)
    else:
        light = render(linear, coc, aperture)
    picture = from_linear(light, image.dtype)
    if params.grain:
        picture = give_grain(picture, image, coc, params.grain)
    return picture


def scatter(linear: Linear, coc: FloatMap, aperture: Aperture | None = None) -> Linear:
    """Spread each pixel's light evenly over the aperture: linear (H, W, 3) float32, coc (H, W) signed radius in px.

    Every pixel gives its light once, 1/area to each pixel its disc covers, with exact fractional coverage (Potmesil
    and Chakravarty 1981, as span differences). Pixels before, in and behind the focus plane are summed apart and laid
    over each other, so that a blurred background does not spill over what stands sharp before it, and a blurred
    foreground lets through what is behind it. Does not depend on the number of threads.
    """
    aperture = aperture or make_aperture(BokehParams())
    blurred = np.abs(coc) > _SHARP_RADIUS
    if not blurred.any():
        return linear.copy()
    groups = (blurred & (coc < 0), ~blurred, blurred & (coc > 0))
    mixed = None
    for group in groups:
        if group.any():
            light = _spread([Layer(linear, coc, group.astype(np.float32))], aperture)
            mixed = light if mixed is None else _over(light, mixed)
    assert mixed is not None
    return np.maximum(mixed[..., :3] / np.maximum(mixed[..., 3:], 1e-9), 0)


def scatter_seen(linear: Linear, coc: FloatMap, aperture: Aperture | None = None) -> Linear:
    """As `scatter`, with true partial occlusion: linear (H, W, 3) float32, coc (H, W) signed radius in px.

    The sources are the layers of `layers_of`. Each is spread through those parts of the lens only that nothing nearer
    hides it from, which are found on a grid over the lens; seen from each point of the lens every place is then
    covered about once, and the sum is divided by how often.
    """
    aperture = aperture or make_aperture(BokehParams())
    if not (np.abs(coc) > _SHARP_RADIUS).any():
        return linear.copy()
    margin = int(np.abs(coc).max()) + 1
    wide, wide_coc = _continued(linear, coc, margin)
    light = _spread(layers_of(wide, wide_coc), aperture, wide_coc)
    inside = np.s_[margin:-margin, margin:-margin]
    return np.maximum(light[inside][..., :3] / np.maximum(light[inside][..., 3:], 1e-9), 0)


def _continued(linear: Linear, coc: FloatMap, margin: int) -> tuple[Linear, FloatMap]:
    """Picture and CoC that go on beyond their borders as these are, but for lamps, of which there is only one."""
    weight = calm_weight(linear)
    size = (_CALM_PX, _CALM_PX)
    calm = cv2.blur(linear * weight[..., None], size) / cv2.blur(weight, size)[..., None]
    bright = linear.sum(axis=2) > _LAMP * calm.sum(axis=2)
    around = (margin, margin)
    wide = np.pad(np.where(bright[..., None], calm, linear), (around, around, (0, 0)), "edge")
    wide[margin:-margin, margin:-margin] = linear
    return wide, np.pad(coc, (around, around), "edge")


def _spread(layers: Sequence[Layer], aperture: Aperture, occluder: FloatMap | None = None) -> Linear:
    """Light and weight (H, W, 4) that the layers spread; `occluder` (H, W), if any, is what hides them, its CoC."""
    from depthapps.bokeh._kernels import RADIUS_STEPS, cone_rows, scatter_rows  # numba takes a while to load

    height, width = layers[0].coc.shape
    largest = max(float(np.abs(layer.coc).max()) for layer in layers)
    margin = int(largest) + 2
    half_width = _disc_rows(largest, RADIUS_STEPS)
    if occluder is None:
        occluder = highest = layers[0].coc
        cone = np.full_like(occluder, -np.inf)
    else:
        cone, highest = np.empty_like(occluder), occluder
        cone_rows(occluder, cone)
        for kernel in (np.ones((2 * margin + 1, 1), np.uint8), np.ones((1, 2 * margin + 1), np.uint8)):
            highest = np.asarray(cv2.dilate(highest, kernel), np.float32)
    diagonal = math.hypot(width - 1, height - 1) / 2 or 1.0
    cat_eye = np.array([(width - 1) / 2, (height - 1) / 2, aperture.cat_eye / diagonal])
    out = np.zeros((height, width, 4), np.float32)

    def band(first: int) -> tuple[int, NDArray[np.floating]]:
        last = min(first + _BAND_ROWS, height)
        sums = np.zeros((last - first + 2 * margin, width + 2, 4))
        for layer in layers:
            scatter_rows(
                layer.color, layer.coc, layer.weight, occluder, cone, highest, half_width,
                aperture.spans, aperture.is_disc, aperture.zones, cat_eye, first, last, sums,
            )  # fmt: skip
        np.cumsum(sums, axis=1, out=sums)
        return first - margin, sums[:, :width].astype(np.float32)

    for start, light in in_order(band, range(0, height, _BAND_ROWS)):
        first, end = max(start, 0), min(start + len(light), height)
        out[first:end] += light[first - start : end - start]
    return out


def _over(top: Linear, bottom: Linear) -> Linear:
    """Premultiplied (..., 4) light and weight `top` over `bottom`.

    What the top leaves free is the bottom's, as far as the bottom has weight to fill it; a bottom with less is not
    stretched, so that where both run short each keeps its share.
    """
    weight = top[..., 3:]
    scale = 1 / np.maximum(weight, 1)
    free = 1 - weight * scale
    return top * scale + bottom * np.where(bottom[..., 3:] <= free, 1, free / np.maximum(bottom[..., 3:], 1e-9))


def _disc_rows(largest: float, steps: int) -> NDArray[np.floating]:
    """Half widths (L, R) of discs of radius level/steps on the pixel rows 0, 1, ... from their centres.

    A row's half width is half the exact area that the disc has between the row's two edges.
    """
    radius = np.maximum(np.arange(math.ceil(largest * steps) + 2), 1)[:, None] / steps
    edges = np.arange(int(radius.max()) + 3) - 0.5  # the two edges of row k are k − ½ and k + ½
    t = np.clip(edges[None, :] / radius, -1, 1)
    area_below = radius**2 * (t * np.sqrt(1 - t**2) + np.arcsin(t))  # of the disc below height t · radius
    return (np.diff(area_below, axis=1) / 2).astype(np.float32)
