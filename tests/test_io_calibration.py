"""Calibration files of the kinds that people have."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps.errors import CalibrationError, InputError
from depthapps.io.calibration import read_calibration

MIDDLEBURY = """cam0=[999.421 0 294.182; 0 998.5 252.932; 0 0 1]
cam1=[999.421 0 326.96; 0 998.5 252.932; 0 0 1]
doffs=32.778
baseline=193.001
width=741
height=497
ndisp=70
"""


def write_storage(path, **matrices):
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    for name, value in matrices.items():
        storage.write(name, value)
    storage.release()


def test_middlebury(tmp_path):
    path = tmp_path / "calib.txt"
    path.write_text(MIDDLEBURY)
    found = read_calibration(path)
    assert (found.fx, found.fy, found.cx, found.cy) == (999.421, 998.5, 294.182, 252.932)
    assert found.baseline_m == pytest.approx(0.193001)
    assert found.doffs_px == 32.778
    half = found.camera(370, 248)
    assert half.fx == pytest.approx(999.421 * 370 / 741)
    assert half.cx == pytest.approx((294.182 + 0.5) * 370 / 741 - 0.5)
    with pytest.raises(CalibrationError, match="741x497 but the picture is 741x700"):
        found.camera(741, 700)


def test_middlebury_without_doffs_takes_it_from_the_cameras(tmp_path):
    path = tmp_path / "calib.txt"
    path.write_text("\n".join(line for line in MIDDLEBURY.splitlines() if not line.startswith("doffs")))
    assert read_calibration(path).doffs_px == pytest.approx(32.778)


@pytest.mark.parametrize("suffix", [".yml", ".xml", ".json"])
def test_opencv_projections(tmp_path, suffix):
    left = np.array([[700.0, 0, 320, 0], [0, 700, 240, 0], [0, 0, 1, 0]])
    right = left.copy()
    right[0, 2], right[0, 3] = 330, -700 * 0.12
    write_storage(tmp_path / f"rig{suffix}", P1=left, P2=right, image_width=640, image_height=480)
    found = read_calibration(tmp_path / f"rig{suffix}")
    assert (found.fx, found.cx, found.width) == (700, 320, 640)
    assert found.baseline_m == pytest.approx(0.12)
    assert found.doffs_px == pytest.approx(10)
    assert found.warning is None


@pytest.mark.parametrize("letter", ["K", "M"])
def test_opencv_intrinsics(tmp_path, letter):
    matrix = np.array([[500.0, 0, 310], [0, 505, 230], [0, 0, 1]])
    write_storage(
        tmp_path / "a.yml", **{f"{letter}1": matrix, f"{letter}2": matrix, "T": np.array([[-0.1], [0], [0.0]])}
    )
    found = read_calibration(tmp_path / "a.yml")
    assert (found.fx, found.fy, found.doffs_px) == (500, 505, 0)
    assert found.baseline_m == pytest.approx(0.1)
    assert found.warning is None
    write_storage(tmp_path / "b.yml", **{f"{letter}1": matrix, "D1": np.array([[0.1, 0, 0, 0, 0]])})
    found = read_calibration(tmp_path / "b.yml")
    assert found.baseline_m is None
    assert "distortion" in (found.warning or "")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "hello"),
        ("a.txt", "cam0=[1 2; 3 4]"),
        ("a.txt", "cam0=[a b c; d e f; g h i]"),
        ("a.txt", MIDDLEBURY.replace("32.778", "many")),
        ("a.yml", "%YAML:1.0\n---\nfoo: 3\n"),
        ("a.yml", "not yaml at all: ["),
        ("a.xml", "<html>"),
    ],
)
def test_what_is_no_calibration_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(CalibrationError) as error:
        read_calibration(tmp_path / name)
    assert error.value.hint


def test_a_binary_file_is_refused(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(InputError, match="not a text file"):
        read_calibration(tmp_path / "a.txt")
