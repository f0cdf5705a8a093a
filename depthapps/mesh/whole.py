"""Put the model of a view together: the surface that its picture shows, and what was continued behind and around it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from depthapps.core.geometry import inverse_depth
from depthapps.core.models import MadeUp, PointCloud, TriangleMesh
from depthapps.core.scene import Scene
from depthapps.mesh.behind import (
    behind_surface,
    continue_behind,
    continue_deeper,
    joined_behind,
    least_known,
    stitched,
    torn_behind,
)
from depthapps.mesh.behind_colors import color_behind, finished_picture
from depthapps.mesh.coarsen import coarse_triangles
from depthapps.mesh.cut import GridSurface, cut_surface, surface_cloud, textured_mesh
from depthapps.mesh.halos import without_halos
from depthapps.mesh.params import SimplifyParams
from depthapps.mesh.rims import thin_pixels
from depthapps.mesh.second_colors import SecondColors
from depthapps.mesh.simplify import Loss, simplify_surface
from depthapps.mesh.texture_places import texture_places
from depthapps.surface.tearing import BoolMap

# What is continued is planes over most of its area: so little error, as a share of 1/Z, leaves few of its triangles.
_PLANE_ERROR = 2e-4
_LEAST_TRIANGLES = 4  # to which a surface can be simplified
_BACK_SHARE = 0.25  # of the triangles that a simplified model may have, for what was continued

# By how much smaller the pictures are of what was continued behind the photo, behind that, and behind that once more:
# ever less of it is seen, and the texture of a photo of 4000 x 3000 px stays within 8192, half of which phones take.
_SCALES = (1, 3, 7)
# Times that something is continued behind what was continued. With once, turned models of the sample and of a real
# pair have long streaks in mid-air; new views of five rendered rooms look 29.86 dB like the truth with both.
_DEEPER = len(_SCALES) - 1
# Layers of what was continued that a cloud has. Its points are not joined by streaks, and splats let some light
# through: with a third layer a smooth texture looks 32.7 instead of 33.3 dB like its photo.
_IN_CLOUDS = 2


@dataclass(frozen=True, eq=False)
class Back:
    """What was continued behind and around a picture, over a grid with `margin` more pixels on all sides of it.

    surface: with its own picture. new, photographed: (h, w), which of its pixels were continued and do not belong to
    the picture's own surface, and which the second photo shows.
    """

    surface: GridSurface
    new: BoolMap
    photographed: BoolMap
    margin: int

    def hung(self, shape: tuple[int, int]) -> BoolMap:
        """The picture's own pixels, a mask of this shape, from which something was continued: they need no rim."""
        (height, width), margin = shape, self.margin
        rim = self.surface.quads.pixels() & ~self.new
        return rim[margin : margin + height, margin : margin + width]

    def shares(self, pixels: int) -> tuple[float, float]:
        """How large it is, as shares of a picture's pixels: what the second photo shows, and what none shows."""
        new = self.new & self.surface.quads.pixels()
        seen = float((new & self.photographed).sum() / pixels)
        return seen, float(new.sum() / pixels) - seen


@dataclass(frozen=True, eq=False)
class WholeSurface:
    """All surfaces of a model.

    front: what the picture shows. backs: what was continued behind and around it, and what was continued behind that.
    rimmed: (H, W), the pixels that take their share of the quads that are torn, see `rims`; None for none.
    """

    front: GridSurface
    backs: tuple[Back, ...] = ()
    rimmed: BoolMap | None = None

    def shares(self) -> tuple[float, float]:
        """How large what was continued is, as shares of the picture's pixels.

        Those are what the second photo shows of it, and what none shows.
        """
        parts = np.array([back.shares(self.front.depth_m.size) for back in self.backs]).reshape(-1, 2)
        return float(parts[:, 0].sum()), float(parts[:, 1].sum())


def whole_surface(scene: Scene, *, fill: bool, turn_deg: float) -> WholeSurface:
    """Cut the surface out of a scene; fill: without holes, and continued as far as turning it by turn_deg uncovers."""
    front = cut_surface(scene, fill=fill)
    if not fill or not turn_deg:
        return WholeSurface(front)
    front = without_halos(front)
    second = None if scene.second is None else SecondColors(front, scene.second)
    behind = continue_behind(front, turn_deg, scene.empty)
    colors = color_behind(front, behind, second)
    surface = replace(behind_surface(front, behind), image=colors.image)
    backs = _with_deeper(Back(surface, behind.new, colors.photographed, behind.margin), front, second, turn_deg)
    front = stitched(front, behind)
    used = front.quads.pixels()
    rimmed = (used | thin_pixels(front.depth_m, front.links, used)) & ~backs[0].hung(used.shape)
    return WholeSurface(front, backs, rimmed)


def _with_deeper(back: Back, front: GridSurface, second: SecondColors | None, turn_deg: float) -> tuple[Back, ...]:
    """What was continued, and what is continued behind the depth edges of that, one after the other."""
    backs, hides = [back], np.pad(least_known(front), back.margin)
    for k in range(_DEEPER):
        above = backs[-1]
        torn = torn_behind(above.surface)
        hides = least_known(torn, hides)
        deeper = continue_deeper(torn, front, turn_deg, hides, last=k == _DEEPER - 1)
        if not deeper.new.any():
            break
        if second is not None:
            second.hide_behind(torn)
        colors = color_behind(torn, deeper, second, patches=False)
        surface = replace(behind_surface(torn, deeper), image=colors.image)
        backs[-1] = replace(above, surface=joined_behind(above.surface, above.new, deeper.new))
        backs.append(Back(surface, deeper.new, colors.photographed, back.margin))
    return tuple(
        replace(back, surface=replace(back.surface, image=finished_picture(back.surface, back.new))) for back in backs
    )


def whole_mesh(whole: WholeSurface, params: SimplifyParams) -> tuple[TriangleMesh, Loss | None]:
    """Make the mesh of a model as far simplified as wanted, and tell what that lost on what the picture shows.

    The loss is None if nothing was to be simplified.
    """
    limit, backs = params.max_triangles, whole.backs
    own = limit if not backs or limit is None else max(round((1 - _BACK_SHARE) * limit), _LEAST_TRIANGLES)
    triangles, loss, rimmed = None, None, whole.rimmed
    if params != SimplifyParams():  # what is simplified has edges of its own
        triangles, loss = simplify_surface(whole.front, replace(params, max_triangles=own))
        rimmed = None
    front, behind = textured_mesh(whole.front, triangles, rimmed), []
    sizes = [int(back.new.sum()) for back in backs]
    for k, back in enumerate(backs):
        if limit is None or own is None:
            error = _PLANE_ERROR if params.max_error_pct is None else params.max_error_pct / 100
            triangles = coarse_triangles(inverse_depth(back.surface.depth_m), back.surface.quads, error=error)
        else:
            most = round((limit - own) * sizes[k] / max(sum(sizes), 1))
            if most < _LEAST_TRIANGLES:
                continue
            triangles = simplify_surface(back.surface, SimplifyParams(most))[0]
        behind.append((textured_mesh(back.surface, triangles), back, _SCALES[k]))
    return _joined(front, behind) if behind else front, loss


def whole_cloud(whole: WholeSurface) -> PointCloud:
    """Make a cloud of a model's surfaces but the last, with one coloured point for each of their pixels."""
    clouds = [surface_cloud(surface) for surface in (whole.front, *(back.surface for back in whole.backs[:_IN_CLOUDS]))]
    return PointCloud(
        np.concatenate([cloud.points for cloud in clouds]),
        np.concatenate([cloud.colors for cloud in clouds]),
        np.concatenate([cloud.normals for cloud in clouds]),
    )


def _joined(front: TriangleMesh, layers: list[tuple[TriangleMesh, Back, int]]) -> TriangleMesh:
    """One mesh of what the picture shows and of the layers behind it, with all their pictures, one below the other.

    layers: mesh, what it was made from, and by how much its picture is made smaller.
    """
    photo, photo_places = _pixels(front)
    margin = layers[0][1].margin
    pictures = [cv2.copyMakeBorder(photo, 0, 0, margin, margin, cv2.BORDER_REPLICATE)]
    places = [photo_places + np.array((margin, 0), np.float32)]
    made_up = [np.zeros(len(front.vertices), np.uint8) if front.made_up is None else front.made_up]
    triangles, filled = [front.triangles], [np.zeros(len(front.triangles), bool)]
    vertices, top = len(front.vertices), len(photo)
    for mesh, back, scale in layers:
        picture, at = _pixels(mesh)
        width, height = (-(-size // scale) for size in picture.shape[1::-1])
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA) if scale > 1 else picture
        pictures.append(cv2.copyMakeBorder(small, 0, 0, 0, picture.shape[1] - width, cv2.BORDER_REPLICATE))
        column, row = at.astype(int).T
        inner = texture_places(back.surface, scale, row, column)[:, ::-1] + np.float32(0.5)
        size = np.array((width, height), np.float32)
        shrunk = inner * size / np.array(picture.shape[1::-1], np.float32)
        # what is less than half a texel from the picture's end would be mixed with the next picture
        places.append(np.clip(shrunk, 0.5, size - np.float32(0.5)) + np.array((0, top), np.float32))
        new, photographed = back.new[row, column], back.photographed[row, column]
        made_up.append(np.where(photographed, MadeUp.DEPTH, new * MadeUp.DEPTH_AND_COLOR).astype(np.uint8))
        filled.append((made_up[-1][mesh.triangles] == MadeUp.DEPTH_AND_COLOR).any(axis=1))
        triangles.append(mesh.triangles + np.int32(vertices))
        vertices, top = vertices + len(mesh.vertices), top + height
    meshes, texture = [front, *(mesh for mesh, _, _ in layers)], np.asarray(np.concatenate(pictures), np.uint8)
    return TriangleMesh(
        vertices=np.concatenate([mesh.vertices for mesh in meshes]),
        triangles=np.concatenate(triangles),
        normals=np.concatenate([mesh.normals for mesh in meshes]),
        colors=np.concatenate([mesh.colors for mesh in meshes]),
        uv=np.concatenate(places) / np.array(texture.shape[1::-1], np.float32),
        texture=texture,
        made_up=np.concatenate(made_up),
        filled=np.concatenate(filled),
    )


def _pixels(mesh: TriangleMesh) -> tuple[np.ndarray, np.ndarray]:
    """The texture of a mesh, and the place (V, 2) float32 of each vertex in it, in pixels from its corner on."""
    assert mesh.texture is not None
    assert mesh.uv is not None
    return mesh.texture, mesh.uv * np.array(mesh.texture.shape[1::-1], np.float32)
