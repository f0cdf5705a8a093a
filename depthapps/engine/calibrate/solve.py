"""Compute camera matrices, lens distortion and a rig's pose from the corners of many shots (Zhang 2000, by OpenCV)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera, LensCamera, StereoRig
from depthapps.core.errors import CalibrationError
from depthapps.core.statistics import median, robust_deviation
from depthapps.engine.calibrate.agreement import pose_errors_px
from depthapps.engine.calibrate.boards import Board, Corners
from depthapps.engine.calibrate.shots import Rejected, Shot

FEWEST_SHOTS = 3  # Zhang's minimum for a camera without prior knowledge
_LENSES = {cv2.CALIB_FIX_K3: 4, 0: 5, cv2.CALIB_RATIONAL_MODEL: 8}  # how many coefficients each leaves free
# More distortion coefficients are used if they reduce the residual by this share. On ordinary lenses k3 and the
# rational terms reduce it by 1 %: they fit the waviness of the paper and extrapolate badly beyond the outermost
# corners. Wide-angle lenses were not measured.
_WORTH = 0.05
_OUTLIER_DEVIATIONS, _OUTLIER_FACTOR = 5.0, 2.0  # above the shots' median, in robust deviations and as a factor of it
_GOOD_PX = 0.3  # corners of sharp photos are accurate to 0.05 to 0.3 px; a shot with a smaller error is no outlier
_REJECTED_AT_MOST = 1 / 3  # of the shots
# Share of the width: if the other shots predict the corners that far away, the board moved between the two photos, or
# the photos are of different moments.
_ELSEWHERE = 0.01
# Share of the width: a real camera fits its model better; shots that leave a larger residual contradict each other.
_NO_FIT = 3e-3
_CONTRADICTED = "use a flat board that does not move, one zoom, one focus; give both photos of a moment the same name"
# Relative standard deviation of a focal length above which the shots do not tell it. Of 720 simulated calibrations
# (boards tilted by 0 to 30 degrees at most, 3 to 14 shots, corners accurate to 0.02 and 0.1 px) those from 3 to 10 %
# were off by 3 % in the middle and by 30 % at most; those from 10 to 20 % by up to a factor of 6, and those above by
# up to 300. All that were tilted by 1 degree at most lay above 10 %, and none tilted by up to 12 degrees or more.
_UNTOLD = 0.1
_FINEST_PX = 0.05  # corners are never found better; the residual of drawn boards and of few shots may be smaller
Matrix = NDArray[np.integer | np.floating]  # the type in OpenCV's stubs
_STOP = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 100, 1e-8)


@dataclass(frozen=True)
class ShotResidual:
    """Reprojection error of a shot's corners: root mean square px, one number for each view."""

    name: str
    residual_px: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Solution:
    """Result of a calibration: one camera, or two cameras and their rig.

    rms_px: reprojection error over all corners, root mean square.
    focal_sigma_px: standard deviation of each camera's focal length, if the camera model is right; always finite.
    used, residuals: the shots of the final fit, and their reprojection errors.
    rejected: the shots that were left out.
    """

    cameras: tuple[LensCamera, ...]
    rig: StereoRig | None
    rms_px: float
    focal_sigma_px: tuple[float, ...]
    used: tuple[Shot, ...]
    residuals: tuple[ShotResidual, ...]
    rejected: tuple[Rejected, ...]


def solve(shots: Sequence[Shot], board: Board, size: tuple[int, int]) -> Solution:
    """Calibrate from shots, leaving out those that contradict the others; size: (width, height) px of the pictures.

    Raises CalibrationError if fewer than FEWEST_SHOTS remain, if the remaining shots contradict each other, or if they
    do not tell a camera's focal length, as those of a board parallel to the picture.
    """
    used, left_out = _agreeing(shots, board, size)
    most = len(left_out) + _REJECTED_AT_MOST * len(used)
    while True:
        if len(used) < FEWEST_SHOTS:
            raise CalibrationError(
                f"{len(used)} of {len(shots)} shots can be used, at least {FEWEST_SHOTS} are needed",
                hint="take 15 to 30 with the board tilted, near and far, and in all corners of the picture",
            )
        solution = _solve(used, board, size)
        worst = np.array([max(r.residual_px) for r in solution.residuals])
        middle = median(worst)
        spread = robust_deviation(worst - middle)
        limit = max(middle + _OUTLIER_DEVIATIONS * spread, middle * _OUTLIER_FACTOR, _GOOD_PX)
        k = int(worst.argmax())
        if worst[k] <= limit or len(left_out) >= most:
            break
        reason = f"its corners are off by {worst[k]:.2f} px, the other shots' by {middle:.2f}: moved or blurred?"
        left_out.append(Rejected(used.pop(k).name, reason))
    if solution.rms_px > _NO_FIT * size[0]:
        raise CalibrationError(
            f"the shots contradict each other: the best fit leaves errors of {solution.rms_px:.1f} px at their corners",
            hint=_CONTRADICTED,
        )
    if not solution.cameras:
        raise _untold()
    return replace(solution, rejected=tuple(left_out))


def _agreeing(shots: Sequence[Shot], board: Board, size: tuple[int, int]) -> tuple[list[Shot], list[Rejected]]:
    """Drop the shots of a rig that disagree on the pose between its cameras; with one camera, keep all."""
    if len(shots) < FEWEST_SHOTS or len(shots[0].views) < 2:
        return list(shots), []
    singles = [_solve_camera([s.views[k] for s in shots], board, size) for k in (0, 1)]
    if not all(single.told for single in singles):
        return list(shots), []  # poses mean nothing
    errors = pose_errors_px(shots, _points(board), [(single.matrix, single.lens) for single in singles])
    agreeing = errors <= max(_ELSEWHERE * size[0], _OUTLIER_FACTOR * float(np.median(errors)))
    others = float(np.median(errors[agreeing]))
    left_out = [
        Rejected(
            shot.name,
            f"the right view's corners are off by {error:.1f} px, the other shots' by {others:.1f}: "
            "moved or blurred, or not taken at the same moment as the left one?",
        )
        for shot, error, fits in zip(shots, errors, agreeing, strict=True)
        if not fits
    ]
    return [shot for shot, fits in zip(shots, agreeing, strict=True) if fits], left_out


def _solve(shots: Sequence[Shot], board: Board, size: tuple[int, int]) -> Solution:
    """Calibrate from all given shots, without a test for outliers; without cameras where no focal length is told."""
    singles = [_solve_camera([s.views[k] for s in shots], board, size) for k in range(len(shots[0].views))]
    residuals = np.stack([single.residuals_px for single in singles], axis=1)
    rms, rig = max(single.rms_px for single in singles), None
    cameras: tuple[LensCamera, ...] = ()
    if all(single.told for single in singles):
        if len(singles) == 1:
            cameras = (_lens_camera(singles[0].matrix, singles[0].lens, size),)
        else:
            rms, rig, residuals = _solve_pair(shots, board, size, singles)
            cameras = rig.left, rig.right
    named = tuple(ShotResidual(s.name, tuple(map(float, r))) for s, r in zip(shots, residuals, strict=True))
    return Solution(cameras, rig, rms, tuple(single.focal_sigma_px for single in singles), tuple(shots), named, ())


@dataclass(frozen=True, eq=False)
class _Single:
    """Calibration of one camera alone; flags: OpenCV's choice of lens model; residuals_px: (N,), one a shot."""

    matrix: Matrix
    lens: Matrix
    flags: int
    rms_px: float
    focal_sigma_px: float
    residuals_px: Matrix

    @property
    def told(self) -> bool:
        """Whether the shots tell the focal length."""
        focal = np.diag(self.matrix)[:2]
        return bool((focal > 0).all() and self.focal_sigma_px <= _UNTOLD * focal[0])


def _points(board: Board) -> NDArray[np.float32]:
    """Positions (N, 3) of the board's corners in squares: in metres, OpenCV fails on small and large squares."""
    return np.asarray(board.points_m() / board.square_m, np.float32)


def _solve_camera(views: Sequence[Corners], board: Board, size: tuple[int, int]) -> _Single:
    """Calibrate one camera, with the simplest lens model that more coefficients do not clearly improve."""
    points = _points(board)
    objects, pixels = [points[v.ids] for v in views], [v.px[:, None] for v in views]
    best: _Single | None = None
    for flags, count in _LENSES.items():
        try:
            rms, matrix, lens, turns, places, _, _, each = cv2.calibrateCameraExtended(
                objects, pixels, size, np.eye(3), np.zeros(5), flags=flags, criteria=_STOP
            )
        except cv2.error:
            continue
        if np.isfinite(rms) and (best is None or rms < (1 - _WORTH) * best.rms_px):
            stands = list(zip(objects, turns, places, strict=True))
            noise = max(float(np.median(each)), _FINEST_PX)  # the median, so that a blurred shot does not count
            sigma = noise * _focal_sigma(stands, matrix, lens, count)
            best = _Single(matrix, lens, flags, float(rms), sigma, each.ravel())
    if best is None:
        raise _untold()
    return best


def _untold() -> CalibrationError:
    return CalibrationError(
        "the shots do not tell the camera's focal length: the board is hardly tilted in them",
        hint="tilt the board by 20° to 45°, differently in each shot",
    )


def _focal_sigma(stands: Sequence[tuple[Matrix, Matrix, Matrix]], matrix: Matrix, lens: Matrix, count: int) -> float:
    """Standard deviation of the focal length in pixels, if that of the corners' distance from the truth is 1 px.

    stands: the board's points, rotation vector and translation in each shot. count: the lens's free coefficients.
    OpenCV inverts the normal matrix by its large singular values alone. Where boards are parallel to the picture that
    leaves out the focal length's own direction: 5350 ± 4 px were told of a camera of 400.
    """
    rows = []
    for points, turn, place in stands:
        slopes = np.asarray(cv2.projectPoints(points, turn, place, matrix, lens)[1])  # pose (6), fx, fy, cx, cy, lens
        own = np.linalg.qr(slopes[:, :6])[0]
        rows.append(slopes[:, 6 : 10 + count] - own @ (own.T @ slopes[:, 6 : 10 + count]))
    told = np.concatenate(rows)
    told /= np.maximum(scale := np.linalg.norm(told, axis=0), np.finfo(float).tiny)
    free = len(told) - told.shape[1] - 6 * len(stands)
    focal, others = told[:, 0], told[:, 1:]
    left = np.linalg.norm(focal - others @ np.linalg.lstsq(others, focal)[0])  # what nothing else explains
    return float(np.sqrt(len(told) / (2 * max(free, 1))) / max(left * scale[0], np.finfo(float).tiny))


def _solve_pair(
    shots: Sequence[Shot], board: Board, size: tuple[int, int], singles: Sequence[_Single]
) -> tuple[float, StereoRig, Matrix]:
    """Calibrate both cameras and the pose between them jointly, starting from their single calibrations."""
    points = _points(board)
    ids = [s.shared_ids() for s in shots]
    seen = [[s.views[k].of(i).px[:, None] for s, i in zip(shots, ids, strict=True)] for k in (0, 1)]
    left, right = singles
    # both cameras need the same lens model: take the one with more coefficients
    flags = max((left.flags, right.flags), key=list(_LENSES).index) | cv2.CALIB_USE_INTRINSIC_GUESS
    try:
        found = cv2.stereoCalibrateExtended(
            [points[i] for i in ids], seen[0], seen[1], left.matrix.copy(), _padded(left.lens), right.matrix.copy(),
            _padded(right.lens), size, np.eye(3), np.zeros((3, 1)), flags=flags, criteria=_STOP,
        )  # fmt: skip
        rms, left_matrix, left_lens, right_matrix, right_lens, rotation, translation = found[:7]
        rig = StereoRig(
            _lens_camera(left_matrix, left_lens, size),
            _lens_camera(right_matrix, right_lens, size),
            np.asarray(rotation, np.float64),
            np.asarray(translation, np.float64).ravel() * board.square_m,
        )
    except (cv2.error, CalibrationError) as error:
        raise CalibrationError(
            "the shots contradict each other: no two cameras fit them", hint=_CONTRADICTED
        ) from error
    return float(rms), rig, np.asarray(found[-1])


def _padded(lens: Matrix) -> Matrix:
    """Distortion coefficients padded with zeros to the 8 of the rational model."""
    return np.pad(lens.ravel(), (0, 8))[:8].copy()


def _lens_camera(matrix: Matrix, lens: Matrix, size: tuple[int, int]) -> LensCamera:
    """A LensCamera from OpenCV's camera matrix and coefficients; zero rational terms are dropped."""
    coefficients = lens.ravel()[:8]
    count = 8 if coefficients[5:].any() else 5
    return LensCamera(Camera.from_matrix(*size, matrix), tuple(map(float, coefficients[:count])))
