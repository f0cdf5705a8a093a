"""Triangles drawn into a picture."""

from __future__ import annotations

import numpy as np
import pytest

from depthapps.surface.raster import draw_largest

SQUARE = np.array([[0, 1, 2], [2, 1, 3]], np.int32)  # one each way round


def test_what_lies_on_a_border_is_drawn_and_the_plane_is_kept():
    points = np.array([[2, 3, 1], [12, 3, 2], [2, 8, 3], [12, 8, 4]], np.float32)
    found = draw_largest(points, SQUARE, (12, 16))
    y, x = np.mgrid[3:9, 2:13]
    assert found[3:9, 2:13] == pytest.approx(1 + (x - 2) / 10 + 2 * (y - 3) / 5, abs=1e-5)
    assert np.isfinite(found).sum() == y.size


def test_the_largest_value_stays_whatever_the_order_and_the_bands():
    rng = np.random.default_rng(5)
    points = np.column_stack([rng.uniform(-20, 80, 300), rng.uniform(-20, 1100, 300), rng.random(300)])
    triangles = rng.integers(0, 300, (400, 3)).astype(np.int32)
    found = draw_largest(points, triangles, (1060, 60))
    assert np.array_equal(found, draw_largest(points, triangles[::-1], (1060, 60)))
    one_by_one = [draw_largest(points, triangles[k : k + 1], (1060, 60)) for k in range(400)]
    assert np.array_equal(found, np.max(one_by_one, axis=0))


def test_triangles_without_an_area_or_a_place_are_left_out():
    points = np.array([[1, 1, 1], [5, 5, 1], [3, 3, 1], [np.nan, 2, 1]], np.float32)
    triangles = np.array([[0, 1, 2], [0, 1, 3], [0, 0, 1]], np.int32)
    assert np.isneginf(draw_largest(points, triangles, (8, 8))).all()
