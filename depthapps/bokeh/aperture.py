"""The shape of the aperture, as spans on its rows, and what light each zone of it lets through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthapps.bokeh.params import BokehParams

_ROWS = 256  # of the aperture; an edge is interpolated between them
_BUBBLE_RADIUS = 0.8  # of the dim middle of a soap bubble
_BUBBLE_LIGHT = 0.35  # of the rim, that its middle has at full strength
_CREAMY_DISCS = 16  # that together fall off towards the rim, in steps too low to be seen as rings


@dataclass(frozen=True, eq=False)
class Aperture:
    """spans: (S, 2) begin and end of the opening on its rows, from v = −1 to 1, in units of the disc's radius.

    zones: (Z, 2) falling radii and light of concentric openings that add up. cat_eye: how far the barrel's rim has
    moved over the opening in the corner of the picture, in radii.
    """

    spans: NDArray[np.floating]
    is_disc: bool
    zones: NDArray[np.floating]
    cat_eye: float = 0.0


def make_aperture(params: BokehParams) -> Aperture:
    """The aperture of `params`: a disc or a regular polygon in it, squeezed, with its zones."""
    v = (np.arange(_ROWS) + 0.5) * 2 / _ROWS - 1
    plain = params.blades == 0 and params.squeeze == 1
    if params.blades:
        # upside down here: behind the focus, where the lamps are, it then stands upright
        angles = np.radians(params.rotation_deg + 90 + np.arange(params.blades) * 360 / params.blades)
    else:
        angles = np.radians(np.arange(0, 360, 1.0))
    # an anamorphic lens narrows the picture of the opening, not its height
    corners = np.stack([np.cos(angles) / params.squeeze, np.sin(angles)], axis=1)
    return Aperture(_row_spans(corners, v), plain, _zones(params.soap_bubble), params.cat_eye)


def _row_spans(corners: NDArray[np.floating], v: NDArray[np.floating]) -> NDArray[np.floating]:
    """Begin and end (S, 2) of a convex polygon (N, 2) on the lines y = v; both 0 where it is not."""
    spans = np.zeros((len(v), 2))
    ends = np.roll(corners, -1, axis=0)
    for k, height in enumerate(v):
        low, high = np.minimum(corners[:, 1], ends[:, 1]), np.maximum(corners[:, 1], ends[:, 1])
        crossed = (low <= height) & (height < high)
        if crossed.any():
            (x0, y0), (x1, y1) = corners[crossed].T, ends[crossed].T
            x = x0 + (height - y0) / (y1 - y0) * (x1 - x0)
            spans[k] = x.min(), x.max()
    return spans


def _zones(soap_bubble: float) -> NDArray[np.floating]:
    """Radii and light (Z, 2), which adds up to 1: a bright rim above 0, a bright middle below."""
    if soap_bubble > 0:
        middle = -soap_bubble * (1 - _BUBBLE_LIGHT) * _BUBBLE_RADIUS**2  # taken from the disc's own light of 1
        return np.array([[1, 1], [_BUBBLE_RADIUS, middle]]) / [1, 1 + middle]
    if soap_bubble < 0:
        # at full strength 1 − ρ² at the radius ρ, in equal steps
        radius = np.sqrt(1 - np.arange(_CREAMY_DISCS) / _CREAMY_DISCS)
        light = -soap_bubble * radius**2 / (radius**2).sum()
        light[0] += 1 + soap_bubble
        return np.stack([radius, light], axis=1)
    return np.array([[1.0, 1.0]])
