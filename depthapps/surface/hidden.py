"""Guess what a photo hides behind the near sides of its depth edges: a second layer of colour and depth."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import from_linear, to_linear
from depthapps.core.filling import calm_weight, push_pull
from depthapps.core.geometry import filled_inverse_depth
from depthapps.core.scene import FloatMap, Scene

# Share of the nearer 1/Z by which neighbours differ across a depth edge. Smaller steps uncover less than a pixel of
# background when a view is turned as far as a page turns it.
_STEP = 0.04
_REACH = 0.35  # of the picture's width: how far under a near side the layer goes, for the largest steps
_BAND_PX = 3  # width of the far side's strip along an edge, whose colours and depths are continued under the near side
_OVERLAP_PX = 10  # by which the layer goes on behind the far side itself, so that no gap opens between the two
_BEHIND = 0.99  # share of the near side's 1/Z that the layer has at most, so that it never shows through


class HiddenLayer(NamedTuple):
    """What is behind near things, of the size of the photo.

    color: (H, W, 3) uint8 sRGB, continued smoothly where there is no layer. inverse_m: (H, W) float32, 1/Z in 1/m, NaN
    where there is no layer.
    """

    color: NDArray[np.uint8]
    inverse_m: FloatMap


def hidden_layer(scene: Scene) -> HiddenLayer:
    """Continue the far sides of depth edges under the near sides, as far as a moved view or a wide lens looks.

    Colour and 1/Z are interpolated smoothly from strips along the far sides (push-pull, Gortler et al. 1996), the
    colour in linear light. The layer lies behind the surface that the photo shows.
    """
    inverse = filled_inverse_depth(scene.depth_m)
    kernel = np.ones((3, 3), np.uint8)
    nearest, farthest = cv2.dilate(inverse, kernel), cv2.erode(inverse, kernel)
    # a pixel in the middle of a soft edge has both a nearer and a farther neighbour; it belongs to the near side
    far = (nearest - inverse > _STEP * nearest) & (inverse - farthest <= _STEP * inverse)
    if not far.any():
        return HiddenLayer(np.zeros((*inverse.shape, 3), np.uint8), np.full(inverse.shape, np.nan, np.float32))
    distance, labels = cv2.distanceTransformWithLabels(
        (~far).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    at_edge = np.zeros(int(labels.max()) + 1, np.float32)
    labels = np.asarray(labels, np.int64)
    at_edge[labels[far]] = inverse[far]
    step = inverse - at_edge[labels]
    reach = 2 + _REACH * inverse.shape[1] * step / max(float(inverse.max()), 1e-9)
    under = (step > _STEP * inverse) & (distance <= reach)
    strip = ((distance <= _BAND_PX) & ~under & (step <= _STEP * inverse)).astype(np.float32)
    linear = to_linear(scene.image)
    filled = push_pull(np.dstack([linear, inverse]).astype(np.float32), strip * calm_weight(linear) ** 2)
    overlap = (distance <= _OVERLAP_PX) & ~under
    behind = _BEHIND * np.where(overlap, inverse, np.clip(filled[..., 3], 0, inverse))
    color = np.asarray(from_linear(np.ascontiguousarray(filled[..., :3]), np.uint8), np.uint8)
    return HiddenLayer(color, np.where(under | overlap, behind, np.float32(np.nan)).astype(np.float32))
