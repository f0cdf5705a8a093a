"""Check a calibration: the row error after rectification, and how much of the picture the corners cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import StereoRig
from depthapps.core.scene import Image
from depthapps.engine.calibrate.shots import Shot

_CELLS = 8, 6  # grid of the coverage test, columns and rows


@dataclass(frozen=True, eq=False)
class Rectifier:
    """OpenCV's rectification of a rig (Bouguet): rotations (3, 3) and projections (3, 4) of left and right."""

    rig: StereoRig
    turns: tuple[NDArray[np.floating], NDArray[np.floating]]
    projections: tuple[NDArray[np.floating], NDArray[np.floating]]

    @classmethod
    def of(cls, rig: StereoRig) -> Rectifier:
        """Compute the rectification of a rig, cropped so that no pixel lies outside the photos (alpha = 0)."""
        left, right = rig.left, rig.right
        found = cv2.stereoRectify(
            left.matrix, left.coefficients, right.matrix, right.coefficients,
            (left.pinhole.width, left.pinhole.height), rig.rotation, rig.translation_m.reshape(3, 1),
            flags=cv2.CALIB_ZERO_DISPARITY, alpha=0,
        )  # fmt: skip
        return cls(rig, found[:2], found[2:4])  # pyright: ignore[reportArgumentType]

    def points(self, px: NDArray[np.floating], side: int) -> NDArray[np.floating]:
        """Map pixels (N, 2) of the left (side 0) or right (side 1) picture to the rectified picture."""
        lens, turn, projection = (self.rig.left, self.rig.right)[side], self.turns[side], self.projections[side]
        turned = cv2.undistortPoints(px[:, None], lens.matrix, lens.coefficients, R=turn, P=projection)
        return np.asarray(turned[:, 0], np.float64)

    def picture(self, image: Image, side: int) -> Image:
        """Rectify the left (side 0) or right (side 1) picture; the size stays the same."""
        lens, turn, projection = (self.rig.left, self.rig.right)[side], self.turns[side], self.projections[side]
        size = image.shape[1], image.shape[0]
        maps = cv2.initUndistortRectifyMap(lens.matrix, lens.coefficients, turn, projection, size, cv2.CV_32FC1)
        return np.asarray(cv2.remap(image, *maps, cv2.INTER_LINEAR))


def epipolar_errors_px(shots: Sequence[Shot], rectifier: Rectifier) -> tuple[float, float]:
    """Mean row difference of corners between the two views in px: in the photos as taken, and after rectification."""
    before, after = [], []
    for shot in shots:
        left, right = (view.of(shot.shared_ids()).px for view in shot.views)
        before.append(np.abs(left[:, 1] - right[:, 1]))
        after.append(np.abs(rectifier.points(left, 0)[:, 1] - rectifier.points(right, 1)[:, 1]))
    return float(np.concatenate(before).mean()), float(np.concatenate(after).mean())


def coverage(shots: Sequence[Shot], size: tuple[int, int]) -> tuple[float, ...]:
    """For each view, the share of an 8x6 grid over the picture whose cells hold at least one corner."""
    return tuple(float((_counts([s.views[k].px for s in shots], size) > 0).mean()) for k in range(len(shots[0].views)))


def _counts(px: Sequence[NDArray[np.floating]], size: tuple[int, int]) -> NDArray[np.floating]:
    """Number of corners in each cell of the grid, (6, 8)."""
    at = np.concatenate(px)
    ranges = ((-0.5, size[1] - 0.5), (-0.5, size[0] - 0.5))
    return np.histogram2d(at[:, 1], at[:, 0], bins=_CELLS[::-1], range=ranges)[0]
