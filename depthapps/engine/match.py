"""The stereo engine as one function: take a rectified pair and return its disparity."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from depthapps.core.choices import Quality, chosen
from depthapps.core.color import to_8bit
from depthapps.core.scene import FloatMap, Image, StereoPair
from depthapps.engine.effort import CELLS, matched_cells
from depthapps.engine.front.align import AlignedViews, align
from depthapps.engine.front.coarse import Shown
from depthapps.engine.front.rows import RowCheck, RowOffset, shift_rows
from depthapps.engine.fusion import choose, clues, fuse, strands, support
from depthapps.engine.matching import bounds, edge_votes, refinement, surfaces
from depthapps.engine.matching.pyramid import (
    FOUR_PATHS,
    THREE_PATHS,
    Found,
    Tier,
    find_confidence,
    find_disparity,
    picked,
)
from depthapps.engine.network import StereoNetwork
from depthapps.runtime.kernel import load_ahead
from depthapps.runtime.threads import beside

_TIERS = {
    Quality.FAST: Tier(THREE_PATHS, CELLS[Quality.FAST], fused=False),
    Quality.BALANCED: Tier(FOUR_PATHS, CELLS[Quality.BALANCED]),
    Quality.BEST: Tier(FOUR_PATHS, CELLS[Quality.BEST], effort=300),
}

_LEAST_SIDE_PX = 64  # of smaller copies: blocks and features have up to a quarter of it
_CLIPPED, _AREA = 254, 0.01  # level of overexposed pixels, and the least side of their areas as a share of the width
_TWO_LEVELS = 0.98  # share of the two most frequent levels in black-and-white pictures
_DOUBT = 0.4  # what the confidence is multiplied by there

# Typical disparity error (1.4826 · median absolute deviation from ground truth) as a share of the picture's width.
# Measured over 26 real pairs: 0.29 px at a width of 450 px, 0.3 at 740, 0.74 at 960, 0.86 at 1242 and 1.18 at 1920.
DISPARITY_SIGMA = 6.5e-4


@dataclass(frozen=True, eq=False)
class StereoMatch:
    """Disparity of the left view, its confidence and the measurements made on the way.

    disparity_px: (H, W) float32 px, without holes.
    confidence: (H, W) float32 in 0..1, the probability that the disparity is right to 1 px; None if not requested.
    occluded: (H, W) float32 in 0..1, the probability that the right view does not show the pixel's surface, which is
        hidden there or outside it; None if not requested.
    range_px: the smallest and largest disparity that was searched.
    row_offset: the vertical offset that was removed from the right view; None if none was removed.
    rows: the vertical alignment measured before that removal; None if there were too few points.
    """

    disparity_px: FloatMap
    confidence: FloatMap | None
    occluded: FloatMap | None
    range_px: tuple[float, float]
    row_offset: RowOffset | None = None
    rows: RowCheck | None = None


def match_pair(
    pair: StereoPair,
    quality: Quality = Quality.BALANCED,
    network: StereoNetwork | None = None,
    *,
    confidence: bool = True,
    strict: bool = False,
    order_known: bool = False,
    infinity_known: bool = False,
    mounted: bool = False,
    shown: Shown | None = None,
    side_px: int | None = None,
) -> StereoMatch:
    """Find the disparity of a rectified pair; the disparity range is estimated from the pair itself.

    Parameters
    ----------
    pair : StereoPair
        The two rectified views.
    quality : Quality
        FAST is semi-global matching with plain surfaces as planes. BALANCED lets a small network choose, for each
        pixel, between that result and one found at half the size; in larger pairs it has chosen there too. BEST also
        matches copies of small pairs that are enlarged up to 1.6 times.
    network : StereoNetwork, optional
        A stereo network that finds the disparity instead of the engine's own matcher.
    confidence : bool
        Also estimate the confidence, which takes extra time with FAST and with a network.
    strict : bool
        Raise an error if the views are not rectified or are the same photo, instead of matching them anyway.
    order_known : bool
        The left view is known to be the left one, even if disparities lie behind infinity (below −doffs_px).
    infinity_known : bool
        The calibration's doffs_px was measured, so no disparity can lie below −doffs_px.
    mounted : bool
        The cameras are mounted together and were measured. Where their rows nearly line up they are bent until they do.
    shown : two (H, W) bool arrays, optional
        Which pixels of each view show the scene; None means all of them.
    side_px : int, optional
        Where a coarse disparity is enough: the longest side of the copies that are matched once the views are aligned.
        What is found is enlarged to the views by the nearest pixel. None matches the views themselves.

    Returns
    -------
    StereoMatch

    Raises
    ------
    StereoError
        The two views do not match.
    SwappedViewsError
        The left and the right view are exchanged.
    UnalignedError
        The views are not rectified, and `strict` is set.
    NetworkError
        The network does not accept the pair, or its disparities are implausible.

    Notes
    -----
    Exposure differences and small vertical offsets are measured and removed first. Semi-global matching (Hirschmüller
    2008) with a left-right check gives the best guess, in which a small island stays if the views match clearly better
    there than on what surrounds it. Plain surfaces are planes fitted to the matches on their rims (RANSAC, Fischler
    1981), judged by all of their texture, and go on where they are seen through gaps. More candidates come from a copy
    of the pair of half its size, for which the network has chosen before if it is large, from these planes and from the
    nearest matches on the four sides of each pixel. A U-Net (Ronneberger 2015) scores the candidates, the pixels of one
    colour around each tell where they match (adaptive support weights, Yoon and Kweon 2006), and candidates are chosen
    so that neighbours agree where no edge of the picture parts them. What is not sure and lies behind a plane that
    bounds the scene, such as its floor, is laid onto that. Thin things are then followed along their length
    (propagation, Barnes 2009), and what was lost of each is compared as a whole. Pixels of one colour near a depth edge
    vote on which side of it each lies. Finally things that break off where the right view ends go on to the left border
    if their colours do.
    """
    doffs_px = pair.calibration.doffs_px
    quality = chosen(Quality, quality, "quality")
    tier = replace(_TIERS[quality], cells=matched_cells(quality, pair.left.shape[0] * pair.left.shape[1]))
    with beside(1) as pool:
        fused = network is None and tier.fused
        needed = []
        if network is None:
            needed += [*clues.KERNELS_OF_THE_RIGHT_VIEW, *surfaces.KERNELS, *refinement.KERNELS, *bounds.KERNELS]
        if confidence or fused:
            pool.submit(fuse.fusion_network)  # load the weights on a core that alignment leaves idle
            needed += [*clues.KERNELS, *fuse.KERNELS, *support.KERNELS]
        if fused:
            needed += [*choose.KERNELS, *strands.KERNELS, *edge_votes.KERNELS]
        load_ahead(needed)
        views = align(
            pair.left,
            pair.right,
            doffs_px,
            strict=strict,
            order_known=order_known,
            infinity_known=infinity_known,
            mounted=mounted,
            shown=shown,
        )
    shape = views.left_grey.shape
    scale = 1.0 if side_px is None else max(side_px / max(shape), _LEAST_SIDE_PX / min(shape))
    small = views if scale >= 1 else views.resized(scale)
    if network is None:
        found = find_disparity(small, tier, confidence=confidence)
    else:
        found = _by_network(network, pair, views, small, confidence=confidence)
    found = found._replace(confidence=_doubted(found.confidence, small.left))
    if small is not views:
        found = _enlarged(found, views)
    return StereoMatch(*found, (views.low_px, views.high_px), views.row_offset, views.rows)


def _by_network(
    network: StereoNetwork, pair: StereoPair, views: AlignedViews, small: AlignedViews, *, confidence: bool
) -> Found:
    """What a network finds in a pair's views with their rows aligned, or in smaller copies of them.

    Exposure and noise are left to the network.
    """
    left, right = to_8bit(pair.left), to_8bit(pair.right)
    if views.row_offset is not None:
        right = np.asarray(shift_rows(right, views.row_offset), np.uint8)
    if small is not views:
        size = small.left_grey.shape[::-1]
        left, right = (np.asarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA)) for view in (left, right))
    disparity = network.match(left, right, small.low_px, small.high_px)
    return Found(disparity, *(find_confidence(small, disparity) if confidence else (None, None)))


def _enlarged(found: Found, views: AlignedViews) -> Found:
    """What was found in smaller copies, enlarged by the nearest pixel: no disparity between two appears."""
    scale = np.float32(views.left_grey.shape[1] / found.disparity_px.shape[1])
    sure = (None if value is None else picked(value, views) for value in (found.confidence, found.occluded))
    return Found(picked(found.disparity_px, views) * scale, *sure)


def _doubted(confidence: FloatMap | None, left: Image) -> FloatMap | None:
    """Lower a confidence (H, W) where the left view (H, W, 3) uint8 shows nothing that could be matched with certainty.

    That is within overexposed areas, whose neighbours alone tell their depth, and all over pictures of two levels. The
    network that judges has seen neither.
    """
    if confidence is None:
        return None
    grey = cv2.cvtColor(left, cv2.COLOR_RGB2GRAY)
    counts = np.bincount(grey.ravel(), minlength=256)
    if np.partition(counts, -2)[-2:].sum() > _TWO_LEVELS * grey.size:
        return confidence * np.float32(_DOUBT)
    side = max(3, round(_AREA * left.shape[1]))
    clipped = (left.min(axis=2) >= _CLIPPED).astype(np.uint8)
    clipped = cv2.morphologyEx(clipped, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    return np.where(clipped > 0, confidence * np.float32(_DOUBT), confidence)
