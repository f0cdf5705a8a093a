"""What the rooms of depthapps hand to each other: cameras, stereo pairs, scenes and surfaces.

Camera axes are OpenCV's: X right, Y down, Z forward. Pixel centres lie at integer coordinates. Lengths are metres.
Pictures are RGB; integer samples are sRGB-encoded, float samples are linear light. NaN is the only "unknown".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import CalibrationError, InputError, param

FloatMap = NDArray[np.floating]
"""(H, W) float32."""
Image = NDArray[np.integer | np.floating]
"""(H, W, 3) RGB: uint8 or uint16 sRGB, or float32 linear light."""

ASSUMED_FOV_DEG = 60.0  # horizontal; about a 31 mm lens on 36 mm film, between a phone's and a camera's usual lens
ASSUMED_BASELINE_M = 0.065  # the mean distance of human eyes, which people and 3D cameras imitate


@dataclass(frozen=True)
class Camera:
    """A pinhole camera: picture size in pixels, focal lengths and principal point in pixels."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        """Refuse what no camera can be."""
        if not (self.width > 0 and self.height > 0):
            raise CalibrationError(
                f"a camera of {self.width}x{self.height} px was described, sizes must be positive",
                hint="check the width and height in the calibration",
            )
        if not (0 < self.fx < math.inf and 0 < self.fy < math.inf):
            raise CalibrationError(
                f"a focal length of {self.fx:g} x {self.fy:g} px was given, it must be positive",
                hint=f"check the calibration, {param('focal_px')} or {param('fov_deg')}",
            )

    @classmethod
    def centred(cls, width: int, height: int, focal_px: float) -> Camera:
        """Square pixels and a principal point in the middle of the picture."""
        return cls(width, height, focal_px, focal_px, (width - 1) / 2, (height - 1) / 2)

    @classmethod
    def from_fov(cls, width: int, height: int, fov_deg: float) -> Camera:
        """The centred camera whose picture is fov_deg wide, in degrees between 0 and 180."""
        if not 0 < fov_deg < 180:
            raise CalibrationError(
                f"a field of view of {fov_deg:g} degrees was given, it must lie between 0 and 180",
                hint=f"{param('fov_deg')} is the horizontal angle of the picture, 60 for a usual lens",
            )
        return cls.centred(width, height, width / 2 / math.tan(math.radians(fov_deg) / 2))

    def scaled_to(self, width: int, height: int) -> Camera:
        """The camera of the same picture resized to width x height px."""
        sx, sy = width / self.width, height / self.height
        return Camera(width, height, self.fx * sx, self.fy * sy, (self.cx + 0.5) * sx - 0.5, (self.cy + 0.5) * sy - 0.5)


@dataclass(frozen=True)
class Calibration:
    """The geometry of a rectified pair: Z = fx · baseline_m / (disparity + doffs_px).

    `camera` is the left one; `doffs_px` is the difference of the principal points, cx_right − cx_left;
    `assumed` names what was guessed for want of knowledge ("focal length", "baseline").
    """

    camera: Camera
    baseline_m: float
    doffs_px: float = 0.0
    assumed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a rig without a baseline."""
        if not 0 < self.baseline_m < math.inf:
            raise CalibrationError(
                f"a baseline of {self.baseline_m:g} m was given, it must be positive",
                hint="the baseline is the distance between the two lenses, in metres",
            )


@dataclass(frozen=True)
class LensCamera:
    """A camera as it was built: a pinhole camera seen through a lens that bends straight lines.

    distortion: OpenCV's coefficients, k1 k2 p1 p2 [k3 [k4 k5 k6 [s1 s2 s3 s4 [tx ty]]]]; empty = none.
    It stands beside `Camera` and not in it, so that what knows only pinholes cannot be handed a bent picture.
    """

    pinhole: Camera
    distortion: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse coefficients of no model that is known here."""
        if len(self.distortion) not in (0, 4, 5, 8, 12, 14):
            raise CalibrationError(
                f"a lens with {len(self.distortion)} distortion coefficients was described, not 0, 4, 5, 8, 12 or 14",
                hint="k1 k2 p1 p2 [k3 [k4 k5 k6]] is the usual order; fisheye models are not understood",
            )
        if not np.isfinite(self.distortion).all():
            raise CalibrationError("a distortion coefficient is no number", hint="check the calibration")

    def scaled_to(self, width: int, height: int) -> LensCamera:
        """The camera of the same picture resized to width x height px; distortion does not depend on the size."""
        return LensCamera(self.pinhole.scaled_to(width, height), self.distortion)


@dataclass(frozen=True, eq=False)
class StereoRig:
    """Two real cameras and how they stand to each other: X_right = rotation @ X_left + translation_m.

    rotation: (3, 3) float64 orthonormal. translation_m: (3,) float64 metres; its length is the baseline.
    The pictures of a rig are neither undistorted nor rectified; `Calibration` is the geometry once they are.
    """

    left: LensCamera
    right: LensCamera
    rotation: NDArray[np.floating]
    translation_m: NDArray[np.floating]

    def __post_init__(self) -> None:
        """Refuse what is no rotation, and two cameras in one place."""
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
        """The distance between the two cameras."""
        return float(np.linalg.norm(self.translation_m))

    def scaled_to(self, width: int, height: int) -> StereoRig:
        """The rig whose pictures are both resized to width x height px."""
        return StereoRig(
            self.left.scaled_to(width, height),
            self.right.scaled_to(width, height),
            self.rotation,
            self.translation_m,
        )


@dataclass(frozen=True, eq=False)
class StereoPair:
    """Two rectified views: left and right (H, W, 3) RGB of one size and type; a row of one is that row of the other."""

    left: Image
    right: Image
    calibration: Calibration

    def __post_init__(self) -> None:
        """Refuse two views that cannot belong together."""
        (h, w), (rh, rw) = self.left.shape[:2], self.right.shape[:2]
        if (h, w) != (rh, rw):
            raise InputError(
                f"left is {w}x{h} but right is {rw}x{rh}", hint="pass two views of one size, from the same rig"
            )


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture with its depth, which is all that the applications see.

    image: (H, W, 3) RGB, see `Image`.
    depth_m: (H, W) float32, metres along +Z, positive; NaN = unknown, +inf = infinitely far.
    camera: the camera that both were taken with.
    inverse_depth_sigma: the deviation of 1/Z, in 1/m, that is known of the depth's source; 0 when nothing is.
    confidence: (H, W) float32 in 0..1, how likely the depth is right; None when its source does not tell.
    """

    image: Image
    depth_m: FloatMap
    camera: Camera
    inverse_depth_sigma: float = 0.0
    confidence: FloatMap | None = None

    def __post_init__(self) -> None:
        """Refuse parts that do not fit together."""
        h, w = self.image.shape[:2]
        if self.depth_m.shape != (h, w):
            dh, dw = self.depth_m.shape[:2]
            raise InputError(
                f"the image is {w}x{h} but its depth is {dw}x{dh}", hint="pass a depth map of the image's own size"
            )
        if (self.camera.width, self.camera.height) != (w, h):
            raise CalibrationError(
                f"the image is {w}x{h} but its camera is {self.camera.width}x{self.camera.height}",
                hint="scale the calibration to the image with Camera.scaled_to",
            )
        if not np.isfinite(self.depth_m).any():
            raise InputError("the depth map holds no known depth at all", hint="check its units, scale and file")


@dataclass(frozen=True, eq=False)
class TriangleMesh:
    """A coloured surface in camera axes, or in those of the world that several cameras stand in.

    vertices: (V, 3) float32 metres. triangles: (T, 3) int32, anticlockwise seen from the camera.
    normals: (V, 3) float32 unit, towards the camera. colors: (V, 3) uint8 sRGB.
    uv: (V, 2) float32 in 0..1, origin at the texture's top left. texture: (H, W, 3) uint8 sRGB. Both or neither.
    """

    vertices: NDArray[np.floating]
    triangles: NDArray[np.int32]
    normals: NDArray[np.floating]
    colors: NDArray[np.uint8]
    uv: NDArray[np.floating] | None = None
    texture: NDArray[np.uint8] | None = None


@dataclass(frozen=True, eq=False)
class PointCloud:
    """Coloured points in camera axes: points (N, 3) float32 metres, colors (N, 3) uint8 sRGB, normals (N, 3) unit."""

    points: NDArray[np.floating]
    colors: NDArray[np.uint8]
    normals: NDArray[np.floating]
