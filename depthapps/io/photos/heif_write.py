"""Write HEIF files of several pictures: portraits with depth, and spatial photos, as Apple's devices store them.

pillow-heif encodes each picture by itself; the boxes that tie them together (ISO/IEC 14496-12 and 23008-12) are written
here, because libheif has no call for auxiliary pictures, camera boxes and stereo groups. Apple's own boxes are those
that iPhones write, from before the standard had their like.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from depthapps.core.camera import Camera
from depthapps.core.color import to_8bit
from depthapps.core.errors import MissingExtraError, OutputError
from depthapps.core.scene import Image, Scene, StereoPair
from depthapps.io.formats import HEIC_SUFFIXES
from depthapps.io.inputs import StrPath
from depthapps.io.outputs import Outputs, check_suffix, opened
from depthapps.io.photos.depth_jpeg import depth_levels
from depthapps.io.photos.heif_file import NOT_DECODED
from depthapps.io.photos.isobmff import Property, read_items
from depthapps.io.photos.metadata import Metadata, exif_for

_QUALITY = 90  # of HEVC: what iPhones write looks alike
_LOSSLESS = -1  # pillow-heif's word for it
_XMP_TYPE = b"application/rdf+xml\0"
_EXTRINSICS = bytes.fromhex("4363e9145b7d4aab97aebea69803b434")
_INTRINSICS = bytes.fromhex("22cc04c7d6d94e079d904eb6ecbaf3a3")
_ADJUSTMENT = bytes.fromhex("de22508536cb436587432f8705e7c78a")
_SHIFT = 30  # numbers of the intrinsics are shares of the picture in units of 2^-30, or coarser ones for long lenses
_FARTHEST_M = 2000.0  # from the first camera: places are told in micrometres and 32 bits
_PER_SHARE = 10_000  # units of the disparity adjustment in a width of the picture
_DEPTH = b"\0\0\0\0urn:mpeg:hevc:2015:auxid:2\0"  # auxC: version and flags, and the kind of picture


@dataclass(frozen=True)
class _Item:
    """A picture, EXIF or XMP of the file. about: the number of the item that it describes, by its kind of reference."""

    kind: bytes
    content: bytes
    properties: tuple[Property, ...] = ()
    about: tuple[bytes, int] | None = None


def write_portrait_heic(
    path: StrPath,
    scene: Scene,
    metadata: Metadata | None = None,
    *,
    in_metres: bool = True,
    outputs: Outputs | None = None,
) -> None:
    """Write a photo with its disparity as an iPhone's portrait has it. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        A ``.heic`` file.
    scene : Scene
        The photo and its depth.
    metadata : Metadata, optional
        EXIF and colour profile of the photo.
    in_metres : bool
        Whether the depth is in metres; if these are a guess, the file says that its depth is relative.
    outputs : Outputs, optional
        The group of files that this one belongs to. Without it the file is written at once and replaces an old one.

    Raises
    ------
    InputError
        All of the picture has one depth.
    OutputError
        The file cannot be written, or has another suffix.
    MissingExtraError
        pillow-heif is not installed.

    Notes
    -----
    The depth is 8-bit grey without loss: 1/Z in 1/m between the two ends that Apple's XMP beside it names, with the
    photo's camera.
    """
    path = Path(path)
    check_suffix(path, HEIC_SUFFIXES, "a portrait")
    levels = depth_levels(scene)
    shown = _encoded(path, to_8bit(scene.image), metadata, _QUALITY)
    depth = _encoded(path, np.rint(levels.share * 255).astype(np.uint8), None, _LOSSLESS)[0]
    number = len(shown) + 1
    xmp = _depth_xmp(1 / levels.far_m, 1 / levels.near_m, scene.camera, in_metres)
    auxiliary = replace(depth, properties=(*depth.properties, Property(b"auxC", _DEPTH)), about=(b"auxl", 1))
    data = heif_bytes([*shown, auxiliary, _Item(b"mime", xmp, about=(b"cdsc", number))])
    with opened(outputs, [path]) as group:
        group.write(path, data)


def write_spatial(
    path: StrPath,
    pair: StereoPair,
    metadata: Metadata | None = None,
    *,
    shift_px: float = 0.0,
    outputs: Outputs | None = None,
) -> None:
    """Write two rectified views as a spatial photo of an iPhone or Vision Pro. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        A ``.heic`` file.
    pair : StereoPair
        The views, with their calibration.
    metadata : Metadata, optional
        EXIF and colour profile of the photos.
    shift_px : float, optional
        How far viewers move the views apart, in pixels, so that what has this disparity lies in the window.
    outputs : Outputs, optional
        As for `write_portrait_heic`.

    Raises
    ------
    OutputError
        The file cannot be written, or has another suffix.
    MissingExtraError
        pillow-heif is not installed.

    Notes
    -----
    Both views stand in a stereo group, left first. Each has the intrinsics of its camera, its place in micrometres and
    the disparity adjustment in ten thousandths of the width. HEVC codes an even number of rows and columns; the last
    one of an odd number is left out, because readers disagree where the middle of a cropped picture is.
    """
    path = Path(path)
    check_suffix(path, HEIC_SUFFIXES, "a spatial photo")
    calibration = pair.calibration
    height, width = (side // 2 * 2 for side in pair.left.shape[:2])
    left = replace(calibration.camera, width=width, height=height)
    right = replace(left, cx=left.cx + calibration.doffs_px)
    adjustment = round(shift_px / width * _PER_SHARE)
    items: list[_Item] = []
    pictures = []
    for view, camera, place_m in ((pair.left, left, 0.0), (pair.right, right, calibration.baseline_m)):
        start = len(items) + 1
        own = _encoded(path, to_8bit(view[:height, :width]), metadata, _QUALITY)
        described = (*own[0].properties, *_spatial_properties(camera, place_m, adjustment))
        moved = [replace(i, about=(i.about[0], start)) if i.about else i for i in own[1:]]
        items += [replace(own[0], properties=described), *moved]
        pictures.append(start)
    with opened(outputs, [path]) as group:
        group.write(path, heif_bytes(items, stereo=pictures))


def heif_bytes(items: Sequence[_Item], *, stereo: Sequence[int] = ()) -> bytes:
    """A HEIF file of items with the numbers 1, 2, ..., the first of them shown first; `stereo`: left and right view."""
    properties: list[bytes] = []
    associations, references, infos = b"", b"", b""
    for number, item in enumerate(items, 1):
        first = len(properties) + 1
        properties += [_box(p.kind, p.content) for p in item.properties]
        if item.properties:
            # descriptive properties may be ignored, those of the decoder may not
            indices = bytes(
                (first + k) | (0x80 if p.kind in (b"hvcC", b"irot") else 0) for k, p in enumerate(item.properties)
            )
            associations += struct.pack(">HB", number, len(indices)) + indices
        if item.about:
            references += _box(item.about[0], struct.pack(">HHH", number, 1, item.about[1]))
        hidden = 1 if item.kind != b"hvc1" or (item.about and item.about[0] == b"auxl") else 0
        name = b"\0" + (_XMP_TYPE if item.kind == b"mime" else b"")
        infos += _box(b"infe", struct.pack(">IHH4s", 2 << 24 | hidden, number, 0, item.kind) + name)
    count = sum(bool(item.properties) for item in items)
    boxes = [
        _box(b"hdlr", bytes(8) + b"pict" + bytes(13)),
        _box(b"pitm", bytes(4) + struct.pack(">H", 1)),
        _box(b"iinf", bytes(4) + struct.pack(">H", len(items)) + infos),
        _box(b"iref", bytes(4) + references) if references else b"",
        _box(
            b"iprp",
            _box(b"ipco", b"".join(properties)) + _box(b"ipma", bytes(4) + struct.pack(">I", count) + associations),
        ),
        _box(b"grpl", _box(b"ster", bytes(4) + struct.pack(">IIII", len(items) + 1, 2, *stereo))) if stereo else b"",
    ]
    head = _box(b"ftyp", b"heic\0\0\0\0mif1heic" + (b"MiHB" if not stereo else b""))
    contents = [item.content for item in items]
    start = len(head) + len(_meta(boxes, contents, 0)) + 8
    return head + _meta(boxes, contents, start) + _box(b"mdat", b"".join(contents))


def _meta(boxes: list[bytes], contents: list[bytes], start: int) -> bytes:
    """The box that describes the items, whose contents stand one behind the other from `start` on."""
    places, at = b"", start
    for number, content in enumerate(contents, 1):
        places += struct.pack(">HHHHII", number, 0, 0, 1, at, len(content))
        at += len(content)
    located = _box(b"iloc", b"\1\0\0\0\x44\0" + struct.pack(">H", len(contents)) + places)
    return _box(b"meta", bytes(4) + b"".join(boxes) + located)


def _box(kind: bytes, content: bytes) -> bytes:
    """A box of four letters, or a uuid box of 16 bytes."""
    kind, content = (kind, content) if len(kind) == 4 else (b"uuid", kind + content)
    return struct.pack(">I4s", len(content) + 8, kind) + content


def _encoded(path: Path, image: Image | NDArray[np.uint8], metadata: Metadata | None, quality: int) -> list[_Item]:
    """The items of one picture, (H, W, 3) or grey (H, W): itself as number 1, and its EXIF if there is one."""
    try:
        import pillow_heif  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise MissingExtraError(f"writing {path.name}", "heif") from None
    options = {"icc_profile": metadata.icc} if metadata and metadata.icc else {}
    exif = exif_for(metadata, image.shape[1], image.shape[0]) if metadata else b""
    file = BytesIO()
    try:
        picture = pillow_heif.from_pillow(Pillow.fromarray(np.ascontiguousarray(image)))
        picture.save(file, quality=quality, exif=None, **options)
    except NOT_DECODED as error:
        raise OutputError(f"{path.name} could not be encoded ({error})", hint="try another format") from None
    own = read_items(file.getvalue())
    items = [_Item(b"hvc1", own.contents[own.primary], tuple(own.properties[own.primary]))]
    # in front of the TIFF stream stands its offset behind what may be a name
    return items + ([_Item(b"Exif", bytes(4) + exif, about=(b"cdsc", 1))] if exif else [])


def _spatial_properties(camera: Camera, place_m: float, adjustment: int) -> tuple[Property, ...]:
    """Apple's boxes: where the camera stood along X, its intrinsics as shares of the picture, the adjustment."""
    if place_m > _FARTHEST_M:
        raise OutputError(
            f"cameras {place_m:.0f} m apart cannot be told in a spatial photo",
            hint="check the baseline, or choose .mpo",
        )
    place_um = round(place_m * 1e6)
    place = struct.pack(">Ii", 1, place_um) if place_um else bytes(4)  # flag 1: a place on the axis X follows
    # the standard counts from the picture's corner, this package from the first pixel's centre
    shares = camera.fx / camera.width, (camera.cx + 0.5) / camera.width, (camera.cy + 0.5) / camera.height
    shift = min(_SHIFT, 30 - math.floor(math.log2(max(map(abs, shares)))))  # so that all fit into 31 bits and a sign
    lens = struct.pack(">I3i", shift << 8, *(min(round(share * 2**shift), 2**31 - 1) for share in shares))
    return (
        Property(_EXTRINSICS, place),
        Property(_INTRINSICS, lens),
        Property(_ADJUSTMENT, struct.pack(">i", adjustment)),
    )


def _depth_xmp(low: float, high: float, camera: Camera, in_metres: bool) -> bytes:
    """The XMP beside a depth picture: its ends in 1/m, and the matrix of the camera column by column."""
    matrix = "".join(f"<rdf:li>{float(v)!r}</rdf:li>" for v in camera.matrix.T.ravel())
    properties = {
        "apdi:AuxiliaryImageType": "disparity",
        "apdi:FloatMinValue": f"{low:.9g}",
        "apdi:FloatMaxValue": f"{high:.9g}",
        "apdi:IntMinValue": "0",
        "apdi:IntMaxValue": "255",
        "apdi:StoredFormat": "1278226488",  # "L008": 8-bit grey
        "apdi:NativeFormat": "1751411059",  # "hdis": disparity in halves
        "depthData:Accuracy": "absolute" if in_metres else "relative",
        "depthData:Quality": "high",
        "depthData:Filtered": "true",
        "depthData:DepthDataVersion": "65541",
        "depthData:IntrinsicMatrixReferenceWidth": str(camera.width),
        "depthData:IntrinsicMatrixReferenceHeight": str(camera.height),
        "depthData:IntrinsicMatrix": f"<rdf:Seq>{matrix}</rdf:Seq>",
    }
    body = "".join(f"<{name}>{value}</{name}>" for name, value in properties.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:apdi="http://ns.apple.com/pixeldatainfo/1.0/" '
        f'xmlns:depthData="http://ns.apple.com/depthData/1.0/">{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()
