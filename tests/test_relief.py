"""Matched depth loses dents that neither the normals nor the picture show, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from depthapps import Camera, Scene
from depthapps.core.geometry import depth_from_inverse, ray_directions
from depthapps.shadow import solid
from depthapps.surface.normals import surface_normals
from depthapps.surface.relief import without_dents
from depthapps.surface.tearing import surface_links

HEIGHT, WIDTH = 160, 600
CAMERA = Camera(WIDTH, HEIGHT, 520, 410, 290, 85)
Y, X = np.indices((HEIGHT, WIDTH)).astype(np.float32)
PLANE = 0.5 + 1e-4 * X - 3e-4 * Y  # 1/Z
ROUND = PLANE + 0.1 * np.sqrt(1 - ((X - 300) / 400) ** 2)
DENT = 0.004 * np.exp(-((X - 300) ** 2 + (Y - 80) ** 2) / (2 * 2.5**2)).astype(np.float32)
GREY = np.full((HEIGHT, WIDTH, 3), 150, np.uint8)
NOWHERE = np.zeros((HEIGHT, WIDTH), bool)


def normals(inverse: np.ndarray) -> np.ndarray:
    depth = depth_from_inverse(inverse)
    return surface_normals(depth, CAMERA, surface_links(depth))


def settled(inverse, true, image=GREY, firm=NOWHERE, noise=1.0):
    """What becomes of 1/Z with the normals of the true one."""
    links = surface_links(depth_from_inverse(inverse), 0.002)  # a dent is no tear
    return without_dents(inverse.astype(np.float32), noise, links, normals(true), firm, image, CAMERA)


def test_a_dent_goes_that_neither_normals_nor_picture_show():
    found = settled(PLANE + DENT, PLANE)
    assert np.abs(found - PLANE).max() < 0.2 * DENT.max()
    assert np.abs(found - PLANE)[DENT < 1e-7].max() < 0.1 * DENT.max()


def test_a_surface_that_agrees_with_its_normals_stays():
    for shape in (PLANE, ROUND):
        np.testing.assert_allclose(settled(shape, shape), shape, rtol=2e-5)


def test_a_dent_that_the_normals_show_stays():
    np.testing.assert_allclose(settled(PLANE + DENT, PLANE + DENT)[DENT > 1e-4], (PLANE + DENT)[DENT > 1e-4], rtol=1e-3)


def test_a_dent_stays_for_the_most_part_where_the_picture_has_something_or_depth_is_believed():
    image = GREY.copy()
    image[76:85, 296:305] = 230
    for found in (settled(PLANE + DENT, PLANE, image=image), settled(PLANE + DENT, PLANE, firm=~NOWHERE)):
        assert 0.3 < (found - PLANE)[80, 300] / DENT.max() < 1
    blue = GREY.copy()
    blue[76:85, 296:305, 2] = 230
    beside = GREY.copy()
    beside[70:91, 288:291] = 230  # of the dent
    for image in (blue, beside):  # what is near to a line of the picture is not plain
        assert (settled(PLANE + DENT, PLANE, image=image) - PLANE).max() > 0.5 * DENT.max()
    smooth = np.repeat((60 + 0.25 * X)[..., None], 3, axis=2).astype(np.uint8)  # light that falls off
    assert (settled(PLANE + DENT, PLANE, image=smooth) - PLANE).max() < 0.2 * DENT.max()


def test_a_depth_edge_stays_where_it_is():
    step = np.where(X < 100, PLANE, PLANE + 0.3)
    found = settled(step, step)
    np.testing.assert_allclose(found, step, rtol=1e-4)
    assert (found[:, 99:101] == step[:, 99:101].astype(np.float32)).all()


def test_nothing_moves_by_more_than_the_noise():
    found = settled(PLANE + DENT, ROUND, noise=0.001)
    assert 0.0009 < np.abs(found - PLANE - DENT).max() < 0.0011


def test_what_is_infinitely_far_or_grazing_stays():
    inverse = np.where(Y < 40, 0, PLANE).astype(np.float32)
    grazing = normals(PLANE)
    rays = ray_directions(CAMERA)
    across = np.cross(rays, (0, 1, 0))
    grazing[100:110] = (across / np.linalg.norm(across, axis=2, keepdims=True) - 0.05 * rays)[100:110]
    links = surface_links(depth_from_inverse(inverse))
    found = without_dents(inverse, 1.0, links, grazing, NOWHERE, GREY, CAMERA)
    assert (found[:40] == 0).all()
    assert (found[100:110] == inverse[100:110]).all()
    np.testing.assert_allclose(found, inverse, rtol=1e-4)  # nor do these pull at what is beside them
    assert np.isfinite(found).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2), (3, 3)])
def test_small_pictures(shape):
    inverse = np.full(shape, 0.5, np.float32)
    facing = np.tile(np.array([0, 0, -1], np.float32), (*shape, 1))
    links = surface_links(depth_from_inverse(inverse))
    camera = Camera(shape[1], shape[0], 50, 50, 0, 0)
    image = np.zeros((*shape, 3), np.uint8)
    np.testing.assert_allclose(
        without_dents(inverse, 1.0, links, facing, np.zeros(shape, bool), image, camera), inverse
    )


def test_the_result_does_not_depend_on_the_number_of_threads():
    found = []
    for threads in (1, 2):
        before = cv2.getNumThreads()
        cv2.setNumThreads(threads)
        try:
            found.append(settled(PLANE + DENT, PLANE))
        finally:
            cv2.setNumThreads(before)
    assert (found[0] == found[1]).all()


def test_only_matched_depth_loses_dents():
    """Depth with a confidence is matched; of depth from elsewhere, it is not known which dents are mistakes."""
    noise = np.random.default_rng(0).normal(0, 1e-3, PLANE.shape)
    depth = depth_from_inverse((ROUND + DENT + noise).astype(np.float32))
    given = Scene(GREY, depth, CAMERA)
    matched = replace(given, confidence=np.ones(depth.shape, np.float32))
    one, other = (solid.build_lit_solid(scene).front for scene in (given, matched))
    assert np.abs(one - other).max() > 1e-5


def test_points_lie_where_the_solid_does_and_flat_faces_stay(monkeypatch):
    asked = {}

    def moved(inverse, noise, links, normals, firm, image, camera):
        asked.update(normals=normals, firm=firm, noise=noise)
        return 1.01 * inverse

    monkeypatch.setattr(solid, "without_dents", moved)
    noise = np.random.default_rng(0).normal(0, 1e-3, PLANE.shape)
    half = np.where(X < 300, PLANE, ROUND) + noise
    scene = Scene(GREY, depth_from_inverse(half.astype(np.float32)), CAMERA, confidence=np.ones(X.shape, np.float32))
    built = solid.build_lit_solid(scene)
    np.testing.assert_allclose(1 / built.points[..., 2], built.front, rtol=1e-5)
    assert np.abs(built.front / PLANE - 1.01)[20:-20, 20:200].max() < 0.003
    assert asked["firm"][:, 20:200].all()
    assert asked["noise"] > 0
    assert (asked["normals"] == built.normals).all()  # those that are lit, guided by the picture
