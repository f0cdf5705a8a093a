"""Local planes through noisy inverse depth."""

import numpy as np
import pytest

from depthapps.denoise import fit_planes

ALL = np.ones((120, 159), bool), np.ones((119, 160), bool)


def test_a_plane_comes_back_as_it_is():
    v, u = np.mgrid[:120, :160].astype(np.float32)
    plane = 0.3 + 0.001 * u - 0.0007 * v
    found = fit_planes(plane, *ALL)
    assert np.abs(found.inverse - plane).max() < 1e-4
    assert found.du[60, 80] == pytest.approx(0.001, rel=0.01)
    assert found.dv[60, 80] == pytest.approx(-0.0007, rel=0.01)


def test_noise_falls_to_a_fifth_and_nothing_passes_a_tear():
    v, u = np.mgrid[:120, :160].astype(np.float32)
    step = np.where(u < 80, 0.3 + 0.001 * v, 0.6).astype(np.float32)
    right = ALL[0].copy()
    right[:, 79] = False
    sigma = 0.01
    noisy = (step + sigma * np.random.default_rng(1).standard_normal(step.shape)).astype(np.float32)
    found = fit_planes(noisy, right, ALL[1])
    error = found.inverse - step
    assert error.std() < 0.2 * sigma
    assert np.abs(error[:, 76:84]).mean() < 0.3 * sigma
    assert 0.2 < found.sigma.mean() / error.std() < 5
