"""Plain-text calibrations of rectified pairs: Middlebury's, KITTI's, and K.txt of nine numbers and a baseline."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthapps.errors import CalibrationError
from depthapps.io.calibration.file import NUMBER, CalibrationFile, intrinsics

# colour cameras before grey ones: KITTI's pictures that people have are image_2 and image_3
_KITTI_PAIRS = (("P_rect_02", "P_rect_03"), ("P2", "P3"), ("P_rect_00", "P_rect_01"), ("P0", "P1"))


def read_middlebury(path: Path, text: str) -> CalibrationFile:
    """cam0=[fx 0 cx; 0 fy cy; 0 0 1], cam1, doffs, baseline in mm, width, height; ndisp is not to be trusted."""
    entries = dict(re.findall(r"^\s*(\w+)\s*=\s*(.+?)\s*$", text, re.MULTILINE))
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
        *intrinsics(left),
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


def kitti_entries(text: str) -> dict[str, list[float]]:
    """The lines `name: numbers` of a KITTI file, those whose values are all numbers."""
    lines = re.findall(rf"^(\w+):[ \t]*((?:{NUMBER}[ \t]*)+)\r?$", text, re.MULTILINE)
    return {name: [float(x) for x in values.split()] for name, values in lines}


def is_kitti(entries: dict[str, list[float]]) -> bool:
    """Whether projections of KITTI's cameras are among the entries."""
    return any(re.fullmatch(r"P\d|P_rect_\d\d", name) for name in entries)


def read_kitti(path: Path, entries: dict[str, list[float]]) -> CalibrationFile:
    """P2 and P3 (or P_rect_02 and P_rect_03): each P[0,3] is −fx times the camera's place to the right of camera 0."""
    pair = next((p for p in _KITTI_PAIRS if p[0] in entries and p[1] in entries), None)
    if pair is None:
        found = " ".join(name for name in entries if name.startswith("P"))
        raise CalibrationError(
            f"{path} has {found} but no pair of cameras", hint="P2 and P3, or P_rect_02 and P_rect_03, belong in it"
        )
    for name in pair:
        if len(entries[name]) != 12:
            raise CalibrationError(f"{name} in {path} has {len(entries[name])} numbers, not 12", hint="it is 3x4")
    left, right = (np.reshape(entries[name], (3, 4)) for name in pair)
    size = entries.get(pair[0].replace("P_", "S_"), (None, None)) if "rect" in pair[0] else (None, None)
    width, height = (int(v) if v else None for v in size)
    baseline_m = float(left[0, 3] / left[0, 0] - right[0, 3] / right[0, 0])
    return CalibrationFile(*intrinsics(left), width, height, baseline_m, float(right[0, 2] - left[0, 2]))


def is_k_txt(text: str) -> bool:
    """Whether a text is nine or ten numbers and nothing else."""
    return re.fullmatch(rf"\s*(?:{NUMBER}[\s,]*){{9,10}}", text) is not None


def read_k_txt(path: Path, text: str) -> CalibrationFile:
    """Nine numbers, the camera matrix row by row, then the baseline in metres."""
    numbers = [float(x) for x in re.findall(NUMBER, text)]
    matrix = np.reshape(numbers[:9], (3, 3))
    if not np.array_equal(matrix[2], (0, 0, 1)):
        raise CalibrationError(
            f"the first nine numbers of {path} are no camera matrix", hint="fx 0 cx  0 fy cy  0 0 1, then the baseline"
        )
    return CalibrationFile(*intrinsics(matrix), baseline_m=numbers[9] if len(numbers) == 10 else None)
