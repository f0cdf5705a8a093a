"""Points that two photos share, and how much of the photos could have any."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthapps.core.features import LONGEST_PX, find_features, pair_features
from depthapps.core.scene import Image
from depthapps.engine.front.corners import spread

FEWEST_OF_TEXTURE = 3  # features in a cell that has texture


@dataclass(frozen=True, eq=False)
class Matches:
    """Points of the first photo and where the second one has them, both (N, 2) float64 px.

    textured: the share of the first photo that holds features, matched or not. pixel_px: a pixel of the copy that they
    were found in; positions are refined at full size afterwards.
    """

    first: NDArray[np.floating]
    second: NDArray[np.floating]
    textured: float
    pixel_px: float


def match_features(first: Image, second: Image) -> Matches:
    """Match two photos (H, W) uint8 grey by SIFT features."""
    here, there = (find_features(view) for view in (first, second))
    rows, columns = pair_features(here, there)
    textured = spread(here.points, first.shape, FEWEST_OF_TEXTURE)
    return Matches(here.points[rows], there.points[columns], textured, max(1.0, max(first.shape) / LONGEST_PX))
