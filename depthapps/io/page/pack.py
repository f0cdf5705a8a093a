"""Pack pictures, maps and numbers as text that a page holds: data URLs and base64."""

from __future__ import annotations

import base64
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import OutputError
from depthapps.core.scene import FloatMap

_PHOTO_QUALITY = (
    98  # of JPEG without chroma subsampling: 760 kB a megapixel, off by 45.5 dB; sharp parts show it as it is
)
_LOSSLESS = 101  # cv2's word for it, in WebP
_LEVELS = 65535
_TOLERANCE = 5e-4  # largest relative error of depth, half of what a page promises
_POWERS = (1, 2, 3, 4)
_SURE_LEVELS = 15  # steps of the confidence: more would show nothing and cost more than the depth's upper byte


def jpeg(image: NDArray[np.uint8]) -> str:
    """A picture (H, W, 3) uint8 sRGB as a data URL of a JPEG."""
    full = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return _url("jpeg", cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _PHOTO_QUALITY, *full]))


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


def pack_inverse(inverse_m: FloatMap, third: NDArray[np.uint8]) -> dict[str, Any]:
    """Pack 1/Z (H, W) in 1/m and a map of bytes (H, W) into one picture; with the numbers that a reader needs.

    A code of 16 bits, high byte in red and low byte in green, is 65535 · (w / top) ** (1 / power). The power is the
    smallest with which no finite depth is off by more than _TOLERANCE; where even the largest is not enough, things
    10 000 times farther than the nearest are meant. 0 and NaN have the code 0.
    """
    top = float(np.nanmax(inverse_m, initial=0)) or 1.0
    positive = inverse_m[inverse_m > 0]
    least = float(positive.min()) / top if positive.size else 1.0
    power = next((p for p in _POWERS if p * least ** (-1 / p) / 2 / _LEVELS <= _TOLERANCE), _POWERS[-1])
    share = np.nan_to_num(inverse_m, nan=0.0) / top
    code = np.rint(np.clip(share, 0, 1) ** (1 / power) * _LEVELS).astype(np.uint16)
    picture = np.dstack([code >> 8, code & 255, third]).astype(np.uint8)
    return {"src": lossless(picture), "top": top, "power": power}


def pack_confidence(confidence: FloatMap) -> NDArray[np.uint8]:
    """The confidence (H, W) in 0..1 as bytes: 0 where NaN, else 17 · (1 to 15) for 0 to 1."""
    level = 1 + np.rint(np.nan_to_num(confidence, nan=0.0) * (_SURE_LEVELS - 1))
    return np.where(np.isnan(confidence), 0, 17 * level).astype(np.uint8)


def numbers(values: NDArray) -> str:
    """An array as base64 of its little-endian bytes."""
    return base64.b64encode(np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()).decode("ascii")
