"""Compiled loops for occlusion at depth edges, and for separating the light of both sides in edge pixels."""

import numpy as np
from numpy.typing import NDArray

from depthapps.runtime.inlining import inlined

_REACH = 2  # px from an edge pixel, as far as its two sides are looked at
_NEAR, _FAR, _SQUARE = 0, 1, 2  # rows of the scratch buffer of `split_rows`


def run_rows(
    coc: NDArray[np.floating],
    first_row: int,
    end_row: int,
    step_px: float,
    level: NDArray[np.floating],
    run_end: NDArray[np.integer],
) -> None:
    """Divide rows first_row..end_row into runs of pixels whose CoC differs by at most step_px.

    level: (H, W) px, the middle of each run's CoC range. run_end: (H, W), the last column of each run.
    """
    width = coc.shape[1]
    for y in range(first_row, end_row):
        start = 0
        low = high = coc[y, 0]
        for x in range(1, width + 1):
            if x < width and max(high, coc[y, x]) - min(low, coc[y, x]) <= step_px:
                low, high = min(low, coc[y, x]), max(high, coc[y, x])
                continue
            for k in range(start, x):
                level[y, k] = np.float32(0.5) * (low + high)
                run_end[y, k] = x - 1
            if x < width:
                start = x
                low = high = coc[y, x]


def cone_rows(coc: NDArray[np.floating], out: NDArray[np.floating]) -> None:
    """Maximum over all pixels q' of CoC(q') − max(|dx|, |dy|), (H, W) px; where it exceeds CoC(q), q may be occluded.

    dx, dy: distance from q to q' in px.
    """
    height, width = coc.shape
    for turn in range(2):  # two passes, forward and backward, as in a chamfer distance transform
        for row in range(height):
            y = row if turn == 0 else height - 1 - row
            back = -1 if turn == 0 else 1
            for column in range(width):
                x = column if turn == 0 else width - 1 - column
                best = coc[y, x] if turn == 0 else out[y, x]
                if 0 <= x + back < width:
                    best = max(best, out[y, x + back] - 1)
                if 0 <= y + back < height:
                    for nx in range(max(0, x - 1), min(width, x + 2)):
                        best = max(best, out[y + back, nx] - 1)
                out[y, x] = best


@inlined
def _nearest_around(coc, y, x):
    """Largest CoC in the 3 x 3 pixels around (x, y)."""
    height, width = coc.shape
    nearest = coc[y, x]
    for qy in range(max(0, y - 1), min(height, y + 2)):
        for qx in range(max(0, x - 1), min(width, x + 2)):
            nearest = max(nearest, coc[qy, qx])
    return nearest


@inlined
def _sum_sides(color, coc, y, x, middle, work):
    """Sum the colours around an edge pixel (x, y) on both sides of the edge, whose CoC are above and below `middle`.

    Returns the sums of weights on the near side and on the far side. work: (3, 3), receives the weighted sums of the
    near side's colours, the far side's colours, and their squares.
    """
    height, width = coc.shape
    for k in range(3):
        work[_NEAR, k] = work[_FAR, k] = work[_SQUARE, k] = 0
    near_sum = far_sum = 0.0
    for qy in range(max(0, y - _REACH), min(height, y + _REACH + 1)):
        for qx in range(max(0, x - _REACH), min(width, x + _REACH + 1)):
            before = coc[qy, qx] > middle
            others = 0
            for ry in range(max(0, qy - 1), min(height, qy + 2)):
                for rx in range(max(0, qx - 1), min(width, qx + 2)):
                    others += (coc[ry, rx] > middle) != before
            # mixed pixels decide only if there are no pure ones
            trust = 1.0 if others == 0 else 1e-3 / others**2
            if before:
                near_sum += trust
                for k in range(3):
                    work[_NEAR, k] += trust * color[qy, qx, k]
            elif qy != y or qx != x:
                sum_ = color[qy, qx, 0] + color[qy, qx, 1] + color[qy, qx, 2]
                trust /= 1 + sum_ * sum_  # a lamp close by must not stand for the background
                far_sum += trust
                for k in range(3):
                    work[_FAR, k] += trust * color[qy, qx, k]
                    work[_SQUARE, k] += trust * color[qy, qx, k] ** 2
    return near_sum, far_sum


def split_rows(
    color: NDArray[np.floating],
    coc: NDArray[np.floating],
    first_row: int,
    end_row: int,
    step_px: float,
    near_color: NDArray[np.floating],
    near_coc: NDArray[np.floating],
    near_share: NDArray[np.floating],
    far_color: NDArray[np.floating],
    work: NDArray[np.floating],
) -> None:
    """Separate, in rows first_row..end_row, foreground light from pixels just behind a depth edge (alpha matting).

    An edge pixel is share·F + (1 − share)·B. F is the mean of the near side's inner pixels around it, B that of the far
    side's; share is the pixel's projection between the two colours. If the texture of the far side can explain the
    pixel as well, it stays background: the share is reduced by the pixel's squared distance from B relative to ten
    times the variance of B (factors of 3 to 30 measure alike).

    near_color, far_color: (H, W, 3) linear. near_coc: (H, W) px. near_share: (H, W) in 0..1. Only pixels on edges are
    written. work: (3, 3) scratch buffer for sums.
    """
    width = coc.shape[1]
    for y in range(first_row, end_row):
        for x in range(width):
            c = coc[y, x]
            nearest = _nearest_around(coc, y, x)
            if nearest - c <= step_px:
                continue
            near_sum, far_sum = _sum_sides(color, coc, y, x, 0.5 * (nearest + c), work)
            if near_sum == 0 or far_sum == 0:
                continue
            along = contrast = own = variance = 0.0
            for k in range(3):
                work[_NEAR, k] /= near_sum
                work[_FAR, k] /= far_sum
                along += (color[y, x, k] - work[_FAR, k]) * (work[_NEAR, k] - work[_FAR, k])
                contrast += (work[_NEAR, k] - work[_FAR, k]) ** 2
                own += (color[y, x, k] - work[_FAR, k]) ** 2
                variance += max(work[_SQUARE, k] / far_sum - work[_FAR, k] ** 2, 0.0)
            if contrast < 1e-6:
                continue
            sure = own / (own + 10 * variance + 1e-9)
            share = min(max(along / contrast, 0.0), 1.0) * sure
            if share < 0.002:
                continue
            near_share[y, x], near_coc[y, x] = share, nearest
            for k in range(3):
                behind = work[_FAR, k] * sure + (1 - sure) * color[y, x, k]
                near_color[y, x, k] = max(color[y, x, k] - (1 - share) * behind, 0.0) / share
                far_color[y, x, k] = behind
