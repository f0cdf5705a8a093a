"""Estimate the rectification of two photos from feature matches, and refuse photos where it cannot be trusted."""

from __future__ import annotations

import logging
import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera, LensCamera, StereoRig
from depthapps.core.color import to_8bit
from depthapps.core.errors import StereoError, param
from depthapps.core.scene import Image, PhotoPair
from depthapps.core.statistics import robust_deviation
from depthapps.engine.front.coarse import CoarseMatch, match_coarse
from depthapps.engine.front.corners import find_corners, follow_corners
from depthapps.engine.front.exposure import equalize_exposure
from depthapps.engine.rectify.features import Matches, match_features
from depthapps.engine.rectify.pose import Known, Pose, fit_pose, fit_rotation, rotation_vector, starts
from depthapps.engine.rectify.rectification import Rectification, rectify_rig

log = logging.getLogger(__name__)

KNOWN_FOCAL_SIGMA = 0.03  # deviation of log(focal length) if it comes from EXIF, a calibration or the user
ASSUMED_FOCAL_SIGMA = 0.35  # the same if 60 degrees are assumed: one deviation is a field of view of 37 to 83 degrees
CALIBRATED_FOCAL_SIGMA = 0.1  # below this deviation the focal length counts as measured by the matches
NOISE_PX = 0.4  # standard error of a match, in pixels of the copy in which it was found
FEWEST_INLIERS = 30
FEWEST_SHARE = 0.35  # of inliers among the matches
LEAST_TEXTURE = 0.3  # least textured share of the first photo
SAME_PX = 0.1  # the photos are the same if three quarters of the matches move less, in pixels of the matched copy
LEAST_PARALLAX = 1.5e-3  # as a share of the width
# Refinement with corners, tested on 78 real pairs whose right view was rotated: nine tenths of the true matches lie
# within 0.20 px of their row (median over the pairs), with features alone within 0.31 px. The pairs in which a tenth of
# the disparities is off by over 1 px are 2 instead of 15.
CORNERS, FAINTEST_CORNER, REFINEMENTS = 1500, 1e-3, 2
FEW, FIRST_STEPS = 200, 20  # matches and steps to try each start; the best one continues with all matches
EXCHANGED_COST = 12.0  # how much lower the cost of the exchanged order must be than that of the given order


@dataclass(frozen=True)
class RectificationReport:
    """Measurements made while two photos were rectified.

    matches, inliers, inlier_share: number of matched features, and of those that fit one camera pose.
    vertical_error_px: median row difference of the inlier corners after rectification.
    rotation_deg: rotation vector of the second camera, about X, Y and Z.
    direction: unit vector from the first camera to the second, in the first one's axes.
    parallax_px: nine tenths of the inlier corners move less than this once the rotation is undone.
    focal_px, focal: focal lengths of both photos, and whether they are "known", "self-calibrated" or "assumed".
    lens: distortion coefficient k1 of both photos.
    exchanged: whether the second photo was taken from the left.
    """

    matches: int
    inliers: int
    inlier_share: float
    vertical_error_px: float
    rotation_deg: tuple[float, float, float]
    direction: tuple[float, float, float]
    parallax_px: float
    focal_px: tuple[float, float]
    focal: str
    lens: tuple[float, float]
    exchanged: bool

    def rounded(self) -> dict[str, Any]:
        """The fields as a dictionary, rounded to four digits for reports and JSON."""
        return {k: _rounded(v) for k, v in asdict(self).items()}


@dataclass(frozen=True, eq=False)
class RectifiedPhotos:
    """A rectification with its report, and the matched points (N, 2) px of both photos that it is based on."""

    rectification: Rectification
    report: RectificationReport
    first: NDArray[np.floating]
    second: NDArray[np.floating]


def rectify_photos(
    photos: PhotoPair,
    *,
    built: bool = False,
    exchanged: bool | None = None,
    second_focal_px: float | None = None,
) -> RectifiedPhotos:
    """Rectify two hand-held photos by the camera pose estimated from their matches.

    photos: their calibration gives the focal length (only a guess if it is marked as assumed) and the baseline.
    built: a 3D camera took both photos and may have shifted them horizontally.
    exchanged: whether the second photo was taken from the left, if known from a better source than the matches.
    second_focal_px: focal length of the second photo, if it differs from the first photo's.
    Raises StereoError with the reason if the photos do not make a pair.
    """
    first, second = (cv2.cvtColor(to_8bit(v), cv2.COLOR_RGB2GRAY) for v in (photos.first, photos.second))
    second = equalize_exposure(first, second)
    matches = match_features(first, second)
    _check_matches(matches)
    camera = photos.calibration.camera
    guessed = "focal length" in photos.calibration.assumed
    known = Known(
        (camera.width, camera.height),
        (camera.fx, second_focal_px or camera.fx),
        ASSUMED_FOCAL_SIGMA if guessed else KNOWN_FOCAL_SIGMA,
        built=built,
    )
    kept = _consistent(matches)
    noise = NOISE_PX * matches.pixel_px
    _check_share(int(kept.sum()), len(kept))
    pose = _best_pose(matches.first[kept], matches.second[kept], known, noise, exchanged)
    kept = _inliers(pose, matches, noise)
    _check_share(int(kept.sum()), len(kept))
    _check_parallax(matches.first[kept], matches.second[kept], known, noise)
    a, b = matches.first[kept], matches.second[kept]
    pose, rectification, a, b, noise = _refined(pose, photos, known, a, b, noise)
    rows = rectification.first.rectified(a)[:, 1] - rectification.second.rectified(b)[:, 1]
    agreeing = np.abs(rows) < 3 * max(NOISE_PX, robust_deviation(rows))
    a, b, rows = a[agreeing], b[agreeing], rows[agreeing]
    parallax = _check_parallax(a, b, known, noise)  # again, since corners are more exact than features
    focal = "known"
    if guessed:
        focal = "self-calibrated" if pose.focal_sigma < CALIBRATED_FOCAL_SIGMA else "assumed"
    centre = -pose.rotation.T @ pose.translation
    report = RectificationReport(
        matches=len(kept),
        inliers=int(kept.sum()),
        inlier_share=float(kept.mean()),
        vertical_error_px=float(np.median(np.abs(rows))),
        rotation_deg=tuple(np.degrees(rotation_vector(pose.rotation)).tolist()),
        direction=tuple(centre.tolist()),
        parallax_px=parallax,
        focal_px=pose.focal_px,
        focal=focal,
        lens=pose.lens,
        exchanged=rectification.mirrored,
    )
    log.info("rectified: %s", report.rounded())
    try:
        coarse = _coarse_match(photos, rectification)[2]
        sure = coarse.disparity[np.isfinite(coarse.disparity)] / np.float32(coarse.scale)
        rectification = rectification.before_infinity(sure)
    except StereoError as error:  # the full matching will raise it again
        log.info("infinity not checked: %s", error.message)
    return RectifiedPhotos(replace(rectification, assumed=photos.calibration.assumed), report, a, b)


def _refined(
    pose: Pose, photos: PhotoPair, known: Known, a: NDArray[np.floating], b: NDArray[np.floating], noise: float
) -> tuple[Pose, Rectification, NDArray[np.floating], NDArray[np.floating], float]:
    """Fit the pose again to corners, which are more exact than features.

    Returns the pose, its rectification, the points (N, 2) px of both photos that it is based on, and their noise in px:
    the given ones if the views have too few corners.
    """
    rectification = rectify_rig(_rig(pose, photos))
    for _ in range(REFINEMENTS):
        found = _spread_matches(photos, rectification)
        if len(found[0]) < FEWEST_INLIERS:
            break
        a, b = found
        # corners on fur or moving leaves are less exact: take the noise from the residuals
        noise = max(NOISE_PX, robust_deviation(pose.epipolar_px(a, b)))
        pose = fit_pose(a, b, known, rotation_vector(pose.rotation), pose.translation, noise)
        rectification = rectify_rig(_rig(pose, photos))
    return pose, rectification, a, b, noise


def _best_pose(
    first: NDArray[np.floating], second: NDArray[np.floating], known: Known, noise: float, exchanged: bool | None
) -> Pose:
    """The most probable pose over all starts; in doubt, the one with the photos in the given order.

    exchanged: if not None, only poses with the second camera on the left (True) or right (False), if there are any.
    """
    few = np.linspace(0, len(first) - 1, min(len(first), FEW)).astype(int)
    poses = [
        fit_pose(first[few], second[few], known, turn, to, noise, FIRST_STEPS)
        for turn, to in starts(first, second, known)
    ]
    if exchanged is not None:
        poses = [p for p in poses if (p.translation[0] > 0) == exchanged] or poses
    finals: list[Pose] = []
    for from_left in (False, True):
        ordered = [p for p in poses if (p.translation[0] > 0) == from_left]
        if ordered:
            best = min(ordered, key=lambda p: p.cost)
            turn = rotation_vector(best.rotation)
            finals.append(fit_pose(first, second, known, turn, best.translation, noise))
    return min(finals, key=lambda p: p.cost + EXCHANGED_COST * (p.translation[0] > 0))


def _rig(pose: Pose, photos: PhotoPair) -> StereoRig:
    width, height = pose.size
    lenses = [
        LensCamera(Camera(width, height, f, f, (width - 1) / 2 + x, (height - 1) / 2 + y), (k1, 0.0, 0.0, 0.0))
        for f, k1, (x, y) in zip(pose.focal_px, pose.lens, ((0, 0), pose.shift_px), strict=True)
    ]
    return StereoRig(lenses[0], lenses[1], pose.rotation, pose.translation * photos.calibration.baseline_m)


def _consistent(matches: Matches) -> NDArray[np.bool_]:
    """Mask (N,) of the matches that fit one fundamental matrix: it needs no focal length and tolerates distortion."""
    threshold = 2 * matches.pixel_px
    cv2.setRNGSeed(0)
    _, mask = cv2.findFundamentalMat(
        matches.first, matches.second, cv2.USAC_MAGSAC, threshold, confidence=0.9999, maxIters=5000
    )
    return np.zeros(len(matches.first), bool) if mask is None else mask.ravel() > 0


def _inliers(pose: Pose, matches: Matches, noise: float) -> NDArray[np.bool_]:
    """Mask (N,) of the matches near their epipolar line and in front of both cameras."""
    error = np.abs(pose.epipolar_px(matches.first, matches.second))
    near = error[error < 10 * noise]
    deviation = max(noise, robust_deviation(near)) if near.size else noise
    return (error < 3 * deviation) & (pose.parallax_px(matches.first, matches.second)[:, 0] > -3 * deviation)


def _spread_matches(
    photos: PhotoPair, rectification: Rectification
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Matched corners (N, 2) px of both photos, all over their common area; empty if the rectified views do not match.

    Features matched without a known pose form clusters and leave whole regions empty. In roughly rectified views only
    disparity is left to find, so corners can be tracked everywhere, at full size and with subpixel precision.
    """
    try:
        left, right, coarse = _coarse_match(photos, rectification)
    except StereoError:
        return np.empty((0, 2)), np.empty((0, 2))
    start, end = follow_corners(left, right, coarse, find_corners(left, CORNERS, FAINTEST_CORNER))
    return (
        rectification.first.taken(start.astype(np.float64)),
        rectification.second.taken(end.astype(np.float64)),
    )


def _coarse_match(photos: PhotoPair, rectification: Rectification) -> tuple[Image, Image, CoarseMatch]:
    """The rectified views (H, W) grey at one exposure, and their coarse match. Raises StereoError."""
    views, shown = rectification.pair(to_8bit(photos.first), to_8bit(photos.second))
    left, right = (cv2.cvtColor(np.asarray(v, np.uint8), cv2.COLOR_RGB2GRAY) for v in (views.left, views.right))
    right = equalize_exposure(left, right, shown)
    return left, right, match_coarse(left, right, shown)


def _check_matches(matches: Matches) -> None:
    if matches.textured < LEAST_TEXTURE:
        raise StereoError(
            f"only {100 * matches.textured:.0f} % of the first photo has any texture to match",
            hint="leave out sky and bare walls; if the rows of the views line up already, "
            f"pass {param('rectify', 'never')}",
        )
    if len(matches.first) < FEWEST_INLIERS:
        raise _unrelated(f"only {len(matches.first)} points of the first are found in the second")
    moved = np.linalg.norm(matches.second - matches.first, axis=1)
    if np.percentile(moved, 75) < SAME_PX * matches.pixel_px:
        raise StereoError(
            "the two photos are the same: nothing moved between them",
            hint="take the second one a few centimetres to the right of the first",
        )


def _check_share(inliers: int, matches: int) -> None:
    if inliers < FEWEST_INLIERS or inliers < FEWEST_SHARE * matches:
        raise _unrelated(f"only {inliers} of {matches} points move as in two views of one scene")


def _unrelated(found: str) -> StereoError:
    return StereoError(
        f"the two photos do not show the same scene: {found}",
        hint="pass two photos of one scene that nothing moves in, taken a few centimetres apart",
    )


def _check_parallax(first: NDArray[np.floating], second: NDArray[np.floating], known: Known, noise: float) -> float:
    """90th percentile in px of the motion left after the best rotation is undone; StereoError if it is too small."""
    turned = fit_rotation(first, second, known, noise)
    moved = np.linalg.norm(turned.turned_px(first, second), axis=1)
    parallax = float(np.percentile(moved, 90))
    least = max(2 * noise, LEAST_PARALLAX * known.size[0])
    if parallax < least:
        angle = math.degrees(float(np.linalg.norm(rotation_vector(turned.rotation))))
        how = f"turned by {angle:.1f} degrees but " if angle > 0.2 else ""
        raise StereoError(
            f"the camera {how}did not move between the photos: near and far things move alike, to {parallax:.1f} px",
            hint="step a few centimetres to the right for the second photo; turning the camera alone shows no depth",
        )
    return parallax


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    return [_rounded(v) for v in value] if isinstance(value, tuple) else value
