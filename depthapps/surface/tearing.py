"""Find where the surface behind a depth map is torn, and build the triangles that remain.

All tests are made in inverse depth w = 1/Z. It is linear in pixel coordinates on every plane, and stereo noise in it
is the same near and far.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.geometry import inverse_depth
from depthapps.core.scene import FloatMap, Scene

BoolMap = NDArray[np.bool_]

# Neighbouring pixels whose 1/Z differs by more than this share of the nearer one's lie on two surfaces. Over three
# ray-traced rooms of 0.5 Mpx a threshold of 1, 2, 4 and 6 % left 0.02, 0.01, 0.12 and 0.58 % of the mesh's area off the
# true surface, and kept 99.98, 99.99, 99.99 and 100 % of the picture.
DEPTH_STEP = 0.02
# A larger step is kept if the next pixels continue it as a slope: floors near the horizon, walls seen at a grazing
# angle. A step above this share is never kept, because a depth edge blurred over three pixels looks like a slope too.
STEEP_STEP = 0.15
SLOPE_TOLERANCE = 0.2  # share by which a slope may change from one pixel to the next
NOISE_SIGMAS = 4.0  # a step within this many deviations of its noise is no edge
STEP_SIGMAS = NOISE_SIGMAS * 2**0.5  # the same in deviations of one pixel: a step is the difference of two

# Depth with a lower confidence is not used as a surface. Over 26 real pairs 1 % of the pixels are below it, and 57 % of
# those are wrong by more than 1 px.
MIN_CONFIDENCE = 0.2
_EVEN_PX = 9  # window over which the confidence is averaged, as it flickers from pixel to pixel


def trusted(scene: Scene, least: float = MIN_CONFIDENCE) -> BoolMap:
    """Mask (H, W) of pixels with a confidence of at least `least`; all pixels if the scene has no confidence."""
    if scene.confidence is None:
        return np.ones(scene.depth_m.shape, bool)
    return scene.confidence >= least


def even_confidence(scene: Scene) -> FloatMap | None:
    """The confidence (H, W) of a scene, averaged over a few pixels; None if it has none."""
    if scene.confidence is None:
        return None
    return np.asarray(cv2.blur(scene.confidence, (_EVEN_PX, _EVEN_PX)), np.float32)


class Links(NamedTuple):
    """Masks that say which neighbouring pixels lie on one surface.

    right: (H, W−1), a pixel and its right neighbour. down: (H−1, W), a pixel and the one below. falling, rising:
    (H−1, W−1), the two diagonals of each quad of pixels.
    """

    right: BoolMap
    down: BoolMap
    falling: BoolMap  # top left to bottom right
    rising: BoolMap  # bottom left to top right

    def changed(self, change: Callable[[BoolMap, tuple[slice, ...], tuple[slice, ...]], BoolMap]) -> Links:
        """What `change` makes of each mask of links, and of the pixels (indices of an (H, W) map) at their two ends."""
        return Links(
            change(self.right, np.s_[:, :-1], np.s_[:, 1:]),
            change(self.down, np.s_[:-1, :], np.s_[1:, :]),
            change(self.falling, np.s_[:-1, :-1], np.s_[1:, 1:]),
            change(self.rising, np.s_[1:, :-1], np.s_[:-1, 1:]),
        )


def surface_links(depth_m: FloatMap, noise: float = 0.0) -> Links:
    """Find which neighbouring pixels of a depth map (H, W) in metres lie on one surface.

    noise: standard deviation of 1/Z of one pixel, in 1/m; steps that it explains are no edges. Unknown and infinite
    pixels have no links.
    """
    inverse = inverse_depth(depth_m)
    height = STEP_SIGMAS * noise
    return Links(
        right=_linked(inverse, height, (0, 1)),
        down=_linked(inverse, height, (1, 0)),
        falling=_linked(inverse, height, (1, 1)),
        rising=_linked(inverse[::-1], height, (1, 1))[::-1],
    )


def torn_inside(links: Links, depth_m: FloatMap, noise: float, edges: BoolMap) -> Links:
    """Links of a smoothed surface without those across steps that its detailed depth (H, W) has at the picture's edges.

    A lamp before a curtain is so small that both are one surface when smoothed. edges: (H, W), where the picture has
    one: where there is none, a step is more likely a mistake. noise: see `surface_links`.
    """
    detailed = surface_links(depth_m, noise).changed(lambda linked, one, other: linked | ~(edges[one] & edges[other]))
    return Links(*(smooth & own for smooth, own in zip(links, detailed, strict=True)))


def _linked(inverse: FloatMap, noise_step: float, step: tuple[int, int]) -> BoolMap:
    """Mask of pixels that lie on one surface with the pixel `step` = (rows, columns) further on."""
    dy, dx = step
    height, width = inverse.shape
    first, second = inverse[: height - dy, : width - dx], inverse[dy:, dx:]
    rise = second - first
    with np.errstate(invalid="ignore"):
        nearer = np.maximum(first, second)
        size = np.abs(rise)
        # differences before and after each one, NaN beyond the border
        around = np.pad(rise, ((dy, dy), (dx, dx)), constant_values=np.nan)
        before, after = around[: rise.shape[0], : rise.shape[1]], around[2 * dy :, 2 * dx :]
        slope = np.fmin(np.abs(rise - before), np.abs(rise - after)) <= SLOPE_TOLERANCE * size
        return (size <= np.maximum(DEPTH_STEP * nearer, noise_step)) | (slope & (size <= STEEP_STEP * nearer))


class Quads(NamedTuple):
    """Masks (H−1, W−1) that say which triangles exist in every quad of four neighbouring pixels.

    A quad is cut along one diagonal: acd and adb lie below and above the falling one, acb and bcd above and below the
    rising one. Triangles of both cuts never exist in one quad. The letters are corners: a, b the upper, c, d the lower.
    """

    acd: BoolMap
    adb: BoolMap
    acb: BoolMap
    bcd: BoolMap

    def triangles(self) -> NDArray[np.int32]:
        """Return the triangles (T, 3) int32 as row-major pixel indices, anticlockwise seen from the camera."""
        height, width = (n + 1 for n in self.acd.shape)
        corner = _corners(np.arange(height * width, dtype=np.int32).reshape(height, width))
        standing = self._asdict().items()
        return np.concatenate([np.stack([corner[c][keep] for c in name], axis=1) for name, keep in standing])

    def pixels(self) -> BoolMap:
        """Mask (H, W) of pixels that are a corner of at least one triangle."""
        height, width = self.acd.shape
        used = np.zeros((height + 1, width + 1), bool)
        for name, keep in self._asdict().items():
            for corner in name:
                _corners(used)[corner] |= keep
        return used

    def among(self, pixels: BoolMap) -> Quads:
        """Keep the triangles with all three corners in a mask of pixels (H, W)."""
        return self._where(np.logical_and, pixels)

    def touching(self, pixels: BoolMap) -> Quads:
        """Keep the triangles with at least one corner in a mask of pixels (H, W)."""
        return self._where(np.logical_or, pixels)

    def spanning(self, values: FloatMap, ratio: float) -> Quads:
        """Keep the triangles with a corner of more than `ratio` times another corner's value (H, W); all positive."""
        corner = _corners(values)

        def spans(one: NDArray, other: NDArray, third: NDArray) -> BoolMap:
            least = np.minimum(np.minimum(one, other), third)
            return np.maximum(np.maximum(one, other), third) > np.float32(ratio) * least

        with np.errstate(invalid="ignore"):
            return Quads(*(keep & spans(*(corner[c] for c in name)) for name, keep in self._asdict().items()))

    def _where(self, combined: np.ufunc, pixels: BoolMap) -> Quads:
        corner = _corners(pixels)
        return Quads(*(keep & combined.reduce([corner[c] for c in n]) for n, keep in self._asdict().items()))


def _corners(pixels: NDArray) -> dict[str, NDArray]:
    """Views (H−1, W−1) of the four corners of every quad of pixels (H, W)."""
    return {"a": pixels[:-1, :-1], "b": pixels[:-1, 1:], "c": pixels[1:, :-1], "d": pixels[1:, 1:]}


def grid_quads(depth_m: FloatMap, links: Links) -> Quads:
    """Build the triangles over the pixels of a depth map (H, W), torn where there is no link.

    Every quad of four pixels is cut along the diagonal that keeps more triangles; if both keep the same number, along
    the one with the smaller step in 1/Z. A triangle exists only if all of its three sides are links.
    """
    top, bottom, left, right = links.right[:-1], links.right[1:], links.down[:, :-1], links.down[:, 1:]
    falling = (left & bottom & links.falling, top & right & links.falling)
    rising = (left & top & links.rising, right & bottom & links.rising)

    inverse = inverse_depth(depth_m)
    steep_falling = np.abs(inverse[1:, 1:] - inverse[:-1, :-1])
    steep_rising = np.abs(inverse[:-1, 1:] - inverse[1:, :-1])
    kept_falling, kept_rising = (np.add(*pair, dtype=np.int8) for pair in (falling, rising))
    with np.errstate(invalid="ignore"):
        use_falling = (kept_falling > kept_rising) | ((kept_falling == kept_rising) & (steep_falling < steep_rising))
    return Quads(*(keep & use_falling for keep in falling), *(keep & ~use_falling for keep in rising))
