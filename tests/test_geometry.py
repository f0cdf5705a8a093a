"""Disparity and depth, projection and filling, by their properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from depthapps import Calibration, Camera, depth_from_disparity, disparity_from_depth, project, unproject
from depthapps.core.filling import fill_background
from depthapps.core.geometry import (
    depth_from_inverse,
    filled_inverse_depth,
    inverse_depth,
    nearest_rotation,
    ray_directions,
    rotation_between,
)
from depthapps.surface.noise import inverse_depth_noise

CAMERA = Camera(13, 9, 100.0, 110.0, 5.2, 4.4)
depths = arrays(np.float32, (9, 13), elements=st.floats(0.125, 1000, width=32))


@given(depths)
def test_projection_undoes_unprojection(depth):
    x, y, z = project(unproject(depth, CAMERA), CAMERA)
    u, v = np.meshgrid(np.arange(13), np.arange(9))
    assert np.allclose(x, u, atol=1e-4)
    assert np.allclose(y, v, atol=1e-4)
    assert np.array_equal(z, depth)


@given(depths, st.floats(0.01, 10), st.floats(-50, 50))
def test_depth_and_disparity_are_inverse(depth, baseline, doffs):
    calibration = Calibration(CAMERA, baseline, doffs)
    disparity = disparity_from_depth(depth, calibration)
    # what float32 can hold of a disparity of this size
    tolerance = 4e-7 * (np.abs(disparity) + abs(doffs)).max() * depth / (CAMERA.fx * baseline) + 1e-6
    again = depth_from_disparity(disparity, calibration)
    assert (np.abs(again / depth - 1) <= tolerance * 4).all()


def test_depth_of_unknown_and_of_infinity():
    calibration = Calibration(CAMERA, 0.5, doffs_px=2.0)
    depth = depth_from_disparity(np.array([[np.nan, -2, -5, 8]], np.float32), calibration)
    assert np.isnan(depth[0, 0])
    assert np.isposinf(depth[0, 1:3]).all()
    assert depth[0, 3] == pytest.approx(100 * 0.5 / 10)
    assert disparity_from_depth(np.array([[np.inf]], np.float32), calibration)[0, 0] == -2


def test_nothing_behind_the_camera_is_projected():
    x, y, z = project(np.array([[1.0, 1, -1]]), CAMERA)
    assert np.isnan(x[0])
    assert np.isnan(y[0])
    assert z[0] == -1


def test_rays_pass_through_pixel_centres():
    rays = ray_directions(CAMERA)
    assert rays.shape == (9, 13, 3)
    assert rays[2, 7] == pytest.approx([(7 - 5.2) / 100, (2 - 4.4) / 110, 1])


def test_holes_take_the_farther_neighbour_on_the_row():
    n = np.nan
    given_map = np.array([[n, 5, n, n, 2, n], [n, n, n, n, n, n], [n, n, 7, n, n, 9]], np.float32)
    filled = fill_background(given_map)
    assert filled[0].tolist() == [5, 5, 2, 2, 2, 2]
    assert filled[2].tolist() == [7, 7, 7, 7, 7, 9]
    assert filled[1].tolist() in (filled[0].tolist(), filled[2].tolist())


@given(arrays(np.float32, (5, 8), elements=st.one_of(st.just(float("nan")), st.floats(-100, 100, width=32))))
def test_filling_keeps_what_is_known_and_invents_no_value(values):
    filled = fill_background(values)
    known = np.isfinite(values)
    assert np.array_equal(filled[known], values[known])
    if known.any():
        assert np.isin(filled, values[known]).all()
    else:
        assert np.isnan(filled).all()


@given(arrays(np.float32, (4, 9), elements=st.sampled_from([np.nan, np.inf, 1, 2, 3])), st.sampled_from("CF"))
def test_each_hole_takes_the_smaller_of_the_nearest_known_on_its_row(values, order):
    filled = fill_background(np.array(values, order=order))
    for y, x in np.argwhere(np.isfinite(values).any(axis=1)[:, None] & ~np.isfinite(values)):
        sides = values[y, :x][::-1], values[y, x:]
        assert filled[y, x] == min(side[np.isfinite(side)][0] for side in sides if np.isfinite(side).any())


@pytest.mark.parametrize("sigma", [0.0, 1e-4, 1e-3, 1e-2])
def test_noise_is_measured_on_slanted_planes(sigma):
    v, u = np.mgrid[:200, :300]
    inverse = 0.5 + 0.0004 * u + 0.001 * v + sigma * np.random.default_rng(0).standard_normal(u.shape)
    assert inverse_depth_noise((1 / inverse).astype(np.float32)) == pytest.approx(sigma, rel=0.05, abs=1e-6)


def test_inverse_depth_tells_the_sky_from_what_is_unknown():
    depth = np.array([[2, np.inf, np.nan, 0, -1]], np.float32)
    assert inverse_depth(depth) == pytest.approx(
        np.array([[0.5, np.nan, np.nan, np.nan, np.nan]], np.float32), nan_ok=True
    )
    found = inverse_depth(depth, infinite=0)
    assert found == pytest.approx(np.array([[0.5, 0, np.nan, np.nan, np.nan]], np.float32), nan_ok=True)
    assert found.dtype == np.float32


def test_a_hole_beside_the_sky_is_sky():
    depth = np.array([[2, np.nan, np.inf, np.nan, 4, np.nan, 2]], np.float32)
    assert filled_inverse_depth(depth).tolist() == [[0.5, 0, 0, 0, 0.25, 0.25, 0.5]]


def test_depth_and_its_inverse_lead_to_each_other():
    depth = np.array([[0.5, 3, np.nan, np.inf]], np.float32)
    assert depth_from_inverse(inverse_depth(depth, infinite=0)) == pytest.approx(depth, nan_ok=True)
    assert np.isposinf(depth_from_inverse(np.array([[0, -0.1]], np.float32))).all()


def test_a_rotation_is_found_between_vectors_and_in_a_rounded_matrix():
    rng = np.random.default_rng(3)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    assert nearest_rotation(turn.round(3)) == pytest.approx(turn, abs=1e-3)
    first = rng.normal(size=(20, 3))
    second, weights = first @ turn.T, np.ones(20)
    second[7], weights[7] = (5, 5, 5), 0
    assert rotation_between(first, second, weights) == pytest.approx(turn)
    assert np.linalg.det(nearest_rotation(-turn)) == pytest.approx(1)  # never a mirror
