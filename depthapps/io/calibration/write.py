"""Calibrations out: OpenCV's storage, which its programs and `-c` read."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from depthapps.core.camera import LensCamera, StereoRig
from depthapps.core.errors import OutputError

STORAGE_SUFFIXES = (".yml", ".yaml", ".xml", ".json")


def write_rig(path: Path, rig: StereoRig, rms_px: float) -> None:
    """Write K1 D1 K2 D2 R T in metres, the pictures' size and the residual. Raises OutputError."""
    _write(path, [rig.left, rig.right], rms_px, R=rig.rotation, T=rig.translation_m.reshape(3, 1))


def write_camera(path: Path, camera: LensCamera, rms_px: float) -> None:
    """Write K1 D1, the pictures' size and the residual. Raises OutputError."""
    _write(path, [camera], rms_px)


def _write(path: Path, cameras: list[LensCamera], rms_px: float, **pose: np.ndarray) -> None:
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    if not storage.isOpened():
        raise OutputError(f"{path.name} could not be written", hint="is the disk full?")
    storage.write("image_width", cameras[0].pinhole.width)
    storage.write("image_height", cameras[0].pinhole.height)
    for k, camera in enumerate(cameras, 1):
        p = camera.pinhole
        storage.write(f"K{k}", np.array([[p.fx, 0, p.cx], [0, p.fy, p.cy], [0, 0, 1]]))
        storage.write(f"D{k}", np.array([camera.distortion or (0.0,) * 5]))
    for name, matrix in pose.items():
        storage.write(name, matrix)
    storage.write("rms_px", rms_px)
    storage.release()
