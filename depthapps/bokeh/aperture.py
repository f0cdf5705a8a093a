"""Describe the aperture: its shape as spans on rows, and the light of its concentric zones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthapps.bokeh.params import BokehParams

_ROWS = 256  # of the aperture; its outline is interpolated between them
_BUBBLE_RADIUS = 0.8  # of the dim middle of a soap bubble, relative to the disc
_BUBBLE_LIGHT = 0.35  # brightness of that middle relative to the rim, at full strength
_CREAMY_DISCS = 16  # discs whose sum falls off towards the rim, in steps too small to be seen as rings


@dataclass(frozen=True, eq=False)
class Aperture:
    """The opening of a lens, in units of its radius.

    spans: (S, 2), start and end of the opening on its rows, from v = −1 to 1. is_disc: whether it is the unit disc.
    zones: (Z, 2), decreasing radii of concentric openings and the light of each; their light adds up to 1. cat_eye:
    distance in radii, 0 to 1, by which the lens barrel shifts over the opening in the picture's corners.
    """

    spans: NDArray[np.floating]
    is_disc: bool
    zones: NDArray[np.floating]
    cat_eye: float = 0.0


def make_aperture(params: BokehParams) -> Aperture:
    """Build the aperture of `params`: a disc or a regular polygon inside it, squeezed, with its zones."""
    v = (np.arange(_ROWS) + 0.5) * 2 / _ROWS - 1
    plain = params.blades == 0 and params.squeeze == 1
    if params.blades:
        # upside down, because behind the focus, where most lamps are, it is then shown upright
        angles = np.radians(params.rotation_deg + 90 + np.arange(params.blades) * 360 / params.blades)
    else:
        angles = np.radians(np.arange(0, 360, 1.0))
    # an anamorphic lens squeezes the image of the opening horizontally only
    corners = np.stack([np.cos(angles) / params.squeeze, np.sin(angles)], axis=1)
    return Aperture(_row_spans(corners, v), plain, _zones(params.soap_bubble), params.cat_eye)


def _row_spans(corners: NDArray[np.floating], v: NDArray[np.floating]) -> NDArray[np.floating]:
    """Start and end (S, 2) of a convex polygon (N, 2) on the lines y = v; both 0 where a line misses it."""
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
    """Radii and light (Z, 2) of the zones; soap_bubble > 0 gives a bright rim, < 0 a bright middle."""
    if soap_bubble > 0:
        # negative light: it is taken from the whole disc, whose light is 1
        middle = -soap_bubble * (1 - _BUBBLE_LIGHT) * _BUBBLE_RADIUS**2
        return np.array([[1, 1], [_BUBBLE_RADIUS, middle]]) / [1, 1 + middle]
    if soap_bubble < 0:
        # at full strength brightness falls as 1 − ρ² with the radius ρ, in equal steps
        radius = np.sqrt(1 - np.arange(_CREAMY_DISCS) / _CREAMY_DISCS)
        light = -soap_bubble * radius**2 / (radius**2).sum()
        light[0] += 1 + soap_bubble
        return np.stack([radius, light], axis=1)
    return np.array([[1.0, 1.0]])
