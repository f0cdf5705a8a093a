"""Complete a scene's depth where it is unknown or likely wrong, from what is sure around it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from depthapps.core.geometry import depth_from_inverse, inverse_depth
from depthapps.core.scene import FloatMap, Image, Scene
from depthapps.surface.color_steps import color_steps
from depthapps.surface.continuation import continue_surface, slopes
from depthapps.surface.scene_planes import NO_PLANES, LargePlanes, find_planes
from depthapps.surface.second_photo import alike
from depthapps.surface.tearing import DEPTH_STEP, BoolMap, even_confidence, surface_links, trusted

# A disparity within this many deviations of infinity cannot be told from the sky's.
FAR_SIGMAS = 2.0
# What lies farther than this many times the depth of 97 % of the pixels is an outlier, or so far that a viewer which
# shows all of the model shows the rest as a dot.
FAR_TIMES, FAR_QUANTILE = 4.0, 0.03
_SKY_SHARE = 0.01  # of the picture's pixels: less than that is not taken for the sky
_MADE_UP_TIMES = 1.15  # times that same depth: nothing is put farther away
# Cost of a step of one grey level in any channel, in px: a way round an edge of 20 levels may be 10 px longer.
_TOLL = 0.5
_MOSTLY_PX = 5  # window in which most pixels have to be sure, or none is: the confidence flickers where it is low
# Pixels as sure as this tell where the large planes lie. They place the wall of a rendered room to 0.5 % of its depth;
# with those of 0.75 among them, a matcher's own guesses on plain walls make planes.
_SURE = 0.9
# Depth with a lower confidence is put anew. Between this and MIN_CONFIDENCE 56 % of the pixels of 26 real pairs are off
# by more than 1 px, and yet nearer to the truth than what would be put there: with 0.2, 0.1 and 0.05 nine new views of
# four rendered rooms each look 29.46, 29.56 and 29.55 dB like the truth, what ten real pairs' second photo sees 28.47,
# 28.52 and 28.50 dB.
_DOUBTFUL = 0.1
_UNSURE = 0.5  # what is less sure than that tells nothing about what is around it
_CLOSE_SIGMAS = 2.5  # deviations of 1/Z by which a sure pixel of a plane may be off
# The same for pixels which the photos do not tell from the plane, at a confidence of 0, and less the surer they are.
# Over four rendered and four measured pairs, 6 takes the pixels that are off by more than 2 % from 16 to 14 % and is
# worse for none; 10 takes them to 14 % as well, and is worse for two of the measured ones.
_OFF_SIGMAS = 6.0
_RAMP_PX, _RAMP_GAIN = 17, 1.5  # window in which two thirds of such pixels lay the middle one wholly onto the plane
_SHRINK, _GROW = 0.7, 1.4  # a continued plane may not change 1/Z by more than these factors


@dataclass(frozen=True, eq=False)
class Completion:
    """A scene without holes.

    scene: the scene; its depth is known and finite wherever it shows something, and its confidence is that of the depth
        it came with.
    made_up: (H, W), where the depth was put there. far: (H, W), where this is the backdrop, see `beyond`. planes: the
        scene's large planes.
    """

    scene: Scene
    made_up: BoolMap
    far: BoolMap
    planes: LargePlanes


def beyond(scene: Scene) -> tuple[BoolMap, float]:
    """Mask (H, W) of what lies too far to have a place in a model, and the 1/Z in 1/m of the backdrop in its stead.

    That is: what is infinitely far, what cannot be told from that, and what is many times farther than nearly all else.
    """
    inverse = inverse_depth(scene.depth_m, infinite=0)
    sure = trusted(scene) & (inverse > 0)
    usual = float(np.quantile(inverse[sure], FAR_QUANTILE)) / FAR_TIMES if sure.any() else 0.0
    farthest = max(FAR_SIGMAS * scene.inverse_depth_sigma, usual)
    with np.errstate(invalid="ignore"):
        return inverse < farthest, farthest


def complete(scene: Scene) -> Completion:
    """Complete the depth of a scene where it is unknown or its confidence is low.

    The large planes of the scene, such as walls and floors, are found among the pixels that are very sure. What is less
    sure, close to the plane around it, and looks the same on it in both photos is laid onto it. Doubtful pixels take
    the planes of the sure pixels around them, each continued along the picture's own regions: the way from a sure pixel
    costs more where the photo has an edge. Where the sky is, or what lies as far, a backdrop stands at one depth.
    """
    far, farthest = beyond(scene)
    inverse = inverse_depth(scene.depth_m)
    backdrop = _sky(scene, far)
    even = even_confidence(scene)
    sure = trusted(scene, _DOUBTFUL) & np.isfinite(inverse) & ~far
    sure = _with_neighbours(inverse, sure, np.isfinite(inverse) & ~far)
    if not sure.any():  # nothing to complete from
        return Completion(scene, np.zeros(sure.shape, bool), far, NO_PLANES)
    least = max(farthest, float(np.quantile(inverse[sure], FAR_QUANTILE)) / _MADE_UP_TIMES)
    toll = _toll(scene.image)
    whole = np.where(sure, inverse, np.float32(np.nan))
    wanted = ~backdrop if scene.empty is None else ~(backdrop | scene.empty)
    settled, planes = sure, NO_PLANES
    if even is not None:
        planes = find_planes(inverse, sure & (even > _SURE), _CLOSE_SIGMAS * scene.inverse_depth_sigma)
        flat, laid = _flattened(scene, even, inverse, sure, wanted, least, toll, planes)
        if np.isfinite(flat).any():  # of a few pixels none may be left
            whole, settled = flat, laid
    whole = np.where(backdrop, np.float32(farthest), whole)
    missing = wanted & np.isnan(whole)
    if missing.any():
        whole = np.where(missing, _continued(whole, settled | backdrop, scene, toll, least, planes), whole)
    with np.errstate(invalid="ignore"):
        kept = np.abs(whole - inverse) <= DEPTH_STEP * inverse
    same = whole == inverse  # to the bit: no rounding through 1/Z
    completed = replace(scene, depth_m=np.where(same, scene.depth_m, depth_from_inverse(whole)))
    return Completion(completed, (~kept & np.isfinite(whole)) | backdrop, backdrop, planes)


def _with_neighbours(inverse: FloatMap, sure: BoolMap, known: BoolMap) -> BoolMap:
    """Sure pixels (H, W) and the known ones beside them whose 1/Z is the same: a narrow gap goes on as it was found.

    The planes around it may be those of something else.
    """
    grown = sure.copy()
    for one, other in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        with np.errstate(invalid="ignore"):
            same = np.abs(inverse[one] - inverse[other]) <= DEPTH_STEP * inverse[one]
        grown[one] |= same & sure[other] & known[one]
        grown[other] |= same & sure[one] & known[other]
    return grown


def _sky(scene: Scene, far: BoolMap) -> BoolMap:
    """The part of what is far, (H, W), that is no mistake.

    That is what a given map calls infinite. Where a confidence tells that depth was estimated, it is the large pieces
    that are sure to be far or reach the picture's upper border: plain surfaces indoors are also found at infinity.
    """
    if scene.confidence is None:
        return np.isposinf(scene.depth_m)
    count, found = cv2.connectedComponents(far.astype(np.uint8), connectivity=4, ltype=cv2.CV_32S)
    label = np.asarray(found, np.int32)
    size = np.bincount(label.ravel(), minlength=count)
    sure = np.bincount(label.ravel(), scene.confidence.ravel(), count) >= _UNSURE * size
    sure[label[0]] = True
    return far & (sure & (size >= _SKY_SHARE * far.size))[label]


def _flattened(
    scene: Scene,
    even: FloatMap,
    inverse: FloatMap,
    sure: BoolMap,
    wanted: BoolMap,
    least: float,
    toll: FloatMap,
    planes: LargePlanes,
) -> tuple[FloatMap, BoolMap]:
    """The 1/Z (H, W) with what belongs to a large plane laid onto it, NaN where unknown, and where it can be built on.

    That is what is not sure at all, and what lies so close to the plane that its confidence allows it and the photos do
    not tell the two apart. It comes down to the plane without a step.
    """
    sigma = scene.inverse_depth_sigma
    plane = _nearest_plane(inverse, sure & (even > _SURE), planes, toll)
    with np.errstate(invalid="ignore"):
        wanted = wanted & (plane >= least)
        near = wanted & sure & (np.abs(plane - inverse) <= _OFF_SIGMAS * (1 - even) * sigma)
    share = cv2.blur((near & alike(scene, inverse, plane)).astype(np.float32), (_RAMP_PX, _RAMP_PX))
    share = np.where(near, np.minimum(_RAMP_GAIN * np.asarray(share), 1), np.float32(0))
    mostly = cv2.medianBlur(sure.astype(np.uint8), _MOSTLY_PX) > 0
    flat = wanted & (~(sure | mostly) | (share == 1))
    whole = np.where(sure & (mostly | flat), inverse, np.float32(np.nan))
    with np.errstate(invalid="ignore"):
        whole = np.where(flat, plane, np.where(share > 0, whole + share * (plane - whole), whole))
    return whole, flat | (sure & mostly & (even > _UNSURE))


def _nearest_plane(inverse: FloatMap, sure: BoolMap, planes: LargePlanes, toll: FloatMap) -> FloatMap:
    """The 1/Z (H, W) of the large plane on which the sure pixel with the cheapest way to each lies, NaN for none."""
    tilted, on = planes.laid(np.where(sure, inverse, np.float32(np.nan)))
    ends, limit = np.full(inverse.shape, np.inf, np.float32), np.where(sure, np.float32(0), np.float32(np.inf))
    way = continue_surface(tilted, sure, ends, limit, toll, passes=1)
    return np.where((way.source >= 0) & on.ravel()[np.maximum(way.source, 0)], way.inverse, np.float32(np.nan))


def _continued(
    whole: FloatMap, settled: BoolMap, scene: Scene, toll: FloatMap, least: float, planes: LargePlanes
) -> FloatMap:
    """The 1/Z (H, W) at the pixels around settled ones, from the planes of those, some way off."""
    known = np.where(settled, whole, np.float32(np.nan))
    if not settled.any():
        settled, known = np.isfinite(whole), whole
    tilted = slopes(known, surface_links(depth_from_inverse(known), scene.inverse_depth_sigma), planes)
    limit = np.where(settled, np.float32(0), np.float32(np.nanmax(known)))
    found = continue_surface(tilted, settled, np.full(known.shape, np.inf, np.float32), limit, toll, own=known)
    start = tilted[..., 0].ravel()[np.maximum(found.source, 0)]
    put = np.where(found.source >= 0, found.inverse, np.float32(least))
    return np.maximum(np.clip(put, _SHRINK * start, _GROW * start), least)


def _toll(image: Image) -> FloatMap:
    """What a step onto each pixel (H, W) costs, from 1 px in plain regions up."""
    return 1 + np.float32(_TOLL) * color_steps(image)
