"""Which of two views is the left one, wherever infinity lies."""

from __future__ import annotations

from importlib.util import find_spec

import cv2
import numpy as np
import pytest
from photo_files import HeifItem, heif_file, multi_picture

from depthapps import (
    Calibration,
    Camera,
    Image,
    PhotoPair,
    Quality,
    SceneParams,
    match_photos,
    open_scene,
    read_image,
)
from depthapps.engine.front.coarse import match_coarse
from depthapps.engine.front.order import look_exchanged
from depthapps.engine.front.range import find_range
from depthapps.io.photos.contents import read_contents

WIDTH, HEIGHT = 400, 240
FAR_PX = 6


def cards(nearest_px: int, offset_px: int = 0) -> tuple[Image, Image]:
    """Two views of cards of a colour each before a wall, with faint texture, and infinity at −offset_px."""
    rng = np.random.default_rng(0)

    def painted(height: int, width: int) -> np.ndarray:
        texture = cv2.GaussianBlur(rng.normal(0, 1, (height, width)), (0, 0), 1) * 60
        return np.clip(rng.uniform(50, 200, 3) + texture[..., None], 0, 255).astype(np.uint8)

    wall = painted(HEIGHT, WIDTH + 200)
    views = [wall[:, 100 + shift :][:, :WIDTH].copy() for shift in (0, FAR_PX - offset_px)]
    for near in np.linspace(FAR_PX, nearest_px, 13)[1:].astype(int):
        width, height = rng.integers(40, 70, 2)
        x, y = rng.integers(60, WIDTH - 130), rng.integers(0, HEIGHT - height)
        card = painted(height, width)
        for view, at in zip(views, (x, x - near + offset_px), strict=True):
            view[y : y + height, at : at + width] = card
    return views[0], views[1]


@pytest.mark.parametrize("offset_px", [0, 20, 60, -30])
def test_the_order_is_seen_wherever_infinity_lies(offset_px):
    left, right = cards(40, offset_px)
    assert not look_exchanged(left, right, 5 - offset_px, 41 - offset_px)
    assert look_exchanged(right, left, offset_px - 41, offset_px - 5)


def snowy_tree(seed: int, relief_px: float) -> tuple[Image, Image]:
    """Two noisy views of many thin bright twigs, at up to relief_px, before a far wood without strong contours."""
    rng = np.random.default_rng(seed)
    border, layers = 40, 6

    def painted(level: float, contrast: float, blur_px: float) -> np.ndarray:
        texture = cv2.GaussianBlur(rng.normal(0, 1, (HEIGHT, WIDTH + 2 * border)), (0, 0), blur_px)
        return (level + rng.uniform(-20, 20, 3) + contrast * (texture / texture.std())[..., None]).astype(np.float32)

    wood = painted(90, 12, 2)[:, border:-border]
    views = [wood.copy(), wood.copy()]
    for layer in range(layers):
        snow, mask = painted(190, 15, 1), np.zeros((HEIGHT, WIDTH + 2 * border), np.uint8)
        for start in rng.uniform(0, (WIDTH + 2 * border, HEIGHT), (10, 2)):
            bends = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.5, 12))
            twig = start + np.cumsum(20 * np.stack([np.cos(bends), np.sin(bends)], 1), axis=0)
            line = np.rint(16 * twig).astype(np.int32)  # in 16ths of a pixel
            cv2.polylines(mask, [line], False, 255, int(rng.integers(2, 5)), cv2.LINE_AA, 4)
        for view, shift in zip(views, (0, relief_px * (layers + layer + 1) / (2 * layers)), strict=True):
            moved = np.array([[1, 0, -border - shift], [0, 1, 0]], np.float32)
            part = cv2.warpAffine(mask, moved, (WIDTH, HEIGHT)).astype(np.float32)[..., None] / 255
            view += part * (cv2.warpAffine(snow, moved, (WIDTH, HEIGHT)) - view)
    left, right = (np.clip(view + rng.normal(0, 4, view.shape), 0, 255).astype(np.uint8) for view in views)
    return left, right


@pytest.mark.parametrize("relief_px", [6, 12, 24])
@pytest.mark.parametrize("seed", range(3))
def test_thin_twigs_close_to_the_camera_are_seen_to_be_near(seed, relief_px):
    left, right = snowy_tree(seed, relief_px)
    assert not look_exchanged(left, right, -2, relief_px + 4)
    assert look_exchanged(right, left, -relief_px - 4, 2)


def test_where_nothing_is_hidden_there_is_no_telling():
    left, right = cards(FAR_PX)  # all in one plane
    assert not look_exchanged(left, right, 0, 16)
    assert not look_exchanged(right, left, -16, 0)


def test_where_nothing_is_hidden_the_ground_tells_a_guess_from_what_was_named():
    texture = cv2.GaussianBlur(np.random.default_rng(0).normal(128, 250, (HEIGHT, WIDTH + 40)), (0, 0), 1.5)
    ground = np.repeat(np.clip(texture, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    near_px = np.linspace(2, 20, HEIGHT).astype(int)  # nearer further down
    left = ground[:, :WIDTH].copy()
    right = np.stack([row[near:][:WIDTH] for row, near in zip(ground, near_px, strict=True)])
    for as_named in (True, False):
        assert not look_exchanged(left, right, 0, 24, as_named=as_named)
        assert look_exchanged(right, left, -24, 0, as_named=as_named) != as_named


def test_exchanged_views_on_common_rows_are_matched_the_other_way_round():
    calibration = Calibration(Camera.centred(WIDTH, HEIGHT, 350), 0.065)

    def found(first: Image, second: Image, *, infinity_known: bool = False):
        pair = PhotoPair(first, second, calibration)
        return match_photos(pair, Quality.FAST, infinity_known=infinity_known, confidence=False).report

    left, right = cards(40)
    assert found(left, right) is None
    left, right = cards(40, 50)  # exchanged, everything moves to the left as in a pair in order
    report = found(right, left)
    assert report is not None
    assert report.exchanged
    assert found(right, left, infinity_known=True) is None


def test_a_file_that_says_which_view_is_left_is_believed(tmp_path):
    left, right = cards(40, 50)
    params = SceneParams(quality=Quality.FAST)
    apart = open_scene(right, left, params, confidence=False)
    assert apart.facts["rectification"]["exchanged"]

    views = [cv2.imencode(".jpg", view[..., ::-1])[1].tobytes() for view in (right, left)]
    files = {"a.mpo": multi_picture(views, [1, 2])}
    if find_spec("pillow_heif"):
        files["a.heic"] = heif_file([HeifItem(right), HeifItem(left)], stereo=(1, 2))
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        found = open_scene(tmp_path / name, params=params, confidence=False)
        assert found.facts["rectification"]["method"] == "none"  # taken as it is


def test_the_wrong_order_of_calibrated_views_is_told(tmp_path):
    left, right = cards(40)
    (tmp_path / "calib.txt").write_text(
        f"cam0=[350 0 {(WIDTH - 1) / 2}; 0 350 {(HEIGHT - 1) / 2}; 0 0 1]\ncam1=[350 0 {(WIDTH - 1) / 2}; 0 350 "
        f"{(HEIGHT - 1) / 2}; 0 0 1]\ndoffs=0\nbaseline=65\nwidth={WIDTH}\nheight={HEIGHT}\n"
    )
    params = SceneParams(quality=Quality.FAST, calibration=tmp_path / "calib.txt")
    found, in_order = (open_scene(*views, params, confidence=False) for views in ((right, left), (left, right)))
    assert found.facts["rectification"]["exchanged"]
    assert found.facts["rectification"]["method"] == "none"
    assert any("the second photo was taken from the left" in str(note) for note in found.notes)
    assert "exchanged" not in in_order.facts["rectification"]
    assert np.median(found.scene.depth_m) == pytest.approx(np.median(in_order.scene.depth_m), rel=0.01)


def test_a_3d_cameras_views_in_two_files_keep_their_order(real_pairs):
    """Of a tree before a house, 100 px farther right in the right view: the pose looks exchanged, and is not."""
    file = real_pairs.parent / "photos" / "nintendo_3ds.mpo"
    if not file.exists():
        pytest.skip("the photos are not on this machine")
    views = read_contents(file)
    assert views.right is not None
    calibration = Calibration(Camera.from_fov(640, 480, 60), 0.065)
    pair = PhotoPair(views.photo.image, views.right, calibration)
    report = match_photos(pair, Quality.FAST, confidence=False).report
    assert report is not None
    assert not report.exchanged


@pytest.mark.parametrize(
    "name",
    [
        "middlebury2014_q-motorcycle",
        "kitti2015-000013",
        "kitti2015-000040",
        "middlebury2005-art",
        "middlebury2006-baby1",
        "middlebury2006-bowling1",
    ],
)
def test_the_order_of_real_pairs(real_pairs, name):
    left, right = (read_image(real_pairs / name / f"im{k}.png") for k in (0, 1))
    mirrored = [np.ascontiguousarray(view[:, ::-1]) for view in (right, left)]
    for one, two in ((left, right), mirrored):
        for first, second, exchanged in ((one, two, False), (two, one, True)):
            grey, other = (cv2.cvtColor(view, cv2.COLOR_RGB2GRAY) for view in (first, second))
            low, high = find_range(match_coarse(grey, other), order_known=True)
            assert look_exchanged(first, second, low, high) == exchanged
