"""Describe cameras: a pinhole camera, a camera with lens distortion, a rectified pair, and an unrectified rig.

Camera axes are OpenCV's: X right, Y down, Z forward. Pixel centres lie at integer coordinates. Lengths are metres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import CalibrationError, param
from depthapps.core.rig_limits import check_focal, check_fov, check_rig

ASSUMED_FOV_DEG = 60.0  # horizontal; a 31 mm lens on 36 mm film, between the usual lenses of phones and cameras


# In sides of the picture, a hundred times beyond what is built: a view of 179.9 degrees, the longest telescopes, and
# crops of a thousandth of a picture. What lies beyond is damage, and would overflow or take for ever.
_LEAST_FOCAL, _MOST_FOCAL, _FARTHEST_CENTRE = 5e-4, 1e5, 1e3


@dataclass(frozen=True)
class Camera:
    """A pinhole camera.

    width, height: size of the picture in pixels, above 0. fx, fy: focal lengths in pixels, above 0. cx, cy: the
    principal point in pixels.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        """Refuse sizes and focal lengths that are not positive."""
        if not (self.width > 0 and self.height > 0):
            raise CalibrationError(
                f"a camera of {self.width}x{self.height} px was described, sizes must be positive",
                hint="check the width and height in the calibration",
            )
        check_focal(self.fx, self.fy)
        shares = self.fx / self.width, self.fy / self.height
        if not _LEAST_FOCAL <= min(shares) <= max(shares) <= _MOST_FOCAL:
            raise CalibrationError(
                f"a focal length of {self.fx:g} x {self.fy:g} px was given for a picture of "
                f"{self.width}x{self.height} px, which no camera has",
                hint=f"check its unit, which is the pixel: the calibration, {param('focal_px')} or {param('fov_deg')}",
            )
        if not (abs(self.cx) <= _FARTHEST_CENTRE * self.width and abs(self.cy) <= _FARTHEST_CENTRE * self.height):
            raise CalibrationError(
                f"the principal point ({self.cx:g}, {self.cy:g}) was given for a picture of {self.width}x{self.height}",
                hint="it is counted in pixels, and lies near the middle: check the calibration",
            )

    @classmethod
    def centred(cls, width: int, height: int, focal_px: float) -> Camera:
        """Make a camera with square pixels and the principal point in the middle of the picture."""
        return cls(width, height, focal_px, focal_px, (width - 1) / 2, (height - 1) / 2)

    @classmethod
    def from_fov(cls, width: int, height: int, fov_deg: float) -> Camera:
        """Make a centred camera from the horizontal field of view, in degrees between 0 and 180."""
        check_fov(fov_deg)
        return cls.centred(width, height, width / 2 / math.tan(math.radians(fov_deg) / 2))

    @classmethod
    def from_matrix(cls, width: int, height: int, matrix: NDArray[np.integer | np.floating]) -> Camera:
        """Make a camera from a matrix K (3, 3), or the first three columns of a projection (3, 4); skew is ignored."""
        return cls(width, height, *(float(v) for v in (matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2])))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """K (3, 3) float64, which maps directions in camera axes to homogeneous pixel coordinates."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]], np.float64)

    def scaled_to(self, width: int, height: int) -> Camera:
        """Make the camera of the same picture resized to width x height pixels."""
        sx, sy = width / self.width, height / self.height
        return Camera(width, height, self.fx * sx, self.fy * sy, (self.cx + 0.5) * sx - 0.5, (self.cy + 0.5) * sy - 0.5)


@dataclass(frozen=True)
class Calibration:
    """The geometry of a rectified pair: Z = fx · baseline_m / (disparity + doffs_px).

    camera: the left camera. baseline_m: distance of the two lenses in metres, above 0. doffs_px: difference of the
    principal points in pixels, cx_right − cx_left. assumed: names of the values that are not known and were guessed,
    such as "focal length" and "baseline".
    """

    camera: Camera
    baseline_m: float
    doffs_px: float = 0.0
    assumed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a rig without a baseline."""
        check_rig(self.baseline_m, self.doffs_px)


@dataclass(frozen=True)
class LensCamera:
    """A real camera: a pinhole camera with the distortion of its lens, which bends straight lines.

    pinhole: the camera without distortion. distortion: OpenCV's coefficients, k1 k2 p1 p2 [k3 [k4 k5 k6 [s1 s2 s3 s4
    [tx ty]]]]; empty for none. fisheye: they are the k1 k2 k3 k4 of OpenCV's fisheye model instead (Kannala and Brandt,
    "equidistant"). This is a type of its own, so that a distorted picture cannot be passed to a function that takes a
    pinhole `Camera`.
    """

    pinhole: Camera
    distortion: tuple[float, ...] = ()
    fisheye: bool = False

    def __post_init__(self) -> None:
        """Refuse a number of coefficients that OpenCV's lens models do not have, and values that are not finite."""
        if self.fisheye and len(self.distortion) not in (0, 4):
            raise CalibrationError(
                f"a fisheye lens with {len(self.distortion)} distortion coefficients was described, not 4",
                hint="k1 k2 k3 k4 of the equidistant model (Kannala and Brandt) are needed",
            )
        if len(self.distortion) not in (0, 4, 5, 8, 12, 14):
            raise CalibrationError(
                f"a lens with {len(self.distortion)} distortion coefficients was described, not 0, 4, 5, 8, 12 or 14",
                hint="k1 k2 p1 p2 [k3 [k4 k5 k6]] is the usual order",
            )
        if not np.isfinite(self.distortion).all():
            raise CalibrationError("a distortion coefficient is no number", hint="check the calibration")

    @property
    def matrix(self) -> NDArray[np.float64]:
        """K (3, 3) float64 of the pinhole camera."""
        return self.pinhole.matrix

    @property
    def coefficients(self) -> NDArray[np.float64]:
        """The distortion as OpenCV's functions take it: (4,) to (14,) float64, zeros if there is none."""
        return np.array(self.distortion or (0.0,) * (4 if self.fisheye else 5), np.float64)

    def scaled_to(self, width: int, height: int) -> LensCamera:
        """Make the camera of the same picture resized to width x height pixels; the distortion stays the same."""
        return LensCamera(self.pinhole.scaled_to(width, height), self.distortion, self.fisheye)


@dataclass(frozen=True, eq=False)
class StereoRig:
    """Two real cameras and the rigid transform between them: X_right = rotation @ X_left + translation_m.

    left, right: the cameras. rotation: (3, 3) float64 orthonormal. translation_m: (3,) float64 metres; its length is
    the baseline. The pictures of a rig are not yet undistorted and rectified; `Calibration` describes them afterwards.
    """

    left: LensCamera
    right: LensCamera
    rotation: NDArray[np.floating]
    translation_m: NDArray[np.floating]

    def __post_init__(self) -> None:
        """Refuse a matrix that is no rotation, and two cameras in one place."""
        if self.rotation.shape != (3, 3) or self.translation_m.shape != (3,):
            raise CalibrationError(
                f"the rig's rotation is {self.rotation.shape} and its translation {self.translation_m.shape}, "
                "not (3, 3) and (3,)",
                hint="X_right = R X_left + T, as OpenCV's stereoCalibrate returns them",
            )
        if not np.allclose(self.rotation @ self.rotation.T, np.eye(3), atol=1e-4) or np.linalg.det(self.rotation) < 0:
            raise CalibrationError("the rig's rotation is no rotation matrix", hint="check R in the calibration")
        if not 0 < self.baseline_m < math.inf:
            raise CalibrationError(
                f"the rig's cameras are {self.baseline_m:g} m apart, it must be more than nothing",
                hint="check T in the calibration",
            )

    @property
    def baseline_m(self) -> float:
        """Distance between the two cameras in metres."""
        return float(np.linalg.norm(self.translation_m))

    def scaled_to(self, width: int, height: int) -> StereoRig:
        """Make the rig whose pictures are both resized to width x height pixels."""
        return StereoRig(
            self.left.scaled_to(width, height),
            self.right.scaled_to(width, height),
            self.rotation,
            self.translation_m,
        )
