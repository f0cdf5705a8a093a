"""Read OpenCV's storage files (.yml, .yaml, .xml, .json) of one camera, a rig, or a rectified pair."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import CalibrationError, param
from depthapps.io.calibration.file import CalibrationFile, RawRig, clean_rotation, in_metres

# The names that each matrix has: K in OpenCV's documentation, M in its stereo sample, the long ones in its sample for
# one camera.
_NAMES = {
    "K1": ("K1", "M1", "camera_matrix", "cameraMatrix1"),
    "D1": ("D1", "distortion_coefficients", "distCoeffs1"),
    "K2": ("K2", "M2", "cameraMatrix2"),
    "D2": ("D2", "distCoeffs2"),
    "R": ("R",),
    "T": ("T",),
    "P1": ("P1",),
    "P2": ("P2",),
}
_SHAPES = {"K1": (3, 3), "K2": (3, 3), "P1": (3, 4), "P2": (3, 4)}
Matrices = dict[str, NDArray[np.floating]]


def read_storage(texts: dict[Path, str]) -> CalibrationFile:
    """Read one or two storage files that together hold K1 and D1 (and K2 D2 R T), or P1 and P2.

    T has the unit in which the board's squares were measured.
    """
    paths = list(texts)
    found: Matrices = {}
    width = height = None
    for path, text in texts.items():
        matrices, size = _load(path, text)
        found |= matrices
        width, height = size if size[0] and size[1] else (width, height)
    name = paths[0].name
    if "K1" not in found and not ("P1" in found and "P2" in found):
        raise CalibrationError(
            f"{' and '.join(str(p) for p in paths)} names neither K1 (or M1) nor P1 and P2",
            hint="intrinsics.yml and extrinsics.yml belong together: keep them in one folder, or pass both as "
            f"{param('calibration')}",
        )
    rig = [key for key in ("K2", "R", "T") if key in found]
    raw, warning = None, None
    if "K1" in found and "R" in rig and len(rig) < 3:
        missing = " and ".join(key for key in ("K2", "T") if key not in found)
        raise CalibrationError(
            f"{name} has R but no {missing}", hint="a rig is K1 D1 K2 D2 R T; extrinsics.yml may stand beside it"
        )
    if "K1" in found and "K2" in rig and "T" in rig:
        translation, warning = in_metres(found["T"].ravel(), name)
        raw = RawRig(
            (found["K1"], found["K2"]),
            (_coefficients(found, "D1"), _coefficients(found, "D2")),
            clean_rotation(found["R"], f"R in {name}") if "R" in found else np.eye(3),
            translation,
        )
        raw = None if raw.is_rectified() else raw
    elif any(_coefficients(found, d) for d in ("D1", "D2")) and "P1" not in found:
        warning = f"{name} describes lens distortion of single cameras, which is not used"
    if "P1" in found and "P2" in found:
        left, right = found["P1"], found["P2"]
        shift, unit = in_metres(np.array([abs(right[0, 3] / right[0, 0]), 0, 0]), name)
        baseline, warning = float(shift[0]), warning or unit
    else:
        left, right = found["K1"], found.get("K2")
        baseline = None
        if "T" in found:
            shift, warning = in_metres(found["T"].ravel(), name)
            baseline = float(np.linalg.norm(shift))
    doffs = None if right is None else float(right[0, 2] - left[0, 2])
    return CalibrationFile(left, width, height, baseline, doffs, warning, raw)


def _coefficients(found: Matrices, key: str) -> tuple[float, ...]:
    values = tuple(float(v) for v in found[key].ravel()) if key in found else ()
    return values if any(values) else ()


def _load(path: Path, text: str) -> tuple[Matrices, tuple[int | None, int | None]]:
    """The matrices in a file's text, and the size of the pictures: width and height."""
    try:
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        found: Matrices = {}
        for key, names in _NAMES.items():
            for name in names:
                if key not in found and (matrix := storage.getNode(name).mat()) is not None:
                    found[key] = np.asarray(matrix, np.float64)
        size = [storage.getNode(name) for name in ("image_width", "image_height")]
        width, height = (int(node.real()) if node.isInt() or node.isReal() else None for node in size)
    except (cv2.error, SystemError):
        raise CalibrationError(
            f"{path} is not an OpenCV storage file", hint="is it whole, and does it start with %YAML:1.0 or <?xml?"
        ) from None
    for key, matrix in found.items():
        if key in _SHAPES and matrix.shape != _SHAPES[key]:
            raise CalibrationError(
                f"{key} in {path} is {'x'.join(map(str, matrix.shape))}, not {'x'.join(map(str, _SHAPES[key]))}",
                hint="is it another program's file?",
            )
        if not np.isfinite(matrix).all():
            raise CalibrationError(f"{key} in {path} holds what is no number", hint="calibrate again")
    if ("T" in found and found["T"].size != 3) or ("R" in found and found["R"].size not in (3, 9)):
        raise CalibrationError(f"R or T in {path} has the wrong size", hint="R is 3x3 and T has three numbers")
    return found, (width, height)
