"""Refuse picture files that are empty, cut off, damaged or animated, before a decoder sees them.

Decoders return such files half grey, or print messages of their own.
"""

from __future__ import annotations

from depthapps.core.errors import InputError
from depthapps.io.photos import jpeg, png

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
