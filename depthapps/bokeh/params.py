"""What a shallow picture depends on; free of heavy imports, for the command line reads its defaults here."""

from __future__ import annotations

import math
from dataclasses import dataclass

from depthapps.errors import InputError


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
    focus_px: tuple[float, float] | None = None  # (x, y); the middle of the picture if no focus is given

    def __post_init__(self) -> None:
        """Refuse what contradicts itself or no lens can be."""
        if self.f_number is not None and self.blur_px is not None:
            raise InputError("both a lens and a blur were given", hint="pass either --f-number or --blur")
        if self.focus_depth_m is not None and self.focus_px is not None:
            raise InputError("two focuses were given", hint="pass either --focus X,Y or --focus-depth")
        limits = {
            "f-number": self.f_number,
            "focal length": self.focal_length_mm,
            "sensor width": self.sensor_width_mm,
            "focus depth": self.focus_depth_m,
        }
        for name, value in limits.items():
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"the {name} is {value:g}, it must be positive", hint="see depthapps bokeh --help")
        if self.blur_px is not None and not 0 <= self.blur_px < math.inf:
            raise InputError(
                f"the blur is {self.blur_px:g} px, it cannot be negative", hint="see depthapps bokeh --help"
            )


DEFAULT_BLUR = 0.015  # of the picture's width; about a 50 mm f/1.4 portrait on 36 mm film
