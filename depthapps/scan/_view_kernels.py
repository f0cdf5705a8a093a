"""Compiled loops that look at a field or a surface from a view.

A view is its camera's matrix K (3, 3) and its place, to_camera (4, 4) from the world's axes.
"""

import numpy as np
from numpy.typing import NDArray

from depthapps.runtime.inlining import within

# What is seen through is known better than what is behind a surface: along a silhouette, where the voxels behind one
# view's surface are empty for the others, it has to win. Of 1, 3 and less than 1, 3 was best (F 99.62 % at 1 cm).
FREE_WEIGHT = 3.0
# Voxels behind a surface that the ray hits at a grazing angle are far behind it along the ray, and near it in truth.
# So many count however far along the ray: the surface passes between a voxel and its neighbours, √3 away at most.
REACH_VOXELS = 1.75
REACH_TRUNCATIONS = 3.0  # ... but no farther than this: behind a silhouette that would go on without end
_FARTHEST_BEFORE = 4.0  # truncations along the ray, from where on a voxel is free whatever its plane's distance
_LEAST_BEHIND = 1e-3

LEAST_COSINE = 0.05  # a surface that is seen more from the side shows nothing


@within
def _turned(matrix, x, y, z):
    """A direction in the axes that a matrix (4, 4) leads to."""
    return (
        matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z,
        matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z,
        matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z,
    )


@within
def _seen_from(to_camera, x, y, z):
    """A point of the world in the camera's axes."""
    right, down, ahead = _turned(to_camera, x, y, z)
    return right + to_camera[0, 3], down + to_camera[1, 3], ahead + to_camera[2, 3]


@within
def _pixel_of(matrix, x, y, z):
    """The pixel, column before row, of a point in the camera's axes that lies before it."""
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
    """Keys of the blocks that surface and truncation pass through, some of them more than once.

    depth_m: (H, W), 0 = unknown, of which every step_px-th row and column is looked at, at P places of the truncation
    along its ray. to_world: (4, 4). side_m: of a block. keys: (P, M) int64, M as many as pixels are looked at, of
    key_bits for the block's number along each axis, made positive; found: (P,) how many there are.
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
                if count == 0 or keys[probe, count - 1] != key:  # runs of one block are most of all
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
    """Add a view to blocks first..end of a field: distance (N, B, B, B) over the truncation, and its weight.

    blocks: (M, 3) their places, in blocks; slots: (M,) their rows in the field. depth_m: (H, W), 0 = unknown; planes:
    (H, W, 5) the unit normal of every pixel's plane, how far it lies before the camera, and its weight. A voxel's
    distance is the one to the plane of the pixel that sees it, so that neither grazing rays nor rounding to whole
    pixels make steps; the weight falls to 0 behind the surface (Bylow et al. 2013).
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
    """The pixels (V, 2) of vertices first..end, -1 outside; whether nothing hides them (V,); and how many pixels a
    square metre there has (V,), 0 where it is hidden or turned away."""
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
        # within half a pixel the depth of a slanted surface changes by half a pixel's size over its cosine
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
    """Add a picture's colours, bilinear, to those (V, 3) of the vertices first..end that it shows."""
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


def rate_triangles(
    view: int,
    triangles: NDArray[np.int32],
    area_m2: NDArray[np.floating],
    area_around_m2: NDArray[np.floating],
    pixels: NDArray[np.floating],
    seen: NDArray[np.uint8],
    spreads: int,
    partly_seen: float,
    clearly: float,
    around: NDArray[np.floating],
    density: NDArray[np.floating],
    inside: NDArray[np.int32],
    best: NDArray[np.floating],
    label: NDArray[np.int32],
    shows: NDArray[np.int64],
    holds: NDArray[np.int64],
) -> None:
    """Label triangles (T, 3) with a view if it shows them `clearly` times as well as the `best` (T,) before.

    pixels (V, 2), -1 outside the view, and seen (V,) are the view's. How well is how many pixels a square metre has,
    spread so many times over what is around a vertex (V,) of area_around_m2; of what is seen in part, the share
    partly_seen of it. shows and holds: (T,) a bit a view. around (V,), density and inside (T,) are room to work in.
    """
    bit = 1 << view
    count = 0
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        if pixels[a, 0] < 0 or pixels[b, 0] < 0 or pixels[c, 0] < 0:
            continue
        inside[count] = t
        holds[t] |= bit
        # twice as many as it covers; negative from behind
        covered = (pixels[b, 1] - pixels[a, 1]) * (pixels[c, 0] - pixels[a, 0]) - (pixels[b, 0] - pixels[a, 0]) * (
            pixels[c, 1] - pixels[a, 1]
        )
        density[count] = 0
        if covered > 0 and seen[a] and seen[b] and seen[c]:
            shows[t] |= bit
            density[count] = covered / area_m2[t]
        count += 1
    for _ in range(spreads):
        for i in range(count):
            for k in range(3):
                around[triangles[inside[i], k]] = 0
        for i in range(count):
            for k in range(3):
                around[triangles[inside[i], k]] += density[i] * area_m2[inside[i]]
        for i in range(count):
            total = 0.0
            for k in range(3):
                total += around[triangles[inside[i], k]] / area_around_m2[triangles[inside[i], k]]
            density[i] = total / 3
    for i in range(count):
        t = inside[i]
        rated = density[i] if shows[t] & bit else partly_seen * density[i]
        if rated > clearly * best[t]:
            label[t], best[t] = view, rated
