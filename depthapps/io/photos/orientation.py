"""Turn a picture, its depth and its camera upright from the eight EXIF orientations in which files store them."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera

_Map = TypeVar("_Map", bound=NDArray)
# EXIF orientation -> exchange rows and columns, then mirror left and right, then mirror top and bottom
_STEPS = {
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}


def upright(stored: _Map, orientation: int) -> _Map:
    """Turn a picture or map (H, W, ...) upright by its EXIF orientation, 1 to 8."""
    exchange, left_right, top_bottom = _STEPS[orientation]
    turned = stored.swapaxes(0, 1) if exchange else stored
    turned = turned[:, ::-1] if left_right else turned
    return np.ascontiguousarray(turned[::-1] if top_bottom else turned)  # pyright: ignore[reportReturnType]


def upright_camera(stored: Camera, orientation: int) -> Camera:
    """Turn the camera of a stored picture into that of the upright picture."""
    exchange, left_right, top_bottom = _STEPS[orientation]
    width, height, fx, fy, cx, cy = stored.width, stored.height, stored.fx, stored.fy, stored.cx, stored.cy
    if exchange:
        width, height, fx, fy, cx, cy = height, width, fy, fx, cy, cx
    return Camera(width, height, fx, fy, width - 1 - cx if left_right else cx, height - 1 - cy if top_bottom else cy)
