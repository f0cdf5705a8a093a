"""The two conventions for where the axes of a model point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.core.choices import Axes, chosen

_SIGNS = {Axes.CAMERA: np.array([1, 1, 1], np.float32), Axes.VIEWER: np.array([1, -1, -1], np.float32)}


def in_axes(vectors: NDArray[np.floating], axes: Axes) -> NDArray[np.floating]:
    """Points or normals (N, 3) in camera axes -> the same in other axes."""
    return vectors * _SIGNS[chosen(Axes, axes, "axes")]
