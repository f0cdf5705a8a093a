"""Refuse picture files that are empty, cut off, damaged, animated, too large or of another kind, before a decoder.

Decoders return such files half grey, or print messages of their own.
"""

from __future__ import annotations

import re
from pathlib import PurePath

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
_GAP = rb"(?:\s|#[^\n]*\n)+"  # blanks and comments
# PBM, PGM and PPM: kinds 1 to 3 are text, 4 to 6 binary; a bitmap, 1 or 4, has no largest sample
_NETPBM = re.compile(
    rb"P(?:[14]|(?P<grey>[2356]))" + _GAP + rb"(?P<width>\d{1,12})" + _GAP + rb"(?P<height>\d{1,12})"
    rb"(?(grey)" + _GAP + rb"(?P<largest>\d{1,5}))\s"
)
_GIF, _GIF_PICTURE, _GIF_EXTENSION = (b"GIF87a", b"GIF89a"), 0x2C, 0x21

# What is no picture, or one that only its own program shows rightly: how it begins, what it is, and a step that helps.
_OTHERS = (
    (b"8BPS", "a Photoshop document", "export it as PNG or TIFF"),
    (b"%PDF", "a PDF", "export the picture in it as PNG"),
    (b"<svg", "an SVG drawing", "export it as PNG"),
    (b"<?xml", "an XML file", "pass the picture"),
    (b"<!doctype html", "a web page", "save the picture on it, not the page"),
    (b"<html", "a web page", "save the picture on it, not the page"),
    (b"\xff\x0a", "a JPEG XL picture", "convert it to PNG, as djxl does"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture", "convert it to PNG, as djxl does"),
    (b"\x93NUMPY", "an array of numpy", "save it as a picture: a .tif by OpenCV's imwrite keeps floats"),
    (b"PK\3\4", "an archive", "unpack it first"),
)
_VIDEOS, _RAW_VIDEO = (b"mp4", b"iso", b"qt  ", b"avc1", b"M4V", b"3gp", b"mmp4"), b"crx "  # behind "ftyp"
# Raw photos are TIFF files too, whose first picture is a thumbnail.
_RAW = (".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf", ".pef", ".srw")


def check_whole(data: bytes, name: str) -> None:
    """Raise InputError unless the bytes can be those of one whole picture; `name` stands in the message."""
    if not data:
        raise InputError(f"{name} is not an image, it is empty: 0 bytes", hint="copy it anew from where it came")
    if other := _other_kind(data, name):
        raise InputError(f"{name} is not an image that can be read, it is {other[0]}", hint=other[1])
    is_png = data.startswith(png.SIGNATURE)
    if (data.startswith(jpeg.SIGNATURE) and not jpeg.end_of_picture(data)) or (is_png and not png.is_whole(data)):
        raise InputError(
            f"{name} is not an image that can be read, it is truncated or damaged",
            hint="copy it anew from where it came",
        )
    if (is_png and png.is_animation(data)) or _is_gif_animation(data) or _is_film_of_pictures(data):
        raise InputError(
            f"{name} is an animation, not a picture",
            hint="save the one frame that you want as PNG, or both views of a wiggle picture as two",
        )
    check_size(data, name)


def check_size(data: bytes, name: str) -> None:
    """Raise InputError for a picture whose header promises more pixels than the file or the memory can hold."""
    check_netpbm(data, name)
    size = stored_size(data)
    for pattern, start in _OTHER_SIZES:
        if data.startswith(start) and (found := pattern.match(data)):
            size = int(found["width"]), int(found["height"])
    if size is not None:
        check_pixels(*size, name)


def check_netpbm(data: bytes, name: str) -> None:
    """Raise InputError for a PBM, PGM or PPM that is cut off, which OpenCV does not tell from what it does not know."""
    header = _NETPBM.match(data)
    if header is None:
        return
    kind, width, height = int(data[1:2]), int(header["width"]), int(header["height"])
    samples = width * height * (3 if kind in (3, 6) else 1)
    if kind == 4:
        least = (width + 7) // 8 * height
    elif kind > 4:
        least = samples * (2 if int(header["largest"]) > 255 else 1)
    else:
        least = samples if kind == 1 else 2 * samples - 1  # digits, with a blank between two numbers
    if len(data) - header.end() < least:
        takes = f"{least / 1e9:.3g} GB" if least >= 1e9 else f"{least} bytes"
        raise InputError(
            f"{name} is truncated or damaged: {width}x{height} pixels take {takes} of memory, and "
            f"{len(data) - header.end()} bytes follow its header",
            hint="copy it anew from where it came",
        )


def _is_film_of_pictures(data: bytes) -> bool:
    """Whether a WebP has more than one picture (the flags of its VP8X chunk tell), or an AVIF is a sequence."""
    return (data[8:16] == b"WEBPVP8X" and bool(data[20:21] and data[20] & 2)) or data[4:12] == b"ftypavis"


def _is_gif_animation(data: bytes) -> bool:
    """Whether a GIF has more than one picture; its blocks are followed (GIF89a, sections 17 to 27)."""
    if not data.startswith(_GIF) or len(data) < 13:
        return False
    at, pictures = 13 + _colors(data[10]), 0
    while at < len(data) and data[at] in (_GIF_PICTURE, _GIF_EXTENSION):
        if data[at] == _GIF_PICTURE:
            pictures += 1
            at += 11 + (_colors(data[at + 9]) if at + 9 < len(data) else 0)
        else:
            at += 2
        while at < len(data) and data[at]:  # blocks of up to 255 bytes, each behind its length
            at += data[at] + 1
        at += 1
    return pictures > 1


def _colors(flags: int) -> int:
    """The bytes of a GIF's table of colours."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _other_kind(data: bytes, name: str) -> tuple[str, str] | None:
    """What a file is that is no picture for this program, and what to do about it; None for pictures."""
    brand = data[8:12] if data[4:8] == b"ftyp" else b""
    if brand == _RAW_VIDEO or PurePath(name).suffix.lower() in _RAW:
        return "a raw photo", "develop it to a TIFF of 16 bits or a JPEG, both views alike"
    if brand.startswith(_VIDEOS) or data[8:12] == b"AVI ":
        return "a video", "save the frame that you want as PNG"
    start = data[:16].lstrip().lower()
    return next(((what, step) for mark, what, step in _OTHERS if start.startswith(mark.lower())), None)
