"""The subject of made-up scenes: what stands in front is found, and ground and walls are not taken for it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps import BokehParams, Camera, Focus, Scene
from depthapps.bokeh.focus import find_focus
from depthapps.bokeh.subject import find_subject

Y, X = np.mgrid[:300, :400]
WALL = np.full(X.shape, 5.0)
FLOOR = np.where(Y > 120, 180 / np.maximum(Y - 119.9, 0.1), 50.0)  # with the horizon at row 120
TABLE = np.where((Y > 150) & (np.abs(X - 200) < 0.8 * (Y - 150) + 60), 160 / np.maximum(Y - 60.0, 1), 6.0)


def _texture(seed: int) -> np.ndarray:
    """A picture (300, 400, 3) uint8 of coarse squares and fine grain."""
    rng = np.random.default_rng(seed)
    squares = cv2.resize(
        rng.integers(0, 160, (25, 33, 3)).astype(np.uint8), (400, 300), interpolation=cv2.INTER_NEAREST
    )
    return (squares + rng.integers(0, 95, (300, 400, 3))).astype(np.uint8)


def _scene(depth: np.ndarray, image: np.ndarray | None = None, *, noise: float = 0.0, seed: int = 0) -> Scene:
    image = _texture(seed) if image is None else image
    noisy = depth * (1 + noise * np.random.default_rng(seed).standard_normal(depth.shape))
    return Scene(image, noisy.astype(np.float32), Camera.centred(400, 300, 400))


def _disc(x: float, y: float, radius: float) -> np.ndarray:
    return (X - x) ** 2 + (Y - y) ** 2 < radius**2


def _box(x: float, half: float, top: float, bottom: float) -> np.ndarray:
    return (np.abs(X - x) < half) & (top < Y) & (bottom > Y)


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_plain_thing_is_found_before_a_large_patterned_wall(noise):
    thing = _disc(230, 140, 40)
    image = _texture(1)
    image[thing] = (180, 60, 60)
    found = find_subject(_scene(np.where(thing, 1.5, WALL), image, noise=noise))
    assert found is not None
    assert np.hypot(found[0] - 230, found[1] - 140) < 10


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize(
    "ground",
    [FLOOR, np.minimum(180 / np.maximum(Y + 0.3 * X - 180, 1), 20), TABLE, 1 / (0.2 + X / 800 + Y / 1500), WALL],
    ids=["floor", "tilted floor", "table", "slanted wall", "flat wall"],
)
def test_ground_and_walls_are_no_subject(ground, noise):
    assert find_subject(_scene(ground, noise=noise)) is None


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("ground", [FLOOR, TABLE], ids=["floor", "table"])
@pytest.mark.parametrize("x", [160, 230])
def test_a_thing_on_the_ground_is_found(ground, noise, x):
    thing = _box(x, 32, 100, 205)
    found = find_subject(_scene(np.where(thing, ground[204, x], ground), noise=noise))
    assert found is not None
    assert thing[int(found[1]), int(found[0])]


def test_a_whole_thing_is_found_off_the_centre_if_nothing_is_there():
    thing = _box(50, 30, 80, 240)
    found = find_subject(_scene(np.where(thing, 180 / 120.1, FLOOR)))
    assert found is not None
    assert thing[int(found[1]), int(found[0])]


def test_a_portrait_is_found_though_the_border_cuts_it_and_what_is_nearer_in_the_corner_is_not():
    person = _disc(210, 100, 40) | _box(210, 90, 150, 300)
    depth = np.where(person, 1.5, WALL)
    depth[230:, :90] = 0.5
    found = find_subject(_scene(depth))
    assert found is not None
    assert person[int(found[1]), int(found[0])]


def test_the_nearer_of_two_things_is_the_subject_unless_it_is_blurred_or_small():
    left, right = _disc(130, 150, 45), _disc(280, 150, 45)
    depth = np.where(left, 1.0, np.where(right, 2.0, WALL))
    sharp = _texture(2)
    assert find_subject(_scene(depth, sharp)) == pytest.approx((130, 150), abs=8)
    soft = cv2.GaussianBlur(sharp, (0, 0), 8)
    cover = np.asarray(cv2.GaussianBlur(left.astype(np.float32), (0, 0), 6))[..., None]
    blurred = np.rint(cover * soft + (1 - cover) * sharp).astype(np.uint8)
    assert find_subject(_scene(depth, blurred)) == pytest.approx((280, 150), abs=8)
    small = np.where(_disc(130, 150, 14), 1.0, np.where(right, 2.0, WALL))
    assert find_subject(_scene(small)) == pytest.approx((280, 150), abs=8)


def test_the_subject_of_sparse_depth_is_where_depth_is_known():
    thing = _disc(200, 150, 45)
    depth = np.where(thing, 1.5, WALL)
    depth[np.random.default_rng(3).random(depth.shape) > 0.02] = np.nan
    scene = _scene(depth)
    found = find_subject(scene)
    assert found is not None
    assert thing[int(found[1]), int(found[0])]
    assert find_focus(scene, BokehParams(focus_px="auto")).depth_m == pytest.approx(1.5)


def test_without_a_subject_the_middle_is_in_focus():
    assert find_focus(_scene(WALL), BokehParams(focus_px="auto")) == Focus(5, (199.5, 149.5), stands_out=False)
