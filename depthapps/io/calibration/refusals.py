"""The errors for files whose names and numbers make no calibration: what was found, and what is wanted."""

from __future__ import annotations

import math
from collections.abc import Sequence

from depthapps.core.errors import CalibrationError, param
from depthapps.io.calibration.values import Values

WANTED = (
    "wanted are two cameras and how they stand: K1 D1 K2 D2 R T, or fx fy cx cy of each and a baseline, or projections "
    "P1 and P2; or one camera: K"
)

_LONGEST_SHOWN = 60  # characters of a name in a message


def no_calibration(values: Values, name: str) -> CalibrationError:
    """The error for a file in which no camera was found."""
    if any(v.meaning == "map" for v in values.found) or any("map" in other.lower() for other in values.others):
        return CalibrationError(
            f"{name} holds maps for cv2.remap, which tell neither focal length nor baseline",
            hint="save K1 D1 K2 D2 R T beside them; or rectify with the maps, then pass "
            f"{param('focal_px')}, {param('baseline_m')} and {param('rectify', 'never')}",
        )
    if (field := next((v.data for v in values.found if v.meaning == "fov"), None)) is not None:
        return only_a_view(float(field[0]), name)
    understood = list(dict.fromkeys(v.name for v in values.found if v.name))
    names = list(dict.fromkeys((*understood, *values.others)))
    return CalibrationError(
        f"{name} is no calibration: it has {f'the names {listed(names)}' if names else 'no names with numbers'}",
        hint=WANTED,
    )


def listed(names: Sequence[str]) -> str:
    """The first ten of some names, each shortened if it is long, and how many more there are."""
    names = [n if len(n) <= _LONGEST_SHOWN else f"{n[: _LONGEST_SHOWN - 3]}..." for n in dict.fromkeys(names)]
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def only_a_view(angle: float, name: str) -> CalibrationError:
    """The error for a field of view, in degrees or in radians, without the size of the pictures it belongs to."""
    degrees = math.degrees(angle) if angle < math.pi else angle
    return CalibrationError(
        f"{name} tells a field of view of {degrees:.4g}° and no focal length in pixels",
        hint=f"pass {param('fov_deg', f'{degrees:.4g}')} in place of the file, if it is the horizontal one",
    )
