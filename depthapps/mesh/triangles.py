"""What triangles over numbered vertices are made of: the vertices they use, and their pieces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.runtime.kernel import Kernel

join_pieces = Kernel("depthapps.mesh._triangle_kernels", "join_pieces", "int32[:,::1] int32[::1]")


def used_vertices(triangles: NDArray[np.integer], count: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Find which of `count` vertices the triangles (T, 3) use, in order, and renumber the triangles to these alone."""
    used = np.zeros(count, bool)
    used[triangles] = True
    renumbered = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return np.flatnonzero(used), renumbered[triangles]


def piece_sizes(triangles: NDArray[np.int32], count: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Label each triangle (T,) with its connected component, and count the triangles of each label (V,).

    A label is the lowest vertex number of the component; other counts are 0.
    """
    piece = np.arange(count, dtype=np.int32)
    join_pieces(np.ascontiguousarray(triangles, np.int32), piece)
    of_triangle = piece[triangles[:, 0]]
    return of_triangle, np.bincount(of_triangle, None, count)
