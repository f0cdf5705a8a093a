"""The two conventions for where the axes of a model point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.core.choices import Axes, chosen
from depthapps.core.errors import OutputError

_FARTHEST = 1e12  # in any unit: farther than a scene reaches, and near enough for readers that square 32-bit floats
_SIGNS = {Axes.CAMERA: np.array([1, 1, 1], np.float32), Axes.VIEWER: np.array([1, -1, -1], np.float32)}


def refuse_wild(points: NDArray[np.floating]) -> None:
    """Raise OutputError for vertices (N, 3) that no reader could show: none at all, no numbers, or beyond all sizes."""
    if len(points) and np.abs(points).max() <= _FARTHEST:
        return  # which no NaN is
    what = "vertices that are no numbers, or absurdly far away" if len(points) else "no vertices"
    raise OutputError(
        f"the model has {what}", hint="check the calibration and the depth: their units, and what is unknown in them"
    )


def in_axes(vectors: NDArray[np.floating], axes: Axes) -> NDArray[np.floating]:
    """Points or normals (N, 3) in camera axes -> the same in other axes."""
    return vectors * _SIGNS[chosen(Axes, axes, "axes")]
