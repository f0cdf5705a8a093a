"""Pictures of how a scene is focused, before or instead of the blurred one."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.scene import FloatMap, Image

_NEAR_RGB, _FAR_RGB = (255, 96, 32), (32, 128, 255)
_PEAK_RGB = (255, 48, 48)
_IN_FOCUS_PX = 1.0  # CoC that is sharp to the eye


def show_coc(coc: FloatMap) -> NDArray[np.uint8]:
    """The blur (H, W) px as a picture (H, W, 3): black in focus, orange before it, blue behind it, brighter = wider."""
    strength = np.abs(coc) / max(float(np.abs(coc).max()), 1e-6)
    color = np.where((coc > 0)[..., None], _NEAR_RGB, _FAR_RGB)
    return np.rint(strength[..., None] * color).astype(np.uint8)


def show_focus(image: Image, coc: FloatMap) -> NDArray[np.uint8]:
    """The picture in grey, red where it is in focus, as cameras show it."""
    grey = np.asarray(cv2.cvtColor(to_8bit(image), cv2.COLOR_RGB2GRAY), np.float32)[..., None]
    share = np.clip(1.5 - np.abs(coc) / _IN_FOCUS_PX, 0, 1)[..., None] * 0.6
    return np.rint(grey * (1 - share) + share * np.array(_PEAK_RGB)).astype(np.uint8)
