"""Where in a smaller picture of a torn surface its pixels look up their colours."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.geometry import inverse_depth
from depthapps.mesh.cut import GridSurface
from depthapps.surface.tearing import Links

# Ratio of 1/Z: what differs by more beyond a tear is another surface, whose colours differ.
_SAME_SURFACE = 1.1
_NOTHING = 1e9  # 1/m


def texture_places(
    surface: GridSurface, scale: int, rows: NDArray[np.integer], columns: NDArray[np.integer]
) -> NDArray[np.int32]:
    """Row and column (N, 2) of the pixel whose colour each of these has in a picture that is `scale` times smaller.

    rows, columns: (N,), pixels of the surface. At a tear a texel has the colours of both sides, and so has what is
    looked up within a texel of it. A pixel so near to one takes the nearest place of its own surface that is not, as
    far as there is one within two texels.
    """
    places = np.stack([rows, columns], axis=-1).astype(np.int32)
    if scale == 1:  # a texel is a pixel, and triangles end in the middles of texels
        return places
    inverse = np.where(surface.quads.pixels(), inverse_depth(surface.depth_m), np.float32(np.nan))
    clean, (height, width) = _alone(inverse, surface.links, scale), inverse.shape
    left = np.flatnonzero(np.isfinite(inverse[rows, columns]) & ~clean[rows, columns])  # that have no place yet
    for down, right in _steps(2 * scale):
        if not len(left):
            break
        own_y, own_x = places[left].T
        y, x = own_y + down, own_x + right
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        y, x = np.where(inside, y, own_y), np.where(inside, x, own_x)
        ratio = inverse[y, x] / inverse[own_y, own_x]
        found = clean[y, x] & (np.maximum(ratio, 1 / ratio) < _SAME_SURFACE)
        places[left[found]] = np.stack([y[found], x[found]], axis=-1)
        left = left[~found]
    return places


def _alone(inverse: NDArray[np.floating], links: Links, reach_px: int) -> NDArray[np.bool_]:
    """The pixels (h, w) with one surface only within so many pixels of them."""
    window = np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)
    known, torn = np.isfinite(inverse), np.zeros(inverse.shape, np.uint8)
    torn[:, 1:] |= ~links.right
    torn[1:] |= ~links.down
    largest = cv2.dilate(np.where(known, inverse, np.float32(0)), window)
    smallest = cv2.erode(np.where(known, inverse, np.float32(_NOTHING)), window)
    return known & ((largest < _SAME_SURFACE * smallest) | (cv2.dilate(torn, window) == 0))


def _steps(farthest_px: int) -> NDArray[np.int64]:
    """Rows down and columns to the right (N, 2) to all pixels within so many, the nearest first."""
    ends = np.arange(-farthest_px, farthest_px + 1)
    steps = np.stack(np.meshgrid(ends, ends, indexing="ij"), axis=-1).reshape(-1, 2)
    way = (steps**2).sum(axis=1)
    nearest = np.argsort(way, kind="stable")
    return steps[nearest][(way[nearest] > 0) & (way[nearest] <= farthest_px**2)]
