"""Remove specks: small islands of another depth amid surfaces whose colours they share.

They are chance matches. In a model they float before a surface or are holes in it, and they throw shadows.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.engine.fusion.support import hidden
from depthapps.engine.matching.islands import small_islands

# Area up to which an island is a speck, and the difference of colours across its rim (median, sum of three channels)
# from which on it is a thing by itself. In the maps that `balanced` finds of 20 real pairs, 27 ray-cast rooms and 27
# scenes of layers, 91 % of the pixels that are changed are off by more than 2 px before, and 25 % after. In the real
# pairs alone, these are 88 and 49 %. A difference of 15 levels changes 40 % fewer pixels there, of which 94 and 38 %
# are off; an area of 800 px changes half as many again, of which 78 and 66 % are off.
_LARGEST_PX = 400
_UNLIKE = 25.0
# Half and twice of each of the following, and a share of 0.8 or all of the rim, change bad2 by less than .01 %.
_OTHER = 0.1  # share of an island's pixels that look unlike its rim, from which on something thin is in it
_LINK_PX = 1.0  # neighbours that differ by no more belong together
_APART_PX = 2.0  # by which an island differs from what surrounds it
_SURROUNDED = 0.9  # share of its rim where it does so
_UNLIKE_A_PIXEL = 2.0  # difference of colours that counts like a pixel of way; with 10 bad2 is the same
_SMOOTH_PX = 3  # median of the colours, against grain


def without_specks(disparity: FloatMap, left: Image) -> FloatMap:
    """Let specks of a disparity map take the disparity beside them that has their colour.

    disparity: (H, W) float32 px, finite; returned itself if it has no small islands. left: (H, W, 3) uint8 RGB.
    An island is a speck if it is nearer than what surrounds it, or farther and hidden from the right view, which then
    cannot confirm it, and if the picture shows neither an edge along most of its rim nor another colour in it. Islands
    that touch count as one.
    """
    small = small_islands(disparity, _LARGEST_PX, _LINK_PX).astype(np.uint8)
    count, found, stats, _ = cv2.connectedComponentsWithStats(small, connectivity=4, ltype=cv2.CV_32S)
    labels = np.asarray(found, np.int32)
    places = np.flatnonzero(labels)
    if not len(places):
        return disparity
    owner, values = labels.ravel()[places], disparity.ravel()
    colors = cv2.medianBlur(left, _SMOOTH_PX).reshape(-1, 3)
    rims = _rims(labels, places, colors)

    def mean(of: NDArray[np.int32], what: NDArray) -> NDArray[np.floating]:
        return np.bincount(of, what, count) / np.maximum(np.bincount(of, minlength=count), 1)

    apart = values[rims.beside] - mean(owner, values[places])[rims.owner]
    nearer = mean(rims.owner, apart < -_APART_PX) >= _SURROUNDED
    farther = mean(rims.owner, apart > _APART_PX) >= _SURROUNDED
    farther &= mean(owner, hidden(disparity).ravel()[places]) >= _SURROUNDED
    alike = mean(rims.owner, rims.contrast < _UNLIKE) > 0.5
    specks = (nearer | farther) & alike & (stats[:, cv2.CC_STAT_AREA] <= _LARGEST_PX)
    islands, outside = _Groups.of(owner, places, count), _Groups.of(rims.owner, rims.beside, count)
    raw, out = left.reshape(-1, 3), values.copy()
    for speck in np.flatnonzero(specks).tolist():
        island = islands.members(speck)
        likest, unlike = _likest(raw, disparity.shape[1], island, np.unique(outside.members(speck)))
        if np.mean(unlike >= _UNLIKE) <= _OTHER:
            out[island] = values[likest]
    return out.reshape(disparity.shape)


class _Groups(NamedTuple):
    """Values (N,) sorted by the group that each belongs to, and where each group starts."""

    values: NDArray[np.intp]
    starts: NDArray[np.intp]

    @classmethod
    def of(cls, group: NDArray[np.int32], values: NDArray[np.intp], count: int) -> _Groups:
        """Sort values by their group, of which there are `count`."""
        order = np.argsort(group, kind="stable")
        return cls(values[order], np.searchsorted(group[order], np.arange(count + 1)))

    def members(self, group: int) -> NDArray[np.intp]:
        """The values of a group."""
        return self.values[self.starts[group] : self.starts[group + 1]]


class _Rims(NamedTuple):
    """Pairs of pixels across the rims of islands, (N,): the island, the place outside, and how their colours differ."""

    owner: NDArray[np.int32]
    beside: NDArray[np.intp]
    contrast: NDArray[np.int64]


def _rims(labels: NDArray[np.int32], places: NDArray[np.intp], colors: Image) -> _Rims:
    """The rims of islands: labels (H, W), 0 outside; the places that have one; colours (H * W, 3)."""
    (height, width), flat = labels.shape, labels.ravel()
    rows, columns = np.divmod(places, width)
    sides = []
    for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):

        def ahead(steps: int, down: int = down, right: int = right) -> NDArray[np.intp]:
            y = np.clip(rows + steps * down, 0, height - 1)
            return y * width + np.clip(columns + steps * right, 0, width - 1)

        rim = flat[ahead(1)] == 0
        # three pixels apart, since what lies between them may be blurred
        steps = colors[ahead(2)[rim]].astype(np.int16) - colors[ahead(-1)[rim]]
        sides.append((flat[places[rim]], ahead(1)[rim], np.abs(steps).sum(axis=1)))
    return _Rims(*(np.concatenate(column) for column in zip(*sides, strict=True)))


def _likest(
    colors: Image, width: int, island: NDArray[np.intp], rim: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Of the places of a rim, the nearest and likest to each place of an island, and how unlike it is; both (N,).

    See `_UNLIKE_A_PIXEL`; the difference that is returned is that of the colours alone.
    """
    unlike = np.abs(colors[island].astype(np.int16)[:, None] - colors[rim]).sum(axis=2)
    (y, x), (rim_y, rim_x) = np.divmod(island, width), np.divmod(rim, width)
    best = (_UNLIKE_A_PIXEL * np.hypot(y[:, None] - rim_y, x[:, None] - rim_x) + unlike).argmin(axis=1)
    return rim[best], unlike[np.arange(len(island)), best]
