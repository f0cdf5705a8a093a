"""Compiled loops of scanning: add views to a distance field, and project a surface into views for its colours.

A view is given by its camera matrix K (3, 3), `matrix`, and by `to_camera` (4, 4), from world axes to camera axes.
"""

import numpy as np
from numpy.typing import NDArray

from depthapps.runtime.inlining import within

# Factor on a view's weight for free voxels, which the view sees through. Free space is known better than the space
# behind a surface. Along a silhouette the voxels behind one view's surface are free for other views, and free has to
# win. Of 1, 3 and factors below 1, 3 was best (F-score 99.62 % at 1 cm).
FREE_WEIGHT = 3.0
# Where a ray hits a surface at a grazing angle, a voxel can be far behind the surface along the ray and yet close to
# it. Voxels within this many voxel sides behind the surface's plane count even beyond the truncation distance along the
# ray: the surface passes between a voxel and its neighbours, which are at most √3 sides away.
REACH_VOXELS = 1.75
# ... but only up to this many truncation distances behind the surface in depth. Behind a silhouette the rule above
# would otherwise continue without end.
REACH_TRUNCATIONS = 3.0
# In truncation distances: a voxel farther before the surface in depth is free, whatever its distance to the plane.
_FARTHEST_BEFORE = 4.0
_LEAST_BEHIND = 1e-3  # least factor on the weight of a voxel behind the surface

LEAST_COSINE = 0.05  # between ray and normal; a view takes no colours from a surface at a more grazing angle


@within
def _turned(matrix, x, y, z):
    """Turn a direction by the rotation of a matrix (4, 4)."""
    return (
        matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z,
        matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z,
        matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z,
    )


@within
def _seen_from(to_camera, x, y, z):
    """Transform a point from world axes to camera axes."""
    right, down, ahead = _turned(to_camera, x, y, z)
    return right + to_camera[0, 3], down + to_camera[1, 3], ahead + to_camera[2, 3]


@within
def _pixel_of(matrix, x, y, z):
    """Project a point, in camera axes and in front of the camera, to its pixel (column, row)."""
    return matrix[0, 0] * x / z + matrix[0, 2], matrix[1, 1] * y / z + matrix[1, 2]


def touch_blocks(
    depth_m: NDArray[np.floating],
    step_px: int,
    matrix: NDArray[np.floating],
    to_world: NDArray[np.floating],
    truncation_m: float,
    side_m: float,
    key_bits: int,
    keys: NDArray[np.int64],
    found: NDArray[np.int64],
) -> None:
    """Find the keys of the blocks within the truncation distance of the surface; a key may occur more than once.

    Every step_px-th row and column is used. Each of these pixels is probed at P places along its ray, from the
    truncation distance before the surface to the same distance behind it.

    depth_m: (H, W), 0 where unknown. to_world: (4, 4) from camera axes to world axes. side_m: side of a block. keys:
    (P, M) int64, which is filled; M is the number of pixels that are used. A key holds the block's number along each
    axis, made positive, in key_bits bits. found: (P,), which is filled with the number of keys in each row.
    """
    height, width = depth_m.shape
    probes, offset = len(keys), 1 << (key_bits - 1)
    for probe in range(probes):
        found[probe] = 0
    for row in range(0, height, step_px):
        for column in range(0, width, step_px):
            depth = depth_m[row, column]
            if depth <= 0:
                continue
            right, down, ahead = _turned(
                to_world, (column - matrix[0, 2]) / matrix[0, 0], (row - matrix[1, 2]) / matrix[1, 1], 1.0
            )
            for probe in range(probes):
                far = depth + (2 * probe / (probes - 1) - 1) * truncation_m
                x = int(np.floor((far * right + to_world[0, 3]) / side_m)) + offset
                y = int(np.floor((far * down + to_world[1, 3]) / side_m)) + offset
                z = int(np.floor((far * ahead + to_world[2, 3]) / side_m)) + offset
                key = (((x << key_bits) | y) << key_bits) | z
                count = found[probe]
                # skip repeats: most pixels are in the same block as the one before
                if count == 0 or keys[probe, count - 1] != key:
                    keys[probe, count] = key
                    found[probe] = count + 1


def integrate(
    first: int,
    end: int,
    blocks: NDArray[np.int32],
    slots: NDArray[np.int64],
    voxel_m: float,
    truncation_m: float,
    matrix: NDArray[np.floating],
    to_camera: NDArray[np.floating],
    depth_m: NDArray[np.floating],
    planes: NDArray[np.floating],
    distance: NDArray[np.floating],
    weight: NDArray[np.floating],
) -> None:
    """Add a view to blocks first..end of a truncated signed distance field.

    A voxel's distance is the one to the tangent plane of the pixel that sees it. So neither grazing rays nor rounding
    to whole pixels make steps. The weight falls to 0 behind the surface (Bylow et al. 2013).

    blocks: (M, 3) places of the blocks, in blocks. slots: (M,) their rows in the field. depth_m: (H, W), 0 where
    unknown. planes: (H, W, 5) the unit normal of each pixel's plane, the plane's distance from the camera in metres,
    and its weight. distance: (N, B, B, B) in truncation distances, and weight: of the same shape; both are updated.
    """
    height, width = depth_m.shape
    block = distance.shape[1]
    farthest_behind = REACH_TRUNCATIONS * truncation_m
    step_x, step_y, step_z = _turned(to_camera, voxel_m, 0.0, 0.0)
    for b in range(first, end):
        slot = slots[b]
        x0, y0, z0 = (blocks[b, 0] * block * voxel_m, blocks[b, 1] * block * voxel_m, blocks[b, 2] * block * voxel_m)
        for k in range(block):
            for j in range(block):
                row_x, row_y, row_z = _seen_from(to_camera, x0, y0 + j * voxel_m, z0 + k * voxel_m)
                for i in range(block):
                    x, y, z = row_x + i * step_x, row_y + i * step_y, row_z + i * step_z
                    if z <= truncation_m:
                        continue
                    u, v = _pixel_of(matrix, x, y, z)
                    if not (-0.5 <= u < width - 0.5 and -0.5 <= v < height - 0.5):
                        continue
                    column, row = int(u + 0.5), int(v + 0.5)
                    depth = depth_m[row, column]
                    behind = z - depth
                    if depth <= 0 or behind > farthest_behind:
                        continue
                    plane = planes[row, column]
                    away = plane[0] * x + plane[1] * y + plane[2] * z + plane[3]
                    if away < -truncation_m or (behind > truncation_m and away < -REACH_VOXELS * voxel_m):
                        continue
                    share = plane[4]
                    value = away / truncation_m
                    if value >= 1 or -behind > _FARTHEST_BEFORE * truncation_m:
                        value = 1.0
                        share *= FREE_WEIGHT
                    elif value < 0:
                        share *= max(1 + value, _LEAST_BEHIND)
                    known = weight[slot, k, j, i]
                    distance[slot, k, j, i] = (distance[slot, k, j, i] * known + value * share) / (known + share)
                    weight[slot, k, j, i] = known + share


def project_vertices(
    first: int,
    end: int,
    vertices: NDArray[np.floating],
    normals: NDArray[np.floating],
    matrix: NDArray[np.floating],
    to_camera: NDArray[np.floating],
    depth_m: NDArray[np.floating],
    slack_m: float,
    slack_share: float,
    pixels: NDArray[np.floating],
    seen: NDArray[np.uint8],
    weight: NDArray[np.floating],
) -> None:
    """Project vertices first..end into a view, and find which of them it sees and at what resolution.

    A vertex is seen if its depth differs from the view's own by less than slack_m or slack_share of the depth,
    whichever is larger. The results are written to pixels (V, 2), column and row, -1 outside the view; seen (V,), 1 if
    nothing hides the vertex; and weight (V,), the pixels per square metre of surface, 0 where it is hidden or turned
    away.
    """
    height, width = depth_m.shape
    for i in range(first, end):
        x, y, z = _seen_from(to_camera, vertices[i, 0], vertices[i, 1], vertices[i, 2])
        weight[i], seen[i] = 0, 0
        pixels[i, 0] = pixels[i, 1] = -1
        if z <= slack_m:
            continue
        u, v = _pixel_of(matrix, x, y, z)
        if not (0 <= u <= width - 1 and 0 <= v <= height - 1):
            continue
        pixels[i, 0], pixels[i, 1] = u, v
        nx, ny, nz = _turned(to_camera, normals[i, 0], normals[i, 1], normals[i, 2])
        cosine = min(1.0, -(nx * x + ny * y + nz * z) / np.sqrt(x * x + y * y + z * z))
        slanted = max(abs(cosine), LEAST_COSINE)
        # The depth is read at a whole pixel. On a slanted surface, depth changes from one pixel to the next by a
        # pixel's size times the tangent of the slant.
        slack = max(slack_m, slack_share * z) + z / matrix[0, 0] * np.sqrt(1 / (slanted * slanted) - 1)
        seen[i] = abs(depth_m[int(v + 0.5), int(u + 0.5)] - z) < slack
        if seen[i] and cosine >= LEAST_COSINE:
            weight[i] = cosine * (matrix[0, 0] / z) ** 2


def gather_colors(
    first: int,
    end: int,
    image: NDArray[np.uint8],
    pixels: NDArray[np.floating],
    weight: NDArray[np.floating],
    power: int,
    total: NDArray[np.floating],
    weights: NDArray[np.floating],
) -> None:
    """Add a picture's colours, with bilinear interpolation, to the vertices first..end that it shows.

    pixels: (V, 2) and weight: (V,), see `project_vertices`. A colour counts with weight ** power. total: (V, 3)
    weighted sum of colours, and weights: (V,) sum of weights; both are updated.
    """
    height, width = image.shape[:2]
    for i in range(first, end):
        if weight[i] <= 0:
            continue
        share = weight[i] ** power
        u, v = pixels[i, 0], pixels[i, 1]
        x, y = min(int(u), width - 2), min(int(v), height - 2)
        s, t = u - x, v - y
        for c in range(3):
            above = image[y, x, c] * (1 - s) + image[y, x + 1, c] * s
            below = image[y + 1, x, c] * (1 - s) + image[y + 1, x + 1, c] * s
            total[i, c] += share * (above * (1 - t) + below * t)
        weights[i] += share
