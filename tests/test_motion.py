"""An orbit looks at one point, a dolly zoom keeps one distance's size, and neither shows the model's border."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image as Pillow
from test_cli import run

import depthapps as da
from depthapps.apps import motion
from depthapps.apps.motion import moving_frames
from depthapps.apps.turntable import render_view
from depthapps.draw.background import guess_background
from depthapps.mesh.view import NewView

NEAR_M, WALL_M, SIZE = 1.0, 3.0, (160, 120)
CAMERA = da.Camera.centred(160, 120, 160.0)


@pytest.fixture(scope="module")
def model() -> da.Model:
    """A red square in the middle, 1 m away, before a blue wall with two green squares, 3 m away."""
    depth, image = np.full((120, 160), WALL_M, np.float32), np.full((120, 160, 3), (40, 60, 160), np.uint8)
    image[10:20, 30:40] = image[10:20, 120:130] = (60, 200, 60)
    depth[45:75, 65:95], image[45:75, 65:95] = NEAR_M, (200, 60, 40)
    return da.make_model(da.Scene(image, depth, CAMERA), da.ModelParams(turn_deg=15))


def width(mask: np.ndarray) -> int:
    columns = np.flatnonzero(mask.any(axis=0))
    return int(columns[-1] - columns[0] + 1)


def red(frame: np.ndarray) -> np.ndarray:
    return (frame[..., 0] > 150) & (frame[..., 2] < 100)


def green(frame: np.ndarray) -> np.ndarray:
    return (frame[..., 1] > 150) & (frame[..., 0] < 120)


def test_tiny_pictures_are_refused_by_their_size(tmp_path):
    da.write_image(tmp_path / "p.png", np.zeros((6, 8, 3), np.uint8))
    da.write_depth(tmp_path / "z.npy", np.full((6, 8), 2, np.float32))
    photo = ("view3d", tmp_path / "p.png", "--depth", tmp_path / "z.npy", "-o", tmp_path / "a.gif")
    for more in ((), ("--motion", "orbit"), ("--motion", "dolly-zoom")):
        assert "8x6, too small to be seen in depth" in run(*photo, *more, code=1).stderr


def test_a_dolly_zoom_keeps_the_size_of_what_it_names_and_brings_the_wall_close(model):
    frames = list(moving_frames(model, da.Motion.DOLLY_ZOOM, NEAR_M, SIZE, 4))
    assert len(frames) == 4
    sizes = [width(red(frame)) for frame in frames]
    assert max(sizes) - min(sizes) <= 1
    walls = [width(green(frame)) for frame in frames]
    # half as far away again: the wall is 3.5 m away, seen 1.5 times as large
    assert walls[2] / walls[0] == pytest.approx(1.5 * 3 / 3.5, abs=0.03)
    assert walls[1] == walls[3]
    assert not (frames[0] == 0).all(axis=2).any()


def test_an_orbit_looks_at_its_point_from_all_sides(model):
    frames = list(moving_frames(model, da.Motion.ORBIT, NEAR_M, SIZE, 8))
    middles = np.array([[axis.mean() for axis in np.nonzero(red(frame))] for frame in frames])
    assert np.abs(middles - (59.5, 79.5)).max() < 1.5
    places = np.array([[axis.mean() for axis in np.nonzero(green(frame))] for frame in frames])
    swing = np.ptp(places, axis=0)
    assert swing[1] > 1.7 * swing[0] > 5  # wider than high
    assert np.abs(frames[0].astype(int) - frames[4]).max() > 100


@pytest.mark.parametrize("motion", [da.Motion.ORBIT, da.Motion.DOLLY_ZOOM])
def test_the_border_of_the_model_is_not_shown(model, motion):
    for frame in moving_frames(model, motion, WALL_M, SIZE, 8):
        border = np.concatenate([frame[0], frame[-1], frame[:, 0], frame[:, -1]])
        assert (border.max(axis=1) > 60).mean() > 0.98


def test_the_memory_of_the_model_is_told(tmp_path):
    da.write_image(tmp_path / "photo.png", np.full((900, 1200, 3), 128, np.uint8))
    da.write_depth(tmp_path / "z.npy", np.full((900, 1200), 2, np.float32))
    photo = ("view3d", tmp_path / "photo.png", "--depth", tmp_path / "z.npy", "--json", "--max-memory", "450M")
    still = json.loads(run(*photo, "-o", tmp_path / "a.png").stdout)["memory_gb"]["needed"]
    assert still == pytest.approx(0.3 + 95 * 900 * 1200 / 1e9, abs=0.01)
    refused = run(*photo, "-o", tmp_path / "a.mp4", "--motion", "orbit", code=1).stderr
    assert "takes about 0.8 GB" in refused  # 475 bytes a pixel
    small = ("--view-size", 400, "--views", 2)
    moved = json.loads(run(*photo, "-o", tmp_path / "a.mp4", "--motion", "orbit", *small).stdout)["memory_gb"]["needed"]
    assert moved == pytest.approx(0.3 + (31 * 900 * 1200 + 475 * 400**2) / 1e9, abs=0.01)


def test_the_command_writes_the_loop(tmp_path):
    rng = np.random.default_rng(0)
    da.write_image(tmp_path / "photo.png", rng.integers(60, 256, (90, 120, 3), np.uint8))
    da.write_depth(tmp_path / "z.npy", np.full((90, 120), 2, np.float32))
    photo = ("view3d", tmp_path / "photo.png", "--depth", tmp_path / "z.npy", "--fov", "60")
    told = run(*photo, "-o", tmp_path / "a.webp", "--motion", "orbit", "--views", 6, "--view-size", 100)
    assert "a loop of 6 pictures, 100x75 px" in told.stdout + told.stderr
    assert "second view" not in told.stdout + told.stderr  # one eye sees it
    with Pillow.open(tmp_path / "a.webp") as file:
        assert (file.n_frames, file.size) == (6, (100, 75))  # pyright: ignore[reportAttributeAccessIssue]
    run(*photo, "-o", tmp_path / "b.webp", "--motion", "dolly-zoom", "--convergence", "2", "--views", 4)


@pytest.mark.parametrize("more", [("a.png",), ("a.gif", "--motion", "orbit", "--views", 2)])
def test_views_that_are_not_as_large_as_was_asked_for_are_told(tmp_path, more):
    da.write_image(tmp_path / "photo.png", np.full((60, 80, 3), 128, np.uint8))
    da.write_depth(tmp_path / "z.npy", np.full((60, 80), 2, np.float32))
    photo = ("view3d", tmp_path / "photo.png", "--depth", tmp_path / "z.npy", "--overwrite", "-o", tmp_path / more[0])
    for size, told in (([], False), (["--view-size", 80], False), (["--view-size", 800], True)):
        words = run(*photo, *more[1:], *size).stderr
        assert ("their longest side is 80 px, not 800 (--view-size)" in words) == told
        assert ("enlarged" in words) == told


def test_a_picture_of_a_motion_is_not_written(tmp_path):
    scene = da.Scene(np.full((90, 120, 3), 90, np.uint8), np.full((90, 120), 2, np.float32), CAMERA.scaled_to(120, 90))
    calibration = da.Calibration(scene.camera, 0.1)
    opened = da.OpenedScene(
        scene=scene, calibration=calibration, disparity_px=np.full((90, 120), 6, np.float32),
        metadata=da.Metadata(), depth_is_given=True, views=None, name="photo",
    )  # fmt: skip
    shown = da.make_view3d(opened, da.View3DParams(motion=da.Motion.ORBIT))
    with pytest.raises(da.InputError, match="is for animations"):
        da.write_view3d(tmp_path / "a.jpg", shown)
    assert not list(tmp_path.iterdir())


def test_what_the_model_leaves_free_is_filled_with_the_background_beside_it(model, monkeypatch):
    """Behind thin things a model may have small holes: they are no black specks, nor smeared by what is near."""
    drawn = render_view(model, CAMERA)
    free = np.zeros((120, 160), bool)
    free[50:60, 88:108] = True  # from within the square to beyond its edge
    holed = NewView(
        np.where(free[..., None], np.uint8(0), drawn.image),
        np.where(free, np.float32(np.nan), drawn.depth_m),
        np.where(free, np.float32(0), drawn.covered),
    )
    monkeypatch.setattr(motion, "render_view", lambda *_, **__: holed)
    [frame] = moving_frames(model, da.Motion.ORBIT, NEAR_M, SIZE, 1)
    assert np.abs(frame[free].astype(int) - (40, 60, 160)).max() < 12
    assert np.array_equal(frame[~free], holed.image[~free])


def test_rows_that_show_nothing_at_all_take_the_background_of_those_beside_them():
    seen = np.ones((40, 60), bool)
    seen[:8] = seen[20:24] = False
    shown, near = (np.where(seen, np.float32(value), np.float32(0)) for value in (200, 1000))
    filled = guess_background(shown[..., None].repeat(3, axis=2), seen, near)
    assert np.allclose(filled, 200, atol=0.1)


@pytest.mark.parametrize("more", [(), ("--view-size", 80)])
def test_around_what_is_cut_out_of_a_photo_a_motion_shows_nothing(tmp_path, more):
    picture = np.full((120, 160, 4), (200, 60, 40, 0), np.uint8)
    picture[30:90, 50:110, 3] = 255
    Pillow.fromarray(picture).save(tmp_path / "p.png")
    da.write_depth(tmp_path / "z.npy", np.full((120, 160), 2, np.float32))
    photo = ("view3d", tmp_path / "p.png", "--depth", tmp_path / "z.npy", "--motion", "orbit", "--views", 2, *more)
    run(*photo, "-o", tmp_path / "a.webp")
    with Pillow.open(tmp_path / "a.webp") as loop:
        frame = np.asarray(loop.convert("RGB")).astype(int)
    height, width = frame.shape[:2]
    assert frame[:, : width // 10].max() < 30
    assert abs(frame[height // 2, width // 2] - (200, 60, 40)).max() < 20


@pytest.mark.parametrize("turn", [float("nan"), float("inf")])
def test_a_turn_by_no_angle_is_refused(turn):
    scene = da.Scene(
        np.full((20, 30, 3), 90, np.uint8), np.full((20, 30), 2, np.float32), da.Camera.from_fov(30, 20, 60)
    )
    with pytest.raises(da.InputError, match=f"by {turn} degrees"):
        next(iter(da.turntable(da.make_model(scene), turn)))
