"""Compiled loops of the fused field."""

import numpy as np
from numpy.typing import NDArray

from depthapps.compiled import compiled
from depthapps.mesh._pinhole import Pinhole, pixel_of, seen_from, turned

BLOCK = 16  # voxels a side that are kept together

# What is seen through is known better than what is behind a surface: along a silhouette, where the voxels behind one
# view's surface are empty for the others, it has to win. Of 1, 3 and less than 1, 3 was best (F 99.62 % at 1 cm).
FREE_WEIGHT = 3.0
# Voxels behind a surface that the ray hits at a grazing angle are far behind it along the ray, and near it in truth.
# So many count however far along the ray: the surface passes between a voxel and its neighbours, √3 away at most.
REACH_VOXELS = 1.75
REACH_TRUNCATIONS = 3.0  # ... but no farther than this: behind a silhouette that would go on without end
_FARTHEST_BEFORE = 4.0  # truncations along the ray, from where on a voxel is free whatever its plane's distance
_LEAST_BEHIND = 1e-3

PROBES = 5  # places along a pixel's truncation that open a block
KEY_BITS = 21  # of a block's number along an axis, so that three are one key
KEY_OFFSET = 1 << (KEY_BITS - 1)  # makes them positive


@compiled
def touched_blocks(
    depth_m: NDArray[np.floating],
    step_px: int,
    pinhole: Pinhole,
    to_world: NDArray[np.floating],
    truncation_m: float,
    side_m: float,
    keys: NDArray[np.int64],
) -> int:
    """How many of `keys` (M,) are filled: with those of the blocks that surface and truncation pass through, some of
    them more than once.

    depth_m: (H, W), 0 = unknown, of which every step_px-th row and column is looked at. to_world: (4, 4) float64.
    side_m: of a block. M has to be PROBES times the pixels looked at.
    """
    height, width = depth_m.shape
    origin = to_world[:3, 3] / side_m
    found = 0
    last = np.full(PROBES, -1, np.int64)
    for row in range(0, height, step_px):
        for column in range(0, width, step_px):
            depth = depth_m[row, column]
            if depth <= 0:
                continue
            right, down, ahead = turned(
                to_world,
                (column - pinhole.cx) / pinhole.fx / side_m,
                (row - pinhole.cy) / pinhole.fy / side_m,
                1 / side_m,
            )
            for probe in range(PROBES):
                far = depth + (2 * probe / (PROBES - 1) - 1) * truncation_m
                key = 0
                for along in (far * right + origin[0], far * down + origin[1], far * ahead + origin[2]):
                    key = (key << KEY_BITS) | (int(np.floor(along)) + KEY_OFFSET)
                if key != last[probe]:  # runs of one block are most of all
                    keys[found] = last[probe] = key
                    found += 1
    return found


@compiled
def integrate(
    first: int,
    end: int,
    blocks: NDArray[np.int32],
    slots: NDArray[np.int64],
    voxel_m: float,
    truncation_m: float,
    pinhole: Pinhole,
    depth_m: NDArray[np.floating],
    planes: NDArray[np.floating],
    distance: NDArray[np.floating],
    weight: NDArray[np.floating],
) -> None:
    """Add a view to blocks first..end of a field: distance (N, 16, 16, 16) over the truncation, and its weight.

    blocks: (M, 3) their places, in blocks; slots: (M,) their rows in the field. depth_m: (H, W), 0 = unknown; planes:
    (H, W, 5) the unit normal of every pixel's plane, how far it lies before the camera, and its weight. A voxel's
    distance is the one to the plane of the pixel that sees it, so that neither grazing rays nor rounding to whole
    pixels make steps; the weight falls to 0 behind the surface (Bylow et al. 2013).
    """
    height, width = depth_m.shape
    farthest_behind = REACH_TRUNCATIONS * truncation_m
    step_x, step_y, step_z = turned(pinhole.to_camera, voxel_m, 0.0, 0.0)
    for b in range(first, end):
        slot = slots[b]
        x0, y0, z0 = (blocks[b, 0] * BLOCK * voxel_m, blocks[b, 1] * BLOCK * voxel_m, blocks[b, 2] * BLOCK * voxel_m)
        for k in range(BLOCK):
            for j in range(BLOCK):
                row_x, row_y, row_z = seen_from(pinhole, x0, y0 + j * voxel_m, z0 + k * voxel_m)
                for i in range(BLOCK):
                    x, y, z = row_x + i * step_x, row_y + i * step_y, row_z + i * step_z
                    if z <= truncation_m:
                        continue
                    u, v = pixel_of(pinhole, x, y, z)
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
