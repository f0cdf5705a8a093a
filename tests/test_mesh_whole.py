"""Models without holes: what is behind things, whose colours it has, and how files tell it apart."""

from __future__ import annotations

import json
import struct
from dataclasses import replace

import cv2
import numpy as np
import pytest
import trimesh

from depthapps import (
    Camera,
    Holes,
    InputError,
    ModelParams,
    Preset,
    Scene,
    SceneParams,
    SecondView,
    depth_from_disparity,
    make_model,
    open_scene,
    project,
    render_view,
    turntable,
    unproject,
    write_model,
)
from depthapps.apps.turntable import turned_about
from depthapps.core.models import MadeUp, TriangleMesh
from depthapps.mesh.behind import continue_deeper, joined_behind, least_known
from depthapps.mesh.behind_colors import _put_smooth
from depthapps.mesh.cut import cut_surface
from depthapps.mesh.params import SimplifyParams
from depthapps.mesh.whole import whole_mesh, whole_surface

BASELINE_M, NEAR, FAR = 0.1, 1.0, 3.0
WALL, CARD = (60, 120, 180), (220, 160, 40)


def _seen_from(camera: Camera, right_m: float) -> np.ndarray:
    """A card 1 m away before a wall 3 m away, which is striped, from a place on the baseline."""
    x = (np.arange(camera.width) - camera.cx) / camera.fx
    image = np.empty((camera.height, camera.width, 3), np.uint8)
    wall = np.rint(20 * np.sin(12 * (x * FAR + right_m)))
    image[:] = np.clip(np.array(WALL) + wall[:, None], 0, 255)
    card = np.abs(x * NEAR + right_m) < 0.2
    rows = np.abs((np.arange(camera.height) - camera.cy) / camera.fy) < 0.2
    image[np.ix_(rows, card)] = CARD
    return image


@pytest.fixture(scope="module")
def pair() -> Scene:
    """The card and the wall with exact depth and a second photo, taken 10 cm to the right and a stop darker."""
    camera = Camera.centred(160, 120, 150.0)
    image = _seen_from(camera, 0)
    depth = np.where((image == CARD).all(axis=2), np.float32(NEAR), np.float32(FAR))
    away = np.eye(4)
    away[0, 3] = -BASELINE_M
    dark = np.rint(0.9 * _seen_from(camera, BASELINE_M)).astype(np.uint8)
    return Scene(image, depth, camera, second=SecondView(dark, camera, away))


def test_a_turned_model_shows_no_gap(pair):
    model, torn = make_model(pair), make_model(pair, ModelParams(holes=Holes.KEEP))
    for yaw, pitch in ((10, 0), (-10, 0), (0, 10)):
        pose = turned_about(1.5, yaw, pitch)
        inside = np.s_[20:-20, 40:-40]
        assert render_view(model, pair.camera, pose=pose).covered[inside].min() == 1
        assert render_view(torn, pair.camera, pose=pose).covered[inside].min() == 0


def test_behind_a_card_goes_on_the_wall_in_the_second_photos_colours(pair):
    mesh = make_model(pair).mesh
    assert mesh.made_up is not None
    assert mesh.filled is not None
    behind = mesh.vertices[mesh.made_up != MadeUp.NOTHING]
    assert np.allclose(behind[:, 2], FAR, rtol=0.01)
    there = np.eye(4)
    there[0, 3] = BASELINE_M
    seen = render_view(mesh, pair.camera, pose=there)
    truth = _seen_from(pair.camera, BASELINE_M)
    strip = np.s_[50:70, 97:103]  # right of the card: the wall that only the second photo shows
    assert not np.array_equal(truth[strip], pair.image[strip])
    assert np.abs(seen.image[strip].astype(int) - truth[strip]).max() < 12
    assert seen.covered[strip].min() == 1


@pytest.mark.parametrize(("width_px", "shown"), [(3, False), (40, True)])
def test_through_a_narrow_gap_of_a_near_thing_the_second_photo_shows_nothing(width_px, shown):
    """A card whose depth has a slit, which is most likely a mistake, and one with a wide gap."""
    camera, away = Camera.centred(600, 240, 500.0), np.eye(4)
    away[0, 3] = -BASELINE_M  # the card is moved by 50 px, the wall by 17 px
    x = np.arange(camera.width)
    card = (x > 150) & (x < 450)
    gap = np.abs(x - 300) <= width_px // 2
    depth = np.where(card & ~gap, np.float32(NEAR), np.float32(FAR)) + np.zeros((camera.height, 1), np.float32)
    image = np.full((camera.height, camera.width, 3), WALL, np.uint8)
    second = image.copy()
    image[:, card & ~(gap & shown)] = CARD
    second[:, np.roll(card & ~(gap & shown), -50)] = CARD
    scene = Scene(image, depth, camera, second=SecondView(second, camera, away))
    back = whole_surface(scene, fill=True, turn_deg=15).backs[0]
    behind = np.s_[back.margin + 20 : back.margin + 220, back.margin + 230 : back.margin + 280]
    assert back.new[behind].mean() > 0.5
    assert back.photographed[behind].any() == shown
    assert (np.abs(back.surface.image[behind].astype(int) - WALL).max(axis=-1) < 20)[back.new[behind]].all()


def _with_corner(photo: np.ndarray) -> np.ndarray:
    """With a black corner at the lower left, as photos have that were turned before."""
    height, width = photo.shape[:2]
    y, x = np.indices((height, width))
    return np.where(((height - y) * 3 < width / 4 - x)[..., None], np.uint8(0), photo)


def test_a_black_corner_is_no_surface_and_what_is_beside_it_goes_on_there(pair):
    """Whatever depth was found there."""
    assert pair.second is not None
    image = _with_corner(pair.image)
    black = image.max(axis=2) == 0
    assert black.mean() > 0.01
    scene = replace(pair, image=image, depth_m=np.where(black, np.float32(1.2), pair.depth_m))
    bare = make_model(scene, ModelParams(holes=Holes.KEEP))
    assert not render_view(bare, pair.camera).covered[black].any()
    assert bare.facts["left_out"]["blank"] == pytest.approx(black.mean(), rel=0.6)  # with what is mixed with black
    assert bare.facts["left_out"]["unknown"] == 0
    given = make_model(replace(scene, second=None), ModelParams(holes=Holes.KEEP))  # a black thing, as its depth says
    assert render_view(given, pair.camera).covered[20:-1, 1:20][black[20:-1, 1:20]].mean() > 0.9
    empty = np.zeros_like(black)
    empty[:20] = True
    cut_out = make_model(replace(scene, empty=empty, depth_m=np.where(empty, np.float32(np.nan), scene.depth_m)))
    assert not render_view(cut_out, pair.camera).covered[:16].any()
    model = make_model(scene)
    seen = render_view(model, pair.camera)
    assert seen.covered[black].min() == 1
    assert np.allclose(seen.depth_m[black], FAR, rtol=0.01)
    assert np.abs(seen.image[black].astype(int) - WALL).max() < 60
    assert np.abs(seen.image[~black & (pair.depth_m == FAR)].astype(int) - WALL).max() < 60


def test_the_second_photos_black_corner_is_no_colour_of_a_surface(pair):
    """It lies at the lower right, where that photo shows more than the first one."""
    assert pair.second is not None
    second = replace(pair.second, image=_with_corner(pair.second.image[:, ::-1])[:, ::-1].copy())
    there = np.eye(4)
    there[0, 3] = BASELINE_M
    seen = render_view(make_model(replace(pair, second=second)), pair.camera, pose=there)
    black = second.image.max(axis=2) == 0
    assert black.mean() > 0.01
    assert seen.covered[black].min() == 1
    assert seen.image[black].max(axis=1).min() > 100


def test_in_the_last_layer_the_farthest_goes_on_first():
    """Before a wall stands a board, and before both a card that hides where they meet."""
    depth = np.full((240, 320), 4, np.float32)
    depth[:, 60:150] = 2  # the board
    depth[60:180, 110:220] = 1  # the card
    front = cut_surface(Scene(np.full((240, 320, 3), 128, np.uint8), depth, Camera.centred(320, 240, 300.0), 1e-4))
    shares = {}
    for last in (False, True):
        deeper = continue_deeper(front, front, 15, least_known(front), last=last)
        behind = deeper.new[60:180, 110:220]
        assert behind.mean() > 0.8
        shares[last] = (deeper.inverse[60:180, 110:220][behind] > 0.4).mean()
    assert shares[True] < 0.5 * shares[False]


def test_the_grain_of_two_photos_draws_no_lines_beyond_the_frame():
    """A plain wall and 3 grey levels of noise: what only the second photo shows is levelled by many pixels."""
    camera, rng = Camera.centred(320, 240, 300.0), np.random.default_rng(3)
    first, second = (np.rint(120 + rng.normal(0, 3, (240, 320, 3))).astype(np.uint8) for _ in range(2))
    away = np.eye(4)
    away[0, 3] = -0.3  # 30 px
    scene = Scene(first, np.full((240, 320), 3, np.float32), camera, second=SecondView(second, camera, away))
    back = whole_surface(scene, fill=True, turn_deg=15).backs[0]
    strip = np.s_[back.margin : back.margin + 240, back.margin + 320 : back.margin + 336]
    assert back.photographed[strip].all()
    rows = back.surface.image[strip].mean(axis=1)
    assert rows.std(axis=0).max() < 1.3  # means of 16 pixels: 0.75; levelled by one pixel: 4


def test_behind_a_thing_on_a_striped_table_the_stripes_go_on_and_nothing_has_its_own_colour():
    """Past the box the table goes on, past the table the wall: what is shown at a place is not what is behind it."""
    height, width = 320, 480
    y, x = np.mgrid[:height, :width].astype(np.float32)
    table, box = 0.3 + 0.0015 * (y - 120), (y >= 110) & (y < 240) & (x >= 200) & (x < 260)
    inverse = np.where(y < 120, np.float32(0.15), table)
    inverse[box] = 0.5
    image = np.where(y < 120, 128, np.where(x % 16 < 8, 60, 180))[..., None].repeat(3, axis=2).astype(np.uint8)
    image[box] = (200, 20, 20)
    scene = Scene(image, (1 / inverse).astype(np.float32), Camera.centred(width, height, 400.0), 1e-4)
    back = whole_surface(scene, fill=True, turn_deg=15).backs[0]
    inside = np.s_[back.margin + 130 : back.margin + 230, back.margin + 206 : back.margin + 254]
    behind, new = back.surface.image[inside].astype(int), back.new[inside]
    assert new.mean() > 0.5
    assert (behind[..., 0] - behind[..., 1])[new].max() < 40  # nothing is red
    assert behind[..., 1][new].std() > 0.6 * image[120:, :, 1].std()  # no grey blur: the stripes go on


@pytest.mark.parametrize("size", [(8, 8), (60, 80)])
def test_what_is_continued_at_a_depth_that_nothing_beside_it_has_is_not_black(size):
    """A floor that comes nearer beyond the frame, and pictures too small to have pixels that are not mixed."""
    y = np.arange(size[0], dtype=np.float32)[:, None] * np.ones(size[1], np.float32)
    white = np.full((*size, 3), 200, np.uint8)
    scene = Scene(white, 1 / (0.02 + y / size[0]), Camera.centred(size[1], size[0], 80.0))
    back = whole_surface(scene, fill=True, turn_deg=15).backs[0]
    assert back.new.any()
    assert back.surface.image[back.new].min() >= 199


def test_a_wall_that_goes_on_behind_a_thing_ends_where_the_floor_is():
    camera = Camera.from_fov(240, 160, 60)
    y, x = np.mgrid[:160, :240]
    floor, wall = (y - camera.cy) / (camera.fy * 0.8), np.full((160, 240), 1 / 4)  # 0.8 m below the camera, 4 m away
    inverse = np.maximum(floor, wall)
    inverse[(y > 60) & (y < 135) & (x > 100) & (x < 150)] = 1 / 1.2  # a box, from the wall to far below its foot
    image = np.random.default_rng(0).integers(90, 160, (160, 240, 3)).astype(np.uint8)
    scene = Scene(image, (1 / inverse).astype(np.float32), camera, confidence=np.ones((160, 240), np.float32))
    behind = whole_surface(scene, fill=True, turn_deg=15).backs[0]
    depth = behind.surface.depth_m[behind.new]
    rows = np.nonzero(behind.new)[0]
    below_m = (rows - behind.surface.camera.cy) / behind.surface.camera.fy * depth
    assert (depth > 1.5).sum() > 1000
    assert below_m.max() < 0.85


@pytest.mark.parametrize(("depth_m", "found_m"), [(6, 6), (4.8, 4.8), (4.2, 4)])
def test_a_niche_in_a_wall_goes_on_behind_a_thing_before_it_at_its_own_depth(depth_m, found_m):
    """Else there is a step between it and what was continued, and a hole when the model turns; a small one is none."""
    camera = Camera.from_fov(240, 160, 60)
    y, x = np.mgrid[:160, :240]
    inverse = np.full((160, 240), 1 / 4)
    inverse[(y > 60) & (y < 85) & (x > 120) & (x < 150)] = 1 / depth_m
    inverse[(y > 40) & (y < 120) & (x >= 150) & (x < 190)] = 1 / 1.5
    image = np.random.default_rng(0).integers(90, 160, (160, 240, 3)).astype(np.uint8)
    scene = Scene(image, (1 / inverse).astype(np.float32), camera, confidence=np.ones((160, 240), np.float32))
    behind = whole_surface(scene, fill=True, turn_deg=15).backs[0]
    row, column = behind.margin + 72, behind.margin + 150
    assert behind.new[row, column : column + 8].all()
    assert behind.surface.depth_m[row, column : column + 8] == pytest.approx(found_m, rel=0.02)
    above = behind.surface.depth_m[behind.margin + 48, column : column + 8]
    assert above == pytest.approx(4, rel=0.02)  # the wall goes on as the wall


def _two_cards() -> Scene:
    """A near card before a part of a farther one, both before a wall: the farther card goes on behind the near one."""
    depth = np.full((180, 240), 4, np.float32)
    image = np.full((180, 240, 3), 128, np.uint8)
    depth[40:140, 100:200], image[40:140, 100:200] = 3, (30, 160, 40)
    depth[60:120, 60:130], image[60:120, 60:130] = 2.4, (200, 40, 40)
    return Scene(image, depth, Camera.centred(240, 180, 220.0), 1e-4)


@pytest.mark.parametrize(("step", "joined"), [(0.06, True), (0.3, False)])
def test_pieces_of_what_was_continued_are_joined_across_a_small_step(step, joined):
    """Although something was continued below; the picture's own pixels are not joined to them."""
    camera, new = Camera.centred(40, 30, 40.0), np.ones((30, 40), bool)
    depth = np.full((30, 40), 2, np.float32)
    depth[:, 20:] *= 1 + step
    back = cut_surface(Scene(np.full((30, 40, 3), 90, np.uint8), depth, camera))
    assert not back.links.right[:, 19].any()
    quads = joined_behind(back, new, below=new).quads
    assert (np.add.reduce(quads, dtype=np.int8)[:, 19] == 2).all() == joined
    new[:, :20] = False
    quads = joined_behind(back, new, below=np.ones_like(new)).quads
    assert not np.add.reduce(quads, dtype=np.int8)[:, 19].any()


def test_behind_what_was_continued_the_wall_goes_on():
    whole = whole_surface(_two_cards(), fill=True, turn_deg=15)
    back, deeper, last = whole.backs
    shown = np.pad(1 / whole.front.depth_m, back.margin)
    for layer in whole.backs:  # each lies behind all that is before it
        new, inverse = layer.new, 1 / layer.surface.depth_m
        assert new.any()
        assert (inverse[new & (shown > 0)] <= 0.99 * shown[new & (shown > 0)]).all()
        shown = np.where(np.isfinite(inverse), inverse, shown)
    assert last.new.sum() < deeper.new.sum() < back.new.sum()
    at = back.margin + 90, back.margin + 115  # both cards are before the wall
    assert back.surface.depth_m[at] == pytest.approx(3, rel=0.01)
    assert deeper.new[at]
    assert deeper.surface.depth_m[at] == pytest.approx(4, rel=0.01)
    assert np.abs(deeper.surface.image[at].astype(int) - 128).max() < 8
    seen, made_up = whole.shares()
    assert seen == 0
    assert made_up == pytest.approx(sum(sum(layer.shares(180 * 240)) for layer in whole.backs))


def test_the_texture_of_a_photo_of_twelve_megapixels_is_one_that_phones_take():
    """8192 px at most, for 4000 x 3000; here a tenth of that, with all layers."""
    scene = _two_cards()
    at = np.ix_(np.arange(300) * 180 // 300, np.arange(400) * 240 // 400)
    image, depth = scene.image[at], scene.depth_m[at]
    whole = whole_surface(Scene(image, depth, Camera.centred(400, 300, 370.0), 1e-4), fill=True, turn_deg=15)
    assert len(whole.backs) == 3
    texture = whole_mesh(whole, SimplifyParams())[0].texture
    assert texture is not None
    assert max(texture.shape) <= 819


@pytest.mark.parametrize("size", [(240, 320), (237, 323)])
def test_smooth_colours_stay_in_place_at_any_size(size):
    """A ramp goes on through a hole at the far corner, also if the sides are no multiples of the coarse cells."""
    y, x = np.mgrid[: size[0], : size[1]]
    ramp = (0.5 * (x + y))[..., None].astype(np.float32) * np.ones(3, np.float32)
    hole = (y >= size[0] - 12) & (x >= size[1] - 40)
    smooth, near = np.zeros_like(ramp), np.zeros(size, np.float32)
    _put_smooth(smooth, ramp, ~hole, near, near, np.ones(size, bool))
    told = np.s_[size[0] - 60 : size[0] - 16, size[1] - 120 : size[1] - 60]
    assert np.abs(smooth - ramp)[told].max() < 0.3


@pytest.mark.parametrize("yaw", [-15, 15])
def test_no_curtain_hangs_from_what_goes_on_behind_a_near_thing(yaw):
    """Nothing of a turned model lies between the cards and the wall, and nothing is black."""
    scene = _two_cards()
    mesh = make_model(scene, ModelParams(turn_deg=15)).shape
    assert isinstance(mesh, TriangleMesh)
    shown = render_view(mesh, scene.camera, pose=turned_about(4.0, yaw, 0))
    inside = np.s_[50:130, 60:180]
    assert shown.covered[inside].min() == 1
    corners = mesh.vertices[mesh.triangles][..., 2]
    near, far = corners.min(axis=1), corners.max(axis=1)
    sides = np.linalg.norm(np.cross(*(np.diff(mesh.vertices[mesh.triangles], axis=1).transpose(1, 0, 2))), axis=1) / 2
    assert sides[far > 1.2 * near].sum() < 0.05 * sides.sum()


def test_what_only_one_photo_could_show_is_a_part_of_its_own(pair, tmp_path):
    path = tmp_path / "model.glb"
    write_model(path, make_model(pair))
    data = path.read_bytes()
    head = json.loads(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])
    assert [m["name"] for m in head["materials"]] == ["photo", "filled"]
    assert [p["material"] for p in head["meshes"][0]["primitives"]] == [0, 1]
    assert len(head["images"]) == 1
    parts = list(trimesh.load_scene(path).geometry.values())
    assert len(parts) == 2
    write_model(tmp_path / "model.obj", make_model(pair))
    assert "usemtl filled" in (tmp_path / "model.obj").read_text()
    assert "newmtl filled" in (tmp_path / "model.mtl").read_text()
    write_model(tmp_path / "model.ply", make_model(pair))
    marks = trimesh.load(tmp_path / "model.ply", process=False).metadata["_ply_raw"]["vertex"]["data"]["made_up"]
    assert set(np.unique(marks)) == {0, 1, 2}


def test_a_scene_of_one_view_is_not_continued_unless_asked(pair):
    alone = replace(pair, second=None)
    assert make_model(alone).mesh.filled is None
    assert make_model(alone, ModelParams(turn_deg=10)).mesh.filled is not None
    assert make_model(pair, ModelParams(turn_deg=0)).mesh.filled is None
    facts = make_model(pair).facts
    assert facts["holes"] == "fill"
    assert facts["behind"]["photographed"] > 0


def test_the_web_preset_keeps_its_number_of_triangles(pair):
    mesh = make_model(pair, ModelParams(Preset.WEB, max_triangles=2000)).mesh
    assert len(mesh.triangles) <= 2000
    assert mesh.filled is not None
    assert mesh.filled.any()


@pytest.mark.parametrize(
    "wrong",
    [
        {"points": True, "holes": Holes.FILL},
        {"turn_deg": 60},
        {"turn_deg": 5, "holes": Holes.KEEP},
    ],
)
def test_parameters_that_contradict_each_other_are_refused(wrong):
    with pytest.raises(InputError) as error:
        ModelParams(**wrong)
    assert error.value.hint


def test_the_view_from_the_cameras_own_place_is_the_photo(pair):
    seen = render_view(pair, pair.camera)
    inner = np.s_[2:-2, 2:-2]
    assert np.abs(seen.image[inner].astype(int) - pair.image[inner]).mean() < 1
    assert np.allclose(seen.depth_m[inner], pair.depth_m[inner], rtol=0.01)
    small = render_view(pair, pair.camera, (80, 60))
    assert small.image.shape == (60, 80, 3)
    truth = cv2.resize(pair.image, (80, 60), interpolation=cv2.INTER_AREA)
    assert np.abs(small.image[2:-2, 2:-2].astype(int) - truth[2:-2, 2:-2]).mean() < 3


def test_a_view_is_anti_aliased_and_depth_correct():
    """A triangle before a square; the plain loop over samples is the truth."""
    from depthapps.core.models import TriangleMesh
    from depthapps.mesh.view import draw_mesh

    vertices = np.array(
        [[-1, -1, 2], [1, -1, 2], [1, 1, 2], [-1, 1, 2], [-0.5, -0.3, 1], [0.4, -0.2, 1.5], [0.1, 0.5, 1]], np.float32
    )
    triangles = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6]], np.int32)
    colors = np.array([[0, 0, 255]] * 4 + [[255, 0, 0]] * 3, np.uint8)
    mesh = TriangleMesh(vertices, triangles, np.zeros_like(vertices), colors)
    camera = Camera.centred(40, 30, 40.0)
    seen = draw_mesh(mesh, camera, background=(255, 255, 255))
    flat = vertices[4:, :2] / vertices[4:, 2:] * 40 + (camera.cx, camera.cy)
    u, v = np.meshgrid(np.arange(80) / 2 - 0.25, np.arange(60) / 2 - 0.25)

    def side(a, b):
        return (b[0] - a[0]) * (v - a[1]) - (b[1] - a[1]) * (u - a[0])

    inside = np.logical_and.reduce([side(flat[k], flat[(k + 1) % 3]) >= 0 for k in range(3)])
    share = inside.reshape(30, 2, 40, 2).mean(axis=(1, 3))
    square = (np.abs(u - camera.cx) <= 20) & (np.abs(v - camera.cy) <= 20)
    covered = (square | inside).reshape(30, 2, 40, 2).mean(axis=(1, 3))
    assert np.allclose(seen.covered, covered)
    red, blue = (seen.image[..., k] for k in (0, 2))
    assert (red[share == 1] == 255).all()
    assert (blue[(share == 0) & (covered == 1)] == 255).all()
    mixed = (share == 0.5) & (covered == 1)
    assert mixed.any()
    assert np.allclose(red[mixed], 188, atol=1)  # half the light
    assert np.allclose(seen.depth_m[(share == 0) & (covered == 1)], 2)


def test_a_turntable_comes_back_to_where_it_began(pair):
    model = make_model(pair)
    frames = list(turntable(model, 10, frames=8))
    assert len(frames) == 8
    assert np.array_equal(frames[0], frames[4])
    assert np.array_equal(frames[0], render_view(model, pair.camera).image)
    assert np.abs(frames[2].astype(int) - frames[6]).max() > 30


@pytest.mark.parametrize("wrong", [{"size": (0, 5)}, {"pose": np.zeros((4, 4))}, {"pose": np.eye(3)}])
def test_impossible_cameras_are_refused(pair, wrong):
    with pytest.raises(InputError) as error:
        render_view(pair, pair.camera, **wrong)
    assert error.value.hint


def test_the_second_photo_of_a_matched_pair_shows_the_scenes_points_where_the_disparity_says(two_layers):
    views = two_layers.pair
    scene = open_scene(views.left, views.right, SceneParams(calibration=views.calibration)).scene
    assert scene.second is not None
    assert np.array_equal(scene.second.image, views.right)
    points = unproject(depth_from_disparity(two_layers.disparity_px, views.calibration), views.calibration.camera)
    x, y, _ = project(points + scene.second.from_scene[:3, 3], scene.second.camera)
    rows, columns = np.indices(x.shape)
    assert np.allclose(scene.second.from_scene[:3, :3], np.eye(3))
    assert np.allclose(x, columns - two_layers.disparity_px, atol=1e-3)
    assert np.allclose(y, rows, atol=1e-3)
