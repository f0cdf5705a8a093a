"""Convert a picture from the colours of its own profile to sRGB, for what has no place for a profile."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from depthapps.core.errors import InputError


def in_srgb(image: NDArray[np.uint8], icc: bytes) -> NDArray[np.uint8]:
    """Convert a picture (H, W, 3) uint8 of the ICC profile `icc` to sRGB; colours beyond it become its nearest.

    Raises InputError if the profile is damaged, or not one of RGB.
    """
    try:
        own, srgb = ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("sRGB")
        done = ImageCms.profileToProfile(Image.fromarray(image), own, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        raise InputError("the photo's colour profile cannot be used", hint="convert the photo to sRGB") from error
    assert done is not None
    return np.asarray(done, np.uint8)
