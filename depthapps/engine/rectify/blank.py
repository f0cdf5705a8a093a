"""Fill pixels that show no scene: black corners of rotated photos, and what lies outside a warped photo."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.filling import push_pull
from depthapps.core.scene import Image

_FILLED_PX = 256  # longer side of the copy that is filled: the filling is smooth, so a small copy is enough


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
