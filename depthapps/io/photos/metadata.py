"""What a photo carries beside its samples: the lens it was taken with, its EXIF, its colour profile."""

from __future__ import annotations

import math
import struct
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from depthapps.io.photos import png

_FILM_DIAGONAL_MM = math.hypot(36, 24)
_UNIT_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}  # of FocalPlaneResolutionUnit
_TIFF = (b"II*\0", b"MM\0*")
_EXIF_HEADER = b"Exif\0\0"
_LONGEST_EXIF = 65000  # one JPEG segment
_BROKEN = (SyntaxError, ValueError, KeyError, TypeError, OSError, struct.error, ZeroDivisionError, OverflowError)
# What describes the photo; the other tags of the first directory describe the file that its samples stood in.
_KEPT = (
    Base.ImageDescription, Base.Make, Base.Model, Base.XResolution, Base.YResolution, Base.ResolutionUnit,
    Base.Software, Base.DateTime, Base.Artist, Base.HostComputer, Base.Copyright, Base.Rating,
)  # fmt: skip
_STRIP_OFFSETS, _ICC_TAG, _UNDEFINED, _LONG = 273, 34675, 7, 4


@dataclass(frozen=True)
class Metadata:
    """EXIF as a TIFF stream and an ICC profile; empty where the photo has none.

    orientation: the EXIF orientation, 1 to 8, that the file's samples were stored in.
    """

    exif: bytes = b""
    icc: bytes = b""
    orientation: int = 1

    @classmethod
    def from_exif(cls, stream: bytes, icc: bytes) -> Metadata:
        """From EXIF as a HEIF file holds it, whose orientation is the file's own matter and done with already."""
        try:
            with warnings.catch_warnings(action="ignore"):
                exif = _loaded(stream)
                return cls(_described(exif) if exif else b"", icc if _describes_rgb(icc) else b"")
        except _BROKEN:
            return cls(b"", icc if _describes_rgb(icc) else b"")


def read_metadata(data: bytes) -> Metadata:
    """The metadata of a JPEG, PNG, TIFF, WebP or HEIF file; empty where it cannot be read."""
    if data.startswith(png.SIGNATURE) and not png.is_described(data):
        return Metadata()  # Pillow would decode all samples to see what comes behind them
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


def _describes_rgb(icc: bytes) -> bool:
    """Whether a profile is whole, and one of RGB: samples from CMYK or grey ones are none that it describes."""
    return len(icc) >= 132 and int.from_bytes(icc[:4], "big") == len(icc) and icc[16:20] == b"RGB "


def _described(exif: Image.Exif) -> bytes:
    """EXIF without orientation, thumbnail and the file's layout, as a TIFF stream."""
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
    """The EXIF of an upright picture of width x height px made from the photo; empty where the photo has none."""
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
    """The camera's model by its EXIF; empty where it says nothing."""
    try:
        return str(_loaded(metadata.exif).get(Base.Model, "")).strip()
    except _BROKEN:
        return ""


def focal_px(metadata: Metadata, width: int, height: int) -> float | None:
    """Focal length in pixels of a width x height picture from the photo's EXIF; None where it says nothing.

    From the 35 mm equivalent, which is taken over the diagonal, as the standard (CIPA DCG-001) defines it; else from
    the focal length and the sensor's pixels a length unit.
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
    # some cameras write the resolution of another picture size; no usual lens sees 130 degrees, or 1
    return found if stored_width and 0.25 < found / max(width, height) < 50 else None


def add_to_tiff(path: Path, exif: bytes, icc: bytes) -> None:
    """Put EXIF and a colour profile into a TIFF file whose writer knows neither: a new directory before its samples."""
    data = path.read_bytes()
    header = data[:8]
    old, directory = ImageFileDirectory_v2(header), ImageFileDirectory_v2(header)
    file = BytesIO(data)
    file.seek(old.next)
    old.load(file)
    for tag, value in old.items():
        directory.tagtype[tag] = old.tagtype[tag]
        directory[tag] = value
    # Pillow counts them from the end of the directory, where everything behind the old header follows
    offsets = old[_STRIP_OFFSETS]
    directory[_STRIP_OFFSETS] = tuple(o - len(header) for o in (offsets if isinstance(offsets, tuple) else (offsets,)))
    if icc:
        directory.tagtype[_ICC_TAG] = _UNDEFINED
        directory[_ICC_TAG] = icc
    source = _loaded(exif)
    for tag in (t for t in _KEPT if t in source):
        directory[tag] = source[tag]
    for pointer in (IFD.Exif, IFD.GPSInfo):
        if entries := source.get_ifd(pointer):
            directory.tagtype[pointer] = _LONG
            directory[pointer] = dict(entries)
    order = "<" if header.startswith(b"II") else ">"
    start = data[:4] + struct.pack(order + "L", len(header))
    path.write_bytes(start + directory.tobytes(len(header)) + data[len(header) :])
