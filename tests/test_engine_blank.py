"""What lies outside of warped views, and that nothing is matched there."""

from __future__ import annotations

import numpy as np
import pytest

from depthapps.engine.front.coarse import match_coarse
from depthapps.engine.front.corners import find_corners, follow_corners
from depthapps.engine.rectify.blank import filled


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(90, 120), (500, 700)])
def test_what_is_not_known_continues_the_picture(dtype, shape):
    y, x = np.mgrid[: shape[0], : shape[1]] / max(shape)
    picture = (np.dstack([x, y, 0.5 + 0 * x]) * 200).astype(dtype)
    known = x + y > 0.4
    holed = np.where(known[..., None], picture, dtype(0))
    found = filled(holed, known)
    assert found.dtype == dtype
    assert np.array_equal(found[known], picture[known])
    assert np.abs(found.astype(float) - np.clip(picture, 10, 199)).mean(axis=(0, 1)).max() < 8
    steps = np.abs(np.diff(found[..., 2].astype(float), axis=1))
    assert steps.max() <= 2  # no edge where the picture ends
    assert filled(picture, np.ones(shape, bool)) is picture


def test_what_is_not_shown_has_no_match(two_layers):
    left, right = (v.mean(axis=2).astype(np.uint8) for v in (two_layers.pair.left, two_layers.pair.right))
    here, there = np.ones(left.shape, bool), np.ones(left.shape, bool)
    here[: left.shape[0] // 3] = False
    there[:, left.shape[1] // 2 :] = False
    coarse = match_coarse(left, right)
    found = match_coarse(left, right, (here, np.ones(left.shape, bool)))
    top = found.disparity.shape[0] // 3 - 1
    assert not np.isfinite(found.disparity[:top]).any()
    assert np.array_equal(found.disparity[top + 3 :], coarse.disparity[top + 3 :], equal_nan=True)
    disparity = match_coarse(left, right, (there, there)).disparity
    x = np.nonzero(np.isfinite(disparity))[1]
    assert (x - disparity[np.isfinite(disparity)] < disparity.shape[1] / 2 + 1).all()


def test_corners_are_followed_to_where_they_are(two_layers):
    left, right = (v.mean(axis=2).astype(np.uint8) for v in (two_layers.pair.left, two_layers.pair.right))
    start, end = follow_corners(left, right, match_coarse(left, right), find_corners(left, 400))
    assert len(start) > 60
    x, y = np.rint(start).astype(int).T
    error = np.abs((start - end)[:, 0] - two_layers.disparity_px[y, x])
    assert np.median(error) < 0.3
    assert np.median(np.abs((start - end)[:, 1])) < 0.2
    plain = np.full_like(left, 9)
    assert len(follow_corners(plain, plain, match_coarse(left, right), find_corners(plain, 400))[0]) == 0
