"""The sRGB transfer curve, exactly: between pictures as they are stored and linear light.

Blur and light add up in linear light only. Integer samples are sRGB-encoded, float samples are linear already.
"""

from functools import cache

import numpy as np
from numpy.typing import DTypeLike, NDArray

from depthapps.core.scene import Image


def srgb_decode(encoded: NDArray[np.floating]) -> NDArray[np.floating]:
    """Encoded values in 0..1 -> linear light in 0..1, float32 of the same shape (IEC 61966-2-1)."""
    x = np.asarray(encoded, np.float64)
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4).astype(np.float32)


def srgb_encode(linear: NDArray[np.floating]) -> NDArray[np.floating]:
    """Linear light, clipped to 0..1 -> encoded values in 0..1, float32 of the same shape (IEC 61966-2-1)."""
    x = np.clip(np.asarray(linear, np.float32), 0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** np.float32(1 / 2.4) - 0.055).astype(np.float32)


@cache
def _decode_table(levels: int) -> NDArray[np.floating]:
    return srgb_decode(np.arange(levels) / (levels - 1))


def to_linear(image: Image) -> NDArray[np.floating]:
    """A picture of any sample type -> linear light, float32 of the same shape; float pictures come back as they are."""
    if image.dtype.kind == "f":
        return np.asarray(image, np.float32)
    codes = np.asarray(image, np.uint16)
    return _decode_table(np.iinfo(image.dtype.name).max + 1)[codes]


def to_encoded(image: Image) -> NDArray[np.floating]:
    """A picture of any sample type -> sRGB-encoded values in 0..1, float32 of the same shape."""
    if image.dtype.kind == "f":
        return srgb_encode(np.asarray(image, np.float32))
    return np.asarray(image * np.float32(1 / np.iinfo(image.dtype.name).max), np.float32)


def from_linear(linear: NDArray[np.floating], dtype: DTypeLike) -> Image:
    """Linear light -> a picture with samples of `dtype`; the inverse of `to_linear`, rounded and clipped if integer."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return linear.astype(np.float32, copy=False)
    return np.rint(srgb_encode(linear) * np.float32(np.iinfo(dtype.name).max)).astype(dtype)


def to_8bit(image: Image) -> NDArray[np.uint8]:
    """A picture of any sample type -> uint8 sRGB."""
    if image.dtype == np.uint8:
        return np.asarray(image, np.uint8)
    if image.dtype == np.uint16:
        return np.rint(image / np.float32(257)).astype(np.uint8)
    return np.asarray(from_linear(np.asarray(image, np.float32), np.uint8), np.uint8)
