"""Pack pictures, maps and numbers as text that a page holds: data URLs and base64."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import OutputError
from depthapps.core.scene import FloatMap

_PHOTO_QUALITY = 98
GUESSED = 5e-4  # largest relative error of depth that is a guess: half of what a page promises
STEPS = (
    (1e-4, ((98, 92),)),
    (GUESSED, ((98, 92), (98, 84), (96, 80), (93, 75), (90, 70), (84, 60), (75, 50), (60, 40))),
)
"""Largest relative errors of the depth that is seen, each with JPEG qualities of the photo and of the guess behind it,
both without chroma subsampling: what is tried until a page is small enough. The first is 640 kB a megapixel and off by
45.5 dB, so that sharp parts show the photo as it is; those after the third are for pictures full of noise."""
_APART_PX = 16  # around the hidden layer in which its colours are kept: small copies of the picture mix in as much
_LOSSLESS = 101  # cv2's word for it, in WebP
_LEVELS = 65535
_SURE_LEVELS = 15  # steps of the confidence: more would show nothing and cost more than the depth's upper byte


def jpeg(image: NDArray[np.uint8], quality: int = _PHOTO_QUALITY) -> str:
    """A picture (H, W, 3) uint8 sRGB as a data URL of a JPEG."""
    full = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return _url("jpeg", cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality, *full]))


def photo_and_hidden(
    image: NDArray[np.uint8],
    hidden: Sequence[tuple[NDArray[np.uint8], NDArray[np.bool_]]],
    qualities: Iterable[tuple[int, int]],
    limit: int,
) -> list[str]:
    """A photo (H, W, 3) uint8 sRGB and the colours of layers behind it as data URLs.

    Their qualities are the first ones with which they have at most `limit` characters, or the last. hidden: the colours
    (H, W, 3) uint8 sRGB of each layer, and where (H, W) it is; elsewhere they are left out, for nothing shows them.
    """
    bare = [_bare(colors, mask) for colors, mask in hidden]
    urls: list[str] = []
    for quality, quality_hidden in qualities:
        urls = [jpeg(image, quality), *(jpeg(colors, quality_hidden) for colors in bare)]
        if sum(map(len, urls)) <= limit:
            break
    return urls


def _bare(colors: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Colours (H, W, 3) that are only kept around a mask (H, W)."""
    side = 2 * _APART_PX + 1
    kept = cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    usual = colors[kept].mean(axis=0).astype(np.uint8) if kept.any() else np.zeros(3, np.uint8)
    return np.where(kept[..., None], colors, usual)


def lossless(bytes_of: NDArray[np.uint8]) -> str:
    """Three maps of bytes (H, W, 3) as a data URL of a lossless WebP: a quarter smaller than PNG, and without alpha.

    Browsers multiply colours by alpha, so bytes beside an alpha channel would not come back.
    """
    return _url("webp", cv2.imencode(".webp", bytes_of[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, _LOSSLESS]))


def _url(kind: str, encoded: tuple[bool, NDArray[np.uint8]]) -> str:
    done, data = encoded
    if not done:
        raise OutputError("the picture could not be packed into the page", hint="pass a picture of at most 16383 px")
    return f"data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode('ascii')}"


def pack_inverse(inverse_m: FloatMap, third: NDArray[np.uint8], tolerance: float) -> dict[str, Any]:
    """Pack 1/Z (H, W) in 1/m and a map of bytes (H, W) into one picture; with the numbers that a reader needs.

    A code of 16 bits, high byte in red and low byte in green, is 65535 for the largest 1/Z and one less for each factor
    of exp(-step): no depth is off by more than `tolerance`, a share of it, and the picture holds no noise finer than
    that, which would be most of its bytes. What is more than exp(65534 · step) times as far as the nearest, at least
    400 000 times, comes nearer. 0 and NaN have the code 0.
    """
    top, step = float(np.nanmax(inverse_m, initial=0)) or 1.0, 2 * tolerance
    seen = inverse_m > 0
    below = -np.log(inverse_m / top, where=seen, out=np.zeros(inverse_m.shape)) / step
    code = np.where(seen, np.maximum(_LEVELS - np.rint(below), 1), 0).astype(np.uint16)
    picture = np.dstack([code >> 8, code & 255, third]).astype(np.uint8)
    return {"src": lossless(picture), "top": top, "step": step}


def pack_confidence(confidence: FloatMap) -> NDArray[np.uint8]:
    """The confidence (H, W) in 0..1 as bytes: 0 where NaN, else 17 · (1 to 15) for 0 to 1."""
    level = 1 + np.rint(np.nan_to_num(confidence, nan=0.0) * (_SURE_LEVELS - 1))
    return np.where(np.isnan(confidence), 0, 17 * level).astype(np.uint8)


def numbers(values: NDArray) -> str:
    """An array as base64 of its little-endian bytes."""
    return base64.b64encode(np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()).decode("ascii")
