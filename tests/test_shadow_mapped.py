"""Shadows from maps, against rays through the same triangles and against many rays."""

from __future__ import annotations

import numpy as np
import pytest

from depthapps import Camera, DirectionalLight, PointLight, Scene
from depthapps.core.geometry import ray_directions
from depthapps.runtime.open3d import import_open3d
from depthapps.shadow.light_view import occluders
from depthapps.shadow.lights import light_vector
from depthapps.shadow.mapped import Mapper
from depthapps.shadow.solid import LitSolid, build_lit_solid
from depthapps.shadow.tracing import Tracer

CAMERA = Camera.centred(480, 360, 420.0)
LIGHTS = [
    DirectionalLight((0.5, 0.6, 0.6)),
    DirectionalLight((-0.9, 0.5, 0.1)),
    PointLight((-0.8, -0.9, 1.5)),
    PointLight((0.1, -0.3, 2.1)),  # between the things, which lie all around it
]


@pytest.fixture(scope="module")
def solid() -> LitSolid:
    """A ball, a post and a card on a floor before a wall."""
    rays = ray_directions(CAMERA)
    x, y, _ = np.moveaxis(rays, -1, 0)
    depth = np.minimum(np.full(x.shape, 3.0), np.where(y > 0, 0.6 / np.maximum(y, 1e-6), np.inf))
    centre, radius = np.array([-0.3, 0.3, 2.2]), 0.3
    a, b, c = (rays**2).sum(axis=-1), rays @ centre, centre @ centre - radius**2
    depth = np.minimum(depth, np.where(b * b > a * c, (b - np.sqrt(np.maximum(b * b - a * c, 0))) / a, np.inf))
    for z, left, right, top, bottom in ((1.9, 0.35, 0.41, -0.3, 0.6), (2.4, 0.6, 0.9, -0.1, 0.3)):
        inside = (x * z > left) & (x * z < right) & (y * z > top) & (y * z < bottom)
        depth = np.where(inside, np.minimum(depth, z), depth)
    return build_lit_solid(Scene(np.full((360, 480, 3), 128, np.uint8), depth.astype(np.float32), CAMERA))


def seen_by_embree(solid: LitSolid, light) -> np.ndarray:
    """Whether the straight way to the light meets none of the triangles that the map is drawn from."""
    o3d = import_open3d()
    vertices, triangles = occluders(solid)
    caster = o3d.t.geometry.RaycastingScene()
    caster.add_triangles(o3d.core.Tensor(vertices), o3d.core.Tensor(triangles.astype(np.uint32)))
    start = (solid.points + solid.offset_m[..., None] * solid.normals).reshape(-1, 3)
    vector, at_infinity = light_vector(light)
    place = np.asarray(vector, np.float32)
    way = np.broadcast_to(place, start.shape) if at_infinity else place - start
    rays = o3d.core.Tensor(np.concatenate([start, way], axis=1).astype(np.float32))
    hidden = caster.test_occlusions(rays, 0.0, float("inf") if at_infinity else 1.0).numpy()
    facing = (way * solid.normals.reshape(-1, 3)).sum(axis=1) > 0
    return (~hidden & facing).reshape(solid.front.shape)


@pytest.mark.parametrize("light", LIGHTS, ids=["sun", "low sun", "lamp", "lamp among things"])
def test_a_map_shows_what_rays_through_its_triangles_find(solid, light):
    mapped, traced = Mapper(solid).visibility(light) < 0.5, ~seen_by_embree(solid, light)
    assert 0.02 < traced.mean() < 0.8
    assert (mapped & traced).sum() / (mapped | traced).sum() >= 0.98


@pytest.mark.parametrize(
    "light",
    [DirectionalLight((0.5, 0.6, 0.6), 5), DirectionalLight((-0.9, 0.5, 0.1), 2), PointLight((-0.8, -0.9, 1.5), 0.2)],
    ids=["sun", "low sun", "lamp"],
)
def test_soft_shadows_agree_with_256_rays(solid, light):
    tracer = Tracer(solid)
    many = tracer.visibility(light, 256).seen
    assert ((many > 0.1) & (many < 0.9)).mean() > 0.005
    assert np.abs(tracer.visibility(light, 48).seen - many).mean() <= 0.01
    assert np.abs(Mapper(solid).visibility(light) - many).mean() <= 0.02


def test_infinity_is_lit_and_casts_nothing():
    depth = np.full((60, 80), np.inf, np.float32)
    depth[40:] = 2
    sky = build_lit_solid(Scene(np.zeros((60, 80, 3), np.uint8), depth, Camera.centred(80, 60, 70.0)))
    seen = Mapper(sky).visibility(DirectionalLight((0, 0.3, 1)))
    assert (seen == 1).all()
