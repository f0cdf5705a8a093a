"""Points that are followed on all surfaces of two roughly rectified views."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps.engine.front.coarse import CoarseMatch, match_coarse
from depthapps.engine.rectify import surfaces
from depthapps.engine.rectify.surfaces import follow_surfaces


def lowered(view, down: float):
    """A view (H, W) whose rows lie lower by `down` px."""
    way = np.array([[1, 0, 0], [0, 1, down]], float)
    return cv2.warpAffine(view, way, view.shape[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def greys(scene):
    return tuple(v.mean(axis=2).astype(np.uint8) for v in (scene.pair.left, scene.pair.right))


def everywhere(view):
    return np.ones(view.shape, bool), np.ones(view.shape, bool)


@pytest.mark.parametrize("down", [0.0, 0.4, -0.6])
def test_rows_are_measured_on_slanted_surfaces(slanted_plane, down):
    left, right = greys(slanted_plane)
    right = lowered(right, down)
    start, end = follow_surfaces(left, right, match_coarse(left, right), everywhere(left))
    assert len(start) > 800
    assert np.abs(np.median((end - start)[:, 1]) - down) < 0.05
    assert np.percentile(np.abs((end - start)[:, 1] - down), 90) < 0.15
    x, y = np.rint(start).astype(int).T
    assert np.median(np.abs((start - end)[:, 0] - slanted_plane.disparity_px[y, x])) < 0.1


def test_nothing_is_followed_at_edges_of_things(two_layers):
    left, right = greys(two_layers)
    start, end = follow_surfaces(left, right, match_coarse(left, right), everywhere(left))
    x, y = np.rint(start).astype(int).T
    error = np.abs((start - end)[:, 0] - two_layers.disparity_px[y, x])
    assert (error < 0.5).mean() > 0.99
    assert two_layers.seen[y, x].mean() > 0.99


def test_what_a_view_does_not_show_holds_no_points(slanted_plane):
    left, right = greys(slanted_plane)
    half = np.ones(left.shape, bool)
    half[:, : left.shape[1] // 2] = False
    whole = np.ones(left.shape, bool)
    coarse = match_coarse(left, right)
    assert follow_surfaces(left, right, coarse, (half, whole))[0][:, 0].min() > left.shape[1] / 2
    assert follow_surfaces(left, right, coarse, (whole, half))[1][:, 0].min() > left.shape[1] / 2


def test_plain_views_hold_no_points(two_layers):
    left, right = greys(two_layers)
    plain = np.full_like(left, 90)
    assert not len(follow_surfaces(plain, plain, match_coarse(left, right), everywhere(left))[0])


def test_large_views_are_followed_in_copies(slanted_plane, monkeypatch):
    left, right = greys(slanted_plane)
    right = lowered(right, 0.5)
    coarse = match_coarse(left, right)
    monkeypatch.setattr(surfaces, "SIDE_PX", 160)  # of 320
    start, end = follow_surfaces(left, right, coarse, everywhere(left))
    assert len(start) > 100
    assert np.abs(np.median((end - start)[:, 1]) - 0.5) < 0.1
    x, y = np.rint(start).astype(int).T
    assert np.median(np.abs((start - end)[:, 0] - slanted_plane.disparity_px[y, x])) < 0.3


def test_no_coarse_match_is_no_point(two_layers):
    left, right = greys(two_layers)
    coarse = match_coarse(left, right)
    none = CoarseMatch(np.full_like(coarse.disparity, np.nan), coarse.reach, coarse.scale)
    assert not len(follow_surfaces(left, right, none, everywhere(left))[0])
