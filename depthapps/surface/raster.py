"""Draw triangles into a map of values, such as a depth map seen from another place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

_BAND_ROWS = 512  # rows that one thread takes at a time; large, as each band goes through all triangles

DRAW_ROWS = Kernel(
    "depthapps.surface._raster_kernels", "draw_rows", "float32[:,::1] int32[:,::1] int64 int64 float32[:,::1]"
)


def draw_largest(points: NDArray[np.floating], triangles: NDArray[np.int32], shape: tuple[int, int]) -> FloatMap:
    """Draw triangles: the largest value (H, W) float32 of any triangle at each pixel's centre, -inf where none is.

    points: (V, 3), x and y in pixels and a value. The value must be linear over the picture on every plane, as 1/Z is.
    A larger value means a nearer surface, so the nearest surface is kept. triangles: (T, 3), clockwise or
    anticlockwise.

    A pixel is drawn where its centre lies inside a triangle or on its border: where all barycentric coordinates are at
    least -1e-4. Neighbouring triangles both draw the pixels on their common edge, so rounding leaves no gap between
    them. Values are interpolated along rows with barycentric coordinates. Triangles without an area, or with a NaN
    corner, are not drawn.
    """
    points, triangles = np.ascontiguousarray(points, np.float32), np.ascontiguousarray(triangles, np.int32)
    drawn = np.full(shape, -np.inf, np.float32)
    for_bands(shape[0], lambda first, end: DRAW_ROWS(points, triangles, first, end, drawn), _BAND_ROWS)
    return drawn
