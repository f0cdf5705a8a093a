"""Turn the pixels of a surface into Gaussian splats, without training: small discs over larger, opaque ones."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.models import GaussianSplats, PointCloud
from depthapps.runtime.kernel import Kernel

# Viewers blend the nearest splat last and widen each by a variance of 0.3 px². Discs that leave no gap and are opaque
# would hide their neighbours: what is seen at a place is the nearest of those around it, a pixel away, and changes with
# the direction in which the surface leans. So there are two layers. Small discs that let through 40 % blend evenly, and
# larger ones behind them, one for 2 x 2 pixels, close the gaps with almost the same colour.
# Measured in ray-cast rooms with seven textures, from smooth ones to noise as fine as a pixel, 8 to 14 degrees aside
# with zooms of 1, 1.5 and 2, for sizes 0.25 to 0.4 and 1 to 1.5 and opacities 0.5 to 0.75: the pictures of these splats
# are 0.3 dB above to 1.2 dB below those of the mesh, on average 0.4 dB below; one opaque layer of 0.45 px is 0.3 to 3.7
# dB below, on average 1.6. Viewers that lower the opacity of what they widen (Yu 2024, "Mip-Splatting") lose 1.5 dB on
# average, and 6.1 with one layer, through which much of the background shows.
_SIGMA_PX, _OPACITY = 0.3, 0.6
_BACK_SIGMA_PX, _BACK_OPACITY = 1.2, 0.99
_BACK_STEP = 2  # pixels from one disc of the layer behind to the next
_BACK_PX = 2.0  # how far behind it is: a disc's reach, in widths of a pixel on a surface seen from straight ahead
_BACK_SHARE = 0.003  # of the depth, at least: viewers sort by rounded depths, to a millimetre or 11 bits
_VIEWER_PX2 = 0.3  # the variance that viewers add (Kerbl 2023)
_FAINTEST = 1 / 255  # opacity of what viewers leave out
_AT_ONCE = 1 << 18  # splats that are turned at once: each takes 200 bytes meanwhile
_THICKNESS = 0.05  # standard deviation along the normal, in those along the surface
_STEEPEST = 0.25  # cosine between normal and ray, below which a disc is no longer stretched: noise would make needles

_blend_splats = Kernel(
    "depthapps.mesh._splat_kernels",
    "blend_splats",
    "int64[::1] int32[::1] int32[::1] uint8[::1] float32[:,:,::1] int64[::1] float32[:,::1] float32[:,:,::1]",
)


def splats_of_cloud(cloud: PointCloud, camera: Camera) -> GaussianSplats:
    """Make splats of the points that the pixels of a camera show.

    Parameters
    ----------
    cloud : PointCloud
        One point a pixel and surface, in the camera's axes.
    camera : Camera

    Returns
    -------
    GaussianSplats
        Discs that lie in the surface: first one for each point, then those of a coarser layer close behind it. The
        camera sees them round; where the surface is tilted, a disc is longer along the tilt.

    Notes
    -----
    Blended, discs of the colours c show the camera K c, which is blurred. They get the colours c + (c - K c), the first
    two terms of the series of K's inverse (van Cittert 1931). The next ones would double the noise for nothing: where
    a new view is wrong at depth edges, it is wrong in more contrast.
    """
    focal_px = np.float32(np.sqrt(camera.fx * camera.fy))
    column, row = _pixels(cloud.points, camera)
    visible, covered = _seen(cloud.points[:, 2], column, row, camera)
    column, row, visible = column[~covered], row[~covered], visible[~covered]
    points, normals = (np.asarray(each, np.float32)[~covered] for each in (cloud.points, cloud.normals))
    back = _one_a_cell(column, row, visible)
    parts = [slice(k, min(k + _AT_ONCE, len(points))) for k in range(0, len(points), _AT_ONCE)]
    cosine = np.empty(len(points), np.float32)
    for part in parts:
        cosine[part] = np.clip(-(_rays(points[part]) * normals[part]).sum(axis=1), _STEEPEST, 1)
    behind = 1 + np.maximum(_BACK_PX / (focal_px * cosine[back]), _BACK_SHARE)[:, None]
    centers = np.concatenate([points, points[back] * behind]).astype(np.float32)
    column, row = (np.concatenate([at, at[back]]) for at in (column, row))
    colors = np.concatenate([cloud.colors[~covered], cloud.colors[~covered][back]])
    layers = np.repeat(np.array([0, 1], np.uint8), [len(points), len(back)])
    colors = _sharpened(colors, layers, centers[:, 2], (column, row), visible, camera)
    del column, row, visible, covered  # before sizes and rotations, which are the most of a splat, are made
    scales_m, rotations = np.empty_like(centers), np.empty((len(centers), 4), np.float32)
    for part in parts:
        scales_m[part] = _SIGMA_PX * _shape_m(points[part, 2] / focal_px, cosine[part])
        rotations[part] = _quaternions(_turned(_rays(points[part]), normals[part]))
    scales_m[len(points) :] = _BACK_SIGMA_PX * _shape_m(points[back, 2] / focal_px, cosine[back])
    rotations[len(points) :] = rotations[back]
    return GaussianSplats(centers, colors, scales_m, rotations, np.array([_OPACITY, _BACK_OPACITY], np.float32)[layers])


def _rays(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """The unit vectors (N, 3) from the camera to points."""
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def _shape_m(pixel_m: NDArray[np.floating], cosine: NDArray[np.floating]) -> NDArray[np.floating]:
    """The lengths (N, 3) of the axes of discs: along the tilt, across it, and along the normal.

    pixel_m: (N,), the width of a pixel there. cosine: (N,), between the normal and the ray.
    """
    return np.column_stack([pixel_m / cosine, pixel_m, _THICKNESS * pixel_m])


def _pixels(points: NDArray[np.floating], camera: Camera) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Column and row (N,) of the pixel at which the camera sees each point, which may lie beyond its picture."""
    x = points[:, 0] / points[:, 2] * camera.fx + camera.cx
    y = points[:, 1] / points[:, 2] * camera.fy + camera.cy
    return np.rint(x).astype(np.int32), np.rint(y).astype(np.int32)


def _seen(
    depth_m: NDArray[np.floating], column: NDArray[np.int32], row: NDArray[np.int32], camera: Camera
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which points (N,) pixels of the picture show, one a pixel, and which of the others lie on the same surface.

    Where surfaces meet, or one goes on under another, the first of the points is shown.
    """
    inside = np.flatnonzero((column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height))
    pixel = row[inside].astype(np.int64) * camera.width + column[inside]
    nearest = np.full(camera.width * camera.height, np.inf, np.float32)
    np.minimum.at(nearest, pixel, depth_m[inside])
    apart = max(_BACK_PX / math.sqrt(camera.fx * camera.fy), _BACK_SHARE)
    together = depth_m[inside] <= nearest[pixel] * np.float32(1 + apart)
    first = np.unique(pixel[together], return_index=True)[1]
    visible, covered = np.zeros((2, len(depth_m)), bool)
    covered[inside[together]] = True
    visible[inside[together][first]] = True
    return visible, covered & ~visible


def _one_a_cell(column: NDArray[np.int32], row: NDArray[np.int32], visible: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The numbers of points, one of those in each square of pixels that are visible, and one of those that are not."""
    x, y = ((at - at.min(initial=0)) // _BACK_STEP for at in (column, row))
    cell = (y.astype(np.int64) * (x.max(initial=0) + 1) + x) * 2 + visible
    return np.unique(cell, return_index=True)[1]


def _sharpened(
    colors: NDArray[np.uint8],
    layers: NDArray[np.uint8],
    depth_m: NDArray[np.floating],
    pixels: tuple[NDArray[np.int32], NDArray[np.int32]],
    visible: NDArray[np.bool_],
    camera: Camera,
) -> NDArray[np.uint8]:
    """The colours (N, 3) of splats with which the camera sees its picture as sharp as it is.

    pixels: column and row (N,) of each splat. visible: of the first layer, whose splats come first.
    """
    column, row = pixels
    front = np.flatnonzero(visible)
    picture = np.zeros((camera.height, camera.width, 3), np.float32)
    shown = row[front], column[front]
    picture[shown] = colors[front]
    stamps, reach = _stamps()
    order = np.argsort(-depth_m, kind="stable")
    found = colors.astype(np.float32)
    seen = picture.copy()  # behind everything, so that what the splats let through at the border is no error
    _blend_splats(order, column, row, layers, stamps, reach, found, seen)
    found[front] = np.clip(found[front] + (picture - seen)[shown], 0, 255)
    return np.rint(found).astype(np.uint8)


def _stamps() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The opacity of a disc of each layer in the pixels around it (2, 2 R + 1, 2 R + 1), and their reach in pixels."""
    variance = np.array([_SIGMA_PX, _BACK_SIGMA_PX]) ** 2 + _VIEWER_PX2
    opacity = np.array([_OPACITY, _BACK_OPACITY])
    reach = np.sqrt(2 * variance * np.log(opacity / _FAINTEST)).astype(np.int64)
    away = np.arange(-reach.max(), reach.max() + 1)
    squared = (away[:, None] ** 2 + away**2)[None]
    stamps = opacity[:, None, None] * np.exp(-squared / (2 * variance[:, None, None]))
    return np.where(stamps < _FAINTEST, 0, stamps).astype(np.float32), reach


def _turned(rays: NDArray[np.floating], normals: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rotations (N, 3, 3) that lay discs into the surface, their first axis along its tilt."""
    along = rays - (rays * normals).sum(axis=1)[:, None] * normals  # the ray, laid into the surface
    length = np.linalg.norm(along, axis=1, keepdims=True)
    fallback = np.cross(normals, np.array([0, 1, 0], np.float32))  # seen from straight ahead, every direction will do
    along = np.where(length > 1e-4, along / np.maximum(length, 1e-4), fallback)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    return np.stack([along, np.cross(normals, along), normals], axis=2)


def _quaternions(matrices: NDArray[np.floating]) -> NDArray[np.float32]:
    """Unit quaternions w, x, y, z (N, 4) of rotation matrices (N, 3, 3), by the largest of the four (Shepperd 1978)."""
    m = np.asarray(matrices, np.float64)
    trace = np.trace(m, axis1=1, axis2=2)
    diagonal = np.diagonal(m, axis1=1, axis2=2)
    largest = np.argmax(np.column_stack([trace, diagonal]), axis=1)
    found = np.empty((len(m), 4))
    for k in range(4):
        rows = largest == k
        r = m[rows]
        if k == 0:
            found[rows] = np.column_stack([
                1 + trace[rows], r[:, 2, 1] - r[:, 1, 2], r[:, 0, 2] - r[:, 2, 0], r[:, 1, 0] - r[:, 0, 1]
            ])  # fmt: skip
            continue
        i, j, n = k - 1, k % 3, (k + 1) % 3
        quaternion = np.empty((len(r), 4))
        quaternion[:, 0] = r[:, n, j] - r[:, j, n]
        quaternion[:, 1 + i] = 1 + r[:, i, i] - r[:, j, j] - r[:, n, n]
        quaternion[:, 1 + j] = r[:, j, i] + r[:, i, j]
        quaternion[:, 1 + n] = r[:, n, i] + r[:, i, n]
        found[rows] = quaternion
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
