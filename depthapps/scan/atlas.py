"""Make a texture atlas for a fused surface: every triangle shows a piece of the photo that sees it best.

The charts of the atlas are the photos themselves, each cropped to the part that is used, so no surface has to be
unfolded. Neighbouring triangles take the same photo where they can (Waechter, Moehrle and Goesele 2014, with majority
votes in place of graph cuts). The low frequencies of every photo are moved to the mean of all photos (Burt and Adelson
1983). The colour steps that are left at seams between photos are spread into both photos (`seams`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.models import TriangleMesh
from depthapps.runtime.kernel import Kernel
from depthapps.scan.paint import Look, PlacedView, look_at
from depthapps.scan.seams import Piece, even_out

LARGEST_TEXTURE = 4096  # pixels a side, the size that WebGL takes on every phone
CLEARLY_BETTER = 1.5  # a photo takes a triangle from another if it shows it with this many times the pixels
PARTLY_SEEN = 1e-3  # factor on the rating of a triangle that a view sees in part: below any that it sees whole
SPREADS = 2  # rounds that average a view's rating over neighbours, so that it is chosen for patches of triangles
VOTES = 12  # rounds of majority votes among neighbouring triangles
SWATCH_PX = 8  # side of the plain square for a triangle that no photo shows; a JPEG block, so colours do not mix
LEVELLING_SHARE = 0.04  # of a photo's width: standard deviation of the blur that tells its low frequencies
_NONE = -1
_rate_triangles = Kernel(
    "depthapps.scan._rating_kernels",
    "rate_triangles",
    "int64 int32[:,::1] float64[::1] float64[::1] float32[:,::1] uint8[::1] int64 float64 float64 "
    "float64[::1] float64[::1] int32[::1] float64[::1] int32[::1] int64[::1] int64[::1]",
)


@dataclass(frozen=True)
class _Tile:
    """A chart of the texture atlas.

    image: (h, w, 3) uint8, the part of a photo from its pixel (left, top) on, resized by scale. x, y: its place, in
    pixels of the texture.
    """

    image: NDArray[np.uint8]
    left: float
    top: float
    scale: float
    x: int
    y: int


def textured(mesh: TriangleMesh, views: tuple[PlacedView, ...], voxel_m: float) -> TriangleMesh:
    """Add a texture made of the views' photos to a mesh that has colours at its vertices.

    Vertices at a seam between two photos are doubled. Triangles that no view shows get the mean colour of their
    vertices. voxel_m: the voxel size that the mesh was fused with, in metres.
    """
    looks = [look_at(mesh, view, voxel_m) for view in views]
    neighbours = _neighbours(mesh.triangles)
    label = _voted(*_best_views(mesh, looks), neighbours)
    triangles, vertex_of = _split_by(label, mesh, len(views))
    pieces = [_levelled(mesh, view, look, used) for view, look, used in zip(views, looks, vertex_of[:-1], strict=True)]
    pieces = even_out(pieces, looks, label, mesh.triangles, neighbours)
    plain = mesh.triangles[label == _NONE]
    swatches = _swatches(mesh.colors[plain].mean(axis=1).round().astype(np.uint8))
    tiles, texture = _packed(pieces, swatches)
    places = [
        (look.pixels[used] - [tile.left, tile.top] + 0.5) * tile.scale + [tile.x, tile.y]
        for look, used, tile in zip(looks, vertex_of[:-1], tiles[:-1], strict=True)
        if tile is not None
    ]
    uv = np.concatenate([*places, _swatch_centres(len(plain), swatches.shape[1], tiles[-1]).repeat(3, axis=0)])
    used = np.concatenate(vertex_of)
    return TriangleMesh(
        vertices=mesh.vertices[used],
        triangles=triangles,
        normals=mesh.normals[used],
        colors=mesh.colors[used],
        uv=(uv / texture.shape[1::-1]).astype(np.float32),
        texture=texture,
    )


def _split_by(
    label: NDArray[np.int32], mesh: TriangleMesh, views: int
) -> tuple[NDArray[np.int32], list[NDArray[np.intp]]]:
    """Split the mesh at seams: triangles (T, 3) that share vertices with triangles of their own label only.

    Also returns, view by view, the mesh vertices that the new vertices copy; the last entry has three new vertices for
    each triangle without a view.
    """
    triangles = np.empty_like(mesh.triangles)
    number = np.empty(len(mesh.vertices), np.int32)
    vertex_of, count = [], 0
    for k in range(views):
        mine = label == k
        corners = mesh.triangles[mine]
        of_mine = np.zeros(len(mesh.vertices), bool)
        of_mine[corners] = True
        used = np.flatnonzero(of_mine)
        number[used] = np.arange(count, count + len(used))
        triangles[mine] = number[corners]
        vertex_of.append(used)
        count += len(used)
    alone = mesh.triangles[label == _NONE]
    triangles[label == _NONE] = np.arange(count, count + alone.size).reshape(-1, 3)
    return triangles, [*vertex_of, alone.ravel().astype(np.intp)]


def _best_views(mesh: TriangleMesh, looks: list[Look]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Find the view (T,) that shows each triangle best, -1 if none, and all views that may show it (T,), one bit each.

    The best view has the most pixels per square metre on the surface around the triangle, so neighbours agree. Where
    no view sees all three corners, as at depth edges and on surfaces that face away, a view that has all three inside
    its picture is taken.
    """
    a, b, c = (mesh.vertices[corner].astype(np.float64) for corner in mesh.triangles.T)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) + 1e-12
    area_around = np.bincount(mesh.triangles.ravel(), area.repeat(3), len(mesh.vertices))
    count = len(mesh.triangles)
    label, shows, holds = np.full(count, _NONE, np.int32), np.zeros(count, np.int64), np.zeros(count, np.int64)
    room = np.empty(len(mesh.vertices)), np.empty(count), np.empty(count, np.int32)
    best = np.zeros(count)
    for k, look in enumerate(looks):
        _rate_triangles(
            *(k, mesh.triangles, area, area_around, look.pixels, look.seen.view(np.uint8)),
            *(SPREADS, PARTLY_SEEN, CLEARLY_BETTER, *room, best, label, shows, holds),
        )
    return label, np.where(shows != 0, shows, holds)


def _voted(label: NDArray[np.int32], able: NDArray[np.int64], neighbours: NDArray[np.int64]) -> NDArray[np.int32]:
    """Smooth labels (T,) by votes: a triangle takes the photo of two of its neighbours (T, 3) if that may show it."""
    for _ in range(VOTES):
        a, b, c = (np.where(n >= 0, label[n], _NONE) for n in neighbours.T)
        wanted = np.where((a == b) | (a == c), a, np.where(b == c, b, _NONE))
        may = (wanted != _NONE) & (able >> np.maximum(wanted, 0) & 1 == 1)
        if not (may & (wanted != label)).any():
            break
        label = np.where(may, wanted, label).astype(np.int32)
    return label


def _neighbours(triangles: NDArray[np.int32]) -> NDArray[np.int64]:
    """Find the neighbouring triangle (T, 3) across each side, -1 where there is none."""
    a, b = triangles.ravel().astype(np.int64), np.roll(triangles, -1, axis=1).ravel().astype(np.int64)
    key = np.minimum(a, b) * (int(triangles.max()) + 1) + np.maximum(a, b)
    order = np.argsort(key, kind="stable")
    same = np.flatnonzero(key[order[1:]] == key[order[:-1]])
    one, other = order[same], order[same + 1]
    around = np.full(len(key), -1, np.int64)
    around[one], around[other] = other // 3, one // 3
    return around.reshape(-1, 3)


def _levelled(mesh: TriangleMesh, view: PlacedView, look: Look, used: NDArray[np.intp]) -> Piece | None:
    """Crop a photo to the part that the vertices use, and move its low frequencies to the mean of all views."""
    if not len(used):
        return None
    x, y = look.pixels[used].T
    height, width = view.depth_m.shape
    left, top = max(0, math.floor(x.min()) - 1), max(0, math.floor(y.min()) - 1)
    right, bottom = min(width, math.ceil(x.max()) + 2), min(height, math.ceil(y.max()) + 2)
    image = view.image[top:bottom, left:right]
    column, row = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    seen = look.seen[used].astype(np.float32)
    difference = (mesh.colors[used].astype(np.float32) - view.image[row, column]) * seen[:, None]
    # Low frequencies need few samples: differences are summed over squares with a side of a quarter of the deviation.
    deviation = LEVELLING_SHARE * width
    side = max(1, int(deviation / 4))
    rows, columns = math.ceil(image.shape[0] / side), math.ceil(image.shape[1] / side)
    at = (row - top) // side * columns + (column - left) // side
    layers = [np.bincount(at, v, rows * columns).reshape(rows, columns) for v in (seen, *difference.T)]
    spread = cv2.GaussianBlur(np.stack(layers, axis=-1).astype(np.float32), (0, 0), deviation / side)
    change = spread[..., 1:] / (spread[..., :1] + 1e-3 * float(spread[..., 0].max()))
    change = cv2.resize(change, (columns * side, rows * side), interpolation=cv2.INTER_LINEAR)
    moved = image + change[: image.shape[0], : image.shape[1]]
    return Piece(np.clip(np.rint(moved), 0, 255).astype(np.uint8), left, top)


def _swatches(colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Draw a picture of plain squares, one for each colour (N, 3)."""
    if not len(colors):
        return np.zeros((0, 0, 3), np.uint8)
    per_row = math.ceil(math.sqrt(len(colors)))
    full = np.zeros((per_row * math.ceil(len(colors) / per_row), 3), np.uint8)
    full[: len(colors)] = colors
    return full.reshape(-1, per_row, 3).repeat(SWATCH_PX, axis=0).repeat(SWATCH_PX, axis=1)


def _swatch_centres(count: int, width: int, tile: _Tile | None) -> NDArray[np.floating]:
    """Centres (count, 2) of the plain squares, in pixels of the texture."""
    if tile is None:
        return np.zeros((0, 2))
    row, column = np.divmod(np.arange(count), width // SWATCH_PX)
    return np.column_stack([(column + 0.5) * SWATCH_PX + tile.x, (row + 0.5) * SWATCH_PX + tile.y])


def _packed(pieces: list[Piece | None], swatches: NDArray[np.uint8]) -> tuple[list[_Tile | None], NDArray[np.uint8]]:
    """Pack the pieces and the plain squares into one texture; pieces are made smaller until it fits LARGEST_TEXTURE.

    Returns one tile a piece, then the tile of the squares, and the texture (h, w, 3).
    """
    scale = 1.0
    while True:
        tiles: list[_Tile | None] = []
        for piece in pieces:
            if piece is None:
                tiles.append(None)
                continue
            image = piece.image
            size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
            small = image if scale == 1 else np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
            tiles.append(_Tile(small, piece.left, piece.top, scale, 0, 0))
        tiles.append(_Tile(swatches, 0, 0, 1, 0, 0) if swatches.size else None)
        placed, width, height = _shelved(tiles)
        if max(width, height) <= LARGEST_TEXTURE or scale < 0.1:
            break
        scale *= 0.9
    texture = np.zeros((height, width, 3), np.uint8)
    for tile in placed:
        if tile is not None:
            h, w = tile.image.shape[:2]
            texture[tile.y : tile.y + h, tile.x : tile.x + w] = tile.image
    return placed, texture


def _shelved(tiles: list[_Tile | None]) -> tuple[list[_Tile | None], int, int]:
    """Place tiles in rows, the highest tiles first; returns them with the width and height that they take."""
    real = [(tile, k) for k, tile in enumerate(tiles) if tile is not None]
    area = sum(tile.image.shape[0] * tile.image.shape[1] for tile, _ in real)
    width = max(math.ceil(1.05 * math.sqrt(area)), *(tile.image.shape[1] for tile, _ in real))
    placed, x, y, shelf = list(tiles), 0, 0, 0
    for tile, k in sorted(real, key=lambda entry: -entry[0].image.shape[0]):
        h, w = tile.image.shape[:2]
        if x + w > width:
            x, y, shelf = 0, y + shelf, 0
        placed[k] = replace(tile, x=x, y=y)
        x, shelf = x + w, max(shelf, h)
    return placed, width, y + shelf
