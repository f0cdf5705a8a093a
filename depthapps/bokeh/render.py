"""The renderer: light spread over circles of confusion, in three layers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.bands import for_bands
from depthapps.bokeh.lens import signed_coc
from depthapps.bokeh.params import BokehParams
from depthapps.color import from_linear, to_linear
from depthapps.scene import FloatMap, Image, Scene

_LEVELS_PER_PX = 32  # steps of the radius; half a step moves a disc's edge by 1/64 px
_SHARP_RADIUS = 0.5  # px; such a disc lies within its own pixel


def render_bokeh(scene: Scene, params: BokehParams) -> Image:
    """The scene through a lens with a circular aperture: a picture of the scene's own size and sample type.

    In linear light. Where nothing is out of focus the picture comes back bit for bit.
    """
    coc, _ = signed_coc(scene, params)
    return blur(scene.image, coc)


def blur(image: Image, coc: FloatMap) -> Image:
    """A picture with each pixel blurred by its signed circle of confusion, (H, W) radius in px; see `scatter`."""
    return from_linear(scatter(to_linear(image), coc), image.dtype)


def scatter(linear: NDArray[np.floating], coc: FloatMap) -> NDArray[np.floating]:
    """Spread each pixel's light evenly over a disc: linear (H, W, 3) float32, coc (H, W) signed radius in px.

    Every pixel gives its light once, 1/area to each pixel its disc covers, with exact fractional coverage (Potmesil
    and Chakravarty 1981, as span differences). Pixels before, in and behind the focus plane are summed apart and laid
    over each other, so that a blurred background does not spill over what stands sharp before it, and a blurred
    foreground lets through what is behind it. Does not depend on the number of threads.
    """
    from depthapps.bokeh._kernels import FAR, FOCUSED, NEAR, scatter_rows  # numba takes a while to load

    radius = np.abs(coc)
    blurred = radius > _SHARP_RADIUS
    if not blurred.any():
        return linear.copy()
    level = np.rint(np.where(blurred, radius, 0) * _LEVELS_PER_PX).astype(np.int32)
    layer = np.where(blurred, np.where(coc > 0, NEAR, FAR), FOCUSED).astype(np.uint8)
    half_width, density = _disc_tables(int(level.max()))
    out = np.empty_like(linear)

    def band(first_row: int, end_row: int) -> None:
        scatter_rows(linear, level, layer, level.max(axis=1), half_width, density, first_row, end_row, out)

    for_bands(len(linear), band)
    return out


def _disc_tables(highest: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Half widths (highest + 1, R) of every disc on the pixel rows 0, 1, ... from its centre, and 1/area of each.

    A row's half width is half the exact area that the disc has between the row's two edges.
    """
    radius = np.maximum(np.arange(highest + 1) / _LEVELS_PER_PX, _SHARP_RADIUS)[:, None]
    edges = np.arange(int(radius.max()) + 3) - 0.5  # the two edges of row k are k − ½ and k + ½
    t = np.clip(edges[None, :] / radius, -1, 1)
    area_below = radius**2 * (t * np.sqrt(1 - t**2) + np.arcsin(t))  # of the disc below height t · radius
    half_width = np.diff(area_below, axis=1) / 2
    density = 1 / (np.pi * radius[:, 0] ** 2)
    sharp = radius[:, 0] <= _SHARP_RADIUS
    half_width[sharp] = 0
    half_width[sharp, 0], density[sharp] = 0.5, 1.0  # a sharp pixel is the square that it is
    return half_width.astype(np.float32), density.astype(np.float32)
