"""Fit a weighted plane to inverse depth around every pixel, without crossing the surface's tears.

In w = 1/Z every plane is linear in pixel coordinates, so a weighted least-squares fit of w = a + b·x + c·y has no
bias on walls and floors, however steep they are. x and y are pixels from the middle of the picture, divided by its
width.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

BoolMap = NDArray[np.bool_]
Values = NDArray[np.floating]

_PASSES = 2  # of exponential weights along rows and columns; a third pass changes nothing
# Standard deviation in px of a pixel's own extent. A fit to a single pixel gets a slope of 0, and no division by 0.
_PIXEL = 0.3

# Rows that are summed side by side: what they read and write stays in the cache. With 4, 8, 16 and 32, one thread takes
# 25, 19, 25 and 39 ns for a pixel of two megapixels.
_BAND_ROWS = 8

_gather_rows = Kernel(
    "depthapps.surface.denoise._kernels",
    "gather_rows",
    "float32[:,:,::1] uint8[:,::1] float64 int64 int64 float32[:,:,::1]",
)


def coordinates(shape: tuple[int, int]) -> tuple[FloatMap, FloatMap]:
    """Return x (1, W) and y (H, 1) of a picture's pixels, measured from its middle in units of its width."""
    height, width = shape
    x = np.arange(width, dtype=np.float32) / width - 0.5
    return x[None, :], ((np.arange(height, dtype=np.float32) - height / 2) / width)[:, None]


def local_moments(w: FloatMap, right: BoolMap, down: BoolMap, scale_px: float) -> Values:
    """Sum the moments 1, x, y, x², xy, y², w, wx, wy around each pixel along links, (H, W, 9) float32.

    scale_px: standard deviation of the weights. The cost does not depend on it, because the filters are recursive.
    """
    x, all_y = coordinates((w.shape[0], w.shape[1]))
    moments = np.empty((*w.shape, 9), np.float32)

    def band(first: int, end: int) -> None:
        y, values = all_y[first:end], w[first:end]
        for k, moment in enumerate((1, x, y, x * x, x * y, y * y, values, values * x, values * y)):
            moments[first:end, :, k] = moment

    for_bands(len(w), band)
    return gathered(moments, right, down, scale_px)


def gathered(values: Values, right: BoolMap, down: BoolMap, scale_px: float) -> Values:
    """Sum values (H, W, 9) float32 along links with weights of standard deviation scale_px; `values` is overwritten."""
    assert values.shape[2] == 9
    # Two-sided exponential weights with feedback k have the variance v = 2k / (1 - k)²; solved for k.
    variance = scale_px**2 / _PASSES
    feedback = float(1 + 1 / variance - np.sqrt((1 + 1 / variance) ** 2 - 1))
    along = np.ascontiguousarray(right).view(np.uint8), np.ascontiguousarray(down.T).view(np.uint8)
    turned = np.empty((values.shape[1], values.shape[0], values.shape[2]), np.float32)
    for _ in range(_PASSES):
        for gates in along:
            _gather(values, gates, feedback, turned)
            values, turned = turned, values
    return values


def solve(moments: Values, width: int) -> tuple[Values, Values, Values]:
    """Solve moments (..., 9 or more) for the least-squares planes a, b, c, each (...); width: of the picture, in px."""
    total = moments[..., 0].astype(np.float64)
    mx, my, mxx, mxy, myy, mw, mwx, mwy = (moments[..., k] / total for k in range(1, 9))
    pixel = (_PIXEL / width) ** 2
    cxx, cxy, cyy = mxx - mx * mx + pixel, mxy - mx * my, myy - my * my + pixel
    cwx, cwy = mwx - mw * mx, mwy - mw * my
    determinant = cxx * cyy - cxy * cxy
    b, c = (cwx * cyy - cwy * cxy) / determinant, (cwy * cxx - cwx * cxy) / determinant
    return mw - b * mx - c * my, b, c


def fit(inverse: FloatMap, right: BoolMap, down: BoolMap, scale_px: float) -> tuple[FloatMap, FloatMap, FloatMap]:
    """Fit a plane at every pixel (H, W) along links; return its value and its slopes to the right and down, per pixel.

    scale_px: standard deviation of the weights.
    """
    middle = np.float32(np.mean(inverse))
    moments = local_moments(inverse - middle, right, down, scale_px)
    value, du, dv = np.empty_like(inverse), np.empty_like(inverse), np.empty_like(inverse)

    def band(first: int, end: int) -> None:
        a, b, c = solve(moments[first:end], inverse.shape[1])
        n = slice(first, end)
        value[n], du[n], dv[n] = evaluate(a + middle, b, c, inverse.shape[0], first)

    for_bands(len(inverse), band)
    return value, du, dv


def evaluate(a: Values, b: Values, c: Values, height: int, first: int = 0) -> tuple[FloatMap, FloatMap, FloatMap]:
    """Evaluate planes (N, W) at their own pixels: values, and slopes to the right and down per pixel, (N, W) float32.

    The planes belong to the rows from `first` on, in a picture `height` px high.
    """
    rows, width = a.shape
    x, y = coordinates((height, width))
    value = a + b * x + c * y[first : first + rows]
    return value.astype(np.float32), (b / width).astype(np.float32), (c / width).astype(np.float32)


def _gather(values: Values, gates: NDArray[np.uint8], feedback: float, turned: Values) -> None:
    """Sum values (H, W, 9) along rows into `turned` (W, H, 9), ready for the columns; `values` is overwritten."""
    for_bands(len(values), lambda first, end: _gather_rows(values, gates, feedback, first, end, turned), _BAND_ROWS)
