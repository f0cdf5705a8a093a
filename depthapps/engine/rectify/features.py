"""Points that two photos share."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import Image
from depthapps.engine.front.corners import spread

LONGEST_PX = 1280  # of the copy in which features are looked for; positions are refined at full size afterwards
CELLS = 12  # along the longer side, to spread the features over the picture
BEST_OF_CELL = 40  # at most 12 · 12 · 40: their distances fit into 130 MB
RATIO = 0.8  # Lowe 2004: rejects 90 % of the wrong matches and 5 % of the right ones
FEWEST_OF_TEXTURE = 3  # features in a cell that has texture
FAINTEST = 0.015  # SIFT's contrast threshold; its usual 0.04 leaves fur and plaster empty


@dataclass(frozen=True, eq=False)
class Matches:
    """Points of the first photo and where the second one has them, both (N, 2) float64 px.

    textured: the share of the first photo that holds features, matched or not. pixel_px: a pixel of the copy that they
    were found in.
    """

    first: NDArray[np.floating]
    second: NDArray[np.floating]
    textured: float
    pixel_px: float


def match_features(first: Image, second: Image) -> Matches:
    """Match two photos (H, W) uint8 grey by SIFT features: ratio test, and each the other's best.

    Descriptors are compared by Hellinger's distance (RootSIFT, Arandjelović and Zisserman 2012).
    """
    (points, descriptors, textured), (others, other_descriptors, _) = (_describe(v) for v in (first, second))
    pixel = max(1.0, max(first.shape) / LONGEST_PX)
    if len(points) < 2 or len(others) < 2:
        return Matches(np.empty((0, 2)), np.empty((0, 2)), textured, pixel)
    likeness = descriptors @ other_descriptors.T
    best = likeness.argmax(axis=1)
    rows = np.arange(len(best))
    top = likeness[rows, best].copy()
    mutual = likeness.argmax(axis=0)[best] == rows
    likeness[rows, best] = -1
    distance, next_distance = (np.sqrt(np.maximum(2 - 2 * a, 0)) for a in (top, likeness.max(axis=1)))
    kept = mutual & (distance < RATIO * next_distance)
    return Matches(points[kept], others[best[kept]], textured, pixel)


def _describe(view: Image) -> tuple[NDArray[np.floating], NDArray[np.floating], float]:
    """Positions (N, 2) px in the full picture, descriptors (N, 128) of unit length, and the share that is textured."""
    height, width = view.shape
    shrink = min(1.0, LONGEST_PX / max(height, width))
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    small = cv2.resize(view, size, interpolation=cv2.INTER_AREA)
    sift = cv2.SIFT.create(contrastThreshold=FAINTEST)
    points = sift.detect(small, None)
    cell = max(size) / CELLS
    cells: dict[tuple[int, int], list[cv2.KeyPoint]] = {}
    for point in sorted(points, key=lambda p: -p.response):
        found = cells.setdefault((int(point.pt[0] / cell), int(point.pt[1] / cell)), [])
        if len(found) < BEST_OF_CELL:
            found.append(point)
    kept = [p for c in cells.values() for p in c]
    textured = spread(np.array([p.pt for p in kept]).reshape(-1, 2), small.shape, FEWEST_OF_TEXTURE)
    points, descriptors = sift.compute(small, kept)
    if descriptors is None or not len(points):
        return np.empty((0, 2)), np.empty((0, 128), np.float32), textured
    positions = (np.array([p.pt for p in points]) + 0.5) / (np.array(size) / (width, height)) - 0.5
    roots = np.sqrt(descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-9))
    return positions, roots.astype(np.float32), textured
