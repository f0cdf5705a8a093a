"""What a shallow picture depends on; free of heavy imports, for the command line reads its defaults here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from depthapps.core.errors import InputError, param

DEFAULT_BLUR = 0.015  # of the picture's width; about a 50 mm f/1.4 portrait on 36 mm film
_HINT = "BokehParams tells what each number means"


@dataclass(frozen=True)
class BokehParams:
    """A lens and where it is focused.

    With `f_number` the lens is a real one: the circle of confusion has the radius
    f_px · f / (2N) · |1/z − 1/z_f| px, with f_px = focal_length_mm / sensor_width_mm · picture width.
    With `blur_px` it is as strong as asked: the most blurred part of the picture has that radius.
    With neither, `blur_px` is DEFAULT_BLUR of the picture's width.
    """

    f_number: float | None = None
    focal_length_mm: float = 50.0  # the normal lens of 36 mm film
    sensor_width_mm: float = 36.0
    blur_px: float | None = None
    focus_depth_m: float | None = None
    # (x, y), a box (x0, y0, x1, y1), or the subject; the middle of the picture if no focus is given
    focus_px: tuple[float, ...] | Literal["auto"] | None = None
    focus_range_m: float = 0.0  # depth around the focus that is sharp as well
    tilt: float = 0.0  # of the focus plane: by how much 1/Z in focus grows from the middle to the bottom, of itself
    blades: int = 0  # 0 is a round aperture
    rotation_deg: float = 0.0  # of the blades, clockwise; at 0 the discs behind the focus have a corner on top
    squeeze: float = 1.0  # of an anamorphic lens: discs are so many times as high as wide
    cat_eye: float = 0.0  # by how many radii the barrel cuts into the discs in the corners
    soap_bubble: float = 0.0  # 1: bright rims, -1: creamy, bright in the middle
    fringe: float = 0.0  # longitudinal colour: how much more red is blurred before the focus and blue behind it, in px
    highlights: float = 1.0  # how far clipped lamps get back what the photo lost, 0 not at all
    grain: float = 0.0  # share of the sharp part's grain given to the blurred one

    def __post_init__(self) -> None:
        """Refuse what contradicts itself or no lens can be."""
        if self.f_number is not None and self.blur_px is not None:
            raise InputError(
                "both a lens and a blur were given", hint=f"pass either {param('f_number')} or {param('blur_px')}"
            )
        if self.focus_depth_m is not None and self.focus_px is not None:
            raise InputError(
                "two focuses were given", hint=f"pass either {param('focus_px')} or {param('focus_depth_m')}"
            )
        limits = {
            "f-number": self.f_number,
            "focal length": self.focal_length_mm,
            "sensor width": self.sensor_width_mm,
            "focus depth": self.focus_depth_m,
            "squeeze": self.squeeze,
        }
        for name, value in limits.items():
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"the {name} is {value:g}, it must be positive", hint=_HINT)
        if self.blur_px is not None and not 0 <= self.blur_px < math.inf:
            raise InputError(f"the blur is {self.blur_px:g} px, it cannot be negative", hint=_HINT)
        if self.blades and not 3 <= self.blades <= 20:
            raise InputError(f"the aperture has {self.blades} blades, 3 to 20 make one", hint="0 is a round aperture")
        ranges = {
            "focus range": (self.focus_range_m, 0, math.inf),
            "tilt": (self.tilt, -10, 10),
            "squeeze": (self.squeeze, 0.25, 4),
            "cat eye": (self.cat_eye, 0, 1),
            "soap bubble": (self.soap_bubble, -1, 1),
            "fringe": (self.fringe, -10, 10),
            "highlights": (self.highlights, 0, 10),
            "grain": (self.grain, 0, 1),
        }
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                raise InputError(f"the {name} is {value:g}, it must be from {low:g} to {high:g}", hint=_HINT)
