"""Find and fill pixels that show no scene: black corners of rotated photos, and what lies outside a warped photo."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.filling import push_pull
from depthapps.core.scene import Image

_BLACK = 3  # of 255: plain black after JPEG compression stays below; areas of shadow in photos are brighter
_LEAST = 2e-3  # least area of a blank corner, as a share of the picture: shadows in corners are smaller or brighter
_FILLED_PX = 256  # longer side of the copy that is filled: the filling is smooth, so a small copy is enough
_SAMPLED_PX = 2  # reach of the interpolation that mixes scene and blank pixels


def shown(photo: Image) -> NDArray[np.bool_]:
    """Mask (H, W) of a photo (H, W, 3) uint8 without plain black areas at its corners.

    Photos that were rotated or straightened earlier have such corners. Their edges look like structure, but match
    nothing in the other photo.
    """
    black = (photo.max(axis=2) <= _BLACK).astype(np.uint8)
    if not black[:: black.shape[0] - 1, :: black.shape[1] - 1].any():
        return black == 0 if not black.any() else np.ones(black.shape, np.bool_)
    _, labels, figures, _ = cv2.connectedComponentsWithStats(black)
    corners = labels[:: black.shape[0] - 1, :: black.shape[1] - 1].ravel()
    blank = [k for k in set(corners.tolist()) if k and figures[k, cv2.CC_STAT_AREA] >= _LEAST * black.size]
    return ~np.isin(labels, blank)


def shrunk(area: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Erode a mask (H, W) by the rim that interpolation mixes with its surroundings; the picture border has no rim."""
    side = 2 * _SAMPLED_PX + 1
    return cv2.erode(area.astype(np.uint8), np.ones((side, side), np.uint8)) > 0


def filled(picture: Image, known: NDArray[np.bool_]) -> Image:
    """Fill the unknown pixels of a picture (H, W, C) with smooth colours that no matcher takes for texture.

    Push-pull filling (Gortler et al. 1996): known colours are averaged at smaller and smaller sizes until every pixel
    has a colour.
    """
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
