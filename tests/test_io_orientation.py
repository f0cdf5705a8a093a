"""The eight orientations: what Pillow turns, this turns."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageOps

from depthapps import Camera
from depthapps.io.photos.orientation import upright, upright_camera


@pytest.mark.parametrize("orientation", range(1, 9))
def test_maps_and_cameras_turn_as_pillow_turns_pictures(orientation):
    stored = np.arange(12, dtype=np.uint8).reshape(3, 4)
    picture = Pillow.fromarray(stored)
    picture.getexif()[0x0112] = orientation
    turned = upright(stored, orientation)
    assert np.array_equal(turned, np.asarray(ImageOps.exif_transpose(picture)))
    camera = upright_camera(Camera(4, 3, 10.0, 20.0, 1.0, 2.0), orientation)
    assert (camera.height, camera.width) == turned.shape
    assert turned[round(camera.cy), round(camera.cx)] == stored[2, 1]
    assert camera.fx == (10 if orientation < 5 else 20)
