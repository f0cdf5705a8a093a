"""Read plain-text calibrations: Middlebury's, KITTI's, and K.txt of nine numbers and a baseline."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import CalibrationError
from depthapps.io.calibration.file import NUMBER, CalibrationFile, RawRig, clean_rotation

# colour cameras before grey ones, because image_2 and image_3 are the pictures of KITTI that people use
_KITTI_RAW_PAIRS = (("02", "03"), ("00", "01"))
_KITTI_PAIRS = (("P_rect_02", "P_rect_03"), ("P2", "P3"), ("P_rect_00", "P_rect_01"), ("P0", "P1"))


def read_middlebury(path: Path, text: str) -> CalibrationFile:
    """Read cam0=[fx 0 cx; 0 fy cy; 0 0 1], cam1, doffs, baseline in mm, width and height.

    ndisp is not read: the range of disparities is found in the pair itself.
    """
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
        left,
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
    """The lines `name: numbers` of a KITTI file; others are left out."""
    lines = re.findall(rf"^(\w+):[ \t]*((?:{NUMBER}[ \t]*)+)\r?$", text, re.MULTILINE)
    return {name: [float(x) for x in values.split()] for name, values in lines}


def is_kitti(entries: dict[str, list[float]]) -> bool:
    """Whether projections or matrices of KITTI's cameras are among the entries."""
    return any(re.fullmatch(r"P\d|P_rect_\d\d|K_\d\d", name) for name in entries)


def read_kitti(path: Path, entries: dict[str, list[float]]) -> CalibrationFile:
    """Read P2 and P3, or P_rect_02 and P_rect_03; P[0,3] is −fx times the distance to the right of camera 0 in metres.

    The file of the raw drives also describes the cameras as built (K_02 and so on), for pictures as they were taken.
    """
    pair = next((p for p in _KITTI_PAIRS if p[0] in entries and p[1] in entries), None)
    raw = next((p for p in _KITTI_RAW_PAIRS if all(f"K_{camera}" in entries for camera in p)), None)
    if pair is None and raw is not None:
        rig = _kitti_rig(path, entries, raw)
        width, height = rig.size or (None, None)
        baseline_m = float(np.linalg.norm(rig.translation_m))
        return CalibrationFile(rig.matrices[0], width, height, baseline_m, raw=replace(rig, size=None))
    if pair is None:
        found = " ".join(name for name in entries if name.startswith(("P", "K_")))
        raise CalibrationError(
            f"{path} has {found} but no pair of cameras",
            hint="P2 and P3, P_rect_02 and P_rect_03, or K_02 and K_03 belong in it",
        )
    for name in pair:
        if len(entries[name]) != 12:
            raise CalibrationError(f"{name} in {path} has {len(entries[name])} numbers, not 12", hint="it is 3x4")
    left, right = (np.reshape(entries[name], (3, 4)) for name in pair)
    size = entries.get(pair[0].replace("P_", "S_"), (None, None)) if "rect" in pair[0] else (None, None)
    width, height = (int(v) if v else None for v in size)
    baseline_m = float(left[0, 3] / left[0, 0] - right[0, 3] / right[0, 0])
    rig = None
    if pair[0].startswith("P_rect_") and width and height:
        cameras = pair[0][-2:], pair[1][-2:]
        # the raw cameras are used for pictures of their size only, so without S_rect nothing would tell the two apart
        if all(f"{name}_{camera}" in entries for name in "SKDRT" for camera in cameras):
            rig = _kitti_rig(path, entries, cameras)
    return CalibrationFile(left, width, height, baseline_m, float(right[0, 2] - left[0, 2]), raw=rig)


def _kitti_rig(path: Path, entries: dict[str, list[float]], cameras: tuple[str, str]) -> RawRig:
    """Two cameras as built; R and T of each lead from camera 0 to it."""

    def numbers(name: str, camera: str, count: int) -> NDArray[np.floating]:
        found = entries.get(f"{name}_{camera}", [])
        if len(found) != count:
            raise CalibrationError(
                f"{name}_{camera} in {path} has {len(found)} numbers, not {count}",
                hint="calib_cam_to_cam.txt of KITTI's raw drives has S, K, D, R and T of each camera",
            )
        return np.array(found)

    (left, left_at), (right, right_at) = (
        (clean_rotation(numbers("R", c, 9).reshape(3, 3), f"R_{c} in {path}"), numbers("T", c, 3)) for c in cameras
    )
    turn = right @ left.T
    width, height = (int(side) for side in numbers("S", cameras[0], 2))
    first, second = cameras
    return RawRig(
        (numbers("K", first, 9).reshape(3, 3), numbers("K", second, 9).reshape(3, 3)),
        (tuple(numbers("D", first, 5).tolist()), tuple(numbers("D", second, 5).tolist())),
        turn,
        right_at - turn @ left_at,
        (width, height),
    )


def is_k_txt(text: str) -> bool:
    """Whether a text is nine or ten numbers and nothing else."""
    return re.fullmatch(rf"\s*(?:{NUMBER}[\s,]*){{9,10}}", text) is not None


def read_k_txt(path: Path, text: str) -> CalibrationFile:
    """Read nine numbers, the camera matrix row by row, and a tenth, the baseline in metres, if it is there."""
    numbers = [float(x) for x in re.findall(NUMBER, text)]
    matrix = np.reshape(numbers[:9], (3, 3))
    if not np.array_equal(matrix[2], (0, 0, 1)):
        raise CalibrationError(
            f"the first nine numbers of {path} are no camera matrix", hint="fx 0 cx  0 fy cy  0 0 1, then the baseline"
        )
    return CalibrationFile(matrix, baseline_m=numbers[9] if len(numbers) == 10 else None)
