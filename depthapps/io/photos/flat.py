"""Turn part of an equirectangular panorama into a pinhole picture, in which straight lines are straight."""

from __future__ import annotations

import math

import cv2
import numpy as np

from depthapps.core.camera import Camera
from depthapps.core.errors import InputError
from depthapps.core.scene import Image
from depthapps.io.photos.sphere import SphereCrop

_HALF_RAD = math.pi / 4  # the middle 90 degrees: at 45 degrees a pinhole picture is stretched twofold already
_LEAST_PX = 16
_LARGEST_PX = 32_000  # of a side that cv2.remap takes


def flat_camera(width: int, crop: SphereCrop, name: str) -> Camera:
    """The pinhole camera that sees the middle of a panorama of which `width` columns are stored.

    Its focal length keeps the panorama's resolution in the middle. Raises InputError where the middle is not shown.
    """
    focal = crop.width * width / crop.shown_width / (2 * math.pi)
    left, right, up, down = (focal * math.tan(max(min(limit, _HALF_RAD), -_HALF_RAD)) for limit in crop.limits_rad)
    columns, rows = math.floor(left + right), math.floor(up + down)
    if min(left, right, up, down) <= 0 or not _LEAST_PX <= min(columns, rows) <= max(columns, rows) <= _LARGEST_PX:
        raise InputError(
            f"{name} shows too little of the middle of its panorama", hint="pass the camera's own file, unedited"
        )
    # pixel centres lie at whole numbers: the picture's edge is half a pixel before the first one
    return Camera(columns, rows, focal, focal, left - 0.5, up - 0.5)


def flatten(panorama: Image, crop: SphereCrop, camera: Camera) -> Image:
    """What a pinhole camera sees of a panorama (H, W, 3): a picture of the camera's size."""
    height, width = panorama.shape[:2]
    if max(height, width) > _LARGEST_PX:
        shrink = _LARGEST_PX / max(height, width)
        size = round(width * shrink), round(height * shrink)
        panorama = np.asarray(cv2.resize(panorama, size, interpolation=cv2.INTER_AREA))
        height, width = panorama.shape[:2]
    x = (np.arange(camera.width) - camera.cx)[None] / camera.fx
    y = (np.arange(camera.height) - camera.cy)[:, None] / camera.fy
    longitude, latitude = np.arctan(x), np.arctan(y / np.hypot(x, 1))  # latitude downwards, as rows count
    column = (crop.width / 2 + longitude * crop.width / (2 * math.pi) - crop.left) * width / crop.shown_width - 0.5
    row = (crop.height / 2 + latitude * crop.height / math.pi - crop.top) * height / crop.shown_height - 0.5
    columns = np.broadcast_to(column, row.shape).astype(np.float32)
    seen = cv2.remap(panorama, columns, row.astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen)
