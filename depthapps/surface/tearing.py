"""The visible surface behind a depth map: where it is torn, and the triangles that stand between the tears.

All tests are made in inverse depth w = 1/Z, which is linear in pixel coordinates on every plane and in which stereo
noise is the same near and far.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthapps.core.geometry import inverse_depth
from depthapps.core.scene import FloatMap, Scene

BoolMap = NDArray[np.bool_]

# Two neighbours whose depths differ by more than this share lie on two surfaces. Over three ray-traced
# rooms of 0.5 Mpx a cut at 1, 2, 4 and 6 % left 0.02, 0.01, 0.12 and 0.58 % of the mesh's area off the true surface,
# and kept 99.98, 99.99, 99.99 and 100 % of the picture.
DEPTH_STEP = 0.02
# ... unless the step goes on as a slope: floors near the horizon and grazed walls. Steeper than this is never kept,
# for a depth edge blurred over three pixels looks the same.
STEEP_STEP = 0.15
SLOPE_TOLERANCE = 0.2  # by how much of itself a slope may change from pixel to pixel
NOISE_SIGMAS = 4.0  # steps that noise of this many sigma explains are no edges
STEP_SIGMAS = NOISE_SIGMAS * 2**0.5  # ... which is this many of a single pixel's

# What is less likely right than this is no surface. Over 26 real pairs 2 % of the pixels are, and three in four of
# those are wrong by more than 1 px.
MIN_CONFIDENCE = 0.2


def trusted(scene: Scene) -> BoolMap:
    """Where the depth (H, W) is at least as likely right as MIN_CONFIDENCE; everywhere if its source does not tell."""
    if scene.confidence is None:
        return np.ones(scene.depth_m.shape, bool)
    return scene.confidence >= MIN_CONFIDENCE


class Links(NamedTuple):
    """Which neighbouring pixels lie on one surface: right (H, W−1), down (H−1, W), and both diagonals (H−1, W−1)."""

    right: BoolMap
    down: BoolMap
    falling: BoolMap  # top left to bottom right
    rising: BoolMap  # bottom left to top right


def surface_links(depth_m: FloatMap, noise: float = 0.0) -> Links:
    """Links of a depth map (H, W) in metres whose 1/Z deviates by `noise`; unknown and infinite pixels have none."""
    inverse = inverse_depth(depth_m)
    height = STEP_SIGMAS * noise
    return Links(
        right=_linked(inverse, height, (0, 1)),
        down=_linked(inverse, height, (1, 0)),
        falling=_linked(inverse, height, (1, 1)),
        rising=_linked(inverse[::-1], height, (1, 1))[::-1],
    )


def _linked(inverse: FloatMap, noise_step: float, step: tuple[int, int]) -> BoolMap:
    """Whether each pixel and the one `step` = (rows, columns) further on lie on one surface."""
    dy, dx = step
    height, width = inverse.shape
    first, second = inverse[: height - dy, : width - dx], inverse[dy:, dx:]
    rise = second - first
    with np.errstate(invalid="ignore"):
        nearer = np.maximum(first, second)
        size = np.abs(rise)
        # the rises before and after this one, NaN beyond the border
        around = np.pad(rise, ((dy, dy), (dx, dx)), constant_values=np.nan)
        before, after = around[: rise.shape[0], : rise.shape[1]], around[2 * dy :, 2 * dx :]
        slope = np.fmin(np.abs(rise - before), np.abs(rise - after)) <= SLOPE_TOLERANCE * size
        return (size <= np.maximum(DEPTH_STEP * nearer, noise_step)) | (slope & (size <= STEEP_STEP * nearer))


class Quads(NamedTuple):
    """Which triangles stand in every quad of four pixels, each (H−1, W−1): two below and above the falling diagonal,
    or two above and below the rising one, never of both. a, b: its upper corners; c, d: its lower ones."""

    acd: BoolMap
    adb: BoolMap
    acb: BoolMap
    bcd: BoolMap

    def triangles(self) -> NDArray[np.int32]:
        """(T, 3) int32 over the row-major pixels, anticlockwise seen from the camera."""
        height, width = (n + 1 for n in self.acd.shape)
        corner = _corners(np.arange(height * width, dtype=np.int32).reshape(height, width))
        standing = self._asdict().items()
        return np.concatenate([np.stack([corner[c][keep] for c in name], axis=1) for name, keep in standing])

    def pixels(self) -> BoolMap:
        """Whether each pixel (H, W) is a corner of a triangle."""
        height, width = self.acd.shape
        used = np.zeros((height + 1, width + 1), bool)
        for name, keep in self._asdict().items():
            for corner in name:
                _corners(used)[corner] |= keep
        return used

    def among(self, pixels: BoolMap) -> Quads:
        """Those triangles whose corners are all among some pixels (H, W)."""
        return self._where(np.logical_and, pixels)

    def touching(self, pixels: BoolMap) -> Quads:
        """Those triangles one of whose corners is among some pixels (H, W)."""
        return self._where(np.logical_or, pixels)

    def _where(self, combined: np.ufunc, pixels: BoolMap) -> Quads:
        corner = _corners(pixels)
        return Quads(*(keep & combined.reduce([corner[c] for c in n]) for n, keep in self._asdict().items()))


def _corners(pixels: NDArray) -> dict[str, NDArray]:
    """The four corners (H−1, W−1) of every quad of pixels (H, W), as views."""
    return {"a": pixels[:-1, :-1], "b": pixels[:-1, 1:], "c": pixels[1:, :-1], "d": pixels[1:, 1:]}


def grid_quads(depth_m: FloatMap, links: Links) -> Quads:
    """The triangles over the pixels of a depth map (H, W), torn where its links are.

    Every quad of four pixels gives two triangles along the diagonal that keeps more of it, the flatter one if both
    do; a triangle stands only where all its three sides are links.
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


def grid_triangles(depth_m: FloatMap, links: Links) -> NDArray[np.int32]:
    """The triangles (T, 3) int32 of `grid_quads`."""
    return grid_quads(depth_m, links).triangles()
