"""Fuse depth maps in a truncated signed distance field (Curless and Levoy 1996), kept in Open3D's voxel block grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.errors import InputError, param
from depthapps.core.scene import FloatMap
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.open3d import import_open3d
from depthapps.runtime.threads import for_bands

# The truncation distance, in voxels, before and behind a surface. In two ray-traced rooms of 8 views the F-score at
# 1 cm was 99.77 % with 4 and 99.70 % with 5: the shorter it is, the less false surface closes behind silhouettes.
TRUNCATION_VOXELS = 4.0
TOUCHED_PIXELS = 2  # every second pixel and row opens blocks; with every fourth, floors at grazing angles had holes
BAND_BLOCKS = 64  # blocks that one thread takes at a time
BLOCK = 16  # voxels along a block's side; memory is taken a block at a time
_PROBES = 5  # places along a pixel's ray, within the truncation distance, that open blocks
_KEY_BITS = 21  # bits of a block's number along one axis: three numbers make one int64 key
_FIRST_BLOCKS = 8_000  # room to begin with; the grid grows
_LEAST_COSINE = 0.05  # lowest cosine between a ray and the normal: surfaces at grazing angles still count a little

_KERNELS = "depthapps.scan._view_kernels"
_touch_blocks = Kernel(
    _KERNELS,
    "touch_blocks",
    "float32[:,::1] int64 float64[:,::1] float64[:,::1] float64 float64 int64 int64[:,::1] int64[::1]",
)
_integrate = Kernel(
    _KERNELS,
    "integrate",
    "int64 int64 int32[:,::1] int64[::1] float64 float64 float64[:,::1] float64[:,::1] float32[:,::1] float32[:,:,::1] "
    "float32[:,:,:,::1] float32[:,:,:,::1]",
)


class DistanceField:
    """The distance field of all views added so far, in world axes; voxels have a side of voxel_m metres."""

    def __init__(self, voxel_m: float) -> None:
        o3d = import_open3d()
        self._tensor = o3d.core.Tensor
        kinds = (o3d.core.float32,) * 2
        self._grid = o3d.t.geometry.VoxelBlockGrid(("tsdf", "weight"), kinds, ((1), (1)), voxel_m, BLOCK, _FIRST_BLOCKS)
        self._keys = np.empty(0, np.int64)
        self.voxel_m = voxel_m

    @property
    def blocks(self) -> int:
        """Number of blocks of 16³ voxels in memory."""
        return self._grid.hashmap().size()

    def add(
        self, depth_m: FloatMap, normals: NDArray[np.floating], camera: Camera, to_world: NDArray[np.floating]
    ) -> None:
        """Add a view.

        depth_m: (H, W) float32 metres, 0 where unknown. normals: (H, W, 3) unit normals in the camera's axes.
        to_world: (4, 4) the view's pose, camera to world.
        """
        truncation_m = TRUNCATION_VOXELS * self.voxel_m
        to_camera = np.ascontiguousarray(np.linalg.inv(to_world), np.float64)
        self._open(self._touched(depth_m, camera, to_world, truncation_m))
        places, slots = self._before(camera, to_camera, float(depth_m.max()))
        distance, weight = (self._grid.attribute(name).numpy()[..., 0] for name in ("tsdf", "weight"))
        planes = _weighted_planes(depth_m, normals, camera)
        fixed = (places, slots, self.voxel_m, truncation_m, camera.matrix, to_camera, depth_m, planes, distance, weight)
        for_bands(len(places), lambda first, end: _integrate(first, end, *fixed), BAND_BLOCKS)

    def surface(self) -> tuple[NDArray[np.floating], NDArray[np.int32], NDArray[np.floating]]:
        """Extract the surface of distance 0: vertices (V, 3) in metres, triangles (T, 3) and normals (V, 3)."""
        try:
            found = self._grid.extract_triangle_mesh(weight_threshold=0.0)  # a surface that one view saw counts
        except RuntimeError as error:  # how Open3D says that nothing was found
            if self.blocks and "shape {0}" not in str(error):
                raise
            found = None
        triangles = np.empty((0, 3), np.int32) if found is None else found.triangle.indices.numpy().astype(np.int32)
        if found is None or not len(triangles):
            raise InputError(
                "the views do not make a surface", hint=f"check their poses and depth, and {param('voxel_m')}"
            )
        return _in_order(found.vertex.positions.numpy(), triangles, found.vertex.normals.numpy())

    def _touched(
        self, depth_m: FloatMap, camera: Camera, to_world: NDArray[np.floating], truncation_m: float
    ) -> NDArray[np.int64]:
        """Keys (M,) of the blocks within the truncation distance of a depth map."""
        height, width = (-(-n // TOUCHED_PIXELS) for n in depth_m.shape)
        keys, found = np.empty((_PROBES, height * width), np.int64), np.empty(_PROBES, np.int64)
        place = np.ascontiguousarray(to_world, np.float64), truncation_m, BLOCK * self.voxel_m
        _touch_blocks(depth_m, TOUCHED_PIXELS, camera.matrix, *place, _KEY_BITS, keys, found)
        return np.unique(np.concatenate([some[:count] for some, count in zip(keys, found, strict=True)]))

    def _open(self, keys: NDArray[np.int64]) -> None:
        """Add the blocks of these keys that the grid does not have yet, with weight 0."""
        new = np.setdiff1d(keys, self._keys, assume_unique=True)
        if not len(new):
            return
        self._keys = np.concatenate([self._keys, new])
        mask, offset = (1 << _KEY_BITS) - 1, 1 << (_KEY_BITS - 1)
        places = np.column_stack([(new >> shift) & mask for shift in (2 * _KEY_BITS, _KEY_BITS, 0)]) - offset
        slots, _ = self._grid.hashmap().activate(self._tensor(places.astype(np.int32)))
        fresh = slots.numpy().astype(np.int64)
        for name in ("tsdf", "weight"):
            self._grid.attribute(name).numpy()[fresh] = 0

    def _before(
        self, camera: Camera, to_camera: NDArray[np.floating], far_m: float
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Find the blocks inside a view's frustum: their places (M, 3), in blocks, and their rows (M,) in the grid.

        Blocks before a surface are among them: the view sees through them, so their voxels are free.
        """
        rows = self._grid.hashmap().active_buf_indices().numpy().astype(np.int64)
        rows.sort()
        places = self._grid.hashmap().key_tensor().numpy()[rows]
        side = BLOCK * self.voxel_m
        x, y, z = ((places + 0.5) * side @ to_camera[:3, :3].T + to_camera[:3, 3]).T
        around = np.sqrt(3) / 2 * side
        seen = (z > -around) & (z < far_m + side)
        for across, focal, centre, size in (
            (x, camera.fx, camera.cx, camera.width),
            (y, camera.fy, camera.cy, camera.height),
        ):
            # distance to the plane through the camera and the picture's edge
            for edge, inwards in ((-0.5, 1), (size - 0.5, -1)):
                slope = (edge - centre) / focal
                seen &= inwards * (across - slope * z) > -around * np.hypot(1, slope)
        return np.ascontiguousarray(places[seen]), rows[seen]


def _in_order(
    vertices: NDArray[np.floating], triangles: NDArray[np.int32], normals: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.int32], NDArray[np.floating]]:
    """The same surface with vertices and triangles in an order that is theirs alone, not that of Open3D's threads."""
    order = np.lexsort((*normals.T, *vertices.T))
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    triangles = place[triangles]
    first = triangles.argmin(axis=1)[:, None]  # turning a triangle keeps its side
    triangles = np.take_along_axis(triangles, (first + np.arange(3)) % 3, axis=1)
    return vertices[order], np.ascontiguousarray(triangles[np.lexsort(triangles.T[::-1])]), normals[order]


def _weighted_planes(depth_m: FloatMap, normals: NDArray[np.floating], camera: Camera) -> NDArray[np.floating]:
    """Tangent planes (H, W, 5) float32 of the pixels: unit normal, distance from the camera in metres, and weight.

    The weight is cos(angle between ray and normal) / depth²: the larger the area that a pixel covers, the less it
    counts.
    """
    right = ((np.arange(camera.width) - camera.cx) / camera.fx).astype(np.float32)
    down = ((np.arange(camera.height) - camera.cy) / camera.fy).astype(np.float32)[:, None]
    facing = -(normals[..., 0] * right + normals[..., 1] * down + normals[..., 2])
    cosine = np.maximum(facing / np.sqrt(right**2 + down**2 + 1), np.float32(_LEAST_COSINE))
    weight = cosine / np.where(depth_m > 0, depth_m, np.float32(np.inf)) ** 2
    return np.concatenate([normals, np.stack([depth_m * facing, weight], axis=-1)], axis=-1, dtype=np.float32)
