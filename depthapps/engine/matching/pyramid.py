"""Find disparity and confidence of two aligned views: match at several sizes, then choose between the results."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np

from depthapps.core.errors import StereoError
from depthapps.core.filling import fill_background
from depthapps.core.scene import FloatMap, Image
from depthapps.engine.front.align import AlignedViews
from depthapps.engine.fusion.fuse import fuse
from depthapps.engine.fusion.strands import follow_strands
from depthapps.engine.fusion.support import hidden, is_supported
from depthapps.engine.matching.border import continued_by_color, joined_at_border
from depthapps.engine.matching.bounds import sure_matches, within_bounds
from depthapps.engine.matching.edge_votes import vote_at_edges
from depthapps.engine.matching.islands import small_things
from depthapps.engine.matching.planes import fill_planes
from depthapps.engine.matching.refinement import beside_edges, complete, median_filter_edges
from depthapps.engine.matching.sgbm import BothWays, SgbmParams, match, match_both_ways
from depthapps.engine.matching.specks import without_specks
from depthapps.engine.matching.surfaces import fit_surfaces
from depthapps.runtime.threads import beside, for_bands

THREE_PATHS = SgbmParams(mode=cv2.STEREO_SGBM_MODE_SGBM_3WAY)
FOUR_PATHS = SgbmParams(mode=cv2.STEREO_SGBM_MODE_HH4)
# Neighbouring pixels differ less in enlarged views, so the penalties are larger. Over 26 real pairs this takes bad1
# from 12.0 to 11.9 % and D1 from 6.0 to 5.9 %. Penalties of 4 and 18 are worse in both measures, 5 and 36 in bad1.
_ENLARGED_PENALTIES = {"step_penalty": 8, "jump_penalty": 32}
# The matcher's subpixel precision is poor: it favours integer disparities, and it loses thin objects. Enlarging the
# pair helps. Over 20 real pairs, by an earlier engine, a scale of 1.6 takes bad0.5 from 20.0 to 18.8 % and bad1 from
# 12.1 to 12.0 %; 1.5 takes them to 19.1 and 11.8 %; 1.7 gains nothing more.
_LARGEST_SCALE = 1.6
_SMALLEST_SCALE = 1.1  # a smaller gain is not worth resampling
# Correction of the confidence estimated at half size: share of `fast`'s disparities that are right to 1 px, divided by
# the share that this confidence predicts. Means of 26 real pairs. Rows: away from depth edges, beside them. Columns:
# matched pixels, filled pixels.
_RIGHT_OF_SURE = np.array([[0.98, 0.95], [0.91, 0.73]], np.float32)
# Confidence below which depth edges are snapped to the picture's where that matches as well. Of surfaces up to 5 px
# wide in three ray-cast rooms 37.3 % are off by more than 2 px without snapping, 40.6 % if all below 0.5 is snapped,
# 37.6 % so; within 3 px of edges it is 29.8, 28.0 and 27.6 %, in 13 real pairs 9.99, 9.94 and 9.92 %.
# Thresholds of 0.6, 0.85 and 1 differ by 0.03 %.
_UNSURE = 0.7
# By which a pixel must move then: less flattens rims of round things, without an edge that moves. With votes after it,
# 20 real pairs are off by more than 2 px at 5.81, 5.81 and 5.79 % with 0, 2 and 4 px, and at 5.78 % without snapping,
# 18 rooms at 4.31, 4.30 and 4.31, and at 4.32 %; without it stems have gaps.
_SNAPPED_PX = 4.0
# Pixels of a pair from which on the network also chooses in copies of half its size: plain walls and thin things are
# told better there than by matching alone. In 18 ray-cast rooms of 0.6 megapixels that takes bad2 from 8.2 to 7.9 % and
# the confidence's area from 3.0 to 2.5, in 11 real pairs of 0.3 to 2 megapixels bad2 from 8.9 to 8.7 %. In 15 of 0.1 to
# 0.2 megapixels, whose copies show too little, bad2 would rise from 6.1 to 6.3 %.
_LEAST_CHOSEN = 300_000


# Of what its disparity puts behind something nearer by more than a pixel, 89 % is occluded in 20 real pairs, and that
# finds 83 % of what is occluded; the network alone finds 67 %, of the same precision.
_HIDDEN = 0.89


@dataclass(frozen=True)
class Tier:
    """The work that one quality level spends.

    matcher: settings of the matcher at full size.
    cells: largest cost volume (pixels times disparities) matched at full size; a larger pair is matched at half size.
    fused: let the fusion network choose between the candidates.
    effort: disparities to evaluate for each pixel of the pair; a pair with a smaller range is matched enlarged as well,
        by as much as reaches it.
    """

    matcher: SgbmParams
    cells: float
    fused: bool = True
    effort: float = 0.0

    def scale(self, views: AlignedViews) -> float:
        """The factor by which views are enlarged for matching; their cost volume grows with its third power.

        Noisy views are not enlarged, since noise hides subpixel detail: with 8 levels of it in the right view, 19 real
        pairs would be off by more than 2 px at 8.8 instead of 8.3 %.
        """
        scale = min((self.effort * views.left_grey.size / views.cells) ** (1 / 3), _LARGEST_SCALE)
        worth = scale >= _SMALLEST_SCALE and not views.noise
        return scale if worth and views.cells * scale**3 <= self.cells else 1.0


class Found(NamedTuple):
    """Disparity px, the probability that it is right to 1 px, and that only the left view shows it; all (H, W) float32.

    The last two are None if they were not asked for.
    """

    disparity_px: FloatMap
    confidence: FloatMap | None
    occluded: FloatMap | None


def find_disparity(views: AlignedViews, tier: Tier, *, confidence: bool = True) -> Found:
    """Find the disparity of every pixel.

    A large pair is matched at half size. At full size the network then only chooses between the enlarged result at a
    pixel and its values nearby, so time and memory grow with the pixels, not with pixels times disparities.
    Without fusion the confidence costs extra time; with confidence=False it is then None.
    """
    if views.cells > tier.cells:
        guess = _enlarged(find_disparity(views.resized(0.5), replace(tier, effort=0), confidence=False)[0], views)
        return _fused(views, [guess], guess)
    if tier.fused:
        return _fused(views, *guess_disparity(views, tier.matcher, tier.scale(views)))
    known = match(*_search(views), tier.matcher)
    _check_matched(known)
    surfaces = fit_surfaces(views.left, views.right_grey, known, views.noise)
    known = surfaces.believed(known)
    seen = surfaces.onto(known, trusted=True)
    disparity = complete(seen, views.left, fast=True)
    other = continued_by_color(disparity, seen, views.left)
    disparity = np.where(np.isnan(other), disparity, other)
    disparity = within_bounds(disparity, sure_matches(known, views.left_grey), views.low_px)
    disparity = without_specks(disparity, views.left)
    return Found(disparity, *(find_confidence(views, disparity, known) if confidence else (None, None)))


def find_confidence(
    views: AlignedViews, disparity: FloatMap, known: FloatMap | None = None
) -> tuple[FloatMap, FloatMap]:
    """Of a disparity map (H, W) px: how likely it is right to 1 px, and occluded; (H, W) float32 in 0..1.

    The network judges the map at half size. The confidence is lowered beside depth edges and in filled holes, which
    half size does not show well.
    known: the map before its holes were filled (NaN = hole), if available.
    """
    small, half = views.resized(0.5), disparity[::2, ::2] / 2
    confirmed = half if known is None else known[::2, ::2] / 2
    judged = fuse(small.left, small.right_grey, [half], confirmed, choose="none")
    size = disparity.shape[::-1]
    confidence, occluded = (np.asarray(cv2.resize(v, size), np.float32) for v in (judged.confidence, judged.occluded))
    edges, filled = beside_edges(disparity), np.zeros(disparity.shape, np.bool_) if known is None else np.isnan(known)
    sure = confidence * _RIGHT_OF_SURE[edges.astype(np.uint8), filled.astype(np.uint8)]
    return sure, _occluded(occluded, disparity)


def guess_disparity(
    views: AlignedViews, matcher: SgbmParams, scale: float = 1.0, *, halve: bool = True
) -> tuple[list[FloatMap], FloatMap, FloatMap]:
    """Five complete disparity maps, the confirmed matches, and the right view's disparity.

    All are (H, W) px. The five maps: found in views enlarged by `scale`, with plain surfaces as planes; at their own
    size; in copies of half the size; and two guesses of planes. The confirmed matches, of the first map, have NaN
    elsewhere. The right view's disparity is in its own pixels, with its holes filled.
    halve: let the network choose in the copies of half the size too if they are large enough for that; otherwise, they
        are only matched.
    """
    # before all else, so that the network's memory is free again when the matchers take theirs
    chosen = _chosen_at_half(views, matcher) if halve and views.left_grey.size >= _LEAST_CHOSEN else None
    with beside(3) as pool:  # smaller copies use the cores that a full-size matching leaves idle
        half = pool.submit(lambda: _guess_from_smaller(views, 2) if chosen is None else chosen)
        native = pool.submit(_guess_from_smaller, views, 1) if scale > 1 else None
        large, islands, from_right = _matched_enlarged(views, matcher, scale)
        _check_matched(large)
        small = small_things(views.left, views.right_grey, large, islands)
        known = np.where(np.isnan(large), small, large)
        local = pool.submit(fill_planes, known, views.left)
        # without small things, as a few wrong ones tip the plane of a wall
        surfaces = fit_surfaces(views.left, views.right_grey, large, views.noise)
        known = surfaces.believed(known)
        seen = surfaces.onto(known)
        best = complete(seen, views.left)
        other = continued_by_color(best, seen, views.left)
        smaller = (None if native is None else native.result(), half.result())
        guesses = [best, *(best if guess is None else guess for guess in smaller)]
        # what is on no plain surface takes local planes where it has no confirmed match
        guesses += [np.where(np.isnan(p), local.result(), p) for p in (surfaces.by_rims, surfaces.by_insides)]
    guesses = [np.where(np.isnan(other), guess, other) for guess in guesses]
    return guesses, known, fill_background(from_right)


def _chosen_at_half(views: AlignedViews, matcher: SgbmParams) -> FloatMap:
    """A complete disparity map (H, W) px of the views, which the network chose in copies of half the size.

    It is only one of the candidates at full size, where colours and neighbours count, edges are snapped, strands
    followed and votes taken. With all of this here too, 20 real pairs are off by more than 2 px at 5.775 instead of
    5.766 %, 14 rooms at 3.64 instead of 3.54 %; without bounds, these are at 0.3 % more.
    """
    small = views.resized(0.5)
    found = fuse(small.left, small.right_grey, *guess_disparity(small, matcher, halve=False), choose="alone")
    return _enlarged(within_bounds(found.disparity_px, found.confidence, small.low_px), views)


def _check_matched(known: FloatMap) -> None:
    """Raise StereoError if there is no confirmed match at all, from which anything could be continued."""
    if not np.isfinite(known).any():
        raise StereoError(
            "no point of the left view was found in the right one",
            hint="pass two photos of one scene, with more texture or of more pixels",
        )


def _matched_enlarged(views: AlignedViews, matcher: SgbmParams, scale: float) -> BothWays:
    """`match_both_ways` on views enlarged by `scale`; returns maps (H, W) px of the views themselves.

    Which regions are small is counted in pixels of the enlarged views.
    """
    if scale == 1:
        return match_both_ways(*_search(views), matcher)
    large = views.resized(scale)
    across = np.float32(views.left_grey.shape[1] / large.left_grey.shape[1])
    found = match_both_ways(*_search(large), replace(matcher, **_ENLARGED_PENALTIES))
    return BothWays(*(picked(disparity, views) * across for disparity in found))


def _guess_from_smaller(views: AlignedViews, times: int) -> FloatMap | None:
    """A complete disparity map (H, W) px of the views, found in copies that are `times` smaller; None if none was."""
    small = views.resized(1 / times)
    # no second matching for the left-right check: the network rejects the few wrong matches that it would remove
    known = match(*_search(small), FOUR_PATHS)
    return _enlarged(complete(known, small.left), views) if np.isfinite(known).any() else None


def _fused(views: AlignedViews, guesses: list[FloatMap], known: FloatMap, from_right: FloatMap | None = None) -> Found:
    """Choose between the guesses with the network, follow thin things, and move depth edges onto the picture's.

    Unsure edges take a weighted median first. What is doubtful and behind the planes that bound the scene is laid onto
    them, and specks are removed. Last, what breaks off where the right view ends goes on to the left border.
    """
    found = fuse(views.left, views.right_grey, guesses, known, from_right)
    snapped = median_filter_edges(found.disparity_px, views.left)
    taken = is_supported(views.left, views.right_grey, found.disparity_px, snapped) & (found.confidence < _UNSURE)
    taken &= np.abs(snapped - found.disparity_px) > _SNAPPED_PX
    disparity = np.where(taken, snapped, found.disparity_px)
    disparity = within_bounds(disparity, found.confidence, views.low_px)
    disparity = without_specks(disparity, views.left)  # before strands are followed, of which pieces are small islands
    disparity = follow_strands(views.left, views.right_grey, disparity)
    disparity, confidence = vote_at_edges(views.left, views.right_grey, disparity, found.confidence)
    disparity = joined_at_border(disparity, confidence, views.left)
    return Found(disparity, confidence, _occluded(found.occluded, disparity))


def _occluded(told: FloatMap, disparity: FloatMap) -> FloatMap:
    """How likely the right view does not show a pixel, (H, W): by the network, and by where the disparity (H, W) leads.

    That is outside the right view, or onto what something nearer hides.
    """
    width, occluded, behind = disparity.shape[1], np.array(told), hidden(disparity)

    def judge(first: int, end: int) -> None:
        landing = np.rint(np.arange(width, dtype=np.float32) - disparity[first:end]).astype(np.int32)
        likely = occluded[first:end]
        np.maximum(likely, np.float32(_HIDDEN), out=likely, where=behind[first:end])
        likely[(landing < 0) | (landing >= width)] = 1

    for_bands(len(disparity), judge)
    return occluded


def _search(views: AlignedViews) -> tuple[Image, Image, float, float]:
    return views.left_grey, views.right_grey, views.low_px, views.high_px


def _enlarged(disparity: FloatMap, views: AlignedViews) -> FloatMap:
    """A smaller disparity map resized to the views, in px of their size."""
    height, width = views.left_grey.shape
    scale = np.float32(width / disparity.shape[1])
    return np.asarray(cv2.resize(disparity * scale, (width, height)), np.float32)


def picked(value: FloatMap, views: AlignedViews) -> FloatMap:
    """A map resized to the views by nearest neighbour, so that no value between two depths appears at edges."""
    height, width = views.left_grey.shape
    return np.asarray(cv2.resize(value, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.float32)
