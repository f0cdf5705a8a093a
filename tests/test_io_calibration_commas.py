"""Calibrations whose numbers have decimal commas."""

from __future__ import annotations

import pytest

from depthapps import read_calibration
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
