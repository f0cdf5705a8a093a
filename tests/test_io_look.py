"""Lone pictures that show their scene twice without saying so: halves, cards, anaglyphs, panoramas of a full turn."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from conftest import SAMPLES
from photo_files import encoded

from depthapps import InputError, SceneParams, open_scene, read_image, write_image
from depthapps.core.choices import Layout, Quality
from depthapps.io.photos.look import halves, is_whole_sphere, look, split_anaglyph
from depthapps.io.photos.suspect import may_show_twice


@pytest.fixture(scope="module")
def views() -> tuple[np.ndarray, np.ndarray]:
    """The sample pair at half its size."""
    left, right = (read_image(SAMPLES / f"{name}.png") for name in ("left", "right"))
    small = [np.asarray(cv2.resize(view, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)) for view in (left, right)]
    return small[0], small[1]


def card_of(left: np.ndarray, right: np.ndarray, lower_px: int = 0) -> np.ndarray:
    """A scan of a stereo card: two prints on stained cardboard, with writing beside them."""
    height, width = left.shape[:2]
    random = np.random.default_rng(0)
    card = np.full((height + 70, 2 * width + 110, 3), (205, 186, 150), np.int16)
    card += random.normal(0, 3, (*card.shape[:2], 1)).astype(np.int16)
    card[30 : 30 + height, 40 : 40 + width] = left
    card[30 + lower_px : 30 + lower_px + height, 60 + width : 60 + 2 * width] = right
    card[height // 2 : height // 2 + 40, 22:28] = 60  # the publisher's name
    return card.clip(0, 255).astype(np.uint8)


def anaglyph_of(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.dstack([left[..., 0], right[..., 1:]])


def sphere(seed: int, width: int = 512) -> np.ndarray:
    """A panorama of a full turn: noise over the directions, so that the edges meet and the poles are points."""
    longitude = (np.arange(width) + 0.5) / width * 2 * np.pi
    latitude = ((np.arange(width // 2) + 0.5) / width * 2 - 0.5) * np.pi
    ways = np.stack([np.cos(latitude)[:, None] * np.cos(longitude), np.cos(latitude)[:, None] * np.sin(longitude),
                     np.repeat(np.sin(latitude)[:, None], width, axis=1)])  # fmt: skip
    random = np.random.default_rng(seed)
    waves = [np.sin(np.tensordot(random.normal(0, 6, 3), ways, 1) + random.uniform(0, 6)) for _ in range(24)]
    grey = np.clip(128 + 24 * np.sum(waves, axis=0), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def test_a_single_view_is_one(views):
    for view in views:
        assert not may_show_twice(encoded(view))
        assert look(view).layout is None


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 2), (3, 1), (1, 40), (40, 1)])
def test_a_picture_of_one_row_or_column_has_no_halves_that_are_alike(tmp_path, size):
    assert look(np.full((*size, 3), 99, np.uint8)).layout is None
    write_image(tmp_path / "a.png", np.full((*size, 3), 99, np.uint8))
    with pytest.raises(InputError, match="only one view"):
        open_scene(tmp_path / "a.png")


@pytest.mark.parametrize("layout", [Layout.SIDE_BY_SIDE, Layout.TOP_BOTTOM])
def test_halves_that_show_the_same(views, layout):
    both = np.hstack(views) if layout is Layout.SIDE_BY_SIDE else np.vstack(views)
    assert may_show_twice(encoded(both))
    seen = look(both)
    assert seen.layout is layout
    assert seen.views is not None
    assert all(np.array_equal(a, b) for a, b in zip(seen.views, views, strict=True))
    assert look(both.astype(np.uint16) << 4).layout is layout


@pytest.mark.parametrize("quality", [None, 90])
@pytest.mark.parametrize("layout", [Layout.SIDE_BY_SIDE, Layout.TOP_BOTTOM])
@pytest.mark.parametrize(("wide", "grey"), [(4, 255), (12, 0), (13, 128)])
def test_a_bar_between_the_views_belongs_to_neither(views, wide, grey, layout, quality):
    """Else it would move all of the right view, and infinity with it."""
    axis = 1 if layout is Layout.SIDE_BY_SIDE else 0
    first, second = (np.moveaxis(view, axis, 0) for view in views)
    bar = np.full((wide, *first.shape[1:]), grey, np.uint8)
    picture = np.moveaxis(np.concatenate([first, bar, second]), 0, axis)
    if quality:
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    left, right = halves(np.asarray(picture), layout)
    assert abs(left.shape[axis] - views[0].shape[axis]) <= wide % 2
    assert np.abs(np.moveaxis(right, axis, 0)[5:].astype(int) - second[-right.shape[axis] :][5:]).mean() < 6
    assert left.shape == right.shape


def test_dark_edges_of_the_views_are_no_bar(views):
    fade = np.minimum(np.arange(views[0].shape[1])[::-1] / 20, 1)[None, :, None]
    dark = (views[0] * fade).astype(np.uint8), (views[1] * fade[:, ::-1]).astype(np.uint8)
    for left, right in (dark, [(0.05 * v).astype(np.uint8) for v in views]):
        assert halves(np.hstack([left, right]), Layout.SIDE_BY_SIDE)[0].shape == left.shape


def test_a_repeated_pattern_is_no_pair():
    tile = cv2.resize(np.random.default_rng(1).integers(0, 255, (5, 5, 3)).astype(np.uint8), (30, 30))
    assert look(np.tile(tile, (12, 20, 1))).views is None


def test_the_prints_of_a_card_are_found(views):
    seen = look(card_of(*views, lower_px=3))
    assert seen.on_card
    assert seen.views is not None
    for found, view in zip(seen.views, views, strict=True):
        height, width = view.shape[:2]
        assert abs(found.shape[0] - height) <= 4
        assert abs(found.shape[1] - width) <= 3
        inner = np.ascontiguousarray(view[20:-20, 20:-20])
        assert cv2.matchTemplate(np.ascontiguousarray(found), inner, cv2.TM_CCOEFF_NORMED).max() > 0.999


def test_things_on_white_are_no_card():
    white = np.full((200, 400, 3), 255, np.uint8)
    thing = np.random.default_rng(2).integers(0, 200, (90, 60, 3)).astype(np.uint8)
    for x in (60, 250):
        cv2.circle(white, (x + 30, 100), 50, (90, 40, 30), -1)
        white[60:140, x + 10 : x + 50] = thing[:80, :40]
    assert not look(white).on_card


def test_an_anaglyph_is_split_into_grey_views(views):
    anaglyph = anaglyph_of(*views)
    assert may_show_twice(encoded(anaglyph))
    seen = look(anaglyph)
    assert seen.layout is Layout.ANAGLYPH
    assert seen.views is not None
    left, right = seen.views
    assert np.array_equal(left[..., 0], left[..., 2])
    assert np.array_equal(left[..., 0], views[0][..., 0])
    assert np.abs(right[..., 0].astype(int) - views[1][..., 1]).mean() < 12
    assert split_anaglyph(anaglyph.astype(np.uint16) << 8)[1].dtype == np.uint16


def test_panoramas_of_a_full_turn(views):
    assert is_whole_sphere(sphere(1))
    assert not any(is_whole_sphere(cv2.resize(view, (512, 256))) for view in views)
    assert not is_whole_sphere(np.full((256, 512, 3), 255, np.uint8))


def opened(path, **params):
    scene = open_scene(path, params=SceneParams(quality=Quality.FAST, calibration=SAMPLES / "calib.txt", **params))
    return scene, " ".join(str(note) for note in scene.notes)


def test_a_scene_from_halves_that_nothing_describes(tmp_path):
    left, right = (read_image(SAMPLES / f"{name}.png") for name in ("left", "right"))
    write_image(tmp_path / "both.png", np.hstack([left, right]))
    scene, notes = opened(tmp_path / "both.png")
    assert "shows its scene twice" in notes
    expected, _ = opened(tmp_path / "both.png", layout="side-by-side")
    assert np.array_equal(scene.disparity_px, expected.disparity_px, equal_nan=True)


def test_a_scene_from_an_anaglyph(tmp_path):
    left, right = (read_image(SAMPLES / f"{name}.png") for name in ("left", "right"))
    write_image(tmp_path / "a.jpg", anaglyph_of(left, right))
    scene, notes = opened(tmp_path / "a.jpg")
    assert "makeshift" in notes
    truth = cv2.imread(str(SAMPLES / "disparity.png"), cv2.IMREAD_UNCHANGED)
    assert truth is not None
    wrong = np.abs(scene.disparity_px - truth / 256) > 3
    assert float(wrong[truth > 0].mean()) < 0.2


@pytest.mark.parametrize("alike", [0.5, 0.0])
def test_what_is_not_sure_is_refused_with_a_hint(tmp_path, views, alike):
    left, right = views
    other = np.random.default_rng(3).integers(0, 255, right.shape).astype(np.uint8)
    right = np.vstack([right[: int(0.4 * len(right))], other[int(0.4 * len(right)) :]]) if alike else other
    write_image(tmp_path / "a.png", np.hstack([left, right]))
    with pytest.raises(InputError, match="only one view") as refused:
        open_scene(tmp_path / "a.png")
    assert "side-by-side" in refused.value.hint


@pytest.mark.parametrize(("band", "name"), [(1, "green and magenta"), (2, "blue and amber")])
def test_anaglyphs_of_other_colours_are_refused_by_name(tmp_path, views, band, name):
    left, right = views
    anaglyph = right.copy()
    anaglyph[..., band] = left[..., band]
    write_image(tmp_path / "a.png", anaglyph)
    with pytest.raises(InputError, match=name) as refused:
        open_scene(tmp_path / "a.png")
    assert "the left one first" in refused.value.hint


def test_narrow_halves_name_the_flag_for_squeezed_ones(tmp_path, views):
    both = np.hstack(views)
    write_image(tmp_path / "a.png", cv2.resize(both, (views[0].shape[1], views[0].shape[0])))
    scene = open_scene(tmp_path / "a.png", params=SceneParams(quality=Quality.FAST))
    assert "squeezed=True" in " ".join(map(str, scene.notes))


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("kind", ["depth", "disparity"])
def test_panoramas_with_a_map_are_refused_by_name(kind, stacked):
    picture = np.vstack([sphere(1), sphere(1)]) if stacked else sphere(1)
    given = np.full(picture.shape[:2], 2, np.float32)
    depth, disparity = (given, None) if kind == "depth" else (None, given)
    with pytest.raises(InputError, match="360° panorama") as refused:
        open_scene(picture, depth=depth, disparity=disparity)
    assert "image and" in refused.value.hint


@pytest.mark.parametrize("kind", ["top-bottom", "squeezed", "one", "told", "pair"])
def test_panoramas_are_refused_by_name(tmp_path, kind):
    above = np.vstack([sphere(1), np.roll(sphere(1), 2, axis=1)])
    picture = {"squeezed": cv2.resize(above, (512, 256)), "one": sphere(1)}.get(kind, above)
    write_image(tmp_path / "a.png", picture)
    write_image(tmp_path / "b.png", sphere(1))
    given = (tmp_path / "b.png", tmp_path / "b.png") if kind == "pair" else (tmp_path / "a.png",)
    params = SceneParams(layout=Layout.TOP_BOTTOM) if kind == "told" else None
    with pytest.raises(InputError, match="360° panorama"):
        open_scene(*given, params=params)
