"""depthapps calibrate: exact rigs found again from rendered photos of boards, and photos that are of no use."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from boards import CHARUCO, CHESSBOARD, RIG, SIZE, photograph, render
from conftest import ROOT, read_raw
from test_cli import entries, run

from depthapps import read_calibration, write_image

REAL = ROOT.parent / "shared" / "data" / "calibration"
BOARDS = {
    "chessboard": (CHESSBOARD, ["--board", "9x6", "--square", "0.03"]),
    "charuco": (CHARUCO, ["--board", "charuco:8x6", "--square", "0.035", "--marker", "0.026"]),
}


@pytest.fixture(scope="module", params=BOARDS)
def boards(request, tmp_path_factory):
    """A folder of rendered pairs of photos of a board, and the options that describe it."""
    folder = tmp_path_factory.mktemp(request.param)
    board, options = BOARDS[request.param]
    photograph(folder, board, count=8)
    return folder, options


@pytest.fixture(scope="module")
def chessboard(tmp_path_factory):
    """A folder of four pairs of photos of a chessboard."""
    folder = tmp_path_factory.mktemp("four")
    photograph(folder, CHESSBOARD, count=4, seed=3)
    return folder


def calibrate(folder: Path, *arguments, code: int = 0):
    return run("calibrate", "--left", folder / "left*.png", "--right", folder / "right*.png", *arguments, code=code)


def test_a_rig_is_found_again(boards, tmp_path):
    folder, options = boards
    result = calibrate(folder, *options, "-o", tmp_path / "rig.yml", "--coverage", tmp_path / "cover.png",
                       "--example", tmp_path / "example.png", "--json")  # fmt: skip
    facts = json.loads(result.stdout)
    rig = read_calibration(tmp_path / "rig.yml").rig(*SIZE)
    assert rig is not None
    for found, true in ((rig.left, RIG.left), (rig.right, RIG.right)):
        assert found.pinhole.fx == pytest.approx(true.pinhole.fx, rel=0.004)
        assert found.pinhole.fy == pytest.approx(true.pinhole.fy, rel=0.004)
        assert found.pinhole.cx == pytest.approx(true.pinhole.cx, abs=2)
        assert found.pinhole.cy == pytest.approx(true.pinhole.cy, abs=2)
        assert found.distortion[0] == pytest.approx(true.distortion[0], abs=0.02)
    assert np.linalg.norm(cv2.Rodrigues(rig.rotation @ RIG.rotation.T)[0]) < 0.005  # 2 px of the principal point
    assert rig.translation_m == pytest.approx(RIG.translation_m, abs=6e-4)
    assert facts["rms_px"] < 0.15
    assert facts["used"] == facts["shots"] == 8
    assert facts["epipolar_error_px"]["before"] > 3
    assert facts["epipolar_error_px"]["after"] < 0.12
    assert set(facts["outputs"]) == {str(tmp_path / name) for name in ("rig.yml", "cover.png", "example.png")}
    assert "left03.png" in result.stderr
    assert read_raw(tmp_path / "example.png").shape == (SIZE[1], 2 * SIZE[0], 3)


def test_opencv_reads_what_is_written(chessboard, tmp_path):
    calibrate(chessboard, "--board", "9x6", "--square", 0.03, "-o", tmp_path / "rig.xml")
    storage = cv2.FileStorage(str(tmp_path / "rig.xml"), cv2.FILE_STORAGE_READ)
    matrices = {name: storage.getNode(name).mat() for name in ("K1", "D1", "K2", "D2", "R", "T")}
    assert {name: m.shape for name, m in matrices.items()} == {
        "K1": (3, 3), "D1": (1, 5), "K2": (3, 3), "D2": (1, 5), "R": (3, 3), "T": (3, 1)
    }  # fmt: skip
    assert storage.getNode("image_width").real() == SIZE[0]
    assert 0 < storage.getNode("rms_px").real() < 0.2


def test_one_camera_alone(chessboard, tmp_path):
    result = run("calibrate", "--left", chessboard / "left*.png", "--board", "9x6", "--square", 0.03,
                 "-o", tmp_path / "phone.yml", "--json")  # fmt: skip
    assert json.loads(result.stdout)["cameras"]["left"]["fx_px"] == pytest.approx(400, rel=0.01)
    found = read_calibration(tmp_path / "phone.yml")
    assert (found.width, found.baseline_m) == (SIZE[0], None)


def test_shots_of_no_use_are_left_out_with_the_reason(boards, tmp_path):
    source, options = boards
    folder = tmp_path / "shots"
    shutil.copytree(source, folder)
    grey = read_raw(folder / "left00.png")
    write_image(folder / "left20.png", np.full_like(grey, 90))
    shutil.copy(folder / "right00.png", folder / "right20.png")
    for side in ("left", "right"):
        shutil.copy(folder / f"{side}01.png", folder / f"{side}21.png")
    shutil.copy(folder / "left02.png", folder / "left22.png")
    shutil.copy(folder / "right03.png", folder / "right22.png")  # the board moved between the two
    shutil.copy(folder / "left02.png", folder / "left23.png")
    write_image(folder / "left24.png", grey[::2])
    shutil.copy(folder / "right00.png", folder / "right24.png")
    (folder / "left25.png").write_bytes(b"no picture")
    shutil.copy(folder / "right00.png", folder / "right25.png")
    result = calibrate(folder, *options, "-o", tmp_path / "rig.yml", "--json")
    facts = json.loads(result.stdout)
    reasons = {name.removeprefix("left").removesuffix(".png"): why for name, why in facts["rejected"].items()}
    expected = {
        "20": "not found in the left view",
        "21": "same place as in left01.png",
        "22": "moved or blurred",
        "23": "no photo of that name",
        "24": "480x180 and 480x360",
        "25": "not an image",
    }
    assert set(reasons) == set(expected)
    for name, why in expected.items():
        assert why in reasons[name]
        assert f"left{name}.png is left out" in result.stderr
    assert facts["used"] == 8
    assert facts["rms_px"] < 0.15


def give_other_partners(source: Path, folder: Path, order: list[int]) -> None:
    """The shots with their right photos in another order."""
    shutil.copytree(source, folder)
    for k, other in enumerate(order):
        shutil.copy(source / f"right{other:02d}.png", folder / f"right{k:02d}.png")


def test_photos_of_other_moments_do_not_spoil_the_rest(boards, tmp_path):
    source, options = boards
    give_other_partners(source, tmp_path / "shots", [0, 1, 2, 3, 4, 6, 7, 5])
    facts = json.loads(calibrate(tmp_path / "shots", *options, "-o", tmp_path / "rig.yml", "--json").stdout)
    assert set(facts["rejected"]) == {f"left{k:02d}.png" for k in (5, 6, 7)}
    assert facts["rms_px"] < 0.15


def test_shots_that_contradict_each_other_are_no_calibration(boards, tmp_path):
    source, options = boards
    give_other_partners(source, tmp_path / "shots", [3, 5, 7, 1, 6, 2, 0, 4])
    result = calibrate(tmp_path / "shots", *options, "-o", tmp_path / "rig.yml", code=1)
    assert "contradict each other" in result.stderr or "can be used" in result.stderr
    assert not (tmp_path / "rig.yml").exists()


def test_nothing_is_written_where_nothing_was_found(chessboard, tmp_path):
    out = ["-o", tmp_path / "rig.yml"]
    cases = {
        "0 of 4 shots show the board": [chessboard, "--board", "7x5", "--square", 0.03, *out],
        "no board": [chessboard, "--board", "nine", "--square", 0.03, *out],
        "a board of 2x6": [chessboard, "--board", "2x6", "--square", 0.03, *out],
        "squares of 0 m": [chessboard, "--board", "9x6", "--square", 0, *out],
        "squares of 1e+06 m": [chessboard, "--board", "9x6", "--square", 1e6, *out],
        "squares of 1e-07 m": [chessboard, "--board", "9x6", "--square", 1e-7, *out],
        "squares of nan m": [chessboard, "--board", "9x6", "--square", "nan", *out],
        "more than 100 along a side": [chessboard, "--board", "charuco:5000x5000", "--square", 0.03, *out],
        "has 200 markers, 4X4_50 has 50": [chessboard, "--board", "charuco:20x20", "--square", 0.03, *out],
        "no dictionary '9X9'": [chessboard, "--board", "charuco:8x6", "--square", 1, "--dictionary", "9x9", *out],
        "8x6 is a chessboard": [chessboard, "--board", "8x6", "--square", 0.03, "--dictionary", "4X4_50", *out],
        "chessboard, which has no markers": [chessboard, "--board", "8x6", "--square", 0.03, "--marker", 0.02, *out],
        "do not fit into squares": [chessboard, "--board", "charuco:8x6", "--square", 1, "--marker", 2, *out],
        "no photo matches": [tmp_path, "--board", "9x6", "--square", 0.03, *out],
        "which a calibration": [chessboard, "--board", "9x6", "--square", 0.03, "-o", tmp_path / "rig.png"],
        "does not exist": [chessboard, "--board", "9x6", "--square", 0.03, "-o", tmp_path / "no" / "rig.yml"],
    }
    for message, (folder, *arguments) in cases.items():
        result = calibrate(folder, *arguments, code=1)
        assert message in result.stderr
        lines = [line for line in result.stderr.splitlines() if not line.startswith("note:")]
        assert [line.partition(":")[0] for line in lines] == ["error", "hint"]
    one = ["--left", chessboard / "left*.png", "--board", "9x6", "--square", 0.03, *out]
    assert "--example shows a pair" in run("calibrate", *one, "--example", tmp_path / "e.png", code=1).stderr
    assert "exchanged" not in run("calibrate", *one).stderr
    assert "exists already" in run("calibrate", *one, code=1).stderr
    assert entries(tmp_path) == {"rig.yml"}


@pytest.mark.parametrize("given", ["7x5", "charuco:9x6", "5x4", "9x3", "7x3"])
def test_a_wrong_board_says_which_one_the_photos_show(chessboard, tmp_path, given):
    result = calibrate(chessboard, "--board", given, "--square", 0.03, "-o", tmp_path / "rig.yml", code=1)
    assert "shows a chessboard of 9x6 inner corners: pass --board 9x6" in result.stderr


def test_exchanged_views_are_noticed(chessboard, tmp_path):
    result = run("calibrate", "--left", chessboard / "right*.png", "--right", chessboard / "left*.png",
                 "--board", "9x6", "--square", 0.03, "-o", tmp_path / "rig.yml")  # fmt: skip
    assert "exchanged?" in result.stderr


def test_millimetres_for_metres_are_noticed(chessboard, tmp_path):
    one = ["--left", chessboard / "left*.png", "--board", "9x6", "-o", tmp_path / "rig.yml", "--overwrite"]
    assert "if millimetres are meant, pass --square 0.03" in run("calibrate", *one, "--square", 30).stderr
    assert "if millimetres" not in run("calibrate", *one, "--square", 0.03).stderr


def test_one_cameras_photos_given_for_both_are_refused(chessboard, tmp_path):
    (tmp_path / "copies").mkdir()
    for photo in chessboard.glob("left*.png"):
        (tmp_path / "copies" / photo.name).write_bytes(photo.read_bytes())
    for other in (chessboard, tmp_path / "copies"):
        result = run("calibrate", "--left", chessboard / "left*.png", "--right", other / "left*.png",
                     "--board", "9x6", "--square", 0.03, "-o", tmp_path / "rig.yml", code=1)  # fmt: skip
        assert "the photos are of one camera" in result.stderr
    assert entries(tmp_path) == {"copies"}


def test_too_few_photos_that_all_show_the_board_are_told_apart_from_a_wrong_board(chessboard, tmp_path):
    result = run("calibrate", "--left", chessboard / "left00.png", "--board", "9x6", "--square", 0.03,
                 "-o", tmp_path / "rig.yml", code=1)  # fmt: skip
    assert "hint: take more photos" in result.stderr


def test_photos_may_lie_in_a_folder_for_each_shot(chessboard, tmp_path):
    for k in range(4):
        (tmp_path / str(k)).mkdir()
        for side in ("left", "right"):
            shutil.copy(chessboard / f"{side}{k:02d}.png", tmp_path / str(k) / f"{side}.png")
    board = ["--board", "9x6", "--square", 0.03, "-o", tmp_path / "rig.yml", "--overwrite", "--json"]
    for cameras in (["--left", tmp_path / "*" / "left.png", "--right", tmp_path / "*" / "right.png"],
                    ["--left", tmp_path / "**" / "left.png"]):  # fmt: skip
        facts = json.loads(run("calibrate", *cameras, *board).stdout)
        assert facts["used"] == 4
        assert set(facts["residuals_px"]) == {f"{k}/left.png" for k in range(4)}


def test_photos_of_one_name_do_not_replace_each_other(chessboard, tmp_path):
    for side in ("left", "right"):
        (tmp_path / side).mkdir()
        for k in range(4):
            shutil.copy(chessboard / f"{side}{k:02d}.png", tmp_path / side / f"{k}.png")
    write_image(tmp_path / "left" / "2.tif", read_raw(tmp_path / "left" / "3.png"))
    (tmp_path / "left" / "3.png").unlink()
    board = ["--board", "9x6", "--square", 0.03, "-o", tmp_path / "rig.yml", "--overwrite", "--json"]
    one = json.loads(run("calibrate", "--left", tmp_path / "left", *board).stdout)
    assert set(one["residuals_px"]) == {"0.png", "1.png", "2.png", "2.tif"}
    both = run("calibrate", "--left", tmp_path / "left", "--right", tmp_path / "right", *board, code=1)
    assert "2.tif is left out: several photos of one camera have that name" in both.stderr
    assert "3.png is left out: the other camera has no photo of that name" in both.stderr


def resized(source: Path, target: Path, size: tuple[int, int]) -> None:
    """Copy a photo in another size."""
    write_image(target, cv2.resize(read_raw(source)[..., ::-1], size, interpolation=cv2.INTER_AREA))


def test_a_photo_of_another_size_is_left_out_even_the_first(chessboard, tmp_path):
    shutil.copytree(chessboard, tmp_path / "shots")
    for side in ("left", "right"):
        resized(chessboard / f"{side}00.png", tmp_path / "shots" / f"{side}00.png", (640, 480))
    (tmp_path / "shots" / "left04.png").write_bytes((chessboard / "left00.png").read_bytes())
    write_image(tmp_path / "shots" / "right04.png", np.zeros((1, 1, 3), np.uint8))
    facts = json.loads(calibrate(tmp_path / "shots", "--board", "9x6", "--square", 0.03, "-o", tmp_path / "rig.yml",
                                 "--json").stdout)  # fmt: skip
    assert facts["rejected"] == {
        "left00.png": "it is 640x480, most are 480x360",
        "left04.png": "it is 480x360 and 1x1, most are 480x360",
    }
    assert facts["size"] == list(SIZE)


def test_sizes_and_repetitions_are_not_taken_for_a_wrong_board(chessboard, tmp_path):
    for kind in ("cameras", "sizes", "places", "tiny"):
        (tmp_path / kind).mkdir()
    for k in range(4):
        left = chessboard / f"left{k:02d}.png"
        resized(left, tmp_path / "cameras" / f"left{k}.png", (320, 240))
        shutil.copy(chessboard / f"right{k:02d}.png", tmp_path / "cameras" / f"right{k}.png")
        resized(left, tmp_path / "sizes" / f"left{k}.png", (480 + 40 * (k // 2), 360))
        shutil.copy(chessboard / "left00.png", tmp_path / "places" / f"left{k}.png")
        write_image(tmp_path / "tiny" / f"left{k}.png", np.zeros((2, 3000 if k else 1, 3), np.uint8))
    board = ["--board", "9x6", "--square", 0.03, "-o", tmp_path / "rig.yml"]
    told = calibrate(tmp_path / "cameras", *board, code=1).stderr
    assert "error: the left photos are 320x240, the right ones 480x360" in told
    expected = {
        "sizes": "error: 4 shots show the board, but no more than 2 at one size, 480x360; 3 are the least",
        "places": "error: 4 shots show the board, but it stands at one place only, 3 are the least",
        "tiny": "left0.png is left out: ",
    }
    for kind, message in expected.items():
        told = run("calibrate", "--left", tmp_path / kind / "left*.png", *board, code=1).stderr
        assert message in told
        assert ("is --board right?" in told) == (kind == "tiny")


def test_a_board_that_is_never_tilted_is_no_calibration(tmp_path):
    random = np.random.default_rng(0)
    middle = CHESSBOARD.points_m().mean(axis=0)
    for k in range(5):
        turn = cv2.Rodrigues(random.uniform(-1, 1, 3) * np.radians(0.5))[0]
        place = np.array([*random.uniform(-0.05, 0.05, 2), random.uniform(0.42, 0.5)]) - turn @ middle
        for side, aside in (("left", 0.0), ("right", -0.06)):
            picture = render(CHESSBOARD, RIG.left, turn, place + np.array([aside, 0, 0])) * 0.8 + 20
            noisy = np.clip(picture + random.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
            write_image(tmp_path / f"{side}{k}.png", noisy)
    board = ["--board", "9x6", "--square", "0.03", "-o", tmp_path / "rig.yml"]
    one = run("calibrate", "--left", tmp_path / "left*.png", *board, code=1)
    for told in (one.stderr, calibrate(tmp_path, *board, code=1).stderr):
        assert "error: the shots do not tell the camera's focal length" in told
        assert "hint: tilt the board" in told


def test_real_photos_of_a_chessboard(tmp_path):
    if not REAL.is_dir():
        pytest.skip("the real photos of a chessboard are not on this machine")
    result = run("calibrate", "--left", REAL / "left*.jpg", "--right", REAL / "right*.jpg", "--board", "9x6",
                 "--square", 0.025, "-o", tmp_path / "rig.yml", "--json")  # fmt: skip
    facts = json.loads(result.stdout)
    assert facts["used"] == 13
    assert list(facts["rejected"]) == ["left10.jpg"]
    assert facts["rms_px"] < 0.25
    assert facts["epipolar_error_px"]["after"] < 0.2
    focal = read_calibration(REAL / "intrinsics.yml").matrix[0, 0]
    for camera in facts["cameras"].values():
        assert camera["fx_px"] == pytest.approx(focal, rel=0.01)
