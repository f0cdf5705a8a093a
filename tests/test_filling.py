"""Values for what is unknown."""

from __future__ import annotations

import numpy as np
import pytest

from depthapps.core.filling import push_pull


@pytest.mark.parametrize("shape", [(64, 64), (45, 71), (1, 9)])
def test_what_is_known_stays_and_the_rest_lies_between(shape):
    rng = np.random.default_rng(1)
    values, known = rng.uniform(2, 5, (*shape, 3)).astype(np.float32), rng.random(shape) < 0.2
    known[0, 0] = True
    found = push_pull(np.where(known[..., None], values, np.float32(0)), known.astype(np.float32))
    assert found.dtype == np.float32
    assert found[known] == pytest.approx(values[known])
    assert found.min() > 1.99
    assert found.max() < 5.01


def test_what_is_half_known_takes_half_of_its_surroundings():
    values, weight = np.full((32, 32, 3), 4, np.float32), np.ones((32, 32), np.float32)
    values[16, 16], weight[16, 16] = 8, 0.5
    assert push_pull(values, weight)[16, 16] == pytest.approx([6, 6, 6], abs=0.3)
