"""Compiled loops over the triangles of a mesh: find its connected components and its steps of colour."""

import numpy as np
from numpy.typing import NDArray


def join_pieces(triangles: NDArray[np.int32], piece: NDArray[np.int32]) -> None:
    """Give all vertices of a connected component the same number in `piece` (V,), which is 0..V−1 on entry.

    The number is the smallest vertex number of the component; the method is union-find.
    """
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
    """Write to `steps` (V,) uint8 each vertex's largest colour difference to a neighbour, in any channel.

    triangles: (T, 3). colors: (V, 3) uint8.
    """
    steps[:] = 0
    for t in range(len(triangles)):
        for corner in range(3):
            v, u = triangles[t, corner], triangles[t, (corner + 1) % 3]
            for c in range(3):
                step = max(colors[v, c], colors[u, c]) - min(colors[v, c], colors[u, c])  # uint8: never negative
                steps[v] = max(steps[v], step)
                steps[u] = max(steps[u], step)


def link_corners(triangles: NDArray[np.int32], head: NDArray[np.int32], following: NDArray[np.int32]) -> None:
    """List the corners of every vertex as a linked list: the first in `head` (V,), the next in `following` (3T,).

    -1 ends a list.
    """
    head[:] = -1
    for corner in range(following.size):
        vertex = triangles[corner // 3, corner % 3]
        following[corner] = head[vertex]
        head[vertex] = corner
