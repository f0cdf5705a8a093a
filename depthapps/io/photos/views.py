"""Two views in one file: multi-picture files of 3D cameras, and pictures beside or below each other."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from depthapps.core.choices import Layout
from depthapps.core.errors import InputError
from depthapps.core.scene import Image
from depthapps.io.photos.images import decode_image
from depthapps.io.photos.jpeg import MultiPicture, multi_pictures
from depthapps.io.photos.metadata import read_metadata
from depthapps.io.photos.orientation import upright

_DISPARITY = 0x020002  # MP type code: views of one scene from places side by side (CIPA DC-007, 5.2.3.3.1)
_INDIVIDUAL_NUMBER, _BASELINE_LENGTH = 0xB101, 0xB206
_UNKNOWN = 1.0  # the standard writes unknown numbers as 0xFFFFFFFF / 0xFFFFFFFF
_BASELINE_RANGE_M = (0.005, 0.5)  # of anything that is one camera
# of cameras that do not say it themselves
_BASELINES_M = {"Nintendo 3DS": 0.035}


@dataclass(frozen=True, eq=False)
class MultiView:
    """The left and the right view of a 3D camera's file, and the distance of its lenses, None if nobody tells."""

    left: Image
    right: Image
    baseline_m: float | None


def read_multi_view(data: bytes, name: str, camera_name: str) -> MultiView | None:
    """The stereo pair in a multi-picture file; None if it holds none: panoramas and previews are no pairs.

    The standard counts the views from left to right, as seen from the cameras. Raises InputError.
    """
    pictures = [p for p in multi_pictures(data) if p.kind == _DISPARITY]
    if len(pictures) < 2:
        return None
    numbers = [n for p in pictures if isinstance(n := p.attributes.get(_INDIVIDUAL_NUMBER), int)]
    if len(numbers) == len(pictures):
        pictures = [pictures[k] for k in sorted(range(len(pictures)), key=numbers.__getitem__)]
    left, right = _upright_views([p.data for p in pictures[:2]], name)
    baseline = next((b for p in pictures if (b := _baseline_m(p)) is not None), _BASELINES_M.get(camera_name))
    return MultiView(left, right, baseline)


def _upright_views(encoded: list[bytes], name: str) -> list[Image]:
    """The views of one camera, which are turned alike: one without EXIF of its own is turned as the other says."""
    own = [read_metadata(data) for data in encoded]
    orientation = next((m.orientation for m in own if m.orientation != 1), 1)
    views = [decode_image(data, name) for data in encoded]
    return [
        upright(view, orientation) if m.orientation == 1 and not m.exif else view
        for view, m in zip(views, own, strict=True)
    ]


def _baseline_m(picture: MultiPicture) -> float | None:
    try:
        length = float(picture.attributes[_BASELINE_LENGTH])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    low, high = _BASELINE_RANGE_M
    return length if length != _UNKNOWN and low <= length <= high else None


def split_views(image: Image, layout: Layout, *, squeezed: bool = False) -> tuple[Image, Image]:
    """The two views of a picture (H, W, 3): left and right halves, or the left view above the right one.

    squeezed: each view was made half as wide, or high, to fit, and is stretched again. A middle line that is neither's
    is dropped. Raises InputError for pictures too small to be split.
    """
    axis = 1 if layout is Layout.SIDE_BY_SIDE else 0
    half = image.shape[axis] // 2
    if half < 2:
        raise InputError("the picture is too small to hold two views", hint="pass the picture with both views in it")
    first, second = (
        (image[:, :half], image[:, -half:]) if layout is Layout.SIDE_BY_SIDE else (image[:half], image[-half:])
    )
    if squeezed:
        height, width = first.shape[:2]
        size = (2 * width, height) if layout is Layout.SIDE_BY_SIDE else (width, 2 * height)
        first, second = (cv2.resize(v, size, interpolation=cv2.INTER_CUBIC) for v in (first, second))
    return np.ascontiguousarray(first), np.ascontiguousarray(second)
