"""Simplify a triangle mesh: collapse its edges, those that add the least error first.

The error is the quadric error metric (Garland and Heckbert 1997). A collapse moves a vertex onto one of its neighbours,
so the vertices that remain keep their exact measured depth, colour and texture coordinates. A depth map is simplified
in coordinates (x, y, 1/Z), in which every plane of the scene is exactly a plane; its error is relative depth.
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

# A border that moves by one pixel counts as much as a depth that is wrong by this share. Errors of silhouettes are the
# first that one sees.
BORDER_PX = 0.02
# Share of the vertices, the cheapest ones, that each pass collapses. A larger share is faster and chooses worse.
PASS_SHARE = 0.5
BAND_VERTICES = 20_000  # vertices that one thread takes at a time
# Simplification of a depth map starts from a coarser mesh with this many triangles for each that may remain. On
# computed and measured depth maps of two Middlebury scenes, errors were 6 to 170 % larger with 2 than from all
# triangles, and at most 1 % larger with 4 and 6.
EXCESS = 4
RING = 40  # vertices with more neighbours are not collapsed

_KERNELS = "depthapps.mesh._collapse_kernels"
_CORNERS = "int32[:,::1] int32[::1] int32[::1]"  # triangles, head, following
_SURFACE = f"{_CORNERS} float64[:,::1] float64[:,::1] float64[:,::1] float64[::1] int32[::1]"
_link_corners = Kernel("depthapps.mesh._triangle_kernels", "link_corners", _CORNERS)
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
    """The error that simplification made, seen from the camera.

    rms, largest: relative error of depth, as a share, at pixels away from borders. lost: share of the surface's pixels
    that are no longer covered.
    """

    rms: float
    largest: float
    lost: float


class Collapser:
    """A triangle mesh whose edges are collapsed, the cheapest first.

    points: (V, 3) float64. border_weight: weight of a border edge's squared displacement relative to a surface's.
    heights: whether the third column of `points` is a height over the other two, see `_collapse_kernels.add_quadrics`.
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
        """Add a cost for moving vertices: area · weight · d² for a move by d.

        weight: (V,). The area is that of all triangles around the vertex.
        """
        _hold_places(self._points, self._triangles, np.ascontiguousarray(weight, np.float64), self._quadrics)

    @property
    def points(self) -> NDArray[np.floating]:
        """The vertices (V, 3) float64, unchanged."""
        return self._points

    @property
    def triangles(self) -> NDArray[np.int32]:
        """The triangles (T, 3) int32 that are left."""
        return self._triangles[self._triangles[:, 0] >= 0]

    def step(self, max_triangles: int) -> bool:
        """Collapse the cheapest edges in one pass, which ends at max_triangles; False if no edge was collapsed."""
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
        """Collapse until at most max_triangles are left or no edge may collapse; return the triangles (T, 3)."""
        while self.step(max_triangles):
            pass
        return self.triangles


def grid_collapser(inverse: FloatMap, quads: Quads, params: SimplifyParams) -> tuple[NDArray[np.int64], Collapser]:
    """Prepare a depth map for simplification: the pixels (V,) that are vertices, and a collapser of the mesh over them.

    The mesh is coarser already where planes fit the surface. inverse: 1/Z (H, W), in 1/m. quads: the triangles over the
    pixels.
    """
    error = math.inf if params.max_error_pct is None else params.max_error_pct / 100
    vertices = None if params.max_triangles is None else EXCESS * params.max_triangles // 2
    used, triangles = used_vertices(coarse_triangles(inverse, quads, error=error, vertices=vertices), inverse.size)
    y, x = np.divmod(used, inverse.shape[1])
    points = np.column_stack([x, y, inverse.ravel()[used]]).astype(np.float64)
    return used, Collapser(points, triangles, BORDER_PX**2, heights=True)


def simplify_surface(surface: GridSurface, params: SimplifyParams) -> tuple[NDArray[np.int32], Loss]:
    """Simplify a surface: fewer triangles (T, 3) int32 over its vertices, and the error that this made."""
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
    """Compares a simplified surface over points (V, 3) with the original 1/Z (H, W) at every pixel."""

    def __init__(self, before: FloatMap, points: NDArray[np.floating]) -> None:
        self._points, self._before = points, before
        self._seen = np.isfinite(before)
        flat = cv2.morphologyEx(np.nan_to_num(before), cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8))
        # Within 2 px of a border, a pixel may move to the border's other side. That is not an error of depth.
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
