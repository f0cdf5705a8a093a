"""Shadows of a square before a wall, whose outlines are known by construction."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from depthapps.color import to_linear
from depthapps.errors import InputError
from depthapps.scene import Camera, Scene
from depthapps.shadow.light_view import trace_shadow_map
from depthapps.shadow.params import DirectionalLight, PointLight, RelightParams
from depthapps.shadow.relight import relight
from depthapps.shadow.tracing import build_surface, trace_visibility

NEAR, FAR = 1.0, 1.5
CAMERA = Camera.centred(240, 180, 220.0)


@pytest.fixture(scope="module")
def scene() -> Scene:
    """A square card 1 m away before a wall 1.5 m away."""
    depth = np.full((180, 240), FAR, np.float32)
    depth[70:110, 100:140] = NEAR
    return Scene(np.full((180, 240, 3), 128, np.uint8), depth, CAMERA)


@pytest.fixture(scope="module")
def surface(scene):
    return build_surface(scene)


def true_shadow(scene: Scene, ways_to_light) -> np.ndarray:
    """Whether the straight way from each wall pixel to the light passes through the card."""
    v, u = np.mgrid[:180, :240].astype(float)
    wall = np.stack([(u - CAMERA.cx) / CAMERA.fx * FAR, (v - CAMERA.cy) / CAMERA.fy * FAR, np.full(u.shape, FAR)], -1)
    way = ways_to_light(wall)
    step = (NEAR - FAR) / way[..., 2]
    at = wall + step[..., None] * way
    x, y = at[..., 0] / NEAR * CAMERA.fx + CAMERA.cx, at[..., 1] / NEAR * CAMERA.fy + CAMERA.cy
    hit = (step > 0) & (x > 100) & (x < 139) & (y > 70) & (y < 109)
    return hit & (scene.depth_m == FAR)


def overlap(a, b) -> float:
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize("direction", [(0.5, 0.2, 1), (-0.4, 0.5, 1), (0.02, 0.8, 1)])
def test_a_sun_casts_the_shadow_of_the_card_and_no_other(scene, surface, direction):
    visible = trace_visibility(surface, DirectionalLight(direction), 16)
    expected = true_shadow(scene, lambda points: np.broadcast_to(-np.asarray(direction, float), points.shape))
    assert overlap(visible < 0.5, expected) > 0.9  # a line of pixels around it is 7 %
    assert set(np.unique(visible)) == {0, 1}


@pytest.mark.parametrize("position", [(-0.5, -0.3, 0.2), (0.4, -0.6, 0.5)])
def test_a_lamp_casts_the_shadow_of_the_card_and_no_other(scene, surface, position):
    visible = trace_visibility(surface, PointLight(position), 16)
    assert (
        overlap(visible < 0.5, true_shadow(scene, lambda points: np.asarray(position) - points)) > 0.9
    )  # a line of pixels around it is 7 %


def test_a_wide_sun_gives_a_penumbra_of_the_right_width(surface):
    """Behind an edge h = 0.5 m before the wall, the penumbra of an angle a is h · tan(a) wide across the light."""
    angle = 5.0
    visible = trace_visibility(surface, DirectionalLight((0, -0.9, 1), angle), 100)
    column = visible[:, 120]
    rows = np.flatnonzero((column > 0.02) & (column < 0.98))
    rows = rows[rows < 24]  # the shadow runs from row 10 to row 37: the penumbra of its upper edge
    low, high = (math.atan(0.9) + s * math.radians(angle / 2) for s in (-1, 1))
    width_px = 0.5 * (math.tan(high) - math.tan(low)) / FAR * CAMERA.fy
    assert len(rows) == pytest.approx(width_px, rel=0.3)
    assert np.abs(np.diff(column[rows[0] : rows[-1]])).max() < 0.3


def test_a_large_lamp_softens_and_a_small_one_does_not(surface):
    hard = trace_visibility(surface, PointLight((-0.5, -0.3, 0.2)), 16)
    soft = trace_visibility(surface, PointLight((-0.5, -0.3, 0.2), size_m=0.3), 36)
    assert ((soft > 0.1) & (soft < 0.9)).mean() > 0.01
    assert soft.mean() == pytest.approx(hard.mean(), abs=0.02)


def test_what_turns_away_sees_nothing_and_what_is_infinite_sees_all(scene):
    depth = scene.depth_m.copy()
    depth[:20] = np.inf
    surface = build_surface(Scene(scene.image, depth, CAMERA))
    visible = trace_visibility(surface, DirectionalLight((0, 0, -1)), 16)  # from behind the wall
    assert (visible[:20] == 1).all()
    assert (visible[20:] == 0).all()


def test_holes_in_the_depth_are_taken_as_background(scene):
    depth = scene.depth_m.copy()
    depth[80:90, 135:150] = np.nan
    light = DirectionalLight((0.5, 0.2, 1))
    visible = trace_visibility(build_surface(Scene(scene.image, depth, CAMERA)), light, 16)
    assert np.isfinite(visible).all()


@pytest.mark.parametrize("light", [DirectionalLight((0.5, 0.3, 1)), PointLight((-0.5, -0.3, 0.2))], ids=["sun", "lamp"])
def test_the_matrices_lead_into_the_shadow_map(surface, light):
    view = trace_shadow_map(surface, light, 400)
    visible = trace_visibility(surface, light, 16)
    points = surface.points.reshape(-1, 3).astype(float)
    local = np.column_stack([points, np.ones(len(points))]) @ view.camera_to_light.T
    x, y, w = (local @ view.projection.T).T
    column, row = np.rint(x / w).astype(int), np.rint(y / w).astype(int)
    assert (column >= 0).all()
    assert (column < 400).all()
    assert (row >= 0).all()
    assert (row < 400).all()
    at = view.depth_m[row, column]
    lit = visible.ravel() == 1
    assert np.mean(np.abs(at[lit] - local[lit, 2]) < 0.02) > 0.97  # lit points are what the light sees first
    assert np.mean(local[~lit, 2] > at[~lit] + 0.1) > 0.9  # the others lie behind it
    assert np.allclose(view.camera_to_light[:3, :3] @ view.camera_to_light[:3, :3].T, np.eye(3), atol=1e-9)


def test_relighting_adds_up_in_linear_light(scene, surface):
    light = DirectionalLight((0, 0, 1))
    visible = trace_visibility(surface, light, 16)
    params = RelightParams(intensity=0.6, ambient=0.2, color=(1, 0.5, 0))
    lit = to_linear(relight(scene, surface, visible, light, params))[20, 20]
    assert lit == pytest.approx(to_linear(scene.image)[20, 20] * [0.8, 0.5, 0.2], rel=0.02)
    dark = relight(scene, surface, np.zeros_like(visible), light, params)
    assert to_linear(dark)[20, 20] == pytest.approx(to_linear(scene.image)[20, 20] * 0.2, rel=0.05)
    same = relight(scene, surface, visible, light, RelightParams(strength=0))
    assert np.array_equal(same, scene.image)


def test_a_lamp_fades_with_the_square_of_the_distance(scene, surface):
    light = PointLight((0, 0, 0.5))
    ones = np.ones(scene.depth_m.shape, np.float32)
    out = to_linear(relight(scene, surface, ones, light, RelightParams(intensity=0.2, ambient=0)))[..., 0]
    near, far = out[90, 120], out[90, 160]
    far_distance = math.hypot((160 - CAMERA.cx) / CAMERA.fx * FAR, FAR - 0.5, (90 - CAMERA.cy) / CAMERA.fy * FAR)
    expected = (far_distance / (NEAR - 0.5)) ** 2 * (far_distance / (FAR - 0.5))  # and with the cosine
    assert near / far == pytest.approx(expected, rel=0.06)


def test_a_sun_by_its_angles():
    assert DirectionalLight.from_angles(0, 0).direction == pytest.approx((0, 0, 1))  # from behind the camera
    assert DirectionalLight.from_angles(90, 0).direction == pytest.approx((-1, 0, 0), abs=1e-9)  # from its right
    assert DirectionalLight.from_angles(0, 90).direction == pytest.approx((0, 1, 0), abs=1e-9)  # from above


@pytest.mark.parametrize(
    "make",
    [
        lambda: DirectionalLight((0, 0, 0)),
        lambda: DirectionalLight((0, 0, 1), 180),
        lambda: PointLight((0, 0, 0), -1),
        lambda: RelightParams(intensity=-1),
        lambda: RelightParams(color=(1, -1, 1)),
        lambda: RelightParams(strength=2),
    ],
)
def test_impossible_lights_are_refused(make):
    with pytest.raises(InputError) as error:
        make()
    assert error.value.hint


def test_what_is_likely_wrong_casts_no_shadow(scene):
    sun = DirectionalLight((0.5, 0.2, 1))
    assert not trace_visibility(build_surface(scene), sun, 16).all()
    doubt = np.where(scene.depth_m == NEAR, 0.1, 1).astype(np.float32)
    assert trace_visibility(build_surface(replace(scene, confidence=doubt)), sun, 16).all()
