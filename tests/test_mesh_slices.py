"""Colours looked up in slices of depth are those of the slices enlarged to the picture, in their shares."""

from __future__ import annotations

import cv2
import numpy as np

from depthapps.mesh._slice_kernels import look_up_in_slices

COARSE = 4


def test_colors_are_interpolated_within_slices_and_between_those_that_have_any():
    rng = np.random.default_rng(5)
    slices = rng.uniform(0, 255, (4, 6, 9, 3)).astype(np.float32)
    filled = np.array([1, 1, 0, 1], np.uint8)
    at = rng.uniform(0, 3, (22, 35)).astype(np.float32)  # not a whole number of cells
    at[:3], at[3], at[4], at[5] = -1, 3, 0, 2  # none; the last slice, the first one; one without colours
    smooth = rng.uniform(0, 255, (22, 35, 3)).astype(np.float32)
    before = smooth.copy()
    look_up_in_slices(slices, filled, COARSE, at, 0, 22, smooth)

    sums, total = np.zeros_like(smooth), np.zeros_like(at)
    for k in np.flatnonzero(filled):
        share = np.where(at >= 0, np.maximum(0, 1 - np.abs(at - k)), 0)
        sums += share[..., None] * cv2.resize(slices[k], None, fx=COARSE, fy=COARSE)[:22, :35]
        total += share
    told = total > 1e-6
    np.testing.assert_allclose(smooth[told], sums[told] / total[told, None], atol=0.01)
    assert (smooth[~told] == before[~told]).all()
    assert not told[:3].any()
    assert not told[5].any()
