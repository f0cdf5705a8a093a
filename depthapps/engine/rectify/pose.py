"""How two cameras stand to each other, from points that both see.

The most probable pose, focal lengths and lens distortion of two hand-held photos: what the matches say, and what is
known of cameras beforehand, weighed against each other. Where the matches do not tell (the focal length of two parallel
views, say), the answer is what was known, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.geometry import rotation_between

Points = NDArray[np.floating]

RATIO_SIGMA = 0.03  # of the logarithm of second over first focal length: autofocus breathes
LENS_SIGMA = 0.05  # of k1; wide lenses that were not corrected reach 0.1
CENTRE_SIGMA = 0.01  # of the second principal point's row, in widths
SHIFT_SIGMA = 0.03  # of its column, in widths, where 3D cameras shift their views for comfort; photos are not shifted
# of the direction of the baseline in radians: by hand, 1 cm forward or up in 6.5 cm aside; and of 3D cameras
SIDEWAYS_SIGMA = 0.15, 0.05
TURN_SIGMA = 0.2, 0.02  # of the angle between the cameras in radians: the same
# Errors of matches are alike in a region, where lens and shutter depart from the model: more of them do not tell more.
INDEPENDENT = 200
_OUTLIER = 3.0  # deviations beyond which Geman and McClure's weights fall off
_STEPS = 40


@dataclass(frozen=True, eq=False)
class Pose:
    """Two cameras with centred principal points: X_second = rotation @ X_first + translation (of length 1).

    focal_px: of both; lens: k1 of both; shift_px: where the second principal point lies from the first, right and down;
    size: width, height.
    cost: the negative logarithm of the probability, up to a constant. focal_sigma: of log(focal_px[0]).
    """

    rotation: NDArray[np.floating]
    translation: NDArray[np.floating]
    focal_px: tuple[float, float]
    lens: tuple[float, float]
    shift_px: tuple[float, float]
    size: tuple[int, int]
    cost: float = np.inf
    focal_sigma: float = 0.0

    def rays(self, first: Points, second: Points) -> tuple[Points, Points]:
        """Unit directions (N, 3) of points (N, 2) px of both photos, in their cameras' axes."""
        middle = (np.array(self.size) - 1) / 2
        return (
            _rays(first, middle, self.focal_px[0], self.lens[0]),
            _rays(second, middle + self.shift_px, self.focal_px[1], self.lens[1]),
        )

    def epipolar_px(self, first: Points, second: Points) -> Points:
        """(N,) distance of matches from their epipolar lines, to first order and shared by both views (Sampson)."""
        a, b = self.rays(first, second)
        a, b = a / a[:, 2:], b / b[:, 2:]
        essential = _cross(self.translation) @ self.rotation
        line, other = a @ essential.T, b @ essential
        square = line[:, 0] ** 2 + line[:, 1] ** 2 + other[:, 0] ** 2 + other[:, 1] ** 2
        # times √2: the difference between the rows after rectification
        return self.focal_px[0] * np.sqrt(2) * (b * line).sum(axis=1) / np.sqrt(square + 1e-12)

    def turned_px(self, first: Points, second: Points) -> Points:
        """(N, 2) how far matches lie, in px of the second photo, from where the rotation alone would move them."""
        a, b = self.rays(first, second)
        a = a @ self.rotation.T
        return self.focal_px[1] * (a[:, :2] / np.maximum(a[:, 2:], 1e-3) - b[:, :2] / b[:, 2:])

    def parallax_px(self, first: Points, second: Points) -> Points:
        """(N, 2) how far matches move once the rotation is undone, in px of the first photo.

        Along the baseline, positive in front of the cameras; and across it.
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
    """What is known before: picture size, focal lengths in px, and the deviation of their logarithm.

    built: whether the photos come from a 3D camera: aligned to a degree or so, but perhaps shifted sideways.
    """

    size: tuple[int, int]
    focal_px: tuple[float, float]
    focal_sigma: float
    built: bool = False


def fit_pose(
    first: Points,
    second: Points,
    known: Known,
    start: NDArray[np.floating],
    direction: NDArray[np.floating],
    noise_px: float,
    steps: int = _STEPS,
) -> Pose:
    """The most probable pose near a start: rotation vector (3,) and direction (3,) of the translation.

    Levenberg-Marquardt on Sampson's distance and on points behind the cameras, with Geman-McClure weights.
    """
    return _fit(first, second, known, start, direction, noise_px, steps)


def fit_rotation(first: Points, second: Points, known: Known, noise_px: float) -> Pose:
    """The most probable pose of two cameras in one place; its translation means nothing."""
    return _fit(first, second, known, _turn(first, second, known), None, noise_px, _STEPS)


def starts(first: Points, second: Points, known: Known) -> list[tuple[NDArray[np.floating], NDArray[np.floating]]]:
    """Rotation vectors and directions of the translation to start from."""
    if known.built:
        return [(np.zeros(3), np.array([side, 0, 0])) for side in (-1.0, 1.0)]
    turn = _turn(first, second, known)
    found = [(turn, np.array(t, float)) for t in ((-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1))]
    a, b = Pose(np.eye(3), np.zeros(3), known.focal_px, (0, 0), (0, 0), known.size).rays(first, second)
    a, b = (np.ascontiguousarray(r[:, :2] / r[:, 2:]) for r in (a, b))
    essential, _ = cv2.findEssentialMat(a, b, np.eye(3), cv2.USAC_MAGSAC, 0.999, 2 / known.focal_px[0])
    if essential is not None and essential.shape == (3, 3):
        one, other, translation = (np.asarray(m, np.float64) for m in cv2.decomposeEssentialMat(essential))
        for rotation in (one, other):
            vector = rotation_vector(rotation)
            if np.linalg.norm(vector) < 1:
                found += [(vector, translation.ravel()), (vector, -translation.ravel())]
    return found


def _turn(first: Points, second: Points, known: Known) -> NDArray[np.floating]:
    """The rotation vector that turns the first photo's rays into the second one's, robustly."""
    a, b = Pose(np.eye(3), np.zeros(3), known.focal_px, (0, 0), (0, 0), known.size).rays(first, second)
    weight = np.ones(len(a))
    rotation = np.eye(3)
    for _ in range(5):
        rotation = rotation_between(a, b, weight)
        error = np.linalg.norm(b - a @ rotation.T, axis=1)
        weight = 1 / (1 + (error / (2 * np.median(error) + 1e-9)) ** 2) ** 2
    return rotation_vector(rotation)


def rotation_vector(rotation: NDArray[np.floating]) -> NDArray[np.floating]:
    """The axis of a rotation (3, 3) times its angle in radians, (3,)."""
    return np.asarray(cv2.Rodrigues(rotation)[0], np.float64).ravel()


def _fit(
    first: Points,
    second: Points,
    known: Known,
    start: NDArray[np.floating],
    direction: NDArray[np.floating] | None,
    noise_px: float,
    steps: int,
) -> Pose:
    base = np.asarray(cv2.Rodrigues(start)[0], np.float64)
    tangent = np.empty((2, 3))
    if direction is not None:
        direction = direction / np.linalg.norm(direction)
        tangent = np.linalg.svd(direction[None])[2][1:]
    share = np.sqrt(min(1.0, INDEPENDENT / len(first)))

    def pose(p: NDArray[np.floating]) -> Pose:
        focal = known.focal_px[0] * np.exp(p[5])
        to = np.zeros(3) if direction is None else direction + p[3:5] @ tangent
        return Pose(
            np.asarray(cv2.Rodrigues(p[:3])[0], np.float64) @ base,
            to / max(float(np.linalg.norm(to)), 1e-9),
            (float(focal), float(focal * known.focal_px[1] / known.focal_px[0] * np.exp(p[6]))),
            (float(p[7]), float(p[8])),
            (float(p[10]) * known.size[0], float(p[9]) * known.size[0]),
            known.size,
        )

    def residuals(p: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Of the matches (N, K) in deviations, and of what was known beforehand."""
        now = pose(p)
        vector = rotation_vector(now.rotation)
        prior = [p[5] / known.focal_sigma, p[6] / RATIO_SIGMA, p[7] / LENS_SIGMA, p[8] / LENS_SIGMA]
        prior += [p[9] / CENTRE_SIGMA, p[10] / SHIFT_SIGMA, *(vector / TURN_SIGMA[known.built])]
        if direction is None:
            data = now.turned_px(first, second) / noise_px
        else:
            prior += [*((now.translation - (np.sign(now.translation[0]) or 1, 0, 0)) / SIDEWAYS_SIGMA[known.built])]
            behind = np.minimum(now.parallax_px(first, second)[:, 0], 0)
            data = np.column_stack([now.epipolar_px(first, second), behind]) / noise_px
        return data, np.array(prior)

    def cost(data: NDArray[np.floating], prior: NDArray[np.floating]) -> float:
        square = (data**2).sum(axis=1)
        return 0.5 * float(share**2 * (square / (1 + square / _OUTLIER**2)).sum() + (prior**2).sum())

    p = np.zeros(11)
    if known.built and direction is not None:  # begin with everything in front of the cameras
        forward = -np.sign(direction[0])
        p[10] = forward * max(0.0, float(np.percentile(forward * (second - first)[:, 0], 95))) / known.size[0]
    free = np.array([0, 1, 2, *([] if direction is None else [3, 4]), 5, 6, 7, 8, 9, *([10] if known.built else [])])
    step = np.array([1e-5, 1e-5, 1e-5, 1e-5, 1e-5, 1e-4, 1e-5, 1e-4, 1e-4, 1e-5, 1e-5])
    damping, (data, prior) = 1e-3, residuals(p)
    now, normal = cost(data, prior), np.eye(len(free))
    for _ in range(steps):
        weight = share / (1 + (data**2).sum(axis=1) / _OUTLIER**2)
        vector = np.concatenate([(data * weight[:, None]).ravel(), prior])
        columns = []
        for k in free:
            moved = residuals(p + np.where(np.arange(11) == k, step[k], 0))
            columns.append((np.concatenate([(moved[0] * weight[:, None]).ravel(), moved[1]]) - vector) / step[k])
        jacobian = np.column_stack(columns)
        normal, gradient = jacobian.T @ jacobian, jacobian.T @ vector
        scale = np.diag(np.diag(normal) + 1e-9)
        while damping < 1e8:
            trial = p.copy()
            trial[free] -= np.linalg.solve(normal + damping * scale, gradient)
            found = residuals(trial)
            if cost(*found) < now:
                break
            damping *= 5
        else:
            break
        gained, now = now - cost(*found), cost(*found)
        p, (data, prior), damping = trial, found, damping / 5
        if gained < 1e-4 * max(now, 1.0):
            break
    sigma = float(np.sqrt(np.linalg.inv(normal + 1e-9 * np.eye(len(free)))[list(free).index(5)] @ (free == 5)))
    done = pose(p)
    return Pose(done.rotation, done.translation, done.focal_px, done.lens, done.shift_px, done.size, now, sigma)


def _rays(points: Points, centre: Points, focal_px: float, k1: float) -> Points:
    bent = (points - centre) / focal_px
    straight = bent
    for _ in range(4 if k1 else 0):  # x (1 + k1 r²) = bent, by fixed point
        straight = bent / (1 + k1 * np.minimum((straight**2).sum(axis=1, keepdims=True), 4))
    rays = np.column_stack([straight, np.ones(len(points))])
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def _cross(v: Points) -> Points:
    return np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
