"""Figures of many numbers that a few wrong ones do not change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from depthapps.core.statistics import median, robust_deviation


@given(arrays(np.float32, st.integers(1, 50), elements=st.floats(-1000, 1000, width=32)))
def test_the_median_is_numpys(values):
    assert median(values) == float(np.median(values))


@pytest.mark.parametrize("count", [1001, 1_000_000])
def test_a_deviation_is_that_of_most_values(count):
    rng = np.random.default_rng(0)
    noise = np.where(rng.random(count) < 0.05, 1000, rng.normal(0, 0.7, count))
    assert robust_deviation(noise) == pytest.approx(0.7, rel=0.15)
