"""Match two photos that may be rectified already, in either order."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from depthapps.core.choices import Quality
from depthapps.core.errors import StereoError, SwappedViewsError, UnalignedError, param
from depthapps.core.scene import Image, PhotoPair, StereoPair
from depthapps.engine.front.order import look_exchanged
from depthapps.engine.front.rows import shift_rows
from depthapps.engine.match import StereoMatch
from depthapps.engine.photo_match import PhotoMatch, flipped

TINY_PX = 160  # a pair whose longer side is smaller has too few points to tell whether its rows line up


def match_rectified(
    photos: PhotoPair, matching: partial[StereoMatch], strict: bool, certain: bool, calibrated: bool
) -> PhotoMatch | None:
    """Match photos as they are; None if they look exchanged and no calibration tells that they are rectified.

    matching: `match_pair` with its settings. strict: raise UnalignedError if their rows do not line up. certain: their
    order need not be doubted unless much would lie behind infinity. calibrated: a calibration says that they are
    rectified, which is believed where too little is in the photos to tell. If much lies behind infinity then and they
    look exchanged, they are matched so.
    """
    pair = StereoPair(photos.first, photos.second, photos.calibration)
    mounted = not {"focal length", "baseline"} & set(photos.calibration.assumed)
    matching = partial(matching, mounted=strict and mounted)
    try:
        found = _rows_checked(pair, matching, strict, calibrated)
    except SwappedViewsError:
        if not (strict and calibrated):
            raise
        return _exchanged(photos, matching)
    views = _matched_views(pair, found)
    fast = matching.keywords["quality"] is Quality.FAST
    if certain or not look_exchanged(*views, *found.range_px, fast=fast):
        return PhotoMatch(pair.left, pair.calibration, found, views)
    return None


def _exchanged(photos: PhotoPair, matching: partial[StereoMatch]) -> PhotoMatch:
    """The match of rectified photos that were named in the wrong order. Raises StereoError if they are not that.

    Mirrored, the first one is the left view. The calibration's camera took the second one.
    """
    camera = photos.calibration.camera
    calibration = replace(photos.calibration, camera=replace(camera, cx=camera.cx + photos.calibration.doffs_px))
    first = calibration.camera
    as_left = replace(calibration, camera=replace(first, cx=first.width - 1 - first.cx))
    pair = StereoPair(flipped(photos.first), flipped(photos.second), as_left)
    found = _rows_checked(pair, matching, strict=True, calibrated=True)
    views = _matched_views(pair, found)
    fast = matching.keywords["quality"] is Quality.FAST
    if look_exchanged(*views, *found.range_px, fast=fast, as_named=False):
        raise StereoError(
            "much lies behind infinity, and the photos look as if they were in order",
            hint=f"check the calibration's doffs, or pass {param('rectify', 'always')}",
        )
    match = replace(
        found,
        disparity_px=flipped(found.disparity_px),
        confidence=None if found.confidence is None else flipped(found.confidence),
        occluded=None if found.occluded is None else flipped(found.occluded),
    )
    return PhotoMatch(photos.first, calibration, match, (flipped(views[1]), photos.first), exchanged=True)


def _rows_checked(pair: StereoPair, matching: partial[StereoMatch], strict: bool, calibrated: bool) -> StereoMatch:
    """Match views whose rows must line up if `strict`; where they do not tell, a calibration is believed."""
    try:
        return matching(pair, strict=strict)
    except UnalignedError as error:
        if error.told or not (calibrated or max(pair.left.shape[:2]) < TINY_PX):
            raise
        return matching(pair, mounted=False)


def _matched_views(pair: StereoPair, found: StereoMatch) -> tuple[Image, Image]:
    """Both views as they were matched: the right one's rows are those of the left one."""
    right = pair.right if found.row_offset is None else np.asarray(shift_rows(pair.right, found.row_offset))
    return pair.left, right
