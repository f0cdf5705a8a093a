"""Write calibrations as OpenCV's storage, which OpenCV's programs and `read_calibration` read."""

from __future__ import annotations

from pathlib import Path

import cv2

from depthapps.core.camera import LensCamera, StereoRig
from depthapps.core.errors import InputError, OutputError, brief
from depthapps.io.formats import CALIBRATION_SUFFIXES
from depthapps.io.inputs import StrPath
from depthapps.io.outputs import Outputs, check_suffix, opened


def write_calibration(
    path: StrPath, calibrated: StereoRig | LensCamera, rms_px: float | None = None, *, outputs: Outputs | None = None
) -> None:
    """Write the calibration of a stereo rig or of one camera. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        A ``.yml``, ``.yaml``, ``.xml`` or ``.json`` file.
    calibrated : StereoRig or LensCamera
        What was calibrated.
    rms_px : float, optional
        Root mean square distance in pixels between the board's corners and where the calibration puts them.
    outputs : Outputs, optional
        The group of files that this one belongs to. Without it the file is written at once and replaces an old one.

    Raises
    ------
    InputError
        What is given is neither a rig nor a camera.
    OutputError
        The file cannot be written, or its suffix is of no such format.

    Notes
    -----
    The format is that of OpenCV's cv::FileStorage with the names of its stereo calibration sample: image_width,
    image_height, K1, D1 and, for a rig, K2, D2, R and T in metres, where X_right = R X_left + T; fisheye is 1 if D1 and
    D2 are those of the fisheye model.
    """
    path = Path(path)
    check_suffix(path, CALIBRATION_SUFFIXES, "a calibration")
    if not isinstance(calibrated, StereoRig | LensCamera):
        raise InputError(
            f"{brief(calibrated)} is neither a rig nor a camera",
            hint="pass a StereoRig or a LensCamera; where one camera was calibrated, its rig is None: pass cameras[0]",
        )
    storage = cv2.FileStorage(f"in_memory{path.suffix.lower()}", cv2.FILE_STORAGE_WRITE | cv2.FILE_STORAGE_MEMORY)
    if not storage.isOpened():
        raise OutputError(f"{path.name} could not be encoded", hint=f"try one of {' '.join(CALIBRATION_SUFFIXES)}")
    cameras = [calibrated.left, calibrated.right] if isinstance(calibrated, StereoRig) else [calibrated]
    storage.write("image_width", cameras[0].pinhole.width)
    storage.write("image_height", cameras[0].pinhole.height)
    for k, camera in enumerate(cameras, 1):
        storage.write(f"K{k}", camera.matrix)
        storage.write(f"D{k}", camera.coefficients[None])
    if any(camera.fisheye for camera in cameras):
        storage.write("fisheye", 1)
    if isinstance(calibrated, StereoRig):
        storage.write("R", calibrated.rotation)
        storage.write("T", calibrated.translation_m.reshape(3, 1))
    if rms_px is not None:
        storage.write("rms_px", rms_px)
    with opened(outputs, [path]) as group:
        group.write(path, storage.releaseAndGetString().encode())
