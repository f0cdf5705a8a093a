"""Two views in one file: multi-picture files of 3D cameras, and pictures that hold both views side by side."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from depthapps.core.choices import Layout
from depthapps.core.errors import InputError
from depthapps.core.scene import Image
from depthapps.io.photos.decode import decode_image
from depthapps.io.photos.jpeg import MultiPicture
from depthapps.io.photos.metadata import read_metadata
from depthapps.io.photos.orientation import upright

_BASELINE_LENGTH = 0xB206  # tag of an MP attribute, in metres (CIPA DC-007)
_UNKNOWN = 1.0  # the standard writes unknown numbers as 0xFFFFFFFF / 0xFFFFFFFF
_BASELINE_RANGE_M = (0.005, 0.5)  # two lenses of one camera are not nearer or farther apart
_BASELINES_M = {"Nintendo 3DS": 0.035}  # of cameras that do not write it into their files


@dataclass(frozen=True, eq=False)
class MultiView:
    """The left and the right view of a 3D camera, (H, W, 3), and its baseline in metres; None where unknown."""

    left: Image
    right: Image
    baseline_m: float | None


def decode_views(pictures: list[MultiPicture], name: str, camera_name: str) -> MultiView:
    """Decode the left and the right view that were found in a multi-picture file.

    `name` stands in messages; `camera_name` tells the baseline of cameras that do not write it. Raises InputError.
    """
    left, right = _upright_views([p.data for p in pictures], name)
    baseline = next((b for p in pictures if (b := _baseline_m(p)) is not None), _BASELINES_M.get(camera_name))
    return MultiView(left, right, baseline)


def _upright_views(encoded: list[bytes], name: str) -> list[Image]:
    """The views turned upright. One without EXIF of its own is turned as the other one's EXIF says."""
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
    """Split a picture that holds two views.

    Parameters
    ----------
    image : ndarray, (H, W, 3)
        The left and the right view side by side, or the left view above the right one.
    layout : Layout
        Which of the two.
    squeezed : bool, optional
        Each view was made half as wide, or half as high, to fit; it is stretched again.

    Returns
    -------
    left, right : ndarray, (h, w, 3)
        The two views. A middle line that belongs to neither is left out.

    Raises
    ------
    InputError
        The picture is too small to hold two views.
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
