"""Which kind of calibration a file is, and which second file belongs to it."""

from __future__ import annotations

from pathlib import Path

from depthapps.core.errors import CalibrationError
from depthapps.io.calibration.file import CalibrationFile
from depthapps.io.calibration.ros import is_camera_info, read_camera_infos
from depthapps.io.calibration.storage import read_storage
from depthapps.io.calibration.text import is_k_txt, is_kitti, kitti_entries, read_k_txt, read_kitti, read_middlebury
from depthapps.io.outputs import check_input

_STORAGE_SUFFIXES = (".yml", ".yaml", ".xml", ".json")
_TWO_CAMERAS = (("left", "right"), ("Left", "Right"))
_TWO_PARTS = (("intrinsics", "extrinsics"), ("intrinsic", "extrinsic"))
_KNOWN = (
    "Middlebury's and KITTI's calib.txt, K.txt, OpenCV's .yml, .xml and .json and ROS camera_info .yaml are understood"
)


def read_calibration(first: Path, *others: Path) -> CalibrationFile:
    """Read a calibration of any known kind from one file or two. Raises InputError or CalibrationError.

    Of a pair of files, left.yaml and right.yaml of ROS or intrinsics.yml and extrinsics.yml of OpenCV's sample, one
    is enough if the other stands beside it.
    """
    for path in (first, *others):
        check_input(path, "calibration")
    if len(others) > 1:
        raise CalibrationError(f"{1 + len(others)} calibration files were given", hint="a pair has one or two")
    if first.suffix.lower() in _STORAGE_SUFFIXES:
        if _is_camera_info(first):
            return read_camera_infos([first, *(others or _beside(first, _TWO_CAMERAS))])
        return read_storage([first, *(others or _beside(first, _TWO_PARTS))])
    if others:
        raise CalibrationError(
            f"{first.name} and {others[0].name} are no pair of calibration files",
            hint="left.yaml and right.yaml of ROS, or intrinsics.yml and extrinsics.yml of OpenCV, are",
        )
    text = _text(first)
    if "cam0" in text:
        return read_middlebury(first, text)
    entries = kitti_entries(text)
    if is_kitti(entries):
        return read_kitti(first, entries)
    if is_k_txt(text):
        return read_k_txt(first, text)
    raise CalibrationError(f"{first} is no calibration: it has no cam0=[...], no P2: and no camera matrix", hint=_KNOWN)


def _beside(path: Path, names: tuple[tuple[str, str], ...]) -> tuple[Path, ...]:
    """The file beside `path` that is named as its other half."""
    for mine, other in (*names, *(pair[::-1] for pair in names)):
        partner = path.with_name(path.name.replace(mine, other))
        if mine in path.name and partner.is_file():
            return (partner,)
    return ()


def _is_camera_info(path: Path) -> bool:
    text = _text(path)
    return not text.lstrip().startswith(("%YAML", "<", "{")) and is_camera_info(text)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise CalibrationError(f"{path} is not a text file", hint=_KNOWN) from None
