"""Two cameras turned, in thought, until they look the same way and their rows line up; and the way back."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Calibration, Camera, LensCamera, StereoRig
from depthapps.core.color import to_8bit
from depthapps.core.errors import StereoError
from depthapps.core.scene import FloatMap, Image, StereoPair
from depthapps.engine.front.coarse import Shown
from depthapps.engine.rectify.blank import filled, shown, shrunk

LARGEST = 2.0  # a rectified side over the photo's; more means that a camera looks along the baseline
TURNED_ALONE_DEG = 10.0  # stretches a corner of 60 degrees of view by a fifth
# Shares of sure matches. Of 13 pairs of photos, by hand or turned, those whose infinity is about right have up to 5 %
# behind it, the others 14 to 37 %. It is then moved to where but few are.
_BEHIND, _FEW = 0.1, 0.02
_SMOOTH_PX = 1.0  # of disparity between neighbours: beyond lies an edge, across which nothing is interpolated


@dataclass(frozen=True, eq=False)
class RectifyingWarp:
    """One photo's way into the rectified frame.

    lens: the camera that took it. turn: (3, 3), from its axes to the rectified ones. projection: (3, 3), from those to
    rectified pixels; its first entry is negative where the frame is mirrored.
    """

    lens: LensCamera
    turn: NDArray[np.floating]
    projection: NDArray[np.floating]

    def rectified(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """Where points (N, 2) px of the photo lie in the rectified view."""
        return _undistort(self.lens, points, self.turn, self.projection)

    def taken(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """Where points (N, 2) px of the rectified view lie in the photo."""
        rays = np.column_stack([points, np.ones(len(points))]) @ np.linalg.inv(self.projection @ self.turn).T
        found = cv2.projectPoints(rays, np.zeros(3), np.zeros(3), self.lens.matrix, self.lens.coefficients)[0]
        return np.asarray(found, np.float64).reshape(-1, 2)

    def warp(self, image: Image, size: tuple[int, int]) -> Image:
        """The photo (H, W) or (H, W, 3) as a rectified view of size (width, height); its border runs on outside."""
        return cv2.remap(image, *self._places(size), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)

    def shown(self, photo: Image, size: tuple[int, int]) -> NDArray[np.bool_]:
        """(H, W), which pixels of the rectified view of size (width, height) show something of the photo."""
        known, places = shown(photo).astype(np.uint8), self._places(size)
        return shrunk(cv2.remap(known, *places, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0) > 0)

    def covered(self, size: tuple[int, int]) -> NDArray[np.bool_]:
        """(H, W), which pixels of the rectified view of size (width, height) the photo shows."""
        pinhole = self.lens.pinhole
        x, y = self._places(size)
        return (x > -0.5) & (x < pinhole.width - 0.5) & (y > -0.5) & (y < pinhole.height - 0.5)

    def _places(self, size: tuple[int, int]) -> tuple[FloatMap, FloatMap]:
        """Where in the photo each pixel of the rectified view of size (width, height) lies: x and y, (H, W) px."""
        lens, turn, projection = self.lens, self.turn, self.projection
        maps = cv2.initUndistortRectifyMap(lens.matrix, lens.coefficients, turn, projection, size, cv2.CV_32FC1)
        return np.asarray(maps[0], np.float32), np.asarray(maps[1], np.float32)


@dataclass(frozen=True, eq=False)
class Rectification:
    """The rectified frame of two photos, of `width` x `height` px, and how both come into it.

    The first photo takes the left view's part: everything lies at x in it, and at x - disparity in the second one.
    Where the second photo was taken from the left, both views are mirrored to that end, and `mirrored` is true.
    baseline_m: the distance of the two cameras. nearer_px: how much more disparity everything has than the turns of the
    cameras, or their principal points, say.
    """

    first: RectifyingWarp
    second: RectifyingWarp
    width: int
    height: int
    baseline_m: float
    assumed: tuple[str, ...] = ()
    nearer_px: float = 0.0

    @property
    def mirrored(self) -> bool:
        """Whether the second photo was taken from the left of the first one."""
        return bool(self.first.projection[0, 0] < 0)

    @property
    def calibration(self) -> Calibration:
        """The geometry of the rectified views."""
        k = self.first.projection
        camera = Camera(self.width, self.height, abs(k[0, 0]), k[1, 1], k[0, 2], k[1, 2])
        doffs_px = float(self.second.projection[0, 2] - k[0, 2]) + self.nearer_px
        return Calibration(camera, self.baseline_m, doffs_px, self.assumed)

    def before_infinity(self, disparity_px: NDArray[np.floating]) -> Rectification:
        """This one, with the farthest of sure matches, (N,) px, at infinity if much of them lies behind.

        For photos that were rectified by what they show: rows tell little of how far their cameras turned inwards.
        """
        ahead = disparity_px + self.calibration.doffs_px
        if not len(ahead) or (ahead < -1).mean() < _BEHIND:
            return self
        return replace(self, nearer_px=self.nearer_px - float(np.percentile(ahead, 100 * _FEW)))

    @property
    def original(self) -> Calibration:
        """The geometry of what `restored` gives: the first photo's own camera, parallel to a second one like it."""
        return Calibration(self.first.lens.pinhole, self.baseline_m, 0.0, self.assumed)

    def pair(self, first: Image, second: Image) -> tuple[StereoPair, Shown]:
        """The two photos (H, W, 3) as rectified views, and which pixels (H, W) of these show something of them.

        What they do not show continues them smoothly: it would be matched if it looked like anything.
        """
        size = self.width, self.height
        known = [view.shown(to_8bit(photo), size) for view, photo in ((self.first, first), (self.second, second))]
        views = [view.warp(photo, size) for view, photo in ((self.first, first), (self.second, second))]
        left, right = (filled(view, area) for view, area in zip(views, known, strict=True))
        return StereoPair(left, right, self.calibration), (known[0], known[1])

    def restored(self, disparity_px: FloatMap, low_px: float, high_px: float) -> FloatMap:
        """Disparity (H, W) px of the rectified frame in the first photo's: fx · baseline / Z along its own axis.

        low_px, high_px: the disparities that were searched. NaN where the second photo shows none of the places that
        they lead to, since what the rectified map has there is made up.
        """
        x, y, forward = self._way_back
        seen = self.seen(low_px, high_px)
        lifted = np.where(seen, disparity_px, np.float32(np.nan)) + np.float32(self.calibration.doffs_px)
        scale = np.float32(self.first.lens.pinhole.fx / self.first.projection[1, 1])
        return _sample(lifted, x, y) * forward * scale

    def sampled(self, values: FloatMap) -> FloatMap:
        """A map (H, W) of the rectified frame, such as confidence, in the first photo's frame."""
        x, y, _ = self._way_back
        return np.asarray(cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)

    def seen(self, low_px: float, high_px: float) -> NDArray[np.bool_]:
        """(H, W), whether the second photo shows any place that the disparities from low_px to high_px lead to."""
        covered = self.second.covered((self.width, self.height))
        counts = np.zeros((self.height, self.width + 1), np.int32)
        np.cumsum(covered, axis=1, out=counts[:, 1:])
        columns = np.arange(self.width)
        first = np.clip(np.floor(columns - high_px), 0, self.width).astype(int)
        end = np.clip(np.ceil(columns - low_px) + 1, 0, self.width).astype(int)
        return counts[:, end] > counts[:, first]

    @cached_property
    def _way_back(self) -> tuple[FloatMap, FloatMap, FloatMap]:
        """For every pixel of the first photo its rectified x and y, and how far forward its ray goes there."""
        pinhole = self.first.lens.pinhole
        x, y = np.meshgrid(np.arange(pinhole.width), np.arange(pinhole.height))
        points = np.column_stack([x.ravel(), y.ravel()]).astype(np.float64)
        rays = np.column_stack([_undistort(self.first.lens, points), np.ones(len(points))]) @ self.first.turn.T
        forward = rays[:, 2].astype(np.float32)
        k = self.first.projection
        shape = pinhole.height, pinhole.width
        ends = (k[i, i] * rays[:, i] / rays[:, 2] + k[i, 2] for i in (0, 1))
        return *(e.astype(np.float32).reshape(shape) for e in ends), forward.reshape(shape)


def rectify_rig(rig: StereoRig, assumed: tuple[str, ...] = ()) -> Rectification:
    """Rectify a pair whose cameras are known, for photos of the rig's own size.

    Both cameras are turned by true rotations, at the first camera's focal length, so that shapes and sizes stay: X
    along the baseline, Z as near as that allows to the first optical axis, or to the middle of both where they are far
    apart. The frame holds the whole first photo. Raises StereoError when a camera looks along the baseline.
    """
    centre = -rig.rotation.T @ rig.translation_m  # of the second camera, in the first one's axes
    along = centre / np.linalg.norm(centre)
    ahead = _ahead(rig.rotation[2])
    # of the two ways along the baseline the one that turns the picture less
    mirrored = along[0] < 0 if abs(along[0]) > abs(along[1]) * 0.1 else along[1] < 0
    x_axis = -along if mirrored else along
    ahead = ahead - (ahead @ x_axis) * x_axis
    if np.linalg.norm(ahead) < 0.5:
        raise _forward()
    z_axis = ahead / np.linalg.norm(ahead)
    turn = np.array([x_axis, np.cross(z_axis, x_axis), z_axis])
    turns = turn, turn @ rig.rotation.T

    focal = rig.left.pinhole.fy
    plain = np.diag([-focal if mirrored else focal, focal, 1])
    boxes = [_box(lens, t, plain) for lens, t in zip((rig.left, rig.right), turns, strict=True)]
    width, height = (int(side) for side in np.ceil(boxes[0][1] - boxes[0][0]) + 1)
    if width > LARGEST * max(rig.left.pinhole.width, rig.left.pinhole.height) or height > LARGEST * max(
        rig.left.pinhole.width, rig.left.pinhole.height
    ):
        raise _forward()
    corner = np.floor(boxes[0][0])
    first, second = plain.copy(), plain.copy()
    first[:2, 2] = second[:2, 2] = -corner
    # the second view is shifted as a whole, until both show about the same: converging cameras stay within the search
    second[0, 2] -= round(float((boxes[1][0] + boxes[1][1] - boxes[0][0] - boxes[0][1])[0] / 2))
    return Rectification(
        RectifyingWarp(rig.left, turns[0], first),
        RectifyingWarp(rig.right, turns[1], second),
        width,
        height,
        rig.baseline_m,
        assumed,
    )


def _ahead(second: NDArray[np.floating]) -> NDArray[np.floating]:
    """The way (3,) to look, in the first camera's axes, for two cameras of which the second looks along `second` (3,).

    The first one's own: its photo, whose depth is wanted, keeps its pixels. What they are apart by more than
    TURNED_ALONE_DEG is shared, lest the second view be stretched.
    """
    apart = math.atan2(float(np.hypot(second[0], second[1])), float(second[2]))
    share = 0.5 * max(0.0, apart - math.radians(TURNED_ALONE_DEG))
    side = np.array([second[0], second[1], 0.0]) / max(float(np.hypot(second[0], second[1])), 1e-12)
    return math.cos(share) * np.array([0.0, 0.0, 1.0]) + math.sin(share) * side


def _forward() -> StereoError:
    return StereoError(
        "the camera moved forward, not sideways: the two photos cannot be brought onto common rows",
        hint="take the second photo a few centimetres to the right of the first, looking the same way",
    )


def _box(
    lens: LensCamera, turn: NDArray[np.floating], projection: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """The first and the last corner (2,) px of the rectangle that holds a turned photo."""
    width, height = lens.pinhole.width, lens.pinhole.height
    x, y = np.linspace(0, width - 1, 33), np.linspace(0, height - 1, 33)
    border = np.array([[(a, 0), (a, height - 1), (0, b), (width - 1, b)] for a, b in zip(x, y, strict=True)])
    rays = np.column_stack([_undistort(lens, border.reshape(-1, 2).astype(float)), np.ones(4 * 33)]) @ turn.T
    if rays[:, 2].min() < 0.2:
        raise _forward()
    points = rays[:, :2] / rays[:, 2:] * np.diag(projection)[:2]
    return points.min(axis=0), points.max(axis=0)


def _sample(values: FloatMap, x: FloatMap, y: FloatMap) -> FloatMap:
    """Values (H, W) at positions: interpolated where they are smooth, else the nearest."""
    kernel = np.ones((3, 3), np.uint8)
    known = np.where(np.isfinite(values), values, np.float32(1e6))  # next to what is unknown nothing is smooth
    low, high = cv2.erode(known, kernel), cv2.dilate(known, kernel)
    nearest, linear, spread = (
        cv2.remap(v, x, y, m, borderMode=cv2.BORDER_CONSTANT, borderValue=np.nan)
        for v, m in ((values, cv2.INTER_NEAREST), (values, cv2.INTER_LINEAR), (high - low, cv2.INTER_NEAREST))
    )
    return np.where(np.isfinite(linear) & (spread < _SMOOTH_PX), linear, nearest).astype(np.float32)


def _undistort(lens: LensCamera, points: NDArray[np.floating], *more: NDArray[np.floating]) -> NDArray[np.floating]:
    """Pixels (N, 2) of a photo as rays (N, 2) at Z = 1; or, given a rotation and a projection, as pixels again."""
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 1e-6)
    turn, projection = more if more else (np.eye(3), np.eye(3))
    found = cv2.undistortPoints(points[:, None], lens.matrix, lens.coefficients, R=turn, P=projection, criteria=stop)
    return np.asarray(found, np.float64).reshape(-1, 2)
