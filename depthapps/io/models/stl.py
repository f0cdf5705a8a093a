"""Binary STL: bare triangles, without colours and without a unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def stl_bytes(vertices: NDArray[np.floating], triangles: NDArray[np.int32]) -> bytes:
    """Encode vertices (V, 3), in any unit, and triangles (T, 3) as binary STL."""
    corners = vertices[triangles].astype("<f4")
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    faces = np.zeros(len(triangles), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attributes", "<u2")])
    faces["normal"], faces["corners"] = normals / np.where(length > 0, length, 1), corners
    return b"depthapps".ljust(80) + np.uint32(len(triangles)).tobytes() + faces.tobytes()
