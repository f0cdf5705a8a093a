"""Blur a picture by its circles of confusion: scatter each pixel's light, with occlusion, and composite the layers."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.bokeh.aperture import Aperture, make_aperture
from depthapps.bokeh.edges import Layer, Sources, snap_edges, sources_of
from depthapps.bokeh.highlights import give_grain, recover_highlights
from depthapps.bokeh.params import BokehParams
from depthapps.core.choices import Quality
from depthapps.core.color import from_linear, to_encoded
from depthapps.core.filling import calm_weight
from depthapps.core.scene import FloatMap, Image
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands, in_order

_LENS_ROWS = np.iinfo(np.uint32).bits  # rows and columns of the grid that the kernels sample the lens by
_RADIUS_STEPS = 32  # steps per pixel to which a disc's radius is rounded; half a step moves its edge by 1/64 px
_SUBROWS = (
    2  # lens rows averaged for one pixel row, unless the lens is a whole disc; a small, partly hidden disc gets more
)
_BAND_ROWS = 64
# CoC range within a run of occluders. The run occludes as if it had its middle CoC, so the error is 0.1 px at most.
_RUN_STEP_PX = 0.2
_SHARP_RADIUS = 1 / math.sqrt(3)  # px; a disc of this radius is no wider than the pixel's own square
# Coverage above which gaps are filled before all of what stands before the focus, or behind it, is spread; 0.8 to 0.95
# measure alike.
_NEARLY = 0.9
# Window for the mean colour that replaces a lamp when the picture is continued beyond its border.
_CALM_PX = 9
_LAMP = 3.0  # a lamp is this many times brighter than that mean

Linear = NDArray[np.floating]
_scatter_rows = Kernel(
    "depthapps.bokeh._kernels",
    "scatter_rows",
    "float32[:,:,::1] float32[:,::1] float32[:,::1] float32[:,::1] int32[:,::1] float32[:,::1] float32[:,::1] "
    "float32[:,::1] int64 float64[:,::1] int64 int64 float64[:,::1] float64[::1] int64 int64 uint32[::1] "
    "float64[:,::1] float64[:,:,::1]",
)
_lay_rows = Kernel("depthapps.bokeh._layer_kernels", "lay_rows", "float64[:,:,::1] float32[:,:,::1] int64 int64")
_cone_rows = Kernel("depthapps.bokeh._edge_kernels", "cone_rows", "float32[:,::1] float32[:,::1]")
_run_rows = Kernel(
    "depthapps.bokeh._edge_kernels", "run_rows", "float32[:,::1] int64 int64 float64 float32[:,::1] int32[:,::1]"
)


def blur(image: Image, coc: FloatMap, params: BokehParams, quality: Quality = Quality.BALANCED) -> Image:
    """Blur each pixel of a picture (H, W, 3) by its signed circle of confusion, (H, W) radius in px.

    `fast` composites three layers: before, in and behind the focus (`scatter`). `balanced` first moves depth edges onto
    image edges, and composites the near sides of edges over a filled-in background (`scatter_filled`). `best` also
    finds for every source which parts of the lens see it (`scatter_seen`).
    """
    if quality is not Quality.FAST and (np.abs(coc) > _SHARP_RADIUS).any():
        coc = snap_edges(to_encoded(image), coc)
    return blur_snapped(image, coc, params, quality)


def blur_snapped(image: Image, coc: FloatMap, params: BokehParams, quality: Quality) -> Image:
    """Blur as `blur` does, but leave depth edges where they are."""
    if not (np.abs(coc) > _SHARP_RADIUS).any():
        return image.copy()
    linear = recover_highlights(image, params.highlights)
    render = {Quality.FAST: scatter, Quality.BALANCED: scatter_filled, Quality.BEST: scatter_seen}[quality]
    aperture = make_aperture(params)
    if params.fringe:
        shift = params.fringe * np.clip(np.abs(coc) / max(abs(params.fringe), 1), 0, 1)  # no fringe in focus
        channels = [render(linear, (coc + step).astype(np.float32), aperture) for step in (shift, 0 * shift, -shift)]
        light = np.stack([channel[..., k] for k, channel in enumerate(channels)], axis=2)
    else:
        light = render(linear, coc, aperture)
    picture = from_linear(light, image.dtype)
    if params.grain:
        picture = give_grain(picture, image, coc, params.grain)
    return picture


def scatter(linear: Linear, coc: FloatMap, aperture: Aperture | None = None) -> Linear:
    """Scatter each pixel's light evenly over the aperture: linear (H, W, 3) float32, coc (H, W) signed radius in px.

    Every pixel adds 1/area of its light to each pixel that its disc covers, with exact fractional coverage (Potmesil
    and Chakravarty 1981, as span differences). Pixels before, in and behind the focus are summed in separate layers and
    composited. So a blurred background does not bleed over a sharp foreground, and a blurred foreground is translucent
    at its edges. The result does not depend on the number of threads.
    """
    linear, coc = np.ascontiguousarray(linear), np.ascontiguousarray(coc)
    return _laid(Sources([[Layer(linear, coc, np.ones_like(coc))]], [], np.zeros(coc.shape, bool)), coc, aperture)


def scatter_filled(linear: Linear, coc: FloatMap, aperture: Aperture | None = None) -> Linear:
    """Scatter like `scatter`, with the near sides of depth edges composited over a background filled in behind them.

    linear: (H, W, 3) float32. coc: (H, W), signed radius in px. The sources are those of `sources_of`.
    """
    if not (np.abs(coc) > _SHARP_RADIUS).any():
        return linear.copy()
    linear, coc = np.ascontiguousarray(linear), np.ascontiguousarray(coc)
    return _laid(sources_of(linear, coc), coc, aperture)


def _laid(sources: Sources, coc: FloatMap, aperture: Aperture | None) -> Linear:
    """Composite sources front to back into light (H, W, 3): all before the focus, then in focus, then behind it."""
    aperture = aperture or make_aperture(BokehParams())
    light = np.zeros((*coc.shape, 4), np.float32)
    before, behind = coc > _SHARP_RADIUS, coc < -_SHARP_RADIUS

    def spread(layers: list[Layer], side: int) -> None:
        _spread([_part(layer, side * layer.coc > _SHARP_RADIUS) for layer in layers], aperture, light)

    for side, here in ((1, before), (-1, behind)):
        for layers in sources.shown:
            spread(layers, side)
            _fill(light, sources.closed & here, _NEARLY)
        _fill(light, sources.closed & here, 0)
        spread(sources.hidden, side)
        if side > 0:
            layers = [*chain(*sources.shown), *sources.hidden]
            _lay_sharp([_part(layer, np.abs(layer.coc) <= _SHARP_RADIUS) for layer in layers], light)
    return _by_weight(light)


def _fill(light: Linear, here: NDArray[np.bool_], above: float) -> None:
    """Scale light and weight (H, W, 4) to full coverage inside a mask (H, W), where the coverage is more than `above`.

    Neighbouring discs of different sizes leave gaps: where a radius grows from 0.8 to 1.4 px within a pixel, a quarter
    of it, through which a dotted line of the background would show.
    """
    weight = light[here, 3]
    light[here] /= np.where(weight > above, weight, 1)[:, None]


def _part(layer: Layer, inside: NDArray[np.bool_]) -> Layer:
    """Keep the sources of a layer inside a mask (H, W)."""
    return layer._replace(weight=layer.weight * inside)


def _lay_sharp(layers: Sequence[Layer], above: Linear) -> None:
    """Composite layers that are in focus below light and weight (H, W, 4), each source on its own pixel."""
    weight = np.add.reduce([layer.weight for layer in layers])
    here = weight > 0
    light = np.add.reduce([layer.color[here] * layer.weight[here, None] for layer in layers])
    keep = np.minimum(np.maximum(1 - above[here, 3], 0) / weight[here], 1)
    above[here, :3] += light * keep[:, None]
    above[here, 3] += weight[here] * keep


def scatter_seen(linear: Linear, coc: FloatMap, aperture: Aperture | None = None) -> Linear:
    """Scatter like `scatter_filled`, with true partial occlusion: linear (H, W, 3) float32, coc (H, W) signed px.

    Each source of `sources_of` is scattered only through those parts of the lens from which nothing nearer occludes it.
    A grid over the lens finds them. From each point of the lens every place is then covered about once, and the sum is
    divided by the coverage.
    """
    aperture = aperture or make_aperture(BokehParams())
    if not (np.abs(coc) > _SHARP_RADIUS).any():
        return linear.copy()
    margin = int(np.abs(coc).max()) + 1
    wide, wide_coc = _continued(linear, coc, margin)
    light = np.zeros((*wide_coc.shape, 4), np.float32)
    sources = sources_of(wide, wide_coc)
    _spread([*chain(*sources.shown), *sources.hidden], aperture, light, wide_coc)
    return _by_weight(light[margin:-margin, margin:-margin])


def _by_weight(light: Linear) -> Linear:
    """Divide premultiplied light by its weight: (H, W, 4) in, (H, W, 3) out."""
    return np.maximum(light[..., :3] / np.maximum(light[..., 3:], 1e-9), 0)


def _continued(linear: Linear, coc: FloatMap, margin: int) -> tuple[Linear, FloatMap]:
    """Extend picture and CoC by reflection at their borders; lamps are replaced, because they must not appear twice.

    Repeating only the outermost row would give it too much weight: in many photos it is black or half cut off.
    """
    weight = calm_weight(linear)
    size = (_CALM_PX, _CALM_PX)
    calm = cv2.blur(linear * weight[..., None], size) / cv2.blur(weight, size)[..., None]
    bright = linear.sum(axis=2) > _LAMP * calm.sum(axis=2)
    around = (margin, margin)
    wide = np.pad(np.where(bright[..., None], calm, linear), (around, around, (0, 0)), "symmetric")
    wide[margin:-margin, margin:-margin] = linear
    return wide, np.pad(coc, (around, around), "symmetric")


def _spread(layers: Sequence[Layer], aperture: Aperture, above: Linear, occluder: FloatMap | None = None) -> None:
    """Scatter the layers and composite them below light and weight (H, W, 4); occluder: (H, W) CoC of what hides them.

    Bands are at least twice as high as the largest radius with its margin, and every second band is processed at a
    time. So no two concurrent bands write the same row, and light is summed in the same order for any number of
    threads.
    """
    layers = [layer for layer in layers if layer.weight.any()]
    if not layers:
        return
    height, width = layers[0].coc.shape
    largest = max(float(np.abs(layer.coc[layer.weight > 0]).max()) for layer in layers)
    margin = int(largest) + 2
    band_rows = max(_BAND_ROWS, 2 * margin)
    half_width = _disc_rows(largest, _RADIUS_STEPS, height)
    if occluder is None:
        level = highest = layers[0].coc
        cone, run_end = np.full_like(level, -np.inf), np.zeros(level.shape, np.int32)
    else:
        level, run_end, cone = np.empty_like(occluder), np.empty(occluder.shape, np.int32), np.empty_like(occluder)
        for_bands(height, lambda first, end: _run_rows(occluder, first, end, _RUN_STEP_PX, level, run_end))
        _cone_rows(occluder, cone)
        highest = occluder
        for kernel in (np.ones((2 * margin + 1, 1), np.uint8), np.ones((1, 2 * margin + 1), np.uint8)):
            highest = np.asarray(cv2.dilate(highest, kernel), np.float32)
    diagonal = math.hypot(width - 1, height - 1) / 2 or 1.0
    cat_eye = np.array([(width - 1) / 2, (height - 1) / 2, aperture.cat_eye / diagonal])
    sums = np.zeros((height, width + 2, 4))

    def band(first: int) -> None:
        hidden, spans = np.zeros(_LENS_ROWS, np.uint32), np.zeros((max((2 * margin + 1) * _SUBROWS, 4 * _LENS_ROWS), 3))
        for layer in layers:
            _scatter_rows(
                layer.color, layer.coc, layer.weight, level, run_end, cone, highest, half_width, _RADIUS_STEPS,
                aperture.spans, aperture.is_disc, _SUBROWS, aperture.zones, cat_eye,
                first, min(first + band_rows, height), hidden, spans, sums,
            )  # fmt: skip

    for start in (0, band_rows):
        deque(in_order(band, range(start, height, 2 * band_rows)), 0)
    for_bands(height, lambda first, end: _lay_rows(sums, above, first, end))


def _disc_rows(largest: float, steps: int, height: int) -> NDArray[np.floating]:
    """Half widths (L, R) of discs of radius level/steps, on the pixel rows 0, 1, ... from their centres.

    Half the exact area of the disc between the two edges of a row is the row's half width. No picture of `height` rows
    shows a row that is as far from a centre: those of radii as long as a strip would take most of the time and memory.
    """
    radius = np.maximum(np.arange(math.ceil(largest * steps) + 2), 1)[:, None] / steps
    edges = np.arange(min(int(radius.max()) + 3, height + 1)) - 0.5  # row k lies between k − ½ and k + ½
    half = np.empty((len(radius), len(edges) - 1), np.float32)

    def fill(first: int, end: int) -> None:
        r = radius[first:end]
        t = np.clip(edges / r, -1, 1)
        area_below = r**2 * (t * np.sqrt(1 - t**2) + np.arcsin(t))  # of the disc, from its middle to the height t · r
        half[first:end] = np.diff(area_below, axis=1) / 2

    for_bands(len(radius), fill)
    return half
