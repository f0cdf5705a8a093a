"""Define the results of meshing and shadows: coloured meshes and points, printable solids, and shadow maps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class MadeUp(IntEnum):
    """What of a vertex was not measured: nothing; its depth, while a photo shows its colour; or both."""

    NOTHING = 0
    DEPTH = 1
    DEPTH_AND_COLOR = 2


@dataclass(frozen=True, eq=False)
class TriangleMesh:
    """A coloured triangle mesh in camera axes, or in world axes if it comes from several cameras.

    vertices: (V, 3) float32 metres. triangles: (T, 3) int32 vertex numbers, anticlockwise seen from the camera.
    normals: (V, 3) float32 unit, towards the camera. colors: (V, 3) uint8 sRGB. uv: (V, 2) float32 texture coordinates
    in 0..1, from the top left corner. texture: (H, W, 3) uint8 sRGB. uv and texture are both arrays or both None.
    made_up: (V,) uint8, see `MadeUp`; None if all was measured. filled: (T,) bool, the triangles that stand for what no
    photo shows, and may be left out; None if there are none.
    """

    vertices: NDArray[np.floating]
    triangles: NDArray[np.int32]
    normals: NDArray[np.floating]
    colors: NDArray[np.uint8]
    uv: NDArray[np.floating] | None = None
    texture: NDArray[np.uint8] | None = None
    made_up: NDArray[np.uint8] | None = None
    filled: NDArray[np.bool_] | None = None


@dataclass(frozen=True, eq=False)
class PointCloud:
    """Coloured points in camera axes, or in world axes if they come from several cameras.

    points: (N, 3) float32 metres. colors: (N, 3) uint8 sRGB. normals: (N, 3) float32 unit, towards the camera.
    """

    points: NDArray[np.floating]
    colors: NDArray[np.uint8]
    normals: NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class GaussianSplats:
    """Coloured Gaussians in camera axes.

    centers: (N, 3) float32 metres. colors: (N, 3) uint8 sRGB. scales_m: (N, 3) float32 standard deviations along the
    own axes, in metres. rotations: (N, 4) float32 unit quaternions w, x, y, z, from the own axes to the camera's.
    opacities: (N,) float32, in their middle, above 0 and below 1; None takes 0.99 for all.
    """

    centers: NDArray[np.floating]
    colors: NDArray[np.uint8]
    scales_m: NDArray[np.floating]
    rotations: NDArray[np.floating]
    opacities: NDArray[np.floating] | None = None


@dataclass(frozen=True, eq=False)
class PrintableSolid:
    """A watertight solid for 3D printing, with Z up and its base at Z = 0.

    vertices: (V, 3) float32 mm. triangles: (T, 3) int32, anticlockwise seen from outside. colors: (V, 3) uint8 sRGB, or
    None.
    """

    vertices: NDArray[np.floating]
    triangles: NDArray[np.int32]
    colors: NDArray[np.uint8] | None = None

    @property
    def watertight(self) -> bool:
        """Whether every edge has a triangle on both sides."""
        return not len(border_edges(self.triangles, len(self.vertices)))


@dataclass(frozen=True, eq=False)
class ShadowMap:
    """The depth map of a scene as a light sees it.

    A point P in camera axes lies at the pixel (x / w, y / w), where (x, y, w) = projection · camera_to_light · (P, 1).

    Attributes
    ----------
    depth_m : (S, S) float32 array
        Depth in metres along the light's axis; NaN where the light meets nothing.
    camera_to_light : (4, 4) float64 array
        From camera axes to the light's axes.
    projection : (3, 4) float64 array
        From the light's axes to pixels of the map, in homogeneous coordinates.
    """

    depth_m: NDArray[np.floating]
    camera_to_light: NDArray[np.floating]
    projection: NDArray[np.floating]


def border_edges(triangles: NDArray[np.integer], count: int) -> NDArray[np.integer]:
    """Find the border edges (E, 2) of triangles over `count` vertices: those with a triangle only on their left."""
    a = triangles.ravel().astype(np.int64)
    b = np.roll(triangles, -1, axis=1).ravel().astype(np.int64)
    alone = ~np.isin(a * count + b, b * count + a)
    return np.column_stack([a[alone], b[alone]])
