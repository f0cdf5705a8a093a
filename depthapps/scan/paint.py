"""Colour the vertices of a fused surface from the views that see them."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.color import to_8bit
from depthapps.core.models import TriangleMesh
from depthapps.core.scene import FloatMap, Scene
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

# Most pixels of all kept views together, 7 bytes each (RGB and depth): as many as a texture of 4096 x 4096 holds.
KEPT_PIXELS = 4096 * 4096
SMALL_VIEW = 640 * 480  # pixels; views are halved down to about this size before views are dropped
MOST_VIEWS = 64  # a set of views is the bits of one int64
# A view sees a surface point if the view's own depth differs from the point's by less than this many voxels or this
# share of the depth. Kinect frames of 7-Scenes agree with the surface fused of them to 15 mm at 1 m, to 50 mm at 2.5 m.
SEEN_VOXELS = 2.5
SEEN_SHARE = 0.02
SHARPNESS = 3  # exponent of a view's weight: the mean of all views is blurred, the best view alone has seams
_SPREADS = 30  # edges that colours spread over into parts that no view sees
BAND_VERTICES = 20_000  # vertices that one thread takes at a time
_GREY = 128

_KERNELS = "depthapps.scan._view_kernels"
_project_vertices = Kernel(
    _KERNELS,
    "project_vertices",
    "int64 int64 float32[:,::1] float32[:,::1] float64[:,::1] float64[:,::1] float32[:,::1] float64 float64 "
    "float32[:,::1] uint8[::1] float32[::1]",
)
_gather_colors = Kernel(
    _KERNELS,
    "gather_colors",
    "int64 int64 uint8[:,:,::1] float32[:,::1] float32[::1] int64 float64[:,::1] float64[::1]",
)


@dataclass(frozen=True, eq=False)
class PlacedView:
    """A picture with its depth and its pose.

    image: (H, W, 3) uint8 sRGB. depth_m: (H, W) float32 metres, 0 for pixels that are not to be used. camera: of both.
    to_camera: (4, 4), world to camera.
    """

    image: NDArray[np.uint8]
    depth_m: FloatMap
    camera: Camera
    to_camera: NDArray[np.floating]

    @classmethod
    def of(cls, scene: Scene, depth_m: FloatMap, to_world: NDArray[np.floating]) -> PlacedView:
        """Place a scene; to_world: (4, 4) its pose, camera to world. depth_m: (H, W) replaces the scene's depth."""
        return cls(to_8bit(scene.image), depth_m, scene.camera, np.linalg.inv(to_world))

    def halved(self) -> PlacedView:
        """Resize the view to half as many pixels."""
        size = max(1, round(self.camera.width * 0.7071)), max(1, round(self.camera.height * 0.7071))
        image = np.asarray(cv2.resize(self.image, size, interpolation=cv2.INTER_AREA), np.uint8)
        depth = np.asarray(cv2.resize(self.depth_m, size, interpolation=cv2.INTER_NEAREST), np.float32)
        return PlacedView(image, depth, self.camera.scaled_to(*size), self.to_camera)


@dataclass
class KeptViews:
    """Views kept for their colours in bounded memory: first all are halved, then every second one is dropped."""

    _kept: list[PlacedView] = field(default_factory=list)
    _halvings: int = 0
    _every: int = 1
    _offered: int = 0

    @property
    def views(self) -> tuple[PlacedView, ...]:
        """The kept views, evenly spaced among those that were added."""
        return tuple(self._kept)

    def add(self, view: PlacedView) -> None:
        """Add a view; it is kept if it is one of every `_every`."""
        if self._offered % self._every == 0:
            for _ in range(self._halvings):
                view = view.halved()
            self._kept.append(view)
        self._offered += 1
        while self._pixels() > KEPT_PIXELS and min(v.depth_m.size for v in self._kept) >= 2 * SMALL_VIEW:
            self._kept = [v.halved() for v in self._kept]
            self._halvings += 1
        while len(self._kept) > 1 and (self._pixels() > KEPT_PIXELS or len(self._kept) > MOST_VIEWS):
            self._kept = self._kept[::2]
            self._every *= 2

    def _pixels(self) -> int:
        return sum(view.depth_m.size for view in self._kept)


@dataclass(frozen=True, eq=False)
class Look:
    """How a view sees the vertices of a mesh.

    pixels: (V, 2) float32 where they project, -1 outside the picture. seen: (V,) whether nothing hides them.
    weight: (V,) float32 pixels per square metre of the surface, 0 where it is hidden or faces away.
    """

    pixels: NDArray[np.floating]
    seen: NDArray[np.bool_]
    weight: NDArray[np.floating]


def look_at(mesh: TriangleMesh, view: PlacedView, voxel_m: float) -> Look:
    """Project the vertices of a mesh into a view, and find which of them the view sees.

    A vertex is not seen where the view's depth is another one or 0, as it is at depth edges.
    """
    count, place = len(mesh.vertices), np.ascontiguousarray(view.to_camera, np.float64)
    look = Look(np.empty((count, 2), np.float32), np.empty(count, bool), np.empty(count, np.float32))
    slack = SEEN_VOXELS * voxel_m, SEEN_SHARE
    points, normals, depth_m = (
        np.ascontiguousarray(v, np.float32) for v in (mesh.vertices, mesh.normals, view.depth_m)
    )
    surface = (points, normals, view.camera.matrix, place, depth_m, *slack)
    found = (look.pixels, look.seen.view(np.uint8), look.weight)
    for_bands(count, lambda a, b: _project_vertices(a, b, *surface, *found), BAND_VERTICES)
    return look


def paint_vertices(mesh: TriangleMesh, views: tuple[PlacedView, ...], voxel_m: float) -> NDArray[np.uint8]:
    """Find the colours (V, 3) uint8 sRGB of a mesh's vertices: a mean of the views, in which the best ones count most.

    Vertices that no view sees take the colours around them.
    """
    count = len(mesh.vertices)
    total, weights = np.zeros((count, 3)), np.zeros(count)
    for view in views:
        look = look_at(mesh, view, voxel_m)
        gathered = (np.ascontiguousarray(view.image), look.pixels, look.weight, SHARPNESS, total, weights)
        for_bands(count, lambda a, b, gathered=gathered: _gather_colors(a, b, *gathered), BAND_VERTICES)
    known = weights > 0
    colors = np.where(known[:, None], total / np.where(known, weights, 1)[:, None], _GREY)
    _spread(colors, known, mesh.triangles)
    return np.clip(np.rint(colors), 0, 255).astype(np.uint8)


def _spread(colors: NDArray[np.floating], known: NDArray[np.bool_], triangles: NDArray[np.int32]) -> None:
    """Give vertices without a colour the mean of their neighbours' colours, in place, outwards from the known ones."""
    open_ones = triangles
    for _ in range(_SPREADS):
        a, b, c = (known[corner] for corner in open_ones.T)
        open_ones = open_ones[~(a & b & c)]
        if not len(open_ones):
            return
        ends = np.concatenate([open_ones[:, pair] for pair in ([0, 1], [1, 2], [2, 0], [1, 0], [2, 1], [0, 2])])
        ends = ends[~known[ends[:, 0]] & known[ends[:, 1]]]
        if not len(ends):
            return
        reached, number = np.unique(ends[:, 0], return_inverse=True)
        count = np.bincount(number)
        for channel in range(3):
            colors[reached, channel] = np.bincount(number, colors[ends[:, 1], channel]) / count
        known[reached] = True
