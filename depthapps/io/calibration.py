"""Calibration files: Middlebury calib.txt and OpenCV's YAML, XML or JSON storage."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.errors import CalibrationError
from depthapps.io.files import check_input
from depthapps.scene import Camera

_STORAGE_SUFFIXES = (".yml", ".yaml", ".xml", ".json")
_KNOWN = "Middlebury's calib.txt and OpenCV's .yml, .xml and .json are understood"


@dataclass(frozen=True)
class CalibrationFile:
    """What a calibration file says of a rectified pair; None where it is silent.

    `width` and `height` are those of the pictures it was made for. `warning` says what of the file is not used.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    width: int | None = None
    height: int | None = None
    baseline_m: float | None = None
    doffs_px: float | None = None
    warning: str | None = None

    def camera(self, width: int, height: int) -> Camera:
        """The left camera for a picture of width x height px, scaled if the file was made for another size."""
        made_for = self.width or width, self.height or height
        if abs(made_for[0] * height - made_for[1] * width) > 0.01 * made_for[0] * height:
            raise CalibrationError(
                f"the calibration is for {made_for[0]}x{made_for[1]} but the picture is {width}x{height}",
                hint="pass the calibration of these pictures; a crop needs its own principal point",
            )
        return Camera(*made_for, self.fx, self.fy, self.cx, self.cy).scaled_to(width, height)


def read_calibration(path: Path) -> CalibrationFile:
    """Read a calibration file of any known kind. Raises InputError or CalibrationError."""
    check_input(path, "calibration")
    if path.suffix.lower() in _STORAGE_SUFFIXES:
        return _read_storage(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise CalibrationError(f"{path} is not a text file", hint=_KNOWN) from None
    return _read_middlebury(path, text)


def _read_middlebury(path: Path, text: str) -> CalibrationFile:
    """cam0=[fx 0 cx; 0 fy cy; 0 0 1], cam1, doffs, baseline in mm, width, height; ndisp is not to be trusted."""
    entries = dict(re.findall(r"^\s*(\w+)\s*=\s*(.+?)\s*$", text, re.MULTILINE))
    if "cam0" not in entries:
        raise CalibrationError(f"{path} has no line cam0=[...]", hint=_KNOWN)
    try:
        left = _bracketed_matrix(entries["cam0"])
        right = _bracketed_matrix(entries["cam1"]) if "cam1" in entries else None
        numbers = {k: float(entries[k]) for k in ("doffs", "baseline", "width", "height") if k in entries}
    except ValueError as error:
        raise CalibrationError(
            f"{path} cannot be read: {error}", hint="lines are name=number or cam0=[a b c; ...]"
        ) from None
    doffs = numbers.get("doffs", None if right is None else float(right[0, 2] - left[0, 2]))
    return CalibrationFile(
        *_intrinsics(left),
        width=int(numbers["width"]) if "width" in numbers else None,
        height=int(numbers["height"]) if "height" in numbers else None,
        baseline_m=numbers["baseline"] / 1000 if "baseline" in numbers else None,
        doffs_px=doffs,
    )


def _bracketed_matrix(text: str) -> NDArray[np.floating]:
    matrix = np.array([[float(x) for x in row.split()] for row in text.strip("[]").split(";")])
    if matrix.shape != (3, 3):
        raise ValueError(f"{text} is not a 3x3 matrix")
    return matrix


def _intrinsics(matrix: NDArray[np.floating]) -> tuple[float, float, float, float]:
    return float(matrix[0, 0]), float(matrix[1, 1]), float(matrix[0, 2]), float(matrix[1, 2])


def _read_storage(path: Path) -> CalibrationFile:
    """OpenCV storage: P1 and P2 of stereoRectify if they are there, else K1 (or M1) with T; lengths in metres."""
    try:
        storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
        names = ("P1", "P2", "K1", "M1", "K2", "M2", "D1", "D2", "R", "T")
        found = {n: np.asarray(m, np.float64) for n in names if (m := storage.getNode(n).mat()) is not None}
        size = [storage.getNode(name) for name in ("image_width", "image_height")]
        width, height = (int(node.real()) if node.isInt() else None for node in size)
    except (cv2.error, SystemError):
        raise CalibrationError(f"{path} is not an OpenCV storage file", hint=_KNOWN) from None
    if "P1" in found and "P2" in found:
        left, right = found["P1"], found["P2"]
        return CalibrationFile(
            *_intrinsics(left), width, height, abs(float(right[0, 3] / right[0, 0])), float(right[0, 2] - left[0, 2])
        )
    left, right = found.get("K1", found.get("M1")), found.get("K2", found.get("M2"))
    if left is None:
        raise CalibrationError(f"{path} names neither P1 and P2 nor K1 or M1", hint=_KNOWN)
    baseline = float(np.linalg.norm(found["T"])) if "T" in found else None
    doffs = None if right is None else float(right[0, 2] - left[0, 2])
    bent = any(name in found and np.abs(found[name]).max() > 0 for name in ("D1", "D2"))
    turned = "R" in found and not math.isclose(float(np.trace(found["R"])), 3, abs_tol=1e-6)
    warning = None
    if bent or turned:
        what = " and ".join(w for w, yes in (("lens distortion", bent), ("a rotation", turned)) if yes)
        warning = f"{path.name} describes {what}; the views are taken as rectified already"
    return CalibrationFile(*_intrinsics(left), width, height, baseline, doffs, warning)
