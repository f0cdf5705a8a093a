"""Refuse picture files that are empty, cut off, damaged, animated or too large, before a decoder sees them.

Decoders return such files half grey, or print messages of their own.
"""

from __future__ import annotations

import re

from depthapps.core.errors import InputError
from depthapps.io.photos import jpeg, png
from depthapps.io.photos.metadata import stored_size
from depthapps.io.sizes import check_pixels

# the sizes of pictures that Pillow does not know: Radiance's .hdr, and PAM
_OTHER_SIZES = (
    (re.compile(rb"#\?[^\0]{1,4000}?\n[-+]Y (?P<height>\d{1,12}) [-+]X (?P<width>\d{1,12})\n"), b"#?"),
    (re.compile(rb"P7\s[^\0]{0,999}?WIDTH\s+(?P<width>\d{1,12})\s[^\0]{0,999}?HEIGHT\s+(?P<height>\d{1,12})\s"), b"P7"),
    (re.compile(rb"P7\s[^\0]{0,999}?HEIGHT\s+(?P<height>\d{1,12})\s[^\0]{0,999}?WIDTH\s+(?P<width>\d{1,12})\s"), b"P7"),
)  # fmt: skip
_GIF, _GIF_FRAME = (b"GIF87a", b"GIF89a"), b"\x21\xf9\x04"


def check_whole(data: bytes, name: str) -> None:
    """Raise InputError unless the bytes can be those of one whole picture; `name` stands in the message."""
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
    check_size(data, name)


def check_size(data: bytes, name: str) -> None:
    """Raise InputError for a picture whose header promises more pixels than memory can hold."""
    size = stored_size(data)
    for pattern, start in _OTHER_SIZES:
        if data.startswith(start) and (found := pattern.match(data)):
            size = int(found["width"]), int(found["height"])
    if size is not None:
        check_pixels(*size, name)
