"""Continue surfaces as planes into pixels where their depth is not known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands
from depthapps.surface.denoise.fits import fit
from depthapps.surface.scene_planes import NO_PLANES, LargePlanes
from depthapps.surface.tearing import BoolMap, Links

# Standard deviation in px of the weights of the pixels that tell a surface's slope. It decides how far a slope can be
# trusted: over 8 px, noise of a hundredth tilts a plane by less than a tenth of that a pixel.
SLOPE_SCALE_PX = 8.0
PASSES = 2  # sweeps to and fro; ways round two corners are enough for the holes of a picture

_CONTINUE = Kernel(
    "depthapps.surface._continue_kernels",
    "continue_planes",
    "float32[:,:,::1] float32[:,::1] float32[:,::1] float32[:,::1] int64 int32[:,::1] float32[:,::1]",
)
_EVALUATE = Kernel(
    "depthapps.surface._continue_kernels",
    "evaluate_planes",
    "float32[:,:,::1] float32[:,::1] int32[:,::1] float32[:,::1] float64 int64 int64 float32[:,::1]",
)


class Continued(NamedTuple):
    """What was continued, maps (H, W).

    inverse: 1/Z in 1/m of the known pixels and of those that a plane was continued to; NaN elsewhere. source: int32,
    the row-major number of the pixel whose plane it is, -1 where there is none. cost: float32, that of the way to it.
    """

    inverse: FloatMap
    source: NDArray[np.int32]
    cost: FloatMap


def slopes(inverse: FloatMap, links: Links, planes: LargePlanes = NO_PLANES) -> NDArray[np.floating]:
    """The plane (H, W, 3) float32 of each pixel: its own 1/Z, and the slopes of the surface around it, per pixel.

    inverse: (H, W); NaN, which no link may reach, has the plane 0. planes: where a pixel lies on one of these, that has
    the better slopes.
    """
    _, du, dv = fit(np.nan_to_num(inverse), links.right, links.down, SLOPE_SCALE_PX)
    tilted, on = planes.laid(inverse)
    tilted[~on, 1], tilted[~on, 2] = du[~on], dv[~on]
    return tilted


def continue_surface(
    planes: NDArray[np.floating],
    known: BoolMap,
    reach: FloatMap,
    limit: FloatMap,
    toll: FloatMap,
    *,
    passes: int = PASSES,
    before: Continued | None = None,
    own: FloatMap | None = None,
) -> Continued:
    """Continue the planes (H, W, 3) of `known` pixels: every other one takes that with the cheapest way to it.

    reach: (H, W), the largest cost of a way from each known pixel. limit: (H, W), the largest 1/Z that may be put at a
    pixel, 0 where nothing is wanted. toll: (H, W), the cost of a step of 1 px onto a pixel. A way goes only over pixels
    that take the plane, so a surface is never continued through one that it does not lie behind. passes: sweeps to and
    fro. before: what was continued already, to go on from, now with more pixels that are known. own: (H, W), the 1/Z of
    known pixels where it is not that of their planes: what is continued begins there and runs onto the plane.
    """
    height, width = known.shape
    numbers = np.arange(height * width, dtype=np.int32).reshape(height, width)
    source = np.where(known, numbers, np.int32(-1) if before is None else before.source)
    cost = np.where(known, np.float32(0), np.float32(np.inf) if before is None else before.cost)
    planes, reach, limit, toll = (np.ascontiguousarray(m, np.float32) for m in (planes, reach, limit, toll))
    _CONTINUE(planes, reach, limit, toll, passes, source, cost)
    inverse = np.empty(known.shape, np.float32)
    begun = np.empty((0, width), np.float32) if own is None else np.ascontiguousarray(own, np.float32)
    for_bands(height, lambda first, end: _EVALUATE(planes, begun, source, cost, SLOPE_SCALE_PX, first, end, inverse))
    return Continued(inverse, source, cost)
