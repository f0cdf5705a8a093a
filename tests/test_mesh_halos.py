"""No outline and no streak of near things is left on what lies behind them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from depthapps import Camera, Scene
from depthapps.mesh.behind_colors import finished_picture, without_streaks
from depthapps.mesh.cut import cut_surface
from depthapps.mesh.halos import without_halos
from depthapps.mesh.params import SimplifyParams
from depthapps.mesh.texture_places import texture_places
from depthapps.mesh.whole import whole_mesh, whole_surface
from depthapps.surface.tearing import grid_quads, surface_links


def joined(inverse, torn=False):
    """The surface with this 1/Z, joined wherever it is known, or `torn` at its depth edges."""
    depth = np.where(np.isfinite(inverse), 1 / inverse, np.nan).astype(np.float32)
    height, width = depth.shape
    camera = Camera.from_fov(width, height, 60)
    surface = cut_surface(Scene(np.zeros((height, width, 3), np.uint8), np.nan_to_num(depth, nan=4), camera), fill=True)
    links, known = surface_links(depth), np.isfinite(depth)
    if not torn:
        links = links.changed(lambda _, one, other: known[one] & known[other])
    return replace(surface, depth_m=depth, links=links, quads=grid_quads(depth, links))


WALL, CARD, MIXED = (60, 60, 60), (240, 240, 240), (150, 150, 150)


def test_mixed_pixels_beside_a_near_thing_take_the_colour_of_their_own_surface():
    depth = np.full((40, 60), 4, np.float32)
    depth[10:30, 20:40] = 1
    image = np.full((40, 60, 3), WALL, np.uint8)
    image[9:31, 19:41] = MIXED
    image[10:30, 20:40] = CARD
    image[:5, :5] = MIXED  # no depth edge is near
    cleaned = without_halos(cut_surface(Scene(image, depth, Camera.from_fov(60, 40, 60)), fill=True)).image
    wall = depth == 4
    wall[:5, :5] = False
    assert (cleaned[wall] == WALL).all()
    assert (cleaned[~wall] == image[~wall]).all()


def test_a_pixel_without_clean_neighbours_keeps_its_colour():
    depth = np.full((24, 24), 1, np.float32)
    depth[8:16, 12] = 3  # a slit
    image = np.random.default_rng(0).integers(0, 255, (24, 24, 3), np.uint8)
    surface = cut_surface(Scene(image, depth, Camera.from_fov(24, 24, 60)), fill=True)
    assert (without_halos(surface).image == image).all()


@pytest.mark.parametrize("continued", [True, False], ids=["continued", "rim"])
def test_where_surfaces_are_joined_the_far_ones_colour_is_shown(continued):
    """A speck of a near surface draws no line across the far one, be it made up or what the picture itself shows."""
    inverse = np.full((80, 120), 0.25, np.float32)
    inverse[40:42, 60:62] = 1
    inverse[:, :30] = np.nan
    new = np.isfinite(inverse)
    new[40:42, 60:62] = continued
    surface = joined(inverse)
    picture = np.full((80, 120, 3), 60, np.float32)
    picture[40:42, 60:62] = 240
    assert np.abs(without_streaks(picture, surface, new) - 60).max() < 1e-3
    picture[:] = np.arange(120)[:, None]
    smooth = without_streaks(picture, surface, new)
    assert (smooth != picture).any(axis=2).sum() <= 36  # the speck and two pixels around it
    assert np.isfinite(smooth).all()


def test_a_surface_that_is_torn_has_no_colour_of_the_far_one_along_the_tear():
    inverse = np.full((80, 120), 0.25, np.float32)
    inverse[20:60, 40:80] = 1
    new = np.ones(inverse.shape, bool)
    picture = np.where(inverse[..., None] == 1, CARD, WALL).astype(np.float32)
    assert (without_streaks(picture, joined(inverse, torn=True), new) == picture).all()
    assert without_streaks(picture, joined(inverse), new)[20, 40:80].max() < CARD[0]


def test_beside_its_triangles_a_texture_has_their_own_colours():
    """The far side of a tear is another layer's there, and a smaller picture would mix in what the photo shows."""
    inverse = np.full((60, 90), 0.25, np.float32)
    inverse[:, 40:] = 1
    surface = joined(inverse, torn=True)
    wall = inverse == 0.25
    surface = replace(
        surface, image=np.where(wall[..., None], WALL, CARD).astype(np.uint8), quads=surface.quads.among(wall)
    )
    picture = finished_picture(surface, wall)
    assert (picture[:, :48] == WALL).all()


def test_a_texture_has_no_streak_and_one_without_triangles_stays():
    inverse = np.full((80, 120), 0.25, np.float32)
    inverse[40:42, 60:62] = 1
    surface, new = joined(inverse), np.ones(inverse.shape, bool)
    surface = replace(surface, image=np.where(inverse[..., None] == 1, CARD, WALL).astype(np.uint8))
    assert np.abs(finished_picture(surface, new).astype(int) - WALL).max() <= 1
    bare = replace(surface, quads=surface.quads.among(~new))
    assert (finished_picture(bare, new) == bare.image).all()


def test_triangles_that_span_are_those_with_two_corners_that_differ():
    rng = np.random.default_rng(0)
    depth = rng.uniform(1, 4, (12, 15)).astype(np.float32)
    quads = joined(1 / depth).quads
    values = (1 / depth).ravel()
    corners = values[quads.triangles()]
    span = corners.max(axis=1) > 2 * corners.min(axis=1)
    assert 0 < span.sum() < len(span)
    found = quads.spanning(1 / depth, 2).triangles()
    assert {tuple(t) for t in found} == {tuple(t) for t in quads.triangles()[span]}


@pytest.fixture(scope="module")
def still_life():
    """A wall, a striped board before it and a card before that, from which two layers are continued."""
    y, x = np.indices((200, 300))
    depth = np.full((200, 300), 6, np.float32)
    board, card = (abs(x - 160) < 80) & (abs(y - 100) < 70), (abs(x - 140) < 40) & (abs(y - 110) < 30)
    depth[board], depth[card] = 2, 1
    image = np.repeat((20 + x / 3)[..., None], 3, axis=2).astype(np.uint8)
    image[board], image[card] = MIXED, CARD
    return whole_surface(Scene(image, depth, Camera.from_fov(300, 200, 60)), fill=True, turn_deg=15)


def test_what_no_triangle_is_near_has_one_colour_in_every_layer(still_life):
    assert len(still_life.backs) > 1
    for back in still_life.backs:
        used = back.surface.quads.pixels()
        far = cv2.distanceTransform((~used).astype(np.uint8), cv2.DIST_L2, 5) > 10
        assert len(np.unique(back.surface.image[far], axis=0)) <= 1


def looked_up(still_life, inverse, picture):
    """A layer's vertices (V, 3) and colours in a model, where it is torn at its edges; a red one is before it."""
    first, deeper = still_life.backs[:2]
    first = replace(first, surface=replace(first.surface, image=np.full_like(first.surface.image, (255, 0, 0))))
    surface = joined(inverse, torn=True)
    surface = replace(deeper.surface, depth_m=surface.depth_m, links=surface.links, quads=surface.quads, image=picture)
    deeper = replace(deeper, surface=surface, new=np.ones(inverse.shape, bool))
    without, mesh = (
        whole_mesh(replace(still_life, backs=backs), SimplifyParams())[0] for backs in ((first,), (first, deeper))
    )
    assert mesh.uv is not None
    assert mesh.texture is not None
    last = slice(len(without.vertices), None)
    x, y = (mesh.uv[last] * mesh.texture.shape[1::-1] - 0.5).T.astype(np.float32)
    rows = len(x) // 100 + 1, 100  # OpenCV takes no row as long as all of them
    at = np.resize(x, rows), np.resize(y, rows)
    shown = cv2.remap(mesh.texture, at[0], at[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return mesh.vertices[last], shown.reshape(-1, 3)[: len(x)].astype(float), deeper.surface.camera


def test_a_model_looks_up_the_colours_of_each_surface(still_life):
    """The layer behind has a wall and a board, torn from each other, in a picture of a third of the size."""
    inverse = np.full(still_life.backs[1].new.shape, 1 / 6, np.float32)
    inverse[60:150, 100:220] = 0.5
    picture = np.where(inverse[..., None] == 0.5, CARD, WALL).astype(np.uint8)
    vertices, shown, _ = looked_up(still_life, inverse, picture)
    near = vertices[:, 2] < 4
    assert near.any()
    assert np.abs(shown[near] - CARD).max() <= 4
    assert np.abs(shown[~near] - WALL).max() <= 4


def test_a_smaller_picture_is_looked_up_at_the_same_place(still_life):
    height, width = still_life.backs[1].new.shape
    y, x = np.indices((height, width))
    inverse = (0.2 + 0.05 * np.sin(x / 40) * np.sin(y / 30)).astype(np.float32)  # round, so that it has many vertices
    picture = np.stack([0.7 * x, y, 0 * y], axis=2).astype(np.uint8)
    vertices, shown, camera = looked_up(still_life, inverse, picture)
    assert len(vertices) > 1000
    at = vertices[:, :2] / vertices[:, 2:] * (camera.fx, camera.fy) + (camera.cx, camera.cy)
    inside = (at > 3).all(axis=1) & (at < (width - 4, height - 4)).all(axis=1)
    off = shown[inside, :2] - at[inside] * (0.7, 1)
    np.testing.assert_allclose(off.mean(axis=0), (-0.5, 0), atol=0.2)  # the first colour is rounded down


def all_places(surface, scale):
    """The places (h, w, 2) of all pixels of a surface."""
    y, x = np.indices(surface.depth_m.shape)
    return texture_places(surface, scale, y.ravel(), x.ravel()).reshape(*y.shape, 2)


@pytest.mark.parametrize("scale", [3, 7])
def test_nothing_of_the_other_side_of_a_tear_is_looked_up_in_a_smaller_picture(scale):
    """A texel at a tear holds both sides' colours; each side looks its own up, a little further in."""
    inverse = np.full((60, 90), 0.25, np.float32)
    inverse[10:50, 31:72] = 1
    inverse[:8, :8] = np.nan
    places = all_places(joined(inverse, torn=True), scale)
    known = np.isfinite(inverse)
    row, column = places[known].T
    assert (inverse[row, column] == inverse[known]).all()
    near = np.array([[(inverse == 1)[max(y - scale, 0) : y + scale + 1, max(x - scale, 0) : x + scale + 1].mean()
                      for x in range(90)] for y in range(60)])  # fmt: skip
    assert set(near[row, column]) == {0.0, 1.0}
    moved = (places != np.moveaxis(np.indices(inverse.shape), 0, -1)).any(axis=-1) & known
    assert (moved == (near > 0) & (near < 1) & known).all()


def test_a_piece_too_narrow_for_a_texel_and_a_picture_of_full_size_keep_their_places():
    inverse = np.full((60, 90), 0.25, np.float32)
    inverse[:, 40:44] = 1
    surface, own = joined(inverse, torn=True), np.moveaxis(np.indices(inverse.shape), 0, -1)
    assert (all_places(surface, 3)[:, 40:44] == own[:, 40:44]).all()
    assert (all_places(surface, 1) == own).all()


def test_a_steep_floor_is_one_surface_and_what_is_left_out_is_none():
    """Only tears part surfaces, however steep these are, and only from what has triangles."""
    floor = (0.002 * (np.arange(160)[:, None] + 20) * np.ones(90)).astype(np.float32)
    own = np.moveaxis(np.indices(floor.shape), 0, -1)
    assert (all_places(joined(floor), 7) == own).all()
    inverse = np.full((60, 90), 0.25, np.float32)
    inverse[:, 40:] = 1
    surface = joined(inverse, torn=True)
    wall = replace(surface, quads=surface.quads.among(inverse == 0.25))
    own = np.moveaxis(np.indices(inverse.shape), 0, -1)
    assert (all_places(wall, 3) == own).all()
