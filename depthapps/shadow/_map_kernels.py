"""Compiled loop of shadow maps: look surface points up in the view of a light.

A view stores nearness, which is larger nearer to the light and linear over the view on every plane. It is -Z for a
light that is infinitely far away, and 1/Z for a lamp; Z is along the light's axis.
"""

import math

import numpy as np
from numpy.typing import NDArray

from depthapps.runtime.inlining import inlined, within

# Least sine of the angle between the light and a surface. Surfaces at a more grazing angle are treated as if at this
# one.
_LEAST_FACING = 0.02
_LEAST = 1.0  # an occluder must be this many texels nearer to the light than the point
_GOLDEN = math.pi * (3 - math.sqrt(5))  # golden angle: samples on a spiral that turns by it cover a disc evenly
_GOLDEN_X, _GOLDEN_Y = math.cos(_GOLDEN), math.sin(_GOLDEN)


@within
def _turned(way, x, y, z):
    """Turn a vector into the light's axes; way: the rows of a rotation matrix, 9 numbers."""
    return (
        way[0] * x + way[1] * y + way[2] * z,
        way[3] * x + way[4] * y + way[5] * z,
        way[6] * x + way[7] * y + way[8] * z,
    )


@inlined
def _penumbra(view, x, y, near, dx, dy, turn, spread, nearest, searches):
    """Width of the penumbra in texels at texel (x, y), from the mean nearness of its occluders; 0 if there are none.

    This is the first step of percentage-closer soft shadows (Fernando 2005). near: the point's nearness; dx, dy: its
    change per texel on the point's tangent plane. spread: width if the occluder's nearness is larger by 1.
    """
    height, width = view.shape
    reach = spread * max(nearest - near, 0.0)
    found, total = 0, 0.0
    p, q = math.cos(turn), math.sin(turn)
    for k in range(searches):
        r = reach * math.sqrt((k + 0.5) / searches)
        i, j = math.floor(x + r * p + 0.5), math.floor(y + r * q + 0.5)
        p, q = p * _GOLDEN_X - q * _GOLDEN_Y, p * _GOLDEN_Y + q * _GOLDEN_X
        if 0 <= i < width and 0 <= j < height:
            value = view[j, i]
            # only occluders inside the cone from the point to the light's disc count
            plane = near + dx * (i - x) + dy * (j - y)
            if value > max(plane, near) and spread * (value - near) >= r:
                found += 1
                total += value - near
    return spread * total / found if found > 0 else 0.0


@inlined
def _lit_sharply(view, x, y, near, dx, dy):
    """Share of the light, 0..1, that passes the 2 x 2 texels around texel (x, y), by bilinear weights."""
    column, row = math.floor(x), math.floor(y)
    p, q = x - column, y - row
    base = near + dx * (column - x) + dy * (row - y)
    lit = (1 - p) * (1 - q) * (view[row, column] <= max(base, near))
    lit += p * (1 - q) * (view[row, column + 1] <= max(base + dx, near))
    lit += (1 - p) * q * (view[row + 1, column] <= max(base + dy, near))
    lit += p * q * (view[row + 1, column + 1] <= max(base + dx + dy, near))
    return lit


@inlined
def _lit_softly(view, x, y, near, dx, dy, turn, penumbra, samples):
    """Share of the light, 0..1, that passes the texels in a disc around texel (x, y) of the penumbra's width."""
    height, width = view.shape
    arrived = 0
    p, q = math.cos(turn), math.sin(turn)
    for k in range(samples):
        r = penumbra * math.sqrt((k + 0.5) / samples)
        i, j = math.floor(x + r * p + 0.5), math.floor(y + r * q + 0.5)
        p, q = p * _GOLDEN_X - q * _GOLDEN_Y, p * _GOLDEN_Y + q * _GOLDEN_X
        inside = 0 <= i < width and 0 <= j < height
        arrived += not inside or view[j, i] <= max(near + dx * (i - x) + dy * (j - y), near)
    return arrived / samples


def look_up(
    view: NDArray[np.floating],
    looks: NDArray[np.floating],
    parallel: int,
    points: NDArray[np.floating],
    normals: NDArray[np.floating],
    turn: NDArray[np.floating],
    radius: float,
    nearest: float,
    searches: int,
    samples: int,
    seen: NDArray[np.floating],
) -> None:
    """Write to `seen` (N,) the share of a light, in 0..1, that arrives at surface points (N, 3); 1 outside its view.

    A texel shades a point if its nearness exceeds that of the point and, at the texel's centre, that of the point's
    tangent plane. So no plane shades itself, at whatever angle it is lit.

    view: nearness. looks: rotation, origin, scale and middle of a `LightView`, 15 numbers. parallel: whether the
    light's rays are parallel. normals: (N, 3). radius: of the light's disc in metres, or at unit distance if the rays
    are parallel; 0 gives shadows that are filtered over 2 x 2 texels. nearest: the largest nearness in the view.
    searches, samples: lookups that estimate the width of a penumbra, and lookups that filter it. turn: (N,) angle by
    which the sample pattern of a point is turned.
    """
    height, width = view.shape
    scale = looks[12]
    spread = radius * scale  # penumbra radius in texels, if the occluder's nearness is larger by 1
    for n in range(len(points)):
        x, y, z = _turned(looks, points[n, 0] - looks[9], points[n, 1] - looks[10], points[n, 2] - looks[11])
        dx, dy, along = _turned(looks, normals[n, 0] + 0.0, normals[n, 1] + 0.0, normals[n, 2] + 0.0)
        length, near = 1.0, -z + _LEAST / scale
        if not parallel:
            along, length = dx * x + dy * y + along * z, math.sqrt(x * x + y * y + z * z)
            near = (1 + _LEAST / scale) / z
            x, y = x / z, y / z
        x, y, along = scale * x + looks[13], scale * y + looks[14], scale * min(along, -_LEAST_FACING * length)
        dx, dy = dx / along, dy / along  # change of nearness per texel on the point's tangent plane
        seen[n] = 1.0
        if not (0 <= math.floor(x) < width - 1 and 0 <= math.floor(y) < height - 1):
            continue
        penumbra = 0.0
        if spread > 0:
            penumbra = _penumbra(view, x, y, near, dx, dy, turn[n], spread, nearest, searches)
        if penumbra <= 1:
            seen[n] = _lit_sharply(view, x, y, near, dx, dy)
        else:
            seen[n] = _lit_softly(view, x, y, near, dx, dy, turn[n], penumbra, samples)
