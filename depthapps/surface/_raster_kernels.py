"""Compiled loop that draws triangles into a map of values."""

import math

import numpy as np
from numpy.typing import NDArray

_EDGE = 1e-4  # tolerance, as a share of a triangle's height: a point this far outside an edge still counts as on it


def draw_rows(
    points: NDArray[np.floating], triangles: NDArray[np.int32], first: int, end: int, drawn: NDArray[np.floating]
) -> None:
    """Draw triangles (T, 3) of points (V, 3) into rows first..end of `drawn` (H, W); see `raster.draw_largest`."""
    width, low, high = drawn.shape[1], first + 0.0, end - 1.0
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ay, by, cy = points[a, 1] + 0.0, points[b, 1] + 0.0, points[c, 1] + 0.0
        # min and max get two numbers of one type, because numba needs 15 ms to compile each mixed pair of types
        top, bottom = math.ceil(max(min(min(ay, by), cy), low)), math.floor(min(max(max(ay, by), cy), high))
        if not top <= bottom:
            continue
        ax, bx, cx = points[a, 0] + 0.0, points[b, 0] + 0.0, points[c, 0] + 0.0
        left, right = math.ceil(max(min(min(ax, bx), cx), 0.0)), math.floor(min(max(max(ax, bx), cx), width - 1.0))
        twice = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if not left <= right or not abs(twice) > 0:
            continue
        share = 1 / twice
        an, bn, cn = points[a, 2] + 0.0, points[b, 2] - points[a, 2], points[c, 2] - points[a, 2]
        s_x, s_y, r_x, r_y = (cy - ay) * share, (ax - cx) * share, (ay - by) * share, (bx - ax) * share
        for y in range(top, bottom + 1):
            s, r = (left - ax) * s_x + (y - ay) * s_y, (left - ax) * r_x + (y - ay) * r_y
            for x in range(left, right + 1):
                if s >= -_EDGE and r >= -_EDGE and s + r <= 1 + _EDGE:
                    value = np.float32(an + s * bn + r * cn)
                    if value > drawn[y, x]:
                        drawn[y, x] = value
                s += s_x
                r += r_x
