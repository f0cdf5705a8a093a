"""What a photo shows and what it hides behind the near sides of its depth edges, as layers of colour and depth."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.geometry import filled_inverse_depth, inverse_depth
from depthapps.core.scene import FloatMap, Scene
from depthapps.mesh.cut import GridSurface
from depthapps.mesh.whole import Back, whole_surface
from depthapps.surface.completion import beyond
from depthapps.surface.tearing import BoolMap

_OVERLAP_PX = 10  # by which the layer goes on behind the far side itself, so that no gap opens between the two
_ONE_SURFACE = 0.04  # share of 1/Z by which the far side differs at most from the layer that continues it
_BEHIND = 0.99  # share of the photo's 1/Z that the layer has at most, so that it never shows through


class HiddenLayer(NamedTuple):
    """A layer behind what a photo shows, as maps of its size.

    color: (H, W, 3) uint8 sRGB. inverse_m: (H, W) float32, 1/Z in 1/m, NaN where there is no layer. continued: (H, W),
    where it belongs to no layer before it; elsewhere it lies close behind one.
    """

    color: NDArray[np.uint8]
    inverse_m: FloatMap
    continued: BoolMap


class Layers(NamedTuple):
    """A photo's own surface and what is behind near things.

    inverse_m: (H, W) float32, 1/Z in 1/m of the photo's surface without holes and noise, 0 where infinitely far.
    hidden: what is behind its near things, and what is behind the near parts of that.
    """

    inverse_m: FloatMap
    hidden: tuple[HiddenLayer, HiddenLayer]


def photo_layers(scene: Scene, turn_deg: float) -> Layers:
    """Make the layers of a scene's model, as far behind near things as a turn by turn_deg degrees uncovers.

    What is hidden has the second photo's colours where that shows it; see `continue_behind`. The part that a model has
    beyond the photo's frame is left out, and so is its backdrop for what is infinitely far.
    """
    whole = whole_surface(scene, fill=True, turn_deg=turn_deg)
    shown, color = _shown(scene, whole.front), to_8bit(whole.front.image)
    # a model has a backdrop at some depth instead of what is infinitely far
    farthest = (1 + _ONE_SURFACE) * beyond(scene)[1] if np.isposinf(scene.depth_m).any() else 0.0
    first, second = (*whole.backs, None, None)[:2]
    hidden = _hidden(shown, color, first, farthest)
    before = np.where(np.isnan(hidden.inverse_m), shown, hidden.inverse_m)
    return Layers(shown, (hidden, _hidden(before, hidden.color, second, farthest)))


def _hidden(before: FloatMap, color: NDArray[np.uint8], back: Back | None, farthest: float) -> HiddenLayer:
    """What was continued behind a surface of 1/Z `before` (H, W) and this colour (H, W, 3); empty for None.

    farthest: 1/Z in 1/m below which it is infinitely far.
    """
    height, width = before.shape
    if back is None:
        return HiddenLayer(color, np.full(before.shape, np.nan, np.float32), np.zeros(before.shape, bool))
    inside = (slice(back.margin, back.margin + height), slice(back.margin, back.margin + width))
    new, found = back.new[inside], inverse_depth(back.surface.depth_m)[inside]
    found = np.where(found <= farthest, np.float32(0), found)
    around = np.ones((2 * _OVERLAP_PX + 1, 2 * _OVERLAP_PX + 1), np.uint8)
    largest = cv2.dilate(np.where(new, found, np.float32(0)), around)
    smallest = cv2.erode(np.where(new, found, np.float32(np.inf)), around)
    overlap = ~new & (before <= (1 + _ONE_SURFACE) * largest) & (before >= (1 - _ONE_SURFACE) * smallest)
    layer = np.where(new, np.minimum(found, before), np.where(overlap, before, np.float32(np.nan)))
    colors = np.where(new[..., None], back.surface.image[inside], color).astype(np.uint8)
    return HiddenLayer(colors, (_BEHIND * layer).astype(np.float32), new)


def _shown(scene: Scene, front: GridSurface) -> FloatMap:
    """1/Z (H, W) of what a scene's photo shows, completed but for what is infinitely far."""
    infinite = np.isposinf(scene.depth_m)
    return filled_inverse_depth(np.where(infinite, scene.depth_m, front.depth_m))
