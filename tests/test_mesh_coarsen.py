"""Coarser triangles over a depth map against the ones at every pixel."""

from __future__ import annotations

import numpy as np
import pytest

from depthapps.mesh.coarsen import BLOCK_PX, coarse_triangles
from depthapps.surface.raster import draw_largest
from depthapps.surface.tearing import Quads, grid_quads, surface_links

HEIGHT, WIDTH = 100, 150  # no multiples of a block


def bumpy() -> np.ndarray:
    """1/Z (H, W) of a rolling surface with a step, a hole and a pixel that flies."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    inverse = 0.4 + 0.05 * np.sin(x / 23) * np.cos(y / 17) + 0.001 * x
    inverse[30:60, 40:90] += 0.5
    inverse[70:75, 100:110] = np.nan
    inverse[20, 20] = 3.0
    return inverse.astype(np.float32)


def quads_of(inverse: np.ndarray) -> Quads:
    return grid_quads(1 / inverse, surface_links(1 / inverse))


def drawn(inverse: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    y, x = np.divmod(np.arange(inverse.size), inverse.shape[1])
    found = draw_largest(np.column_stack([x, y, inverse.ravel()]), triangles, (inverse.shape[0], inverse.shape[1]))
    return np.where(np.isfinite(found), found, np.nan)


def twice_areas(triangles: np.ndarray) -> np.ndarray:
    y, x = np.divmod(triangles.astype(int), WIDTH)
    return (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])


def test_a_plane_needs_two_triangles_a_block():
    y, x = np.mgrid[: 3 * BLOCK_PX + 1, : 4 * BLOCK_PX + 1]
    inverse = (0.5 + x / 1024 + y / 2048).astype(np.float32)  # exact in float32
    triangles = coarse_triangles(inverse, quads_of(inverse), error=1e-6)
    assert len(triangles) == 2 * 3 * 4


@pytest.mark.parametrize("error", [1e-4, 1e-3, 1e-2, 0.5])
def test_the_error_stays_below_its_bound(error):
    inverse = bumpy()
    quads = quads_of(inverse)
    triangles = coarse_triangles(inverse, quads, error=error)
    before, after = drawn(inverse, quads.triangles()), drawn(inverse, triangles)
    assert np.array_equal(np.isfinite(before), np.isfinite(after))
    assert np.nanmax(np.abs(after / before - 1)) < error
    assert len(triangles) < len(quads.triangles())


@pytest.mark.parametrize("error", [1e-3, 0.1])
def test_it_has_no_cracks_and_keeps_tears_where_they_were(error):
    inverse = bumpy()
    quads = quads_of(inverse)
    triangles = coarse_triangles(inverse, quads, error=error)
    areas = twice_areas(triangles)
    assert (areas < 0).all()  # none is turned over; anticlockwise where Y points down
    assert areas.sum() == twice_areas(quads.triangles()).sum()
    # a crack is an edge with one triangle that does not lie on a border of the whole surface
    edges = np.sort(np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    assert count.max() == 2
    y, x = np.divmod(unique[count == 1], WIDTH)
    long = np.abs(np.diff(x)) + np.abs(np.diff(y)) > 2
    assert (((x == 0).all(axis=1) | (y == 0).all(axis=1))[long[:, 0]]).all()  # the picture's own border


def test_without_room_for_an_error_the_quads_come_back():
    noisy = bumpy() * (1 + 1e-3 * np.random.default_rng(0).standard_normal((HEIGHT, WIDTH)).astype(np.float32))
    quads = quads_of(noisy)
    triangles = coarse_triangles(noisy, quads, error=0)
    assert set(map(tuple, np.sort(triangles, axis=1))) == set(map(tuple, np.sort(quads.triangles(), axis=1)))


@pytest.mark.parametrize("size", [(4, 4), (HEIGHT, WIDTH)])
def test_torn_all_over_nothing_is_merged_whatever_the_limit(size):
    """Every vertex must stay, so that there is none whose error could set the limit."""
    inverse = np.where(np.indices(size).sum(axis=0) % 2, 1, 0.3).astype(np.float32)
    inverse[::4, 1::4] = 0.3
    quads = quads_of(inverse)
    assert len(quads.triangles())
    for vertices in (None, 10):
        triangles = coarse_triangles(inverse, quads, vertices=vertices)
        assert set(map(tuple, np.sort(triangles, axis=1))) == set(map(tuple, np.sort(quads.triangles(), axis=1)))


@pytest.mark.parametrize("vertices", [500, 2000, 5000])
def test_so_many_vertices_are_left_beside_those_of_borders(vertices):
    inverse = bumpy()
    quads = quads_of(inverse)
    fewest = len(coarse_triangles(inverse, quads, vertices=0))
    assert len(coarse_triangles(inverse, quads, vertices=vertices)) == pytest.approx(fewest + 2 * vertices, rel=0.15)
