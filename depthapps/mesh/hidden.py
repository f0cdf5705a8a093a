"""What a photo hides behind the near sides of its depth edges, as a second layer of colour and depth."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.geometry import filled_inverse_depth, inverse_depth
from depthapps.core.scene import FloatMap, Scene
from depthapps.mesh.whole import whole_surface

_OVERLAP_PX = 10  # by which the layer goes on behind the far side itself, so that no gap opens between the two
_ONE_SURFACE = 0.04  # share of 1/Z by which the far side differs at most from the layer that continues it
_BEHIND = 0.99  # share of the photo's 1/Z that the layer has at most, so that it never shows through


class HiddenLayer(NamedTuple):
    """What is behind near things, of the size of the photo.

    color: (H, W, 3) uint8 sRGB. inverse_m: (H, W) float32, 1/Z in 1/m, NaN where there is no layer.
    """

    color: NDArray[np.uint8]
    inverse_m: FloatMap


def hidden_layer(scene: Scene, turn_deg: float) -> HiddenLayer:
    """Continue the far sides of depth edges under the near sides, as far as a turn by turn_deg degrees uncovers.

    It is the surface that a model has there, in the second photo's colours where that shows it; see `continue_behind`.
    The part that a model has beyond the photo's frame is left out.
    """
    color = np.array(to_8bit(scene.image))
    back = whole_surface(scene, fill=True, turn_deg=turn_deg).back
    if back is None:
        return HiddenLayer(color, np.full(color.shape[:2], np.nan, np.float32))
    height, width = color.shape[:2]
    inside = (slice(back.margin, back.margin + height), slice(back.margin, back.margin + width))
    new, found = back.new[inside], inverse_depth(back.surface.depth_m)[inside]
    color[new] = back.surface.image[inside][new]
    shown = filled_inverse_depth(scene.depth_m)
    side = 2 * _OVERLAP_PX + 1
    near = cv2.dilate(np.where(new, found, np.float32(0)), np.ones((side, side), np.uint8))
    overlap = ~new & (near > 0) & (shown <= (1 + _ONE_SURFACE) * near)
    layer = np.where(new, np.minimum(found, shown), np.where(overlap, shown, np.float32(np.nan)))
    return HiddenLayer(color, (_BEHIND * layer).astype(np.float32))
