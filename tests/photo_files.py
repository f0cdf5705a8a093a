"""Photo files as phones and 3D cameras write them, made up: for tests of what reads them."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pillow

RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
GDEPTH = 'xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/"'
GIMAGE = 'xmlns:GImage="http://ns.google.com/photos/1.0/image/"'
DYNAMIC = " ".join(
    f'xmlns:{name}="http://ns.google.com/photos/dd/1.0/{name.lower()}/"'
    for name in ("Device", "Container", "Item", "Camera", "DepthMap")
)


def encoded(image: np.ndarray, suffix: str = ".jpg", **pillow: Any) -> bytes:
    """A picture's file: by Pillow where it is to have EXIF or a profile."""
    if pillow or suffix == ".jpg":
        file = BytesIO()
        kind = {".jpg": "JPEG", ".png": "PNG", ".tif": "TIFF"}[suffix]
        options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
        Pillow.fromarray(image).save(file, kind, **options, **pillow)
        return file.getvalue()
    return cv2.imencode(suffix, image)[1].tobytes()


def xmp(attributes: str, namespaces: str, body: str = "") -> bytes:
    """An XMP packet of one description."""
    description = f'<rdf:Description rdf:about="" {namespaces} {attributes}>{body}</rdf:Description>'
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {RDF}>{description}</rdf:RDF></x:xmpmeta>'.encode()


def with_segments(jpeg: bytes, *segments: tuple[int, bytes]) -> bytes:
    """A JPEG with more segments, (marker, content), at its start."""
    added = b"".join(bytes((0xFF, m)) + struct.pack(">H", len(c) + 2) + c for m, c in segments)
    return jpeg[:2] + added + jpeg[2:]


def with_xmp(jpeg: bytes, packet: bytes, extended: bytes = b"") -> bytes:
    """A JPEG with an XMP packet, and with an extended one in parts, in an order of no meaning."""
    guid, part = b"0123456789ABCDEF0123456789ABCDEF", 60000
    parts = [
        (
            0xE1,
            b"http://ns.adobe.com/xmp/extension/\0" + guid + struct.pack(">II", len(extended), k) + extended[k:][:part],
        )
        for k in range(0, len(extended), part)
    ]
    return with_segments(jpeg, (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet), *parts[::-1])


def gdepth_jpeg(
    photo: bytes, depth: bytes, original: bytes | None = None, *, extended: bool = False, **attributes: Any
) -> bytes:
    """A photo with GDepth: attributes Format, Near, Far, Units, ..."""
    named = " ".join(f'GDepth:{name}="{value}"' for name, value in attributes.items())
    data = f'GDepth:Data="{base64.b64encode(depth).decode()}"'
    if original:
        data += f' GImage:Data="{base64.b64encode(original).decode()}"'
    if extended:
        note = 'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="0123456789ABCDEF0123456789ABCDEF"'
        return with_xmp(photo, xmp(f"{named} {note}", GDEPTH), xmp(data, f"{GDEPTH} {GIMAGE}"))
    return with_xmp(photo, xmp(f"{named} {data}", f"{GDEPTH} {GIMAGE}"))


def dynamic_depth_jpeg(photo: bytes, items: dict[str, bytes], tail: bytes = b"", **attributes: Any) -> bytes:
    """A photo with a Dynamic Depth container: items by their names, appended; `tail` is what others append."""
    depth = "".join(f"<DepthMap:{name}>{value}</DepthMap:{name}>" for name, value in attributes.items())
    cameras = (
        '<Device:Cameras><rdf:Seq><rdf:li rdf:parseType="Resource"><Camera:DepthMap rdf:parseType="Resource">'
        f"{depth}<DepthMap:DepthURI>android/depthmap</DepthMap:DepthURI></Camera:DepthMap></rdf:li></rdf:Seq>"
        "</Device:Cameras>"
    )
    directory = f"<Device:Container>{_directory(items, 'DataURI')}</Device:Container>"
    return with_xmp(photo, xmp("", DYNAMIC, directory + cameras)) + b"".join(items.values()) + tail


def container_jpeg(photo: bytes, items: dict[str, bytes]) -> bytes:
    """A photo with items by their semantics, as late Pixels and Ultra HDR photos have them."""
    namespaces = (
        'xmlns:Container="http://ns.google.com/photos/1.0/container/" '
        'xmlns:Item="http://ns.google.com/photos/1.0/container/item/"'
    )
    return with_xmp(photo, xmp("", namespaces, _directory(items, "Semantic"))) + b"".join(items.values())


def _directory(items: dict[str, bytes], key: str) -> str:
    entries = "".join(
        f'<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg" Item:Length="{len(item)}" '
        f'Item:Padding="0" Item:{key}="{name}"/></rdf:li>'
        for name, item in {"Primary": b"", **items}.items()
    )
    return f"<Container:Directory><rdf:Seq>{entries}</rdf:Seq></Container:Directory>"


def multi_picture(
    pictures: list[bytes], numbers: list[int], baseline: tuple[int, int] = (75, 1000), kind: int = 0x020002
) -> bytes:
    """A multi-picture file (CIPA DC-007) of JPEGs with their individual image numbers and a baseline in metres."""

    def directory(entries: list[tuple[int, int, int, bytes]], at: int, following: int) -> bytes:
        head, tail = struct.pack(">H", len(entries)), b""
        behind = at + 2 + 12 * len(entries) + 4
        for tag, form, count, value in entries:
            head += struct.pack(">HHI", tag, form, count)
            head += value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(">I", behind + len(tail))
            tail += b"" if len(value) <= 4 else value
        return head + struct.pack(">I", following) + tail

    def attributes(number: int) -> list[tuple[int, int, int, bytes]]:
        return [(0xB101, 4, 1, struct.pack(">I", number)), (0xB206, 5, 1, struct.pack(">II", *baseline))]

    header = b"MM\0*" + struct.pack(">I", 8)
    others = [
        with_segments(p, (0xE2, b"MPF\0" + header + directory(attributes(n), 8, 0)))
        for p, n in zip(pictures[1:], numbers[1:], strict=True)
    ]

    def first(offsets: list[int], sizes: list[int]) -> bytes:
        table = b"".join(struct.pack(">IIIHH", kind, s, o, 0, 0) for s, o in zip(sizes, offsets, strict=True))
        index = [(0xB001, 4, 1, struct.pack(">I", len(pictures))), (0xB002, 7, len(table), table)]
        length = len(directory(index, 8, 0))
        body = directory(index, 8, 8 + length) + directory(attributes(numbers[0]), 8 + length, 0)
        return with_segments(pictures[0], (0xE2, b"MPF\0" + header + body))

    size = len(first([0] * len(pictures), [0] * len(pictures)))
    start = 2 + 4 + 4  # of the MP header in the file: behind SOI, the segment's head, and "MPF\0"
    offsets = [0] + [size + sum(len(o) for o in others[:k]) - start for k in range(len(others))]
    return first(offsets, [size, *(len(o) for o in others)]) + b"".join(others)


def jps_file(picture: bytes, layout: int = 2, flags: int = 0, media: int = 1) -> bytes:
    """A JPEG with the stereoscopic descriptor of a JPS file: distance, flags, layout, media type, and no comment."""
    return with_segments(picture, (0xE3, b"_JPSJPS_" + struct.pack(">HBBBBH", 4, 0, flags, layout, media, 0)))


def lif_file(first: bytes, blobs: dict[int, bytes], meta: object, kind: int = 7) -> bytes:
    """A JPEG in Leia's format: fields by their kinds, the JSON among them, and the way back to them at the end."""
    fields = blobs | {kind: json.dumps(meta).encode()}
    region = struct.pack(">I", len(fields))
    region += b"".join(struct.pack(">II", number, len(blob)) + blob for number, blob in fields.items())
    return first + region + struct.pack(">I", len(region) + 6) + b"\x1e\x1a"


def samsung_file(photo: bytes, entries: dict[str, bytes]) -> bytes:
    """A JPEG with Samsung's trailer: named entries, and a list of how far before it each one stands."""
    blocks = [b"\0\0\xb1\n" + struct.pack("<I", len(n)) + n.encode() + content for n, content in entries.items()]
    table = b"SEFH" + struct.pack("<II", 101, len(blocks))
    for k, block in enumerate(blocks):
        table += b"\0\0\xb1\n" + struct.pack("<II", sum(map(len, blocks[k:])), len(block))
    return photo + b"".join(blocks) + table + struct.pack("<I", len(table)) + b"SEFT"


def huawei_file(jpegs: list[bytes], width: int, height: int, samples: bytes, turn: int = 0) -> bytes:
    """JPEGs with Huawei's depth behind them."""
    header = b"edof" + bytes((0, 0, 0, 0, 1, 0, 0, 0x10 | turn)) + bytes(8) + struct.pack("<HH", width, height)
    return b"".join(jpegs) + b"\x56\xe9" + header.ljust(72, b"\0") + samples


def mediatek_file(photo: bytes, width: int, height: int, samples: bytes) -> bytes:
    """A JPEG with a depth map in segments, as phones with MediaTek's camera write it."""
    parts = [samples[k : k + 60000] for k in range(0, len(samples), 60000)]
    packet = xmp(
        f'M:DepthBufferWidth="{width}" M:DepthBufferHeight="{height}"', 'xmlns:M="http://ns.mediatek.com/refocus/"'
    )
    segments = [(0xEF, struct.pack(">I", len(samples)) + b"DEPTHBF" + bytes((k,)) + p) for k, p in enumerate(parts)]
    return with_segments(with_xmp(photo, packet), *segments)


GPANO = 'xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"'


def vr_file(left: bytes, right: bytes, **pano: Any) -> bytes:
    """A Cardboard or VR180 photo: the right view inside the XMP of the left one, and GPano's numbers."""
    named = " ".join(f'GPano:{name}="{value}"' for name, value in pano.items())
    note = 'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="0123456789ABCDEF0123456789ABCDEF"'
    data = f'GImage:Mime="image/jpeg" GImage:Data="{base64.b64encode(right).decode()}"'
    return with_xmp(left, xmp(f"{named} {note}", GPANO), xmp(data, GIMAGE))


@dataclass(frozen=True, eq=False)
class HeifItem:
    """A picture of a HEIF file, (H, W, 3) or grey: box properties, what it is auxiliary to, and its XMP."""

    image: np.ndarray
    properties: tuple[tuple[bytes, bytes], ...] = ()
    auxiliary_to: int | None = None
    xmp: bytes = b""


def heif_file(items: list[HeifItem], stereo: tuple[int, int] | None = None) -> bytes:
    """A HEIF file of items with the ids 1, 2, ..., the first of them primary; `stereo` makes two of them a pair."""
    import pillow_heif

    from depthapps.io.photos.isobmff import read_items

    def box(kind: bytes, content: bytes) -> bytes:
        kind, content = (kind, content) if len(kind) == 4 else (b"uuid", kind + content)
        return struct.pack(">I4s", len(content) + 8, kind) + content

    payloads, types, properties, associations, references = [], [], [], [], b""
    for number, item in enumerate(items, 1):
        file = BytesIO()
        pillow_heif.from_pillow(Pillow.fromarray(item.image)).save(file, quality=90)
        own = read_items(file.getvalue())
        indices = []
        for kind, content in [(p.kind, p.content) for p in own.properties[own.primary]] + list(item.properties):
            properties.append(box(kind, content))
            indices.append(len(properties))
        associations.append(struct.pack(">HB", number, len(indices)) + bytes(0x80 | i for i in indices))
        payloads.append(own.contents[own.primary])
        types.append(b"hvc1")
        if item.auxiliary_to:
            references += box(b"auxl", struct.pack(">HHH", number, 1, item.auxiliary_to))
    for number, item in enumerate(items, 1):
        if item.xmp:
            payloads.append(item.xmp)
            types.append(b"mime")
            references += box(b"cdsc", struct.pack(">HHH", len(types), 1, number))

    infos = b"".join(
        box(
            b"infe",
            b"\2\0\0\0" + struct.pack(">HH4s", k, 0, t) + b"\0" + (b"application/rdf+xml\0" if t == b"mime" else b""),
        )
        for k, t in enumerate(types, 1)
    )

    def meta(start: int) -> bytes:
        places, at = b"", start
        for number, payload in enumerate(payloads, 1):
            places += struct.pack(">HHHHII", number, 0, 0, 1, at, len(payload))
            at += len(payload)
        boxes = [
            box(b"hdlr", bytes(8) + b"pict" + bytes(13)),
            box(b"pitm", bytes(4) + struct.pack(">H", 1)),
            box(b"iinf", bytes(4) + struct.pack(">H", len(types)) + infos),
            box(b"iref", bytes(4) + references) if references else b"",
            box(
                b"iprp",
                box(b"ipco", b"".join(properties))
                + box(b"ipma", bytes(4) + struct.pack(">I", len(associations)) + b"".join(associations)),
            ),
            box(b"grpl", box(b"ster", bytes(4) + struct.pack(">IIII", 99, 2, *stereo))) if stereo else b"",
            box(b"iloc", b"\1\0\0\0\x44\0" + struct.pack(">H", len(payloads)) + places),
        ]
        return box(b"meta", bytes(4) + b"".join(boxes))

    head = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + box(b"mdat", b"".join(payloads))


APPLE = 'xmlns:apdi="http://ns.apple.com/pixeldatainfo/1.0/" xmlns:depthData="http://ns.apple.com/depthData/1.0/"'


def apple_xmp(kind: str, low: float, high: float, accuracy: str, camera: tuple[float, ...] = ()) -> bytes:
    """The XMP beside Apple's depth; camera: width, height, fx, fy, cx, cy."""
    body = (
        f"<apdi:AuxiliaryImageType>{kind}</apdi:AuxiliaryImageType><apdi:FloatMinValue>{low}</apdi:FloatMinValue>"
        f"<apdi:FloatMaxValue>{high}</apdi:FloatMaxValue><depthData:Accuracy>{accuracy}</depthData:Accuracy>"
    )
    if camera:
        width, height, fx, fy, cx, cy = camera
        matrix = "".join(f"<rdf:li>{v}</rdf:li>" for v in (fx, 0, 0, 0, fy, 0, cx, cy, 1))
        body += (
            f"<depthData:IntrinsicMatrixReferenceWidth>{width}</depthData:IntrinsicMatrixReferenceWidth>"
            f"<depthData:IntrinsicMatrixReferenceHeight>{height}</depthData:IntrinsicMatrixReferenceHeight>"
            f"<depthData:IntrinsicMatrix><rdf:Seq>{matrix}</rdf:Seq></depthData:IntrinsicMatrix>"
        )
    return xmp("", APPLE, body)
