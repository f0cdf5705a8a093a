"""Triangles drawn into a picture of values, such as a depth map seen from elsewhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

_BAND_ROWS = 512  # every band goes through all triangles

DRAW_ROWS = Kernel(
    "depthapps.surface._raster_kernels", "draw_rows", "float32[:,::1] int32[:,::1] int64 int64 float32[:,::1]"
)


def draw_largest(points: NDArray[np.floating], triangles: NDArray[np.int32], shape: tuple[int, int]) -> FloatMap:
    """The largest value (H, W) float32 of any triangle at the centre of each pixel; -inf where there is none.

    points: (V, 3) = x, y in pixels and a value that is linear over the picture on every plane, such as 1/Z; where it is
    larger the surface is nearer, so that the nearest stays. triangles: (T, 3), either way round.

    A pixel is drawn where its centre lies inside a triangle or on its border (barycentric coordinates of -1e-4 and
    more): neighbours both have the pixels on their common edge, and no rounding leaves a gap between them. Values are
    interpolated along rows from barycentric coordinates. Triangles without an area, or with a corner that is NaN, are
    left out.
    """
    points, triangles = np.ascontiguousarray(points, np.float32), np.ascontiguousarray(triangles, np.int32)
    drawn = np.full(shape, -np.inf, np.float32)
    for_bands(shape[0], lambda first, end: DRAW_ROWS(points, triangles, first, end, drawn), _BAND_ROWS)
    return drawn
