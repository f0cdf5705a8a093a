"""Estimate the rectification of two photos from feature matches, and refuse photos where it cannot be trusted."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera, LensCamera, StereoRig
from depthapps.core.color import to_8bit
from depthapps.core.errors import StereoError
from depthapps.core.scene import Image, PhotoPair
from depthapps.core.statistics import robust_deviation
from depthapps.engine.front.coarse import CoarseMatch, Shown, match_coarse
from depthapps.engine.front.corners import find_corners, follow_corners
from depthapps.engine.front.exposure import equalize_exposure
from depthapps.engine.rectify.features import Matches, match_features
from depthapps.engine.rectify.fit import fit_pose, starts
from depthapps.engine.rectify.infinity import Infinity, find_infinity, sees_sky
from depthapps.engine.rectify.pose import Known, Pose, rotation_vector
from depthapps.engine.rectify.rectification import Rectification, rectify_rig
from depthapps.engine.rectify.refuse import FEWEST_INLIERS, check_matches, check_parallax, check_share
from depthapps.engine.rectify.report import RectificationReport
from depthapps.engine.rectify.surfaces import follow_surfaces

log = logging.getLogger(__name__)

# Deviation of log(focal length) if it comes from EXIF, a calibration or the user: EXIF rounds the 35 mm equivalent of a
# phone to whole millimetres (0.011 of 26 mm), and markings and focusing change it by 1 % each or so.
KNOWN_FOCAL_SIGMA = 0.02
ASSUMED_FOCAL_SIGMA = 0.35  # the same if 60 degrees are assumed: one deviation is a field of view of 37 to 83 degrees
HELD_FOCAL_SIGMA = 0.001  # the same if the assumption is kept
# Photos must speak this clearly against an assumed focal length: by the logarithm of the odds. Two webcams side by side
# preferred 386 px to 554 px by 1.5, and have 616 px. Estimates that pass are off by 10 % (deviation of six).
STRONG_EVIDENCE, FOCAL_MODEL_SIGMA = 6.0, 0.1
WIDEST_FOV_DEG, NARROWEST_FOV_DEG = 100.0, 20.0  # of lenses from 15 to 102 mm, on 36 mm film: other lenses tell theirs
NOISE_PX = 0.4  # standard error of a match, in pixels of the copy in which it was found
# Refinement with corners, by an earlier engine that did it twice, tested on 78 real pairs whose right view was rotated:
# nine tenths of the true matches lie within 0.20 px of their row (median over the pairs), with features alone within
# 0.31 px. The pairs in which a tenth of the disparities is off by over 1 px are 2 instead of 15.
CORNERS, FAINTEST_CORNER = 1500, 1e-3
FEW, FIRST_STEPS = 200, 20  # matches and steps to try each start; the best one continues with all matches
NINE_OF_TEN = 1.645  # deviations to either side
CONTRADICTED = 2.0  # deviations of the keystone from what the farthest points and the sky say
MIDDLE = 0.25  # half the part of each side in which the thing that the camera focused on is looked for
EXCHANGED_COST = 12.0  # how much lower the cost of the exchanged order must be than that of the given order


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
    subject_m: float | None = None,
) -> RectifiedPhotos:
    """Rectify two hand-held photos by the camera pose estimated from their matches.

    photos: their calibration gives the focal length (only a guess if it is marked as assumed) and the baseline.
    built: a 3D camera took both photos and may have shifted them horizontally.
    exchanged: whether the second photo was taken from the left, if known from a better source than the matches.
    second_focal_px: focal length of the second photo, if it differs from the first photo's.
    subject_m: distance of the thing in the middle that the camera focused on, if it was written down.
    Raises StereoError with the reason if the photos do not make a pair.
    """
    first, second = (cv2.cvtColor(to_8bit(v), cv2.COLOR_RGB2GRAY) for v in (photos.first, photos.second))
    second = equalize_exposure(first, second)
    matches = match_features(first, second)
    check_matches(matches)
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
    check_share(int(kept.sum()), len(kept))
    pose = _best_pose(matches.first[kept], matches.second[kept], known, noise, exchanged)
    kept = _inliers(pose, matches, noise)
    check_share(int(kept.sum()), len(kept))
    check_parallax(matches.first[kept], matches.second[kept], known, noise)
    a, b = matches.first[kept], matches.second[kept]
    pose, rectification, a, b, noise = _refined(pose, photos, known, a, b, noise)
    focal = "known"
    if guessed:
        held = with_assumed_focal(pose, known, a, b, noise)
        focal = "self-calibrated" if held is None else "assumed"
        if held is not None:
            pose, rectification = held, rectify_rig(_rig(held, photos))
    rows = rectification.first.rectified(a)[:, 1] - rectification.second.rectified(b)[:, 1]
    agreeing = np.abs(rows) < 3 * max(NOISE_PX, robust_deviation(rows))
    a, b, rows = a[agreeing], b[agreeing], rows[agreeing]
    parallax = check_parallax(a, b, known, noise)  # again, since these points are more exact than features
    infinity = _infinity(photos, rectification, pose, a, b, subject_m)
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
        focal_range_px=_focal_range(pose, focal, known),
        lens=pose.lens,
        exchanged=rectification.mirrored,
        infinity_px=(infinity.low_px, infinity.high_px),
        contradicted=infinity.against > CONTRADICTED,
    )
    log.info("rectified: %s", report.rounded())
    rectification = replace(rectification, nearer_px=infinity.nearer_px, assumed=photos.calibration.assumed)
    return RectifiedPhotos(rectification, report, a, b)


def with_assumed_focal(
    pose: Pose, known: Known, a: NDArray[np.floating], b: NDArray[np.floating], noise: float
) -> Pose | None:
    """The pose with the assumed focal length; None if the points (N, 2) px speak strongly for that of `pose`."""
    fixed = replace(known, focal_sigma=HELD_FOCAL_SIGMA)
    held = fit_pose(a, b, fixed, rotation_vector(pose.rotation), pose.translation, noise)
    fov = 2 * math.degrees(math.atan(known.size[0] / (2 * pose.focal_px[0])))
    log.info("a focal length of %.0f px is better by %.1f than the assumed", pose.focal_px[0], held.cost - pose.cost)
    strong = held.cost - pose.cost > STRONG_EVIDENCE and NARROWEST_FOV_DEG < fov < WIDEST_FOV_DEG
    return None if strong else held


def _focal_range(pose: Pose, focal: str, known: Known) -> tuple[float, float]:
    """Bounds of the first focal length in px that hold in nine of ten cases."""
    sigma = known.focal_sigma
    if focal == "self-calibrated":
        sigma = math.hypot(pose.focal_sigma, FOCAL_MODEL_SIGMA)
    factor = math.exp(NINE_OF_TEN * sigma)
    return pose.focal_px[0] / factor, pose.focal_px[0] * factor


def _refined(
    pose: Pose, photos: PhotoPair, known: Known, a: NDArray[np.floating], b: NDArray[np.floating], noise: float
) -> tuple[Pose, Rectification, NDArray[np.floating], NDArray[np.floating], float]:
    """Fit the pose again to corners, which are more exact than features, and then to points on all surfaces.

    Returns the pose, its rectification, the points (N, 2) px of both photos that it is based on, and their noise in px:
    the given ones if the views have too few of both.
    """
    rectification = rectify_rig(_rig(pose, photos))
    for surfaces in (False, True):
        found = _spread_matches(photos, rectification, surfaces=surfaces)
        if len(found[0]) < FEWEST_INLIERS:
            continue
        a, b = found
        # points on fur or moving leaves are less exact: take the noise from the residuals
        noise = max(NOISE_PX, robust_deviation(pose.epipolar_px(a, b)))
        pose = fit_pose(a, b, known, rotation_vector(pose.rotation), pose.translation, noise)
        rectification = rectify_rig(_rig(pose, photos))
    return pose, rectification, a, b, noise


def _infinity(
    photos: PhotoPair,
    rectification: Rectification,
    pose: Pose,
    a: NDArray[np.floating],
    b: NDArray[np.floating],
    subject_m: float | None,
) -> Infinity:
    """Where infinity lies, by the points (N, 2) px of both photos that the pose is based on."""
    ahead = rectification.first.rectified(a)[:, 0] - rectification.second.rectified(b)[:, 0]
    ahead = ahead + rectification.calibration.doffs_px
    camera = photos.calibration.camera
    unit_px = pose.focal_px[0] * photos.calibration.baseline_m
    middle = (np.abs(a / (camera.width, camera.height) - 0.5) < MIDDLE).all(axis=1)
    focused = None
    if subject_m is not None and middle.any() and "baseline" not in photos.calibration.assumed:
        focused = float(np.median(ahead[middle])), unit_px / subject_m
    sky = sees_sky(to_8bit(photos.first))
    return find_infinity(ahead, pose.disparity_sigma_px, unit_px, camera.width, sky=sky, focused_px=focused)


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
    photos: PhotoPair, rectification: Rectification, *, surfaces: bool
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Matched points (N, 2) px of both photos, all over their common area; empty if the rectified views do not match.

    Features matched without a known pose form clusters and leave whole regions empty. In roughly rectified views only
    disparity is left to find, so points can be tracked everywhere, with subpixel precision.
    surfaces: follow points on all surfaces instead of corners alone; the rows have to line up to about a pixel.
    """
    try:
        left, right, shown, coarse = _coarse_match(photos, rectification)
    except StereoError:
        return np.empty((0, 2)), np.empty((0, 2))
    if surfaces:
        start, end = follow_surfaces(left, right, coarse, shown)
    else:
        start, end = follow_corners(left, right, coarse, find_corners(left, CORNERS, FAINTEST_CORNER))
    return (
        rectification.first.taken(start.astype(np.float64)),
        rectification.second.taken(end.astype(np.float64)),
    )


def _coarse_match(photos: PhotoPair, rectification: Rectification) -> tuple[Image, Image, Shown, CoarseMatch]:
    """The rectified views (H, W) grey at one exposure, what of them shows the scene, and their coarse match.

    Raises StereoError.
    """
    views, shown = rectification.pair(to_8bit(photos.first), to_8bit(photos.second))
    left, right = (cv2.cvtColor(np.asarray(v, np.uint8), cv2.COLOR_RGB2GRAY) for v in (views.left, views.right))
    right = equalize_exposure(left, right, shown)
    return left, right, shown, match_coarse(left, right, shown)
