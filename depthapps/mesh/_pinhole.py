"""A camera as compiled loops take it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthapps.compiled import within
from depthapps.scene import Camera


class Pinhole(NamedTuple):
    """Focal lengths and principal point in pixels; to_camera: (4, 4) float64 from the world's axes."""

    fx: float
    fy: float
    cx: float
    cy: float
    to_camera: NDArray[np.floating]

    @classmethod
    def of(cls, camera: Camera, to_camera: NDArray[np.floating]) -> Pinhole:
        """A camera in its place."""
        return cls(camera.fx, camera.fy, camera.cx, camera.cy, np.ascontiguousarray(to_camera, np.float64))


@within
def turned(matrix, x, y, z):
    """A direction in the axes that a matrix (4, 4) leads to."""
    return (
        matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z,
        matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z,
        matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z,
    )


@within
def seen_from(pinhole, x, y, z):
    """A point of the world in the camera's axes."""
    matrix = pinhole.to_camera
    right, down, ahead = turned(matrix, x, y, z)
    return right + matrix[0, 3], down + matrix[1, 3], ahead + matrix[2, 3]


@within
def pixel_of(pinhole, x, y, z):
    """The pixel, column before row, of a point in the camera's axes that lies before it."""
    return pinhole.fx * x / z + pinhole.cx, pinhole.fy * y / z + pinhole.cy
