"""Bring the second photo of a pair to the size of the first one."""

from __future__ import annotations

import cv2
import numpy as np

from depthapps.core.scene import Image

_CROPPED = 0.25  # relative difference of the sizes of two photos of one scale up to which one counts as cropped


def brought_to(view: Image, width: int, height: int) -> tuple[Image, str | None]:
    """A photo (h, w, 3) in width x height px, and a note of how; as it is where it is no scaled or cropped view."""
    h, w = view.shape[:2]
    whole = abs(h * width - w * height) <= max(width, height)  # same proportions to within a pixel; a crop has others
    cropped = max(abs(h - height) / height, abs(w - width) / width) <= _CROPPED
    if (h, w) == (height, width) or not (whole or cropped):
        return view, None
    if whole:
        how = cv2.INTER_AREA if w > width else cv2.INTER_CUBIC
        resized = np.asarray(cv2.resize(view, (width, height), interpolation=how))
        return resized, f"the second photo, {w}x{h}, is brought to the first one's size, {width}x{height}"
    note = f"the second photo, {w}x{h}, is cut or padded to the first one's size, {width}x{height}"
    if w != width:
        apart = (abs(w - width) + 1) // 2
        note += f"; at which side is not known: all disparities may be off by {apart} px, and metres by what that is"
    return _on_canvas(view, width, height), note


def _on_canvas(view: Image, width: int, height: int) -> Image:
    """A picture (h, w, 3) about the middle of width x height px; black, which is not matched, where it ends."""
    h, w = view.shape[:2]
    top, left = max(0, h - height) // 2, max(0, w - width) // 2
    part = view[top : top + height, left : left + width]
    canvas = np.zeros((height, width, 3), view.dtype)
    top, left = (height - part.shape[0]) // 2, (width - part.shape[1]) // 2
    canvas[top : top + part.shape[0], left : left + part.shape[1]] = part
    return canvas
