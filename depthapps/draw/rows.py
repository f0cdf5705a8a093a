"""Draw two rectified views side by side, with lines that show whether their rows line up."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.scene import Image

_LINES = 24
_LARGEST_PX = 2400  # width of the picture; two views of 12 Mpx side by side are larger than any screen


def render_rows(
    left: Image, right: Image, left_px: NDArray[np.floating], right_px: NDArray[np.floating]
) -> NDArray[np.uint8]:
    """Draw both views (H, W, 3) side by side as uint8 RGB, with lines through matched points (N, 2) px of both.

    A line runs along the row of the point in the left view, and rings mark the point in both views. In rectified views
    the right ring sits on the line as well.
    """
    height, width = left.shape[:2]
    scale = min(1.0, _LARGEST_PX / (2 * width))
    size = round(width * scale), round(height * scale)
    picture = np.hstack([cv2.resize(to_8bit(v), size, interpolation=cv2.INTER_AREA) for v in (left, right)])
    order = np.argsort(left_px[:, 1]) if len(left_px) else np.empty(0, int)
    chosen = order[np.unique(np.linspace(0, max(len(order) - 1, 0), _LINES).astype(int))] if len(order) else order
    thick, ring = max(1, size[0] // 900), max(3, size[0] // 150)
    for k, point in enumerate(chosen):
        color = [int(c) for c in cv2.applyColorMap(np.array([[255 * k // _LINES]], np.uint8), cv2.COLORMAP_HSV)[0, 0]]
        ends = [((p + 0.5) * scale - 0.5 + (x, 0)).round().astype(int).tolist() for p, x in
                ((left_px[point], 0), (right_px[point], size[0]))]  # fmt: skip
        cv2.line(picture, (0, ends[0][1]), (2 * size[0] - 1, ends[0][1]), color, thick, cv2.LINE_AA)
        for end in ends:
            cv2.circle(picture, end, ring, color, thick + 1, cv2.LINE_AA)
    return np.asarray(picture, np.uint8)
