"""Build the solid that casts shadows: the surface that the camera sees, without noise, and an estimated far side."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.geometry import depth_from_inverse, filled_inverse_depth, unproject
from depthapps.core.scene import FloatMap, Scene
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands
from depthapps.shadow.lights import to_light
from depthapps.shadow.params import Light
from depthapps.surface.denoise.clean import clean_planes, depth_noise, links_through_noise
from depthapps.surface.guided_normals import guided_normals
from depthapps.surface.normals import normals_of_slopes, surface_normals
from depthapps.surface.relief import without_dents
from depthapps.surface.tearing import (
    DEPTH_STEP,
    BoolMap,
    Links,
    even_confidence,
    surface_links,
    trusted,
)

# A ray starts above the surface, so that the surface does not shade itself. A pixel footprint is the size of a pixel at
# the surface's depth.
_FOOTPRINTS = 0.5  # least offset in pixel footprints; the shadows' IoU differs by 0.001 between 0.1 and 0.5
# Offset in standard deviations of the remaining noise. Over two noisy rooms, 3 has more shadow acne, and with 9 shadows
# no longer touch the objects that cast them.
_SIGMAS = 6.0
_FARTHEST_OFF = 0.05  # largest offset, as a share of depth; with more, distant objects would float off their shadows
# Least thickness in pixel footprints: a visible object is at least a pixel wide, and is taken to be as thick as wide.
_THINNEST_FOOTPRINTS = 2.0
# Confidence below which a surface casts no shadow. Plain walls that stereo could not match have lumps there, whose
# shadows are wrong more often than right: over three rendered rooms matched from two photos, 0.2 leaves 5.8 % of the
# picture wrongly dark at an IoU of 0.563; 0.5, 0.6 and 0.7 leave 3.9, 3.3 and 2.8 % at 0.588, 0.593 and 0.582.
_CASTING = 0.6
TILE_BITS = 3
TILE = 1 << TILE_BITS  # side of a tile in pixels; a ray that is before or behind all of a tile skips it in one step

COMPLETE_ROWS = Kernel(
    "depthapps.shadow._kernels",
    "complete_rows",
    "float32[:,::1] uint8[:,::1] float64 int64 int64 float32[:,::1]",
)


@dataclass(frozen=True, eq=False)
class LitSolid:
    """The surfaces that cast and receive shadows: maps (H, W) in camera axes and metres.

    points: (H, W, 3), not finite where infinitely far. normals: (H, W, 3) unit, facing the camera. offset_m: how far
    above the surface a ray has to start. front, back: 1/Z of the near and the far side, in 1/m; a pixel with 0 casts no
    shadow. links: which neighbouring pixels lie on one surface. camera: the camera that saw the scene. noisy: whether
    the depth had noise, of which some is left. doubtful: where the depth is so unsure that it casts no shadow.
    """

    points: NDArray[np.floating]
    normals: NDArray[np.floating]
    offset_m: FloatMap
    front: FloatMap
    back: FloatMap
    links: Links
    camera: Camera
    noisy: bool
    doubtful: BoolMap

    def ray_starts(self) -> NDArray[np.floating]:
        """Where the rays from the points start (H, W, 3), above the surface; not finite where infinitely far."""
        with np.errstate(invalid="ignore"):  # inf - inf
            return self.points + self.offset_m[..., None] * self.normals

    def normals_lit_by(self, light: Light) -> NDArray[np.floating]:
        """The normals (H, W, 3), but where the depth is doubtful and they turn away from a light, the way to it.

        Dents in plain walls that stereo got wrong have a side that faces away from any light.
        """
        if not self.doubtful.any():
            return self.normals
        normals, points = np.array(self.normals, np.float32), self.points[self.doubtful]
        way = np.array(to_light(light, points), np.float32)
        with np.errstate(invalid="ignore"):  # inf / inf at infinite depth, which is lit as it is
            way /= np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), np.float32(1e-12))
            own = normals[self.doubtful]
            faces = np.einsum("ij,ij->i", way, own) > 0
        normals[self.doubtful] = np.where(faces[:, None], own, way)
        return normals


def build_lit_solid(scene: Scene) -> LitSolid:
    """Build the solid of a scene that casts and receives shadows.

    Pixels of unknown depth take the depth of the background beside them. Normals of noisy depth are guided by the
    picture, see `guided_normals`, but those of large flat faces are kept: at a crease that the picture does not show
    they would be those of a round edge. Depth that was matched loses its dents (`without_dents`). What has a low
    confidence casts no shadow, but receives those of others.
    """
    camera = scene.camera
    inverse = filled_inverse_depth(scene.depth_m)
    noise = depth_noise(scene)
    noisy = noise > 0
    if not noisy:
        depth = depth_from_inverse(inverse)
        links = surface_links(depth)
        normals = surface_normals(depth, camera, links)
        sigma = np.float32(0)
    else:
        links = links_through_noise(inverse)
        planes = clean_planes(inverse, links)
        inverse = planes.inverse
        depth, sigma = depth_from_inverse(inverse), planes.sigma
        normals = normals_of_slopes(inverse, planes.du, planes.dv, camera)
        own, normals = normals, guided_normals(normals, scene.image, inverse, noise, scene.confidence)
        np.copyto(normals, own, where=planes.flat[..., None])
        if scene.confidence is not None:  # matched: its mistakes are dents; other noise is finer than these
            inverse = without_dents(inverse, noise, links, normals, planes.flat, scene.image, camera)
            depth = depth_from_inverse(inverse)
    even = even_confidence(scene)
    sure = trusted(scene) if even is None else trusted(scene) & (even >= _CASTING)
    front = np.where(sure, inverse, np.float32(0))
    links = Links(
        links.right & sure[:, :-1] & sure[:, 1:],
        links.down & sure[:-1] & sure[1:],
        links.falling & sure[:-1, :-1] & sure[1:, 1:],
        links.rising & sure[1:, :-1] & sure[:-1, 1:],
    )
    with np.errstate(invalid="ignore"):  # 0 · inf at infinite depth, where no ray starts
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
        ~sure,
    )


def far_side(front: FloatMap, links: Links, camera: Camera) -> FloatMap:
    """Estimate 1/Z (H, W) of the hidden far side of surfaces whose near side is `front` (H, W); never above `front`.

    A row of pixels is a plane that cuts the scene. Where an object ends in the row, at a rim before something farther,
    its cross-section is taken to be symmetric about the middle between its two ends. This is exact for boxes, cylinders
    and spheres cut by a plane, and makes flat objects no thicker than they look. The far side never passes through the
    surface that is seen behind the object. An object also ends at a link that is a steep slope (above DEPTH_STEP): a
    few pixels of three surfaces can look like a slope, and an object that is mirrored together with the wall behind it
    would become as thick as the room.
    """
    front = np.ascontiguousarray(front)
    back = front.copy()
    one, other = front[:, :-1], front[:, 1:]
    right = (links.right & (np.abs(one - other) <= DEPTH_STEP * np.maximum(one, other))).view(np.uint8)
    for_bands(len(front), lambda first, end: COMPLETE_ROWS(front, right, camera.cx, first, end, back))
    return np.minimum(back, front * np.float32(1 - _THINNEST_FOOTPRINTS / camera.fx))


def tile_extremes(front: FloatMap, back: FloatMap) -> tuple[FloatMap, FloatMap]:
    """Compute the largest front and the smallest back of each tile, TILE x TILE pixels and the ring around them."""
    height, width = front.shape
    rows, columns = -(-height // TILE), -(-width // TILE)
    size, kernel = (columns * TILE, rows * TILE), np.ones((TILE + 2, TILE + 2), np.uint8)

    def extreme(values: FloatMap, morph) -> FloatMap:
        padded = cv2.copyMakeBorder(values, 0, size[1] - height, 0, size[0] - width, cv2.BORDER_REPLICATE)
        return np.ascontiguousarray(morph(padded, kernel, anchor=(1, 1))[::TILE, ::TILE])

    return extreme(front, cv2.dilate), extreme(back, cv2.erode)
