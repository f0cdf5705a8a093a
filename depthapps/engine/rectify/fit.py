"""Estimate the relative pose, focal lengths and lens distortion of two cameras from matched points.

This is a maximum a posteriori estimate: the residuals of the matches are weighed against priors for typical cameras and
hand-held photos. Where the matches do not determine a parameter (such as the focal length of two parallel views), the
prior decides, and `Pose.focal_sigma` shows it.
"""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.geometry import rotation_between
from depthapps.engine.rectify.pose import Known, Points, Pose, rotation_vector

# Standard deviations of the priors.
RATIO_SIGMA = 0.03  # of log(second / first focal length): autofocus changes the focal length (focus breathing)
# of k1, and of its difference between the cameras: most cameras straighten their photos, and rows hardly tell a bend
# that both photos share from a turn towards each other. The others bend much, so that k1 of photos that were taken one
# after the other has Cauchy's distribution, of the scale LENS_SIGMA. 3D cameras straighten theirs: it is Gauss' then.
LENS_SIGMA, LENSES_SIGMA = 0.02, 0.05
CENTRE_SIGMA = 0.01  # of the second principal point's row, as a share of the width
# of the second principal point's column, as a share of the width: 3D cameras shift their views for comfort; for
# hand-held photos it is not estimated
SHIFT_SIGMA = 0.03
# of the baseline's direction in radians: for hand-held photos (1 cm forward or up in 6.5 cm sideways), for 3D cameras
SIDEWAYS_SIGMA = 0.15, 0.05
TURN_SIGMA = 0.2, 0.02  # of the angle between the cameras in radians: for hand-held photos, for 3D cameras
# Largest effective number of matches. Neighbouring matches share the errors of the lens and shutter model, so more
# matches do not add information.
INDEPENDENT = 200
# Deviation in a corner of the picture, as a share of the width, of the rows' twist (x·y) that no pose explains: of
# lenses, shutters and calibrations. In 26 rectified pairs it is 0 to 5e-4.
TWIST = 2.5e-4
_OUTLIER = 3.0  # scale of the Geman-McClure loss, in standard deviations
_STEPS = 40
# How far each parameter of a fit is moved to find its derivative.
_STEP = np.array([1e-5, 1e-5, 1e-5, 1e-5, 1e-5, 1e-4, 1e-5, 1e-4, 1e-4, 1e-5, 1e-5])


def fit_pose(
    first: Points,
    second: Points,
    known: Known,
    start: NDArray[np.floating],
    direction: NDArray[np.floating],
    noise_px: float,
    steps: int = _STEPS,
) -> Pose:
    """Find the most probable pose near a start: rotation vector (3,) and translation direction (3,).

    Levenberg-Marquardt minimises the Sampson distance, with a penalty on points behind the cameras, the priors, and a
    robust Geman-McClure loss of scale noise_px.
    """
    return _fit(first, second, known, start, direction, noise_px, steps)


def fit_rotation(first: Points, second: Points, known: Known, noise_px: float) -> Pose:
    """Find the most probable rotation of two cameras at one position; the pose's translation is meaningless."""
    return _fit(first, second, known, _turn(first, second, known), None, noise_px, _STEPS)


def starts(first: Points, second: Points, known: Known) -> list[tuple[NDArray[np.floating], NDArray[np.floating]]]:
    """Starting points for `fit_pose`: pairs of a rotation vector (3,) and a translation direction (3,)."""
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
    """Robust rotation vector (3,) that maps the first photo's rays to the second photo's."""
    a, b = Pose(np.eye(3), np.zeros(3), known.focal_px, (0, 0), (0, 0), known.size).rays(first, second)
    weight = np.ones(len(a))
    rotation = np.eye(3)
    for _ in range(5):
        rotation = rotation_between(a, b, weight)
        error = np.linalg.norm(b - a @ rotation.T, axis=1)
        weight = 1 / (1 + (error / (2 * np.median(error) + 1e-9)) ** 2) ** 2
    return rotation_vector(rotation)


class _Fit:
    """The sum of squares that `_fit` minimises, over 11 parameters p.

    These are: rotation vector (0-2), translation in its tangent plane (3-4), log focal length (5), log focal ratio (6),
    k1 of both (7, 8), second principal point's row and column as shares of the width (9, 10). The rotation and the
    translation are relative to a start, and without a direction there is no translation.
    """

    def __init__(
        self,
        first: Points,
        second: Points,
        known: Known,
        start: NDArray[np.floating],
        direction: NDArray[np.floating] | None,
        noise_px: float,
    ) -> None:
        self.first, self.second, self.known, self.noise_px = first, second, known, noise_px
        self.base = np.asarray(cv2.Rodrigues(start)[0], np.float64)
        self.direction, self.tangent = None, np.empty((2, 3))
        if direction is not None:
            self.direction = direction / np.linalg.norm(direction)
            self.tangent = np.linalg.svd(self.direction[None])[2][1:]
        self.share = np.sqrt(min(1.0, INDEPENDENT / len(first)))
        moving = [] if direction is None else [3, 4]
        self.free = np.array([0, 1, 2, *moving, 5, 6, 7, 8, 9, *([10] if known.built else [])])

    def start(self) -> NDArray[np.floating]:
        """The parameters to start from; for a 3D camera with a shift that puts all points in front."""
        p = np.zeros(11)
        if self.known.built and self.direction is not None:
            forward = -np.sign(self.direction[0])
            nearly_all = float(np.percentile(forward * (self.second - self.first)[:, 0], 95))
            p[10] = forward * max(0.0, nearly_all) / self.known.size[0]
        return p

    def pose(self, p: NDArray[np.floating]) -> Pose:
        """The pose of parameters."""
        known = self.known
        focal = known.focal_px[0] * np.exp(p[5])
        to = np.zeros(3) if self.direction is None else self.direction + p[3:5] @ self.tangent
        return Pose(
            np.asarray(cv2.Rodrigues(p[:3])[0], np.float64) @ self.base,
            to / max(float(np.linalg.norm(to)), 1e-9),
            (float(focal), float(focal * known.focal_px[1] / known.focal_px[0] * np.exp(p[6]))),
            (float(p[7]), float(p[8])),
            (float(p[10]) * known.size[0], float(p[9]) * known.size[0]),
            known.size,
        )

    def disparity_slope(self, p: NDArray[np.floating]) -> NDArray[np.floating]:
        """By how much the mean disparity of the points changes with each parameter (11,), px."""

        def mean(at: NDArray[np.floating]) -> float:
            return float(self.pose(at).parallax_px(self.first, self.second)[:, 0].mean())

        return np.array([(mean(p + step) - mean(p)) / _STEP[k] for k, step in enumerate(np.diag(_STEP))])

    def residuals(self, p: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Residuals of the matches (N, K) and of the priors, both in standard deviations."""
        now, known = self.pose(p), self.known
        vector = rotation_vector(now.rotation)
        lens = p[7] / LENS_SIGMA
        if not known.built:
            lens = math.copysign(math.sqrt(2 * math.log1p(lens**2)), lens)
        prior = [p[5] / known.focal_sigma, p[6] / RATIO_SIGMA, lens, (p[8] - p[7]) / LENSES_SIGMA]
        prior += [p[9] / CENTRE_SIGMA, p[10] / SHIFT_SIGMA, *(vector / TURN_SIGMA[known.built])]
        if self.direction is None:
            data = now.turned_px(self.first, self.second) / self.noise_px
        else:
            prior += [*((now.translation - (np.sign(now.translation[0]) or 1, 0, 0)) / SIDEWAYS_SIGMA[known.built])]
            behind = np.minimum(now.parallax_px(self.first, self.second)[:, 0], 0)
            data = np.column_stack([now.epipolar_px(self.first, self.second), behind]) / self.noise_px
        return data, np.array(prior)

    def cost(self, data: NDArray[np.floating], prior: NDArray[np.floating]) -> float:
        """Negative log probability of residuals, up to a constant."""
        square = (data**2).sum(axis=1)
        return 0.5 * float(self.share**2 * (square / (1 + square / _OUTLIER**2)).sum() + (prior**2).sum())

    def slopes(
        self, p: NDArray[np.floating], data: NDArray[np.floating], prior: NDArray[np.floating]
    ) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Normal matrix and gradient of the free parameters at p, where the residuals are `data` and `prior`."""
        weight = self.share / (1 + (data**2).sum(axis=1) / _OUTLIER**2)
        vector = np.concatenate([(data * weight[:, None]).ravel(), prior])
        columns = []
        for k in self.free:
            moved = self.residuals(p + np.where(np.arange(11) == k, _STEP[k], 0))
            columns.append((np.concatenate([(moved[0] * weight[:, None]).ravel(), moved[1]]) - vector) / _STEP[k])
        jacobian = np.column_stack(columns)
        return jacobian.T @ jacobian, jacobian.T @ vector


def _fit(
    first: Points,
    second: Points,
    known: Known,
    start: NDArray[np.floating],
    direction: NDArray[np.floating] | None,
    noise_px: float,
    steps: int,
) -> Pose:
    """Fit the pose by Levenberg-Marquardt with numeric derivatives; direction None: rotation only."""
    fit = _Fit(first, second, known, start, direction, noise_px)
    p, free = fit.start(), fit.free
    damping, (data, prior) = 1e-3, fit.residuals(p)
    now, normal = fit.cost(data, prior), np.eye(len(free))
    for _ in range(steps):
        normal, gradient = fit.slopes(p, data, prior)
        scale = np.diag(np.diag(normal) + 1e-9)
        while damping < 1e8:
            trial = p.copy()
            trial[free] -= np.linalg.solve(normal + damping * scale, gradient)
            found = fit.residuals(trial)
            if fit.cost(*found) < now:
                break
            damping *= 5
        else:
            break
        gained, now = now - fit.cost(*found), fit.cost(*found)
        p, (data, prior), damping = trial, found, damping / 5
        if gained < 1e-4 * max(now, 1.0):
            break
    covariance = np.linalg.inv(normal + 1e-9 * np.eye(len(free)))
    focal_sigma = float(np.sqrt(covariance @ (free == 5) @ (free == 5)))
    slope = fit.disparity_slope(p)[free]
    disparity_sigma = math.hypot(float(np.sqrt(slope @ covariance @ slope)), _twist_px(known))
    return replace(fit.pose(p), cost=now, focal_sigma=focal_sigma, disparity_sigma_px=disparity_sigma)


def _twist_px(known: Known) -> float:
    """Deviation in px of all disparities by the unexplained twist of the rows; a turn by θ twists them by θ·x·y/f."""
    corner = (known.size[0] / 2) * (known.size[1] / 2) / known.focal_px[0] ** 2
    return TWIST * known.size[0] / corner
