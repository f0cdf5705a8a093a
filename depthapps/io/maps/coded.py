"""Read maps that are coded in the colours of an 8-bit picture: 24 bits (CARLA, Sintel), or the bytes of floats."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import InputError, param
from depthapps.io.maps.numbers import RawMap

_CARLA_FAR_M = 1000.0  # depth of white in CARLA's camera; its documentation
_SINTEL_UNITS = 1 << 14  # a pixel, in the disparity pictures of MPI Sintel: 4 red + green / 64 + blue / 16384
_LARGEST = (1 << 24) - 1
# Bend, the second difference along rows: its median for surfaces in units of 24 bits, and its mean for their lowest
# byte, which wraps around. Coloured previews and photos have smooth bytes, which make no number.
_SMOOTH, _WRAPPED = 1 << 14, 16
_FLOATS = 0.99  # share of pixels that must be depths of a millimetre to a thousand kilometres as floats
_FLOAT_RANGE = (1e-3, 1e6)


def of_colors(values: NDArray, name: str, what: str) -> RawMap | None:
    """The map that the colours of a picture (h, w, c) in OpenCV's order code; None for other pictures.

    Raises InputError for a code whose unit is not known.
    """
    if values.dtype != np.uint8 or values.ndim != 3 or values.shape[2] not in (3, 4) or values.shape[1] < 3:
        return None
    if values.shape[2] == 4 and (floats := _floats(values)) is not None:
        return RawMap(floats, name, note=f"{name} keeps the four bytes of floats as colours")
    blue, green, red = (values[..., k].astype(np.int64) for k in range(3))
    if _is_number(red, green, blue):
        if what != "depth map":
            raise InputError(f"{name} codes 24 bits of depth in its colours", hint=f"pass it as {param('depth')}")
        number = red + (green << 8) + (blue << 16)
        metres = np.where(number == _LARGEST, np.inf, number * (_CARLA_FAR_M / _LARGEST)).astype(np.float32)
        return RawMap(metres, name, note=f"{name} codes depth in its colours: taken as CARLA's, white at 1000 m")
    if _is_number(blue, green, red):
        number = blue + (green << 8) + (red << 16)
        if what == "depth map":
            raise InputError(
                f"{name} codes 24 bits in its colours, red the highest, and nothing tells their unit",
                hint="save 65536 red + 256 green + blue in metres with numpy.save; or pass Sintel's disparities as "
                f"{param('disparity')}",
            )
        pixels = (number / _SINTEL_UNITS).astype(np.float32)
        return RawMap(
            pixels, name, note=f"{name} codes disparity in its colours: taken as Sintel's, 4 px a level of red"
        )
    return None


def _is_number(low: NDArray, middle: NDArray, high: NDArray) -> bool:
    """Whether three bytes (h, w) are those of one number that changes smoothly."""
    told = ~((low == middle) & (middle == high))[:, 1:-1]  # black and white mark what has no depth
    if not told.any():
        return False
    smooth, wrapped = (_bend(v)[told] for v in (low + (middle << 8) + (high << 16), low))
    return bool(np.median(smooth) < _SMOOTH and wrapped.mean() > _WRAPPED)


def _bend(values: NDArray) -> NDArray:
    return np.abs(values[:, :-2] - 2 * values[:, 1:-1] + values[:, 2:])


def _floats(values: NDArray) -> NDArray | None:
    """The floats (h, w) whose bytes are the channels of a picture, as TartanAir's second release keeps them."""
    floats = np.ascontiguousarray(values).view("<f4")[..., 0].astype(np.float32)
    low, high = _FLOAT_RANGE
    return floats if ((floats > low) & (floats < high)).mean() >= _FLOATS else None
