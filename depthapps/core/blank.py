"""Find where a picture shows no scene: black corners and bars of photos that were turned, straightened or framed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.scene import Image

_BLACK = 3  # of 255: plain black after JPEG compression stays below; areas of shadow in photos are brighter
_LEAST = 2e-3  # least area of a blank corner, as a share of the picture: shadows in corners are smaller or brighter
_MIXED_PX = 2  # reach of the interpolation that mixes scene and blank pixels
# What `blank_part` asks. Least area of a corner in pixels, of which those that follow can be told.
_LEAST_PX = 50
# What lies 3 or 4 px from black in a shadow that brightens by less than 2 levels a pixel is darker. Beside the blank
# corners of 17 photos that were turned or rectified elsewhere, or have a black rim, the median is 22 to 252 of 255.
_BRIGHT = 10
# Of the shorter side: so far a corner may reach into the convex hull of what the photo shows. Those of the same photos
# reach up to 0.021, where straightening bent the sides inwards; a night sky between houses reaches further.
_INWARDS = 0.04
_MOST = 1 / 3  # of the picture; bars beside a picture take a quarter of it, and what is darker than that is a backdrop


def shown(photo: Image) -> NDArray[np.bool_]:
    """Mask (H, W) of a photo (H, W, 3) uint8 without plain black areas at its corners.

    Photos that were rotated or straightened earlier have such corners. Their edges look like structure, but match
    nothing in the other photo.
    """
    pieces = _black_corners(photo)
    blank = np.bincount(pieces.ravel()) >= _LEAST * pieces.size
    blank[0] = False
    return ~blank[pieces]


def shrunk(area: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Erode a mask (H, W) by the rim that interpolation mixes with its surroundings; the picture border has no rim."""
    return cv2.erode(area.astype(np.uint8), _window(_MIXED_PX)) > 0


def blank_part(photo: Image) -> NDArray[np.bool_] | None:
    """Mask (H, W) of the pixels of a photo (H, W, 3) that surely show no scene; None if it has none.

    Those are plain black areas at its corners, and the pixels mixed with them, that end as sharply and nearly as
    straight as the sides of a photo do: no shadow, no night sky, no backdrop.
    """
    if not _any_black(to_8bit(photo[np.ix_((0, -1), (0, -1))])):
        return None
    photo = to_8bit(photo)
    pieces = _black_corners(photo)
    black = pieces > 0
    if not black.any() or black.mean() > _MOST:
        return None
    hull = np.zeros(black.shape, np.uint8)
    outlines, _ = cv2.findContours((~black).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.fillConvexPoly(hull, np.asarray(cv2.convexHull(np.concatenate(outlines)), np.int32), 1)
    inwards = np.asarray(cv2.distanceTransform(np.pad(hull, 1), cv2.DIST_L2, cv2.DIST_MASK_5))[1:-1, 1:-1]
    blank = np.zeros(black.shape, np.bool_)
    for number in np.unique(pieces[black]):
        piece = pieces == number
        if piece.sum() < _LEAST_PX or inwards[piece].max() > _INWARDS * min(piece.shape):
            continue
        grown = ~shrunk(~piece)
        beside = ~shrunk(~grown) & ~grown
        if beside.any() and np.median(photo[beside].max(axis=-1)) >= _BRIGHT:
            blank |= grown
    return blank if blank.any() else None


def _any_black(photo: Image) -> bool:
    return bool((photo.max(axis=-1) <= _BLACK).any())


def _black_corners(photo: Image) -> NDArray[np.int32]:
    """The number (H, W) of the plain black piece at a corner of a photo (H, W, 3) uint8 that a pixel is of, or 0."""
    corners = np.ix_((0, -1), (0, -1))
    if not _any_black(photo[corners]):
        return np.zeros(photo.shape[:2], np.int32)
    black = cv2.max(cv2.max(photo[..., 0], photo[..., 1]), photo[..., 2]) <= _BLACK
    count, found = cv2.connectedComponents(black.astype(np.uint8), ltype=cv2.CV_32S)
    labels = np.asarray(found, np.int32)
    at_corner = np.zeros(count, np.int32)
    at_corner[labels[corners]] = labels[corners]  # what is not black is 0
    return at_corner[labels]


def _window(reach_px: int) -> NDArray[np.uint8]:
    return np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)
