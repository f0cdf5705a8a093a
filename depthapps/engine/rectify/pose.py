"""The relative pose of two cameras with their focal lengths and lens distortion, and what is known of it beforehand."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Pose:
    """Relative pose of two cameras, X_second = rotation @ X_first + translation, and their intrinsics.

    rotation: (3, 3). translation: (3,) of length 1.
    focal_px, lens: focal length and distortion coefficient k1 of the first and the second camera.
    shift_px: position of the second principal point relative to the first, right and down; the first is the centre.
    size: (width, height) px.
    cost: negative log probability, up to a constant.
    focal_sigma: standard deviation of log(focal_px[0]).
    disparity_sigma_px: standard deviation of what all disparities are off by together.
    """

    rotation: NDArray[np.floating]
    translation: NDArray[np.floating]
    focal_px: tuple[float, float]
    lens: tuple[float, float]
    shift_px: tuple[float, float]
    size: tuple[int, int]
    cost: float = np.inf
    focal_sigma: float = 0.0
    disparity_sigma_px: float = 0.0

    def rays(self, first: Points, second: Points) -> tuple[Points, Points]:
        """Unit ray directions (N, 3) of points (N, 2) px of both photos, each in its camera's axes."""
        middle = (np.array(self.size) - 1) / 2
        return (
            _rays(first, middle, self.focal_px[0], self.lens[0]),
            _rays(second, middle + self.shift_px, self.focal_px[1], self.lens[1]),
        )

    def epipolar_px(self, first: Points, second: Points) -> Points:
        """Signed row difference (N,) px of matches after rectification, to first order (Sampson distance · √2)."""
        a, b = self.rays(first, second)
        a, b = a / a[:, 2:], b / b[:, 2:]
        essential = _cross(self.translation) @ self.rotation
        line, other = a @ essential.T, b @ essential
        square = line[:, 0] ** 2 + line[:, 1] ** 2 + other[:, 0] ** 2 + other[:, 1] ** 2
        # Sampson's distance moves both points; times √2 it is their row difference after rectification
        return self.focal_px[0] * np.sqrt(2) * (b * line).sum(axis=1) / np.sqrt(square + 1e-12)

    def turned_px(self, first: Points, second: Points) -> Points:
        """Difference (N, 2) px in the second photo between where the rotation alone moves points and their matches."""
        a, b = self.rays(first, second)
        a = a @ self.rotation.T
        return self.focal_px[1] * (a[:, :2] / np.maximum(a[:, 2:], 1e-3) - b[:, :2] / b[:, 2:])

    def parallax_px(self, first: Points, second: Points) -> Points:
        """Parallax (N, 2) of matches once the rotation is undone, in px of the first photo.

        The first column is along the epipolar line, positive for points in front of the cameras; the second across it.
        """
        a, b = self.rays(first, second)
        centre = -self.rotation.T @ self.translation
        shift = a - b @ self.rotation
        along = centre - (a @ centre)[:, None] * a
        along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
        across = np.cross(a, along)
        return self.focal_px[0] * np.column_stack([(shift * along).sum(axis=1), (shift * across).sum(axis=1)])


@dataclass(frozen=True)
class Known:
    """Prior knowledge of the two cameras.

    size: (width, height) px.
    focal_px, focal_sigma: focal lengths of both photos, and the standard deviation of their logarithm.
    built: whether a 3D camera took the photos: aligned to about a degree, but perhaps shifted sideways.
    """

    size: tuple[int, int]
    focal_px: tuple[float, float]
    focal_sigma: float
    built: bool = False


def rotation_vector(rotation: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rotation vector (3,) of a rotation matrix (3, 3): its axis times its angle in radians."""
    return np.asarray(cv2.Rodrigues(rotation)[0], np.float64).ravel()


def _rays(points: Points, centre: Points, focal_px: float, k1: float) -> Points:
    """Unit rays (N, 3) of points (N, 2) px, with the distortion k1 removed."""
    bent = (points - centre) / focal_px
    straight = bent
    for _ in range(4 if k1 else 0):  # solve x (1 + k1 r²) = bent by fixed-point iteration
        straight = bent / (1 + k1 * np.minimum((straight**2).sum(axis=1, keepdims=True), 4))
    rays = np.column_stack([straight, np.ones(len(points))])
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def _cross(v: Points) -> Points:
    """The cross product matrix (3, 3) of v (3,)."""
    return np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
