"""What a picture does not show: the corners that turning it left black, and what lies outside of it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.filling import push_pull
from depthapps.core.scene import Image

_BLACK = 3  # of 255; what shadows in photos do not reach over an area, and JPEG leaves of plain black
_LEAST = 2e-3  # of the picture, that an area at a corner must have: shadows there are smaller, or not as black
_FILLED_PX = 256  # of the copy that fills: it has no detail
_SAMPLED_PX = 2  # how far interpolation mixes the picture with what is not in it


def shown(photo: Image) -> NDArray[np.bool_]:
    """(H, W), all of a photo (H, W, 3) uint8 but plain black areas at its corners.

    Photos that were turned or straightened before have such corners. They look like things, yet match nothing.
    """
    black = (photo.max(axis=2) <= _BLACK).astype(np.uint8)
    if not black[:: black.shape[0] - 1, :: black.shape[1] - 1].any():
        return black == 0 if not black.any() else np.ones(black.shape, np.bool_)
    _, labels, figures, _ = cv2.connectedComponentsWithStats(black)
    corners = labels[:: black.shape[0] - 1, :: black.shape[1] - 1].ravel()
    blank = [k for k in set(corners.tolist()) if k and figures[k, cv2.CC_STAT_AREA] >= _LEAST * black.size]
    return ~np.isin(labels, blank)


def shrunk(area: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """An area (H, W) without the rim that interpolation mixes with its surroundings; the picture's border is none."""
    side = 2 * _SAMPLED_PX + 1
    return cv2.erode(area.astype(np.uint8), np.ones((side, side), np.uint8)) > 0


def filled(picture: Image, known: NDArray[np.bool_]) -> Image:
    """A picture (H, W, C) whose unknown pixels continue it smoothly (`push_pull`): nothing that could be matched."""
    if known.all() or not known.any():
        return picture
    height, width = known.shape
    shrink = min(1.0, _FILLED_PX / max(height, width))
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    black = np.where(known[..., None], picture, picture.dtype.type(0)).astype(np.float32)
    sums, weight = (
        np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.float32)
        for part in (black, known.astype(np.float32))
    )
    means = sums / np.maximum(weight, 1e-6)[..., None]
    around = cv2.resize(push_pull(means, weight), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(known[..., None], picture, around.astype(picture.dtype))
