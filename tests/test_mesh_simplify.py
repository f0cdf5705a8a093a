"""Simplified surfaces against the ones they came from."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps import Camera, InputError, Scene, SimplifyParams
from depthapps.core.models import border_edges
from depthapps.mesh.cut import cut_surface
from depthapps.mesh.simplify import Collapser, simplify_surface
from depthapps.surface.raster import draw_largest

HEIGHT, WIDTH = 150, 200


def scene(depth) -> Scene:
    height, width = depth.shape
    return Scene(np.zeros((height, width, 3), np.uint8), depth.astype(np.float32), Camera.centred(width, height, 150))


@pytest.fixture
def room():
    """A slanted wall with a sphere before it."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    depth = 1 / (0.3 + 0.0005 * x)
    r2 = ((x - 100) ** 2 + (y - 70) ** 2) / 40.0**2
    return scene(np.where(r2 < 1, 1.5 - 0.3 * np.sqrt(np.maximum(1 - r2, 0)), depth))


def edges(triangles):
    ordered = np.sort(np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    return np.unique(ordered, axis=0, return_counts=True)


def test_a_plane_needs_next_to_no_triangles():
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    surface = cut_surface(scene(1 / (0.2 + 0.001 * x + 0.0007 * y)))
    triangles, loss = simplify_surface(surface, SimplifyParams(max_triangles=50))
    assert len(triangles) <= 50
    assert loss.largest < 1e-5
    assert loss.lost == 0


def test_the_error_that_is_told_is_the_error_there_is(room):
    surface = cut_surface(room)
    triangles, loss = simplify_surface(surface, SimplifyParams(max_triangles=1000))
    assert len(triangles) <= 1000
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    inverse = 1 / surface.depth_m
    drawn = draw_largest(np.stack([x, y, inverse], axis=-1).reshape(-1, 3), triangles, (HEIGHT, WIDTH))
    off_edges = cv2.dilate(np.abs(cv2.Laplacian(inverse, cv2.CV_32F)), np.ones((7, 7))) < 0.1
    error = np.abs(inverse / drawn - 1)[off_edges & np.isfinite(drawn)]
    assert np.sqrt(np.mean(error**2)) == pytest.approx(loss.rms, rel=0.2)
    assert loss.rms < 5e-4
    assert loss.lost < 0.002


def test_silhouettes_stay(room):
    surface = cut_surface(room)
    triangles, _ = simplify_surface(surface, SimplifyParams(max_triangles=1500))
    near = surface.depth_m.ravel()[triangles].max(axis=1) < 2
    assert (surface.depth_m.ravel()[triangles[near]] < 2).all()  # nothing bridges
    whole = surface.triangles[surface.depth_m.ravel()[surface.triangles].max(axis=1) < 2]
    y, x = np.divmod(np.arange(HEIGHT * WIDTH), WIDTH)
    areas = []
    for some in (whole, triangles[near]):
        drawn = draw_largest(np.column_stack([x, y, np.ones(x.size)]), some, (HEIGHT, WIDTH))
        areas.append(np.isfinite(drawn).sum())
    assert areas[1] == pytest.approx(areas[0], rel=0.02)


def test_the_largest_error_allowed_is_kept(room):
    surface = cut_surface(room)
    fine = simplify_surface(surface, SimplifyParams(max_error_pct=0.05))
    coarse = simplify_surface(surface, SimplifyParams(max_error_pct=0.5))
    assert fine[1].largest <= 0.0005
    assert coarse[1].largest <= 0.005
    assert len(coarse[0]) < len(fine[0]) < len(surface.triangles)


def test_the_surface_stays_a_surface(room):
    surface = cut_surface(room)
    triangles, _ = simplify_surface(surface, SimplifyParams(max_triangles=400))
    assert edges(triangles)[1].max() <= 2
    assert len(np.unique(np.sort(triangles, axis=1), axis=0)) == len(triangles)
    y, x = np.divmod(triangles, WIDTH)
    twice = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    assert (twice < 0).all()  # none is turned over; anticlockwise where Y points down


def test_a_closed_body_stays_closed():
    import trimesh

    ball = trimesh.creation.icosphere(subdivisions=4)
    points = np.asarray(ball.vertices)
    collapser = Collapser(points, np.asarray(ball.faces, np.int32), 1.0)
    while collapser.step(500):
        pass
    assert collapser.count == len(collapser.triangles) == 500
    small = trimesh.Trimesh(points, collapser.triangles)
    assert small.is_watertight
    assert small.volume == pytest.approx(ball.volume, rel=0.04)
    assert not len(border_edges(collapser.triangles, len(points)))


def test_holes_of_three_edges_close_so_that_a_ragged_surface_gets_as_small_as_asked():
    import trimesh

    ball = trimesh.creation.icosphere(subdivisions=4)
    points, faces = np.asarray(ball.vertices), np.asarray(ball.faces, np.int32)
    free, holes = np.ones(len(points), bool), np.zeros(len(faces), bool)
    for k in np.random.default_rng(0).permutation(len(faces)):
        if free[faces[k]].all():
            holes[k], free[faces[k]] = True, False
    assert holes.sum() > 500
    collapser = Collapser(points, faces[~holes], 1.0)
    assert len(collapser.collapse_to(200)) <= 200
    _, count = edges(collapser.triangles)
    assert count.max() == 2
    assert (count == 1).mean() < 0.1


def test_results_do_not_depend_on_the_number_of_threads(room):
    surface = cut_surface(room)
    threads = cv2.getNumThreads()
    try:
        found = []
        for count in (1, 3):
            cv2.setNumThreads(count)
            found.append(simplify_surface(surface, SimplifyParams(max_triangles=2000))[0])
    finally:
        cv2.setNumThreads(threads)
    assert np.array_equal(*found)


@pytest.mark.parametrize("bad", [{"max_triangles": 3}, {"max_error_pct": 0.0}, {"max_error_pct": 100.0}])
def test_limits_that_leave_nothing_are_refused(bad):
    with pytest.raises(InputError):
        SimplifyParams(**bad)
