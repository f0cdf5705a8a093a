"""Find the disparity of two photos as taken: rectify them if needed, match, return the result in the first photo."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from depthapps.core.camera import StereoRig
from depthapps.core.choices import Frame, Quality, Rectify, chosen
from depthapps.core.color import to_8bit
from depthapps.core.errors import StereoError, SwappedViewsError, param
from depthapps.core.scene import Image, PhotoPair, StereoPair
from depthapps.engine.front.order import look_exchanged
from depthapps.engine.match import StereoMatch, match_pair
from depthapps.engine.match_rectified import match_rectified
from depthapps.engine.network import StereoNetwork
from depthapps.engine.photo_match import PhotoMatch, flipped
from depthapps.engine.rectify.estimate import RectifiedPhotos, rectify_photos
from depthapps.engine.rectify.features import match_features
from depthapps.engine.rectify.rectification import Rectification, rectify_rig
from depthapps.engine.rectify.report import RectificationReport
from depthapps.runtime.budget import set_aside

_ON_A_ROW_PX = 3.0  # largest row difference of a matched point in views that a calibration rectified

log = logging.getLogger(__name__)


def match_photos(
    photos: PhotoPair,
    quality: Quality = Quality.BALANCED,
    network: StereoNetwork | None = None,
    *,
    rectify: Rectify = Rectify.AUTO,
    frame: Frame = Frame.ORIGINAL,
    rig: StereoRig | None = None,
    order_known: bool = False,
    infinity_known: bool = False,
    confidence: bool = True,
    second_focal_px: float | None = None,
    subject_m: float | None = None,
    side_px: int | None = None,
) -> PhotoMatch:
    """Find the disparity of two photos, rectified or not.

    Parameters
    ----------
    photos : PhotoPair
        The two photos as they were taken, and what is known of the camera.
    quality : Quality
        How much time matching may take; see `match_pair`.
    network : StereoNetwork, optional
        A stereo network that finds the disparity instead of the engine's own matcher.
    rectify : Rectify
        AUTO rectifies only if the rows do not line up, or if the views turn out to be exchanged and no calibration
        says that they are rectified.
    frame : Frame
        Which picture the result is aligned with after rectification: the original or the rectified first photo.
    rig : StereoRig, optional
        The two calibrated cameras. The photos must then be unrectified, as these cameras took them.
    order_known : bool
        The second photo is known to be taken from the right.
    infinity_known : bool
        A calibration of the rectified pair tells where infinity is. Its order is doubted only if much would lie behind
        that; it is matched the other way round then, unless what is hidden shows that it is in order.
    confidence : bool
        Also estimate the confidence of the disparity.
    second_focal_px : float, optional
        Focal length of the second photo in pixels, if it differs from the first photo's.
    subject_m : float, optional
        How far away the thing in the middle is that the camera focused on, in metres. If the baseline is known, it
        helps to tell where infinity lies in photos that have to be rectified by their matches.
    side_px : int, optional
        The longest side of what is matched, where a coarse disparity is enough; see `match_pair`.

    Returns
    -------
    PhotoMatch

    Raises
    ------
    StereoError
        The photos are not a stereo pair; the message says why.
    SwappedViewsError
        The photos are exchanged and could not be matched in the other order either.

    Notes
    -----
    SIFT features (Lowe 2004) that both photos share give the most probable camera pose, with priors for typical
    cameras. Corners and then points on all surfaces, followed in the warped photos (Lucas and Kanade 1981), refine it.
    Both photos are then warped so that corresponding points share a row. The disparity is finally mapped back into the
    first photo's own frame.
    """
    quality, rectify = chosen(Quality, quality, "quality"), chosen(Rectify, rectify, "rectify")
    frame = chosen(Frame, frame, "frame")
    matching = partial(match_pair, quality=quality, network=network, confidence=confidence, side_px=side_px)
    built, exchanged, fast = order_known, False if order_known else None, quality is Quality.FAST
    if rectify is Rectify.NEVER or (rectify is Rectify.AUTO and rig is None):
        try:
            certain = order_known or infinity_known or rectify is Rectify.NEVER
            strict = rectify is Rectify.AUTO
            as_they_are = match_rectified(photos, matching, strict, certain, infinity_known)
            if as_they_are is not None:
                return as_they_are
            # the rows line up, which hand-held photos never do: a 3D camera or a rig took these
            built, exchanged = True, True
            log.info("rows line up, but the second photo was taken from the left: rectifying")
        except StereoError as error:
            if rectify is Rectify.NEVER:
                if type(error) is StereoError:
                    left_out = f"without {param('rectify', 'never')} their rows are brought to line up first"
                    raise StereoError(error.raw_message, hint=f"{error.raw_hint}; {left_out}") from None
                raise
            log.info("the photos are not rectified: %s", error.message)

    def match(rectification: Rectification) -> tuple[StereoPair, StereoMatch]:
        views, shown = rectification.pair(photos.first, photos.second)
        given = rig is not None
        waiting = (photos.first, photos.second, *shown)  # until the disparity is brought back into the first photo
        with set_aside(sum(each.nbytes for each in waiting)):
            return views, matching(views, order_known=True, infinity_known=given, shown=shown)

    if rig is not None:
        rectification = _rectified_by(rig, photos)
        return _finished(photos.first, rectification, *match(rectification), frame, None)
    told = {"second_focal_px": second_focal_px, "subject_m": subject_m}
    rectified = rectify_photos(photos, built=built, exchanged=exchanged, **told)
    views, found = match(rectified.rectification)
    as_named = not rectified.rectification.mirrored
    if exchanged is None and look_exchanged(views.left, views.right, *found.range_px, fast=fast, as_named=as_named):
        log.info("the scene shows that the photos are %s: rectifying again", "exchanged" if as_named else "in order")
        rectified = _other_way_round(photos, rectified, told)
        views, found = match(rectified.rectification)
    return _finished(photos.first, rectified.rectification, views, found, frame, rectified.report)


def _rectified_by(rig: StereoRig, photos: PhotoPair) -> Rectification:
    """Rectify by a rig. If it puts the second camera to the left, the photos tell whether its pose is the inverse one.

    Some programs write the place of the right camera where OpenCV writes the way of a point into it; both are called T.
    """
    rectification = rectify_rig(rig)
    if not rectification.mirrored:
        return rectification
    turned = replace(rig, rotation=rig.rotation.T, translation_m=-rig.rotation.T @ rig.translation_m)
    other = rectify_rig(turned)
    first, second = (cv2.cvtColor(to_8bit(photo), cv2.COLOR_RGB2GRAY) for photo in (photos.first, photos.second))
    matches = match_features(first, second)
    seen = []
    for each in (rectification, other):
        here, there = each.first.rectified(matches.first), each.second.rectified(matches.second)
        ahead = here[:, 0] - there[:, 0] + each.calibration.doffs_px > 0
        seen.append(int((ahead & (np.abs(here[:, 1] - there[:, 1]) < _ON_A_ROW_PX)).sum()))
    if seen[1] > seen[0]:
        return replace(other, inverted=True)
    return rectification


def _other_way_round(photos: PhotoPair, rectified: RectifiedPhotos, told: dict[str, float | None]) -> RectifiedPhotos:
    """Rectify again with the second camera on the other side of the first one; told: arguments of `rectify_photos`."""
    mirrored = rectified.rectification.mirrored
    try:
        # the pose looked exchanged and the scene does not: a 3D camera has shifted the photos against each other
        return rectify_photos(photos, built=mirrored, exchanged=not mirrored, **told)
    except StereoError as error:
        log.info("the other order does not work either: %s", error.message)
        raise SwappedViewsError(
            "far things seem to hide near ones: the views look exchanged, or something moved between the photos",
            hint="name the left photo first; nothing may move between the two photos",
        ) from None


def _finished(
    first: Image,
    rectification: Rectification,
    views: StereoPair,
    found: StereoMatch,
    frame: Frame,
    report: RectificationReport | None,
) -> PhotoMatch:
    """Bring the match into the requested frame and undo the mirroring of the views."""
    shown = (views.left, views.right)
    if rectification.mirrored:  # once mirrored back, the second photo is the left view
        shown = (flipped(views.right), flipped(views.left))
    if frame is Frame.RECTIFIED:
        disparity, image = found.disparity_px, views.left
        judged = (found.confidence, found.occluded)
        seen = rectification.first.covered((rectification.width, rectification.height))
        disparity = np.where(seen & rectification.seen(*found.range_px), disparity, np.float32(np.nan))
        calibration = rectification.calibration
        if rectification.mirrored:
            camera = calibration.camera
            calibration = replace(calibration, camera=replace(camera, cx=camera.width - 1 - camera.cx))
            image, disparity = shown[1], flipped(disparity)
            judged = tuple(None if v is None else flipped(v) for v in judged)
    else:
        image, calibration = first, rectification.original
        disparity = rectification.restored(found.disparity_px, *found.range_px)
        judged = tuple(None if v is None else rectification.sampled(v) for v in (found.confidence, found.occluded))
    match = replace(found, disparity_px=disparity, confidence=judged[0], occluded=judged[1])
    return PhotoMatch(image, calibration, match, (shown[0], shown[1]), rectification, report)
