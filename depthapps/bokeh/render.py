"""The renderers: light spread over circles of confusion, each through the part of the lens that sees it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.bokeh.aperture import Aperture, make_aperture
from depthapps.bokeh.edges import Layer, Sources, calm_weight, snap_edges, sources_of
from depthapps.bokeh.highlights import give_grain, recover_highlights
from depthapps.bokeh.params import BokehParams
from depthapps.core.choices import Quality
from depthapps.core.color import from_linear, to_encoded
from depthapps.core.scene import FloatMap, Image
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands, in_order

LENS_ROWS, RADIUS_STEPS, SUBROWS = 32, 32, 2  # of _kernels, which loads numba; a test holds them equal
_BAND_ROWS = 64
_RUN_STEP_PX = 0.2  # CoC within a run of what hides; hides as if it were the run's middle, 0.1 px off at most
_SHARP_RADIUS = 1 / math.sqrt(3)  # px; such a disc is no wider than the pixel's own square
_NEARLY = 0.9  # of whole; 0.8 to 0.95 measure alike
_CALM_PX = 9  # the neighbourhood whose mean a border goes on with where it ends in a lamp
_LAMP = 3.0  # times the calm mean around it

Linear = NDArray[np.floating]
_scatter_rows = Kernel(
    "depthapps.bokeh._kernels",
    "scatter_rows",
    "float32[:,:,::1] float32[:,::1] float32[:,::1] float32[:,::1] int32[:,::1] float32[:,::1] float32[:,::1] "
    "float32[:,::1] float64[:,::1] int64 float64[:,::1] float64[::1] int64 int64 uint32[::1] float64[:,::1] "
    "float64[:,:,::1]",
)
_lay_rows = Kernel("depthapps.bokeh._kernels", "lay_rows", "float64[:,:,::1] float32[:,:,::1] int64 int64")
_cone_rows = Kernel("depthapps.bokeh._edge_kernels", "cone_rows", "float32[:,::1] float32[:,::1]")
_run_rows = Kernel(
    "depthapps.bokeh._edge_kernels", "run_rows", "float32[:,::1] int64 int64 float64 float32[:,::1] int32[:,::1]"
)


def blur(image: Image, coc: FloatMap, params: BokehParams, quality: Quality = Quality.BALANCED) -> Image:
    """A picture with each pixel blurred by its signed circle of confusion, (H, W) radius in px.

    `fast` lays three layers over each other (`scatter`). `balanced` moves the depth edges onto the picture's first,
    and lays what is before them over a background that goes on behind (`scatter_filled`). `best` finds for every
    source which parts of the lens it is seen from (`scatter_seen`).
    """
    if quality is not Quality.FAST and (np.abs(coc) > _SHARP_RADIUS).any():
        coc = snap_edges(to_encoded(image), coc)
    return blur_snapped(image, coc, params, quality)


def blur_snapped(image: Image, coc: FloatMap, params: BokehParams, quality: Quality) -> Image:
    """As `blur`, with depth edges left where they are."""
    if not (np.abs(coc) > _SHARP_RADIUS).any():
        return image.copy()
    linear = recover_highlights(image, params.highlights)
    render = {Quality.FAST: scatter, Quality.BALANCED: scatter_filled, Quality.BEST: scatter_seen}[quality]
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
    linear, coc = np.ascontiguousarray(linear), np.ascontiguousarray(coc)
    return _laid(Sources([[Layer(linear, coc, np.ones_like(coc))]], [], np.zeros(coc.shape, bool)), coc, aperture)


def scatter_filled(linear: Linear, coc: FloatMap, aperture: Aperture | None = None) -> Linear:
    """As `scatter`, with what stands before depth edges over the rest, and the background behind it filled in.

    linear (H, W, 3) float32, coc (H, W) signed radius in px; the sources are those of `sources_of`.
    """
    if not (np.abs(coc) > _SHARP_RADIUS).any():
        return linear.copy()
    linear, coc = np.ascontiguousarray(linear), np.ascontiguousarray(coc)
    return _laid(sources_of(linear, coc), coc, aperture)


def _laid(sources: Sources, coc: FloatMap, aperture: Aperture | None) -> Linear:
    """Light (H, W, 3) of sources laid from front to back: all before the focus, then in it, then behind it."""
    aperture = aperture or make_aperture(BokehParams())
    light = np.zeros((*coc.shape, 4), np.float32)
    before, behind = coc > _SHARP_RADIUS, coc < -_SHARP_RADIUS

    def spread(layers: list[Layer], side: int) -> None:
        _spread([_part(layer, side * layer.coc > _SHARP_RADIUS) for layer in layers], aperture, light)

    for side, here in ((1, before), (-1, behind)):
        for layers in sources.shown:
            spread(layers, side)
            _fill(light, sources.closed & here)
        spread(sources.hidden, side)
        if side > 0:
            layers = [*chain(*sources.shown), *sources.hidden]
            _lay_sharp([_part(layer, np.abs(layer.coc) <= _SHARP_RADIUS) for layer in layers], light)
    return _by_weight(light)


def _fill(light: Linear, here: NDArray[np.bool_]) -> None:
    """Make light and weight (H, W, 4) whole at a mask (H, W) where it nearly is: discs of unlike sizes leave gaps."""
    weight = light[here, 3]
    light[here] /= np.where(weight > _NEARLY, weight, 1)[:, None]


def _part(layer: Layer, inside: NDArray[np.bool_]) -> Layer:
    """The sources of a layer that lie inside a mask (H, W)."""
    return layer._replace(weight=layer.weight * inside)


def _lay_sharp(layers: Sequence[Layer], above: Linear) -> None:
    """Lay layers that are in focus below light and weight (H, W, 4), each source on its own pixel."""
    weight = np.add.reduce([layer.weight for layer in layers])
    here = weight > 0
    light = np.add.reduce([layer.color[here] * layer.weight[here, None] for layer in layers])
    keep = np.minimum(np.maximum(1 - above[here, 3], 0) / weight[here], 1)
    above[here, :3] += light * keep[:, None]
    above[here, 3] += weight[here] * keep


def scatter_seen(linear: Linear, coc: FloatMap, aperture: Aperture | None = None) -> Linear:
    """As `scatter_filled`, with true partial occlusion: linear (H, W, 3) float32, coc (H, W) signed radius in px.

    Each source of `sources_of` is spread through those parts of the lens only that nothing nearer hides it from, which
    are found on a grid over the lens; seen from each point of the lens every place is then covered about once, and the
    sum is divided by how often.
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
    """Light (H, W, 3) of light and weight (H, W, 4)."""
    return np.maximum(light[..., :3] / np.maximum(light[..., 3:], 1e-9), 0)


def _continued(linear: Linear, coc: FloatMap, margin: int) -> tuple[Linear, FloatMap]:
    """Picture and CoC that go on beyond their borders as in a mirror, but for lamps, of which there is only one.

    A photo's outermost row alone, repeated, would decide too much: many are black or half cut off.
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
    """Lay what the layers spread below light and weight (H, W, 4); `occluder` (H, W) is the CoC of what hides them.

    Bands are as high as two margins of the largest radius, and every other one is done at a time, so that no two at
    work reach the same row and light adds up in one order, whoever computes it.
    """
    layers = [layer for layer in layers if layer.weight.any()]
    if not layers:
        return
    height, width = layers[0].coc.shape
    largest = max(float(np.abs(layer.coc[layer.weight > 0]).max()) for layer in layers)
    margin = int(largest) + 2
    band_rows = max(_BAND_ROWS, 2 * margin)
    half_width = _disc_rows(largest, RADIUS_STEPS)
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
        hidden, spans = np.zeros(LENS_ROWS, np.uint32), np.zeros((max((2 * margin + 1) * SUBROWS, 4 * LENS_ROWS), 3))
        for layer in layers:
            _scatter_rows(
                layer.color, layer.coc, layer.weight, level, run_end, cone, highest, half_width, aperture.spans,
                aperture.is_disc, aperture.zones, cat_eye, first, min(first + band_rows, height), hidden, spans, sums,
            )  # fmt: skip

    for start in (0, band_rows):
        deque(in_order(band, range(start, height, 2 * band_rows)), 0)
    for_bands(height, lambda first, end: _lay_rows(sums, above, first, end))


def _disc_rows(largest: float, steps: int) -> NDArray[np.floating]:
    """Half widths (L, R) of discs of radius level/steps on the pixel rows 0, 1, ... from their centres.

    A row's half width is half the exact area that the disc has between the row's two edges.
    """
    radius = np.maximum(np.arange(math.ceil(largest * steps) + 2), 1)[:, None] / steps
    edges = np.arange(int(radius.max()) + 3) - 0.5  # the two edges of row k are k − ½ and k + ½
    t = np.clip(edges[None, :] / radius, -1, 1)
    area_below = radius**2 * (t * np.sqrt(1 - t**2) + np.arcsin(t))  # of the disc below height t · radius
    return (np.diff(area_below, axis=1) / 2).astype(np.float32)
