"""Ask the second photo of a pair what it shows of a surface, and which of two surfaces it agrees with."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import largest_channel, to_8bit
from depthapps.core.geometry import depth_from_inverse, project, unproject
from depthapps.core.scene import FloatMap, Scene, SecondView
from depthapps.surface.tearing import BoolMap

_WINDOW_PX = 9  # of a comparison: over it the noise of both photos averages out
_NOT_TOLD = 0.5  # grey levels by which two comparisons may differ and yet tell nothing


def project_into(points: NDArray[np.floating], second: SecondView) -> tuple[FloatMap, FloatMap, FloatMap]:
    """Where the second photo would show points (..., 3) of the scene: x, y in px, and the depth there in metres."""
    moved = points @ second.from_scene[:3, :3].T.astype(np.float32) + second.from_scene[:3, 3].astype(np.float32)
    x, y, depth = project(moved, second.camera)
    return x.astype(np.float32), y.astype(np.float32), depth.astype(np.float32)


def alike(scene: Scene, one: FloatMap, other: FloatMap) -> BoolMap:
    """Where (H, W) the photos cannot tell whether `one` or `other` is the scene's 1/Z in 1/m, as both look the same."""
    if scene.second is None:
        return np.zeros(one.shape, bool)
    with np.errstate(invalid="ignore"):
        return np.abs(_difference(scene, scene.second, one) - _difference(scene, scene.second, other)) <= _NOT_TOLD


def _difference(scene: Scene, second: SecondView, inverse: FloatMap) -> FloatMap:
    """By how many grey levels (H, W) the photos differ if the scene has this 1/Z; NaN beyond the second one's frame."""
    x, y, _ = project_into(unproject(depth_from_inverse(np.nan_to_num(inverse)), scene.camera), second)
    height, width = second.image.shape[:2]
    with np.errstate(invalid="ignore"):
        inside = np.isfinite(inverse) & (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    shown = cv2.remap(to_8bit(second.image), np.where(inside, x, 0), np.where(inside, y, 0), cv2.INTER_LINEAR)
    window = (_WINDOW_PX, _WINDOW_PX)
    off = np.asarray(cv2.blur(shown.astype(np.float32) - to_8bit(scene.image).astype(np.float32), window))
    return np.where(inside, cv2.blur(largest_channel(np.abs(off)), window), np.float32(np.nan))
