"""Draw pictures that check a calibration: where board corners were seen, and whether rectified rows line up."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import Image

_CELLS = 8, 6  # columns and rows of the grid in which corners are counted
_PANEL_PX = 640
_LINES = 16  # horizontal lines over the rectified example
_LINE_COLORS = ((235, 60, 60), (60, 200, 90), (70, 130, 255))

Pixels = NDArray[np.floating]


def draw_corners(views: Sequence[Sequence[Pixels]], size: tuple[int, int]) -> Image:
    """Draw the corners found in each view: one panel (H, W, 3) uint8 per view, side by side, one colour per shot.

    Grid cells with few corners are darker, so that uncovered parts of the view stand out.

    views: for each view the corners (N, 2) px of each shot. size: width and height of the photos in px.
    """
    scale = _PANEL_PX / size[0]
    height = round(size[1] * scale)
    hues = np.full((1, len(views[0]), 3), (0, 210, 255), np.uint8)
    hues[0, :, 0] = np.arange(len(views[0])) * 179 // len(views[0])
    colors = cv2.cvtColor(hues, cv2.COLOR_HSV2RGB)[0]
    panels = []
    for shots in views:
        at = np.concatenate(shots)
        ranges = ((-0.5, size[1] - 0.5), (-0.5, size[0] - 0.5))
        counts = np.histogram2d(at[:, 1], at[:, 0], bins=_CELLS[::-1], range=ranges)[0]
        light = 30 + 60 * np.sqrt(counts / counts.max())
        panel = cv2.resize(light.astype(np.uint8), (_PANEL_PX, height), interpolation=cv2.INTER_NEAREST)
        panel = np.repeat(panel[..., None], 3, axis=2)
        for color, corners in zip(colors, shots, strict=True):
            for x, y in (corners + 0.5) * scale - 0.5:
                place = round(16 * float(x)), round(16 * float(y))
                cv2.circle(panel, place, 16 * 3, tuple(map(int, color)), cv2.FILLED, cv2.LINE_AA, shift=4)
        panels += [panel, np.full((height, 8, 3), 255, np.uint8)]
    return np.hstack(panels[:-1])


def draw_lines(left: Image, right: Image) -> Image:
    """Draw two rectified views (H, W, 3) side by side as (H, 2W, 3), with horizontal lines across both.

    If the rectification is right, a line crosses the same things in both views.
    """
    both = np.hstack([left, right])
    height, width = both.shape[:2]
    thickness = max(1, round(width / 1500))
    for k in range(_LINES):
        y = round((k + 0.5) * height / _LINES)
        cv2.line(both, (0, y), (width - 1, y), _LINE_COLORS[k % 3], thickness)
    return both
