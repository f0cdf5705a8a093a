"""The engine for photos as people have them: rectified where they have to be, the result back in the first one."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np

from depthapps.core.camera import Calibration, StereoRig
from depthapps.core.choices import Frame, Quality, Rectify
from depthapps.core.errors import StereoError, SwappedViewsError
from depthapps.core.scene import Image, PhotoPair, StereoPair
from depthapps.engine.front.order import look_exchanged
from depthapps.engine.front.rows import shift_rows
from depthapps.engine.match import StereoMatch, match_pair
from depthapps.engine.network import StereoNetwork
from depthapps.engine.rectify.estimate import RectificationReport, RectifiedPhotos, rectify_photos
from depthapps.engine.rectify.rectification import Rectification, rectify_rig

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class PhotoMatch:
    """What was found in two photos.

    image: (H, W, 3), the photo or view whose pixels the result has, with `calibration`. match: disparity and confidence
    in that frame; fx · baseline / Z of it, and NaN where the second photo shows nothing of it. views: the pair that was
    matched, the left view left. rectification: None where the views are matched as they are. report: what was
    estimated, None where nothing had to be.
    """

    image: Image
    calibration: Calibration
    match: StereoMatch
    views: tuple[Image, Image]
    rectification: Rectification | None = None
    report: RectificationReport | None = None


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
) -> PhotoMatch:
    """Find the disparity of two photos, whether they are rectified or not.

    Parameters
    ----------
    photos : PhotoPair
        The photos as they were taken, and what is known of the camera.
    quality : Quality
        How much time matching may take; see `match_pair`.
    network : StereoNetwork, optional
        A network that finds the disparity in place of the engine.
    rectify : Rectify
        AUTO rectifies only photos whose rows do not line up, or whose views turn out to be exchanged.
    frame : Frame
        Whose pixels the result has, once the photos were rectified.
    rig : StereoRig, optional
        The two cameras, if they were calibrated; the photos are then taken as these cameras left them.
    order_known : bool
        The second photo was certainly taken from the right.
    infinity_known : bool
        The calibration's doffs_px was measured; exchanged views of a rectified pair then lie behind infinity.
    confidence : bool
        Also find how sure the disparity is.
    second_focal_px : float, optional
        Focal length of the second photo in pixels, if it is not the first one's.

    Returns
    -------
    PhotoMatch

    Raises
    ------
    StereoError
        The photos do not make a pair; the message says why.
    SwappedViewsError
        They are exchanged, and could not be matched the other way round.

    Notes
    -----
    Points that both photos show (SIFT, Lowe 2004) tell how the cameras stood, by the most probable pose given what is
    known of cameras; both photos are then turned until their rows line up, and the result is brought back into the
    first photo's own frame.
    """
    built, exchanged, fast = order_known, False if order_known else None, quality is Quality.FAST
    if rectify is Rectify.NEVER or (rectify is Rectify.AUTO and rig is None):
        try:
            pair = StereoPair(photos.first, photos.second, photos.calibration)
            found = match_pair(pair, quality, network, confidence=confidence, strict=rectify is Rectify.AUTO)
            right = pair.right if found.row_offset is None else shift_rows(pair.right, found.row_offset)
            certain = order_known or infinity_known or rectify is Rectify.NEVER
            if certain or not look_exchanged(pair.left, right, *found.range_px, fast=fast):
                return PhotoMatch(pair.left, pair.calibration, found, (pair.left, right))
            # hand-held photos have no common rows: a 3D camera or a rig took these
            built, exchanged = True, True
            log.info("not taken as rectified: the second photo was taken from the left")
        except StereoError as error:
            if rectify is Rectify.NEVER:
                raise
            log.info("not rectified: %s", error.message)

    def match(rectification: Rectification) -> tuple[StereoPair, StereoMatch]:
        views, shown = rectification.pair(photos.first, photos.second)
        given = rig is not None
        return views, match_pair(
            views, quality, network, confidence=confidence, order_known=True, infinity_known=given, shown=shown
        )

    if rig is not None:
        rectification = rectify_rig(rig)
        return _finished(photos.first, rectification, *match(rectification), frame, None)
    rectified = rectify_photos(photos, built=built, exchanged=exchanged, second_focal_px=second_focal_px)
    views, found = match(rectified.rectification)
    if exchanged is None and look_exchanged(views.left, views.right, *found.range_px, fast=fast):
        log.info("the other way round: near things hide what they would not")
        rectified = _other_way_round(photos, rectified, second_focal_px)
        views, found = match(rectified.rectification)
    return _finished(photos.first, rectified.rectification, views, found, frame, rectified.report)


def _other_way_round(photos: PhotoPair, rectified: RectifiedPhotos, second_focal_px: float | None) -> RectifiedPhotos:
    """The photos rectified with the second camera on the other side of the first one."""
    try:
        return rectify_photos(photos, exchanged=not rectified.rectification.mirrored, second_focal_px=second_focal_px)
    except StereoError as error:
        log.info("not so either: %s", error.message)
        raise SwappedViewsError(
            "near things are hidden by what lies behind them: the views look exchanged, or something moved",
            hint="name the left photo first; nothing may move between the two",
        ) from None


def _finished(
    first: Image,
    rectification: Rectification,
    views: StereoPair,
    found: StereoMatch,
    frame: Frame,
    report: RectificationReport | None,
) -> PhotoMatch:
    shown = (views.left, views.right)
    if rectification.mirrored:  # mirrored back, what was taken from the left is the left view
        shown = tuple(np.ascontiguousarray(v[:, ::-1]) for v in shown[::-1])
    if frame is Frame.RECTIFIED:
        disparity, confidence, image = found.disparity_px, found.confidence, views.left
        seen = rectification.first.covered((rectification.width, rectification.height))
        disparity = np.where(seen & rectification.seen(*found.range_px), disparity, np.float32(np.nan))
        calibration = rectification.calibration
        if rectification.mirrored:
            camera = calibration.camera
            calibration = replace(calibration, camera=replace(camera, cx=camera.width - 1 - camera.cx))
            image, disparity = shown[1], np.ascontiguousarray(disparity[:, ::-1])
            confidence = None if confidence is None else np.ascontiguousarray(confidence[:, ::-1])
    else:
        image, calibration = first, rectification.original
        disparity = rectification.restored(found.disparity_px, *found.range_px)
        confidence = None if found.confidence is None else rectification.sampled(found.confidence)
    match = replace(found, disparity_px=disparity, confidence=confidence)
    return PhotoMatch(image, calibration, match, (shown[0], shown[1]), rectification, report)
