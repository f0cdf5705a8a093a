"""From two aligned views to disparity and confidence: matching at several sizes, and a choice of what it finds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np

from depthapps.core.filling import fill_background
from depthapps.core.scene import FloatMap, Image
from depthapps.engine.front.align import AlignedViews
from depthapps.engine.fusion.fuse import fuse
from depthapps.engine.matching.planes import fill_planes
from depthapps.engine.matching.refinement import beside_edges, complete, median_filter_edges
from depthapps.engine.matching.sgbm import SgbmParams, match, match_both_ways
from depthapps.engine.matching.specks import remove_specks

THREE_PATHS = SgbmParams(mode=cv2.STEREO_SGBM_MODE_SGBM_3WAY)
FOUR_PATHS = SgbmParams(mode=cv2.STEREO_SGBM_MODE_HH4)
# Between neighbours in enlarged views less changes. Over 26 real pairs these penalties take bad1 from 12.0 to 11.9 and
# D1 from 6.0 to 5.9; 4 and 18 are worse in both, 5 and 36 in bad1.
FOUR_PATHS_ENLARGED = replace(FOUR_PATHS, step_penalty=8, jump_penalty=32)
# Between pixels the matcher sees too little: it prefers whole disparities, and narrow things get lost. Over 20 real
# pairs a scale of 1.6 takes bad0.5 from 20.0 to 18.8 %, bad1 from 12.1 to 12.0; of 1.5 to 19.1 and 11.8; 1.7 brings no
# more.
_LARGEST_SCALE = 1.6
_SMALLEST_SCALE = 1.1  # less is not worth resampling
# What share of `fast`'s disparities is right to 1 px, over what share should be when judged at half size: means of 26
# real pairs, away from depth edges and beside them, each where matched and where filled in.
_RIGHT_OF_SURE = np.array([[1.0, 0.76], [0.87, 0.63]], np.float32)
_SMALLER = (2, 4)  # large plain areas, and what is seen from the side, are matched better in smaller copies


@dataclass(frozen=True)
class Tier:
    """What a quality spends.

    matchers: at full size, the best first. cells: the most pixels times disparities that are matched at full size; a
    larger pair is matched at half size first. fused: let the network choose between what is found. effort: disparities
    to match for each pixel; where a pair has fewer, it is enlarged.
    """

    matchers: tuple[SgbmParams, ...]
    cells: float
    fused: bool = True
    effort: float = 0.0

    def scale(self, views: AlignedViews) -> float:
        """How much views are enlarged to be matched, which multiplies their cells by the third power of it.

        Noise hides what lies between pixels: with 8 grey levels of it enlarging takes bad2 from 12.4 to 13.0.
        """
        scale = min((self.effort * views.left_grey.size / views.cells) ** (1 / 3), _LARGEST_SCALE)
        worth = scale >= _SMALLEST_SCALE and not views.noisy
        return scale if worth and views.cells * scale**3 <= self.cells else 1.0


def find_disparity(views: AlignedViews, tier: Tier, *, confidence: bool = True) -> tuple[FloatMap, FloatMap | None]:
    """Disparity (H, W) float32 px and the confidence in it (H, W) float32 in 0..1, both without holes.

    The disparity of a large pair is found at half size, and the choice at full size is between what that gives at a
    pixel and around it: time and memory grow with the pixels, not with pixels times disparities. Confidence costs extra
    in a tier without fusion, so it may be left out: None then.
    """
    scale = tier.scale(views)
    if scale > 1:
        found, sure = find_disparity(views.resized(scale), replace(tier, effort=0), confidence=confidence)
        disparity = _picked(found, views) * np.float32(views.left_grey.shape[1] / found.shape[1])
        return disparity, None if sure is None else _picked(sure, views)
    if views.cells > tier.cells:
        found, _ = find_disparity(views.resized(0.5), replace(tier, effort=0), confidence=False)
        guess = _enlarged(found, views)
        return _fused(views, [guess], guess)
    if tier.fused:
        return _fused(views, *guess_disparity(views, tier.matchers))
    known = match(*_search(views), tier.matchers[0])
    disparity = complete(known, views.left, fast=True)
    return disparity, find_confidence(views, disparity, known) if confidence else None


def find_confidence(views: AlignedViews, disparity: FloatMap, known: FloatMap | None = None) -> FloatMap:
    """How likely a disparity map (H, W) px is right to about 1 px, (H, W) float32 in 0..1.

    It is judged at half size, and lowered for what that does not see: narrow edges, and what was filled in beside them.
    known: the map with NaN where it was filled in, if that is known.
    """
    small, half = views.resized(0.5), disparity[::2, ::2] / 2
    _, confidence = fuse(small.left, small.right_grey, [half], half if known is None else known[::2, ::2] / 2)
    confidence = np.asarray(cv2.resize(confidence, disparity.shape[::-1]), np.float32)
    edges, filled = beside_edges(disparity), np.zeros(disparity.shape, np.bool_) if known is None else np.isnan(known)
    return confidence * _RIGHT_OF_SURE[edges.astype(np.uint8), filled.astype(np.uint8)]


def guess_disparity(views: AlignedViews, matchers: tuple[SgbmParams, ...]) -> tuple[list[FloatMap], FloatMap, FloatMap]:
    """Five complete disparity maps (H, W) px, what the first of `matchers` is sure of, and what the right view has.

    The maps are those of the first and the last matcher, those of copies of the views at 1/2 and 1/4 of the size, and
    the first one filled by planes.
    """
    with ThreadPoolExecutor() as pool:  # what is smaller fills the time in which a larger one runs on one core
        smaller = [pool.submit(_guess_from_smaller, views, times) for times in _SMALLER]
        known, from_right = match_both_ways(*_search(views), matchers[0])
        planes = pool.submit(fill_planes, known, views.left)
        guesses = [complete(known, views.left)]
        others = [match_both_ways(*_search(views), matcher)[0] for matcher in matchers[1:]]
        guesses.append(complete(others[-1], views.left) if others else guesses[0])
        guesses += [found.result() for found in (*smaller, planes)]
    return guesses, known, fill_background(from_right)


def _guess_from_smaller(views: AlignedViews, times: int) -> FloatMap:
    """A complete disparity map (H, W) px of the views, found in a copy of them that is so many times smaller."""
    small = views.resized(1 / times)
    # not both ways: what little that takes away is also chosen against
    return _enlarged(complete(match(*_search(small), FOUR_PATHS), small.left), views)


def _fused(
    views: AlignedViews, guesses: list[FloatMap], known: FloatMap, from_right: FloatMap | None = None
) -> tuple[FloatMap, FloatMap]:
    disparity, confidence = fuse(views.left, views.right_grey, guesses, known, from_right)
    return remove_specks(median_filter_edges(disparity, views.left), confidence), confidence


def _search(views: AlignedViews) -> tuple[Image, Image, float, float]:
    return views.left_grey, views.right_grey, views.low_px, views.high_px


def _enlarged(disparity: FloatMap, views: AlignedViews) -> FloatMap:
    """A disparity map at the size of the views, in that size's pixels."""
    height, width = views.left_grey.shape
    scale = np.float32(width / disparity.shape[1])
    return np.asarray(cv2.resize(disparity * scale, (width, height)), np.float32)


def _picked(large: FloatMap, views: AlignedViews) -> FloatMap:
    """A larger map at the size of the views; what lies nearest is taken, so that nothing floats between depths."""
    height, width = views.left_grey.shape
    return np.asarray(cv2.resize(large, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.float32)
