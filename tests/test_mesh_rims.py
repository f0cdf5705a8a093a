"""Surfaces have their share of torn quads, and things of one pixel their width."""

from __future__ import annotations

import numpy as np
import pytest

from depthapps import Camera, Scene, SecondView, make_model, render_view
from depthapps.mesh.rims import rims, thin_pixels
from depthapps.surface.tearing import grid_quads, surface_links


def _signed_areas(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Areas of triangles (T, 3) over points (V, 2), positive when clockwise with y down."""
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    (ux, uy), (vx, vy) = (b - a).T, (c - a).T
    return 0.5 * (ux * vy - uy * vx)


@pytest.mark.parametrize("seed", range(4))
def test_triangles_and_rims_cover_the_picture_once_and_face_the_camera(seed):
    random = np.random.default_rng(seed)
    depth = random.choice(np.array([1, 1, 1, 3], np.float32), (12, 15))
    links = surface_links(depth)
    quads = grid_quads(depth, links)
    found = rims(depth, links, quads, np.ones(depth.shape, bool))
    rows, columns = np.indices(depth.shape)
    own = np.column_stack([columns.ravel(), rows.ravel()]).astype(float)
    points = np.concatenate([own, np.column_stack([found.x, found.y])])
    areas = _signed_areas(points, np.concatenate([quads.triangles(), found.triangles]))
    assert (areas < 0).all()
    assert areas.sum() == pytest.approx(-11 * 14)
    assert np.array_equal(found.inverse, 1 / depth.ravel()[found.pixel])


def test_a_cable_of_one_pixel_is_thin_and_a_flying_pixel_is_not():
    depth = np.full((9, 12), 3, np.float32)
    depth[4] = 1  # a cable
    depth[:, 8:] = 1  # a near surface, with pixels between it and the wall
    depth[:, 7] = np.where(np.arange(9) == 4, np.float32(1), np.float32(2))
    links = surface_links(depth)
    thin = thin_pixels(depth, links, grid_quads(depth, links).pixels())
    assert thin[4, :7].all()
    assert not np.delete(thin, 4, axis=0).any()
    alone = np.full((5, 5), 3, np.float32)
    alone[2, 2] = 1
    links = surface_links(alone)
    assert not thin_pixels(alone, links, grid_quads(alone, links).pixels()).any()


def test_a_model_is_as_wide_as_its_picture():
    camera = Camera.centred(60, 40, 60.0)
    depth = np.full((40, 60), 3, np.float32)
    depth[8:32, 20:24], depth[5] = 1, 1  # a pole and a cable
    image = np.where(depth[..., None] == 1, np.uint8(200), np.uint8(60)) * np.ones(3, np.uint8)
    away = np.eye(4)
    away[0, 3] = -0.05
    seen = render_view(make_model(Scene(image, depth, camera, second=SecondView(image, camera, away))), camera)
    inside = np.s_[1:-1, 1:-1]
    assert np.allclose(seen.depth_m[inside], depth[inside], rtol=1e-3)
    assert np.array_equal(seen.image[inside] > 130, image[inside] > 130)
