"""Take dents out of plain surfaces: where the picture shows none, 1/Z follows the normals."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.color import to_8bit
from depthapps.core.geometry import ray_directions
from depthapps.core.scene import FloatMap, Image
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands
from depthapps.surface.tearing import BoolMap, Links

# Standard deviations in px of two blurs of the picture, and the grey levels by which they differ beside what it shows:
# a fold's shade or a painted line, but not light that falls off smoothly. Shadows in two rendered rooms of matched
# depth have an IoU of .5118, .5119 and .5118 with 2, 3 and 5 grey levels.
_FINE_PX, _WIDE_PX, _EDGE = 1.0, 3.0, 3
# So near to an edge of the picture a surface is not plain. With 1, 3 and 6 px the IoU is .5122, .5119 and .5117.
_BESIDE_PX = 3
# Of the longer side: dents of plain surfaces that are narrower go. Of one with this standard deviation half is left, of
# one half as wide a quarter. It is the radius of the window in which the picture guides normals; half and twice as much
# differ by .001 of the IoU.
_LENGTH = 1 / 60
# Weight of a pixel's own 1/Z elsewhere, where that of each slope is 1. Without any change, with .3 and with 1 the IoU
# is .5089, .5107 and .5119, and 1.50, 1.31 and 1.36 % of the picture are wrongly dark.
_FIRM = 1.0
_GRAZING = 0.1  # product of a normal and the ray to Z = 1; with less, the slope of 1/Z is too steep to be followed
_BAND_ROWS = 128  # that one thread takes at a time
# Times the length in px: with 1, 2 and 3, no pixel of two pairs is off by more than .3, .06 and .02 of the noise.
_SWEEPS = 2

RELAX_ROWS = Kernel(
    "depthapps.surface._relief_kernels",
    "relax_rows",
    "float32[:,::1] float32[:,::1] float32[:,::1] uint8[:,::1] float64 int64 int64 int64",
)


def without_dents(
    inverse: FloatMap,
    noise: float,
    links: Links,
    normals: NDArray[np.floating],
    firm: BoolMap,
    image: Image,
    camera: Camera,
) -> FloatMap:
    """Take out of 1/Z (H, W) in 1/m, without NaN, the dents that neither normals nor picture show.

    noise: the standard deviation of 1/Z, by which a pixel is moved at most: normals may be wrong, as at the limb of a
    ball that looks as plain as what is behind it. links: which neighbours lie on one surface. normals: (H, W, 3), unit.
    firm: (H, W), where 1/Z is to be believed. It is more than elsewhere near edges of the image (H, W, 3), too; at an
    edge of a surface it stays.

    Positions that are right on the whole and normals that are right in detail are combined as by Nehab et al. (2005):
    the result is near to 1/Z, and its slopes are near to those of the planes with these normals.
    """
    right, down, faces = _slopes(inverse, normals, camera)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    free = (cv2.erode(faces.view(np.uint8), cross) > 0) & _inside(links)
    length = _LENGTH * max(inverse.shape)
    weight = np.where(_plain(image) & ~firm, np.float32(1 / length**2), np.float32(_FIRM))
    right, down = 0.5 * (right[:, 1:] + right[:, :-1]), 0.5 * (down[1:] + down[:-1])
    wanted = weight * inverse
    wanted[:, :-1] -= right
    wanted[:, 1:] += right
    wanted[:-1] -= down
    wanted[1:] += down
    # that of the fastest convergence (Young 1954), from the largest eigenvalue of Jacobi's method
    relaxation = 2 / (1 + math.sqrt(1 - (4 / (4 + 1 / length**2)) ** 2))
    settled, flags = np.array(inverse, np.float32, order="C"), free.view(np.uint8)
    sweeps = [
        lambda first, end, parity=parity: RELAX_ROWS(settled, wanted, weight, flags, relaxation, parity, first, end)
        for parity in range(2)
    ]
    for _ in range(math.ceil(_SWEEPS * length)):
        for sweep in sweeps:
            for_bands(len(settled), sweep, _BAND_ROWS)
    return np.clip(settled, inverse - np.float32(noise), inverse + np.float32(noise))


def _slopes(inverse: FloatMap, normals: NDArray[np.floating], camera: Camera) -> tuple[FloatMap, FloatMap, BoolMap]:
    """By how much 1/Z (H, W) rises a pixel to the right and down on planes with these normals, and where that is known.

    On a plane, 1/Z is proportional to the product of normal and ray, which is linear in the pixel's place.
    """
    along = np.einsum("ijk,ijk->ij", normals, ray_directions(camera))
    with np.errstate(invalid="ignore"):
        faces = np.abs(along) > _GRAZING
    scale = np.where(faces, inverse / np.where(faces, along, 1), np.float32(0))
    right, down = (np.where(faces, normals[..., k], 0) * scale / f for k, f in ((0, camera.fx), (1, camera.fy)))
    return right.astype(np.float32), down.astype(np.float32), faces


def _inside(links: Links) -> BoolMap:
    """The pixels (H, W) that are linked to all of their four neighbours."""
    inside = np.zeros((links.right.shape[0], links.down.shape[1]), bool)
    inside[1:-1, 1:-1] = links.right[1:-1, 1:] & links.right[1:-1, :-1] & links.down[1:, 1:-1] & links.down[:-1, 1:-1]
    return inside


def _plain(image: Image) -> BoolMap:
    """The pixels (H, W) near no edge of the picture."""
    picture = to_8bit(np.nan_to_num(image))
    fine, wide = (cv2.GaussianBlur(picture, (0, 0), sigma) for sigma in (_FINE_PX, _WIDE_PX))
    edge = (cv2.absdiff(fine, wide).max(axis=2) >= _EDGE).astype(np.uint8)
    side = 2 * _BESIDE_PX + 1
    return cv2.dilate(edge, np.ones((side, side), np.uint8)) == 0
