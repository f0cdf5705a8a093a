"""What the files named on the command line give: a picture, and a second view or a depth for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module

import cv2
import numpy as np

from depthapps.cli.options import BUILTIN, DepthKind, SourceOptions
from depthapps.core.errors import InputError
from depthapps.core.scene import FloatMap, Image
from depthapps.io.maps import read_depth, read_disparity, read_inverse_depth
from depthapps.io.outputs import check_input
from depthapps.io.photos.contents import Contents, read_contents
from depthapps.io.photos.images import Photo, read_photo
from depthapps.io.photos.metadata import Metadata
from depthapps.io.photos.views import Layout, split_views

_PROPORTION = 0.02  # by which a map's proportions may differ from the picture's: networks round sizes to 14 or 32 px


@dataclass(frozen=True, eq=False)
class Given:
    """A picture with one of: a right view, a depth map, a disparity map, or the depth inside its own file.

    contents: what the picture's file says besides. right_metadata: of the right view, where it is a photo of its own;
    right_size: width and height of that photo, where it was brought to the left one's size. enlarged: the depth inside
    may have been enlarged by its maker.
    """

    contents: Contents
    right: Image | None = None
    depth_m: FloatMap | None = None
    disparity_px: FloatMap | None = None
    enlarged: bool = False
    right_metadata: Metadata | None = None
    right_size: tuple[int, int] | None = None

    @property
    def photo(self) -> Photo:
        """The picture, or the left view."""
        return self.contents.photo


def read_given(options: SourceOptions) -> Given:
    """Read the files. Raises InputError where they are not one picture with one depth."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # bad files are told in our own words, once
    layouts = [
        layout
        for layout, wanted in ((Layout.SIDE_BY_SIDE, options.side_by_side), (Layout.TOP_BOTTOM, options.top_bottom))
        if wanted
    ]
    files = [f for f in (options.right, options.depth, options.disparity) if f is not None]
    if len(files) > 1:
        raise InputError("the depth was given twice", hint="pass one of: a right view, --depth, --disparity")
    if len(layouts) > 1 or (layouts and files):
        raise InputError(
            "the depth was given twice", hint="pass one of: --side-by-side, --top-bottom, a right view, --depth"
        )
    if (options.squeezed or options.cross_eyed) and not layouts:
        flag = "--squeezed" if options.squeezed else "--cross-eyed"
        raise InputError(f"{flag} says how views share a picture", hint="add --side-by-side or --top-bottom")
    for path, what in ((options.right, "image"), (options.depth, "depth map"), (options.disparity, "disparity map")):
        if path is not None:
            check_input(path, what)
    given = _split(options, layouts[0]) if layouts else _with_file(options) if files else _alone(options)
    if given.right is None and options.matcher != BUILTIN:
        raise InputError("--matcher needs a stereo pair", hint="add the right view, or leave --matcher out")
    if given.right is None and options.save_rectified:
        raise InputError(
            "there are no views to rectify: the depth was not matched but given", hint="pass a right view instead"
        )
    if given.right is None and options.save_confidence:
        raise InputError(
            "there is no confidence to save: the depth was not matched but given", hint="pass a right view instead"
        )
    return given


def _alone(options: SourceOptions) -> Given:
    contents = read_contents(options.image)
    if contents.right is None and contents.inverse_m is None:
        height, width = contents.photo.image.shape[:2]
        wide = width >= 2 * height
        raise InputError(
            f"there is only one view, {options.image.name}, and no depth for it or in it",
            hint="add --side-by-side if both views are in it"
            if wide
            else "add the right view, or --depth FILE or --disparity FILE",
        )
    return Given(contents, contents.right, enlarged=True)


def _split(options: SourceOptions, layout: Layout) -> Given:
    photo = read_photo(options.image)
    left, right = split_views(photo.image, layout, squeezed=options.squeezed)
    if options.cross_eyed:
        left, right = right, left
    return Given(Contents(Photo(left, photo.metadata)), right)


def _with_file(options: SourceOptions) -> Given:
    if options.right is not None:
        with ThreadPoolExecutor(2) as pool:
            left, right = (pool.submit(read_photo, path) for path in (options.image, options.right))
            import_module("depthapps.engine.match_photos")  # takes as long as a small pair takes to decode
            return _pair(left.result(), right.result())
    photo = read_photo(options.image)
    if options.disparity is not None:
        return Given(Contents(photo), disparity_px=read_disparity(options.disparity))
    assert options.depth is not None
    if options.depth_kind is DepthKind.METRIC:
        depth = read_depth(options.depth, options.depth_scale)
        if depth.shape == photo.image.shape[:2] or not _alike(depth, photo.image):
            return Given(Contents(photo), depth_m=depth)  # of another shape: the scene refuses it
        return Given(Contents(photo, inverse_m=1 / depth))
    affine = options.depth_kind is DepthKind.AFFINE_INVERSE
    inverse, sigma = read_inverse_depth(options.depth, affine=affine)
    if not _alike(inverse, photo.image):
        raise InputError(
            f"the image is {_size(photo.image)} but its depth is {_size(inverse)}",
            hint="pass a depth map of the whole image, of any size",
        )
    return Given(Contents(photo, inverse_m=inverse, sigma_m=sigma, scaled=not affine), enlarged=True)


def _pair(left: Photo, right: Photo) -> Given:
    """Two photos; a second one that was saved smaller or larger as a whole is brought to the first one's size."""
    (height, width), (h, w) = left.image.shape[:2], right.image.shape[:2]
    whole = abs(h * width - w * height) <= max(width, height)  # up to a pixel; a crop is another picture
    if (h, w) == (height, width) or not whole:
        return Given(Contents(left), right.image, right_metadata=right.metadata)
    how = cv2.INTER_AREA if w > width else cv2.INTER_CUBIC
    view = np.asarray(cv2.resize(right.image, (width, height), interpolation=how))
    return Given(Contents(left), view, right_metadata=right.metadata, right_size=(w, h))


def _alike(depth: FloatMap, image: Image) -> bool:
    """Whether a map (h, w) can be of a picture (H, W, 3) as a whole: by their proportions, up to their roundings."""
    (h, w), (height, width) = depth.shape, image.shape[:2]
    return abs(h * width - w * height) <= _PROPORTION * w * height


def _size(picture: Image | FloatMap) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]}"


def inverse_to_depth(inverse_m: FloatMap) -> FloatMap:
    """1/Z (H, W) in 1/m -> depth in metres: NaN stays NaN, 0 and less is infinitely far."""
    with np.errstate(divide="ignore"):
        return (1 / np.maximum(inverse_m, np.float32(0))).astype(np.float32)
