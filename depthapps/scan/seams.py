"""Remove the colour steps between photos that meet on a surface: at a shared edge, both take the mean of their colours.

The change is spread from the seam into each photo like a membrane (Pérez, Gangnet and Blake 2003), with a pyramid
(`push_pull`). A change that varies along the seam stays near it. A change that is common to the whole seam reaches far.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.filling import push_pull
from depthapps.scan.paint import Look

SPACING_PX = 1.0  # between the places along an edge at which the photos are compared
MOST_PLACES = 16  # largest number of intervals between these places on one edge
BLUR_PX = 1.0  # standard deviation of the blur before comparing; photos are not aligned more exactly than this


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of a photo: image (h, w, 3) uint8, whose first pixel is the photo's pixel (left, top)."""

    image: NDArray[np.uint8]
    left: int
    top: int


def even_out(
    pieces: list[Piece | None],
    looks: list[Look],
    label: NDArray[np.int32],
    triangles: NDArray[np.int32],
    neighbours: NDArray[np.int64],
) -> list[Piece | None]:
    """Remove the colour steps between pieces; returns the changed pieces.

    pieces, looks: one per view. label: (T,) the view whose photo each triangle shows. triangles: (T, 3) vertex numbers.
    neighbours: (T, 3) the triangle beyond each side; side k runs from corner k to the next one. -1 where there is none.
    """
    beyond = np.where(neighbours >= 0, label[neighbours], -1)
    t, side = np.nonzero((label[:, None] > beyond) & (beyond >= 0))
    if not len(t):
        return pieces
    views = np.stack([label[t], beyond[t, side]])
    ends = np.stack([triangles[t, side], triangles[t, (side + 1) % 3]])
    at = np.empty((2, 2, len(t), 2), np.float32)  # view, end of the edge, edge, (x, y)
    for k, look in enumerate(looks):
        for half in (0, 1):
            mine = views[half] == k
            at[half][:, mine] = look.pixels[ends[:, mine]]
    longest = float(np.median(np.linalg.norm(at[:, 1] - at[:, 0], axis=-1).max(axis=0)))
    shares = np.linspace(0, 1, min(max(math.ceil(longest / SPACING_PX), 1), MOST_PLACES) + 1)[:, None, None]
    # (S, P, 2) for each view: S places on each of P edges
    places = [np.rint((1 - shares) * start + shares * end).astype(np.int64) for start, end in at]
    shown = np.empty((2, *places[0].shape[:2], 3), np.float32)
    for k, piece in enumerate(pieces):
        if piece is not None:
            soft = cv2.GaussianBlur(piece.image, (0, 0), BLUR_PX)
            for half in (0, 1):
                mine = views[half] == k
                x, y = np.moveaxis(places[half][:, mine] - [piece.left, piece.top], -1, 0)
                shown[half][:, mine] = soft[y, x]
    steps = (shown[::-1] - shown) / 2
    return [
        None
        if piece is None
        else _moved(piece, [(places[h][:, views[h] == k], steps[h][:, views[h] == k]) for h in (0, 1)])
        for k, piece in enumerate(pieces)
    ]


def _moved(piece: Piece, changes: list[tuple[NDArray[np.int64], NDArray[np.float32]]]) -> Piece:
    """Add changes of colour (..., 3), given at pixels (..., 2) of the photo, to a piece; interpolate between them."""
    height, width = piece.image.shape[:2]
    x, y = (np.concatenate([p.reshape(-1, 2) for p, _ in changes]) - [piece.left, piece.top]).T
    change = np.concatenate([c.reshape(-1, 3) for _, c in changes])
    layers = [np.bincount(y * width + x, v, height * width) for v in (*change.T, np.ones(len(x)))]
    sums = np.stack(layers, axis=-1).reshape(height, width, 4).astype(np.float32)
    count = sums[..., 3]
    membrane = push_pull(sums[..., :3] / np.maximum(count, 1)[..., None], np.minimum(count, 1))
    return replace(piece, image=np.clip(np.rint(piece.image + membrane), 0, 255).astype(np.uint8))
