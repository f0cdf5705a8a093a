"""Pictures in and out: RGB inside, BGR only here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.errors import InputError, OutputError
from depthapps.core.scene import Image
from depthapps.io.outputs import check_input
from depthapps.io.photos import heif, jpeg, png
from depthapps.io.photos.metadata import Metadata, add_to_tiff, exif_for, read_metadata

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
MASK_SUFFIXES = (".png", ".tif", ".tiff")
_EIGHT_BIT_SUFFIXES = (".jpg", ".jpeg")
_TIFF_SUFFIXES = (".tif", ".tiff")
_JPEG_QUALITY = 95  # libjpeg's upper end of "no loss to see"; also keeps the colour channels at full resolution below
_GIF, _GIF_FRAME = (b"GIF87a", b"GIF89a"), b"\x21\xf9\x04"


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture, upright, with what its file says besides."""

    image: Image
    metadata: Metadata


def read_image(path: Path) -> Image:
    """Read a picture as (H, W, 3) RGB: uint8 or uint16 sRGB, or float32 linear light.

    Upright by its EXIF orientation, grey repeated over the channels, an alpha channel dropped. Raises InputError.
    """
    check_input(path, "image")
    data = path.read_bytes()
    return heif.read_view(path, data) if heif.is_heif(path, data) else decode_image(data, str(path))


def read_photo(path: Path) -> Photo:
    """Read a picture as `read_image` does, with its metadata. Raises InputError."""
    check_input(path, "image")
    data = path.read_bytes()
    if heif.is_heif(path, data):
        return Photo(heif.read_view(path, data), heif.view_metadata(path, data))
    return Photo(decode_image(data, str(path)), read_metadata(data))


def decode_image(data: bytes, name: str) -> Image:
    """A picture from a file's bytes, as `read_image` gives it; `name` is what errors call it. Raises InputError."""
    if not data:
        raise InputError(f"{name} is not an image, it is empty: 0 bytes", hint="copy it anew from where it came")
    is_png = data.startswith(png.SIGNATURE)
    if (data.startswith(jpeg.SIGNATURE) and not jpeg.end_of_picture(data)) or (is_png and not png.is_whole(data)):
        raise InputError(
            f"{name} is not an image that can be read, it is truncated or damaged",
            hint="copy it anew from where it came",
        )
    if (is_png and png.is_animation(data)) or (data.startswith(_GIF) and data.count(_GIF_FRAME) > 1):
        raise InputError(f"{name} is an animation, not a picture", hint="save the one frame that you want as PNG")
    samples = decode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if samples is None:
        raise InputError(
            f"{name} is not an image that can be read", hint="PNG, JPEG, TIFF, WebP and HEIC are; is the file whole?"
        )
    if samples.dtype not in (np.uint8, np.uint16, np.float32):
        raise InputError(
            f"{name} has samples of type {samples.dtype}", hint="save it with 8, 16 or 32 (float) bit samples"
        )
    if samples.dtype == np.float32 and not np.isfinite(samples).all():
        raise InputError(f"{name} holds NaN or infinite samples", hint="a picture needs a number in every pixel")
    return np.asarray(cv2.cvtColor(samples, cv2.COLOR_BGR2RGB))


def decode(data: bytes, flags: int) -> NDArray | None:
    """cv2's reader on a file's bytes: works for every path, and gives None instead of a message for unreadable ones."""
    if not data:
        return None
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None


def write_image(path: Path, image: Image, metadata: Metadata | None = None) -> None:
    """Write an (H, W, 3) RGB or (H, W) grey picture; JPEG takes 8 bit, PNG 8 or 16, TIFF all. Raises OutputError.

    metadata: of the photo that the picture was made from, which it then carries on, as an upright picture of its size.
    """
    suffix = path.suffix.lower()
    if suffix in _EIGHT_BIT_SUFFIXES or (suffix == ".png" and image.dtype.kind == "f"):
        image = to_8bit(image)
    data = image if image.ndim == 2 else image[..., ::-1]
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        _JPEG_QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    height, width = image.shape[:2]
    exif = exif_for(metadata, width, height) if metadata else b""
    # a profile for colours does not describe grey samples
    icc = metadata.icc if metadata and image.ndim == 3 else b""
    kinds = {cv2.IMAGE_METADATA_EXIF: exif} if suffix not in _TIFF_SUFFIXES else {}
    if suffix == ".png":
        kinds[cv2.IMAGE_METADATA_ICCP] = icc
    encode(path, data, options if suffix in _EIGHT_BIT_SUFFIXES else [], kinds)
    if suffix in _TIFF_SUFFIXES and (exif or icc):
        add_to_tiff(path, exif, icc)
    elif suffix in _EIGHT_BIT_SUFFIXES and icc:  # OpenCV writes none above 64 kB
        path.write_bytes(jpeg.with_profile(path.read_bytes(), icc))


def write_mask(path: Path, share: NDArray[np.floating]) -> None:
    """Write a map (H, W) of shares in 0..1 as 8-bit grey, 1 = white. Raises OutputError."""
    encode(path, np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8))


def encode(
    path: Path, data: NDArray, options: list[int] | None = None, metadata: dict[int, bytes] | None = None
) -> None:
    """cv2's writer, with an OutputError where it would return False or raise its own.

    metadata: bytes by cv2's IMAGE_METADATA_ constants; empty ones are left out.
    """
    chunks = {kind: np.frombuffer(chunk, np.uint8) for kind, chunk in (metadata or {}).items() if chunk}
    data = np.ascontiguousarray(data)
    try:
        if chunks:
            done = cv2.imwriteWithMetadata(str(path), data, list(chunks), list(chunks.values()), options or [])
        else:
            done = cv2.imwrite(str(path), data, options or [])
    except cv2.error as error:
        raise OutputError(f"{path.name} could not be written ({error.err})", hint="try another format") from None
    if not done:
        raise OutputError(f"{path.name} could not be written", hint="is the disk full?")
