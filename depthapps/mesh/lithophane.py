"""Turn a photo into a plate, thin where it is bright and thick where it is dark, that shows it before a lamp."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_linear
from depthapps.core.errors import InputError, param
from depthapps.core.models import PrintableSolid
from depthapps.core.scene import Image, check_picture
from depthapps.mesh.params import PrintParams
from depthapps.mesh.printing import DETAIL_MM, close_body, front_triangles

THINNEST_MM, THICKEST_MM = 0.8, 3.0  # two lines of a usual nozzle are tight; through more white plastic no lamp shines
_DARKEST, _BRIGHTEST = 0.5, 99.5  # percentiles of the photo's light that become the two
_LARGEST_RATIO = 100.0  # of light that the plate shows: more would spend its thickness on the noise of shadows
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # of linear red, green and blue (Rec. 709)
_WHITE = 255


def build_lithophane(image: Image, params: PrintParams | None = None) -> PrintableSolid:
    """Build a plate of white plastic, millimetres, that shows a photo (H, W, 3) when a lamp shines through it.

    Light falls by the same share in every tenth of a millimetre (Beer and Lambert), so the thickness is linear in the
    logarithm of the photo's light: of its whole range, or of a hundredth of the brightest if that is more. The back is
    flat; X points right, Y up, and Z to the viewer. Raises InputError if the plate is too small to show anything, and
    for what is no picture.
    """
    params = params or PrintParams()
    check_picture(image)
    height, width = image.shape[:2]
    pixel_mm = params.size_mm / max(width, height)
    shrink = min(1.0, pixel_mm / DETAIL_MM)
    columns, rows = max(1, round(width * shrink)), max(1, round(height * shrink))
    if min(columns, rows) < 2:
        raise InputError(
            f"a plate of {params.size_mm:g} mm shows nothing of it", hint=f"make it larger: {param('size_mm')}"
        )
    light = to_linear(image)[..., :3].astype(np.float32) @ _LUMINANCE
    small = np.asarray(cv2.resize(light, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
    thickness = _thickness(small)
    step = params.size_mm / (max(columns, rows) - 1)
    right, up = np.meshgrid(np.arange(columns) * step, np.arange(rows)[::-1] * step)
    front, back = (np.stack([right, up, z], axis=-1).reshape(-1, 3) for z in (thickness, np.zeros_like(thickness)))
    vertices, triangles, _ = close_body(front, back, front_triangles(1 / thickness, params.max_triangles))
    return PrintableSolid(vertices.astype(np.float32), triangles, np.full(vertices.shape, _WHITE, np.uint8))


def _thickness(light: NDArray[np.floating]) -> NDArray[np.float32]:
    """Millimetres of plastic (h, w) through which so much of a lamp's light, linear (h, w), is left."""
    dark, bright = (float(v) for v in np.percentile(light, (_DARKEST, _BRIGHTEST)))
    dark = max(dark, bright / _LARGEST_RATIO)
    if not bright > dark:  # of one brightness everywhere
        return np.full(light.shape, THINNEST_MM if bright else THICKEST_MM, np.float32)
    lost = np.log(bright / np.clip(light, dark, bright)) / math.log(bright / dark)
    return (THINNEST_MM + (THICKEST_MM - THINNEST_MM) * lost).astype(np.float32)
