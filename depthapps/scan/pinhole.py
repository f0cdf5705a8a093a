"""A camera as compiled loops take it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera


class Pinhole(NamedTuple):
    """lens: (4,) float64, focal lengths and principal point in pixels; to_camera: (4, 4) float64 from world axes."""

    lens: NDArray[np.floating]
    to_camera: NDArray[np.floating]

    @classmethod
    def of(cls, camera: Camera, to_camera: NDArray[np.floating]) -> Pinhole:
        """A camera in its place."""
        lens = np.array([camera.fx, camera.fy, camera.cx, camera.cy], np.float64)
        return cls(lens, np.ascontiguousarray(to_camera, np.float64))
