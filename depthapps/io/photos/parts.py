"""Find the depth inside a JPEG file. Nothing is decoded, so that this is quick.

Sources: Google's GDepth and Dynamic Depth for Android; Apple's auxiliary pictures.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from depthapps.io.photos.jpeg import end_of_picture, multi_pictures, xmp_packets
from depthapps.io.photos.phone_maps import appended_depth
from depthapps.io.photos.xmp import Xmp

_PICTURES = (b"\xff\xd8\xff", b"\x89PNG")
_DEPTH_SEMANTICS = ("Depth", "DepthMap")


@dataclass(frozen=True)
class EncodedDepth:
    """Depth inside a JPEG file, as its bytes stand there.

    Attributes
    ----------
    maker : str
        "apple" or "google", which describe the range of the depth differently; any other has no range and no unit.
    picture : bytes or None
        The encoded depth picture; None where the file announces one that is not in it.
    xmp : Xmp
        The properties that describe it.
    photo : bytes or None
        The encoded sharp photo, where the file keeps it beside the one that the phone has blurred.
    orientation : int or None
        EXIF orientation of the depth picture; None for that of the photo.
    """

    maker: str
    picture: bytes | None
    xmp: Xmp
    photo: bytes | None = None
    orientation: int | None = None


def encoded_depth(data: bytes, xmp: Xmp) -> EncodedDepth | None:
    """The depth inside a JPEG file, of which `xmp` are the properties; None where there is none."""
    listed = any(entry.get("item:Semantic", "") in _DEPTH_SEMANTICS for entry in xmp.entries("item:Semantic"))
    if listed or "depthmap:Data" in xmp.properties or "depthmap:DepthURI" in xmp.properties:
        return _google_depth(data, xmp)
    for picture in multi_pictures(data)[1:]:
        own = Xmp(xmp_packets(picture.data))
        if is_apple_depth(own):
            return EncodedDepth("apple", picture.data, own)
    raw = appended_depth(data, xmp)
    if raw is None:
        return None
    # a PGM file, so that what follows need not know that there was none
    picture = b"P5 %d %d 255\n" % (raw.width, raw.height) + raw.samples if raw.samples else None
    return EncodedDepth(raw.maker, picture, xmp, raw.photo, raw.orientation)


def is_apple_depth(xmp: Xmp) -> bool:
    """Whether the XMP of a picture says that it is depth. Mattes say so too, but have a subtype."""
    kind = xmp.properties.get("pixeldatainfo:AuxiliaryImageType", "").lower()
    return kind in ("depth", "disparity") and "pixeldatainfo:AuxiliaryImageSubType" not in xmp.properties


def _google_depth(data: bytes, xmp: Xmp) -> EncodedDepth:
    """GDepth keeps pictures as text in XMP; Dynamic Depth appends them to the file and lists their lengths in XMP.

    Pixel phones of 2023 and later list them by their semantics, as Ultra HDR photos list gain maps.
    """
    if "depthmap:Data" in xmp.properties:
        return EncodedDepth("google", from_text(xmp, "depthmap:Data"), xmp, from_text(xmp, "image:Data"))
    appended = _appended(data, xmp)
    wanted = (xmp.properties.get("depthmap:DepthURI", ""), *_DEPTH_SEMANTICS)
    picture = next((appended[item] for item in wanted if item in appended), None)
    photo = next((item for uri, item in appended.items() if "original" in uri.lower()), None)
    return EncodedDepth("google", picture, xmp, photo)


def from_text(xmp: Xmp, name: str) -> bytes | None:
    """The bytes that XMP keeps as text in base 64; None where it has none, or damaged ones."""
    text = xmp.properties.get(name)
    if not text:
        return None
    try:
        return base64.b64decode("".join(text.split()) + "==")
    except (binascii.Error, ValueError):
        return None


def _appended(data: bytes, xmp: Xmp) -> dict[str, bytes]:
    """The items behind the first picture by their names, as the directory of the container lists them."""
    for prefix in ("item", "container", "containeritem"):
        entries = xmp.entries(f"{prefix}:Mime")
        if not entries:
            continue
        lengths, padding = ([_length(e.get(f"{prefix}:{name}")) for e in entries] for name in ("Length", "Padding"))
        names = [e.get(f"{prefix}:DataURI") or e.get(f"{prefix}:Semantic") or str(k) for k, e in enumerate(entries)]
        behind = sum(lengths[1:]) + sum(padding[1:])
        # The items are the last bytes of the file. Where another program has appended more since, they follow the
        # first picture.
        for start in (len(data) - behind, end_of_picture(data) + padding[0]):
            found, at = {}, start
            for name, length, pad in zip(names[1:], lengths[1:], padding[1:], strict=True):
                found[name] = data[at : at + length]
                at += length + pad
            if all(item.startswith(_PICTURES) for n, item in found.items() if "depth" in n.lower()):
                return found
    return {}


def _length(text: str | None) -> int:
    """A length in bytes; 0 where it is missing or not a number."""
    return int(text) if text and text.isdecimal() else 0
