"""Shadows of a square before a wall, whose outlines are known by construction."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from depthapps import (
    Camera,
    DirectionalLight,
    InputError,
    LitBy,
    PointLight,
    Quality,
    RelightParams,
    Scene,
    SpotLight,
    cast_shadows,
    color_of_temperature,
    make_shadow_map,
    relight,
)
from depthapps.core.color import to_linear
from depthapps.shadow.light_view import draw_shadow_map
from depthapps.shadow.lights import beam
from depthapps.shadow.mapped import Mapper
from depthapps.shadow.shading import estimated_light, shade
from depthapps.shadow.solid import build_lit_solid
from depthapps.shadow.tracing import Tracer, steadied

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
    return build_lit_solid(scene)


def true_shadow(scene: Scene, ways_to_light) -> np.ndarray:
    """Whether the straight way from each wall pixel to the light passes through the card."""
    v, u = np.mgrid[:180, :240].astype(float)
    wall = np.stack([(u - CAMERA.cx) / CAMERA.fx * FAR, (v - CAMERA.cy) / CAMERA.fy * FAR, np.full(u.shape, FAR)], -1)
    way = ways_to_light(wall)
    hit = np.zeros(u.shape, bool)
    for depth in np.linspace(NEAR, NEAR / (1 - 2 / CAMERA.fx), 5):  # the card is taken to be two pixels thick
        step = (depth - FAR) / way[..., 2]
        at = wall + step[..., None] * way
        x, y = at[..., 0] / depth * CAMERA.fx + CAMERA.cx, at[..., 1] / depth * CAMERA.fy + CAMERA.cy
        # pixels are as wide as they are apart
        hit |= (step > 0) & (x > 99.5) & (x < 139.5) & (y > 69.5) & (y < 109.5)
    return hit & (scene.depth_m == FAR)


def overlap(a, b) -> float:
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize("direction", [(0.5, 0.2, 1), (-0.4, 0.5, 1), (0.02, 0.8, 1)])
def test_a_sun_casts_the_shadow_of_the_card_and_no_other(scene, surface, direction):
    visible = Tracer(surface).visibility(DirectionalLight(direction), 16).seen
    expected = true_shadow(scene, lambda points: np.broadcast_to(-np.asarray(direction, float), points.shape))
    assert overlap(visible < 0.5, expected) > 0.9  # a line of pixels around it is 7 %
    assert set(np.unique(visible)) == {0, 1}


@pytest.mark.parametrize("position", [(-0.5, -0.3, 0.2), (0.4, -0.6, 0.5)])
def test_a_lamp_casts_the_shadow_of_the_card_and_no_other(scene, surface, position):
    visible = Tracer(surface).visibility(PointLight(position), 16).seen
    assert (
        overlap(visible < 0.5, true_shadow(scene, lambda points: np.asarray(position) - points)) > 0.9
    )  # a line of pixels around it is 7 %


def test_a_wide_sun_gives_a_penumbra_of_the_right_width(surface):
    """Behind an edge h = 0.5 m before the wall, the penumbra of an angle a is h · tan(a) wide across the light."""
    angle = 5.0
    visible = Tracer(surface).visibility(DirectionalLight((0, -0.9, 1), angle), 100).seen
    column = visible[:, 120]
    rows = np.flatnonzero((column > 0.02) & (column < 0.98))
    rows = rows[rows < 24]  # the shadow runs from row 10 to row 37: the penumbra of its upper edge
    low, high = (math.atan(0.9) + s * math.radians(angle / 2) for s in (-1, 1))
    width_px = 0.5 * (math.tan(high) - math.tan(low)) / FAR * CAMERA.fy
    assert len(rows) == pytest.approx(width_px, rel=0.3)
    assert np.abs(np.diff(column[rows[0] : rows[-1]])).max() < 0.3


def test_a_large_lamp_softens_and_a_small_one_does_not(surface):
    hard = Tracer(surface).visibility(PointLight((-0.5, -0.3, 0.2)), 16).seen
    soft = Tracer(surface).visibility(PointLight((-0.5, -0.3, 0.2), size_m=0.3), 36).seen
    assert ((soft > 0.1) & (soft < 0.9)).mean() > 0.01
    assert soft.mean() == pytest.approx(hard.mean(), abs=0.02)


def test_what_turns_away_sees_nothing_and_what_is_infinite_sees_all(scene):
    depth = scene.depth_m.copy()
    depth[:20] = np.inf
    surface = build_lit_solid(Scene(scene.image, depth, CAMERA))
    visible = Tracer(surface).visibility(DirectionalLight((0, 0, -1)), 16).seen  # from behind the wall
    assert (visible[:20] == 1).all()
    assert (visible[20:] == 0).all()


def test_holes_in_the_depth_are_taken_as_background(scene):
    depth = scene.depth_m.copy()
    depth[80:90, 135:150] = np.nan
    light = DirectionalLight((0.5, 0.2, 1))
    visible = Tracer(build_lit_solid(Scene(scene.image, depth, CAMERA))).visibility(light, 16).seen
    assert np.isfinite(visible).all()


@pytest.mark.parametrize("light", [DirectionalLight((0.5, 0.3, 1)), PointLight((-0.5, -0.3, 0.2))], ids=["sun", "lamp"])
def test_the_matrices_lead_into_the_shadow_map(surface, light):
    view = draw_shadow_map(surface, light, 400)
    visible = Tracer(surface).visibility(light, 16).seen
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


def test_light_is_not_believed_where_the_depth_is_unsure(scene, surface):
    light = LitBy(DirectionalLight((0.3, 0.4, 1.0)), 0.5)
    visible = np.ones(scene.depth_m.shape, np.float32)
    visible[20:30, 20:30] = 0  # a shadow of nothing
    doubt = np.ones_like(visible)
    plain = to_linear(shade(scene, surface, [(light, visible)], RelightParams()))
    sure = to_linear(shade(replace(scene, confidence=doubt), surface, [(light, visible)], RelightParams()))
    assert np.array_equal(sure, plain)
    doubt[18:32, 18:32] = 0.1
    steadied = to_linear(shade(replace(scene, confidence=doubt), surface, [(light, visible)], RelightParams()))
    bright = to_linear(shade(scene, surface, [(light, np.ones_like(visible))], RelightParams()))
    inside, outside = np.s_[22:28, 22:28], doubt == 1
    assert np.array_equal(steadied[outside], plain[outside])
    assert plain[inside].mean() < 0.8 * bright[inside].mean()
    assert steadied[inside].mean() > 0.9 * bright[inside].mean()
    doubt[40:140, 20:120] = 0.1
    doubt[85:90, 60:65] = 1  # a spot that is sure by chance, and has a shadow of nothing, too
    visible[85:90, 60:65] = 0
    spotted = to_linear(shade(replace(scene, confidence=doubt), surface, [(light, visible)], RelightParams()))
    assert spotted[85:90, 60:65].mean() > 0.9 * bright[85:90, 60:65].mean()
    nothing_sure = replace(scene, confidence=np.zeros_like(doubt))
    assert to_linear(shade(nothing_sure, surface, [(light, visible)], RelightParams())).mean() > 0.8 * plain.mean()


def test_a_confidence_that_flickers_makes_no_grain(scene, surface):
    light, visible = LitBy(DirectionalLight((0.3, 0.4, 1.0)), 0.5), np.ones(scene.depth_m.shape, np.float32)
    visible[20:80, 20:80] = 0
    y, x = np.indices(visible.shape)
    flickering = np.where((x // 2 + y // 2) % 2 == 0, 0.6, 0.75).astype(np.float32)
    flickering[:20] = flickering[80:] = 1
    lit = to_linear(shade(replace(scene, confidence=flickering), surface, [(light, visible)], RelightParams()))
    shaded = (lit / to_linear(scene.image))[35:65, 35:65]
    assert np.abs(np.diff(shaded, axis=1)).max() < 0.03 * shaded.mean()


def test_relighting_adds_up_in_linear_light(scene, surface):
    light = DirectionalLight((0, 0, 1))
    visible = Tracer(surface).visibility(light, 16).seen
    params, lit_by = RelightParams(ambient=0.2), LitBy(light, intensity=0.6, color=(1, 0.5, 0))
    lit = to_linear(shade(scene, surface, [(lit_by, visible)], params))[20, 20]
    assert lit == pytest.approx(to_linear(scene.image)[20, 20] * [0.8, 0.5, 0.2], rel=0.02)
    dark = shade(scene, surface, [(lit_by, np.zeros_like(visible))], params)
    assert to_linear(dark)[20, 20] == pytest.approx(to_linear(scene.image)[20, 20] * 0.2, rel=0.05)
    same = shade(scene, surface, [(lit_by, visible)], RelightParams(strength=0))
    assert np.array_equal(same, scene.image)


def test_what_faces_the_sky_gets_more_of_it():
    """A floor over a ceiling, both 1 m from the camera's axis, under the sky alone."""
    v = np.mgrid[:180, :240][0] - CAMERA.cy
    rooms = Scene(np.full((180, 240, 3), 128, np.uint8), (CAMERA.fy / np.abs(v)).astype(np.float32), CAMERA)
    params = RelightParams(ambient=0.3)
    out = to_linear(shade(rooms, build_lit_solid(rooms), [], params)) / to_linear(rooms.image)
    floor, ceiling = out[150, 120, 0], out[30, 120, 0]
    assert floor + ceiling == pytest.approx(2 * params.ambient, rel=0.05)  # an upright wall gets their mean
    assert floor / ceiling == pytest.approx(5, rel=0.15)  # the ground is a fifth as bright as the sky


def test_a_lamp_fades_with_the_square_of_the_distance(scene, surface):
    light = PointLight((0, 0, 0.5))
    ones = np.ones(scene.depth_m.shape, np.float32)
    out = to_linear(shade(scene, surface, [(LitBy(light, 0.2), ones)], RelightParams(ambient=0)))[..., 0]
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
        lambda: LitBy(DirectionalLight((0, 0, 1)), -1),
        lambda: LitBy(DirectionalLight((0, 0, 1)), color=(1, -1, 1)),
        lambda: LitBy(DirectionalLight((0, 0, 1)), color=(1, math.nan, 1)),
        lambda: LitBy(DirectionalLight((0, 0, 1)), color=(1, 1, math.inf)),
        lambda: LitBy(DirectionalLight((0, 0, 1)), color=(1, 1)),  # pyright: ignore[reportArgumentType]
        lambda: RelightParams(strength=2),
    ],
)
def test_impossible_lights_are_refused(make):
    with pytest.raises(InputError) as error:
        make()
    assert error.value.hint


def test_what_is_likely_wrong_casts_no_shadow(scene):
    sun = DirectionalLight((0.5, 0.2, 1))
    assert not Tracer(build_lit_solid(scene)).visibility(sun, 16).seen.all()
    doubt = np.where(scene.depth_m == NEAR, 0.1, 1).astype(np.float32)
    assert Tracer(build_lit_solid(replace(scene, confidence=doubt))).visibility(sun, 16).seen.all()


@pytest.mark.parametrize(
    "visibility",
    [
        lambda solid, light: Tracer(solid).visibility(light, 1).seen,
        lambda solid, light: Mapper(solid).visibility(light),
    ],
    ids=["traced", "mapped"],
)
def test_dents_of_doubtful_walls_stay_lit(visibility):
    """A lump that stereo made on a plain wall neither shades the wall nor has a dark side; it still takes shadows."""
    depth = np.full((120, 160), 4.0, np.float32)
    y, x = np.mgrid[:120, :160]
    depth -= 0.9 * np.exp(-((x - 80.0) ** 2 + (y - 60.0) ** 2) / 200).astype(np.float32)
    depth[:, :20] = 2.0  # a sure card, whose shadow falls on the other side of the wall
    picture, camera = np.full((120, 160, 3), 128, np.uint8), Camera(160, 120, 150.0, 150.0, 79.5, 59.5)
    sure = np.ones(depth.shape, np.float32)
    lump = np.hypot(x - 80, y - 60) < 40
    sun = DirectionalLight((1.0, 0.1, 0.8))

    def dark(confidence):
        return visibility(build_lit_solid(Scene(picture, depth, camera, confidence=confidence)), sun) < 0.5

    believed, doubted = dark(sure), dark(np.where(lump, np.float32(0.4), sure))
    middle = np.hypot(x - 80, y - 60) < 25
    card_shadow = believed & (x > 125)
    assert (believed & middle).sum() > 100
    assert not (doubted & middle).any()
    assert card_shadow.sum() > 100
    assert (doubted & card_shadow).sum() > 0.9 * card_shadow.sum()


def test_doubtful_pixels_leave_no_curtain_behind(scene):
    """A doubtful spot of the wall is a hole in what casts shadows, not a slope into the distance."""
    doubt = np.ones(scene.depth_m.shape, np.float32)
    doubt[20:40, 200:220] = 0.1
    sun = DirectionalLight((0.5, 0.2, 1))
    plain = Tracer(build_lit_solid(scene)).visibility(sun, 16).seen
    assert np.array_equal(Tracer(build_lit_solid(replace(scene, confidence=doubt))).visibility(sun, 16).seen, plain)


def test_a_box_casts_the_shadow_of_its_far_side():
    """Two faces of a box are seen; light along one of them is stopped by the whole box, as thick as it is deep."""
    v, u = np.mgrid[:180, :240].astype(float)
    across = (u - CAMERA.cx) / CAMERA.fx
    # the edge (0, 1) is nearest; one face leads to (-0.3, 1.3), the other to (0.3, 1.3); the far edge is (0, 1.6)
    box = np.where(across < 0, 1 / (1 + across), 1 / (1 - across))
    inside = (np.abs(across) < 0.3 / 1.3) & (np.abs(v - CAMERA.cy) < 30)
    solid = build_lit_solid(
        Scene(np.zeros((180, 240, 3), np.uint8), np.where(inside, box, 3).astype(np.float32), CAMERA)
    )
    at = round(CAMERA.cx)
    assert 1 / solid.back[90, at] == pytest.approx(1.6, abs=0.03)
    assert (solid.back <= solid.front).all()
    assert np.allclose(1 / solid.back[10], 3, rtol=0.02)  # the wall is no thicker than it looks


def test_what_looks_like_a_slope_to_the_wall_makes_a_card_no_thicker():
    """One pixel of something between a card and the wall behind it, at a depth as if the card went on to the wall."""
    depth = np.full((180, 240), FAR, np.float32)
    depth[70:110, 100:140] = 1 / (1 / FAR + 0.15)
    depth[90, 140] = 1 / (1 / FAR + 0.075)
    depth[:, 150:] = 2 * FAR  # where the wall ends, so that card and wall together would be one thing
    solid = build_lit_solid(Scene(np.zeros((180, 240, 3), np.uint8), depth, CAMERA))
    assert solid.links.right[90, 138:142].all()  # taken by itself, the row cannot be told from a slope
    thickness = 1 / solid.back - 1 / solid.front
    assert thickness.max() < 0.03


def test_noise_leaves_the_shadow_and_no_acne(scene):
    rng = np.random.default_rng(3)
    noise = 0.004 * rng.standard_normal(scene.depth_m.shape).astype(np.float32)
    noisy = replace(scene, depth_m=1 / (1 / scene.depth_m + noise))
    sun = DirectionalLight((0.5, 0.2, 1))
    clean, found = (Tracer(build_lit_solid(s)).visibility(sun, 16).seen < 0.5 for s in (scene, noisy))
    assert overlap(found, clean) > 0.85
    assert (found & ~clean).mean() < 0.003


def test_specks_go_and_outlines_stay_where_the_depth_was_noisy(surface):
    seen = np.ones(surface.front.shape, np.float32)
    seen[60:120, 80:160] = 0
    speckled = seen.copy()
    speckled[20:22, 30:33], speckled[90:92, 100:103] = 0, 1
    assert np.array_equal(steadied(speckled, surface), speckled)
    steady = steadied(speckled, replace(surface, noisy=True))
    assert ((steady < 0.5) != (seen < 0.5)).sum() <= 4  # the corners
    assert np.abs(steady - seen)[20:30, 20:40].max() == 0


def test_a_soft_shadow_agrees_with_256_rays(surface):
    sun = DirectionalLight((0.5, 0.2, 1), 10)
    few, many = (Tracer(surface).visibility(sun, n).seen for n in (48, 256))
    assert np.abs(few - many).mean() < 0.005


def test_a_spot_lights_its_cone_only(surface):
    spot = SpotLight((0, 0, 0), (0, 0, 1), angle_deg=20, penumbra=0.5)
    share = beam(spot, surface.points)
    assert share[90, 120] == pytest.approx(1, abs=0.01)
    assert share[90, 20] == 0
    rim = CAMERA.fx * math.tan(math.radians(10))
    assert share[90, round(CAMERA.cx + 0.75 * rim)] == pytest.approx(0.5, abs=0.1)


def test_corners_are_darker_than_open_walls():
    across = np.abs(np.arange(240) - CAMERA.cx) / CAMERA.fx
    depth = np.tile(1.5 / (1 + across), (180, 1)).astype(np.float32)  # two walls that meet in the middle
    corner = build_lit_solid(Scene(np.zeros((180, 240, 3), np.uint8), depth, CAMERA))
    openness = Tracer(corner).openness(32)
    assert openness[90, 118] < openness[90, 30] - 0.05
    assert ((openness >= 0) & (openness <= 1)).all()


def test_confidence_is_low_behind_the_card(surface):
    """Light grazing from behind the card passes where nobody saw whether it is free."""
    confidence = Tracer(surface).visibility(DirectionalLight((0.9, 0.0, 0.25)), 1).confidence
    assert (confidence == 0).any()
    assert set(np.unique(confidence)) <= {0, 0.5, 1}


def test_flattening_takes_out_a_slow_fall_of_light():
    fall = np.linspace(0.1, 0.6, 240, dtype=np.float32)
    picture = np.repeat(np.tile(fall, (180, 1))[..., None], 3, axis=-1)
    flat = picture / estimated_light(picture)[..., None]
    assert flat[:, 20].mean() / flat[:, 220].mean() > 0.5
    assert fall[20] / fall[220] < 0.3


def test_colors_of_temperatures():
    assert color_of_temperature(6500) == pytest.approx((1, 1, 1), abs=0.06)
    red, green, blue = color_of_temperature(2700)
    assert red == 1
    assert green == pytest.approx(0.40, abs=0.06)  # a bulb's black body in linear sRGB
    assert blue < 0.15
    with pytest.raises(InputError, match="between 1000"):
        color_of_temperature(500)


@pytest.mark.parametrize("standing", [False, True])
def test_a_single_row_or_column_has_the_shadows_of_a_whole_picture(standing):
    def seen(rows: int) -> np.ndarray:
        """Of the middle row of a card before a wall, of which the picture shows so many rows."""
        depth = np.full((rows, 64), FAR, np.float32)
        depth[:, 20:30] = NEAR
        depth = np.ascontiguousarray(depth.T) if standing else depth
        height, width = depth.shape
        scene = Scene(np.full((height, width, 3), 128, np.uint8), depth, Camera.centred(width, height, 60.0))
        sun = DirectionalLight((0.0, -0.8, 0.6) if standing else (-0.8, 0.0, 0.6))
        found = Tracer(build_lit_solid(scene)).visibility(sun, 1).seen
        return (found.T if standing else found)[rows // 2]

    assert 3 < (seen(31) == 0).sum() < 20
    assert (seen(1) == seen(31)).all()


def test_a_small_thing_before_a_large_lamp_casts_its_faint_shadow(monkeypatch):
    """Seen from the wall it is much smaller than the lamp, so few rays meet it."""
    camera, (y, x) = Camera.centred(320, 240, 250.0), np.indices((240, 320))
    depth = np.where((x - 200) ** 2 + (y - 120) ** 2 < 9**2, np.float32(2), np.float32(4))
    tracer = Tracer(build_lit_solid(Scene(np.full((240, 320, 3), 128, np.uint8), depth, camera)))
    lamp = PointLight((0.9, 0.0, 1.0), 0.8)
    found = tracer.visibility(lamp, 64).seen
    monkeypatch.setattr("depthapps.shadow.tracing._FIRST_SAMPLES", 64)
    truth = tracer.visibility(lamp, 64).seen
    wall = depth > 3
    assert 0.05 < 1 - truth[wall & (truth > 0.02)].min() < 0.3
    assert np.abs(found - truth)[wall].max() < 0.05


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("quality", list(Quality))
@pytest.mark.parametrize("light", [DirectionalLight((0, 1, 1)), PointLight((0, -1, 0.5), 0.1)])
def test_what_is_infinitely_far_makes_no_warning(light, quality):
    depth = 1 + np.random.default_rng(0).random((20, 20)).astype(np.float32)
    depth[3:6, 4:9] = np.inf
    sky = Scene(np.zeros((20, 20, 3), np.uint8), depth, Camera.from_fov(20, 20, 60))
    assert np.isfinite(relight(sky, cast_shadows(sky, [light], quality))).all()


@pytest.mark.parametrize("shape", [(1, 2250), (2250, 1), (2, 4000)])
def test_a_strip_of_noisy_depth_is_lit(shape):
    noise = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    height, width = shape
    camera = Camera(width, height, 2.0 * width, 2.0 * height, width / 2, height / 2)
    strip = Scene(np.full((*shape, 3), 90, np.uint8), 2 + 0.01 * noise, camera)
    assert cast_shadows(strip, [DirectionalLight((0, 1, 1))], Quality.FAST).mask.shape == shape


@pytest.mark.parametrize("size", [0, 1, 10**6])
def test_a_shadow_map_of_no_size_is_refused(scene, size):
    with pytest.raises(InputError, match=f"of {size} px"):
        make_shadow_map(scene, DirectionalLight((0, 1, 1)), size)
    assert make_shadow_map(scene, DirectionalLight((0, 1, 1)), 2).depth_m.shape == (2, 2)
