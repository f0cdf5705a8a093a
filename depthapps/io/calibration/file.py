"""What a calibration file says, whatever its format, and how it is scaled to the size of a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Calibration, Camera, LensCamera, StereoRig
from depthapps.core.errors import CalibrationError, param
from depthapps.core.geometry import nearest_rotation

MILLIMETRES_FROM = 10.0  # a rig is narrower than 10 m and wider than 10 mm, so that such numbers are millimetres
_UNUSUAL_FROM = 1.0  # few rigs are wider than a metre


@dataclass(frozen=True, eq=False)
class RawRig:
    """Two cameras before rectification.

    Attributes
    ----------
    matrices : two ndarray, (3, 3)
        OpenCV's K of the left and of the right camera, in pixels.
    distortions : two tuple of float
        OpenCV's D of both; empty for a lens without distortion.
    rotation : ndarray, (3, 3)
        R in X_right = R X_left + T.
    translation_m : ndarray, (3,)
        T in metres.
    size : (int, int) or None
        Width and height in pixels of the pictures as taken, where the file also describes rectified pictures of another
        size; None: the size that the file states.
    fisheye : two bool
        Whether the distortion of each is that of OpenCV's fisheye model.
    """

    matrices: tuple[NDArray[np.floating], NDArray[np.floating]]
    distortions: tuple[tuple[float, ...], tuple[float, ...]]
    rotation: NDArray[np.floating]
    translation_m: NDArray[np.floating]
    size: tuple[int, int] | None = None
    fisheye: tuple[bool, bool] = (False, False)

    def is_rectified(self) -> bool:
        """Whether the pictures need no rectification: no distortion, no rotation, side by side, alike but for cx."""
        left, right = (np.delete(m.ravel(), 2) for m in self.matrices)
        aside = np.abs(self.translation_m[1:]).max() <= 1e-6 * np.linalg.norm(self.translation_m)
        return bool(
            not any(any(d) for d in self.distortions)
            and not any(self.fisheye)
            and np.allclose(self.rotation, np.eye(3), atol=1e-7)
            and np.allclose(left, right, rtol=1e-6)
            and aside
            and self.translation_m[0] < 0
        )


@dataclass(frozen=True, eq=False)
class CalibrationFile:
    """What a calibration file says; None where it does not tell.

    Attributes
    ----------
    matrix : ndarray, (3, 3) or (3, 4) float64
        K of the left camera of the rectified pair, in pixels, or the projection that begins with it.
    width, height : int or None
        Size in pixels of the pictures that the file was made for.
    baseline_m : float or None
        Distance of the two cameras in metres.
    doffs_px : float or None
        Difference of the principal points of the rectified pair, right minus left, in pixels.
    warning : str or None
        What was guessed, or which part of the file is not used.
    raw : RawRig or None
        The cameras as built, if pictures have still to be rectified. If it has a size of its own, only pictures of
        that size.
    others : tuple of CalibrationFile
        The same cameras for pictures of other sizes.
    """

    matrix: NDArray[np.floating]
    width: int | None = None
    height: int | None = None
    baseline_m: float | None = None
    doffs_px: float | None = None
    warning: str | None = None
    raw: RawRig | None = None
    others: tuple[CalibrationFile, ...] = ()

    @classmethod
    def of_calibration(cls, calibration: Calibration) -> CalibrationFile:
        """What a file with this calibration of a rectified pair would say."""
        camera = calibration.camera
        return cls(camera.matrix, camera.width, camera.height, calibration.baseline_m, calibration.doffs_px)

    @classmethod
    def of_rig(cls, rig: StereoRig) -> CalibrationFile:
        """What a file with this rig would say."""
        lenses = (rig.left.distortion, rig.right.distortion)
        fisheye = (rig.left.fisheye, rig.right.fisheye)
        raw = RawRig((rig.left.matrix, rig.right.matrix), lenses, rig.rotation, rig.translation_m, fisheye=fisheye)
        left, right = rig.left.pinhole, rig.right.pinhole
        rectified = raw.is_rectified()
        doffs = right.cx - left.cx  # as a file's
        return cls(left.matrix, left.width, left.height, rig.baseline_m, doffs, None, None if rectified else raw)

    def fitting(self, width: int, height: int) -> CalibrationFile:
        """What the file says of pictures of width x height px, if it describes several sizes of picture."""

        def unlike(file: CalibrationFile) -> float:
            if not (file.width and file.height):
                return math.inf
            shape = abs(math.log(width / height * file.height / file.width))
            return 10 * (shape > 0.01) + abs(math.log(width / file.width))

        return min((self, *self.others), key=unlike) if self.others else self

    def camera(self, width: int, height: int, *, rectified: bool = False) -> Camera:
        """The left camera for a picture of width x height px, scaled if the file was made for another size.

        rectified: the picture is known to be rectified, so that the cameras as built do not matter.
        Raises CalibrationError for a picture of another shape.
        """
        if self.raw is not None and not rectified and self._is_raw(width, height):
            return self._fitted(self.raw.matrices[0], width, height, self.raw.size)
        return self._fitted(self.matrix, width, height)

    def rig(self, width: int, height: int, baseline_m: float | None = None) -> StereoRig | None:
        """The rig for pictures of width x height px; None where they are rectified already.

        baseline_m: the distance of the two cameras in metres, where it is known better than by the file.
        Raises CalibrationError for pictures of another shape.
        """
        if self.raw is None or not self._is_raw(width, height):
            return None
        left, right = (
            LensCamera(self._fitted(matrix, width, height, self.raw.size), distortion, fisheye)
            for matrix, distortion, fisheye in zip(
                self.raw.matrices, self.raw.distortions, self.raw.fisheye, strict=True
            )
        )
        translation = self.raw.translation_m
        if baseline_m is not None:
            translation = translation * (baseline_m / np.linalg.norm(translation))
        return StereoRig(left, right, self.raw.rotation, translation)

    def _is_raw(self, width: int, height: int) -> bool:
        """Whether pictures of this size are as taken, by which of the two kinds of pictures they resemble in shape."""
        own = self.raw.size if self.raw else None
        if own is None or self.width is None or self.height is None:
            return True

        def stretched(made_for: tuple[int, int]) -> float:
            return abs(math.log(width / height * made_for[1] / made_for[0]))

        return stretched(own) < stretched((self.width, self.height))

    def _fitted(
        self, matrix: NDArray[np.floating], width: int, height: int, size: tuple[int, int] | None = None
    ) -> Camera:
        made_for = size or (self.width or width, self.height or height)
        if abs(made_for[0] * height - made_for[1] * width) > 0.01 * made_for[0] * height:
            raise CalibrationError(
                f"the calibration is for {made_for[0]}x{made_for[1]} but the picture is {width}x{height}",
                hint="pass the calibration of these pictures; a crop needs its own principal point",
            )
        return Camera.from_matrix(*made_for, matrix).scaled_to(width, height)


def clean_rotation(matrix: NDArray[np.floating], name: str) -> NDArray[np.floating]:
    """The rotation (3, 3) of a rotation vector (3,), or nearest to a matrix (3, 3) that was printed with few digits."""
    if matrix.size == 3:
        return np.asarray(cv2.Rodrigues(matrix.reshape(3))[0], np.float64)
    nearest = nearest_rotation(matrix.reshape(3, 3))
    if np.abs(nearest - matrix).max() > 0.01:
        raise CalibrationError(f"{name} is no rotation matrix", hint="its rows are three unit vectors at right angles")
    return nearest


def in_metres(translation: NDArray[np.floating], name: str) -> tuple[NDArray[np.floating], str | None]:
    """A translation (3,) in metres, and a note of what was guessed.

    The file does not tell its unit, which is the one in which the board's squares were measured.
    """
    length = float(np.linalg.norm(translation))
    if length > MILLIMETRES_FROM:
        return translation / 1000, f"a baseline of {length:g} in {name} is taken as millimetres ({param('baseline_m')})"
    if length > _UNUSUAL_FROM:
        return translation, (
            f"{name} has a baseline of {length:g}, taken as metres; if its squares were not measured in metres, "
            f"pass {param('baseline_m')}"
        )
    return translation, None
