"""What meshing makes: coloured triangles and points, in metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class TriangleMesh:
    """A coloured surface in camera axes, or in those of the world that several cameras stand in.

    vertices: (V, 3) float32 metres. triangles: (T, 3) int32, anticlockwise seen from the camera.
    normals: (V, 3) float32 unit, towards the camera. colors: (V, 3) uint8 sRGB.
    uv: (V, 2) float32 in 0..1, origin at the texture's top left. texture: (H, W, 3) uint8 sRGB. Both or neither.
    """

    vertices: NDArray[np.floating]
    triangles: NDArray[np.int32]
    normals: NDArray[np.floating]
    colors: NDArray[np.uint8]
    uv: NDArray[np.floating] | None = None
    texture: NDArray[np.uint8] | None = None


@dataclass(frozen=True, eq=False)
class PointCloud:
    """Coloured points in camera axes: points (N, 3) float32 metres, colors (N, 3) uint8 sRGB, normals (N, 3) unit."""

    points: NDArray[np.floating]
    colors: NDArray[np.uint8]
    normals: NDArray[np.floating]
