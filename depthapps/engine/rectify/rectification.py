"""Warp two photos with known cameras into a rectified frame, and map the results back into the first photo."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.blank import shown, shrunk
from depthapps.core.camera import Calibration, Camera, LensCamera, StereoRig
from depthapps.core.color import to_8bit
from depthapps.core.errors import CalibrationError, StereoError
from depthapps.core.scene import FloatMap, Image, StereoPair
from depthapps.engine.front.coarse import Shown
from depthapps.engine.rectify.blank import filled
from depthapps.engine.rectify.lens import pixels_of, places_in, rays_of, rays_within_frame
from depthapps.runtime.threads import for_bands

LARGEST = 2.0  # largest rectified side over the photo's longer side; more means a camera looks along the baseline
TURNED_ALONE_DEG = 10.0  # rotation of one view that stretches the corner of a 60 degree field of view by a fifth
_SMOOTH_PX = 1.0  # disparity difference of neighbours from which a depth edge is assumed and nothing is interpolated


@dataclass(frozen=True, eq=False)
class RectifyingWarp:
    """The mapping of one photo into the rectified frame.

    lens: the camera that took the photo.
    turn: (3, 3) rotation from the camera's axes to the rectified axes.
    projection: (3, 3) camera matrix from rectified axes to rectified pixels; entry [0, 0] is negative if the frame is
    mirrored.
    """

    lens: LensCamera
    turn: NDArray[np.floating]
    projection: NDArray[np.floating]

    def rectified(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """Map points (N, 2) px of the photo to the rectified view."""
        rays = np.column_stack([rays_of(self.lens, points), np.ones(len(points))])
        found = rays @ (self.projection @ self.turn).T
        return found[:, :2] / found[:, 2:]

    def taken(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """Map points (N, 2) px of the rectified view to the photo."""
        rays = np.column_stack([points, np.ones(len(points))]) @ np.linalg.inv(self.projection @ self.turn).T
        return pixels_of(self.lens, rays)

    def warp(self, image: Image, size: tuple[int, int]) -> Image:
        """Warp the photo (H, W) or (H, W, 3) to a view of size (width, height); its border is repeated outside."""
        return cv2.remap(image, *self._places(size), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)

    def shown(self, photo: Image, size: tuple[int, int]) -> NDArray[np.bool_]:
        """Mask (H, W) of the pixels of a view of size (width, height) that show the scene, not blank corners."""
        known, places = shown(photo).astype(np.uint8), self._places(size)
        return shrunk(cv2.remap(known, *places, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0) > 0)

    def covered(self, size: tuple[int, int]) -> NDArray[np.bool_]:
        """Mask (H, W) of the pixels of a view of size (width, height) that lie inside the photo."""
        pinhole = self.lens.pinhole
        x, y = self._places(size)
        return (x > -0.5) & (x < pinhole.width - 0.5) & (y > -0.5) & (y < pinhole.height - 0.5)

    def _places(self, size: tuple[int, int]) -> tuple[FloatMap, FloatMap]:
        """Position in the photo, x and y (H, W) px, of each pixel of a rectified view of size (width, height)."""
        return places_in(self.lens, self.turn, self.projection, size)


@dataclass(frozen=True, eq=False)
class Rectification:
    """The rectified frame of two photos, `width` x `height` px, and the mapping of both photos into it.

    The first photo becomes the left view: a point at column x in it is at x - disparity in the second view. If the
    second photo was taken from the left, both views are mirrored to make this true, and `mirrored` is true.
    baseline_m: distance of the two cameras in metres.
    nearer_px: correction added to doffs_px, because points are nearer than the estimated rotations and principal points
    say; see `find_infinity`.
    inverted: the rig's pose was read the other way round, because the photos show it so.
    """

    first: RectifyingWarp
    second: RectifyingWarp
    width: int
    height: int
    baseline_m: float
    assumed: tuple[str, ...] = ()
    nearer_px: float = 0.0
    inverted: bool = False

    @property
    def mirrored(self) -> bool:
        """Whether the second photo was taken from the left of the first photo."""
        return bool(self.first.projection[0, 0] < 0)

    @property
    def direction(self) -> NDArray[np.floating]:
        """The unit vector (3,) to the second camera, in the first photo's axes."""
        return -self.first.turn[0] if self.mirrored else self.first.turn[0]

    @property
    def calibration(self) -> Calibration:
        """The geometry of the rectified views."""
        k = self.first.projection
        camera = Camera(self.width, self.height, abs(k[0, 0]), k[1, 1], k[0, 2], k[1, 2])
        doffs_px = float(self.second.projection[0, 2] - k[0, 2]) + self.nearer_px
        return Calibration(camera, self.baseline_m, doffs_px, self.assumed)

    @property
    def original(self) -> Calibration:
        """The geometry of the disparity from `restored`: the first photo's camera and a parallel second one like it."""
        return Calibration(self.first.lens.pinhole, self.baseline_m, 0.0, self.assumed)

    def pair(self, first: Image, second: Image) -> tuple[StereoPair, Shown]:
        """Warp two photos (H, W, 3) to rectified views; also returns masks (H, W) of the pixels that show the scene.

        Other pixels are filled smoothly, because any structure there would be matched.
        """
        size = self.width, self.height
        known = [view.shown(to_8bit(photo), size) for view, photo in ((self.first, first), (self.second, second))]
        views = [view.warp(photo, size) for view, photo in ((self.first, first), (self.second, second))]
        left, right = (filled(view, area) for view, area in zip(views, known, strict=True))
        return StereoPair(left, right, self.calibration), (known[0], known[1])

    def restored(self, disparity_px: FloatMap, low_px: float, high_px: float) -> FloatMap:
        """Map disparity (H, W) px from the rectified frame to the first photo: fx · baseline / Z along its own axis.

        low_px, high_px: the searched disparity range. The result is NaN where no disparity in this range leads into the
        second photo, since the rectified map was filled there.
        """
        x, y, forward = self._way_back
        seen = self.seen(low_px, high_px)
        lifted = np.where(seen, disparity_px, np.float32(np.nan))
        lifted += np.float32(self.calibration.doffs_px)
        scale = np.float32(self.first.lens.pinhole.fx / self.first.projection[1, 1])
        found = _sample(lifted, x, y)
        found *= forward
        found *= scale
        return found

    def sampled(self, values: FloatMap) -> FloatMap:
        """Resample a map (H, W) of the rectified frame, such as confidence, to the first photo's frame."""
        x, y, _ = self._way_back
        return np.asarray(cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)

    def seen(self, low_px: float, high_px: float) -> NDArray[np.bool_]:
        """Mask (H, W) of the pixels for which a disparity from low_px to high_px leads into the second photo."""
        covered = self.second.covered((self.width, self.height))
        columns = np.arange(self.width)
        first = np.clip(np.floor(columns - high_px), 0, self.width).astype(int)
        end = np.clip(np.ceil(columns - low_px) + 1, 0, self.width).astype(int)

        def look(top: int, bottom: int) -> None:
            counts = np.zeros((bottom - top, self.width + 1), np.int32)
            np.cumsum(covered[top:bottom], axis=1, out=counts[:, 1:])
            covered[top:bottom] = counts[:, end] > counts[:, first]

        for_bands(self.height, look)
        return covered

    @cached_property
    def _way_back(self) -> tuple[FloatMap, FloatMap, FloatMap]:
        """For every pixel of the first photo: its rectified x and y px, and the rectified Z of its ray (x, y, 1)."""
        pinhole, k = self.first.lens.pinhole, self.first.projection
        x, y, forward = (np.empty((pinhole.height, pinhole.width), np.float32) for _ in range(3))

        def find(top: int, bottom: int) -> None:
            points = np.stack(np.meshgrid(np.arange(pinhole.width), np.arange(top, bottom)), axis=-1).reshape(-1, 2)
            seen = rays_of(self.first.lens, points.astype(np.float64))
            rays = np.column_stack([seen, np.ones(len(points))]) @ self.first.turn.T
            forward[top:bottom] = rays[:, 2].reshape(-1, pinhole.width)
            for i, ends in enumerate((x, y)):
                # a fisheye lens also sees what no flat picture holds: outside the frame, where nothing is known
                along = np.nan_to_num(k[i, i] * rays[:, i] / rays[:, 2] + k[i, 2], nan=-1e4)
                ends[top:bottom] = along.reshape(-1, pinhole.width)

        for_bands(pinhole.height, find)  # in doubles all of it would be the most that a pair takes
        return x, y, forward


def rectify_rig(rig: StereoRig, assumed: tuple[str, ...] = ()) -> Rectification:
    """Rectify a pair whose cameras are known; photos must have the rig's size.

    Both views are rotated without scaling or shear, at the first camera's focal length, so that shapes and sizes stay.
    X points along the baseline. Z is as close as possible to the first camera's optical axis, or between both axes if
    they are far apart. The frame holds the whole first photo. Raises StereoError if a camera looks along the baseline.
    """
    centre = -rig.rotation.T @ rig.translation_m  # second camera's position in the first one's axes
    along = centre / np.linalg.norm(centre)
    ahead = _ahead(rig.rotation[2])
    # X may point either way along the baseline: take the direction that rotates the picture less
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
    # shift the second view so that both show about the same part of the scene: this keeps the disparities of converging
    # cameras within the searched range
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
    """The wanted viewing direction (3,) in the first camera's axes; second (3,): the second camera's optical axis.

    It is the first camera's own axis, since the depth of its photo is wanted. An angle beyond TURNED_ALONE_DEG between
    the axes is shared between both cameras, because the second view would be stretched too much.
    """
    apart = math.atan2(float(np.hypot(second[0], second[1])), float(second[2]))
    share = 0.5 * max(0.0, apart - math.radians(TURNED_ALONE_DEG))
    side = np.array([second[0], second[1], 0.0]) / max(float(np.hypot(second[0], second[1])), 1e-12)
    return math.cos(share) * np.array([0.0, 0.0, 1.0]) + math.sin(share) * side


def _forward() -> StereoError:
    return StereoError(
        "the camera moved forward, not sideways: the two photos cannot be brought onto common rows",
        hint="take the second photo a few centimetres to the right of the first, looking the same way; "
        "if it was taken so, try the photos the other way round",
    )


def _box(
    lens: LensCamera, turn: NDArray[np.floating], projection: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """The top-left and bottom-right corners (2,) px of the bounding box of a rotated photo."""
    width, height = lens.pinhole.width, lens.pinhole.height
    x, y = np.linspace(0, width - 1, 33), np.linspace(0, height - 1, 33)
    border = np.array([[(a, 0), (a, height - 1), (0, b), (width - 1, b)] for a, b in zip(x, y, strict=True)])
    rays = np.column_stack([rays_within_frame(lens, border.reshape(-1, 2).astype(float)), np.ones(4 * 33)]) @ turn.T
    if not np.isfinite(rays).all():
        raise CalibrationError(
            "the lens' distortion bends the rim of the picture beyond all numbers",
            hint="check the distortion coefficients in the calibration: most are smaller than 1",
        )
    if rays[:, 2].min() < 0.2:
        raise _forward()
    points = rays[:, :2] / rays[:, 2:] * np.diag(projection)[:2]
    return points.min(axis=0), points.max(axis=0)


def _sample(values: FloatMap, x: FloatMap, y: FloatMap) -> FloatMap:
    """Sample values (H, W) at positions x, y px: linearly where they are smooth, else by nearest neighbour."""
    kernel = np.ones((3, 3), np.uint8)
    known = np.where(np.isfinite(values), values, np.float32(1e6))  # pixels next to NaN must not count as smooth
    spread = np.asarray(cv2.dilate(known, kernel), np.float32)
    spread -= np.asarray(cv2.erode(known, kernel), np.float32)
    found = np.empty(x.shape, np.float32)

    def sample(top: int, bottom: int) -> None:
        nearest, linear, apart = (
            cv2.remap(v, x[top:bottom], y[top:bottom], m, borderMode=cv2.BORDER_CONSTANT, borderValue=np.nan)
            for v, m in ((values, cv2.INTER_NEAREST), (values, cv2.INTER_LINEAR), (spread, cv2.INTER_NEAREST))
        )
        found[top:bottom] = np.where(np.isfinite(linear) & (apart < _SMOOTH_PX), linear, nearest)

    for_bands(len(x), sample)
    return found
