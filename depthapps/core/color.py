"""Convert pictures between sRGB encoding, as files store them, and linear light, by the exact sRGB curve.

Light adds up only in linear values, so blur and lighting are computed in them. Integer samples are sRGB-encoded, float
samples are linear.
"""

from functools import cache, reduce

import cv2
import numpy as np
from numpy.typing import DTypeLike, NDArray

from depthapps.core.scene import Image


def srgb_decode(encoded: NDArray[np.floating]) -> NDArray[np.floating]:
    """Decode sRGB values in 0..1 to linear light in 0..1, float32 of the same shape (IEC 61966-2-1)."""
    x = np.asarray(encoded, np.float64)
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4).astype(np.float32)


def srgb_encode(linear: NDArray[np.floating]) -> NDArray[np.floating]:
    """Encode linear light, clipped to 0..1, as sRGB values in 0..1, float32 of the same shape (IEC 61966-2-1)."""
    x = np.clip(np.asarray(linear, np.float32), 0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** np.float32(1 / 2.4) - 0.055).astype(np.float32)


@cache
def _decode_table(levels: int) -> NDArray[np.floating]:
    return srgb_decode(np.arange(levels) / (levels - 1))


def to_linear(image: Image) -> NDArray[np.floating]:
    """Convert a picture of any sample type to linear light, float32 of the same shape; float samples are linear."""
    if image.dtype.kind == "f":
        return np.asarray(image, np.float32)
    codes = np.asarray(image, np.uint16)
    return _decode_table(np.iinfo(image.dtype.name).max + 1)[codes]


def to_encoded(image: Image) -> NDArray[np.floating]:
    """Convert a picture of any sample type to sRGB-encoded values in 0..1, float32 of the same shape."""
    if image.dtype.kind == "f":
        return srgb_encode(np.asarray(image, np.float32))
    return np.asarray(image * np.float32(1 / np.iinfo(image.dtype.name).max), np.float32)


def from_linear(linear: NDArray[np.floating], dtype: DTypeLike) -> Image:
    """Convert linear light to samples of `dtype`, the inverse of `to_linear`; integers are rounded and clipped."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return linear.astype(np.float32, copy=False)
    return np.rint(srgb_encode(linear) * np.float32(np.iinfo(dtype.name).max)).astype(dtype)


def to_8bit(image: Image) -> NDArray[np.uint8]:
    """Convert a picture of any sample type to uint8 sRGB."""
    if image.dtype == np.uint8:
        return np.asarray(image, np.uint8)
    if image.dtype == np.uint16:
        return np.rint(image / np.float32(257)).astype(np.uint8)
    return np.asarray(from_linear(np.asarray(image, np.float32), np.uint8), np.uint8)


def largest_channel(picture: NDArray) -> NDArray:
    """The largest value of each pixel of a picture (H, W, C), (H, W).

    By whole channels: numpy's maximum over the last axis takes several times as long.
    """
    return reduce(np.maximum, cv2.split(picture))


def png_bytes(image: Image) -> bytes:
    """Encode a picture of any sample type as PNG of 8 bits, as notebooks show it."""
    return cv2.imencode(".png", np.ascontiguousarray(to_8bit(image)[..., ::-1]))[1].tobytes()
