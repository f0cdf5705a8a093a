"""Calibrations whose numbers have decimal commas."""

from __future__ import annotations

import pytest

from depthapps import read_calibration
from depthapps.core.errors import CalibrationError
from depthapps.io.calibration.contents import with_decimal_points

MATRIX = "[1733,74 0 792,27; 0 1733,74 541,89; 0 0 1]"
MIDDLEBURY = f"cam0={MATRIX}\ncam1={MATRIX}\ndoffs=0\nbaseline=536,62\nwidth=1920\nheight=1080\nndisp=170\n"
FIELDS = {"fx": "1733,74", "fy": "1733,74", "cx": "792,27", "cy": "541,89", "baseline": "0,53662"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("calib.txt", MIDDLEBURY),
        ("K.txt", "1733,74 0,0 792,27 0,0 1733,74 541,89 0,0 0,0 1,0\n0,53662\n"),
        ("quoted.json", "{" + ", ".join(f'"{k}": "{v}"' for k, v in FIELDS.items()) + "}"),
        ("bare.json", "{" + ", ".join(f'"{k}": {v}' for k, v in FIELDS.items()) + "}"),
        ("rig.yml", "%YAML:1.0\n---\n" + "".join(f"{k}: {v}\n" for k, v in FIELDS.items())),
    ],
)
def test_decimal_commas_are_points(tmp_path, name, text):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    found = read_calibration(file)
    camera = found.camera(1920, 1080)
    assert (camera.fx, camera.cx, camera.cy) == (1733.74, 792.27, 541.89)
    assert found.baseline_m == pytest.approx(0.53662)


@pytest.mark.parametrize(
    "text",
    [
        "K: [1733,0,792,0,1733,541,0,0,1]",  # whole numbers, one after the other
        "size: 640,480\nfocal: 700\n",
        '{"size":[640,480],"f":[500,500],"c":[320,240],"skew":[0,0]}',
        "size: ( 640,480 )\nf: ( 500,500 )\nc: ( 320,240 )\nk: ( 0,-1 )\n",
        "fx: 1733.74\na: 1,2\nb: 1,2\nc: 1,2\nd: 1,2\n",
    ],
)
def test_other_commas_stay(text):
    assert with_decimal_points(text) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("calib.txt", "cam0=[1733,74,0,0,792,27;0,0,1733,74,541,89;0,0,0,0,1,0]\nbaseline=536,62\n"),
        ("K.txt", "1733,74,0,0,792,27,0,0,1733,74,541,89,0,0,0,0,1,0\n"),
        ("table.csv", "fx,fy,cx,cy,baseline\n1733,74,1733,74,792,27,541,89,0,53\n"),
        ("rig.yml", "K: [1733,74, 0, 792,27, 0, 1733,74, 541,89, 0, 0, 1]\nbaseline: 0.53\n"),
    ],
)
def test_commas_that_may_be_either_are_told(tmp_path, name, text):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CalibrationError) as found:
        read_calibration(file)
    assert "write points, 1733.74 for 1733,74" in found.value.hint


def test_commas_between_whole_numbers_are_not_told(tmp_path):
    file = tmp_path / "rig.yml"
    file.write_text("K1: [1733,0,792,0,1733,541,0,0]\n", encoding="utf-8")
    with pytest.raises(CalibrationError, match="not 3x3") as found:
        read_calibration(file)
    assert "points" not in found.value.hint
