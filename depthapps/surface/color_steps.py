"""Where the colours of a picture change, which is where surfaces may end.

The engine finds its regions by steps of its own, of a narrower blur, to which its thresholds were fitted.
"""

from __future__ import annotations

import cv2
import numpy as np

from depthapps.core.color import largest_channel, to_8bit
from depthapps.core.scene import FloatMap, Image

_SIGMA_PX = 0.8  # of the blur that takes the photo's noise out of the steps


def color_steps(image: Image) -> FloatMap:
    """The largest difference of any channel of a picture (H, W, 3) within 3x3 px, (H, W) float32 grey levels."""
    smooth = np.asarray(cv2.GaussianBlur(to_8bit(image), (0, 0), _SIGMA_PX))
    kernel = np.ones((3, 3), np.uint8)
    steps = cv2.dilate(smooth, kernel) - cv2.erode(smooth, kernel)
    return largest_channel(steps).astype(np.float32)
