"""Give every surface its share of the quads that are torn, so that thin things are as wide as the picture shows them.

The vertices of a surface are the middles of its pixels. A mesh over them ends half a pixel before every depth edge: a
chair's leg of four pixels is three wide, and a cable of one pixel has no width at all. With their rims, models of two
rendered rooms from exact depth look 2 dB more like the truth from new places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.geometry import inverse_depth
from depthapps.core.scene import FloatMap
from depthapps.surface.tearing import BoolMap, Links, Quads


class Rims(NamedTuple):
    """Triangles between the last pixels of a surface and the middle of the way to what it is torn off.

    pixel: (N,) row-major number of the pixel that each new vertex belongs to. x, y: (N,) its place in pixels. inverse:
    (N,) its 1/Z. triangles: (T, 3) int32, numbers of pixels, and from their count on of the new vertices.
    """

    pixel: NDArray[np.int64]
    x: FloatMap
    y: FloatMap
    inverse: FloatMap
    triangles: NDArray[np.int32]

    def points(self, camera: Camera) -> NDArray[np.floating]:
        """The new vertices (N, 3) float32 in metres in the camera's axes."""
        rays = np.stack([(self.x - camera.cx) / camera.fx, (self.y - camera.cy) / camera.fy, np.ones_like(self.x)], 1)
        return (rays / self.inverse[:, None]).astype(np.float32)


@dataclass(frozen=True)
class _Corner:
    """A corner of the quads: its row and column, and the corners beside, above or below, and opposite."""

    row: int
    column: int
    beside: str
    below: str
    opposite: str


_CORNERS = {
    "a": _Corner(0, 0, "b", "c", "d"),
    "b": _Corner(0, 1, "a", "d", "c"),
    "c": _Corner(1, 0, "d", "a", "b"),
    "d": _Corner(1, 1, "c", "b", "a"),
}


def rims(depth_m: FloatMap, links: Links, quads: Quads, wanted: BoolMap) -> Rims:
    """The rims of the wanted pixels (H, W) of a surface: see `thin_pixels` for those that are in no triangle."""
    inverse = inverse_depth(depth_m)
    wanted = wanted & np.isfinite(inverse)
    parts, count = [], inverse.size
    for corner in _CORNERS.values():
        parts.append(_corner_rims(corner, inverse, links, quads, wanted, count))
        count += len(parts[-1].pixel)
    return Rims(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _corner_rims(
    corner: _Corner, inverse: FloatMap, links: Links, quads: Quads, wanted: BoolMap, first_number: int
) -> Rims:
    """The rims of the pixels at one corner of all quads; the new vertices are numbered from first_number on.

    Each is the quarter of a quad around the corner: two triangles that end at the middle of the quad and of its sides.
    One that a triangle of the surface covers is left out.
    """
    height, width = inverse.shape
    right_angle = {"a": quads.acb, "b": quads.adb, "c": quads.acd, "d": quads.bcd}  # the triangles by that corner
    beside, below = right_angle[corner.beside], right_angle[corner.below]
    own = wanted[corner.row : height - 1 + corner.row, corner.column : width - 1 + corner.column]
    own = own & ~right_angle[_CORNERS[corner.opposite].opposite]
    y, x = np.nonzero(own & ~(beside & below))
    near, under = ~beside[y, x], ~below[y, x]
    row, column = y + corner.row, x + corner.column
    at = inverse[row, column]

    def neighbour(name: str, linked: BoolMap) -> FloatMap:
        """1/Z at another corner, that of the pixel itself where there is no link."""
        other = _CORNERS[name]
        return np.where(linked, inverse[y + other.row, x + other.column], at)

    across = neighbour(corner.beside, links.right[row, x])
    along = neighbour(corner.below, links.down[y, column])
    diagonal = links.falling if corner.row == corner.column else links.rising
    opposite = neighbour(corner.opposite, diagonal[y, x])
    middle = np.where(near & under, (at + across + along + opposite) / 4, (at + opposite) / 2)
    to_x, to_y = 0.5 - corner.column, 0.5 - corner.row
    places = [(to_x, 0.0, (at + across) / 2), (0.0, to_y, (at + along) / 2), (to_x, to_y, middle)]
    pixel = row * width + column
    side, end, centre = first_number + np.arange(3 * len(pixel)).reshape(3, -1)
    # anticlockwise seen from the camera, with y down
    if corner.row == corner.column:
        halves = [(pixel, centre, side), (pixel, end, centre)]
    else:
        halves = [(pixel, side, centre), (pixel, centre, end)]
    triangles = [np.stack(half, axis=1)[there] for half, there in zip(halves, (near, under), strict=True)]
    return Rims(
        np.tile(pixel, 3),
        np.concatenate([column + dx for dx, _, _ in places]).astype(np.float32),
        np.concatenate([row + dy for _, dy, _ in places]).astype(np.float32),
        np.concatenate([w for _, _, w in places]).astype(np.float32),
        np.concatenate(triangles).astype(np.int32),
    )


def thin_pixels(depth_m: FloatMap, links: Links, used: BoolMap) -> BoolMap:
    """The pixels (H, W) of things so thin that no triangle holds them: nearer than what is on both sides of them.

    used: (H, W), the pixels of triangles. Flying pixels lie between two surfaces, and are none of these. One alone is
    no thing: it has to be linked to a neighbour.
    """
    inverse = np.nan_to_num(inverse_depth(depth_m))
    linked = np.zeros(used.shape, bool)
    thin = np.zeros(used.shape, bool)
    for joined, rise, first, second in (
        (links.right, np.diff(inverse, axis=1), np.s_[:, :-1], np.s_[:, 1:]),
        (links.down, np.diff(inverse, axis=0), np.s_[:-1], np.s_[1:]),
    ):
        linked[first] |= joined
        linked[second] |= joined
        up, down = np.zeros(used.shape, bool), np.zeros(used.shape, bool)
        up[second] = ~joined & (rise > 0)
        down[first] = ~joined & (rise < 0)
        thin |= up & down
    for joined, first, second in (
        (links.falling, np.s_[:-1, :-1], np.s_[1:, 1:]),
        (links.rising, np.s_[1:, :-1], np.s_[:-1, 1:]),
    ):
        linked[first] |= joined
        linked[second] |= joined
    return thin & linked & ~used & (inverse > 0)
