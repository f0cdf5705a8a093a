"""Read a calibration: find out which format a file has, and which second file belongs to it."""

from __future__ import annotations

from pathlib import Path

from depthapps.core.errors import CalibrationError, InputError
from depthapps.io.calibration.file import CalibrationFile
from depthapps.io.calibration.ros import is_camera_info, read_camera_infos
from depthapps.io.calibration.storage import read_storage
from depthapps.io.calibration.text import is_k_txt, is_kitti, kitti_entries, read_k_txt, read_kitti, read_middlebury
from depthapps.io.formats import CALIBRATION_SUFFIXES
from depthapps.io.inputs import StrPath, check_input, read_text

_TWO_CAMERAS = (("left", "right"), ("Left", "Right"))
_TWO_PARTS = (("intrinsics", "extrinsics"), ("intrinsic", "extrinsic"))
_KNOWN = (
    "Middlebury's and KITTI's calib.txt, K.txt, OpenCV's .yml, .xml and .json and ROS camera_info .yaml are understood"
)


def read_calibration(first: StrPath, *others: StrPath) -> CalibrationFile:
    """Read a calibration of any known format.

    Parameters
    ----------
    first, *others : str or PathLike
        One file, or the two files of a pair: left.yaml and right.yaml of ROS, or intrinsics.yml and extrinsics.yml of
        OpenCV's sample. Of such a pair one is enough if the other stands beside it.

    Returns
    -------
    CalibrationFile
        What the file says; its methods give the camera and the rig for pictures of a size.

    Raises
    ------
    InputError
        A file is not there.
    CalibrationError
        A file is of no known format, or says what no camera can be.

    Notes
    -----
    Formats: Middlebury's and KITTI's calib.txt, KITTI's calib_cam_to_cam.txt, K.txt of nine numbers and a baseline,
    OpenCV's cv::FileStorage (.yml, .xml, .json), ROS sensor_msgs/CameraInfo (.yaml).
    """
    given = [check_input(path, "calibration") for path in (first, *others)]
    if len(given) > 2:
        raise CalibrationError(f"{len(given)} calibration files were given", hint="a pair has one or two")
    main, second = given[0], tuple(given[1:])
    if main.suffix.lower() in CALIBRATION_SUFFIXES:
        if _is_camera_info(_text(main)):
            return read_camera_infos(_texts(main, second or _beside(main, _TWO_CAMERAS)))
        return read_storage(_texts(main, second or _beside(main, _TWO_PARTS)))
    if second:
        raise CalibrationError(
            f"{main.name} and {second[0].name} are no pair of calibration files",
            hint="left.yaml and right.yaml of ROS, or intrinsics.yml and extrinsics.yml of OpenCV, are",
        )
    text = _text(main)
    if "cam0" in text:
        return read_middlebury(main, text)
    entries = kitti_entries(text)
    if is_kitti(entries):
        return read_kitti(main, entries)
    if is_k_txt(text):
        return read_k_txt(main, text)
    raise CalibrationError(f"{main} is no calibration: it has no cam0=[...], no P2: and no camera matrix", hint=_KNOWN)


def _beside(path: Path, names: tuple[tuple[str, str], ...]) -> tuple[Path, ...]:
    """The other file of a pair, if it stands beside this one under the name that belongs to it."""
    for mine, other in (*names, *(pair[::-1] for pair in names)):
        partner = path.with_name(path.name.replace(mine, other))
        if mine in path.name and partner.is_file():
            return (partner,)
    return ()


def _is_camera_info(text: str) -> bool:
    return not text.lstrip().startswith(("%YAML", "<", "{")) and is_camera_info(text)


def _texts(main: Path, second: tuple[Path, ...]) -> dict[Path, str]:
    return {path: _text(path) for path in (main, *second)}


def _text(path: Path) -> str:
    try:
        return read_text(path, "calibration", hint=_KNOWN)
    except InputError as error:
        raise CalibrationError(error.message, hint=error.raw_hint) from None
