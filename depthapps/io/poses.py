"""Read poses and camera matrices from files of numbers, as data sets of many views have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import InputError
from depthapps.io.inputs import read_text

_TOLERANCE = 1e-2  # by which R Rᵀ of a pose may differ from 1, because poses are printed with few digits
_QUATERNION = "a line has a time and seven numbers: tx ty tz qx qy qz qw"


def _numbers(path: Path) -> NDArray[np.floating]:
    try:
        return np.array(read_text(path, "file of numbers").split(), float)
    except ValueError:
        raise InputError(f"{path} holds what is no number", hint="a matrix in rows of numbers is wanted") from None


def read_matrix(path: Path) -> NDArray[np.floating] | None:
    """The camera matrix (3, 3) in a file; None if there is no such file."""
    if not path.is_file():
        return None
    return checked_matrix(_numbers(path), path)


def checked_matrix(values: NDArray[np.floating], path: Path) -> NDArray[np.floating]:
    """The nine numbers of a file as a camera matrix (3, 3). Raises InputError if they are none."""
    values = values.ravel()
    if values.size != 9 or not (np.isfinite(values).all() and values[0] > 0 and values[4] > 0):
        raise InputError(f"{path} is no camera matrix", hint="three rows: fx 0 cx, 0 fy cy, 0 0 1")
    return values.reshape(3, 3)


def read_pose(path: Path) -> NDArray[np.floating] | None:
    """The pose (4, 4) in a file; None if there is no such file or the tracker was lost."""
    return _checked(_numbers(path), path) if path.is_file() else None


def _checked(values: NDArray[np.floating], path: Path) -> NDArray[np.floating] | None:
    if values.size != 16:
        raise InputError(f"{path} is no pose", hint="four rows of four numbers, camera to world, metres")
    pose = values.reshape(4, 4)
    if not np.isfinite(pose).all():
        return None
    rotation = pose[:3, :3]
    if np.abs(rotation @ rotation.T - np.eye(3)).max() > _TOLERANCE or np.linalg.det(rotation) < 0:
        raise InputError(f"the pose in {path} is no rigid motion", hint="its upper left must be a rotation")
    return pose


def read_log(path: Path) -> list[NDArray | None]:
    """The poses of Open3D's .log: for each view a line of three numbers, then four rows of the matrix."""
    values = _numbers(path)
    if values.size % 19:
        raise InputError(f"{path} is no trajectory", hint="a line of three numbers and four rows for every view")
    return [_checked(block[3:], path) for block in values.reshape(-1, 19)]


def quaternion_pose(words: list[str], path: Path) -> NDArray[np.floating] | None:
    """The pose (4, 4) that a line of a file tells as tx ty tz qx qy qz qw; None if the tracker was lost."""
    try:
        values = np.array(words, float)
    except ValueError:
        raise InputError(f"{path} holds what is no number", hint=_QUATERNION) from None
    if values.size != 7:
        raise InputError(f"{path} has a pose of {values.size} numbers", hint=_QUATERNION)
    if not np.isfinite(values).all() or not any(values[3:]):
        return None
    x, y, z, w = values[3:] / np.linalg.norm(values[3:])
    pose = np.eye(4)
    pose[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    pose[:3, 3] = values[:3]
    return pose
