"""Fewer triangles on the same surface: edges are collapsed in the order of the error that each adds.

Quadric error metrics (Garland and Heckbert 1997) with vertices that stay where they were measured: a vertex moves into
one of its neighbours, so that those which remain keep their exact depth, colour and texture coordinates. Over a depth
map the work is done on (x, y, 1/Z), where every plane of the scene is exactly plane, and the error is relative depth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.geometry import inverse_depth
from depthapps.core.scene import FloatMap
from depthapps.mesh.coarsen import coarse_triangles
from depthapps.mesh.cut import GridSurface
from depthapps.mesh.params import SimplifyParams
from depthapps.mesh.triangles import used_vertices
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands
from depthapps.surface.raster import draw_largest
from depthapps.surface.tearing import Quads

# A border that moves by a pixel counts as much as a depth that is wrong by this share: silhouettes are seen first.
BORDER_PX = 0.02
# The cheapest share of the vertices that each pass collapses: larger ones are faster and choose worse.
PASS_SHARE = 0.5
BAND_VERTICES = 20_000
# So many triangles of a depth map, for each that may be left, are more than enough to choose from. On found and
# measured depth maps of two Middlebury scenes errors were 6 to 170 % larger with 2 than with
# all, and at most 1 % with 4 and 6.
EXCESS = 4
RING = 40  # vertices with more neighbours stay as they are

_KERNELS = "depthapps.mesh._collapse_kernels"
_CORNERS = "int32[:,::1] int32[::1] int32[::1]"  # triangles, head, following
_SURFACE = f"{_CORNERS} float64[:,::1] float64[:,::1] float64[:,::1] float64[::1] int32[::1]"
_link_corners = Kernel(_KERNELS, "link_corners", _CORNERS)
_add_quadrics = Kernel(
    _KERNELS, "add_quadrics", f"float64[:,::1] float64[:,::1] int64 {_CORNERS} float64 int32[:,::1] float64[:,::1]"
)
_hold_places = Kernel(_KERNELS, "hold_places", "float64[:,::1] int32[:,::1] float64[::1] float64[:,::1]")
_find_collapses = Kernel(
    _KERNELS, "find_collapses", f"int64 int64 int32[:,::1] int32[::1] float64[::1] {_SURFACE} uint8[::1]"
)
_collapse = Kernel(_KERNELS, "collapse", f"float64 int64 int32[:,::1] {_SURFACE} uint8[::1] uint8[::1] int64[::1]")


@dataclass(frozen=True)
class Loss:
    """What simplifying changed, seen from the camera: shares of depth, off the borders, and of the surface's pixels."""

    rms: float
    largest: float
    lost: float


class Collapser:
    """A triangle mesh whose edges are collapsed, the cheapest first.

    points: (V, 3) float64. border_weight: what a border edge's displacement counts, beside a surface's. heights: the
    third column of `points` is a height over the other two, see `_collapse_kernels.add_quadrics`.
    """

    def __init__(
        self,
        points: NDArray[np.floating],
        triangles: NDArray[np.int32],
        border_weight: float,
        *,
        heights: bool = False,
    ) -> None:
        self._points = np.ascontiguousarray(points, np.float64)
        self._shape = self._points * [1, 1, 0] if heights else self._points
        self._triangles = np.array(triangles, np.int32, order="C")
        count = len(points)
        self._head, self._following = np.empty(count, np.int32), np.empty(3 * len(triangles), np.int32)
        _link_corners(self._triangles, self._head, self._following)
        self._quadrics = np.zeros((count, 10))
        corners = (self._triangles, self._head, self._following)
        rings = np.empty((2, RING), np.int32)
        _add_quadrics(self._points, self._shape, int(heights), *corners, border_weight, rings, self._quadrics)
        self._stale = np.ones(count, np.uint8)
        self._costs, self._targets = np.full(count, np.inf), np.zeros(count, np.int32)
        self.count = len(triangles)

    def hold(self, weight: NDArray[np.floating]) -> None:
        """Let every vertex' own place count, by a weight (V,): moved by d, it costs its area times weight · d²."""
        _hold_places(self._points, self._triangles, np.ascontiguousarray(weight, np.float64), self._quadrics)

    @property
    def points(self) -> NDArray[np.floating]:
        """(V, 3) float64 as given."""
        return self._points

    @property
    def triangles(self) -> NDArray[np.int32]:
        """(T, 3) int32 that are left."""
        return self._triangles[self._triangles[:, 0] >= 0]

    def step(self, max_triangles: int) -> bool:
        """Collapse the cheapest edges, down to max_triangles at most; False when nothing is left to be done."""
        if self.count <= max_triangles:
            return False
        mesh = (self._triangles, self._head, self._following, self._points, self._shape, self._quadrics)
        search = (*mesh, self._costs, self._targets, self._stale)

        def band(first: int, end: int) -> None:
            ring, tried, prices = np.empty((4, RING), np.int32), np.empty(2 * RING, np.int32), np.empty(2 * RING)
            _find_collapses(first, end, ring, tried, prices, *search)

        for_bands(len(self._costs), band, BAND_VERTICES)
        costs = self._costs[self._costs < np.inf]
        if not costs.size:
            return False
        excess = self.count - max_triangles
        rank = min(int(PASS_SHARE * costs.size), excess // 2)
        limit = np.partition(costs, rank)[rank]
        rings, gone = np.empty((4, RING), np.int32), np.empty(1, np.int64)
        _collapse(limit, excess, rings, *search, np.zeros(len(self._costs), np.uint8), gone)
        self.count -= int(gone[0])
        return gone[0] > 0

    def collapse_to(self, max_triangles: int) -> NDArray[np.int32]:
        """The triangles (T, 3) that are left when there are no more than max_triangles, or none can be spared."""
        while self.step(max_triangles):
            pass
        return self.triangles


def grid_collapser(inverse: FloatMap, quads: Quads, params: SimplifyParams) -> tuple[NDArray[np.int64], Collapser]:
    """The pixels that are vertices, and the collapser of the surface over them, coarser already where planes fit.

    inverse: 1/Z (H, W), in 1/m. quads: the triangles over it.
    """
    error = math.inf if params.max_error_pct is None else params.max_error_pct / 100
    vertices = None if params.max_triangles is None else EXCESS * params.max_triangles // 2
    used, triangles = used_vertices(coarse_triangles(inverse, quads, error=error, vertices=vertices), inverse.size)
    y, x = np.divmod(used, inverse.shape[1])
    points = np.column_stack([x, y, inverse.ravel()[used]]).astype(np.float64)
    return used, Collapser(points, triangles, BORDER_PX**2, heights=True)


def simplify_surface(surface: GridSurface, params: SimplifyParams) -> tuple[NDArray[np.int32], Loss]:
    """Fewer triangles (T, 3) int32 over the vertices of a surface, and what that changed."""
    inverse = inverse_depth(surface.depth_m)
    used, collapser = grid_collapser(inverse, surface.quads, params)
    measured = _Measure(np.where(surface.quads.pixels(), inverse, np.float32(np.nan)), collapser.points)
    kept, target = collapser.triangles, params.max_triangles or 4
    if params.max_error_pct is None:
        kept = collapser.collapse_to(target)
    else:
        while collapser.step(target) and measured.loss(collapser.triangles).largest <= params.max_error_pct / 100:
            kept = collapser.triangles
    return used[kept].astype(np.int32), measured.loss(kept)


class _Measure:
    """Compares a simplified surface over points (V, 3) with the 1/Z (H, W) that it came from, at every pixel."""

    def __init__(self, before: FloatMap, points: NDArray[np.floating]) -> None:
        self._points, self._before = points, before
        self._seen = np.isfinite(before)
        flat = cv2.morphologyEx(np.nan_to_num(before), cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8))
        # within 2 px of a border a pixel may come to lie on the other side of it, which is no error of depth
        with np.errstate(invalid="ignore"):
            self._inner = self._seen & (flat < 0.1 * before)

    def loss(self, triangles: NDArray[np.int32]) -> Loss:
        height, width = self._before.shape
        after = draw_largest(self._points, triangles, (height, width)).astype(np.float64)
        both = self._inner & np.isfinite(after)
        error = np.abs(self._before[both] / after[both] - 1)
        lost = self._seen & ~np.isfinite(after)
        return Loss(
            rms=float(np.sqrt(np.mean(error**2))) if error.size else 0.0,
            largest=float(error.max()) if error.size else 0.0,
            lost=float(lost.sum() / max(self._seen.sum(), 1)),
        )
