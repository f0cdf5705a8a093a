"""All that one photo file holds: a picture, or two views of a scene, or a picture and its depth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from depthapps.core.camera import Camera
from depthapps.core.scene import FloatMap, Image
from depthapps.io.outputs import check_input
from depthapps.io.photos import heif, jpeg
from depthapps.io.photos.images import Photo, decode_image
from depthapps.io.photos.metadata import Metadata, camera_name, read_metadata
from depthapps.io.photos.orientation import upright, upright_camera
from depthapps.io.photos.portrait import EmbeddedDepth, apple_depth, embedded_depth
from depthapps.io.photos.views import read_multi_view


@dataclass(frozen=True, eq=False)
class Contents:
    """What a file holds, everything upright. `right` and `inverse_m` are None where it is a picture and nothing else.

    photo: the picture, or the left view. right: the right view. inverse_m: (h, w) float32 1/Z in 1/m at the size that
    the file keeps it in, NaN = unknown; sigma_m: the deviation of its rounding; scaled: False if metres are a guess.
    camera, baseline_m and doffs_px: of the left view, where the file knows them.
    """

    photo: Photo
    right: Image | None = None
    inverse_m: FloatMap | None = None
    sigma_m: float = 0.0
    scaled: bool = True
    camera: Camera | None = None
    baseline_m: float | None = None
    doffs_px: float = 0.0


def read_contents(path: Path) -> Contents:
    """Read a file and all that is in it. Raises InputError."""
    check_input(path, "image")
    data = path.read_bytes()
    if heif.is_heif(path, data):
        return _read_heif(path, data)
    metadata = read_metadata(data)
    if not data.startswith(jpeg.SIGNATURE):
        return Contents(Photo(decode_image(data, str(path)), metadata))
    if views := read_multi_view(data, str(path), camera_name(metadata)):
        return Contents(Photo(views.left, metadata), views.right, baseline_m=views.baseline_m)
    depth = embedded_depth(data, str(path), metadata)
    if depth is None:
        return Contents(Photo(decode_image(data, str(path)), metadata))
    return _with_depth(_sharp_photo(data, str(path), depth, metadata), depth, metadata.orientation)


def _sharp_photo(data: bytes, name: str, depth: EmbeddedDepth, metadata: Metadata) -> Photo:
    """The photo that depth belongs to: the one that was kept before the phone blurred it, if there is one."""
    if depth.photo is None:
        return Photo(decode_image(data, name), metadata)
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
