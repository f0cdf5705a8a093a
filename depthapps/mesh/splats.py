"""Turn the pixels of a surface into Gaussian splats: one flat disc a pixel, without training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.models import GaussianSplats, PointCloud

# Standard deviation in pixels. Viewers add a variance of 0.3 px², which smears what is larger, while what is smaller
# gapes where the photo is shown enlarged. In a ray-cast room seen from 8 degrees aside, 0.4 and 0.5 are 0.7 and 1.0 dB
# below the mesh; without a viewer's blur they would be 7 and 2 dB below it.
_SIGMA_PX = 0.45
_THICKNESS = 0.05  # standard deviation along the normal, in those along the surface
_STEEPEST = 0.25  # cosine between normal and ray, below which a disc is no longer stretched: noise would make needles


def splats_of_cloud(cloud: PointCloud, camera: Camera) -> GaussianSplats:
    """Make a splat of each point that a pixel of a camera shows.

    Parameters
    ----------
    cloud : PointCloud
        One point a pixel, in the camera's axes.
    camera : Camera

    Returns
    -------
    GaussianSplats
        Discs that lie in the surface. Seen from the camera each covers its own pixel; where the surface is tilted, the
        disc is longer along the tilt.
    """
    points = np.asarray(cloud.points, np.float32)
    normals = np.asarray(cloud.normals, np.float32)
    rays = points / np.linalg.norm(points, axis=1, keepdims=True)
    cosine = np.clip(-(rays * normals).sum(axis=1), _STEEPEST, 1)
    along = rays + (-(rays * normals).sum(axis=1))[:, None] * normals  # the ray, laid into the surface
    length = np.linalg.norm(along, axis=1, keepdims=True)
    fallback = np.cross(normals, np.array([0, 1, 0], np.float32))  # seen from straight ahead, every direction will do
    along = np.where(length > 1e-4, along / np.maximum(length, 1e-4), fallback)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    across = np.cross(normals, along)
    pixel_m = points[:, 2] / np.float32(np.sqrt(camera.fx * camera.fy))
    sigma = _SIGMA_PX * pixel_m
    scales = np.column_stack([sigma / cosine, sigma, _THICKNESS * sigma])
    turned = np.stack([along, across, normals], axis=2)
    return GaussianSplats(points, cloud.colors, scales.astype(np.float32), _quaternions(turned))


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
