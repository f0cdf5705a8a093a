"""Encode a model's texture: without loss, or as small as a budget asks for."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

WEB_BYTES = 5_000_000  # a phone loads so much in a moment
_JPEG_QUALITIES = (95, 90, 85, 75)
_FULL_CHROMA = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
_LARGEST_TEXTURE = 4096  # pixels a side that WebGL takes on every phone
_SMALLEST_TEXTURE = 256  # pixels a side; below, a texture is not made smaller to save bytes


def png_texture(texture: NDArray[np.uint8]) -> bytes:
    """Encode a texture (H, W, 3) RGB as PNG, which keeps every sample and is small beside the geometry."""
    return _encoded(".png", texture, [])


def jpeg_texture(texture: NDArray[np.uint8], budget: int) -> bytes:
    """Encode a texture (H, W, 3) RGB as the best JPEG of at most `budget` bytes.

    It has fewer pixels only where a lower quality is not enough, or where a phone could not load them.
    """
    while max(texture.shape) > _LARGEST_TEXTURE:
        texture = _halved(texture)
    while True:
        for quality in _JPEG_QUALITIES:
            encoded = _encoded(".jpg", texture, [*_FULL_CHROMA, cv2.IMWRITE_JPEG_QUALITY, quality])
            if len(encoded) <= budget or min(texture.shape[:2]) <= _SMALLEST_TEXTURE:
                return encoded
        texture = _halved(texture)


def _halved(texture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = texture.shape[:2]
    size = (width + 1) // 2, (height + 1) // 2
    return cv2.resize(texture, size, interpolation=cv2.INTER_AREA)  # pyright: ignore[reportReturnType]


def _encoded(suffix: str, texture: NDArray[np.uint8], options: list[int]) -> bytes:
    return cv2.imencode(suffix, np.ascontiguousarray(texture[..., ::-1]), options)[1].tobytes()
