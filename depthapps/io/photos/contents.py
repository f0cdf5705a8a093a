"""Read all that one photo's file holds: a picture, two views of a scene, or a picture and its depth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from depthapps.core.camera import Camera
from depthapps.core.choices import Layout
from depthapps.core.scene import FloatMap, Image
from depthapps.io.inputs import StrPath, parsing, read_bytes
from depthapps.io.photos import heif
from depthapps.io.photos.decode import decode_image
from depthapps.io.photos.describe import ContentsSummary as ContentsSummary
from depthapps.io.photos.describe import describe_contents as describe_contents
from depthapps.io.photos.describe import views_or_depth
from depthapps.io.photos.heif_file import is_heif
from depthapps.io.photos.images import Photo, photo_of
from depthapps.io.photos.look import MAKESHIFT
from depthapps.io.photos.metadata import Metadata, camera_name, read_metadata
from depthapps.io.photos.orientation import upright, upright_camera
from depthapps.io.photos.portrait import DESCRIBED, EmbeddedDepth, apple_depth, decode_depth, unknown_form
from depthapps.io.photos.views import decode_views

_CUT_OFF = 0.2  # of a side: some phones keep depth of 4:3 beside photos of 16:10; turned maps differ more


@dataclass(frozen=True, eq=False)
class Contents:
    """What a photo's file holds, everything upright.

    Attributes
    ----------
    photo : Photo
        The picture, or the left view.
    right : ndarray, (H, W, 3) or None
        The right view, where the file holds one.
    inverse_m : ndarray, (h, w) float32 or None
        1/Z in 1/m at the size in which the file keeps it, NaN where unknown; None where the file holds no depth.
    sigma_m : float
        Standard deviation of `inverse_m` in 1/m that comes from rounding to the file's levels.
    scaled : bool
        False if metres are known only up to a factor.
    camera : Camera or None
        The picture's, or the left view's; None where the file does not tell.
    baseline_m : float or None
        Distance of the two cameras in metres; None where the file does not tell.
    doffs_px : float
        Difference of the principal points, right minus left, in pixels.
    order_known : bool
        Whether the file itself says which of two views is the left one.
    layout : Layout or None
        How one picture of the file held both views.
    cross_eyed : bool
        With `layout`: the right view was taken to come first.
    notes : tuple of str
        What the user has to know of how the views were found.
    """

    photo: Photo
    right: Image | None = None
    inverse_m: FloatMap | None = None
    sigma_m: float = 0.0
    scaled: bool = True
    camera: Camera | None = None
    baseline_m: float | None = None
    doffs_px: float = 0.0
    order_known: bool = True
    layout: Layout | None = None
    cross_eyed: bool = False
    notes: tuple[str, ...] = ()


def read_contents(path: StrPath) -> Contents:
    """Read a photo and all that its file holds beside it.

    Parameters
    ----------
    path : str or PathLike
        Any picture; a file with two views: ``.mpo``, ``.jps``, spatial ``.heic``, Leia's LIF, Cardboard's and VR180's
        ``.vr.jpg``, of which the middle 90 degrees become pinhole pictures; a portrait of an iPhone or of an Android
        phone with depth.

    Returns
    -------
    Contents
        The picture, the second view or the depth, and what the file tells of its cameras.

    Raises
    ------
    InputError
        The file is not there, not a picture, truncated or damaged, or announces depth that cannot be read.
    MissingExtraError
        The file is HEIC and pillow-heif is not installed.

    Notes
    -----
    Formats: CIPA DC-007 (MPO), ISO/IEC 23008-12 (HEIF), Google's GDepth and Dynamic Depth, Apple's auxiliary pictures.
    `describe_contents` tells what there is without decoding it.
    """
    data, path = read_bytes(path, "image"), Path(path)
    with parsing(path, "image"):
        return _read_heif(path, data) if is_heif(path, data) else _read_other(path, data)


def _read_other(path: Path, data: bytes) -> Contents:
    metadata = read_metadata(data)
    views, found = views_or_depth(data, path.suffix)
    if views is not None:
        pair = decode_views(views, str(path), camera_name(metadata))
        return Contents(
            Photo(pair.left, metadata),
            pair.right,
            camera=pair.camera,
            baseline_m=pair.baseline_m,
            order_known=views.order_known,
            layout=views.layout,
            cross_eyed=views.cross_eyed,
            notes=(MAKESHIFT,) if views.layout is Layout.ANAGLYPH else (),
        )
    if found is None:
        return Contents(photo_of(data, str(path), metadata))
    depth = decode_depth(found, str(path), metadata)
    photo = _sharp_photo(data, str(path), depth, metadata)
    contents = _with_depth(photo, depth, found.orientation or metadata.orientation)
    if found.maker not in DESCRIBED and contents.inverse_m is not None and not _alike(contents.inverse_m, photo.image):
        raise unknown_form(str(path), found.maker)
    return contents


def _alike(depth: FloatMap, image: Image) -> bool:
    """Whether a map (h, w) lies as a picture (H, W, 3) does, and is no more cut off than phones do."""
    (h, w), (height, width) = depth.shape, image.shape[:2]
    return abs(h * width - w * height) <= _CUT_OFF * max(w * height, h * width)


def _sharp_photo(data: bytes, name: str, depth: EmbeddedDepth, metadata: Metadata) -> Photo:
    """The photo that depth belongs to: where the file keeps it, the one from before the phone blurred it."""
    if depth.photo is None:
        return photo_of(data, name, metadata)
    own = read_metadata(depth.photo)
    image = decode_image(depth.photo, f"the original inside {name}")
    if not own.exif and own.orientation == 1:
        image = upright(image, metadata.orientation)
    return Photo(image, Metadata(metadata.exif, own.icc or metadata.icc, metadata.orientation))


def _read_heif(path: Path, data: bytes) -> Contents:
    metadata = heif.view_metadata(path, data)
    if spatial := heif.read_spatial(path, data):
        return Contents(
            Photo(spatial.left, metadata),
            spatial.right,
            camera=spatial.camera,
            baseline_m=spatial.baseline_m,
            doffs_px=spatial.doffs_px,
        )
    photo = Photo(heif.read_view(path, data), metadata)
    auxiliary = heif.read_auxiliary_depth(path, data)
    if auxiliary is None:
        return Contents(photo)
    depth = apple_depth(auxiliary.samples, auxiliary.level, auxiliary.xmp, auxiliary.range)
    camera = upright_camera(depth.camera, auxiliary.orientation) if depth.camera else None
    return _with_depth(photo, replace(depth, camera=camera), 1)


def _with_depth(photo: Photo, depth: EmbeddedDepth, orientation: int) -> Contents:
    height, width = photo.image.shape[:2]
    camera = upright_camera(depth.camera, orientation).scaled_to(width, height) if depth.camera else None
    inverse = upright(depth.inverse_m, orientation)
    return Contents(photo, inverse_m=inverse, sigma_m=depth.sigma_m, scaled=depth.scaled, camera=camera)
