"""Decode the two views of one file: two pictures, or one that holds both views side by side."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from depthapps.core.camera import Camera
from depthapps.core.choices import Layout
from depthapps.core.errors import InputError
from depthapps.core.scene import Image
from depthapps.io.photos.decode import decode_image
from depthapps.io.photos.flat import flat_camera, flatten
from depthapps.io.photos.look import halves, split_anaglyph
from depthapps.io.photos.metadata import read_metadata
from depthapps.io.photos.orientation import upright
from depthapps.io.photos.pairs import EncodedViews

# Baseline in metres and focal length in widths of the picture, of cameras that do not write them into their files. The
# 3DS keeps a factory calibration: 35 mm, 64.7 degrees over the diagonal, 87.7 px of 640 at 0.25 m.
_DEVICES = {"Nintendo 3DS": (0.035, 0.987)}


@dataclass(frozen=True, eq=False)
class MultiView:
    """The left and the right view of one file.

    left, right: (H, W, 3). camera: the left view's; None where unknown. baseline_m: None where unknown.
    """

    left: Image
    right: Image
    camera: Camera | None = None
    baseline_m: float | None = None


def decode_views(found: EncodedViews, name: str, camera_name: str) -> MultiView:
    """Decode the left and the right view that were found in a file.

    `name` stands in messages; `camera_name` tells what cameras do not write into their files. Raises InputError.
    """
    own_baseline, own_focal = _DEVICES.get(camera_name, (None, None))
    baseline, focal_widths = found.baseline_m or own_baseline, found.focal_widths or own_focal
    if found.layout is not None:
        image = decode_image(found.pictures[0], name)
        left, right = split_views(image, found.layout, squeezed=found.squeezed)
        if found.cross_eyed:
            left, right = right, left
    else:
        left, right = _upright_views(list(found.pictures), name)
    width, camera = left.shape[1], None
    if found.sphere is not None:
        camera = flat_camera(width, found.sphere, name)
        left, right = (flatten(view, found.sphere, camera) for view in (left, right))
    elif focal_widths is not None:
        camera = Camera.centred(width, left.shape[0], focal_widths * width)
    return MultiView(left, right, camera, baseline)


def _upright_views(encoded: list[bytes], name: str) -> list[Image]:
    """The views turned upright. One without EXIF of its own is turned as the other one's EXIF says."""
    own = [read_metadata(data) for data in encoded]
    orientation = next((m.orientation for m in own if m.orientation != 1), 1)
    views = [decode_image(data, name) for data in encoded]
    return [
        upright(view, orientation) if m.orientation == 1 and not m.exif else view
        for view, m in zip(views, own, strict=True)
    ]


def split_views(image: Image, layout: Layout, *, squeezed: bool = False) -> tuple[Image, Image]:
    """Split a picture that holds two views.

    Parameters
    ----------
    image : ndarray, (H, W, 3)
        The left and the right view side by side, or the left view above the right one, or red over cyan.
    layout : Layout
        Which of them.
    squeezed : bool, optional
        Each view was made half as wide, or half as high, to fit; it is stretched again.

    Returns
    -------
    left, right : ndarray, (h, w, 3)
        The two views. A middle line that belongs to neither is left out. Those of an anaglyph are grey.

    Raises
    ------
    InputError
        The picture is too small to hold two views.
    """
    if layout is Layout.ANAGLYPH:
        return split_anaglyph(image)
    axis = 1 if layout is Layout.SIDE_BY_SIDE else 0
    if image.shape[axis] < 4:
        raise InputError("the picture is too small to hold two views", hint="pass the picture with both views in it")
    first, second = halves(image, layout)
    if squeezed:
        height, width = first.shape[:2]
        size = (2 * width, height) if layout is Layout.SIDE_BY_SIDE else (width, 2 * height)
        first, second = (cv2.resize(v, size, interpolation=cv2.INTER_CUBIC) for v in (first, second))
    return np.ascontiguousarray(first), np.ascontiguousarray(second)
