"""Find the disparity of two photos as taken: rectify them if needed, match, return the result in the first photo."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np

from depthapps.core.camera import Calibration, StereoRig
from depthapps.core.choices import Frame, Quality, Rectify, chosen
from depthapps.core.color import to_8bit
from depthapps.core.errors import StereoError, SwappedViewsError, UnalignedError, param
from depthapps.core.scene import Image, PhotoPair, SecondView, StereoPair
from depthapps.engine.front.order import look_exchanged
from depthapps.engine.front.rows import shift_rows
from depthapps.engine.match import StereoMatch, match_pair
from depthapps.engine.network import StereoNetwork
from depthapps.engine.rectify.estimate import RectifiedPhotos, rectify_photos
from depthapps.engine.rectify.features import match_features
from depthapps.engine.rectify.rectification import Rectification, mirror_exchanged, rectify_rig
from depthapps.engine.rectify.report import RectificationReport
from depthapps.runtime.budget import set_aside

TINY_PX = 160  # a pair whose longer side is smaller has too few points to tell whether its rows line up
_ON_A_ROW_PX = 3.0  # largest row difference of a matched point in views that a calibration rectified

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class PhotoMatch:
    """Result of matching two photos.

    image: (H, W, 3), the photo or the rectified view that the result is aligned with; `calibration` belongs to it.
    match: disparity and confidence in the pixels of `image`. After rectification, the disparity is NaN where the
    second photo cannot show the point; in the original photo's frame it is fx · baseline / Z of that photo's camera.
    Of rectified photos in the wrong order it is that of the first photo, with the calibration's doffs_px.
    views: the pair as it was matched, left view first.
    rectification: None if the photos were matched without rectification.
    report: the estimated camera pose and its quality; None if no pose had to be estimated.
    """

    image: Image
    calibration: Calibration
    match: StereoMatch
    views: tuple[Image, Image]
    rectification: Rectification | None = None
    report: RectificationReport | None = None

    @property
    def second(self) -> SecondView:
        """The second photo as it was matched, placed by the axes of the camera of `image`."""
        warped = self.rectification
        mirrored = warped is not None and warped.mirrored
        geometry = self.calibration if warped is None else warped.calibration
        cx, centre_m = geometry.camera.cx + geometry.doffs_px, geometry.baseline_m
        if mirrored:
            cx, centre_m = geometry.camera.width - 1 - cx, -centre_m
        from_scene = np.eye(4)
        if warped is not None and not any(self.image is view for view in self.views):  # the photo as it was taken
            from_scene[:3, :3] = warped.first.turn
        from_scene[0, 3] = -centre_m
        return SecondView(self.views[0 if mirrored else 1], replace(geometry.camera, cx=cx), from_scene)


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
        AUTO rectifies only if the rows do not line up or the views turn out to be exchanged.
    frame : Frame
        Which picture the result is aligned with after rectification: the original or the rectified first photo.
    rig : StereoRig, optional
        The two calibrated cameras. The photos must then be unrectified, as these cameras took them.
    order_known : bool
        The second photo is known to be taken from the right.
    infinity_known : bool
        The calibration's doffs_px was measured. Exchanged views of a rectified pair then show as disparities behind
        infinity, so no other test of the order is needed.
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
            as_they_are = _unrectified(photos, matching, strict, certain, infinity_known, frame)
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


def _unrectified(
    photos: PhotoPair, matching: partial[StereoMatch], strict: bool, certain: bool, calibrated: bool, frame: Frame
) -> PhotoMatch | None:
    """The match of photos as they are, or mirrored if much would lie behind infinity; None if they look exchanged.

    matching: `match_pair` with its settings. certain: their order need not be doubted. calibrated: a calibration says
    where infinity is, and that they are rectified, which is believed where too little is in the photos to tell.
    """
    pair = StereoPair(photos.first, photos.second, photos.calibration)
    mounted = not {"focal length", "baseline"} & set(photos.calibration.assumed)
    matching = partial(matching, mounted=strict and mounted)
    try:
        found = _rows_checked(pair, matching, strict, calibrated)
    except SwappedViewsError:
        if not (strict and calibrated):
            raise
        return _exchanged(photos, matching, frame)
    right = pair.right if found.row_offset is None else shift_rows(pair.right, found.row_offset)
    fast = matching.keywords["quality"] is Quality.FAST
    if certain or not look_exchanged(pair.left, right, *found.range_px, fast=fast):
        return PhotoMatch(pair.left, pair.calibration, found, (pair.left, right))
    return None


def _exchanged(photos: PhotoPair, matching: partial[StereoMatch], frame: Frame) -> PhotoMatch:
    """The match of rectified photos that were named in the wrong order. Raises StereoError if they are not that."""
    rectification = mirror_exchanged(photos.calibration)
    first, second = (np.ascontiguousarray(photo[:, ::-1]) for photo in (photos.first, photos.second))
    views = StereoPair(first, second, rectification.calibration)
    in_order = partial(matching, order_known=True, infinity_known=True)
    found = _rows_checked(views, in_order, strict=True, calibrated=True)
    return _finished(photos.first, rectification, views, found, frame, None)


def _rows_checked(pair: StereoPair, matching: partial[StereoMatch], strict: bool, calibrated: bool) -> StereoMatch:
    """Match views whose rows must line up if `strict`; where they do not tell, a calibration is believed."""
    try:
        return matching(pair, strict=strict)
    except UnalignedError as error:
        if error.told or not (calibrated or max(pair.left.shape[:2]) < TINY_PX):
            raise
        return matching(pair, mounted=False)


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
        shown = tuple(np.ascontiguousarray(v[:, ::-1]) for v in shown[::-1])
    if frame is Frame.RECTIFIED or rectification.exchanged:  # photos that were only exchanged are rectified
        disparity, image = found.disparity_px, views.left
        judged = (found.confidence, found.occluded)
        if not rectification.exchanged:
            seen = rectification.first.covered((rectification.width, rectification.height))
            disparity = np.where(seen & rectification.seen(*found.range_px), disparity, np.float32(np.nan))
        calibration = rectification.calibration
        if rectification.mirrored:
            camera = calibration.camera
            calibration = replace(calibration, camera=replace(camera, cx=camera.width - 1 - camera.cx))
            image, disparity = shown[1], np.ascontiguousarray(disparity[:, ::-1])
            judged = tuple(None if v is None else np.ascontiguousarray(v[:, ::-1]) for v in judged)
    else:
        image, calibration = first, rectification.original
        disparity = rectification.restored(found.disparity_px, *found.range_px)
        judged = tuple(None if v is None else rectification.sampled(v) for v in (found.confidence, found.occluded))
    match = replace(found, disparity_px=disparity, confidence=judged[0], occluded=judged[1])
    return PhotoMatch(image, calibration, match, (shown[0], shown[1]), rectification, report)
