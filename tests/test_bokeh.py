"""The renderer by the invariants of a lens, and against a slow plain loop."""

from __future__ import annotations

import math
import tracemalloc

import cv2
import numpy as np
import pytest

from depthapps import BokehParams, Camera, InputError, Quality, Scene, refocus
from depthapps.bokeh.focus import find_focus
from depthapps.bokeh.lens import signed_coc
from depthapps.bokeh.render import scatter
from depthapps.bokeh.sweep import focus_pull
from depthapps.core.color import to_linear


def coc_of(scene: Scene, params: BokehParams) -> np.ndarray:
    """The circles of confusion of a lens that is focused as its parameters say."""
    return signed_coc(scene, params, find_focus(scene, params).depth_m)


@pytest.fixture
def picture():
    return np.random.default_rng(0).random((70, 90, 3)).astype(np.float32)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_nothing_out_of_focus_comes_back_bit_for_bit(dtype):
    rng = np.random.default_rng(1)
    high = 1 if dtype is np.float32 else np.iinfo(dtype).max
    image = (rng.random((40, 50, 3)) * high).astype(dtype)
    scene = Scene(image, np.full((40, 50), 2, np.float32), Camera.centred(50, 40, 60))
    out = refocus(scene, BokehParams(f_number=1.4, focus_depth_m=2)).image
    assert out.dtype == image.dtype
    assert np.array_equal(out, image)


def test_sharp_pixels_stay_bit_for_bit_beside_blurred_ones(picture):
    coc = np.zeros((70, 90), np.float32)
    coc[:, 60:] = -6
    assert np.array_equal(scatter(picture, coc)[:, :50], picture[:, :50])


@pytest.mark.parametrize("radius", [0.6, 1.0, 2.5, 7.3, -7.3])
def test_energy_is_kept(radius):
    image = np.zeros((81, 91, 3), np.float32)
    image[30:50, 35:55] = np.random.default_rng(2).random((20, 20, 3))
    out = scatter(image, np.full((81, 91), radius, np.float32))
    assert out.sum() == pytest.approx(image.sum(), rel=1e-3)


@pytest.mark.parametrize("radius", [1.0, 3.4, 8.0, 12.7])
def test_a_point_becomes_a_disc_of_the_right_size_and_place(radius):
    image = np.zeros((64, 64, 3), np.float32)
    image[30, 33] = 100
    disc = scatter(image, np.full((64, 64), radius, np.float32))[..., 1].astype(float)
    y, x = np.mgrid[:64, :64]
    assert (disc * x).sum() / disc.sum() == pytest.approx(33, abs=0.05)
    assert (disc * y).sum() / disc.sum() == pytest.approx(30, abs=0.05)
    assert math.sqrt(disc.sum() / disc.max() / math.pi) == pytest.approx(radius, abs=0.25)
    variance = (disc * ((x - 33) ** 2 + (y - 30) ** 2)).sum() / disc.sum()
    assert math.sqrt(2 * variance) == pytest.approx(radius, abs=0.25)


def test_a_constant_picture_stays_constant():
    rng = np.random.default_rng(3)
    coc = np.asarray(cv2.GaussianBlur(rng.normal(0, 60, (60, 80)), (0, 0), 6), np.float32)
    assert np.abs(coc).max() > 3
    out = scatter(np.full((60, 80, 3), 0.37, np.float32), coc)
    assert np.allclose(out, 0.37, atol=1e-5)


def test_the_result_does_not_depend_on_the_number_of_threads(picture):
    coc = np.linspace(-9, 9, 90, dtype=np.float32)[None].repeat(70, axis=0)
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        one = scatter(picture, coc)
        cv2.setNumThreads(4)
        four = scatter(picture, coc)
    finally:
        cv2.setNumThreads(before)
    assert np.array_equal(one, four)


def test_one_layer_agrees_with_discs_painted_one_by_one(picture):
    """Oracle: each disc by supersampling, 33x33 a pixel; all pixels behind the focus."""
    image, radius = picture[:24, :30], 3.0 + np.random.default_rng(4).random((24, 30)).astype(np.float32)
    total, weight = np.zeros((24, 30, 3)), np.zeros((24, 30))
    fine = (np.arange(33) + 0.5) / 33 - 0.5
    offsets = np.arange(-5, 6)
    gy, gx = np.meshgrid((offsets[:, None] + fine).ravel(), (offsets[:, None] + fine).ravel(), indexing="ij")
    for sy in range(24):
        for sx in range(30):
            r = np.rint(radius[sy, sx] * 32) / 32
            inside = (gx**2 + gy**2 <= r * r).reshape(11, 33, 11, 33).mean(axis=(1, 3)) / (math.pi * r * r)
            for j, dy in enumerate(offsets):
                for i, dx in enumerate(offsets):
                    y, x = sy + dy, sx + dx
                    if 0 <= y < 24 and 0 <= x < 30:
                        total[y, x] += inside[j, i] * image[sy, sx]
                        weight[y, x] += inside[j, i]
    assert np.abs(scatter(image, -radius) - total / weight[..., None]).max() < 0.03


def test_a_blurred_background_does_not_spill_over_what_is_sharp():
    image = np.ones((60, 60, 3), np.float32)  # a white wall behind ...
    image[20:40, 20:40] = 0.1  # ... a dark square in focus
    coc = np.full((60, 60), -8, np.float32)
    coc[20:40, 20:40] = 0
    out = scatter(image, coc)
    assert np.abs(out[20:40, 20:40] - 0.1).max() < 1e-5
    assert np.abs(out[image[..., 0] == 1] - 1).max() < 1e-5  # nor does the square darken the wall


def test_a_blurred_foreground_lets_the_background_through():
    image = np.zeros((80, 80, 3), np.float32)
    image[:, 40:] = 1
    coc = np.where(np.arange(80) < 40, 8, 0).astype(np.float32)[None].repeat(80, axis=0)  # dark and near on the left
    row = scatter(image, coc)[40, :, 0]
    assert (np.diff(row[30:60]) >= -1e-6).all()  # monotonous: no halo, no fringe
    assert 0.3 < row[40] < 0.7
    assert row[28] < 0.05
    assert row[52] > 0.95


def test_the_circle_of_confusion_follows_the_lens(step_scene):
    params = BokehParams(f_number=2.0, focal_length_mm=50, sensor_width_mm=36, focus_depth_m=3.0)
    coc, focus = coc_of(step_scene, params), find_focus(step_scene, params).depth_m
    f_px, aperture = 50 / 36 * 120, 0.05 / 4
    assert focus == 3.0
    assert coc[40, 50] == pytest.approx(f_px * aperture * (1 / 1 - 1 / 3))
    assert coc[5, 5] == pytest.approx(0, abs=1e-6)


def test_the_blur_is_as_strong_as_asked(step_scene):
    coc = coc_of(step_scene, BokehParams(blur_px=9, focus_px=(5, 5)))
    assert np.abs(coc).max() == pytest.approx(9)
    assert coc[5, 5] == 0
    default = coc_of(step_scene, BokehParams(focus_px=(5, 5)))
    assert np.abs(default).max() == pytest.approx(0.015 * 120)


def test_focus_is_taken_from_the_point(step_scene):
    assert find_focus(step_scene, BokehParams(focus_px=(60, 45))).depth_m == 1
    assert find_focus(step_scene, BokehParams(focus_px=(5, 5))).depth_m == 3
    assert find_focus(step_scene, BokehParams()).depth_m == 1  # the middle of the picture


def test_unknown_and_infinite_depth_is_background(step_scene):
    depth = step_scene.depth_m.copy()
    depth[0:5] = np.inf
    depth[50, 70:90] = np.nan
    coc = coc_of(Scene(step_scene.image, depth, step_scene.camera), BokehParams(f_number=2, focus_depth_m=1))
    assert np.isfinite(coc).all()
    assert coc[2, 5] < coc[20, 5] < 0
    assert coc[50, 72] == coc[50, 95]


def test_a_strip_takes_little_memory_however_wide_its_discs():
    image = np.random.default_rng(0).random((1, 1500, 3), np.float32)
    tracemalloc.start()
    try:
        out = scatter(image, np.full((1, 1500), 1500, np.float32))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.isfinite(out).all()
    assert peak < 50e6  # the rows of such discs that it does not show took 2 GB


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"f_number": 2, "blur_px": 3}, "both a lens and a blur"),
        ({"focus_depth_m": 2, "focus_px": (1, 1)}, "two focuses"),
        ({"f_number": 0}, "f-number is 0"),
        ({"focus_depth_m": -1}, "focus depth is -1"),
        ({"blur_px": -2}, "blur is -2"),
        ({"blur_px": 1e300}, "blur is 1e.300"),
        ({"f_number": 1e-300}, "f-number is 1e-300"),
        ({"focal_length_mm": 1e300}, "focal length is 1e.300"),
        ({"sensor_width_mm": 1e-320}, "sensor width is"),
        ({"focus_depth_m": 1e-40}, "focus depth is 1e-40"),
        ({"rotation_deg": math.nan}, "rotation is nan"),
        ({"rotation_deg": math.inf}, "rotation is inf"),
        ({"rotation_deg": 20}, "turns the blades"),
    ],
)
def test_contradictions_are_refused(params, message):
    with pytest.raises(InputError, match=message):
        BokehParams(**params)


def test_numbers_that_lenses_have_are_taken(step_scene):
    for lens in (
        BokehParams(f_number=0.7, focal_length_mm=1200, sensor_width_mm=54, focus_depth_m=1000),
        BokehParams(f_number=256, focal_length_mm=1.5, sensor_width_mm=3, focus_depth_m=0.01),
        BokehParams(blur_px=2000, blades=6, rotation_deg=-720),
    ):
        assert lens.rotation_deg in (0, -720)


def test_a_pull_of_focus_finds_its_lens_at_any_scale(step_scene):
    far = Scene(step_scene.image, step_scene.depth_m * np.float32(1e7), step_scene.camera)
    lens = BokehParams(blur_px=40, focal_length_mm=1.5)
    frames = list(focus_pull(far, lens, (1e7, 1.4e7), 2, Quality.FAST))
    assert len(frames) == 2


def test_the_strongest_lens_and_the_nearest_focus_that_are_taken_give_finite_blur(step_scene):
    for focus_m in (1e-6, 1e9):
        lens = BokehParams(f_number=1e-9, focal_length_mm=1e6, sensor_width_mm=1e-3, focus_depth_m=focus_m)
        assert np.isfinite(coc_of(step_scene, lens)).all()


@pytest.mark.parametrize(("point", "message"), [((500, 2), "outside"), ((-1, 2), "outside"), ((3, 3), "unknown")])
def test_a_focus_without_depth_is_refused(step_scene, point, message):
    depth = step_scene.depth_m.copy()
    depth[:10, :10] = np.nan
    with pytest.raises(InputError, match=message):
        refocus(Scene(step_scene.image, depth, step_scene.camera), BokehParams(focus_px=point))


def test_light_adds_up_in_linear_light():
    image = np.zeros((41, 41, 3), np.uint8)
    image[:, 20:] = 255
    scene = Scene(image, np.full((41, 41), 1, np.float32), Camera.centred(41, 41, 40))
    out = refocus(scene, BokehParams(f_number=1, focus_depth_m=1.5)).image
    assert to_linear(out)[20, 19:21].mean() == pytest.approx(0.5, abs=0.02)  # 188 in sRGB, not 128
