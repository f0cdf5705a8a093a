"""What a photo hides behind the near sides of its depth edges, as a second layer of colour and depth."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.geometry import filled_inverse_depth, inverse_depth
from depthapps.core.scene import FloatMap, Scene
from depthapps.mesh.cut import GridSurface
from depthapps.mesh.whole import whole_surface
from depthapps.surface.tearing import BoolMap

_OVERLAP_PX = 10  # by which the layer goes on behind the far side itself, so that no gap opens between the two
_ONE_SURFACE = 0.04  # share of 1/Z by which the far side differs at most from the layer that continues it
_BEHIND = 0.99  # share of the photo's 1/Z that the layer has at most, so that it never shows through


class Layers(NamedTuple):
    """A photo's own surface and what is behind near things, as maps (H, W) of the size of the photo.

    inverse_m: float32, 1/Z in 1/m of the photo's surface without holes and noise, 0 where infinitely far. hidden_color:
    (H, W, 3) uint8 sRGB. hidden_inverse_m: float32, 1/Z of it, NaN where there is no layer. continued: where it does
    not belong to the photo's own surface; elsewhere it lies close behind that.
    """

    inverse_m: FloatMap
    hidden_color: NDArray[np.uint8]
    hidden_inverse_m: FloatMap
    continued: BoolMap


def photo_layers(scene: Scene, turn_deg: float) -> Layers:
    """Make the layers of a scene's model, as far behind near things as a turn by turn_deg degrees uncovers.

    What is hidden has the second photo's colours where that shows it; see `continue_behind`. The part that a model has
    beyond the photo's frame is left out, and so is its backdrop for what is infinitely far.
    """
    whole = whole_surface(scene, fill=True, turn_deg=turn_deg)
    shape = scene.depth_m.shape
    color, shown = np.array(to_8bit(whole.front.image)), _shown(scene, whole.front)
    if not whole.backs:
        return Layers(shown, color, np.full(shape, np.nan, np.float32), np.zeros(shape, bool))
    back, (height, width) = whole.backs[0], shape
    inside = (slice(back.margin, back.margin + height), slice(back.margin, back.margin + width))
    new, found = back.new[inside], inverse_depth(back.surface.depth_m)[inside]
    color[new] = back.surface.image[inside][new]
    around = np.ones((2 * _OVERLAP_PX + 1, 2 * _OVERLAP_PX + 1), np.uint8)
    nearest = cv2.dilate(np.where(new, found, np.float32(0)), around)
    farthest = cv2.erode(np.where(new, found, np.float32(np.inf)), around)
    overlap = ~new & (shown <= (1 + _ONE_SURFACE) * nearest) & (shown >= (1 - _ONE_SURFACE) * farthest)
    layer = np.where(new, np.minimum(found, shown), np.where(overlap, shown, np.float32(np.nan)))
    return Layers(shown, color, (_BEHIND * layer).astype(np.float32), new)


def _shown(scene: Scene, front: GridSurface) -> FloatMap:
    """1/Z (H, W) of what a scene's photo shows, completed but for what is infinitely far."""
    infinite = np.isposinf(scene.depth_m)
    return filled_inverse_depth(np.where(infinite, scene.depth_m, front.depth_m))
