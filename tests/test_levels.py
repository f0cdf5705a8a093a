"""Samples of any range are matched as well as 8 bits, and written pictures keep the range that they came with."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from conftest import read_raw
from PIL import Image as Pillow
from test_cli import run

from depthapps import (
    Layout,
    Metadata,
    Quality,
    Rectify,
    SceneParams,
    open_scene,
    read_disparity,
    read_image,
    read_photo,
    refocus,
    write_image,
)
from depthapps.core.color import to_8bit
from depthapps.core.levels import Levels, find_levels

RANGES = {
    "ten": (".png", lambda grey: grey.astype(np.uint16) * 4),
    "eleven": (".tif", lambda grey: grey.astype(np.uint16) * 8),
    "thermal": (".tif", lambda grey: grey.astype(np.uint16) * 6 + 7000),
    "sixteen": (".png", lambda grey: grey.astype(np.uint16) * 257),
    "signed": (".tif", lambda grey: (grey.astype(np.int16) - 100) * 20),
    "float255": (".tif", lambda grey: grey.astype(np.float32)),
    "celsius": (".tif", lambda grey: 15 + grey.astype(np.float32) * 0.1),
    "double": (".tif", lambda grey: grey.astype(np.float64) * 1e-4),
}


@pytest.fixture(scope="module")
def grey_pair(tmp_path_factory, two_layers):
    """A grey pair, its disparity, and its share of pixels off by more than 2 px in 8 bits."""
    folder = tmp_path_factory.mktemp("grey")
    views = [cv2.cvtColor(v, cv2.COLOR_RGB2GRAY) for v in (two_layers.pair.left, two_layers.pair.right)]
    return views, two_layers.disparity_px, _bad2(folder, views, ".png", two_layers.disparity_px)


def _bad2(folder, views, suffix, truth):
    """Percentage of pixels off by more than 2 px."""
    for name, view in zip("lr", views, strict=True):
        cv2.imwrite(str(folder / f"{name}{suffix}"), view)
    paths = (folder / f"l{suffix}", folder / f"r{suffix}")
    run("depth", *paths, "-o", folder / "d.npy", "--rectify", "never", "--overwrite")
    return 100 * np.mean(np.abs(read_disparity(folder / "d.npy") - truth)[np.isfinite(truth)] > 2)


@pytest.mark.parametrize("name", RANGES)
def test_any_range_is_matched_as_well_as_8_bits(tmp_path, grey_pair, name):
    (left, right), truth, bad2 = grey_pair
    suffix, convert = RANGES[name]
    assert _bad2(tmp_path, [convert(left), convert(right)], suffix, truth) < bad2 + 0.3


@pytest.mark.parametrize("name", ["eleven", "thermal", "float255", "celsius"])
def test_pictures_keep_the_range_they_came_with(tmp_path, step_scene, name):
    suffix, convert = RANGES[name]
    texture = np.random.default_rng(0).integers(0, 256, step_scene.depth_m.shape).astype(np.uint8)
    given = convert(cv2.GaussianBlur(texture, (0, 0), 1))
    cv2.imwrite(str(tmp_path / f"photo{suffix}"), given)
    np.save(tmp_path / "z.npy", step_scene.depth_m)
    out, small = tmp_path / f"out{suffix}", tmp_path / "out.jpg"
    arguments = ("bokeh", tmp_path / f"photo{suffix}", "--depth", tmp_path / "z.npy", "--focus-depth", "1", "-o")
    assert "are taken as black to white" in run(*arguments, out).stderr
    written = read_raw(out)[..., 0]
    assert written.dtype == given.dtype
    focused = np.s_[35:55, 50:70]
    span = float(np.ptp(given))
    assert np.abs(written[focused].astype(float) - given[focused]).mean() < 0.01 * span
    assert given.min() - 0.01 * span <= written.min() <= written.max() <= given.max() + 0.01 * span
    run(*arguments, small)
    assert 60 < read_raw(small).mean() < 200  # neither black nor white


def test_dead_pixels_do_not_set_the_range():
    view = np.random.default_rng(0).integers(7000, 8500, (200, 300, 3)).astype(np.uint16)
    view[10, 10] = 65535
    levels = find_levels(view)
    assert levels is not None
    assert levels.low >= 6000
    assert levels.high < 9500


def test_what_uses_its_type_is_left_alone():
    rng = np.random.default_rng(0)
    assert find_levels(rng.integers(0, 40, (50, 50, 3)).astype(np.uint8)) is None
    assert find_levels(rng.integers(0, 30000, (50, 50, 3)).astype(np.uint16)) is None
    light = rng.random((50, 50, 3)).astype(np.float32) ** 2
    light[:2, :2] = 900  # a lamp
    assert find_levels(light) is None
    assert find_levels(np.full((50, 50, 3), 7, np.uint16)) is None


def test_both_views_are_stretched_alike():
    left = np.full((40, 40, 3), 1000, np.uint16)
    left[:20] = 1500
    right = left + np.uint16(500)
    assert find_levels(left, right) == find_levels(right, left) == Levels(1000, 2000)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_stretching_can_be_undone(dtype):
    samples = np.linspace(7012, 8530, 500).reshape(10, 50).astype(dtype)
    levels = Levels(7012, 8530)
    assert np.abs(levels.restored(levels.stretched(samples)) - samples).max() <= 0.01
    assert np.ptp(to_8bit(levels.stretched(samples))) == 255


def test_arrays_of_any_range_are_stretched_too(step_scene):
    grey = (np.arange(90 * 120).reshape(90, 120) % 1000).astype(np.int16)
    opened = open_scene(grey, depth=step_scene.depth_m)
    assert opened.scene.image.shape == (90, 120, 3)
    assert opened.scene.image.max() > 60000
    assert opened.metadata.levels == Levels(0, 1023)


@pytest.mark.parametrize("planes", [False, True])
@pytest.mark.parametrize("bands", [2, 5, 8])
def test_of_many_bands_the_first_three_are_the_picture(tmp_path, bands, planes):
    tifffile = pytest.importorskip("tifffile", reason="the extra bands is not installed")
    samples = np.random.default_rng(0).integers(0, 2000, (20, 30, bands)).astype(np.uint16)
    data, how = (np.moveaxis(samples, 2, 0), "separate") if planes else (samples, "contig")
    tifffile.imwrite(tmp_path / "a.tif", data, planarconfig=how, photometric="minisblack")
    expected = samples[..., :3] if bands > 2 else samples[..., :1].repeat(3, axis=2)
    assert np.array_equal(read_image(tmp_path / "a.tif"), expected)


def test_many_bands_name_their_extra(tmp_path, monkeypatch, step_scene):
    tifffile = pytest.importorskip("tifffile", reason="the extra bands is not installed")
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 9, 6), np.uint16), planarconfig="contig")
    monkeypatch.setitem(__import__("sys").modules, "tifffile", None)
    with pytest.raises(Exception, match="bands") as error:
        read_image(tmp_path / "a.tif")
    assert error.value.hint == "pip install 'depthapps[bands]'"  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(("suffix", "dtype"), [(".png", np.uint8), (".png", np.uint16), (".tif", np.uint8)])
def test_what_is_transparent_stays_so_and_is_no_surface(tmp_path, step_scene, suffix, dtype):
    alpha = np.full((90, 120), np.iinfo(dtype).max, dtype)
    alpha[:, :20] = 0
    color = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (90, 120, 3)).astype(dtype)
    if suffix == ".tif":
        Pillow.fromarray(np.dstack([color, alpha])).save(tmp_path / "photo.tif")
    else:
        cv2.imwrite(str(tmp_path / "photo.png"), np.dstack([color, alpha]))
    np.save(tmp_path / "z.npy", step_scene.depth_m)
    given = ("--depth", tmp_path / "z.npy")
    out = tmp_path / f"out{suffix}"
    result = run("bokeh", tmp_path / f"photo{suffix}", *given, "-o", out, "--save-depth", tmp_path / "kept.npy")
    assert "17 % of the picture is transparent" in result.stderr
    assert np.array_equal(read_raw(out)[..., 3], alpha)
    assert np.isnan(np.load(tmp_path / "kept.npy")[:, :20]).all()
    opened = open_scene(tmp_path / f"photo{suffix}", depth=step_scene.depth_m)
    write_image(tmp_path / f"again{suffix}", refocus(opened.scene).image, opened.metadata)
    assert np.array_equal(read_raw(tmp_path / f"again{suffix}"), read_raw(out))
    write_image(tmp_path / "flat.jpg", opened.scene.image, opened.metadata)
    assert read_raw(tmp_path / "flat.jpg").shape == (90, 120, 3)


@pytest.mark.parametrize(
    ("named", "cross_eyed"), [(False, False), (True, False), (True, True)], ids=["seen", "named", "cross-eyed"]
)
def test_a_picture_of_two_views_keeps_the_left_ones_opacity(tmp_path, two_layers, named, cross_eyed):
    views = [two_layers.pair.right, two_layers.pair.left][:: 1 if cross_eyed else -1]
    alpha = [np.full(view.shape[:2], 255, np.uint8) for view in views]
    left = alpha[1 if cross_eyed else 0]
    left[:40] = 0
    rgba = np.dstack([np.hstack(views)[..., ::-1], np.hstack(alpha)])
    cv2.imwrite(str(tmp_path / "both.png"), rgba)
    params = SceneParams(
        layout=Layout.SIDE_BY_SIDE if named else None,
        cross_eyed=cross_eyed,
        rectify=Rectify.NEVER,
        quality=Quality.FAST,
    )
    opened = open_scene(tmp_path / "both.png", params=params)
    kept = opened.metadata.alpha
    assert kept is not None
    assert np.array_equal(kept, left / np.float32(255))
    assert np.isnan(opened.scene.depth_m[:40]).all()


def test_an_opaque_alpha_channel_is_none(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((8, 9, 4), 255, np.uint8))
    assert read_photo(tmp_path / "a.png").metadata == Metadata()
    assert read_photo(tmp_path / "a.png").metadata.alpha is None
