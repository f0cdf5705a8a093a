"""What a photo says of its own lens."""

from __future__ import annotations

import math
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError

_FILM_DIAGONAL_MM = math.hypot(36, 24)


def read_focal_px(path: Path, width: int, height: int) -> float | None:
    """Focal length in pixels of a width x height picture from its EXIF 35 mm equivalent; None where it says nothing.

    The equivalence is taken over the diagonal, as the standard (CIPA DCG-001) defines it.
    """
    try:
        with Image.open(path) as picture:
            tags = picture.getexif().get_ifd(ExifTags.IFD.Exif)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return None
    equivalent_mm = tags.get(ExifTags.Base.FocalLengthIn35mmFilm)
    if not isinstance(equivalent_mm, (int, float)) or equivalent_mm <= 0:
        return None
    return float(equivalent_mm) / _FILM_DIAGONAL_MM * math.hypot(width, height)
