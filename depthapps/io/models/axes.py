"""The two conventions for where the axes of a model point."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Axes(StrEnum):
    """Where Y and Z of a model point: down and forward, or up and backward."""

    CAMERA = "camera"
    VIEWER = "viewer"


_SIGNS = {Axes.CAMERA: np.array([1, 1, 1], np.float32), Axes.VIEWER: np.array([1, -1, -1], np.float32)}


def in_axes(vectors: NDArray[np.floating], axes: Axes) -> NDArray[np.floating]:
    """Points or normals (N, 3) in camera axes -> the same in other axes."""
    return vectors * _SIGNS[axes]
