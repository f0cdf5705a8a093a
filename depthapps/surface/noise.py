"""Measure the noise of a depth map, and where it is stronger than usual."""

from __future__ import annotations

import cv2
import numpy as np

from depthapps.core.geometry import inverse_depth
from depthapps.core.scene import FloatMap
from depthapps.core.statistics import robust_deviation

_ENOUGH = 200_000  # differences are enough to estimate a deviation
_STEP_PX = 4  # of differences: errors of neighbouring pixels in a stereo map are correlated
# Side of the blocks in which noise is compared with that of the whole map, and the most that it counts for. Plain
# things are matched with two to three times the usual noise: without this, lit anew, they looked dented and torn. Over
# six ray-cast rooms matched from two photos, at most 1, 1.5, 2 and 3 times leave shadows at an IoU of .461, .464, .467
# and .462, 3.4, 3.2, 3.2 and 3.0 % wrongly dark, and normals off by 25 degrees at 8.9, 8.5, 8.4 and 8.4 % of what
# has the right depth.
_BLOCK_PX = 32
_MOST_UNEVEN = 2.0


def inverse_depth_noise(depth_m: FloatMap) -> float:
    """Estimate the standard deviation of the noise in 1/Z of a depth map (H, W), in 1/m; 0 if there are too few pixels.

    On a plane 1/Z is linear in pixel coordinates. Its second differences along rows and columns therefore hold only
    noise, except at edges and on curved surfaces. The median absolute deviation (σ = 1.4826 · MAD) ignores these. Noise
    of deviation σ gives second differences of deviation σ·√6.
    """
    usable = depth_m > 0
    apart = max(1, 2 * int(np.count_nonzero(usable)) // _ENOUGH)  # every n-th row and column is enough
    step = _STEP_PX
    seconds = []
    for values in (depth_m[:, ::apart], depth_m[::apart].T):
        if len(values) > 2 * step:
            inverse = inverse_depth(values, infinite=0)
            seconds.append((inverse[: -2 * step] - 2 * inverse[step:-step] + inverse[2 * step :]).ravel())
    differences = np.concatenate(seconds) if seconds else np.empty(0, np.float32)
    differences = differences[np.isfinite(differences)]
    return robust_deviation(differences) / float(np.sqrt(6)) if differences.size else 0.0


def noise_unevenness(inverse: FloatMap) -> FloatMap:
    """How many times the usual noise of a map of 1/Z (H, W) without NaN each pixel has, (H, W) from 1 to 2.

    It is the median of third differences within a block over that of the whole map. Third differences of round surfaces
    hold little but noise, too.
    """
    height, width = inverse.shape
    if min(height, width) <= 3 * _STEP_PX:
        return np.ones_like(inverse)
    of_block = np.median([_blocks(inverse), _blocks(inverse.T).transpose(2, 3, 0, 1)], axis=(0, 2, 4))
    ratio = cv2.medianBlur((of_block / max(float(np.median(of_block)), 1e-30)).astype(np.float32), 3)
    enlarged = np.asarray(cv2.resize(ratio, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.clip(enlarged, 1, _MOST_UNEVEN)


def _blocks(values: FloatMap) -> FloatMap:
    """Third differences down the columns of a map (H, W), every second one, in blocks: (rows, side, columns, side)."""
    height, width = values.shape
    before, above, below, after = (values[k * _STEP_PX : height - (3 - k) * _STEP_PX] for k in range(4))
    thirds = np.abs(before - 3 * above + 3 * below - after)
    down, across = (-(-side // _BLOCK_PX) for side in (height, width))
    lacking = 3 * _STEP_PX // 2, 3 * _STEP_PX - 3 * _STEP_PX // 2 + down * _BLOCK_PX - height
    whole = np.pad(thirds, (lacking, (0, across * _BLOCK_PX - width)), mode="edge")[::2, ::2]  # enough of them
    side = _BLOCK_PX // 2
    return whole.reshape(down, side, across, side)
