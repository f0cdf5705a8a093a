"""Parameters of shallow depth of field; the command line reads its defaults here, so nothing heavy is imported."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from depthapps.core.errors import InputError, param

DEFAULT_BLUR = 0.015  # of the picture's width; about a 50 mm f/1.4 portrait on 36 mm film

_NAMES = {
    "f_number": "f-number",
    "focal_length_mm": "focal length",
    "sensor_width_mm": "sensor width",
    "focus_depth_m": "focus depth",
    "focus_range_m": "focus range",
    "tilt": "tilt",
    "squeeze": "squeeze",
    "cat_eye": "cat eye",
    "soap_bubble": "soap bubble",
    "fringe": "fringe",
    "highlights": "highlights",
    "grain": "grain",
    "blur_px": "blur",
    "rotation_deg": "rotation",
}
F_NUMBERS = (1e-9, 1e9)
# Those of numbers that have no natural bounds are far beyond all lenses, and keep products within floating point.
_RANGES = {
    "f_number": F_NUMBERS,
    "focal_length_mm": (1e-3, 1e6),
    "sensor_width_mm": (1e-3, 1e6),
    "focus_depth_m": (1e-6, 1e9),
    "blur_px": (0, 1e6),
    "rotation_deg": (-1e6, 1e6),
    "focus_range_m": (0, math.inf),  # infinite: all is sharp
    "tilt": (-10, 10),
    "squeeze": (0.25, 4),
    "cat_eye": (0, 1),
    "soap_bubble": (-1, 1),
    "fringe": (-10, 10),
    "highlights": (0, 10),
    "grain": (0, 1),
}


@dataclass(frozen=True)
class BokehParams:
    """A lens and where it is focused.

    With `f_number` the lens is a real one: the circle of confusion has the radius
    f_px · f / (2N) · |1/z − 1/z_f| px, with f_px = focal_length_mm / sensor_width_mm · picture width.
    With `blur_px` the blur is scaled so that the most blurred part of the picture has that radius.
    With neither, `blur_px` is DEFAULT_BLUR of the picture's width.

    Attributes
    ----------
    f_number : float, optional
        Focal length over aperture diameter, positive. Excludes `blur_px`.
    focal_length_mm : float
        Focal length in mm, positive. 50 is the normal lens of 36 mm film.
    sensor_width_mm : float
        Width of the sensor in mm, positive.
    blur_px : float, optional
        Radius of the strongest blur in px, at least 0.
    focus_depth_m : float, optional
        Depth in focus in metres, positive. Excludes `focus_px`.
    focus_px : tuple of float or "auto", optional
        A pixel (x, y) or a box (x0, y0, x1, y1) in focus, or "auto" for the subject. If no focus is given, the middle
        of the picture is in focus.
    focus_range_m : float
        Extent in metres of the depths around the focus that are sharp as well, at least 0.
    tilt : float
        Tilt of the focus plane: relative growth of its 1/Z from the middle of the picture to the bottom, −10 to 10.
    blades : int
        Blades of the aperture, 3 to 20; 0 is a round aperture.
    rotation_deg : float
        Clockwise rotation of these blades in degrees. At 0 the discs behind the focus have a corner on top.
    squeeze : float
        Height over width of the discs of an anamorphic lens, 0.25 to 4.
    cat_eye : float
        Distance in disc radii by which the lens barrel cuts into the discs in the picture's corners, 0 to 1.
    soap_bubble : float
        1 gives discs a bright rim, −1 a bright middle ("creamy").
    fringe : float
        Longitudinal chromatic aberration in px, −10 to 10: extra blur of red before the focus and of blue behind it.
    highlights : float
        Strength with which clipped lamps regain the brightness that the photo lost, 0 (none) to 10.
    grain : float
        Share of the sharp part's grain that the blurred part gets, 0 to 1.
    """

    f_number: float | None = None
    focal_length_mm: float = 50.0
    sensor_width_mm: float = 36.0
    blur_px: float | None = None
    focus_depth_m: float | None = None
    focus_px: tuple[float, ...] | Literal["auto"] | None = None
    focus_range_m: float = 0.0
    tilt: float = 0.0
    blades: int = 0
    rotation_deg: float = 0.0
    squeeze: float = 1.0
    cat_eye: float = 0.0
    soap_bubble: float = 0.0
    fringe: float = 0.0
    highlights: float = 1.0
    grain: float = 0.0

    def of_smaller(self, times: int) -> BokehParams:
        """The same parameters for a picture whose sides are `times` shorter."""
        place = self.focus_px
        if isinstance(place, tuple):
            place = tuple((v + 0.5) / times - 0.5 for v in place)
        return replace(self, focus_px=place, blur_px=None if self.blur_px is None else self.blur_px / times)

    def __post_init__(self) -> None:
        """Refuse contradictions, and numbers that no lens can have."""
        if self.f_number is not None and self.blur_px is not None:
            raise InputError(
                "both a lens and a blur were given", hint=f"pass either {param('f_number')} or {param('blur_px')}"
            )
        if self.focus_depth_m is not None and self.focus_px is not None:
            raise InputError(
                "two focuses were given", hint=f"pass either {param('focus_px')} or {param('focus_depth_m')}"
            )
        place = self.focus_px
        if place is not None and not (isinstance(place, str) and place == "auto"):
            numbers = () if isinstance(place, str) else tuple(map(float, place))
            if len(numbers) not in (2, 4) or not all(math.isfinite(number) for number in numbers):
                raise InputError(
                    f"{param('focus_px')} is {place!r}, which is no place in the picture",
                    hint='pass "auto", a pixel (x, y) or a box (x0, y0, x1, y1)',
                )
            object.__setattr__(self, "focus_px", numbers)
        for field in ("f_number", "focal_length_mm", "sensor_width_mm", "focus_depth_m", "squeeze"):
            value = getattr(self, field)
            if value is not None and not 0 < value < math.inf:
                raise InputError(
                    f"the {_NAMES[field]} is {value:g}, it must be positive", hint=f"change {param(field)}"
                )
        if self.blades and not 3 <= self.blades <= 20:
            raise InputError(f"the aperture has {self.blades} blades, it needs 3 to 20", hint="0 is a round aperture")
        for field, (low, high) in _RANGES.items():
            value = getattr(self, field)
            if value is not None and not low <= value <= high:
                raise InputError(
                    f"the {_NAMES[field]} is {value:g}, it must be a number from {low:g} to {high:g}",
                    hint=f"change {param(field)}",
                )
        if self.rotation_deg and not self.blades:
            raise InputError(
                f"{param('rotation_deg')} turns the blades of the aperture, and a round one has none",
                hint=f"add {param('blades', 6)}, or leave {param('rotation_deg')} out",
            )
