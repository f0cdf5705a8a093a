"""Undo the distortion of a lens and apply it, whether it is described by OpenCV's pinhole or by its fisheye model."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import LensCamera
from depthapps.core.scene import FloatMap

Points = NDArray[np.floating]
# Beyond this angle from its axis a fisheye's rays are not followed: a flat picture ends at 90 degrees. The rectified
# frame ends earlier still, at _FRAME_DEG, because it grows with the tangent and its rim is all stretched pixels.
_SEEN_DEG, _FRAME_DEG = 85.0, 60.0
_STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 1e-6)


def rays_of(lens: LensCamera, points: Points) -> Points:
    """Rays (N, 2) at Z = 1 of pixels (N, 2) of a photo; NaN where a fisheye lens looks almost sideways or back."""
    if not lens.fisheye:
        found = cv2.undistortPoints(points[:, None], lens.matrix, lens.coefficients, R=np.eye(3), criteria=_STOP)
        return np.asarray(found, np.float64).reshape(-1, 2)
    found = cv2.fisheye.undistortPoints(points[:, None].astype(np.float64), lens.matrix, lens.coefficients)
    rays = np.asarray(found, np.float64).reshape(-1, 2)
    # OpenCV marks points that no ray leads to by large negative numbers, and lets the tangent grow up to 90 degrees
    rays[np.hypot(rays[:, 0], rays[:, 1]) > math.tan(math.radians(_SEEN_DEG))] = np.nan
    return rays


def rays_within_frame(lens: LensCamera, points: Points) -> Points:
    """Rays (N, 2) at Z = 1 of pixels (N, 2), drawn in to the widest angle that a rectified frame shows."""
    rays = rays_of(lens, points)
    if not lens.fisheye:
        return rays
    widest = math.tan(math.radians(_FRAME_DEG))
    beyond = ~(np.hypot(rays[:, 0], rays[:, 1]) <= widest)
    away = (points[beyond] - (lens.pinhole.cx, lens.pinhole.cy)) / (lens.pinhole.fx, lens.pinhole.fy)
    rays[beyond] = away / np.maximum(np.hypot(away[:, 0], away[:, 1]), 1e-9)[:, None] * widest
    return rays


def pixels_of(lens: LensCamera, rays: Points) -> Points:
    """Pixels (N, 2) of a photo where rays (N, 3) in the camera's axes arrive."""
    if lens.fisheye:
        found = cv2.fisheye.projectPoints(rays[:, None], np.zeros(3), np.zeros(3), lens.matrix, lens.coefficients)[0]
    else:
        found = cv2.projectPoints(rays, np.zeros(3), np.zeros(3), lens.matrix, lens.coefficients)[0]
    return np.asarray(found, np.float64).reshape(-1, 2)


def places_in(lens: LensCamera, turn: Points, projection: Points, size: tuple[int, int]) -> tuple[FloatMap, FloatMap]:
    """Position in the photo, x and y (H, W) px, of each pixel of a turned view of size (width, height)."""
    fill = cv2.fisheye.initUndistortRectifyMap if lens.fisheye else cv2.initUndistortRectifyMap
    maps = fill(lens.matrix, lens.coefficients, turn, projection, size, cv2.CV_32FC1)
    return np.asarray(maps[0], np.float32), np.asarray(maps[1], np.float32)
