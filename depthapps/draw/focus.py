"""Draw what is in focus: the circle of confusion as colours, or the sharp part marked in red."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.scene import FloatMap, Image

_NEAR_RGB, _FAR_RGB = (255, 96, 32), (32, 128, 255)
_PEAK_RGB = (255, 48, 48)
_IN_FOCUS_PX = 1.0  # largest CoC that looks sharp


def show_coc(coc: FloatMap) -> NDArray[np.uint8]:
    """Colour the signed CoC (H, W) px as (H, W, 3) uint8 RGB: black in focus, orange before it, blue behind it.

    The brighter a pixel, the wider its blur; the widest blur of the picture has full brightness.
    """
    strength = np.abs(coc) / max(float(np.abs(coc).max()), 1e-6)
    color = np.where((coc > 0)[..., None], _NEAR_RGB, _FAR_RGB)
    return np.rint(strength[..., None] * color).astype(np.uint8)


def show_focus(image: Image, coc: FloatMap) -> NDArray[np.uint8]:
    """Turn a picture (H, W, 3) grey and tint red what is in focus (focus peaking), as uint8 RGB; coc: (H, W) px."""
    grey = np.asarray(cv2.cvtColor(to_8bit(image), cv2.COLOR_RGB2GRAY), np.float32)[..., None]
    share = np.clip(1.5 - np.abs(coc) / _IN_FOCUS_PX, 0, 1)[..., None] * 0.6
    return np.rint(grey * (1 - share) + share * np.array(_PEAK_RGB)).astype(np.uint8)
