"""Points that two pictures share."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps.core.features import BEST_OF_CELL, CELLS, find_features, pair_features


def test_features_are_found_where_a_picture_was_moved_to(two_layers):
    first = cv2.cvtColor(two_layers.pair.left, cv2.COLOR_RGB2GRAY)
    turn = cv2.getRotationMatrix2D((160, 120), 20, 1.2)
    second = np.asarray(cv2.warpAffine(first, turn, (320, 240)), np.uint8)
    here, there = find_features(first), find_features(second)
    rows, columns = pair_features(here, there)
    assert len(rows) > 50
    assert len(np.unique(columns)) == len(columns)
    moved = here.points[rows] @ turn[:, :2].T + turn[:, 2]
    errors = np.linalg.norm(there.points[columns] - moved, axis=1)
    assert np.median(errors) < 0.5
    assert (errors < 2).mean() > 0.9


def test_features_are_spread_and_of_unit_length(two_layers):
    view = cv2.cvtColor(two_layers.pair.left, cv2.COLOR_RGB2GRAY)
    few, many = find_features(view, 2), find_features(view)
    assert len(few) < len(many) <= CELLS**2 * BEST_OF_CELL
    assert np.allclose(np.linalg.norm(many.descriptors, axis=1), 1, atol=1e-3)
    assert np.bincount((few.points / (320 / CELLS)).astype(int) @ (1, CELLS)).max() <= 4  # two, and their other ways


@pytest.mark.parametrize("size", [(50, 60), (1, 1), (1, 400), (400, 1)])
def test_a_plain_picture_has_none(size):
    plain = find_features(np.full(size, 9, np.uint8))
    assert len(plain) == 0
    assert pair_features(plain, plain)[0].size == 0
