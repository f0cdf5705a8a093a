"""The scene as light meets it: the surface that the camera sees, without its noise, and a guess at its far side."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.geometry import depth_from_inverse, filled_inverse_depth, unproject
from depthapps.core.scene import FloatMap, Scene
from depthapps.core.statistics import robust_deviation
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands
from depthapps.surface.denoise.planes import fit_planes
from depthapps.surface.noise import inverse_depth_noise
from depthapps.surface.normals import normals_of_slopes, surface_normals
from depthapps.surface.tearing import DEPTH_STEP, STEP_SIGMAS, Links, surface_links, trusted

_FOOTPRINTS = 0.5  # pixel footprints that a ray starts above the surface; 0.1 to 0.5 differ by 0.001 of shadow IoU
_SIGMAS = 6.0  # of the noise left that it starts above it; over two noisy rooms 3 has more acne, 9 loses contact
_FARTHEST_OFF = 0.05  # of the depth; beyond, far things would float before their own shadows
_THINNEST_FOOTPRINTS = 2.0  # what is seen of a thing is at least a pixel wide, and taken to be as thick
_NOISE_STEPS = 5.0  # steps from pixel to pixel that this many deviations of noise explain are no edges
TILE_BITS = 3
TILE = 1 << TILE_BITS  # pixels; a ray passes a tile whole when it lies before all of it, or behind
_ROUNDING = 1e-6  # of the largest 1/Z; what deviates by less is float32, not noise

COMPLETE_ROWS = Kernel(
    "depthapps.shadow._kernels",
    "complete_rows",
    "float32[:,::1] uint8[:,::1] float64 int64 int64 float32[:,::1]",
)


@dataclass(frozen=True, eq=False)
class LitSolid:
    """What casts shadows and takes them, all (H, W), in camera axes and metres.

    points: (H, W, 3), not finite where infinitely far. normals: (H, W, 3) unit, facing the camera. offset_m: how far
    above the surface a ray has to start. front, back: 1/Z of the near and the far side, in 1/m; 0 casts no shadow.
    links: which neighbours hang together. camera: that saw it. noisy: whether the depth had noise, of which some is
    left.
    """

    points: NDArray[np.floating]
    normals: NDArray[np.floating]
    offset_m: FloatMap
    front: FloatMap
    back: FloatMap
    links: Links
    camera: Camera
    noisy: bool


def build_lit_solid(scene: Scene) -> LitSolid:
    """The solid of a scene that light meets.

    Unknown depths are taken as the background beside them; doubtful ones cast no shadow.
    """
    camera = scene.camera
    inverse = filled_inverse_depth(scene.depth_m)
    noise = max(scene.inverse_depth_sigma, inverse_depth_noise(scene.depth_m))
    noisy = noise > _ROUNDING * float(inverse.max())
    if not noisy:
        depth = depth_from_inverse(inverse)
        links = surface_links(depth)
        normals = surface_normals(depth, camera, links)
        sigma = np.float32(0)
    else:
        step = min(robust_deviation(np.diff(inverse, axis=axis)) for axis in (0, 1))
        links = surface_links(depth_from_inverse(inverse), _NOISE_STEPS * step / STEP_SIGMAS)
        planes = fit_planes(inverse, links.right, links.down)
        inverse = np.where(inverse > 0, np.maximum(planes.inverse, 0.1 * inverse), 0)
        depth, sigma = depth_from_inverse(inverse), planes.sigma
        normals = normals_of_slopes(inverse, planes.du, planes.dv, camera)
    sure = trusted(scene)
    front = np.where(sure, inverse, np.float32(0))
    links = Links(
        links.right & sure[:, :-1] & sure[:, 1:],
        links.down & sure[:-1] & sure[1:],
        links.falling & sure[:-1, :-1] & sure[1:, 1:],
        links.rising & sure[1:, :-1] & sure[:-1, 1:],
    )
    with np.errstate(invalid="ignore"):  # 0 · inf; no ray starts there
        offset = np.clip(_SIGMAS * sigma * depth**2, _FOOTPRINTS / camera.fx * depth, _FARTHEST_OFF * depth)
    return LitSolid(
        unproject(depth, camera),
        normals,
        offset.astype(np.float32),
        front,
        far_side(front, links, camera),
        links,
        camera,
        noisy,
    )


def far_side(front: FloatMap, links: Links, camera: Camera) -> FloatMap:
    """1/Z (H, W) of the far side of what is seen from the front (H, W), at most as large as that.

    A row of pixels is a plane cut through the scene. Where a thing ends on it, at a rim before something farther, it
    is taken as symmetric about the middle between its two ends: exact for boxes, cylinders and spheres cut by a
    plane, and no thicker than it looks for flat things. It never reaches through what is seen behind it. A thing
    ends where it is linked by a steep slope only, too: a few pixels of three surfaces can look like one, and what is
    mirrored in the wall behind it is as thick as the room.
    """
    front = np.ascontiguousarray(front)
    back = front.copy()
    one, other = front[:, :-1], front[:, 1:]
    right = (links.right & (np.abs(one - other) <= DEPTH_STEP * np.maximum(one, other))).view(np.uint8)
    for_bands(len(front), lambda first, end: COMPLETE_ROWS(front, right, camera.cx, first, end, back))
    return np.minimum(back, front * np.float32(1 - _THINNEST_FOOTPRINTS / camera.fx))


def tile_extremes(front: FloatMap, back: FloatMap) -> tuple[FloatMap, FloatMap]:
    """The largest front and the smallest back over each tile of TILE x TILE pixels and the line of pixels around it."""
    height, width = front.shape
    rows, columns = -(-height // TILE), -(-width // TILE)
    size, kernel = (columns * TILE, rows * TILE), np.ones((TILE + 2, TILE + 2), np.uint8)

    def extreme(values: FloatMap, morph) -> FloatMap:
        padded = cv2.copyMakeBorder(values, 0, size[1] - height, 0, size[0] - width, cv2.BORDER_REPLICATE)
        return np.ascontiguousarray(morph(padded, kernel, anchor=(1, 1))[::TILE, ::TILE])

    return extreme(front, cv2.dilate), extreme(back, cv2.erode)
