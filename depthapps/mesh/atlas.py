"""A texture for a fused surface: every triangle shows the piece of the photo that sees it best.

The texture is made of the photos themselves, each cut to what is used of it, so that no surface has to be unfolded. Of
neighbouring triangles as many as can take one photo (after Waechter, Moehrle and Goesele 2014, with majority votes in
place of graph cuts), and every photo's low frequencies are moved to the mean of all (Burt and Adelson 1983).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.mesh.paint import Look, PlacedView, look_at
from depthapps.scene import TriangleMesh

LARGEST_TEXTURE = 4096  # pixels a side that every phone's WebGL takes
CLEARLY_BETTER = 1.5  # a photo takes a triangle over if it shows it with so many times the pixels
PARTLY_SEEN = 1e-3  # what a triangle counts that is not seen whole: less than any that is
SPREADS = 2  # rounds in which triangles share what a view shows of them: it is chosen for patches, not for single ones
VOTES = 12  # rounds of majority votes among neighbouring triangles
SWATCH_PX = 8  # of a colour for a triangle that no photo shows: a JPEG's block
LEVELLING_SHARE = 0.04  # of a photo's width: over so much its colours are moved to the mean of all
_NONE = -1


@dataclass(frozen=True)
class _Tile:
    """A piece of the texture: the part of a photo from pixel (left, top), times scale, put at (x, y)."""

    image: NDArray[np.uint8]
    left: float
    top: float
    scale: float
    x: int
    y: int


def textured(mesh: TriangleMesh, views: tuple[PlacedView, ...], voxel_m: float) -> TriangleMesh:
    """The mesh (colours at its vertices) with a texture of the views' photos.

    Vertices between triangles of two photos are doubled. Triangles that no view shows get the
    colour of their vertices.
    """
    looks = [look_at(mesh, view, voxel_m) for view in views]
    label = _voted(*_best_views(mesh, looks), mesh)
    pieces = [_levelled(mesh, view, look, label == k) for k, (view, look) in enumerate(zip(views, looks, strict=True))]
    plain = np.flatnonzero(label == _NONE)
    swatches = _swatches(mesh.colors[mesh.triangles[plain]].mean(axis=1).round().astype(np.uint8))
    tiles, texture = _packed(pieces, swatches)

    # one vertex for every photo that shows it, and three for every triangle without one
    corner_label = np.repeat(label, 3)
    shown = np.flatnonzero(corner_label != _NONE)
    corners = mesh.triangles.ravel()
    key = corner_label[shown].astype(np.int64) * len(mesh.vertices) + corners[shown]
    unique, number = np.unique(key, return_inverse=True)
    view_of, vertex_of = np.divmod(unique, len(mesh.vertices))
    uv = np.zeros((len(unique), 2))
    for k, look in enumerate(looks):
        mine = view_of == k
        tile = tiles[k]
        if tile is not None:
            at = look.pixels[vertex_of[mine]] - [tile.left, tile.top]
            uv[mine] = (at + 0.5) * tile.scale + [tile.x, tile.y]
    triangles = np.empty(3 * len(mesh.triangles), np.int64)
    triangles[shown] = number
    alone = np.flatnonzero(corner_label == _NONE)
    triangles[alone] = len(unique) + np.arange(len(alone))
    used = np.concatenate([vertex_of, corners[alone]])
    uv = np.concatenate([uv, _swatch_centres(len(plain), swatches.shape[1], tiles[-1]).repeat(3, axis=0)])
    return TriangleMesh(
        vertices=mesh.vertices[used],
        triangles=triangles.reshape(-1, 3).astype(np.int32),
        normals=mesh.normals[used],
        colors=mesh.colors[used],
        uv=(uv / texture.shape[1::-1]).astype(np.float32),
        texture=texture,
    )


def _best_views(mesh: TriangleMesh, looks: list[Look]) -> tuple[NDArray[np.int32], NDArray[np.uint64]]:
    """The view (T,) that shows each triangle best, -1 if none does, and all that may show it (T,), a bit each.

    Best is who has the most pixels of the surface around, so that neighbours agree. Where no view shows all three
    corners, at depth edges and on what faces away, one that shows the surface around has to do.
    """
    corners = mesh.vertices[mesh.triangles].astype(np.float64)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) + 1e-12
    area_around = np.bincount(mesh.triangles.ravel(), area.repeat(3), len(mesh.vertices))
    count = len(mesh.triangles)
    label, shows, holds = np.full(count, _NONE, np.int32), np.zeros(count, np.uint64), np.zeros(count, np.uint64)
    best = np.zeros(count)
    for k, look in enumerate(looks):
        a, b, c = (look.pixels[corner] for corner in mesh.triangles.T)
        (ax, ay), (bx, by) = (b - a).T, (c - a).T
        pixels = ay * bx - ax * by  # twice as many as it covers; negative from behind
        inside = (a[:, 0] >= 0) & (b[:, 0] >= 0) & (c[:, 0] >= 0)
        whole = inside & (pixels > 0) & np.logical_and.reduce([look.seen[corner] for corner in mesh.triangles.T])
        shows[whole] |= np.uint64(1 << k)
        holds[inside] |= np.uint64(1 << k)
        density = np.where(whole, pixels / area, 0)
        for _ in range(SPREADS):
            around = np.bincount(mesh.triangles.ravel(), (density * area).repeat(3), len(mesh.vertices))
            density = (around / np.maximum(area_around, 1e-12))[mesh.triangles].mean(axis=1)
        density *= np.where(whole, 1, np.where(inside, PARTLY_SEEN, 0))
        better = density > CLEARLY_BETTER * best
        label[better], best[better] = k, density[better]
    return label, np.where(shows > 0, shows, holds)


def _voted(label: NDArray[np.int32], able: NDArray[np.uint64], mesh: TriangleMesh) -> NDArray[np.int32]:
    """Labels (T,) after votes: a triangle takes the photo that two of its neighbours have, if it is able to."""
    around = _neighbours(mesh.triangles)
    for _ in range(VOTES):
        a, b, c = (np.where(n >= 0, label[n], _NONE) for n in around.T)
        wanted = np.where((a == b) | (a == c), a, np.where(b == c, b, _NONE))
        may = (wanted != _NONE) & (able >> np.maximum(wanted, 0).astype(np.uint64) & np.uint64(1) == 1)
        if not (may & (wanted != label)).any():
            break
        label = np.where(may, wanted, label).astype(np.int32)
    return label


def _neighbours(triangles: NDArray[np.int32]) -> NDArray[np.int64]:
    """The triangle (T, 3) beyond each side, -1 where there is none."""
    a, b = triangles.ravel().astype(np.int64), np.roll(triangles, -1, axis=1).ravel().astype(np.int64)
    key = np.minimum(a, b) * (int(triangles.max()) + 1) + np.maximum(a, b)
    order = np.argsort(key, kind="stable")
    same = np.flatnonzero(key[order[1:]] == key[order[:-1]])
    one, other = order[same], order[same + 1]
    around = np.full(len(key), -1, np.int64)
    around[one], around[other] = other // 3, one // 3
    return around.reshape(-1, 3)


def _levelled(
    mesh: TriangleMesh, view: PlacedView, look: Look, mine: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], float, float] | None:
    """What is used of a photo, its colours moved to the mean of all views, and its place (left, top) in the photo."""
    used = np.unique(mesh.triangles[mine])
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
    at = (row - top) * (right - left) + column - left
    layers = [np.bincount(at, v, image.shape[0] * image.shape[1]) for v in (seen, *difference.T)]
    spread = cv2.GaussianBlur(
        np.stack(layers, axis=-1).reshape(*image.shape[:2], 4).astype(np.float32), (0, 0), LEVELLING_SHARE * width
    )
    moved = image + spread[..., 1:] / (spread[..., :1] + 1e-3 * float(spread[..., 0].max()))
    return np.clip(np.rint(moved), 0, 255).astype(np.uint8), left, top


def _swatches(colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture of plain squares, one for each colour (N, 3)."""
    if not len(colors):
        return np.zeros((0, 0, 3), np.uint8)
    per_row = math.ceil(math.sqrt(len(colors)))
    full = np.zeros((per_row * math.ceil(len(colors) / per_row), 3), np.uint8)
    full[: len(colors)] = colors
    return full.reshape(-1, per_row, 3).repeat(SWATCH_PX, axis=0).repeat(SWATCH_PX, axis=1)


def _swatch_centres(count: int, width: int, tile: _Tile | None) -> NDArray[np.floating]:
    """The middles (count, 2) of the swatches in the texture."""
    if tile is None:
        return np.zeros((0, 2))
    row, column = np.divmod(np.arange(count), width // SWATCH_PX)
    return np.column_stack([(column + 0.5) * SWATCH_PX + tile.x, (row + 0.5) * SWATCH_PX + tile.y])


def _packed(
    pieces: list[tuple[NDArray[np.uint8], float, float] | None], swatches: NDArray[np.uint8]
) -> tuple[list[_Tile | None], NDArray[np.uint8]]:
    """The pieces' tiles, the swatches' last, and the texture that they are in, on shelves, the highest first."""
    scale = 1.0
    while True:
        tiles: list[_Tile | None] = []
        for piece in pieces:
            if piece is None:
                tiles.append(None)
                continue
            image, left, top = piece
            size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
            small = image if scale == 1 else np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
            tiles.append(_Tile(small, left, top, scale, 0, 0))
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
    """The tiles with places, and the size they take."""
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
