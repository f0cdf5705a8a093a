"""Write a photo with its depth inside a JPEG, as Android phones store portraits: GDepth, and Dynamic Depth.

Sources: Google's "Depthmap Metadata" (GDepth) and "Dynamic Depth 1.0". Both keep a picture of the depth between two
ends; GDepth as text in extended XMP, Dynamic Depth as a file behind the photo.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from depthapps.core.camera import Camera
from depthapps.core.errors import InputError
from depthapps.core.geometry import filled_inverse_depth
from depthapps.core.scene import FloatMap, Scene
from depthapps.io.inputs import StrPath
from depthapps.io.outputs import Outputs, check_suffix, opened
from depthapps.io.photos.images import encode, encode_image
from depthapps.io.photos.jpeg import with_xmp, xmp_guid
from depthapps.io.photos.metadata import Metadata

FARTHEST_M = 10_000.0  # depth that stands for infinity, which neither form can tell
LARGEST_DEPTH = 2048  # pixels a side of the depth picture; phones' own are smaller, and galleries load it whole
_JPEGS = (".jpg", ".jpeg")
_PACKET = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="depthapps"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" {attributes}>{body}'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)
_GDEPTH = 'xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/"'
_DYNAMIC = " ".join(
    f'xmlns:{name}="http://ns.google.com/photos/dd/1.0/{name.lower()}/"'
    for name in ("Device", "Profile", "Camera", "DepthMap", "Image", "ImagingModel", "Container", "Item")
)
_PRIMARY_URI, _DEPTH_URI = "primary_image", "android/depthmap"


@dataclass(frozen=True, eq=False)
class DepthLevels:
    """Depth between two ends, in even steps of 1/Z.

    share: (h, w) float32, from 0 at `far_m` to 1 at `near_m`, without holes.
    """

    share: FloatMap
    near_m: float
    far_m: float


def depth_levels(scene: Scene) -> DepthLevels:
    """Spread a scene's depth from its nearest to its farthest point; a hole takes the background beside it."""
    inverse = np.maximum(filled_inverse_depth(scene.depth_m), np.float32(1 / FARTHEST_M))
    scale = LARGEST_DEPTH / max(inverse.shape)
    if scale < 1:  # no depth between two surfaces comes in
        size = round(inverse.shape[1] * scale), round(inverse.shape[0] * scale)
        inverse = np.asarray(cv2.resize(inverse, size, interpolation=cv2.INTER_NEAREST_EXACT))
    low, high = float(inverse.min()), float(inverse.max())
    if not low < high:
        raise InputError("all of the picture has one depth: there is nothing to refocus", hint="is it the right file?")
    return DepthLevels((inverse - np.float32(low)) / np.float32(high - low), 1 / high, 1 / low)


def write_gdepth(
    path: StrPath,
    scene: Scene,
    metadata: Metadata | None = None,
    *,
    in_metres: bool = True,
    outputs: Outputs | None = None,
) -> None:
    """Write a photo with its depth as GDepth. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        A ``.jpg`` file.
    scene : Scene
        The photo and its depth.
    metadata : Metadata, optional
        As for `write_image`.
    in_metres : bool
        Whether the depth is in metres. If these are a guess, the file tells no unit.
    outputs : Outputs, optional
        The group of files that this one belongs to. Without it the file is written at once and replaces an old one.

    Raises
    ------
    InputError
        All of the picture has one depth.
    OutputError
        The file cannot be written, or has another suffix.

    Notes
    -----
    Depth is a PNG of 16 bits, even in 1/Z ("RangeInverse"), in metres along the axis, at most LARGEST_DEPTH pixels a
    side.
    """
    path = Path(path)
    check_suffix(path, _JPEGS, "a portrait with GDepth")
    levels = depth_levels(scene)
    data = base64.b64encode(_png(levels)).decode("ascii")
    extended = _PACKET.format(attributes=f'{_GDEPTH} GDepth:Data="{data}"', body="").encode()
    camera, unit = scene.camera, 'GDepth:Units="m" ' if in_metres else ""
    attributes = (
        f'{_GDEPTH} xmlns:xmpNote="http://ns.adobe.com/xmp/note/" GDepth:Format="RangeInverse" '
        f'GDepth:Near="{levels.near_m:.9g}" GDepth:Far="{levels.far_m:.9g}" GDepth:Mime="image/png" {unit}'
        f'GDepth:MeasureType="OpticalAxis" GDepth:Software="depthapps" GDepth:ImageWidth="{camera.width}" '
        f'GDepth:ImageHeight="{camera.height}" xmpNote:HasExtendedXMP="{xmp_guid(extended)}" '
        f'xmlns:ImagingModel="http://ns.google.com/photos/dd/1.0/imagingmodel/" {_lens(camera)}'  # GDepth has no lens
    )
    packet = _PACKET.format(attributes=attributes, body="").encode()
    photo = with_xmp(encode_image(path, scene.image, metadata), packet, extended)
    with opened(outputs, [path]) as group:
        group.write(path, photo)


def write_dynamic_depth(
    path: StrPath,
    scene: Scene,
    metadata: Metadata | None = None,
    *,
    in_metres: bool = True,
    outputs: Outputs | None = None,
) -> None:
    """Write a photo with its depth as Dynamic Depth, of the profile "DepthPhoto". The file appears when it is whole.

    Parameters
    ----------
    path, scene, metadata, in_metres, outputs
        As for `write_gdepth`.

    Raises
    ------
    InputError
        All of the picture has one depth.
    OutputError
        The file cannot be written, or has another suffix.
    """
    path = Path(path)
    check_suffix(path, _JPEGS, "a portrait with Dynamic Depth")
    levels = depth_levels(scene)
    depth = _png(levels)
    body = _container(len(depth)) + _profile() + _camera(levels, scene.camera, in_metres)
    packet = _PACKET.format(attributes=_DYNAMIC, body=body).encode()
    photo = with_xmp(encode_image(path, scene.image, metadata), packet)
    with opened(outputs, [path]) as group:
        group.write(path, photo + depth)


def _png(levels: DepthLevels) -> bytes:
    """Depth as 16-bit grey: 0 at the near end, as both forms have it."""
    return encode(Path("depth.png"), np.rint((1 - levels.share) * 65535).astype(np.uint16))


def _sequence(name: str, *entries: str) -> str:
    listed = "".join(f'<rdf:li rdf:parseType="Resource">{entry}</rdf:li>' for entry in entries)
    return f"<{name}><rdf:Seq>{listed}</rdf:Seq></{name}>"


def _container(depth_bytes: int) -> str:
    """The list of the files in this file; the photo comes first and has no length of its own."""
    items = (
        f'<Container:Item Item:Mime="image/jpeg" Item:Length="0" Item:DataURI="{_PRIMARY_URI}"/>',
        f'<Container:Item Item:Mime="image/png" Item:Length="{depth_bytes}" Item:DataURI="{_DEPTH_URI}"/>',
    )
    directory = _sequence("Container:Directory", *items)
    return f'<Device:Container rdf:parseType="Resource">{directory}</Device:Container>'


def _profile() -> str:
    cameras = "<Profile:CameraIndices><rdf:Seq><rdf:li>0</rdf:li></rdf:Seq></Profile:CameraIndices>"
    return _sequence("Device:Profiles", f'<Device:Profile Profile:Type="DepthPhoto">{cameras}</Device:Profile>')


def _camera(levels: DepthLevels, camera: Camera, in_metres: bool) -> str:
    """The camera, with its photo, its depth and its lens; positions are shares of the picture from its corner."""
    unit = "Meters" if in_metres else "None"
    parts = (
        f'<Camera:Image Image:ItemSemantic="Primary" Image:ItemURI="{_PRIMARY_URI}"/>',
        f'<Camera:DepthMap DepthMap:Format="RangeInverse" DepthMap:Near="{levels.near_m:.9g}" '
        f'DepthMap:Far="{levels.far_m:.9g}" DepthMap:Units="{unit}" DepthMap:MeasureType="OpticalAxis" '
        f'DepthMap:ItemSemantic="Depth" DepthMap:DepthURI="{_DEPTH_URI}"/>',
        f"<Camera:ImagingModel {_lens(camera)}/>",
    )
    return _sequence("Device:Cameras", f'<Device:Camera Camera:Trait="Physical">{"".join(parts)}</Device:Camera>')


def _lens(camera: Camera) -> str:
    """The lens as Dynamic Depth has it: shares of the longer side, and of both sides from the picture's corner."""
    center = (camera.cx + 0.5) / camera.width, (camera.cy + 0.5) / camera.height
    return (
        f'ImagingModel:FocalLengthX="{camera.fx / max(camera.width, camera.height):.9g}" '
        f'ImagingModel:FocalLengthY="{camera.fy / max(camera.width, camera.height):.9g}" '
        f'ImagingModel:ImageWidth="{camera.width}" ImagingModel:ImageHeight="{camera.height}" '
        f'ImagingModel:PrincipalPointX="{center[0]:.9g}" ImagingModel:PrincipalPointY="{center[1]:.9g}"'
    )
