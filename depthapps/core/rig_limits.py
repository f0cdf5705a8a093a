"""Refuse numbers that no camera or rig has. Nothing here needs numpy, so that parameters are checked at once."""

from __future__ import annotations

import math

from depthapps.core.errors import CalibrationError, param

ASSUMED_BASELINE_M = 0.065  # the mean distance of human eyes, which photographers and 3D cameras imitate
_LEAST_BASELINE_M, _MOST_BASELINE_M = 1e-7, 1e7  # between the electrons of a microscope and the orbits of satellites
_LARGEST_DOFFS = 1e6  # pixels


def check_focal(fx: float, fy: float) -> None:
    """Refuse focal lengths in pixels that are not positive. Raises CalibrationError."""
    if not (0 < fx < math.inf and 0 < fy < math.inf):
        raise CalibrationError(
            f"a focal length of {fx:g} x {fy:g} px was given, it must be positive",
            hint=f"check the calibration, {param('focal_px')} or {param('fov_deg')}",
        )


def check_fov(fov_deg: float) -> None:
    """Refuse a horizontal field of view that no picture has. Raises CalibrationError."""
    if not 0 < fov_deg < 180:
        raise CalibrationError(
            f"a field of view of {fov_deg:g} degrees was given, it must lie between 0 and 180",
            hint=f"{param('fov_deg')} is the horizontal angle of the picture, 60 for a usual lens",
        )


def check_rig(baseline_m: float, doffs_px: float) -> None:
    """Refuse a distance of two lenses, or an offset of infinity, that no rig has. Raises CalibrationError."""
    if not 0 < baseline_m < math.inf:
        raise CalibrationError(
            f"a baseline of {baseline_m:g} m was given, it must be positive",
            hint="the baseline is the distance between the two lenses, in metres",
        )
    if not _LEAST_BASELINE_M <= baseline_m <= _MOST_BASELINE_M or not abs(doffs_px) <= _LARGEST_DOFFS:
        raise CalibrationError(
            f"a baseline of {baseline_m:g} m and an offset of infinity of {doffs_px:g} px were given, which no rig has",
            hint=f"check their units: the calibration, {param('baseline_m')} and {param('doffs_px')}",
        )
