"""Panoramas on the sphere: which part of it a photo shows. `flat` turns that into a pinhole picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

from depthapps.io.photos.xmp import Xmp

_LARGEST = 200_000  # pixels of a side; a larger number in a file is damage


@dataclass(frozen=True)
class SphereCrop:
    """The part of an equirectangular panorama that a picture shows, by Google's GPano.

    width, height: size of the whole sphere in pixels, 360 x 180 degrees. left, top: where the picture begins in it.
    shown_width, shown_height: size of the picture in the same pixels.
    """

    width: float
    height: float
    left: float
    top: float
    shown_width: float
    shown_height: float

    @property
    def limits_rad(self) -> tuple[float, float, float, float]:
        """How far the picture reaches from the middle of the sphere to the left, right, up and down, as angles."""
        per_column, per_row = 2 * math.pi / self.width, math.pi / self.height
        middle, horizon = self.width / 2, self.height / 2
        return (
            (middle - self.left) * per_column,
            (self.left + self.shown_width - middle) * per_column,
            (horizon - self.top) * per_row,
            (self.top + self.shown_height - horizon) * per_row,
        )


def crop_of(xmp: Xmp) -> SphereCrop | None:
    """Which part of the sphere the XMP of a photo says it shows; None for pinhole pictures."""
    kind = xmp.properties.get("panorama:ProjectionType", "equirectangular").lower()
    numbers = [
        xmp.number(f"panorama:{name}")
        for name in (
            "FullPanoWidthPixels", "FullPanoHeightPixels", "CroppedAreaLeftPixels", "CroppedAreaTopPixels",
            "CroppedAreaImageWidthPixels", "CroppedAreaImageHeightPixels",
        )
    ]  # fmt: skip
    width, height, left, top, shown_width, shown_height = numbers
    if kind != "equirectangular" or not width or not height:
        return None
    crop = SphereCrop(width, height, left or 0.0, top or 0.0, shown_width or width, shown_height or height)
    sides = (crop.width, crop.height, crop.shown_width, crop.shown_height)
    inside = 0 <= crop.left <= width and 0 <= crop.top <= height
    return crop if inside and all(1 < side < _LARGEST for side in sides) else None
