"""Draw a mesh as a camera sees it from a new place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

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
_BAND_VERTICES = 100_000
_project_vertices = Kernel(_KERNELS, "project_vertices", "float32[:,::1] float64[:,::1] int64 int64 float32[:,::1]")
_nearest_rows = Kernel(_KERNELS, "nearest_rows", "float32[:,::1] int32[:,::1] int64 int64 float32[:,::1] int32[:,::1]")
_shade_rows = Kernel(
    _KERNELS,
    "shade_rows",
    "float32[:,::1] int32[:,::1] float32[:,::1] float32[:,:,::1] int32[:,::1] float32[::1] int64 int64 int64 "
    "float32[:,:,::1] float32[:,::1]",
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


@dataclass(frozen=True, eq=False)
class DrawableMesh:
    """A mesh as the loops take it; made once for many views.

    vertices: (V, 3) float32. triangles: (T, 3) int32. traits: (V, 3) float32, the colour of each vertex in linear
    light, or its place in the texture in texels. texture: (h, w, 3) float32 linear light, of no rows if there is none.
    """

    vertices: NDArray[np.floating]
    triangles: NDArray[np.int32]
    traits: NDArray[np.floating]
    texture: NDArray[np.floating]


def drawable(mesh: TriangleMesh) -> DrawableMesh:
    """Make a mesh ready to be drawn many times."""
    if mesh.uv is None or mesh.texture is None:
        traits, texture = to_linear(mesh.colors), np.empty((0, 1, 3), np.float32)
    else:
        traits, texture = np.zeros((len(mesh.uv), 3), np.float32), np.ascontiguousarray(to_linear(mesh.texture))
        traits[:, :2] = mesh.uv * mesh.texture.shape[1::-1] - 0.5
    vertices = np.ascontiguousarray(mesh.vertices, np.float32)
    return DrawableMesh(vertices, np.ascontiguousarray(mesh.triangles, np.int32), traits, texture)


def draw_mesh(
    mesh: TriangleMesh | DrawableMesh,
    camera: Camera,
    pose: NDArray[np.floating] | None = None,
    background: tuple[int, int, int] = (0, 0, 0),
) -> NewView:
    """Draw a mesh from a new place, with SAMPLES x SAMPLES samples a pixel.

    pose: (4, 4), from the camera's axes to the mesh's; None puts it where the mesh was seen from. background: sRGB.
    Triangles that reach behind the camera are left out. Both sides of a triangle are drawn, without light: the photo
    has its light in it.
    """
    mesh = drawable(mesh) if isinstance(mesh, TriangleMesh) else mesh
    height, width = camera.height, camera.width
    points, view = np.empty(mesh.vertices.shape, np.float32), _to_samples(camera, pose)
    for_bands(
        len(points),
        lambda first, end: _project_vertices(mesh.vertices, view, first, end, points),
        _BAND_VERTICES,
    )
    inverse = np.zeros((SAMPLES * height, SAMPLES * width), np.float32)
    nearest = np.full(inverse.shape, -1, np.int32)
    for_bands(
        len(inverse), lambda first, end: _nearest_rows(points, mesh.triangles, first, end, inverse, nearest), _BAND_ROWS
    )
    color, covered = np.empty((height, width, 3), np.float32), np.empty((height, width), np.float32)
    free = to_linear(np.array(background, np.uint8))
    image = np.empty(color.shape, np.uint8)

    def shade(first: int, end: int) -> None:
        _shade_rows(
            points, mesh.triangles, mesh.traits, mesh.texture, nearest, free, SAMPLES, first, end, color, covered
        )
        image[first:end] = np.rint(255 * srgb_encode(color[first:end])).astype(np.uint8)

    for_bands(height, shade)
    seen = reduce(np.maximum, [inverse[j::SAMPLES, i::SAMPLES] for j in range(SAMPLES) for i in range(SAMPLES)])
    with np.errstate(divide="ignore"):
        depth = np.where(covered >= 0.5, 1 / seen, np.float32(np.nan))
    return NewView(image, depth, covered)


def _to_samples(camera: Camera, pose: NDArray[np.floating] | None) -> NDArray[np.float64]:
    """The matrix (3, 4) from homogeneous vertices to homogeneous samples, whose first has the number 0."""
    into = np.eye(4)[:3] if pose is None else np.linalg.inv(np.asarray(pose, np.float64))[:3]
    first = 0.5 * SAMPLES - 0.5  # of the samples of a pixel, the middle
    onto = np.zeros((3, 3))
    onto[0] = SAMPLES * camera.fx, 0, SAMPLES * camera.cx + first
    onto[1] = 0, SAMPLES * camera.fy, SAMPLES * camera.cy + first
    onto[2, 2] = 1
    return np.asarray(onto @ into, np.float64)
