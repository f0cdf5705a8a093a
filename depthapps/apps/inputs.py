"""Read the inputs of a scene: a picture, and a second view, a depth or a network for it, from files or arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from depthapps.apps.crops import brought_to
from depthapps.apps.files import SceneFiles, is_path, only_one_view
from depthapps.apps.params import PathLike, SceneParams
from depthapps.apps.turning import turned_alike
from depthapps.core.choices import DepthKind, Layout
from depthapps.core.errors import InputError, NoDepthError, nothing_moved, param
from depthapps.core.levels import find_levels
from depthapps.core.scene import FloatMap, Image, check_picture
from depthapps.io.maps.meaning import Meaning, depth_of, disparity_of
from depthapps.io.maps.plausible import doubts_of_disparity
from depthapps.io.maps.raw import raw_of_array, read_raw
from depthapps.io.network import read_network
from depthapps.io.photos.contents import Contents, read_contents
from depthapps.io.photos.decode import known_type
from depthapps.io.photos.images import Photo, read_photo
from depthapps.io.photos.look import MAKESHIFT, look, refuse_other_anaglyphs, refuse_panorama, refuse_panoramas
from depthapps.io.photos.metadata import Metadata
from depthapps.io.photos.orientation import upright_camera
from depthapps.io.photos.views import split_views
from depthapps.runtime.threads import beside

if TYPE_CHECKING:
    from depthapps.engine.depth_network import DepthNetwork

_DEPTH, _DISPARITY = "depth map", "disparity map"
_LAST_UNTURNED = 4  # EXIF orientations above this one exchange rows and columns
_TWICE = "{name} shows its scene twice: the halves are taken as the left and the right view, as by {layout}"
_ON_CARD = "{name} is a card with two prints, which are taken as the left and the right view"
_PROPORTION = 0.02  # relative difference allowed in the aspect ratios of map and picture: networks round to 14 or 32 px


@dataclass(frozen=True, eq=False)
class Given:
    """A picture with one of: a right view, a depth map, a disparity map, the depth inside its own file, or a network.

    contents: the picture, and all else that its file holds. right: (H, W, 3), the right view. depth_m, disparity_px:
    (H, W) float32 with NaN where unknown. enlarged: whether the maker of the depth may have enlarged it, which blurs
    its edges. right_metadata: metadata of the right view, if it is a photo of its own. apart: False if one file held
    the picture and its second view or depth, and they were found in it without `SceneParams.layout`. along_rays:
    whether the depth is the distance along each pixel's ray. notes: what the user should know of how the files were
    read. network: what will guess the depth, once the camera is known; its guess then takes the place of a depth inside
    the file.
    """

    contents: Contents
    right: Image | None = None
    depth_m: FloatMap | None = None
    disparity_px: FloatMap | None = None
    enlarged: bool = False
    right_metadata: Metadata | None = None
    apart: bool = True
    along_rays: bool = False
    notes: tuple[str, ...] = ()
    network: DepthNetwork | None = None

    @property
    def has_depth(self) -> bool:
        """Whether there is a depth, or will be, without matching."""
        return self.depth_m is not None or self.has_inverse

    @property
    def has_inverse(self) -> bool:
        """Whether there is a map of 1/Z, or will be, that has to be lifted to the picture."""
        return self.contents.inverse_m is not None or self.network is not None

    @property
    def order_known(self) -> bool:
        """Whether the file says which view is left; if it was held on its side, the views lie above each other."""
        told = not self.apart and self.contents.order_known
        return told and self.photo.metadata.orientation <= _LAST_UNTURNED

    @property
    def photo(self) -> Photo:
        """The picture, or the left view."""
        return self.contents.photo


def read_given(files: SceneFiles, params: SceneParams) -> Given:
    """Read the files. Raises InputError where they are not one picture with one depth."""
    return _stretched(_as_stored(files, params))


def read_picture(image: PathLike | Image, params: SceneParams) -> Photo:
    """Read the picture of a scene alone, or the left one of two in it. Raises InputError."""
    if params.layout is not None:
        return read_given(SceneFiles(image), params).photo
    contents = Contents(_photo(image)) if isinstance(image, np.ndarray) else read_contents(Path(image))
    return _stretched(Given(contents)).photo


def _as_stored(files: SceneFiles, params: SceneParams) -> Given:
    """Read the files, with pictures whose samples stand as the files hold them."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # bad files are told in our own words, once
    if params.depth_network is not None:
        return _to_guess(files.image, params.depth_network, params)
    if params.layout is not None:
        return _split(_photo(files.image), params)
    if files.right is not None:
        return _pair(*_both_photos(files.image, files.right))
    if files.disparity is not None:
        return _with_disparity(_photo(files.image), files.disparity, params)
    if files.depth is not None:
        return _with_depth(_photo(files.image), files.depth, params)
    return _alone(files.image)


def _stretched(given: Given) -> Given:
    """Stretch the picture and its right view alike, if their samples do not use the range of their type."""
    photo, right = given.photo, given.right
    levels = find_levels(*(view for view in (photo.image, right) if view is not None))
    if levels is None:
        return given
    photo = Photo(levels.stretched(photo.image), replace(photo.metadata, levels=levels))
    note = (
        f"samples from {levels.low:g} to {levels.high:g} are taken as black to white; .tif, and .png of whole numbers, "
        "are written in that range, other pictures with 8 bits from 0 to 255"
    )
    right = None if right is None else levels.stretched(right)
    return replace(given, contents=replace(given.contents, photo=photo), right=right, notes=(*given.notes, note))


def other_order(given: Given, doffs_px: float | None) -> str:
    """The hint about two views of one file that look exchanged; doffs_px: the offset of their farthest matches."""
    offset = param("doffs_px") if doffs_px is None else param("doffs_px", f"{doffs_px:g}")
    converge = f"if the cameras converge, {offset} tells where infinity lies"
    if given.apart:
        return f"if the right view comes first in it, add {param('cross_eyed')}; {converge}"
    if given.contents.layout is None:
        return converge
    # naming the layout replaces what was found in the file
    named = param("layout", given.contents.layout)
    named = f"{named}, its left view first" if given.contents.cross_eyed else f"{named} and {param('cross_eyed')}"
    return f"if the views stand the other way round, add {named}; {converge}"


def _photo(image: PathLike | Image) -> Photo:
    """Read a photo; an array has no metadata."""
    if isinstance(image, np.ndarray):
        samples = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image
        samples = known_type(samples, "the image")
        check_picture(samples)
        return Photo(samples, Metadata())
    return read_photo(Path(image))


def _both_photos(left: PathLike | Image, right: PathLike | Image) -> tuple[Photo, Photo]:
    """Decode both photos in parallel while the engine is imported, which takes as long as decoding a small pair."""
    with beside(2) as pool:
        photos = [pool.submit(_photo, image) for image in (left, right)]
        import_module("depthapps.engine.match_photos")
        return photos[0].result(), photos[1].result()


def _alone(image: PathLike | Image) -> Given:
    """Read one file that holds a second view or a depth."""
    contents = Contents(_photo(image)) if isinstance(image, np.ndarray) else read_contents(Path(image))
    if contents.right is None and contents.inverse_m is None:
        contents = _seen(contents, "" if isinstance(image, np.ndarray) else Path(image).name)
    return Given(contents, contents.right, enlarged=True, apart=False)


def _seen(contents: Contents, name: str) -> Contents:
    """Take two views that a picture shows without saying so. Raises InputError where that is not sure."""
    image = contents.photo.image
    refuse_panorama(image, name)
    seen = look(image)
    if seen.layout is None:
        refuse_other_anaglyphs(image, name)
    if seen.views is None or seen.layout is None:
        raise only_one_view(name, image.shape[1], image.shape[0], seen.layout)
    left, right = (np.ascontiguousarray(view) for view in seen.views)
    note = MAKESHIFT if seen.layout is Layout.ANAGLYPH else _ON_CARD if seen.on_card else _TWICE
    note = note.format(name=name, layout=param("layout", seen.layout))
    if seen.layout is Layout.SIDE_BY_SIDE and not seen.on_card and left.shape[1] < left.shape[0]:
        note += f"; if they look too narrow, add {param('layout', seen.layout)} and {param('squeezed', True)}"
    photo = Photo(left, _of_view(contents.photo.metadata, None if seen.on_card else seen.layout))
    return Contents(photo, right, order_known=False, layout=seen.layout, notes=(note,))


def _to_guess(image: PathLike | Image, network: PathLike | DepthNetwork, params: SceneParams) -> Given:
    """Read a photo and the network that will guess its depth, and leave out other views and depths in its file."""
    from depthapps.engine.depth_network import DepthNetwork
    from depthapps.engine.network_description import NetworkDescription

    if not isinstance(network, DepthNetwork):
        model, entries = read_network(network)
        network = DepthNetwork(model, NetworkDescription.from_json(entries))
    if isinstance(image, np.ndarray):
        contents = Contents(_photo(image))
    else:
        try:
            contents = read_contents(Path(image))
        except InputError:  # a depth inside that cannot be read does not matter here
            contents = Contents(_photo(image))
    refuse_panorama(contents.photo.image, "the image", "one view")
    ends = params.near_m, params.far_m
    if network.in_metres and ends != (None, None):
        raise InputError(
            "the network gives metres, which have no ends to spread them between",
            hint=f"leave {param('near_m')} and {param('far_m')} out",
        )
    scaled = network.in_metres or None not in ends
    return Given(Contents(contents.photo, camera=contents.camera, scaled=scaled), enlarged=True, network=network)


def _split(photo: Photo, params: SceneParams) -> Given:
    """Split a picture that holds both views."""
    assert params.layout is not None
    left, right = split_views(photo.image, params.layout, squeezed=params.squeezed)
    metadata = _of_view(photo.metadata, params.layout, squeezed=params.squeezed, second=params.cross_eyed)
    if params.cross_eyed:
        left, right = right, left
    refuse_panoramas([left, right], "each half of the picture")
    notes = (MAKESHIFT,) if params.layout is Layout.ANAGLYPH else ()
    return Given(Contents(Photo(left, metadata), notes=notes), right)


def _of_view(metadata: Metadata, layout: Layout | None, *, squeezed: bool = False, second: bool = False) -> Metadata:
    """The metadata of one view of a picture that holds two; without opacity where no layout tells the view's part."""
    alpha = metadata.alpha
    if alpha is None or layout is Layout.ANAGLYPH:  # each view of an anaglyph is the whole picture
        return metadata
    if layout is None:
        return replace(metadata, alpha=None)
    view = split_views(alpha, layout, squeezed=squeezed)[1 if second else 0].clip(0, 1)  # enlarging overshoots
    return replace(metadata, alpha=None if (view == 1).all() else view)


def _with_depth(photo: Photo, given: PathLike | FloatMap, params: SceneParams) -> Given:
    """Read a depth map for a photo, of the kind that the parameters say."""
    refuse_panorama(photo.image, "the image", "image and depth alike")
    raw = read_raw(given, _DEPTH) if is_path(given) else raw_of_array(given, _DEPTH)
    meaning = Meaning(params.depth_kind, params.depth_scale, params.invert, params.near_m, params.far_m)
    found = depth_of(raw, meaning)
    values, turned = turned_alike(found.values, photo)
    if not _alike(values, photo.image):
        raise InputError(
            f"the image is {_size(photo.image)} but its depth is {_size(values)}",
            hint="turn the map, which lies on its side"
            if _alike(values.T, photo.image)
            else "pass a depth map of the whole image, of any size",
        )
    camera = raw.camera and (upright_camera(raw.camera, photo.metadata.orientation) if turned else raw.camera)
    camera = camera and camera.scaled_to(*photo.image.shape[1::-1])
    read = Given(
        Contents(photo, scaled=found.scaled, camera=camera), along_rays=found.along_rays, notes=(*found.notes, *turned)
    )
    if values.shape == photo.image.shape[:2] and not found.inverse:
        return replace(read, depth_m=values)
    inverse = values if found.inverse else 1 / values
    contents = replace(read.contents, inverse_m=inverse, sigma_m=found.sigma_m)
    interpolated = found.inverse and params.depth_kind is not DepthKind.REVERSED_Z
    return replace(read, contents=contents, enlarged=interpolated)


def _with_disparity(photo: Photo, given: PathLike | FloatMap, params: SceneParams) -> Given:
    """Read a disparity map for a photo."""
    refuse_panorama(photo.image, "the image", "image and disparity alike")
    raw = read_raw(given, _DISPARITY) if is_path(given) else raw_of_array(given, _DISPARITY)
    pixels, notes = disparity_of(raw, params.disparity_scale, invert=params.invert)
    if np.isnan(pixels).all():
        raise NoDepthError(f"{raw.name} holds no known disparity at all", hint="is it the right file?")
    doubts = doubts_of_disparity(pixels, raw.name, photo.image.shape[1])
    pixels, turned = turned_alike(pixels, photo)
    return Given(Contents(photo), disparity_px=pixels, notes=(*notes, *doubts, *turned))


def _pair(left: Photo, right: Photo) -> Given:
    """Pair two photos, the second one brought to the first one's size if they differ. Raises StereoError for one."""
    refuse_panoramas([left.image, right.image], "each photo")
    if left.image.shape == right.image.shape and np.array_equal(left.image, right.image):
        raise nothing_moved("the two photos are the same: nothing moved between them")
    view, note = brought_to(right.image, left.image.shape[1], left.image.shape[0])
    return Given(Contents(left), view, right_metadata=right.metadata, notes=() if note is None else (note,))


def _alike(depth: FloatMap, image: Image) -> bool:
    """Whether a map (h, w) can show the whole of a picture (H, W, 3): whether their proportions agree to rounding."""
    (h, w), (height, width) = depth.shape, image.shape[:2]
    return abs(h * width - w * height) <= _PROPORTION * w * height


def _size(picture: Image | FloatMap) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]}"
