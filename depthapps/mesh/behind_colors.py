"""Colour the surface that is continued behind a picture: with the second photo where it saw it, else from beside it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.filling import push_pull
from depthapps.core.geometry import inverse_depth
from depthapps.core.scene import FloatMap
from depthapps.mesh.behind import Behind
from depthapps.mesh.cut import GridSurface
from depthapps.mesh.inpaint import COARSEST, Layered, inpaint
from depthapps.mesh.second_colors import SecondColors
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands
from depthapps.surface.tearing import BoolMap

_MIXED_PX, _BESIDE_PX = 2.0, 10.0  # distance from the rim of the pixels that tell the colours of what was continued
_SAME_SURFACE = 0.05  # share of 1/Z by which they may differ from the rim
# Patches are copied from so far around: times the way to the rim, and a share of the picture's longer side.
_AROUND_WAYS, _AROUND_SHARE = 2.0, 0.03
# Share of patches in what no photo shows; the rest is a smooth guess. A texture that goes on the wrong way is twice as
# far off as none: two rendered rooms, seen from nine new places each, look 30.40, 30.30 and 30.16 dB like the truth
# with shares of 0.5, 0.75 and 1. But a table without its grain is seen to be made up.
_PATCHES = 0.75
# Share of 1/Z: a larger step between neighbours is a join of two surfaces that is long enough to be seen. With 0.05,
# 0.2 and 0.5, nine new views of four rendered rooms have a PSNR of 29.55, 29.57 and 29.58 dB, but more is drawn out.
_JOIN = 0.2
_EVEN_SHARE = 0.015  # of the picture's longer side: half the window over which the colours of a join are averaged
# Pixels of a speck's rim at most. A longer rim is seen through the narrow gaps beside it, and keeps its own colours.
_SPECK = 12
_NOTHING = 1e9  # 1/m
# Logarithm of the ratio of 1/Z. What is less than this before the surface that was continued past it stands on that
# surface, as a pot's foot on a table: its colours are not taken for those of the surface, though it is as near.
_STANDS = 0.12
# Slices of depth in which colours are continued each by themselves, of some 15 % of depth in a room. With 4, 8 and 16
# two rooms look 30.26, 30.30 and 30.32 dB like the truth.
_SLICES = 8
_COARSE = 4  # px of the picture in one of a slice
_SPREAD_PX = 8  # colours are put so far around a surface, as pictures in a model are filtered and compressed

_look_up_in_slices = Kernel(
    "depthapps.mesh._slice_kernels",
    "look_up_in_slices",
    "float32[:,:,:,::1] uint8[::1] int64 float32[:,::1] int64 int64 float32[:,:,::1]",
)


class BehindColors(NamedTuple):
    """The picture (h, w, 3) uint8 sRGB of a continued surface, and where (h, w) the second photo shows it."""

    image: NDArray[np.uint8]
    photographed: BoolMap


def color_behind(
    surface: GridSurface, behind: Behind, second: SecondColors | None, *, patches: bool = True
) -> BehindColors:
    """Colour a continued surface.

    The second photo's colours are levelled onto the first one's by what both show nearby. Where neither shows the
    surface, it is for a quarter a smooth continuation of what surrounds it, and else patches of the same surface nearby
    that go on from there (`inpaint`), to begin with those that lie as far beyond the rim as it lies behind it. Without
    patches it is only smooth.
    """
    photo, margin = to_8bit(surface.image), behind.margin
    picture = np.asarray(cv2.copyMakeBorder(photo, margin, margin, margin, margin, cv2.BORDER_REPLICATE), np.uint8)
    colors = picture.astype(np.float32)
    photographed = np.zeros_like(behind.new)
    if second is not None:
        levelled, seen = second.of(behind)
        photographed = seen & behind.new
        colors = np.where(photographed[..., None], levelled, colors)
    # a place has two surfaces, what the picture shows and what was continued past it, and either may be copied from
    front, layer = _front(surface, behind), _layer(surface, behind)
    source = np.where(photographed, layer, front)
    with np.errstate(invalid="ignore"):
        stands = behind.new & ~photographed & (front - layer < _STANDS)
    known = (photographed | np.isfinite(front)) & ~stands
    smooth = colors.reshape(-1, 3)[np.maximum(behind.source, 0)]  # the rim's own colours, where no others are told
    _put_smooth(smooth, colors, (photographed | _beside_rim(surface, behind)) & known, source, layer, behind.new)
    hole = behind.new & ~photographed
    guess = np.where(hole[..., None], smooth, colors)
    if patches:
        patched = inpaint(
            Layered(guess, layer, hole),
            Layered(colors, source, known),
            behind.tilt,
            _mirrored_places(behind),
            _AROUND_WAYS * behind.way_px + np.float32(_AROUND_SHARE * max(hole.shape)),
        )
        guess += np.float32(_PATCHES) * (patched - guess)
    return BehindColors(np.clip(np.rint(guess), 0, 255).astype(np.uint8), photographed)


def finished_picture(surface: GridSurface, new: BoolMap) -> NDArray[np.uint8]:
    """The picture (h, w, 3) uint8 of a continued surface as its texture, when it is known where the surface is torn.

    new: (h, w), what was continued. Beside its triangles are their colours and not those of what the picture shows,
    which a smaller texture would mix in along its edges.
    """
    picture = without_streaks(surface.image.astype(np.float32), surface, new)
    image = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return _spread(image, surface.quads.pixels())


def without_streaks(picture: NDArray[np.floating], surface: GridSurface, new: BoolMap) -> NDArray[np.floating]:
    """The picture (h, w, 3) with the far one's even colour where a surface that was continued is joined to another.

    Seen from the side such a join is long, and would draw the colours of its few pixels out into lines. Behind it lies
    the far surface. Specks of what the picture shows are among these pixels, as its own surface has their own colours.
    new: (h, w), what was continued.
    """
    inverse = inverse_depth(surface.depth_m)
    join = surface.quads.spanning(inverse, 1 + _JOIN).pixels()
    if not join.any():
        return picture
    around = cv2.dilate(join.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    join = around & (new | _specks(np.isfinite(inverse) & ~new))
    side = 2 * round(_EVEN_SHARE * max(join.shape)) + 1
    farthest = cv2.erode(np.nan_to_num(inverse, nan=_NOTHING), np.ones((side, side), np.uint8))
    with np.errstate(invalid="ignore"):
        weight = (inverse <= (1 + _JOIN) * farthest).astype(np.float32)
    weight, even = cv2.blur(weight, (side, side)), cv2.blur(picture * weight[..., None], (side, side))
    join &= weight > 0.5 / side**2
    return np.where(join[..., None], even / np.maximum(weight, np.float32(1e-6))[..., None], picture)


def _specks(rim: BoolMap) -> BoolMap:
    """Those pixels (h, w) of a rim that go round things of a few pixels."""
    count, found = cv2.connectedComponents(rim.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    label = np.asarray(found, np.int32)
    small = np.bincount(label.ravel(), minlength=count) <= _SPECK
    small[0] = False
    return small[label]


def _beside_rim(surface: GridSurface, behind: Behind) -> BoolMap:
    """The pixels (h, w) of the grid near the rim that the picture shows on the very surface which was continued.

    The rim itself is left out: its colours are mixed with those of the near side.
    """
    rim = (behind.source >= 0) & ~behind.new
    distance, nearest = _nearest(rim)
    inverse = np.full(rim.shape, np.nan, np.float32)
    inside = np.s_[behind.margin : rim.shape[0] - behind.margin, behind.margin : rim.shape[1] - behind.margin]
    inverse[inside] = np.where(surface.quads.pixels(), inverse_depth(surface.depth_m), np.float32(np.nan))
    with np.errstate(invalid="ignore"):
        same = np.abs(inverse - behind.inverse.ravel()[nearest]) < _SAME_SURFACE * inverse
    return same & (distance >= _MIXED_PX) & (distance < _BESIDE_PX)


def _front(surface: GridSurface, behind: Behind) -> FloatMap:
    """The logarithm of 1/Z (h, w) of what the picture shows, NaN where it shows nothing."""
    front = np.where(surface.quads.pixels(), inverse_depth(surface.depth_m), np.float32(np.nan))
    return np.log(np.pad(front, behind.margin, constant_values=np.nan)).astype(np.float32)


def _layer(surface: GridSurface, behind: Behind) -> FloatMap:
    """The logarithm of 1/Z (h, w) of what was continued, and elsewhere of what the picture shows; NaN for nothing."""
    return np.where(behind.new, np.log(behind.inverse), _front(surface, behind)).astype(np.float32)


def _put_smooth(
    smooth: NDArray[np.floating],
    colors: NDArray[np.floating],
    told: BoolMap,
    source: FloatMap,
    layer: FloatMap,
    wanted: BoolMap,
) -> None:
    """Put the colours (h, w, 3) of pixels that are told at a like depth, continued smoothly, at wanted pixels (h, w).

    smooth: (h, w, 3) float32, what they are put into; it stays where nothing is told at a like depth. source, layer:
    (h, w), logarithm of 1/Z of what is told and of what is wanted; a pixel may have both. Colours are spread in slices
    of depth, as in a bilateral grid (Chen et al. 2007), which also leaves out what is far away.
    """
    if not (told.any() and wanted.any()):
        return
    low, high = np.nanpercentile(layer[wanted], (1, 99))

    def slice_of(depth: FloatMap) -> FloatMap:
        return ((depth - np.float32(low)) * np.float32((_SLICES - 1) / max(high - low, 1e-3))).clip(0, _SLICES - 1)

    weights, means = _told_in_slices(colors, told, slice_of(source[told]))
    filled = weights.any(axis=(1, 2))
    for k in np.flatnonzero(filled):
        means[k] = push_pull(means[k], np.minimum(_COARSE**2 * weights[k], 1))
    at = np.where(wanted, np.nan_to_num(slice_of(layer), nan=-1), np.float32(-1))
    for_bands(
        len(at),
        lambda first, end: _look_up_in_slices(means, filled.view(np.uint8), _COARSE, at, first, end, smooth),
    )


def _told_in_slices(colors: NDArray[np.floating], told: BoolMap, at: NDArray[np.floating]) -> tuple[FloatMap, FloatMap]:
    """How much of each cell of each slice of depth is told, (S, h, w), and its mean colour there, (S, h, w, 3).

    colors: (H, W, 3). told: (H, W). at: (N,), the place of each told pixel among the slices.
    """
    rows, columns = (-(-size // _COARSE) for size in told.shape)
    y, x = np.nonzero(told)
    below, cell = np.minimum(at.astype(np.int64), _SLICES - 2), y // _COARSE * columns + x // _COARSE
    sums = np.zeros((4, _SLICES * rows * columns))
    for upper in range(2):
        weight = 1 - np.abs(below + upper - at)
        number = (below + upper) * (rows * columns) + cell
        for total, values in zip(sums, (1, *colors[y, x].T), strict=True):
            total += np.bincount(number, weight * values, len(total))
    weights, *means = sums.astype(np.float32).reshape(4, _SLICES, rows, columns)
    return weights / _COARSE**2, np.stack(means, axis=-1) / np.maximum(weights, np.float32(1e-6))[..., None]


def _mirrored_places(behind: Behind) -> NDArray[np.int32]:
    """Row and column of the pixel that lies as far beyond the rim as each COARSEST-th one lies behind it."""
    height, width = behind.source.shape
    rim_y, rim_x = np.divmod(np.maximum(behind.source[::COARSEST, ::COARSEST], 0), width)
    y, x = COARSEST * np.indices(rim_y.shape, np.int32)
    step_y, step_x = rim_y - y, rim_x - x
    beyond = 1 + _MIXED_PX / np.maximum(np.hypot(step_y, step_x), 1)
    ends = [(behind.margin, n - behind.margin - 1) for n in (height, width)]
    at_y = np.clip(np.rint(rim_y + beyond * step_y).astype(np.int32), *ends[0])
    at_x = np.clip(np.rint(rim_x + beyond * step_x).astype(np.int32), *ends[1])
    return np.stack([at_y, at_x], axis=-1)


def _spread(image: NDArray[np.uint8], known: BoolMap) -> NDArray[np.uint8]:
    """Put the colours of known pixels (h, w) around them, and one colour where none is near, which compresses well."""
    if not known.any():
        return image
    distance, nearest = _nearest(known)
    spread = image.reshape(-1, 3)[nearest]
    spread[distance > _SPREAD_PX] = np.median(image[known], axis=0).astype(np.uint8)
    return spread


def _nearest(pixels: BoolMap) -> tuple[FloatMap, NDArray[np.int64]]:
    """The distance (h, w) in px to the nearest of these pixels, and the row-major number of it."""
    found = cv2.distanceTransformWithLabels((~pixels).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    distance, label = np.asarray(found[0], np.float32), np.asarray(found[1], np.int32)
    place = np.zeros(int(label.max()) + 1, np.int64)
    place[label[pixels]] = np.flatnonzero(pixels)
    return distance, place[label]
