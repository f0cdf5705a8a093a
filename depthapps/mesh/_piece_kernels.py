"""Compiled loop that finds the connected pieces of a mesh."""

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
