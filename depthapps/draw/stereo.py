"""Put two views into one picture, as stereo viewers of all kinds take them: side by side, anaglyph, interlaced."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.choices import StereoStyle
from depthapps.core.color import srgb_decode, srgb_encode, to_8bit
from depthapps.core.scene import Image

# The colours that look most like both views behind red-cyan and green-magenta glasses: rows give R, G and B of the
# anaglyph, columns take R, G and B of the left view, then of the right one. From E. Dubois, "A projection method to
# generate anaglyph stereo images" (2001), as ffmpeg's filter stereo3d has the numbers.
_RED_CYAN = np.array([
    [0.456, 0.500, 0.176, -0.043, -0.088, -0.002],
    [-0.040, -0.038, -0.016, 0.378, 0.734, -0.018],
    [-0.015, -0.021, -0.005, -0.072, -0.113, 1.226],
])  # fmt: skip
_GREEN_MAGENTA = np.array([
    [-0.062, -0.158, -0.039, 0.529, 0.705, 0.024],
    [0.284, 0.668, 0.143, -0.016, -0.015, -0.065],
    [-0.015, -0.027, 0.021, 0.009, 0.075, 0.937],
])  # fmt: skip
# "Optimised": red is made of green and blue, so that red things do not flicker between the eyes (P. Wimmer).
_OPTIMIZED = np.array([[0, 0.7, 0.3, 0, 0, 0], [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1]])
_FEW = 0.01  # of a line: what is black in a photo itself
_LEAST_LEFT = 1 / 3  # of the picture; of photos that were straightened strongly, 0.46 is left
_LUMA = [0.2126, 0.7152, 0.0722]  # of linear light (ITU-R BT.709)
_GREY = np.array([_LUMA + [0] * 3, [0] * 3 + _LUMA, [0] * 3 + _LUMA])
_MATRICES = {
    StereoStyle.ANAGLYPH: _RED_CYAN,
    StereoStyle.ANAGLYPH_OPTIMIZED: _OPTIMIZED,
    StereoStyle.ANAGLYPH_GREY: _GREY,
    StereoStyle.GREEN_MAGENTA: _GREEN_MAGENTA,
}


def draw_stereo(left: Image, right: Image, style: StereoStyle) -> NDArray[np.uint8]:
    """Put two views of one size into one picture.

    Parameters
    ----------
    left, right : (H, W, 3) array
        RGB, see `Image`.
    style : StereoStyle
        One of those that two views are enough for.

    Returns
    -------
    (h, w, 3) uint8 array
        RGB. Halved styles have the size of one view, and so do anaglyphs and interlaced pictures.
    """
    first, second = to_8bit(left), to_8bit(right)
    match style:
        case StereoStyle.SIDE_BY_SIDE:
            return np.hstack([first, second])
        case StereoStyle.HALF_SIDE_BY_SIDE:
            return np.hstack([_halved(first, across=True), _halved(second, across=True)])
        case StereoStyle.TOP_BOTTOM:
            return np.vstack([first, second])
        case StereoStyle.HALF_TOP_BOTTOM:
            return np.vstack([_halved(first, across=False), _halved(second, across=False)])
        case StereoStyle.CROSS_EYED:
            return np.hstack([second, first])
        case StereoStyle.INTERLACED:
            rows = np.arange(first.shape[0])[:, None, None]
            return np.where(rows % 2 == 0, first, second)
        case _:
            return _anaglyph(first, second, _MATRICES[style])


def _halved(view: NDArray[np.uint8], *, across: bool) -> NDArray[np.uint8]:
    height, width = view.shape[:2]
    size = (width // 2, height) if across else (width, height // 2)
    return np.asarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA), np.uint8)


def _anaglyph(left: NDArray[np.uint8], right: NDArray[np.uint8], matrix: NDArray) -> NDArray[np.uint8]:
    """Mix two views (H, W, 3) in linear light by a matrix (3, 6)."""
    decoded = srgb_decode(np.arange(256) / 255)
    both = np.dstack([decoded[left], decoded[right]])
    mixed = both @ matrix.T.astype(np.float32)
    return np.rint(srgb_encode(mixed) * 255).astype(np.uint8)


def common_box(left: Image, right: Image) -> tuple[slice, slice]:
    """The rows and columns in which two rectified views both show something: turned photos have black corners.

    Lines are taken off the side that has most black, until no side has more than a few black pixels. Where less than a
    third of the picture would be left, that is no corner but a black backdrop, and nothing is taken off.
    """
    empty = np.logical_not(left.any(axis=2) & right.any(axis=2))
    height, width = left.shape[:2]
    sums = np.pad(empty.cumsum(axis=0, dtype=np.int64).cumsum(axis=1), ((1, 0), (1, 0)))
    top, bottom, first, last = 0, height, 0, width

    def share(y0: int, y1: int, x0: int, x1: int) -> float:
        black = sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0]
        return float(black) / max((y1 - y0) * (x1 - x0), 1)

    while bottom - top > 2 and last - first > 2:
        sides = (
            share(top, top + 1, first, last), share(bottom - 1, bottom, first, last),
            share(top, bottom, first, first + 1), share(top, bottom, last - 1, last),
        )  # fmt: skip
        worst = int(np.argmax(sides))
        if sides[worst] <= _FEW:
            break
        top, bottom = top + (worst == 0), bottom - (worst == 1)
        first, last = first + (worst == 2), last - (worst == 3)
    if (bottom - top) * (last - first) < _LEAST_LEFT * empty.size:
        return slice(0, height), slice(0, width)
    return slice(top, bottom), slice(first, last)
