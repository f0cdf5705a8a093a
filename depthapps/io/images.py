"""Pictures in and out: RGB inside, BGR only here."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.color import to_8bit
from depthapps.errors import InputError, MissingExtraError, OutputError
from depthapps.io.files import check_input
from depthapps.scene import Image

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
MASK_SUFFIXES = (".png", ".tif", ".tiff")
_EIGHT_BIT_SUFFIXES = (".jpg", ".jpeg")
_HEIF_SUFFIXES = (".heic", ".heif")
_JPEG_QUALITY = 95  # libjpeg's upper end of "no loss to see"; also keeps the colour channels at full resolution below


def read_image(path: Path) -> Image:
    """Read a picture as (H, W, 3) RGB: uint8 or uint16 sRGB, or float32 linear light.

    Upright by its EXIF orientation, grey repeated over the channels, an alpha channel dropped. Raises InputError.
    """
    check_input(path, "image")
    if path.suffix.lower() in _HEIF_SUFFIXES:
        return _read_heif(path)
    data = decode(path, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if data is None:
        raise InputError(f"{path} is not an image that can be read", hint="PNG, JPEG and TIFF are; is the file whole?")
    if data.dtype not in (np.uint8, np.uint16, np.float32):
        raise InputError(
            f"{path} has samples of type {data.dtype}", hint="save it with 8, 16 or 32 (float) bit samples"
        )
    if data.dtype == np.float32 and not np.isfinite(data).all():
        raise InputError(f"{path} holds NaN or infinite samples", hint="a picture needs a number in every pixel")
    return np.ascontiguousarray(data[..., ::-1])


def decode(path: Path, flags: int) -> NDArray | None:
    """cv2's reader on a file's bytes: works for every path, and gives None instead of a message for unreadable ones."""
    data = np.fromfile(path, np.uint8)
    if not data.size:
        return None
    try:
        return cv2.imdecode(data, flags)
    except cv2.error:
        return None


def _read_heif(path: Path) -> Image:
    try:
        import pillow_heif  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise MissingExtraError(f"reading {path.name}", "heif") from None
    from PIL import Image as Pillow
    from PIL import ImageOps

    pillow_heif.register_heif_opener()
    try:
        with Pillow.open(path) as picture:
            return np.array(ImageOps.exif_transpose(picture).convert("RGB"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not an image that can be read ({error})", hint="is the file whole?") from None


def write_image(path: Path, image: Image) -> None:
    """Write an (H, W, 3) RGB or (H, W) grey picture; JPEG takes 8 bit, PNG 8 or 16, TIFF all. Raises OutputError."""
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
    encode(path, data, options if suffix in _EIGHT_BIT_SUFFIXES else [])


def write_mask(path: Path, share: NDArray[np.floating]) -> None:
    """Write a map (H, W) of shares in 0..1 as 8-bit grey, 1 = white. Raises OutputError."""
    encode(path, np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8))


def encode(path: Path, data: NDArray, options: list[int] | None = None) -> None:
    """cv2's writer, with an OutputError where it would return False or raise its own."""
    try:
        done = cv2.imwrite(str(path), np.ascontiguousarray(data), options or [])
    except cv2.error as error:
        raise OutputError(f"{path.name} could not be written ({error.err})", hint="try another format") from None
    if not done:
        raise OutputError(f"{path.name} could not be written", hint="is the disk full?")
