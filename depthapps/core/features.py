"""Find and match SIFT features, to get points that two pictures share (Lowe 2004)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import Image

LONGEST_PX = 1280  # longest side of the reduced copy in which features are searched
CELLS = 12  # cells along the longer side; they spread the features over the picture
BEST_OF_CELL = 40  # features per cell; the distances between 12 · 12 · 40 features of two pictures take 130 MB
RATIO = 0.8  # largest ratio of best to second-best distance; rejects 90 % of wrong and 5 % of right matches (Lowe 2004)
FAINTEST = 0.015  # SIFT's contrast threshold; with the usual 0.04, fur and plaster have no features


@dataclass(frozen=True, eq=False)
class Features:
    """Features of a picture.

    points: (N, 2) float64, positions (x, y) in px. descriptors: (N, 128) float32, RootSIFT vectors of length 1.
    """

    points: NDArray[np.floating]
    descriptors: NDArray[np.floating]

    def __len__(self) -> int:
        """Number of features."""
        return len(self.points)

    def among(self, kept: NDArray[np.bool_]) -> Features:
        """Keep the features in a mask (N,)."""
        return Features(self.points[kept], self.descriptors[kept])


def find_features(view: Image, best_of_cell: int = BEST_OF_CELL) -> Features:
    """Find the strongest SIFT features of a grey picture (H, W) uint8, at most best_of_cell in each cell.

    There are up to 12 x 12 cells. Large pictures are reduced to LONGEST_PX for the search; positions are in pixels of
    the original. Descriptors are the square roots of normalised SIFT descriptors, so that the Euclidean distance
    between them is the Hellinger distance (RootSIFT, Arandjelović and Zisserman 2012).
    """
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
        if len(found) < best_of_cell:
            found.append(point)
    points = [p for c in cells.values() for p in c]
    # SIFT fails in a picture of one row that has none
    points, descriptors = sift.compute(small, points) if points else ((), None)
    if descriptors is None or not len(points):
        return Features(np.empty((0, 2)), np.empty((0, 128), np.float32))
    positions = (np.array([p.pt for p in points]) + 0.5) / (np.array(size) / (width, height)) - 0.5
    roots = np.sqrt(descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-9))
    return Features(positions, roots.astype(np.float32))


def pair_features(first: Features, second: Features) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Match the features of two pictures: returns the numbers (M,) of the pairs in the first and in the second picture.

    A pair is kept if each is the other's best match, and clearly better than the second best (Lowe's ratio test).
    """
    if len(first) < 2 or len(second) < 2:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    likeness = first.descriptors @ second.descriptors.T
    best = likeness.argmax(axis=1)
    rows = np.arange(len(best))
    top = likeness[rows, best].copy()
    mutual = likeness.argmax(axis=0)[best] == rows
    likeness[rows, best] = -1
    distance, next_distance = (np.sqrt(np.maximum(2 - 2 * a, 0)) for a in (top, likeness.max(axis=1)))
    kept = np.flatnonzero(mutual & (distance < RATIO * next_distance))
    return kept, best[kept]
