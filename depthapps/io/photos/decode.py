"""Decode pictures: what OpenCV reads, and TIFF with more bands than it knows; RGB and transparency, as in the file."""

from __future__ import annotations

import struct
import warnings
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from depthapps.core.errors import InputError, MissingExtraError
from depthapps.core.scene import FloatMap, Image
from depthapps.io.photos import png
from depthapps.io.photos.orientation import upright
from depthapps.io.photos.whole import check_whole
from depthapps.io.sizes import check_bytes
from depthapps.runtime.quiet import silent_libraries

_TIFF = (b"II*\0", b"MM\0*")
_BITS, _BANDS, _PLANES, _EXTRA = 258, 277, 284, 338  # TIFF tags: bits a sample, bands, whether planes, what extra ones
_ALPHA = (1, 2)  # kinds of extra samples that are transparency; 0 is any other, such as infrared
_OPAQUE = 0.5  # opacity from which a pixel of a map tells something
_WEBP_HAS_ALPHA = 0x10  # in the flags of its first chunk


def decode(data: bytes, flags: int) -> NDArray | None:
    """Decode a file's bytes with OpenCV; None, without a message of its own, when it cannot."""
    if not data:
        return None
    try:
        with silent_libraries():
            return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None


def decode_image(data: bytes, name: str) -> Image:
    """Decode a picture's bytes to what `read_image` returns; `name` stands in messages. Raises InputError."""
    check_whole(data, name)
    tags = _tiff_tags(data)
    if tags and _has_many_bands(tags):
        samples = _many_bands(data, name)
    else:
        samples = decode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
        if samples is None:  # OpenCV makes no colours of grey floats, and drops no fourth band of them
            samples = decode(data, cv2.IMREAD_UNCHANGED)
        if samples is None:
            samples = _by_pillow(data)
        if samples is None:
            raise InputError(
                f"{name} is not an image that can be read",
                hint="PNG, JPEG, TIFF, WebP and HEIC are; is the file whole?",
            )
        samples = _as_rgb(samples)
    samples = known_type(samples, name)
    if samples.dtype == np.float32 and not np.isfinite(samples).all():
        raise InputError(f"{name} holds NaN or infinite samples", hint="a picture needs a number in every pixel")
    return samples


def _by_pillow(data: bytes) -> NDArray | None:
    """BGR samples of the pictures that game engines and old programs write and OpenCV does not know; None of others."""
    try:
        with warnings.catch_warnings(action="ignore"):
            picture = Pillow.open(BytesIO(data), formats=("TGA", "PCX", "DDS", "QOI")).convert("RGB")
    except (
        SyntaxError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        OSError,
        struct.error,
        Pillow.DecompressionBombError,
    ):
        return None
    return np.asarray(picture)[..., ::-1]


def decode_map(data: bytes, name: str) -> tuple[NDArray | None, NDArray[np.bool_] | None]:
    """The samples of a picture that is a map (h, w) or (h, w, c), as they stand in it, and where it is transparent.

    None for samples that cannot be decoded, and for a map that is not transparent, or is so everywhere, as programs
    write that know no opacity.
    """
    tags = _tiff_tags(data)
    two_bands = tags.get(_BANDS, (1,))[0] == 2  # of which OpenCV makes one of 8 bits
    samples = _bands(data, name) if two_bands else decode(data, cv2.IMREAD_UNCHANGED)
    if samples is None or samples.ndim != 3 or samples.shape[2] not in (2, 4):
        return samples, None
    if not _has_alpha(data) and (not tags or _EXTRA in tags):  # OpenCV writes opacity without telling
        return samples, None
    clear = samples[..., -1] < _OPAQUE * (1 if samples.dtype.kind == "f" else np.iinfo(samples.dtype).max)
    return samples, clear if clear.any() and not clear.all() else None


def decode_alpha(data: bytes, orientation: int) -> FloatMap | None:
    """Decode the opacity of a picture, upright, (H, W) float32 from 0, transparent, to 1; None if it is opaque."""
    if not _has_alpha(data):
        return None
    samples = decode(data, cv2.IMREAD_UNCHANGED)
    if samples is None or samples.ndim != 3 or samples.shape[2] not in (2, 4):
        return None
    alpha = samples[..., -1]
    largest = 1 if alpha.dtype.kind == "f" else np.iinfo(alpha.dtype).max
    share = np.clip(alpha / np.float32(largest), 0, 1).astype(np.float32)
    return None if (share == 1).all() else upright(share, orientation)


def _as_rgb(samples: NDArray) -> NDArray:
    """RGB (H, W, 3) of OpenCV's BGR, of grey, or of BGR with a fourth band."""
    if samples.ndim == 2:
        return np.repeat(samples[..., None], 3, axis=2)
    return np.ascontiguousarray(samples[..., 2::-1])


def known_type(samples: NDArray, name: str) -> Image:
    """Samples of a type that the program computes with; whole numbers that it does not know become floats."""
    if samples.dtype in (np.uint8, np.uint16, np.float32):
        return samples
    if samples.dtype.kind not in "iuf":
        raise InputError(
            f"{name} has samples of type {samples.dtype}", hint="save it with 8, 16 or 32 (float) bit samples"
        )
    low, high = samples.min(), samples.max()
    return samples.astype(np.uint16 if samples.dtype.kind != "f" and low >= 0 and high <= 65535 else np.float32)


def _tiff_tags(data: bytes) -> dict[int, tuple[int, ...]]:
    """The numbers of a TIFF file's first directory that tell how its samples lie; empty for other files."""
    if data[:4] not in _TIFF:
        return {}
    try:
        with warnings.catch_warnings(action="ignore"):
            tags = Pillow.Exif()
            tags.load_from_fp(BytesIO(data))
            found = {tag: tags.get(tag) for tag in (_BITS, _BANDS, _PLANES, _EXTRA)}
    except (SyntaxError, ValueError, KeyError, TypeError, OSError, struct.error):
        return {}
    return {tag: v if isinstance(v, tuple) else (v,) for tag, v in found.items() if v is not None}


def _has_many_bands(tags: dict[int, tuple[int, ...]]) -> bool:
    """Whether a TIFF is one that OpenCV refuses, or reads wrongly: of 2 or more than 4 bands, or of 16-bit planes."""
    bands = tags.get(_BANDS, (1,))[0]
    return bands not in (1, 3, 4) or (bands > 1 and tags.get(_PLANES) == (2,) and max(tags.get(_BITS, (1,))) > 8)


def _bands(data: bytes, name: str) -> NDArray:
    """All bands of a TIFF (H, W, bands), or its only one (H, W)."""
    try:
        import tifffile  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise MissingExtraError(f"reading the bands of {name}", "bands") from None
    try:
        with tifffile.TiffFile(BytesIO(data)) as file:
            page = file.pages.first
            check_bytes(page.nbytes, name)
            samples, planes = page.asarray(), page.planarconfig == 2
    except (ValueError, KeyError, IndexError, TypeError, OSError, struct.error) as error:
        if "imagecodecs" in str(error):
            hint = "pip install imagecodecs, which knows its compression; or save it uncompressed"
        else:
            hint = "save its three bands that look most alike to the eye as a TIFF of their own"
        raise InputError(f"the bands of {name} cannot be read", hint=hint) from None
    if samples.ndim not in (2, 3) or not samples.size:
        raise InputError(f"the bands of {name} are no picture", hint="save three of them as a TIFF of their own")
    return np.moveaxis(samples, 0, -1) if planes and samples.ndim == 3 else samples


def _many_bands(data: bytes, name: str) -> NDArray:
    """The first three bands of a TIFF as red, green and blue (H, W, 3), or its first band as grey."""
    samples = _bands(data, name)
    if samples.ndim == 3 and samples.shape[2] < 3:
        samples = samples[..., 0]
    samples = samples if samples.ndim == 2 else samples[..., 2::-1]
    return _as_rgb(np.ascontiguousarray(samples))


def _has_alpha(data: bytes) -> bool:
    """Whether a file's header announces transparency."""
    if data.startswith(png.SIGNATURE):
        return data[25] in (4, 6) or b"tRNS" in data[: data.find(b"IDAT")]
    if data[8:12] == b"WEBP":
        return data[12:16] == b"VP8L" or (data[12:16] == b"VP8X" and bool(data[20] & _WEBP_HAS_ALPHA))
    extra = _tiff_tags(data).get(_EXTRA, ())
    return len(extra) == 1 and extra[0] in _ALPHA
