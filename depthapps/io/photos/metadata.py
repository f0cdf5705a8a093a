"""What a photo's file says beside its samples: size, lens, EXIF and colour profile."""

from __future__ import annotations

import math
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING

from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from depthapps.io.photos import jpeg, png

if TYPE_CHECKING:  # numpy is loaded where samples are
    from depthapps.core.levels import Levels
    from depthapps.core.scene import FloatMap

_FILM_DIAGONAL_MM = math.hypot(36, 24)
_UNIT_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}  # of FocalPlaneResolutionUnit
_TIFF = (b"II*\0", b"MM\0*")
_EXIF_HEADER = b"Exif\0\0"
_LONGEST_EXIF = 65000  # one JPEG segment
_FARTHEST_FOCUS_M = 100.0  # beyond it, cameras write what stands for infinity
_BROKEN = (SyntaxError, ValueError, KeyError, TypeError, OSError, struct.error, ZeroDivisionError, OverflowError)
# Tags that describe the photo; the others of the first directory describe how the file stores its samples.
_KEPT = (
    Base.ImageDescription, Base.Make, Base.Model, Base.XResolution, Base.YResolution, Base.ResolutionUnit,
    Base.Software, Base.DateTime, Base.Artist, Base.HostComputer, Base.Copyright, Base.Rating,
)  # fmt: skip
_LIMIT_LIFTED = Lock()
_EXTRA_SAMPLES, _NOT_PREMULTIPLIED = 338, 2
_STRIP_OFFSETS, _ICC_TAG, _UNDEFINED, _LONG = 273, 34675, 7, 4


@dataclass(frozen=True)
class Metadata:
    """What a photo's file says about it.

    Attributes
    ----------
    exif : bytes
        EXIF as a TIFF stream; empty where the photo has none.
    icc : bytes
        ICC profile of its colours; empty where the photo has none.
    orientation : int
        EXIF orientation, 1 to 8, in which the file stores its samples; 1 is upright.
    levels : Levels or None
        The black and white of the file's samples, if the picture was stretched from them.
    alpha : ndarray, (H, W) float32 or None
        Opacity of the upright picture, from 0, transparent, to 1; None where all of it is opaque.
    """

    exif: bytes = b""
    icc: bytes = b""
    orientation: int = 1
    levels: Levels | None = None
    alpha: FloatMap | None = field(default=None, compare=False)

    @classmethod
    def from_exif(cls, stream: bytes, icc: bytes) -> Metadata:
        """Take EXIF from a HEIF file, whose decoder turns the picture upright: its orientation is dropped."""
        try:
            with warnings.catch_warnings(action="ignore"):
                exif = _loaded(stream)
                return cls(_described(exif) if exif else b"", icc if _describes_rgb(icc) else b"")
        except _BROKEN:
            return cls(b"", icc if _describes_rgb(icc) else b"")


def read_metadata(data: bytes) -> Metadata:
    """Read the metadata of a JPEG, PNG, TIFF or WebP file's bytes; empty where it cannot be read."""
    if data.startswith(png.SIGNATURE):
        if not png.is_described(data):
            return Metadata()
        data = png.without_samples(data)  # Pillow decodes all samples to see what stands behind them
    try:
        with warnings.catch_warnings(action="ignore"):
            if data[:4] in _TIFF:  # Pillow opens no TIFF of float samples, but its EXIF reader does
                exif = Image.Exif()
                exif.load_from_fp(BytesIO(data))
                icc = exif.get(_ICC_TAG) or b""
            else:
                with Image.open(BytesIO(data)) as picture:
                    exif, icc = picture.getexif(), picture.info.get("icc_profile") or b""
            orientation = exif.get(Base.Orientation, 1)
            stream = _described(exif) if exif else b""
            icc = icc if _describes_rgb(icc) else b""
    except (Image.DecompressionBombError, *_BROKEN):
        return Metadata()
    return Metadata(stream, icc, orientation if orientation in range(1, 9) else 1)


def stored_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels as a file's header states them, before it is turned upright; None where unknown."""
    if data.startswith(png.SIGNATURE):
        return png.size_of(data)
    if data.startswith(jpeg.SIGNATURE):
        return jpeg.size_of(data)
    try:
        with warnings.catch_warnings(action="ignore"):
            if data[:4] in _TIFF:
                exif = Image.Exif()
                exif.load_from_fp(BytesIO(data))
                return int(exif[Base.ImageWidth]), int(exif[Base.ImageLength])
            with _of_any_size(), Image.open(BytesIO(data)) as picture:
                return picture.size
    except _BROKEN:
        return None


@contextmanager
def _of_any_size() -> Iterator[None]:
    """Let Pillow tell the size of a picture that it refuses to decode, in a block that decodes nothing."""
    with _LIMIT_LIFTED:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _describes_rgb(icc: bytes) -> bool:
    """Whether a profile is whole and for RGB; one for CMYK or grey does not describe the RGB that was decoded."""
    return len(icc) >= 132 and int.from_bytes(icc[:4], "big") == len(icc) and icc[16:20] == b"RGB "


def _described(exif: Image.Exif) -> bytes:
    """The EXIF as a TIFF stream, without the orientation, the thumbnail and the layout of the file's samples."""
    kept = Image.Exif()
    for tag in _KEPT:
        if tag in exif:
            kept[tag] = exif[tag]
    for directory in (IFD.Exif, IFD.GPSInfo):
        if entries := exif.get_ifd(directory):
            kept.get_ifd(directory).update({t: v for t, v in entries.items() if t != IFD.Interop})
    return kept.tobytes().removeprefix(_EXIF_HEADER)


def _loaded(stream: bytes) -> Image.Exif:
    exif = Image.Exif()
    if stream:
        exif.load(stream)
    return exif


def exif_for(metadata: Metadata, width: int, height: int) -> bytes:
    """The photo's EXIF for an upright picture of width x height px made from it; empty where the photo has none."""
    if not metadata.exif:
        return b""
    try:
        exif = _loaded(metadata.exif)
        exif[Base.Orientation] = 1
        tags = exif.get_ifd(IFD.Exif)
        tags[Base.ExifImageWidth], tags[Base.ExifImageHeight] = width, height
        stream = exif.tobytes().removeprefix(_EXIF_HEADER)
        if len(stream) > _LONGEST_EXIF:
            tags.pop(Base.MakerNote, None)
            stream = exif.tobytes().removeprefix(_EXIF_HEADER)
    except _BROKEN:
        return b""
    return stream if len(stream) <= _LONGEST_EXIF else b""


def camera_name(metadata: Metadata) -> str:
    """The model of the camera by the photo's EXIF; empty where it is not named."""
    try:
        return str(_loaded(metadata.exif).get(Base.Model, "")).strip()
    except _BROKEN:
        return ""


def focal_px(metadata: Metadata, width: int, height: int) -> float | None:
    """Focal length in pixels of a width x height picture by the photo's EXIF; None where it is not told.

    It comes from the 35 mm equivalent, which the standard (CIPA DCG-001) defines over the picture's diagonal; without
    one, from the focal length in millimetres and the number of the sensor's pixels in a unit of length.
    """
    try:
        tags = _loaded(metadata.exif).get_ifd(IFD.Exif)
        equivalent_mm = float(tags.get(Base.FocalLengthIn35mmFilm) or 0)
        if 0 < equivalent_mm < math.inf:
            return equivalent_mm / _FILM_DIAGONAL_MM * math.hypot(width, height)
        focal_mm, per_unit = (float(tags.get(t) or 0) for t in (Base.FocalLength, Base.FocalPlaneXResolution))
        unit_mm = _UNIT_MM[int(tags.get(Base.FocalPlaneResolutionUnit) or 2)]
        stored_width = float(tags.get(Base.ExifImageWidth) or 0)
        found = focal_mm * per_unit / unit_mm * max(width, height) / max(stored_width, 1)
    except _BROKEN:
        return None
    # some cameras write the resolution for another picture size; no usual lens sees 130 degrees or more, or 1 or less
    return found if stored_width and 0.25 < found / max(width, height) < 50 else None


def subject_m(metadata: Metadata) -> float | None:
    """Distance in metres that the photo was focused at, by its EXIF; None where it is not told or is infinite."""
    try:
        found = float(_loaded(metadata.exif).get_ifd(IFD.Exif).get(Base.SubjectDistance) or 0)
    except _BROKEN:
        return None
    return found if 0 < found < _FARTHEST_FOCUS_M else None


def tiff_with(data: bytes, exif: bytes, icc: bytes, *, opacity: bool = False) -> bytes:
    """A TIFF file, as OpenCV encodes it, with EXIF and a colour profile: a new directory in front of the samples.

    opacity: the fourth band is opacity, which OpenCV does not say.
    """
    header = data[:8]
    old, directory = ImageFileDirectory_v2(header), ImageFileDirectory_v2(header)
    file = BytesIO(data)
    file.seek(old.next)
    old.load(file)
    for tag, value in old.items():
        directory.tagtype[tag] = old.tagtype[tag]
        directory[tag] = value
    # Pillow counts offsets from the end of the directory, behind which everything but the old header follows
    offsets = old[_STRIP_OFFSETS]
    directory[_STRIP_OFFSETS] = tuple(o - len(header) for o in (offsets if isinstance(offsets, tuple) else (offsets,)))
    if icc:
        directory.tagtype[_ICC_TAG] = _UNDEFINED
        directory[_ICC_TAG] = icc
    if opacity:
        directory[_EXTRA_SAMPLES] = _NOT_PREMULTIPLIED
    source = _loaded(exif)
    for tag in (t for t in _KEPT if t in source):
        directory[tag] = source[tag]
    for pointer in (IFD.Exif, IFD.GPSInfo):
        if entries := source.get_ifd(pointer):
            directory.tagtype[pointer] = _LONG
            directory[pointer] = dict(entries)
    order = "<" if header.startswith(b"II") else ">"
    start = data[:4] + struct.pack(order + "L", len(header))
    return start + directory.tobytes(len(header)) + data[len(header) :]
