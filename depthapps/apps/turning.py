"""Turn a map as its photo was turned: cameras store a photo as the sensor lay, and programs may read it unturned."""

from __future__ import annotations

import cv2
import numpy as np
from cv2.typing import MatLike

from depthapps.core.color import to_8bit
from depthapps.core.filling import fill_background
from depthapps.core.levels import stretched
from depthapps.core.scene import FloatMap
from depthapps.io.photos.images import Photo
from depthapps.io.photos.orientation import upright

_LONGEST = 256  # pixels of a side at which edges are compared
# How much better the edges of a map that is left as it is have to agree with the photo's than those of the turned one.
# A map for a photo with an orientation was most likely made of the samples as they are stored.
_SURELY_UPRIGHT = 1.1
_SQUARE = 0.02  # by which the sides of a map may differ if a quarter turn is not to be seen in its shape


def turned_alike(values: FloatMap, photo: Photo) -> tuple[FloatMap, tuple[str, ...]]:
    """Turn a map (h, w) upright if it lies as the file stores the samples of its photo; with a note if it does."""
    orientation = photo.metadata.orientation
    if orientation == 1:
        return values, ()
    turned = upright(values, orientation)
    wide, turned_wide, photo_wide = (np.log(v.shape[1] / v.shape[0]) for v in (values, turned, photo.image))
    if abs(abs(wide - photo_wide) - abs(turned_wide - photo_wide)) > _SQUARE:
        needed = abs(turned_wide - photo_wide) < abs(wide - photo_wide)
    else:  # half turns and mirrors, and squares
        needed = _agreement(values, photo) < _SURELY_UPRIGHT * _agreement(turned, photo)
    return (turned, ("the map is turned upright, as the photo is by its EXIF",)) if needed else (values, ())


def _agreement(values: FloatMap, photo: Photo) -> float:
    """Correlation of the edges of a map (h, w) with those of its photo, 0 or more."""
    height, width = photo.image.shape[:2]
    shrink = min(1.0, _LONGEST / max(height, width))
    size = max(round(width * shrink), 8), max(round(height * shrink), 8)
    grey = cv2.cvtColor(to_8bit(stretched(photo.image)), cv2.COLOR_RGB2GRAY)
    edges = [
        _edges(cv2.resize(v, size, interpolation=cv2.INTER_AREA))
        for v in (grey.astype(np.float32), _ranked(fill_background(values)))
    ]
    first, second = (e - e.mean() for e in edges)
    return max(float((first * second).mean() / max(float(first.std() * second.std()), 1e-9)), 1e-6)


def _ranked(values: FloatMap) -> FloatMap:
    """A map between the percentiles that most of it lies between, so that one far mark is no edge above all others."""
    finite = np.where(np.isfinite(values), values, np.float32(np.nan))
    if np.isnan(finite).all():  # nothing but sky, or nothing known
        return np.zeros(values.shape, np.float32)
    low, high = np.nanpercentile(finite, (2, 98))
    return np.nan_to_num(np.clip(finite, low, high), nan=float(high)).astype(np.float32)


def _edges(values: MatLike) -> FloatMap:
    """Strength of the edges (h, w), spread by a pixel or two, as maps are that accurate."""
    across, down = cv2.Sobel(values, cv2.CV_32F, 1, 0), cv2.Sobel(values, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.GaussianBlur(np.sqrt(np.hypot(across, down)), (0, 0), 1.5), np.float32)
