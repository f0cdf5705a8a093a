"""Read ROS camera_info files: one YAML a camera, as camera_calibration writes it and `topic echo` prints it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import CalibrationError
from depthapps.io.calibration.file import NUMBER, CalibrationFile, RawRig, clean_rotation

_NAMES = {
    "width": ("image_width", "width"),
    "height": ("image_height", "height"),
    "K": ("camera_matrix", "K", "k"),
    "D": ("distortion_coefficients", "D", "d"),
    "R": ("rectification_matrix", "R", "r"),
    "P": ("projection_matrix", "P", "p"),
}
_LENGTHS = {"K": 9, "R": 9, "P": 12}
# The lens models of OpenCV's pinhole functions. ROS calls the one with 12 coefficients thin_prism_fisheye.
_LENS_MODELS = ("plumb_bob", "rational_polynomial", "thin_prism_fisheye")


@dataclass(frozen=True, eq=False)
class _CameraInfo:
    """The numbers of one file: K (3, 3), D, R (3, 3), P (3, 4), and the size of the pictures in pixels."""

    matrix: NDArray[np.floating]
    distortion: tuple[float, ...]
    rotation: NDArray[np.floating]
    projection: NDArray[np.floating]
    width: int | None
    height: int | None

    @property
    def shift_m(self) -> float:
        """Distance in metres to the right of the left camera, −P[0,3]/P[0,0]; 0 for the left camera itself."""
        return float(-self.projection[0, 3] / self.projection[0, 0])


def is_camera_info(text: str) -> bool:
    """Whether a text has the projection matrix of a camera_info."""
    return re.search(r"^(projection_matrix|P|p):", text, re.MULTILINE) is not None


def read_camera_infos(texts: dict[Path, str]) -> CalibrationFile:
    """Read the file of one camera, or those of both in either order: P[0,3] is 0 in the left and negative in the right.

    K and D describe the pictures as taken, R and P the rectified ones.
    """
    paths = list(texts)
    infos = [_load(path, text) for path, text in texts.items()]
    if len(infos) == 1:
        info = infos[0]
        warning = f"{paths[0].name} describes one camera's lens distortion, which is not used"
        baseline = info.shift_m if info.shift_m > 0 else None
        return CalibrationFile(
            info.projection, info.width, info.height, baseline, None, warning if info.distortion else None
        )
    left, right = sorted(infos, key=lambda info: info.shift_m)
    baseline = right.shift_m - left.shift_m
    if not baseline > 0:
        raise CalibrationError(
            f"{' and '.join(p.name for p in paths)} name no baseline: P[0,3] is {left.projection[0, 3]:g} in both",
            hint="the right camera's projection_matrix has -fx times the baseline as its fourth number",
        )
    if (left.width, left.height) != (right.width, right.height):
        raise CalibrationError(
            f"the left camera has {left.width}x{left.height} px but the right one {right.width}x{right.height}",
            hint="pass the two files of one rig",
        )
    # X_rectified = R X in each camera, and the rectified cameras stand a baseline apart along X
    raw = RawRig(
        (left.matrix, right.matrix),
        (left.distortion, right.distortion),
        right.rotation.T @ left.rotation,
        right.rotation.T @ np.array([-baseline, 0, 0]),
    )
    doffs = float(right.projection[0, 2] - left.projection[0, 2])
    raw = None if raw.is_rectified() else raw
    return CalibrationFile(left.projection, left.width, left.height, baseline, doffs, raw=raw)


def _load(path: Path, text: str) -> _CameraInfo:
    # a section reaches from a name at the start of a line to the next such name
    sections = dict(re.findall(r"^(\w+):(.*?)(?=^\w+:|^---|\Z)", text, re.MULTILINE | re.DOTALL))
    found: dict[str, list[float]] = {}
    for key, names in _NAMES.items():
        section = next((sections[name] for name in names if name in sections), None)
        if section is not None:
            found[key] = [float(x) for x in re.findall(NUMBER, section.partition("data:")[2] or section)]
    for key, length in _LENGTHS.items():
        if len(found.get(key, ())) != length:
            name = f"{_NAMES[key][0]} ({key})"
            problem = f"{len(found[key])} numbers, not {length}" if key in found else "no entry"
            raise CalibrationError(f"{path} has {problem} for {name}", hint="is it a whole ROS camera_info file?")
    model = sections.get("distortion_model", "plumb_bob").strip().strip("\"'")
    distortion = tuple(found.get("D", ()))
    if any(distortion) and model not in _LENS_MODELS:
        raise CalibrationError(
            f"{path} has the lens model {model!r}, which is not understood",
            hint=f"{' and '.join(_LENS_MODELS[:2])} are; or rectify first and pass only the projection's numbers",
        )
    matrix, projection = np.reshape(found["K"], (3, 3)), np.reshape(found["P"], (3, 4))
    if not (projection[0, 0] > 0 and matrix[0, 0] > 0):
        raise CalibrationError(f"{path} is of a camera that was not calibrated", hint="its focal lengths are 0")
    width, height = (int(found[key][0]) if found.get(key) else None for key in ("width", "height"))
    rotation = clean_rotation(np.reshape(found["R"], (3, 3)), f"rectification_matrix in {path}")
    return _CameraInfo(matrix, distortion if any(distortion) else (), rotation, projection, width, height)
