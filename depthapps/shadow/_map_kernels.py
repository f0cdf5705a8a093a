"""Compiled loops of shadow maps: surfaces looked up in what a light sees.

Depth in such a view is a nearness, linear over the view on every plane and larger where nearer: -Z of a light that is
infinitely far, 1/Z of a lamp.
"""

import math

import numpy as np
from numpy.typing import NDArray

from depthapps.runtime.inlining import within

_LEAST_FACING = 0.02  # sine of the angle at which a surface is taken to be lit that is grazed more
_LEAST = 1.0  # texels that something has to be nearer to the light to stop it
_GOLDEN = math.pi * (3 - math.sqrt(5))
_GOLDEN_X, _GOLDEN_Y = math.cos(_GOLDEN), math.sin(_GOLDEN)


@within
def _turned(way, x, y, z):
    """A vector in the light's axes; way: the rows of a rotation, 9 numbers."""
    return (
        way[0] * x + way[1] * y + way[2] * z,
        way[3] * x + way[4] * y + way[5] * z,
        way[6] * x + way[7] * y + way[8] * z,
    )


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
    """`seen` (N,): how much of a light arrives at surface points (N, 3), as far as its view shows.

    view: nearness. looks: a `LightView`'s rotation, origin, scale and middle, 15 numbers. What a texel holds is
    compared with the plane on which a point lies, at the texel's own centre, and with the point: no plane shades
    itself, however it is lit. radius: of the light's disc, at unit distance if parallel; one of 0 gives shadows
    filtered over 2 x 2 texels. nearest: the largest nearness in the view. turn: (N,) angle by which the samples of a
    point are turned.
    """
    height, width = view.shape
    scale = looks[12]
    spread = radius * scale  # texels by which an occluder spreads the disc that is nearer by 1
    for n in range(len(points)):
        x, y, z = _turned(looks, points[n, 0] - looks[9], points[n, 1] - looks[10], points[n, 2] - looks[11])
        dx, dy, along = _turned(looks, normals[n, 0] + 0.0, normals[n, 1] + 0.0, normals[n, 2] + 0.0)
        length, near = 1.0, -z + _LEAST / scale
        if not parallel:
            along, length = dx * x + dy * y + along * z, math.sqrt(x * x + y * y + z * z)
            near = (1 + _LEAST / scale) / z
            x, y = x / z, y / z
        x, y, along = scale * x + looks[13], scale * y + looks[14], scale * min(along, -_LEAST_FACING * length)
        dx, dy = dx / along, dy / along  # how nearness changes over a texel on the plane of the point
        column, row = math.floor(x), math.floor(y)
        seen[n] = 1.0
        if not (0 <= column < width - 1 and 0 <= row < height - 1):
            continue
        penumbra = 0.0
        if spread > 0:
            # the mean of what is nearer tells how wide the penumbra is (percentage-closer soft shadows, Fernando 2005)
            reach = spread * max(nearest - near, 0.0)
            found, total = 0, 0.0
            p, q = math.cos(turn[n]), math.sin(turn[n])
            for k in range(searches):
                r = reach * math.sqrt((k + 0.5) / searches)
                i, j = math.floor(x + r * p + 0.5), math.floor(y + r * q + 0.5)
                p, q = p * _GOLDEN_X - q * _GOLDEN_Y, p * _GOLDEN_Y + q * _GOLDEN_X
                if 0 <= i < width and 0 <= j < height:
                    value = view[j, i]
                    # a cone to the light: what lies beside it shades nothing
                    plane = near + dx * (i - x) + dy * (j - y)
                    if value > max(plane, near) and spread * (value - near) >= r:
                        found += 1
                        total += value - near
            if found > 0:
                penumbra = spread * total / found
        if penumbra <= 1:
            p, q = x - column, y - row
            base = near + dx * (column - x) + dy * (row - y)
            lit = (1 - p) * (1 - q) * (view[row, column] <= max(base, near))
            lit += p * (1 - q) * (view[row, column + 1] <= max(base + dx, near))
            lit += (1 - p) * q * (view[row + 1, column] <= max(base + dy, near))
            lit += p * q * (view[row + 1, column + 1] <= max(base + dx + dy, near))
            seen[n] = lit
            continue
        arrived = 0
        p, q = math.cos(turn[n]), math.sin(turn[n])
        for k in range(samples):
            r = penumbra * math.sqrt((k + 0.5) / samples)
            i, j = math.floor(x + r * p + 0.5), math.floor(y + r * q + 0.5)
            p, q = p * _GOLDEN_X - q * _GOLDEN_Y, p * _GOLDEN_Y + q * _GOLDEN_X
            inside = 0 <= i < width and 0 <= j < height
            arrived += not inside or view[j, i] <= max(near + dx * (i - x) + dy * (j - y), near)
        seen[n] = arrived / samples
