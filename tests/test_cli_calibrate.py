"""depthapps calibrate: exact rigs found again from rendered photos of boards, and photos that are of no use."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from boards import CHARUCO, CHESSBOARD, RIG, SIZE, photograph
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
        "no dictionary '9X9'": [chessboard, "--board", "charuco:8x6", "--square", 1, "--dictionary", "9x9", *out],
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


@pytest.mark.parametrize("given", ["7x5", "charuco:9x6"])
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
