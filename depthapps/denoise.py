"""Depth without its noise: local planes in inverse depth, as large as the surface allows.

In w = 1/Z every plane is linear in pixel coordinates, so a weighted least-squares fit of w = a + b·x + c·y has no
bias on walls and floors, however steep they stand. Its support is grown from pixel to pixel along surfaces and stops
where they are torn; how large it may grow is found from the fits themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.bands import for_bands
from depthapps.geometry import robust_deviation
from depthapps.native import Kernel
from depthapps.scene import FloatMap

# Deviations of the weights around a pixel, in pixels. A finer ladder (steps of 1.2) finds the same depth.
SCALES_PX = (4.0, 6.0, 8.0, 11.0, 16.0, 23.0)
# Two fits are the same surface when they differ by this many deviations of pure noise, and are not from twice that
# on. Over two ray-traced rooms 1.0 to 1.2 give shadows within 0.005 of IoU; 1.5 rounds edges off.
AGREEMENT = 1.1
_STILL_COUNTED = 25.0  # squares of larger differences count as this: one pixel does not speak for its neighbours
_PASSES = 2  # of exponential weights along rows and columns; a third changes nothing

BoolMap = NDArray[np.bool_]
_gather_rows = Kernel(
    "depthapps._denoise_kernels", "gather_rows", "float32[:,:,::1] uint8[:,::1] float64 int64 int64 float32[:,:,::1]"
)


@dataclass(frozen=True, eq=False)
class LocalPlanes:
    """The plane that each pixel lies on: w = 1/Z (H, W) in 1/m and its slopes du, dv (H, W) in 1/m a pixel.

    sigma: (H, W) the deviation of w that is left, in 1/m.
    """

    inverse: FloatMap
    du: FloatMap
    dv: FloatMap
    sigma: FloatMap


def fit_planes(inverse: FloatMap, right: BoolMap, down: BoolMap) -> LocalPlanes:
    """Planes through noisy inverse depth (H, W) without NaN, along links right (H, W-1) and down (H-1, W).

    From fine to coarse, a pixel takes the next larger fit as long as value and slopes agree with the one before
    (the intersection of confidence intervals: Katkovnik 1999; with local planes: Foi 2005). What pure noise makes of
    the difference is the median over the picture, so neither its strength nor its grain has to be known.
    """
    down_columns = np.ascontiguousarray(down.T)
    right = np.ascontiguousarray(right)
    previous = _fit(inverse, right, down_columns, SCALES_PX[0])
    chosen = list(previous)
    share = np.ones(inverse.shape, np.float32)
    sigma = share
    for step, scale_px in enumerate(SCALES_PX[1:]):
        larger = _fit(inverse, right, down_columns, scale_px)
        surprise = np.zeros(inverse.shape, np.float32)
        deviations = []
        for k in range(3):
            difference = larger[k] - previous[k]
            deviations.append(max(robust_deviation(difference), 1e-30))
            surprise += np.minimum((difference / deviations[k]) ** 2, _STILL_COUNTED) / 3
        # a surface differs over as much as the support reaches, noise does not
        distance = np.sqrt(cv2.GaussianBlur(surprise, (0, 0), scale_px))
        share = np.minimum(share, np.clip(2 - distance / AGREEMENT, 0, 1))
        if step == 0:
            sigma = np.full(inverse.shape, deviations[0], np.float32)
        sigma = sigma + share * (np.float32(deviations[0]) - sigma)
        chosen = [c + share * (n - c) for c, n in zip(chosen, larger, strict=True)]
        previous = larger
    value, du, dv = chosen
    return LocalPlanes(value, du, dv, sigma)


def _fit(inverse: FloatMap, right: BoolMap, down_columns: BoolMap, scale_px: float) -> tuple[FloatMap, ...]:
    """The plane at every pixel with weights of deviation scale_px along links: value and slopes, three (H, W).

    Moments up to second order are summed by recursive filters, so the cost does not depend on the scale.
    """
    height, width = inverse.shape
    x = (np.arange(width, dtype=np.float32) / width - 0.5)[None, :]
    y = ((np.arange(height, dtype=np.float32) - height / 2) / width)[:, None]
    middle = np.float32(np.mean(inverse))
    w = inverse - middle
    moments = np.empty((height, width, 9), np.float32)
    for k, moment in enumerate((1, x, y, x * x, x * y, y * y, w, w * x, w * y)):
        moments[..., k] = moment
    # the feedback k of two-sided exponential weights of variance v = 2k / (1 - k)²
    variance = scale_px**2 / _PASSES
    feedback = 1 + 1 / variance - np.sqrt((1 + 1 / variance) ** 2 - 1)
    for _ in range(_PASSES):
        for gates in (right, down_columns):
            moments = _gathered(moments, gates, float(feedback))
    total = moments[..., 0].astype(np.float64)
    mx, my, mxx, mxy, myy, mw, mwx, mwy = (moments[..., k] / total for k in range(1, 9))
    pixel = (0.3 / width) ** 2  # of a pixel's own extent: one alone has a value and no slope
    cxx, cxy, cyy = mxx - mx * mx + pixel, mxy - mx * my, myy - my * my + pixel
    cwx, cwy = mwx - mw * mx, mwy - mw * my
    determinant = cxx * cyy - cxy * cxy
    du, dv = (cwx * cyy - cwy * cxy) / determinant, (cwy * cxx - cwx * cxy) / determinant
    value = middle + mw + du * (x - mx) + dv * (y - my)
    return value.astype(np.float32), (du / width).astype(np.float32), (dv / width).astype(np.float32)


def _gathered(moments: NDArray[np.floating], gates: BoolMap, feedback: float) -> NDArray[np.floating]:
    """Moments (H, W, 9), which are used up, gathered along rows; comes back as (W, H, 9), for the columns' turn."""
    height, width, count = moments.shape
    turned = np.empty((width, height, count), np.float32)
    passing = gates.view(np.uint8)
    for_bands(height, lambda first, end: _gather_rows(moments, passing, feedback, first, end, turned), 8)
    return turned
