"""Compiled loop of scanning that chooses the view from which each triangle of a surface takes its texture."""

import numpy as np
from numpy.typing import NDArray

from depthapps.runtime.inlining import inlined


@inlined
def _average_around(triangles, area_m2, area_around_m2, inside, count, around, density):
    """Replace each triangle's density by the mean over its corners of the density of the triangles around a corner.

    Triangles count with their areas. inside: numbers of the `count` triangles that density is of. around: (V,) work
    space. The other arguments are those of `rate_triangles`.
    """
    for i in range(count):
        for k in range(3):
            around[triangles[inside[i], k]] = 0
    for i in range(count):
        for k in range(3):
            around[triangles[inside[i], k]] += density[i] * area_m2[inside[i]]
    for i in range(count):
        total = 0.0
        for k in range(3):
            total += around[triangles[inside[i], k]] / area_around_m2[triangles[inside[i], k]]
        density[i] = total / 3


def rate_triangles(
    view: int,
    triangles: NDArray[np.int32],
    area_m2: NDArray[np.floating],
    area_around_m2: NDArray[np.floating],
    pixels: NDArray[np.floating],
    seen: NDArray[np.uint8],
    spreads: int,
    partly_seen: float,
    clearly: float,
    around: NDArray[np.floating],
    density: NDArray[np.floating],
    inside: NDArray[np.int32],
    best: NDArray[np.floating],
    label: NDArray[np.int32],
    shows: NDArray[np.int64],
    holds: NDArray[np.int64],
) -> None:
    """Label triangles (T, 3) with a view if its rating is more than `clearly` times the best rating so far.

    The rating is the view's pixels per square metre of surface, averaged `spreads` times over the triangles around each
    vertex, so that neighbouring triangles agree. If the view does not see the whole triangle, the rating is multiplied
    by partly_seen.

    area_m2: (T,) of each triangle. area_around_m2: (V,) of all triangles around each vertex. pixels: (V, 2), -1 outside
    the view. seen: (V,). best: (T,) best rating so far, and label: (T,) its view; both are updated. shows, holds: (T,)
    one bit per view, set if the view sees the whole triangle, and if the triangle is inside its picture. around (V,),
    density (T,) and inside (T,): work space.
    """
    bit = 1 << view
    count = 0
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        if pixels[a, 0] < 0 or pixels[b, 0] < 0 or pixels[c, 0] < 0:
            continue
        inside[count] = t
        holds[t] |= bit
        # twice the number of pixels that the triangle covers; negative if seen from behind
        covered = (pixels[b, 1] - pixels[a, 1]) * (pixels[c, 0] - pixels[a, 0]) - (pixels[b, 0] - pixels[a, 0]) * (
            pixels[c, 1] - pixels[a, 1]
        )
        density[count] = 0
        if covered > 0 and seen[a] and seen[b] and seen[c]:
            shows[t] |= bit
            density[count] = covered / area_m2[t]
        count += 1
    for _ in range(spreads):
        _average_around(triangles, area_m2, area_around_m2, inside, count, around, density)
    for i in range(count):
        t = inside[i]
        rated = density[i] if shows[t] & bit else partly_seen * density[i]
        if rated > clearly * best[t]:
            label[t], best[t] = view, rated
