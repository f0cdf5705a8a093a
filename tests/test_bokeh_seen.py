"""The renderer that knows what hides what, its edges, and its lenses."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from depthapps import BokehParams, Camera, InputError, Quality, Scene, refocus
from depthapps.bokeh.edges import snap_edges
from depthapps.bokeh.focus import find_focus
from depthapps.bokeh.highlights import LAMP_POWER, give_grain, recover_highlights
from depthapps.bokeh.lens import signed_coc
from depthapps.bokeh.render import blur, scatter, scatter_filled, scatter_seen
from depthapps.bokeh.sweep import focus_pull
from depthapps.core.color import srgb_encode, to_linear
from depthapps.draw.focus import show_coc, show_focus


def coc_of(scene: Scene, params: BokehParams) -> np.ndarray:
    """The circles of confusion of a lens that is focused as its parameters say."""
    return signed_coc(scene, params, find_focus(scene, params).depth_m)


def _step(near: float, far: float) -> np.ndarray:
    """CoC of a near half plane on the left of a far one, the edge between columns 39 and 40."""
    return np.where(np.arange(80) < 40, near, far).astype(np.float32)[None].repeat(60, axis=0)


def _disc(**params) -> np.ndarray:
    image = np.zeros((61, 61, 3), np.float32)
    image[30, 30] = 1000
    lens = BokehParams(**params)
    return blur(image, np.full((61, 61), -12, np.float32), lens, Quality.FAST).astype(float)


@pytest.mark.parametrize("quality", list(Quality))
def test_nothing_out_of_focus_comes_back_bit_for_bit(quality, step_scene):
    flat = Scene(step_scene.image, np.full(step_scene.depth_m.shape, 2, np.float32), step_scene.camera)
    lens = BokehParams(f_number=1.4, focus_depth_m=2)
    assert np.array_equal(refocus(flat, lens, quality).image, flat.image)


@pytest.mark.parametrize("render", [scatter_filled, scatter_seen])
def test_a_blurred_foreground_covers_by_the_share_of_the_lens_it_hides(render):
    image = (
        np.where(np.arange(80) < 40, 1.0, 0.0).astype(np.float32)[None, :, None].repeat(60, axis=0).repeat(3, axis=2)
    )
    row = render(image, _step(10, 0))[30, :, 0]
    for x in range(32, 48):
        t = np.clip((39.5 - x) / 10, -1, 1)  # the disc's share on the left of a line at distance t radii
        share = 0.5 + (t * math.sqrt(1 - t * t) + math.asin(t)) / math.pi
        assert row[x] == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("render", [scatter_filled, scatter_seen])
def test_a_background_is_seen_behind_a_blurred_foreground_and_does_not_bleed_over_a_sharp_one(render):
    image = (
        np.where(np.arange(80) < 40, 0.2, 0.8).astype(np.float32)[None, :, None].repeat(60, axis=0).repeat(3, axis=2)
    )
    row = render(image, _step(0, -10))[30, :, 0]
    assert np.abs(row[:38] - 0.2).max() < 0.01  # the sharp side keeps its own
    assert np.abs(row[42:] - 0.8).max() < 0.02  # no dark fringe


@pytest.mark.parametrize("render", [scatter_filled, scatter_seen])
def test_pixels_that_a_blurred_edge_cuts_leave_no_line_on_a_sharp_background(render):
    y, x = np.mgrid[:60, :80]
    share = np.clip(30.3 + 0.3 * y - (x - 0.5), 0, 1)  # of each pixel that the near side has
    image = np.repeat((0.8 - 0.7 * share)[..., None], 3, axis=2).astype(np.float32)
    out = render(image, np.where(share >= 0.5, 6, 0).astype(np.float32))[10:50, :, 0]
    assert np.diff(out, axis=1).min() > -0.01  # from dark to bright, never back


@pytest.mark.parametrize("render", [scatter_filled, scatter_seen])
def test_what_is_filled_in_behind_a_soft_depth_edge_is_of_the_far_side(render):
    x = np.arange(80)[None].repeat(60, axis=0)
    image = np.where(x < 40, 0.05, 0.8).astype(np.float32)[..., None].repeat(3, axis=2)
    coc = np.where(x < 39, 11, np.where(x == 39, 8, 0)).astype(np.float32)  # column 39 is on the way, and dark
    row = render(image, coc)[30, :, 0]
    hard = render(image, np.where(x < 40, 11, 0).astype(np.float32))[30, :, 0]
    assert np.abs(row - hard).max() < 0.06


def test_no_background_shows_through_the_inside_of_what_is_little_blurred():
    y, x = np.mgrid[:80, :90]
    inside = np.hypot(x - 45, y - 40) - 25  # px from the rim of a dark disc before a bright wall
    coc = np.where(inside < 0, -1.2 - 0.02 * x, -7).astype(np.float32)
    image = np.where(inside < 0, 0.05, 0.9).astype(np.float32)[..., None].repeat(3, axis=2)
    assert scatter_filled(image, coc)[inside < -5].max() < 0.06


@pytest.mark.parametrize("render", [scatter_filled, scatter_seen])
def test_a_constant_picture_stays_constant_whatever_its_depth(render):
    coc = np.asarray(cv2.GaussianBlur(np.random.default_rng(3).normal(0, 60, (60, 80)), (0, 0), 4), np.float32)
    coc[20:40, 30:50] += 8
    assert np.allclose(render(np.full((60, 80, 3), 0.37, np.float32), coc), 0.37, atol=1e-4)


@pytest.mark.parametrize("render", [scatter, scatter_filled, scatter_seen])
def test_the_result_does_not_depend_on_the_number_of_threads(render):
    image = np.random.default_rng(0).random((150, 80, 3)).astype(np.float32)
    coc = np.linspace(-6, 6, 80, dtype=np.float32)[None].repeat(150, axis=0)
    coc[50:90, 20:50] = 9
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        one = render(image, coc)
        cv2.setNumThreads(3)
        three = render(image, coc)
    finally:
        cv2.setNumThreads(before)
    assert np.array_equal(one, three)


@pytest.mark.parametrize("radius", [1.5, 6.2, 12.7])
def test_a_point_becomes_a_disc_of_the_right_size_and_place(radius):
    image = np.zeros((64, 64, 3), np.float32)
    image[30, 33] = 1
    disc = scatter_seen(image, np.full((64, 64), -radius, np.float32))[..., 1].astype(float)
    y, x = np.mgrid[:64, :64]
    assert disc.sum() == pytest.approx(1, rel=1e-3)
    assert (disc * x).sum() == pytest.approx(33, abs=0.05)
    assert (disc * y).sum() == pytest.approx(30, abs=0.05)
    variance = (disc * ((x - 33) ** 2 + (y - 30) ** 2)).sum()
    assert math.sqrt(2 * variance) == pytest.approx(radius, abs=0.25)


@pytest.mark.parametrize("shift", [0, 2])
def test_depth_edges_move_onto_the_edges_of_the_picture(shift):
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:80, :100]
    truth = np.where((x - 50) ** 2 + (y - 40) ** 2 < 25**2, 6, -3).astype(np.float32)
    image = (np.where(truth > 0, 0.6, 0.2)[..., None] + rng.normal(0, 0.02, (80, 100, 3))).astype(np.float32)
    size = 2 * shift + 1
    given = np.asarray(cv2.dilate(truth, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))), np.float32)
    assert (snap_edges(srgb_encode(image), given) != truth).mean() < 0.006
    assert shift == 0 or (given != truth).mean() > 0.03


@pytest.mark.parametrize("side", [1, -1])
def test_no_background_shows_through_a_surface_whose_blur_grows_within_a_pixel(side):
    coc = np.full((60, 80), -14, np.float32)
    coc[:, :50], coc[30:, :50] = 0.8 * side, 1.4 * side
    linear = np.where(coc[..., None] < -10, np.float32(1), np.float32(0.02)) * np.ones(3, np.float32)
    assert scatter_filled(linear, coc)[10:50, 10:35].max() < 0.021


def test_the_highlight_along_a_rod_is_not_taken_for_its_edge():
    x = np.tile(np.arange(90), (120, 1))
    coc = np.where(abs(x - 45) < 6, 0, -12).astype(np.float32)
    image = np.where(coc[..., None] == 0, (0.45, 0.38, 0.33), (0.6, 0.3, 0.28))
    image[:, 47:49] = 0.95
    for depth in (coc, coc.T.copy()):
        picture = image if depth is coc else image.swapaxes(0, 1)
        assert (snap_edges(srgb_encode(picture.astype(np.float32)), depth) == depth).all()


def test_an_aperture_has_as_many_corners_as_blades_and_turns():
    up = _disc(blades=5)[..., 0]
    y, x = np.mgrid[:61, :61] - 30
    assert up[30 - 10, 30] > 0
    assert up[30 + 11, 30] == pytest.approx(0, abs=1e-6)
    assert (up * x).sum() / up.sum() == pytest.approx(0, abs=0.1)
    assert (_disc(blades=5, rotation_deg=180)[..., 0] * y).sum() / up.sum() == pytest.approx(
        -(up * y).sum() / up.sum(), abs=0.2
    )
    area = 5 / 2 * math.sin(2 * math.pi / 5)
    assert up.sum() / up.max() == pytest.approx(area * 144, rel=0.05)


def test_squeeze_cat_eye_bubbles_and_fringes_do_what_they_say():
    y, x = np.mgrid[:61, :61] - 30
    tall = _disc(squeeze=2)[..., 0]
    assert (tall * y**2).sum() / (tall * x**2).sum() == pytest.approx(4, rel=0.1)
    bubble, creamy = _disc(soap_bubble=1)[..., 0], _disc(soap_bubble=-1)[..., 0]
    assert bubble[30, 30] / bubble[30, 41] == pytest.approx(0.35, abs=0.05)
    assert creamy[30, 30] > 5 * creamy[30, 41]
    assert -np.diff(creamy[30, 30:42]).min() < 0.3 * creamy[30, 30]  # no rings
    fringe = _disc(fringe=2)
    spread = [math.sqrt((fringe[..., k] * (x**2 + y**2)).sum() / fringe[..., k].sum()) for k in range(3)]
    assert spread[0] < spread[1] < spread[2]  # behind the focus blue is blurred most
    image = np.zeros((61, 61, 3), np.float32)
    image[30, 30] = image[10, 10] = 1000
    cut = blur(image, np.full((61, 61), -6, np.float32), BokehParams(cat_eye=1), Quality.FAST)[..., 0]
    assert (cut[22:39, 22:39] > 1e-3).sum() > 1.5 * (cut[:19, :19] > 1e-3).sum()


def test_all_of_a_lens_holds_its_light():
    for params in ({"blades": 6}, {"squeeze": 1.5}, {"soap_bubble": 0.7}, {"soap_bubble": -0.7}):
        assert _disc(**params).sum() == pytest.approx(3000, rel=1e-3)


def test_lamps_get_back_their_power_and_colour_and_bright_walls_do_not():
    night = np.full((100, 120, 3), 8, np.uint8)
    night[39:44, 59:64] = (120, 90, 30)  # the lamp's own colour on its rim
    night[40:43, 60:63] = 255
    found = recover_highlights(night, 1)
    assert found[41, 61].max() == pytest.approx(LAMP_POWER, rel=0.1)
    assert found[41, 61, 2] < 0.5 * found[41, 61, 0]
    assert np.array_equal(recover_highlights(night, 0), to_linear(night))
    day = np.full((100, 120, 3), 220, np.uint8)
    day[40:43, 60:63] = 255
    assert recover_highlights(day, 1).max() == pytest.approx(1)
    assert recover_highlights(to_linear(night), 1).max() == pytest.approx(1)


def test_grain_is_given_to_what_is_blurred_only():
    rng = np.random.default_rng(6)
    image = np.clip(128 + rng.normal(0, 6, (80, 120, 1)).repeat(3, axis=2), 0, 255).astype(np.uint8)
    coc = np.where(np.arange(120) < 60, 0, -9).astype(np.float32)[None].repeat(80, axis=0)
    smooth = blur(image, coc, BokehParams(), Quality.FAST)
    grainy = give_grain(smooth, image, coc, 1)
    assert smooth[:, 75:].std() < 2
    assert grainy[:, 75:].std() == pytest.approx(6, rel=0.35)
    assert np.abs(grainy[:, :45].astype(int) - smooth[:, :45]).max() <= 1


def test_focus_range_and_tilt(step_scene):
    depth = np.linspace(1, 4, 120, dtype=np.float32)[None].repeat(len(step_scene.depth_m), axis=0)
    scene = Scene(step_scene.image, depth, step_scene.camera)
    narrow = coc_of(scene, BokehParams(f_number=2, focus_depth_m=2))
    wide = coc_of(scene, BokehParams(f_number=2, focus_depth_m=2, focus_range_m=1))
    sharp = (depth > 1.51) & (depth < 2.49)
    assert np.abs(wide[sharp]).max() < 1e-5
    assert np.allclose(wide[depth > 3.5], narrow[depth > 3.5])
    assert np.abs(np.diff(wide[0])).max() < 3 * np.abs(np.diff(narrow[0])).max()
    tilted = coc_of(scene, BokehParams(f_number=2, focus_depth_m=2, tilt=0.5))
    middle = len(depth) // 2
    assert np.abs(tilted[middle] - narrow[middle]).max() < 0.02
    assert (tilted[-1] < narrow[-1]).all()


def test_pictures_of_the_focus(step_scene):
    coc = coc_of(step_scene, BokehParams(f_number=1, focus_depth_m=3))
    colors = show_coc(coc)
    assert colors[5, 5].max() == 0
    assert colors[40, 50, 0] > colors[40, 50, 2]  # before the focus: orange
    red = show_focus(step_scene.image, coc).astype(int)
    assert red[5, 5, 0] > red[5, 5, 1]
    assert red[40, 50, 0] == red[40, 50, 1]


def test_a_focus_pull_goes_from_one_end_to_the_other(step_scene):
    frames = list(focus_pull(step_scene, BokehParams(blur_px=4), (1.0, 3.0), 3, Quality.FAST))
    image = step_scene.image.astype(int)
    off = [
        (np.abs(f[40:60, 50:70] - image[40:60, 50:70]).mean(), np.abs(f[:20, :40] - image[:20, :40]).mean())
        for f in frames
    ]
    assert off[0][0] <= off[2][0]
    assert off[0][1] >= off[2][1]
    assert len(frames) == 3


def test_frames_of_a_focus_pull_are_as_pictures_taken_one_by_one(step_scene):
    grain = np.random.default_rng(0).normal(0, 4, step_scene.image.shape)
    image = np.clip(step_scene.image + grain, 0, 255).astype(np.uint8)
    wide = cv2.erode(step_scene.depth_m, np.ones((7, 7), np.uint8))  # the near square 3 px too large on each side
    scene, lens = Scene(image, np.asarray(wide, np.float32), step_scene.camera), BokehParams(f_number=0.2)
    depths = (1.0, 1.5, 3.0)
    frames = list(focus_pull(scene, lens, (1.0, 3.0), 3, Quality.BALANCED))
    for depth, frame in zip(depths, frames, strict=True):
        alone, unsnapped = (
            refocus(scene, replace(lens, focus_depth_m=depth), quality).image.astype(int)
            for quality in (Quality.BALANCED, Quality.FAST)
        )
        assert np.abs(frame - alone).mean() < 0.05
        assert depth == 1.5 or np.abs(unsnapped - alone).mean() > 0.1  # it matters at both ends that edges are moved


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"blades": 2}, "2 blades"),
        ({"cat_eye": 2}, "cat eye is 2"),
        ({"squeeze": 9}, "squeeze is 9"),
        ({"grain": -1}, "grain"),
    ],
)
def test_lenses_that_cannot_be_are_refused(params, message):
    with pytest.raises(InputError, match=message):
        BokehParams(**params)


def test_a_black_border_of_a_photo_stays_as_narrow_as_it_was():
    image = np.full((80, 90, 3), 0.5, np.float32)
    image[0], image[:, -1] = 0, 0
    out = scatter_seen(image, np.full((80, 90), -8, np.float32))
    assert out[0, 40].min() > 0.4  # a quarter of white if it went on beyond the picture
    assert out[40, -1].min() > 0.4


@pytest.fixture
def far_disc_scene() -> Scene:
    """A near disc on a far wall, its depth two pixels too wide, so that moving its edges changes the picture."""
    rng = np.random.default_rng(8)
    y, x = np.mgrid[:80, :100]
    disc = ((x - 50) ** 2 + (y - 40) ** 2 < 22**2).astype(np.uint8)
    wide = cv2.dilate(disc, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
    image = np.where(disc[..., None] > 0, 170, 60) + rng.normal(0, 4, (80, 100, 3))
    depth = np.where(wide > 0, 1, 3).astype(np.float32)
    return Scene(np.clip(image, 0, 255).astype(np.uint8), depth, Camera.centred(100, 80, 90))


@pytest.mark.parametrize("render", [scatter, scatter_filled, scatter_seen])
def test_the_result_does_not_depend_on_how_high_bands_are(render, monkeypatch):
    image = np.random.default_rng(9).random((150, 80, 3)).astype(np.float32)
    coc = np.linspace(-6, 6, 80, dtype=np.float32)[None].repeat(150, axis=0)
    coc[50:90, 20:50] = 9
    high = render(image, coc)
    monkeypatch.setattr("depthapps.bokeh.render._BAND_ROWS", 30)
    assert np.abs(render(image, coc) - high).max() < 1e-5


@pytest.mark.parametrize("quality", list(Quality))
def test_the_whole_picture_does_not_depend_on_the_number_of_threads(quality, far_disc_scene):
    lens = BokehParams(f_number=0.3, focus_depth_m=3, blades=6, cat_eye=0.5, fringe=1, grain=1)
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        one = refocus(far_disc_scene, lens, quality).image
        cv2.setNumThreads(4)
        four = refocus(far_disc_scene, lens, quality).image
    finally:
        cv2.setNumThreads(before)
    assert np.array_equal(one, four)


@pytest.mark.parametrize("radius", [1.5, -6.2])
def test_light_is_kept_where_everything_is_seen(radius):
    image = np.zeros((81, 91, 3), np.float32)
    image[30:50, 35:55] = np.random.default_rng(2).random((20, 20, 3))
    out = scatter_seen(image, np.full((81, 91), radius, np.float32))
    assert out.sum() == pytest.approx(image.sum(), rel=1e-3)


def test_16_bit_and_float_pictures_are_blurred_as_finely_as_they_were_given(far_disc_scene):
    lens = BokehParams(f_number=0.3, focus_depth_m=1, highlights=0)
    linear = to_linear(far_disc_scene.image)
    exact = refocus(replace(far_disc_scene, image=linear), lens).image
    assert exact.dtype == np.float32
    deep = (far_disc_scene.image.astype(np.uint16)) * 257
    out = refocus(replace(far_disc_scene, image=deep), lens).image
    assert out.dtype == np.uint16
    off = np.abs(out / 65535 - srgb_encode(np.asarray(exact, np.float32)))
    assert off.max() < 2 / 65535
    lamp = linear.copy()
    lamp[10, 10] = 50  # float light may be brighter than white, and is kept so
    assert refocus(replace(far_disc_scene, image=lamp), lens).image[:20, :20].sum() > linear[:20, :20].sum() + 100
