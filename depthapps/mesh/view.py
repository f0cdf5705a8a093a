"""Draw a mesh as a camera sees it from a new place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.color import srgb_encode, to_linear
from depthapps.core.models import TriangleMesh
from depthapps.core.scene import FloatMap
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

SAMPLES = 2  # on each side of a pixel: silhouettes have five shades, and thin things seldom fall between samples
_BAND_ROWS = 512  # of samples that one thread takes at a time; large, as each band goes through all triangles

_KERNELS = "depthapps.mesh._view_kernels"
_nearest_rows = Kernel(_KERNELS, "nearest_rows", "float32[:,::1] int32[:,::1] int64 int64 float32[:,::1] int32[:,::1]")
_shade_rows = Kernel(
    _KERNELS,
    "shade_rows",
    "float32[:,::1] int32[:,::1] float32[:,::1] float32[:,:,::1] int32[:,::1] int64 int64 int64 float32[:,:,::1] "
    "float32[:,::1]",
)


@dataclass(frozen=True, eq=False)
class NewView:
    """A model as a camera sees it.

    Attributes
    ----------
    image : (H, W, 3) uint8 array
        sRGB; what the model leaves free has the colour of the background.
    depth_m : (H, W) float32 array
        Depth of the nearest surface along the camera's axis, NaN where less than half of a pixel shows the model.
    covered : (H, W) float32 array
        How much of each pixel shows the model, 0 to 1.
    """

    image: NDArray[np.uint8]
    depth_m: FloatMap
    covered: FloatMap


def draw_mesh(
    mesh: TriangleMesh,
    camera: Camera,
    pose: NDArray[np.floating] | None = None,
    background: tuple[int, int, int] = (0, 0, 0),
) -> NewView:
    """Draw a mesh from a new place, with SAMPLES x SAMPLES samples a pixel.

    pose: (4, 4), from the camera's axes to the mesh's; None puts it where the mesh was seen from. background: sRGB.
    Triangles that reach behind the camera are left out. Both sides of a triangle are drawn, without light: the photo
    has its light in it.
    """
    height, width = camera.height, camera.width
    points = _projected(mesh.vertices, camera, pose)
    inverse = np.zeros((SAMPLES * height, SAMPLES * width), np.float32)
    nearest = np.full(inverse.shape, -1, np.int32)
    triangles = np.ascontiguousarray(mesh.triangles, np.int32)
    for_bands(
        len(inverse), lambda first, end: _nearest_rows(points, triangles, first, end, inverse, nearest), _BAND_ROWS
    )
    color, covered = np.empty((height, width, 3), np.float32), np.empty((height, width), np.float32)
    traits, texture = _traits(mesh)
    for_bands(
        height,
        lambda first, end: _shade_rows(
            points, triangles, traits, texture, nearest, SAMPLES, first, end, color, covered
        ),
    )
    free = (1 - covered)[..., None]
    color = covered[..., None] * color + free * to_linear(np.array(background, np.uint8))
    seen = inverse.reshape(height, SAMPLES, width, SAMPLES).max(axis=(1, 3))
    with np.errstate(divide="ignore"):
        depth = np.where(covered >= 0.5, 1 / seen, np.float32(np.nan))
    return NewView(np.rint(255 * srgb_encode(color)).astype(np.uint8), depth, covered)


def _projected(
    vertices: NDArray[np.floating], camera: Camera, pose: NDArray[np.floating] | None
) -> NDArray[np.floating]:
    """Vertices (V, 3) float32 in samples, x and y from the first sample on, and 1/Z; NaN behind the camera."""
    if pose is not None:
        turn, place = pose[:3, :3].astype(np.float32), pose[:3, 3].astype(np.float32)
        vertices = (vertices - place) @ turn
    z = np.where(vertices[:, 2] > 0, vertices[:, 2], np.float32(np.nan))
    points = np.empty((len(z), 3), np.float32)
    points[:, 2] = 1 / z
    for k, (focal, middle) in enumerate(((camera.fx, camera.cx), (camera.fy, camera.cy))):
        points[:, k] = SAMPLES * (vertices[:, k] * points[:, 2] * np.float32(focal) + np.float32(middle + 0.5)) - 0.5
    return points


def _traits(mesh: TriangleMesh) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """What a mesh tells of each vertex's colour, (V, 3) float32, and its texture in linear light, or no rows."""
    if mesh.uv is None or mesh.texture is None:
        return to_linear(mesh.colors), np.empty((0, 1, 3), np.float32)
    traits = np.zeros((len(mesh.uv), 3), np.float32)
    traits[:, :2] = mesh.uv * mesh.texture.shape[1::-1] - 0.5
    return traits, np.ascontiguousarray(to_linear(mesh.texture))
