"""Find two views inside one file: multi-picture files, pages, JPS, Leia LIF, Cardboard and VR180. Nothing is decoded.

Sources: CIPA DC-007 for multi-picture files; VRex's JPS; Google's Cardboard and VR180 photos (GPano and GImage in XMP).
"""

from __future__ import annotations

from dataclasses import dataclass

from depthapps.core.choices import Layout
from depthapps.io.photos.jpeg import SIGNATURE, MultiPicture, end_of_picture, multi_pictures, segments, size_of
from depthapps.io.photos.lif import LifViews, lif_views, whole_jpegs
from depthapps.io.photos.pages import two_pages
from depthapps.io.photos.parts import from_text
from depthapps.io.photos.sphere import SphereCrop, crop_of
from depthapps.io.photos.xmp import Xmp

_VIEWS_SIDE_BY_SIDE = 0x020002  # MP type code "multi-view image: disparity" (CIPA DC-007, 5.2.3.3.1)
_INDIVIDUAL_NUMBER = 0xB101
_BASELINE_LENGTH = 0xB206  # tag of an MP attribute, in metres (CIPA DC-007)
_UNKNOWN = 1.0  # the standard writes unknown numbers as 0xFFFFFFFF / 0xFFFFFFFF
_BASELINE_RANGE_M = (0.005, 0.5)  # two lenses of one camera are not nearer or farther apart
_BY_NAME = (".jps", ".pns")  # a JPEG or PNG with both views beside each other, the right one first
_APP3, _JPS = 0xE3, b"_JPSJPS_"
_STEREO, _LEFT_FIRST, _SQUEEZED = 1, 0x04, 0x03  # media type; flags of the stereoscopic descriptor
_LAYOUTS = {2: Layout.SIDE_BY_SIDE, 3: Layout.TOP_BOTTOM, 4: Layout.ANAGLYPH}
_SAMSUNG_END = b"SEFT"  # of a list of what stands behind the picture
_WIDEST_HALF = 1.2  # width over height of a view that may have been made half as wide; wider ones cannot have been


@dataclass(frozen=True)
class EncodedViews:
    """Two views inside a file, as their bytes stand there.

    Attributes
    ----------
    pictures : tuple of bytes
        The encoded left and right view, or one encoded picture that holds both as `layout` says.
    baseline_m : float or None
        Distance of the two cameras in metres; None where the file does not tell.
    focal_widths : float or None
        Focal length in widths of a view; None where the file does not tell.
    layout : Layout or None
        How one picture holds both views.
    cross_eyed, squeezed : bool
        The right view comes first; each view was made half as wide, or half as high.
    order_known : bool
        Whether the file itself says which view is left. A name alone is no proof.
    sphere : SphereCrop or None
        Which part of the sphere the views show, where they are no pinhole pictures.
    """

    pictures: tuple[bytes, ...]
    baseline_m: float | None = None
    focal_widths: float | None = None
    layout: Layout | None = None
    cross_eyed: bool = False
    squeezed: bool = False
    order_known: bool = True
    sphere: SphereCrop | None = None


def encoded_views(data: bytes, suffix: str, xmp: Xmp) -> EncodedViews | None:
    """The two views that a file says it holds, by its own description or by the suffix of its name; None without."""
    if data.startswith(SIGNATURE):
        if pictures := stereo_pictures(data):
            baseline = next((b for p in pictures if (b := _baseline_m(p)) is not None), None)
            return EncodedViews(tuple(p.data for p in pictures), baseline)
        if descriptor := _jps_descriptor(data):  # it is believed against the name, and where it tells of no pair
            return _jps_views(data, descriptor)
        if found := _vr_views(data, xmp):
            return found
        if lif := lif_views(data):
            return _of_lif(lif)
    if pages := two_pages(data):
        return EncodedViews(pages, order_known=False)
    if suffix.lower() in _BY_NAME:
        return EncodedViews((data,), layout=Layout.SIDE_BY_SIDE, cross_eyed=True, order_known=False)
    return None


def appended_view(data: bytes, xmp: Xmp) -> EncodedViews | None:
    """A whole second JPEG of the same size behind the first one, which nothing describes; None without.

    Only asked where there is no depth: phones keep the sharp original in this way beside their depth.
    """
    described = multi_pictures(data) or xmp.entries("item:Semantic") or data.endswith(_SAMSUNG_END)
    jpegs = whole_jpegs(data) if data.startswith(SIGNATURE) and not described else []
    return EncodedViews((jpegs[0], jpegs[1]), order_known=False) if len(jpegs) == 2 else None


def stereo_pictures(data: bytes) -> list[MultiPicture]:
    """The left and the right view of a multi-picture file; empty where it holds none.

    Panoramas and previews are no pairs. The standard numbers the views from left to right as the camera sees them.
    """
    pictures = [p for p in multi_pictures(data) if p.kind == _VIEWS_SIDE_BY_SIDE]
    if len(pictures) < 2:
        return []
    numbers = [n for p in pictures if isinstance(n := p.attributes.get(_INDIVIDUAL_NUMBER), int)]
    if len(numbers) == len(pictures):
        pictures = [pictures[k] for k in sorted(range(len(pictures)), key=numbers.__getitem__)]
    return pictures[:2]


def _baseline_m(picture: MultiPicture) -> float | None:
    try:
        length = float(picture.attributes[_BASELINE_LENGTH])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return length if length != _UNKNOWN and _is_baseline(length) else None


def _is_baseline(metres: float) -> bool:
    low, high = _BASELINE_RANGE_M
    return low <= metres <= high


def _jps_descriptor(data: bytes) -> bytes:
    """The stereoscopic descriptor of a JPS file, four bytes behind its name and a length of two; empty without one."""
    content = next((c for marker, _, c in segments(data) if marker == _APP3 and c.startswith(_JPS)), b"")
    descriptor = content[len(_JPS) + 2 : len(_JPS) + 6]
    return descriptor if len(descriptor) == 4 else b""


def _jps_views(data: bytes, descriptor: bytes) -> EncodedViews | None:
    """Both views in one picture, as its descriptor says: distance of the views, flags, layout, media type."""
    _, flags, layout, media = descriptor
    if media != _STEREO or layout not in _LAYOUTS:
        return None
    is_anaglyph = _LAYOUTS[layout] is Layout.ANAGLYPH
    width, height = size_of(data) or (1, 1)
    beside = _LAYOUTS[layout] is Layout.SIDE_BY_SIDE
    view = width / 2 / height if beside else 2 * height / width
    return EncodedViews(
        (data,),
        layout=_LAYOUTS[layout],
        cross_eyed=not flags & _LEFT_FIRST and not is_anaglyph,
        order_known=not is_anaglyph,  # colours have no order, only a custom: red is left
        # some programs set these flags for views of full size, which show by their shape
        squeezed=bool(flags & _SQUEEZED) and view <= _WIDEST_HALF,
    )


def _vr_views(data: bytes, xmp: Xmp) -> EncodedViews | None:
    """The left view of a Cardboard or VR180 photo, which is the picture itself, and the right one from its XMP."""
    crop = crop_of(xmp)
    if crop is None or "depthmap:Data" in xmp.properties:
        return None
    right = from_text(xmp, "image:Data")
    if not right or not right.startswith(SIGNATURE):
        return None
    return EncodedViews((data[: end_of_picture(data)], right), sphere=crop)


def _of_lif(found: LifViews) -> EncodedViews:
    baseline = found.baseline_m if found.baseline_m and _is_baseline(found.baseline_m) else None
    return EncodedViews((found.left, found.right), baseline, found.focal_widths)
