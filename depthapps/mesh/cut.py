"""Cut the visible surface out of a depth map, and turn it into a textured mesh or a point cloud."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.blank import blank_part
from depthapps.core.camera import Camera
from depthapps.core.color import to_8bit
from depthapps.core.errors import InputError
from depthapps.core.geometry import unproject
from depthapps.core.models import PointCloud, TriangleMesh
from depthapps.core.scene import FloatMap, Image, Scene
from depthapps.mesh.rims import rims
from depthapps.mesh.triangles import used_vertices
from depthapps.surface.color_steps import color_steps
from depthapps.surface.completion import beyond, complete
from depthapps.surface.denoise.clean import clean_depth
from depthapps.surface.normals import surface_normals
from depthapps.surface.scene_planes import NO_PLANES, LargePlanes
from depthapps.surface.tearing import BoolMap, Links, Quads, grid_quads, surface_links, torn_inside, trusted

# Connected components smaller than this share of the picture's pixels are left out: a square of 1 % of its side.
SMALLEST_ISLAND = 1e-4
# Grey levels of the picture's step at a tear inside a surface. With 50, with 80 and without such tears nine new views
# of four rendered rooms look 30.96, 31.03 and 31.03 dB like the truth, and 5.30, 5.32 and 5.33 % of them are off by
# more than 2 %; the second photo of ten real pairs is met to 30.04, 30.14 and 30.14 dB. But with 80 the red petals of
# a flower, one before the other, are streaks when the model turns. With no such condition noise tears walls apart.
_EDGE = 50


@dataclass(frozen=True)
class Cut:
    """Shares of a picture's pixels, 0 to 1: those on its surface, and those left out, by the reason."""

    kept: float
    blank: float  # black corners, where the photo shows no scene
    unknown: float  # no depth
    doubtful: float  # confidence below surface.tearing.MIN_CONFIDENCE
    far: float  # infinitely far, or as good as that: see surface.completion.beyond
    torn: float  # flying pixels, at depth edges between two surfaces
    islands: float  # on connected components smaller than SMALLEST_ISLAND
    confidence: float | None  # mean over the kept pixels, 0 to 1; None if the scene has none
    made_up: float  # on the surface, with a depth that was put there


@dataclass(frozen=True, eq=False)
class GridSurface:
    """The surface over a picture's pixels, torn at depth edges.

    image: (H, W, 3) RGB, the picture. stride: every stride-th pixel of every stride-th row is a vertex, (h, w) in all.
    depth_m: (h, w) float32 metres with the noise removed. camera: the camera of these (h, w) pixels. links: which
    neighbouring vertices lie on one surface. noise: standard deviation of 1/Z that is left, in 1/m. quads: the
    triangles between the vertices. made_up: (h, w), where the depth was put there; None if nowhere. cut: what was left
    out. planes: the scene's large planes over the picture's own pixels, none if its holes were not filled. untorn: the
    links before surfaces were torn inside (`torn_inside`), by which something is seen through no such tear.
    """

    image: Image
    stride: int
    depth_m: FloatMap
    camera: Camera
    links: Links
    noise: float
    quads: Quads
    made_up: BoolMap | None
    cut: Cut
    planes: LargePlanes
    untorn: Links

    @cached_property
    def triangles(self) -> NDArray[np.int32]:
        """Triangles (T, 3) int32 over the row-major vertices, anticlockwise seen from the camera."""
        return self.quads.triangles()

    @cached_property
    def normals(self) -> NDArray[np.floating]:
        """Unit normals (h · w, 3) float32 that point towards the camera."""
        return surface_normals(self.depth_m, self.camera, self.links, self.noise).reshape(-1, 3)


def cut_surface(scene: Scene, stride: int = 1, *, fill: bool = False) -> GridSurface:
    """Cut the visible surface out of a scene; stride: use every stride-th pixel of every stride-th row.

    Pixels of unknown depth or low confidence, what is as good as infinitely far, flying pixels between two surfaces and
    small islands are left out. fill: the first three are not, their depth is completed (`complete`). Black corners of
    photos that were matched (`blank_part`) are left out whatever depth was found there. Noise is removed
    along the rays (`clean_depth`), so surfaces get smooth and silhouettes do not move. Raises InputError when no
    surface is left.
    """
    scene, blank = _without_blank(scene)
    finite, sure, far = np.isfinite(scene.depth_m), trusted(scene), beyond(scene)[0]
    made_up, planes = None, NO_PLANES
    if fill:
        completion = complete(scene)
        planes = completion.planes
        scene, made_up = completion.scene, completion.made_up
        known = scene.depth_m
    else:
        known = np.where(sure & ~far, scene.depth_m, np.float32(np.nan))
    if not (sure & finite).any():
        raise InputError(
            "no depth is likely enough right to mesh it", hint="look at a picture of the depth and of its confidence"
        )
    clean = clean_depth(replace(scene, depth_m=known))
    depth, camera = clean.depth_m[::stride, ::stride], _strided(scene.camera, stride)
    untorn = surface_links(clean.coarse_m[::stride, ::stride], clean.noise)
    links = torn_inside(untorn, depth, clean.noise, color_steps(scene.image)[::stride, ::stride] > _EDGE)
    quads = grid_quads(depth, links)
    used, large = quads.pixels(), _on_large_pieces(links)
    kept = used & large
    measured = (sure & finite)[::stride, ::stride]
    if not (quads.among(measured).pixels() & large).any():
        raise InputError(
            "the depth map holds no connected surface", hint="look at a picture of it: is it the right file, in metres?"
        )
    here = np.isfinite(depth)
    made_up = None if made_up is None else made_up[::stride, ::stride]
    confidence = None if scene.confidence is None else scene.confidence[::stride, ::stride][kept]
    cut = Cut(
        kept=float(kept.mean()),
        blank=blank,
        unknown=0.0 if fill else float((~finite & ~far).mean()) - blank,
        doubtful=0.0 if fill else float((finite & ~sure & ~far).mean()),
        far=0.0 if fill else float(far.mean()),
        torn=float((here & ~used).mean()),
        islands=float((used & ~large).mean()),
        confidence=None if confidence is None else float(confidence.mean()),
        made_up=0.0 if made_up is None else float((made_up & kept).mean()),
    )
    quads = quads.among(large)
    return GridSurface(scene.image, stride, depth, camera, links, clean.noise, quads, made_up, cut, planes, untorn)


def _without_blank(scene: Scene) -> tuple[Scene, float]:
    """The scene as empty and of unknown depth where its photo shows none, and the share of its pixels that is.

    A depth that was not matched is right where its photo is black, as well.
    """
    blank = None if scene.second is None else blank_part(scene.image)
    if blank is None:
        return scene, 0.0
    empty = blank if scene.empty is None else blank | scene.empty
    depth = np.where(blank, np.float32(np.nan), scene.depth_m)
    return replace(scene, depth_m=depth, empty=empty), float(blank.mean())


def _on_large_pieces(links: Links) -> BoolMap:
    """Whether each pixel (H, W) is on a connected component of at least SMALLEST_ISLAND of all pixels.

    Pixels and the links between them are drawn on a grid of twice the resolution, on which OpenCV labels components.
    """
    height, width = links.down.shape[0] + 1, links.right.shape[1] + 1
    drawn = np.zeros((2 * height - 1, 2 * width - 1), np.uint8)
    drawn[::2, ::2] = 1
    drawn[::2, 1::2], drawn[1::2, ::2] = links.right, links.down
    _, labels = cv2.connectedComponents(drawn, connectivity=4, ltype=cv2.CV_32S)
    labels = np.asarray(labels[::2, ::2], np.int32)
    return (np.bincount(labels.ravel()) >= SMALLEST_ISLAND * labels.size)[labels]


def textured_mesh(
    surface: GridSurface, triangles: NDArray[np.int32] | None = None, rimmed: BoolMap | None = None
) -> TriangleMesh:
    """Make a mesh of a surface, or of other triangles (T, 3) over its vertices, with the picture as its texture.

    rimmed: (h, w), the vertices that get a rim; see `rims`.
    """
    triangles = surface.triangles if triangles is None else triangles
    points, owner = unproject(surface.depth_m, surface.camera).reshape(-1, 3), np.arange(surface.depth_m.size)
    if rimmed is not None:
        rim = rims(surface.depth_m, surface.links, surface.quads, rimmed)
        points, owner = np.concatenate([points, rim.points(surface.camera)]), np.concatenate([owner, rim.pixel])
        triangles = np.concatenate([triangles, rim.triangles])
    used, triangles = used_vertices(triangles, len(points))
    points, used = points[used], owner[used]
    texture = to_8bit(surface.image)
    # texture coordinates run from edge to edge of the picture, so the centre of pixel x is at (x + ½) / width
    across, down = (np.arange(0, n, surface.stride) + 0.5 for n in texture.shape[1::-1])
    u, v = np.meshgrid(across / texture.shape[1], down / texture.shape[0])
    return TriangleMesh(
        vertices=points,
        triangles=triangles,
        normals=surface.normals[used],
        colors=texture[:: surface.stride, :: surface.stride].reshape(-1, 3)[used],
        uv=np.stack([u, v], axis=-1).reshape(-1, 2)[used].astype(np.float32),
        texture=texture,
        made_up=None if surface.made_up is None else surface.made_up.ravel()[used].astype(np.uint8),
    )


def surface_cloud(surface: GridSurface) -> PointCloud:
    """Make a cloud with one coloured point for each vertex of a surface."""
    mesh = textured_mesh(surface)
    return PointCloud(mesh.vertices, mesh.colors, mesh.normals)


def _strided(camera: Camera, stride: int) -> Camera:
    """The camera of a picture that keeps every stride-th pixel of every stride-th row, starting with the first."""
    width, height = -(-camera.width // stride), -(-camera.height // stride)
    return Camera(width, height, *(v / stride for v in (camera.fx, camera.fy, camera.cx, camera.cy)))
