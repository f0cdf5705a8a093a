"""The visible surface behind a depth map: where it is torn, its triangles, its normals, its smoothed form.

All tests are made in inverse depth w = 1/Z, which is linear in pixel coordinates on every plane and in which stereo
noise is the same near and far.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.geometry import fill_background, inverse_depth_noise
from depthapps.core.scene import Camera, FloatMap, Scene
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

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

# Three narrow passes remove more noise than one wide one and leave edges sharper.
SMOOTHING_PASSES = 3
SMOOTHING_WINDOW_PX = 15
SMOOTHING_SIGMAS = 4.0
NOISE_LEFT = 0.25  # of noise alike over 3 px, behind these passes

NORMAL_TILT = 0.15  # radians that noise may tilt a normal by: 1 % of the light at 8 degrees, unseen
NOISE_GRAIN_PX = 6.0  # over which the noise that is left is alike: the smoothing window's own deviation
AVERAGING_PASSES = 3


# What is less likely right than this is no surface. Over 26 real pairs 2 % of the pixels are, and three in four of
# those are wrong by more than 1 px.
MIN_CONFIDENCE = 0.2

_SIGNATURE = "float32[:,:,::1] uint8[:,::1] float32[:,::1] int64 int64"
_blend_rows = Kernel("depthapps.surface._normal_kernels", "blend_rows", _SIGNATURE)
_blend_columns = Kernel("depthapps.surface._normal_kernels", "blend_columns", _SIGNATURE)


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


def clean_depth(scene: Scene) -> tuple[FloatMap, float]:
    """The depth (H, W) of a scene without its noise, and the deviation of 1/Z that is left, in 1/m.

    The noise is what the scene knows of it or what the map shows, whichever is more. It is taken out by three passes
    of a bilateral filter in 1/Z whose range is the noise itself: depth without noise comes back as it is, and edges
    higher than the noise stay where they are. Points move along their rays only, so silhouettes do not move. Unknown
    and infinite depths stay what they are.
    """
    noise = max(scene.inverse_depth_sigma, inverse_depth_noise(scene.depth_m))
    inverse = inverse_depth(scene.depth_m)
    known = np.isfinite(inverse)
    if noise < 1e-5 * float(np.median(inverse[known])):  # rounding of float32, not noise
        return np.array(scene.depth_m, np.float32), 0.0
    smooth = fill_background(inverse)
    for _ in range(SMOOTHING_PASSES):
        smooth = cv2.bilateralFilter(smooth, SMOOTHING_WINDOW_PX, SMOOTHING_SIGMAS * noise, SMOOTHING_WINDOW_PX / 2.5)
    depth = np.where(known, 1 / np.maximum(smooth, 1e-12), scene.depth_m)
    return depth.astype(np.float32), NOISE_LEFT * noise


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


def inverse_depth(depth_m: FloatMap) -> FloatMap:
    """1/Z (H, W) float32 in 1/m; NaN where the depth is unknown, infinite or not positive."""
    usable = np.isfinite(depth_m) & (depth_m > 0)
    return 1 / np.where(usable, depth_m, np.float32(np.nan))


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


def surface_normals(depth_m: FloatMap, camera: Camera, links: Links, noise: float = 0.0) -> NDArray[np.floating]:
    """Unit normals (H, W, 3) float32 in camera axes, facing the camera; NaN where the depth is not known.

    A plane n·P = c seen at the pixel (u, v) has w = 1/Z = (n/c)·((u−cx)/fx, (v−cy)/fy, 1), so the gradient of w gives
    n. Differences are taken over links only; a pixel with none along an axis counts as facing the camera along it.
    Where `noise`, the deviation of 1/Z in 1/m, would tilt them, the differences are averaged along the surface.
    """
    inverse = inverse_depth(depth_m)
    du, dv = _slope(inverse, links.right, axis=1), _slope(inverse, links.down, axis=0)
    if noise:
        # The noise of a mean slope over s px is about noise · NOISE_GRAIN_PX / s², and tilts the normal by f / w of it.
        reach = np.sqrt(NOISE_GRAIN_PX * camera.fx * noise / (NORMAL_TILT * np.nan_to_num(inverse, nan=1.0)))
        du, dv = np.moveaxis(_average_along(np.stack([du, dv], axis=-1), reach, links), -1, 0)
    return normals_of_slopes(inverse, du, dv, camera)


def normals_of_slopes(inverse: FloatMap, du: FloatMap, dv: FloatMap, camera: Camera) -> NDArray[np.floating]:
    """Unit normals (H, W, 3) float32, facing the camera, of 1/Z (H, W) in 1/m with slopes du, dv in 1/m a pixel."""
    u = np.arange(camera.width, dtype=np.float32) - np.float32(camera.cx)
    v = np.arange(camera.height, dtype=np.float32)[:, None] - np.float32(camera.cy)
    x, y, z = camera.fx * du, camera.fy * dv, inverse - u * du - v * dv
    shrink = -1 / np.sqrt(x * x + y * y + z * z)
    return np.stack([x * shrink, y * shrink, z * shrink], axis=-1).astype(np.float32)


def _average_along(values: NDArray[np.floating], reach_px: FloatMap, links: Links) -> NDArray[np.floating]:
    """(H, W, C) values averaged over about reach_px (H, W), across links only.

    Recursive filters along rows and columns, gated by the links (Gastal and Oliveira 2011, the recursive form).
    """
    averaged = np.array(values, np.float32)
    height, width = reach_px.shape
    right, down = (np.ascontiguousarray(linked).view(np.uint8) for linked in (links.right, links.down))
    for k in range(AVERAGING_PASSES):
        # each pass half as wide as the one before, so that no stripes are left; their variances add up to reach²
        share = np.sqrt(3) * 2 ** (AVERAGING_PASSES - 1 - k) / np.sqrt(4**AVERAGING_PASSES - 1)
        feedback = np.exp(-np.sqrt(2) / np.maximum(share * reach_px, 1e-3)).astype(np.float32)
        for_bands(height, lambda first, end, back=feedback: _blend_rows(averaged, right, back, first, end))
        for_bands(width, lambda first, end, back=feedback: _blend_columns(averaged, down, back, first, end))
    return averaged


def _slope(inverse: FloatMap, linked: BoolMap, axis: int) -> FloatMap:
    """The rise of inverse depth (H, W) at each pixel along an axis; 0 where no neighbour is linked.

    Of the linked rises before and after, the one that goes on beyond (Harten's ENO, 1987): at an edge between two
    faces a pixel keeps the slope of its own face. Where both do, their mean.
    """
    rise = np.where(linked, np.diff(inverse, axis=axis), np.float32(np.nan))
    around = np.pad(rise, [(2, 2) if k == axis else (0, 0) for k in range(2)], constant_values=np.nan)
    count = inverse.shape[axis]
    two_before, before, after, two_after = (np.take(around, range(k, k + count), axis) for k in range(4))
    bend_before, bend_after = np.abs(before - two_before), np.abs(after - two_after)
    mean = np.where(np.isnan(before), after, np.where(np.isnan(after), before, (before + after) / 2))
    mean = np.nan_to_num(mean, copy=False)
    straight = SLOPE_TOLERANCE * np.abs(mean)  # on round things both bend alike, and the mean is nearer
    with np.errstate(invalid="ignore"):
        slope = np.where(bend_before + straight < bend_after, before, mean)
        return np.where(bend_after + straight < bend_before, after, slope)
