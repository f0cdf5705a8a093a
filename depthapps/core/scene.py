"""Pictures that belong together: two photos, a rectified pair, a picture with its depth.

Pictures are RGB; integer samples are sRGB-encoded, float samples are linear light. Pixel centres lie at integer
coordinates, lengths are metres. NaN is the only "unknown".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Calibration, Camera
from depthapps.core.errors import CalibrationError, InputError

FloatMap = NDArray[np.floating]
"""(H, W) float32."""
Image = NDArray[np.integer | np.floating]
"""(H, W, 3) RGB: uint8 or uint16 sRGB, or float32 linear light."""


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
