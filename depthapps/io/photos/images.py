"""Read and write pictures: RGB in the program, BGR only here, where OpenCV encodes and decodes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.errors import InputError, OutputError
from depthapps.core.scene import Image, check_array, check_map
from depthapps.io.formats import IMAGE_SUFFIXES, MASK_SUFFIXES
from depthapps.io.inputs import StrPath, parsing, read_bytes
from depthapps.io.outputs import Outputs, check_suffix, opened
from depthapps.io.photos import heif, jpeg
from depthapps.io.photos.decode import decode_alpha, decode_image
from depthapps.io.photos.heif_file import is_heif
from depthapps.io.photos.metadata import Metadata, exif_for, read_metadata, tiff_with

_CHANNELS = (), (1,), (3,)  # what stands behind the rows and columns in the shape of a picture
_SAMPLE_TYPES = ("uint8", "uint16", "float32", "float64")
_EIGHT_BIT_SUFFIXES = (".jpg", ".jpeg")
_TIFF_SUFFIXES = (".tif", ".tiff")
_JPEG_QUALITY = 95  # no loss can be seen, and higher ones only make files larger, says libjpeg; 4:4:4 keeps all colours
_JPEG_OPTIONS = (
    cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture with the metadata of its file.

    Attributes
    ----------
    image : ndarray, (H, W, 3)
        RGB, upright, with the samples as they stand in the file: uint8, uint16 or float32.
    metadata : Metadata
        EXIF, colour profile and opacity.
    """

    image: Image
    metadata: Metadata


def read_image(path: StrPath) -> Image:
    """Read a picture.

    Parameters
    ----------
    path : str or PathLike
        A PNG, JPEG, TIFF, WebP or, with the extra ``heif``, HEIC file, or any other that OpenCV decodes.

    Returns
    -------
    ndarray, (H, W, 3)
        RGB, turned upright by its EXIF orientation, with the samples as they stand in the file: uint8, uint16 or
        float32. Grey is repeated over the three channels; of more than three bands the first three are taken, and an
        alpha channel is left to `read_photo`. `open_scene` stretches samples that do not use the range of their type.

    Raises
    ------
    InputError
        The file is not there, not a picture, truncated, damaged, or an animation.
    MissingExtraError
        The file is HEIC and pillow-heif is not installed, or a TIFF of many bands and tifffile is not installed.
    """
    data = read_bytes(path, "image")
    with parsing(path, "image"):
        return heif.read_view(Path(path), data) if is_heif(Path(path), data) else decode_image(data, str(path))


def read_photo(path: StrPath) -> Photo:
    """Read a picture with its metadata.

    Parameters
    ----------
    path : str or PathLike
        As for `read_image`.

    Returns
    -------
    Photo
        The picture as `read_image` returns it, and its EXIF, colour profile and opacity.

    Raises
    ------
    InputError, MissingExtraError
        As for `read_image`.
    """
    data = read_bytes(path, "image")
    with parsing(path, "image"):
        if is_heif(Path(path), data):
            return Photo(heif.read_view(Path(path), data), heif.view_metadata(Path(path), data))
        return photo_of(data, str(path), read_metadata(data))


def photo_of(data: bytes, name: str, metadata: Metadata) -> Photo:
    """Make the photo of a picture's bytes, with its opacity; `name` stands in messages. Raises InputError."""
    image = decode_image(data, name)  # which checks it
    alpha = decode_alpha(data, metadata.orientation)
    return Photo(image, metadata if alpha is None else replace(metadata, alpha=alpha))


def write_image(
    path: StrPath, image: Image, metadata: Metadata | None = None, *, outputs: Outputs | None = None
) -> None:
    """Write a picture. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        The suffix chooses the format: ``.jpg`` takes 8 bits, ``.png`` 8 or 16, ``.tif`` all kinds of samples. Samples
        with more bits than the format takes are reduced to 8 bits.
    image : ndarray, (H, W, 3) or (H, W)
        RGB or grey: uint8 or uint16 sRGB, or float32 linear light, all of it finite.
    metadata : Metadata, optional
        What the photo that the picture was made from had beside its samples. EXIF and colour profile are written with
        the picture's own size and the orientation "upright". A file that can hold them gets the photo's own range of
        samples, and the opacity if the picture has the photo's size.
    outputs : Outputs, optional
        The group of files that this one belongs to. Without it the file is written at once and replaces an old one.

    Raises
    ------
    OutputError
        The file cannot be written.
    InputError
        `image` is no picture of such a shape and type.

    Notes
    -----
    JPEG has quality 95 and colours at full resolution (4:4:4).
    """
    _check_samples(image)
    data = encode_image(Path(path), image, metadata)
    with opened(outputs, [path]) as group:
        group.write(path, data)


def encode_image(path: Path, image: Image, metadata: Metadata | None = None) -> bytes:
    """Encode a picture with its metadata for a file of this name, as `write_image` writes it. Raises OutputError."""
    check_suffix(path, IMAGE_SUFFIXES, "a picture")
    suffix = path.suffix.lower()
    if suffix in _EIGHT_BIT_SUFFIXES or (suffix == ".png" and image.dtype.kind == "f"):
        image = to_8bit(image)
    elif metadata and metadata.levels and image.dtype != np.uint8:
        image = metadata.levels.restored(image)
    height, width = image.shape[:2]
    exif = exif_for(metadata, width, height) if metadata else b""
    # a profile for colours does not describe grey samples
    icc = metadata.icc if metadata and image.ndim == 3 else b""
    kinds = {cv2.IMAGE_METADATA_EXIF: exif} if suffix not in _TIFF_SUFFIXES else {}
    if suffix == ".png":
        kinds[cv2.IMAGE_METADATA_ICCP] = icc
    samples = image if image.ndim == 2 else image[..., ::-1]
    alpha = metadata.alpha if metadata and suffix not in _EIGHT_BIT_SUFFIXES else None
    if alpha is not None and samples.ndim == 3 and alpha.shape == samples.shape[:2]:
        largest = 1 if samples.dtype.kind == "f" else np.iinfo(samples.dtype.name).max
        opacity = alpha if largest == 1 else np.rint(alpha * largest)
        samples = np.dstack([samples, opacity.astype(samples.dtype)])
    data = encode(path, samples, _JPEG_OPTIONS if suffix in _EIGHT_BIT_SUFFIXES else (), kinds)
    opacity = samples.shape[2:] == (4,)
    if suffix in _TIFF_SUFFIXES and (exif or icc or opacity):
        data = tiff_with(data, exif, icc, opacity=opacity)
    elif suffix in _EIGHT_BIT_SUFFIXES and icc:  # OpenCV writes no profile above 64 kB
        data = jpeg.with_profile(data, icc)
    return data


def write_mask(path: StrPath, share: NDArray[np.floating], *, outputs: Outputs | None = None) -> None:
    """Write a mask as 8-bit grey. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        A ``.png`` or ``.tif`` file.
    share : ndarray, (H, W) float
        Shares from 0, black, to 1, white; values outside are clipped, and NaN is black.
    outputs : Outputs, optional
        As for `write_image`.

    Raises
    ------
    OutputError
        The file cannot be written.
    InputError
        `share` is no map.
    """
    check_map(share, "a mask", "each[0]")
    check_suffix(path, MASK_SUFFIXES, "a mask")
    data = encode(Path(path), np.rint(np.nan_to_num(np.clip(share, 0, 1)) * 255).astype(np.uint8))
    with opened(outputs, [path]) as group:
        group.write(path, data)


def _check_samples(image: Image) -> None:
    """Refuse what is no picture of a kind that files hold. Raises InputError."""
    check_array(image, "a picture", "image")
    if image.shape[2:] not in _CHANNELS or image.ndim < 2 or not image.size or str(image.dtype) not in _SAMPLE_TYPES:
        raise InputError(
            f"a picture is wanted, {image.dtype} of {'x'.join(map(str, image.shape)) or 'no size'} was given",
            hint="pass RGB (H, W, 3) or grey (H, W): uint8 or uint16 in sRGB, or float32 in linear light",
        )
    if image.dtype.kind == "f" and not np.isfinite(image).all():  # no program reads a picture that holds them
        raise InputError(
            "the picture holds samples that are not finite", hint="put a number where it has NaN or infinity"
        )


def encode(
    path: Path, samples: NDArray, options: tuple[int, ...] = (), metadata: dict[int, bytes] | None = None
) -> bytes:
    """Encode samples in BGR for a file of this suffix; nothing is written.

    OpenCV gets no path, because on Windows it opens only those that the system's code page can spell.
    metadata: bytes by OpenCV's IMAGE_METADATA_ constants; empty ones are left out. Raises OutputError.
    """
    chunks = {kind: np.frombuffer(chunk, np.uint8) for kind, chunk in (metadata or {}).items() if chunk}
    samples = np.ascontiguousarray(samples)
    try:
        if chunks:
            done, data = cv2.imencodeWithMetadata(
                path.suffix, samples, list(chunks), list(chunks.values()), list(options)
            )
        else:
            done, data = cv2.imencode(path.suffix, samples, list(options))
    except cv2.error as error:
        raise OutputError(f"{path.name} could not be encoded ({error.err})", hint="try another format") from None
    if not done:
        raise OutputError(f"{path.name} could not be encoded", hint="try another format")
    return data.tobytes()
