"""Write parameters of the library as the flags of the command line that set them."""

from __future__ import annotations

from depthapps.core.errors import DepthappsError, explain_os_error
from depthapps.io.formats import MESH_SUFFIXES, VIDEO_SUFFIXES, VIEWER_SUFFIXES

# What writes files that a picture cannot be, for hints.
NO_PICTURES = {
    **dict.fromkeys(VIEWER_SUFFIXES, "--viewer page.html"),
    **dict.fromkeys(VIDEO_SUFFIXES, "--sweep"),
    **dict.fromkeys(MESH_SUFFIXES, "depthapps mesh"),
}

# Parameters whose flag has another name or unit. All others have a flag of their own name: depth_scale, --depth-scale.
_FLAGS = {
    "baseline_m": "--baseline",
    "blur_px": "--blur",
    "doffs_px": "--doffs",
    "far_m": "--far",
    "focus_depth_m": "--focus-depth",
    "focal_length_mm": "--focal-length",
    "focus_px": "--focus",
    "focus_range_m": "--focus-range",
    "fov_deg": "--fov",
    "marker_m": "--marker",
    "max_error_pct": "--max-error",
    "near_m": "--near",
    "rotation_deg": "--rotation",
    "sensor_width_mm": "--sensor-width",
    "square_m": "--square",
    "turn_deg": "--turn",
    "voxel_m": "--voxel-mm",
}


def as_flag(name: str, value: str) -> str:
    """Write a parameter of the library, and the value to give it, as the flag that sets it."""
    if name == "layout":
        return f"--{value}"
    if value == "True":
        value = ""
    if name == "voxel_m" and value:
        value = f"{1000 * float(value):g}"
    return f"{_FLAGS.get(name, '--' + name.replace('_', '-'))} {value}".strip()


def explained(error: DepthappsError | OSError) -> tuple[str, str]:
    """The message and the hint of an error, with flags for parameters; a full disk or a missing folder is no bug."""
    return error.spelled(as_flag) if isinstance(error, DepthappsError) else explain_os_error(error)
