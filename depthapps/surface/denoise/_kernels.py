"""Compiled loops that sum weights along the surface and grow the faces."""

import numpy as np
from numpy.typing import NDArray

from depthapps.runtime.inlining import within


def gather_rows(
    values: NDArray[np.floating],
    gates: NDArray[np.uint8],
    feedback: float,
    first: int,
    end: int,
    turned: NDArray[np.floating],
) -> None:
    """Sum rows first..end of values (H, W, 9) with weights feedback^distance; each row becomes a column of `turned`.

    values is overwritten. gates: (H, W-1), 0 where the sum must not cross between two pixels. turned: (W, H, 9).
    """
    # Numba takes a negative index for a place counted from the end, and asks at each pixel, except if it has no sign.
    width, one, share = np.uint64(values.shape[1]), np.uint64(1), np.float32(feedback)
    for y in range(np.uint64(first), np.uint64(end)):
        _put(_sum(values[y, 0], values[y, 0], np.float32(0)), turned[0, y])
    for x in range(one, width):
        for y in range(np.uint64(first), np.uint64(end)):
            pass_on = share if gates[y, x - one] else np.float32(0)
            _put(_sum(values[y, x], turned[x - one, y], pass_on), turned[x, y])
    # the sum from the right is carried in `values`, which is overwritten on the way
    for steps in range(one, width):
        x = width - one - steps
        for y in range(np.uint64(first), np.uint64(end)):
            pass_on, after = share if gates[y, x] else np.float32(0), values[y, x + one]
            _put(_sum(turned[x, y], after, pass_on), turned[x, y])
            _put(_sum(values[y, x], after, pass_on), values[y, x])


@within
def _sum(own, other, share):
    """Nine numbers and a share of nine others. They are written out, so that LLVM makes vectors of them."""
    return (
        own[0] + share * other[0], own[1] + share * other[1], own[2] + share * other[2],
        own[3] + share * other[3], own[4] + share * other[4], own[5] + share * other[5],
        own[6] + share * other[6], own[7] + share * other[7], own[8] + share * other[8],
    )  # fmt: skip


@within
def _put(nine, into):
    into[0], into[1], into[2], into[3], into[4], into[5], into[6], into[7], into[8] = nine


def join_linked(right: NDArray[np.uint8], down: NDArray[np.uint8], block: int, label: NDArray[np.int32]) -> None:
    """Set each label to the smallest pixel number among the pixels that are linked to it within one block (union-find).

    label: (H, W), on entry each pixel's own number. block: side of the square blocks in pixels.
    """
    height, width = label.shape
    for y in range(height):
        for x in range(width):
            for k in range(2):
                if k == 0:
                    passed = x + 1 < width and right[y, x] and (x + 1) // block == x // block
                    other = y * width + x + 1
                else:
                    passed = y + 1 < height and down[y, x] and (y + 1) // block == y // block
                    other = (y + 1) * width + x
                if not passed:
                    continue
                a = y * width + x
                while label[a // width, a % width] != a:
                    a = label[a // width, a % width]
                while label[other // width, other % width] != other:
                    other = label[other // width, other % width]
                label[max(a, other) // width, max(a, other) % width] = min(a, other)
                label[y, x] = min(a, other)  # path compression: keeps the chains short
    for y in range(height):
        for x in range(width):
            a = label[y, x]
            label[y, x] = label[a // width, a % width]


def sum_moments(label: NDArray[np.int32], w: NDArray[np.floating], moments: NDArray[np.floating]) -> None:
    """Add 1, x, y, x², xy, y², w, wx, wy, w² of each pixel to the moments (N, 10) of its label.

    x, y: distance from the middle of the picture in units of its width.
    """
    height, width = label.shape
    for j in range(height):
        y = (j - height / 2) / width
        for i in range(width):
            x, v, n = i / width - 0.5, w[j, i] + 0.0, label[j, i]
            moments[n, 0] += 1
            moments[n, 1] += x
            moments[n, 2] += y
            moments[n, 3] += x * x
            moments[n, 4] += x * y
            moments[n, 5] += y * y
            moments[n, 6] += v
            moments[n, 7] += v * x
            moments[n, 8] += v * y
            moments[n, 9] += v * v


@within
def _misfit(moments, a, b, c):
    """Squared error of the plane a + b·x + c·y over a neighbourhood (9 moments), less the part common to all planes."""
    return (
        a * (a * moments[0] + 2 * (b * moments[1] + c * moments[2] - moments[6]))
        + b * (b * moments[3] + 2 * (c * moments[4] - moments[7]))
        + c * (c * moments[5] - 2 * moments[8])
    )


def relabel(
    label: NDArray[np.int32],
    piece: NDArray[np.int32],
    moments: NDArray[np.floating],
    planes: NDArray[np.floating],
    reach: int,
    first: int,
    end: int,
    better: NDArray[np.int32],
) -> None:
    """Set rows first..end of `better` (H, W) to the best fitting label: the pixel's own or one `reach` pixels away.

    piece: (H, W), connected components; labels of another component are ignored. moments: (H, W, 9), weighted sums
    around each pixel. planes: (N, 3), the plane a, b, c of each label.
    """
    height, width = label.shape
    for y in range(first, end):
        for x in range(width):
            own = best = label[y, x]
            cost = _misfit(moments[y, x], planes[own, 0], planes[own, 1], planes[own, 2])
            for k in range(4):
                j, i = (
                    y + (reach if k == 0 else -reach if k == 1 else 0),
                    x + (reach if k == 2 else -reach if k == 3 else 0),
                )
                if not (0 <= j < height and 0 <= i < width) or piece[j, i] != piece[y, x]:
                    continue
                n = label[j, i]
                if n != own and n != best:
                    other = _misfit(moments[y, x], planes[n, 0], planes[n, 1], planes[n, 2])
                    if other < cost:
                        cost, best = other, n
            better[y, x] = best
