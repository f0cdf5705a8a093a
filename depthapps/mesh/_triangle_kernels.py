"""Compiled loops over the triangles of a mesh: its pieces, its steps of colour, its picture."""

import numpy as np
from numpy.typing import NDArray


def join_pieces(triangles: NDArray[np.int32], piece: NDArray[np.int32]) -> None:
    """Give the vertices of every connected piece one number; `piece` (V,) comes as 0..V−1."""
    for t in range(len(triangles)):
        for k in range(2):
            a, b = triangles[t, k], triangles[t, k + 1]
            while piece[a] != a:
                piece[a] = piece[piece[a]]
                a = piece[a]
            while piece[b] != b:
                piece[b] = piece[piece[b]]
                b = piece[b]
            piece[max(a, b)] = min(a, b)
    for v in range(len(piece)):
        piece[v] = piece[piece[v]]


def find_color_steps(triangles, colors, steps) -> None:
    """The largest difference (V,) uint8 of any channel of the colours (V, 3) along the edges at every vertex."""
    steps[:] = 0
    for t in range(len(triangles)):
        for corner in range(3):
            v, u = triangles[t, corner], triangles[t, (corner + 1) % 3]
            for c in range(3):
                step = max(colors[v, c], colors[u, c]) - min(colors[v, c], colors[u, c])  # unsigned
                steps[v] = max(steps[v], step)
                steps[u] = max(steps[u], step)


def rasterize(points: NDArray[np.floating], triangles: NDArray[np.int32], out: NDArray[np.floating]) -> None:
    """Draw triangles of points (V, 3) = (x, y, value) into `out` (H, W), the largest value at each pixel centre.

    What no triangle covers stays; NaN gives way to any value.
    """
    height, width = out.shape
    edge = 1e-4  # pixels on an edge belong to both sides
    for t in range(len(triangles)):
        a, b, c = points[triangles[t, 0]], points[triangles[t, 1]], points[triangles[t, 2]]
        twice = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
        if twice == 0:
            continue
        left, right = int(np.ceil(min(a[0], b[0], c[0]))), int(np.floor(max(a[0], b[0], c[0])))
        top, bottom = int(np.ceil(min(a[1], b[1], c[1]))), int(np.floor(max(a[1], b[1], c[1])))
        for y in range(max(0, top), min(height - 1, bottom) + 1):
            for x in range(max(0, left), min(width - 1, right) + 1):
                s = ((x - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (y - a[1])) / twice
                r = ((b[0] - a[0]) * (y - a[1]) - (x - a[0]) * (b[1] - a[1])) / twice
                if s >= -edge and r >= -edge and s + r <= 1 + edge:
                    value = a[2] + s * (b[2] - a[2]) + r * (c[2] - a[2])
                    if not out[y, x] >= value:
                        out[y, x] = value
