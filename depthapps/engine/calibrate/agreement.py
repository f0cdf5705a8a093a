"""Find shots that disagree with the others on the pose between a rig's two cameras, before the joint calibration."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.engine.calibrate.shots import Shot

Matrix = NDArray[np.integer | np.floating]


def pose_errors_px(
    shots: Sequence[Shot], corners: NDArray[np.floating], lenses: Sequence[tuple[Matrix, Matrix]]
) -> NDArray[np.floating]:
    """Reprojection error (N,) of each shot's right corners, RMS px, with the camera pose that most shots agree on.

    corners: positions (N, 3) of the board's corners in any unit.
    lenses: camera matrix and distortion of both cameras, each calibrated alone.
    Every shot gives one estimate of the pose between the cameras. The estimate with the least median error over the
    other shots is used (least median of squares, Rousseeuw 1984), so up to half of the shots may be wrong. Least
    squares over all shots would include the wrong ones and might fit none.
    """
    points = [corners[shot.shared_ids()] for shot in shots]
    seen = [[view.of(shot.shared_ids()).px for view in shot.views] for shot in shots]
    stands = [
        [_stand(own, px, *lens) for px, lens in zip(views, lenses, strict=True)]
        for own, views in zip(points, seen, strict=True)
    ]
    errors = np.zeros((len(shots), len(shots)))
    for i, (left, right) in enumerate(stands):
        rotation = right[0] @ left[0].T
        shift = right[1] - rotation @ left[1]
        for j, ((turn, place), _) in enumerate(stands):
            vector = np.asarray(cv2.Rodrigues(rotation @ turn)[0], np.float64)
            put = cv2.projectPoints(points[j], vector, rotation @ place + shift, *lenses[1])[0].reshape(-1, 2)
            errors[i, j] = np.sqrt(((put - seen[j][1]) ** 2).sum(axis=1).mean())
    others = np.sort(np.where(np.eye(len(shots)) > 0, np.inf, errors), axis=1)
    best = int(others[:, (len(shots) - 2) // 2].argmin())
    return errors[best]


def _stand(
    points: NDArray[np.floating], px: NDArray[np.floating], matrix: Matrix, lens: Matrix
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """The pose of a board relative to a camera: rotation (3, 3) and translation (3,) of points (N, 3) at px (N, 2)."""
    _, vector, place = cv2.solvePnP(points, px, matrix, lens, flags=cv2.SOLVEPNP_IPPE)
    return np.asarray(cv2.Rodrigues(vector)[0], np.float64), np.asarray(place, np.float64).ravel()
