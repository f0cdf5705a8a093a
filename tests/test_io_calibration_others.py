"""Calibrations of further data sets and programs, in a table: focal length and baseline, or the cause and a step."""

from __future__ import annotations

import json
import struct

import cv2
import numpy as np
import pytest

from depthapps import CalibrationError, read_calibration
from depthapps.io.calibration.yaml import scalar

K1 = np.array([[460.0, 0, 367.2], [0, 460.5, 248.3], [0, 0, 1]])
K2 = np.array([[461.0, 0, 369.2], [0, 461.5, 250.3], [0, 0, 1]])
LENS = np.array([-0.28, 0.07, 0.0002, 0.00002, 0.0])
TURN = np.asarray(cv2.Rodrigues(np.array([-0.014, 0.0004, -0.0023]))[0])
SHIFT = np.array([-0.11, 0.0004, -0.0009])
R1, R2, P1, P2, Q = cv2.stereoRectify(K1, LENS, K2, LENS, (752, 480), TURN, SHIFT[:, None], alpha=0)[:5]
POSE = np.vstack([np.column_stack([TURN, SHIFT]), [0, 0, 0, 1]])


def rows(matrix, form="%.10g", between=" "):
    return "\n".join(between.join(form % v for v in row) for row in np.atleast_2d(matrix)) + "\n"


def written(folder, files):
    for name, contents in files.items():
        text = contents if isinstance(contents, (str, bytes)) else json.dumps(contents)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return [folder / name for name in files]


PLAIN_NAMES = dict(zip(["K1", "D1", "K2", "D2", "R", "T"], (K1, LENS, K2, LENS, TURN, SHIFT), strict=True))


def named(names):
    """OpenCV's six matrices under other names, as JSON."""
    return {"rig.json": {n: v.tolist() for n, v in zip(names.split(), PLAIN_NAMES.values(), strict=True)}}


def kitti_odometry():
    shifts = (0, -386.1448, 45.38225, -337.2877)
    text = "".join(f"P{k}: 718.856 0 607.1928 {b} 0 718.856 185.2157 0 0 0 1 0\n" for k, b in enumerate(shifts))
    return text + "Tr: 1 0 0 0 0 1 0 0 0 0 1 0\n"


def ost():
    text = ""
    for side, *matrices in (("left", K1, LENS, R1, P1), ("right", K2, LENS, R2, P2)):
        text += f"# oST version 5.0 parameters\n\n\n[image]\n\nwidth\n752\n\nheight\n480\n\n[narrow_stereo/{side}]\n\n"
        parts = zip(("camera matrix", "distortion", "rectification", "projection"), matrices, strict=True)
        text += "\n".join(f"{name}\n{rows(matrix)}" for name, matrix in parts) + "\n"
    return text


def bouguet():
    text = "Stereo calibration parameters after optimization:\n\n"
    for side, k in (("left", K1), ("right", K2)):
        text += (
            f"\nIntrinsic parameters of {side} camera:\n\n"
            f"Focal Length:          fc_{side} = [ {k[0, 0]}   {k[1, 1]} ] ± [ 1.53214   1.53310 ]\n"
            f"Principal point:       cc_{side} = [ {k[0, 2]}   {k[1, 2]} ] ± [ 2.2   2.0 ]\n"
            f"Skew:             alpha_c_{side} = [ 0.00000 ] ± [ 0.00000  ]   => angle of pixel axes = 90 ± 0 degrees\n"
            f"Distortion:            kc_{side} = [ -0.28   0.07  0.0002   0.00002  0.0 ] ± [ 0.1 0.1 0.1 0.1 0 ]\n"
        )
    return text + (
        "\nExtrinsic parameters (position of right camera wrt left camera):\n\n"
        "Rotation vector:             om = [ -0.01400   0.00040  -0.00230 ] ± [ 0.00270   0.00308  0.00029 ]\n"
        "Translation vector:           T = [ -110.0   0.4  -0.9 ] ± [ 0.1  0.1  0.7 ]\n"
    )


def endoscope():
    text = ""
    for side, k in (("Left", K1), ("Right", K2)):
        text += (
            f"[Stereo{side}]\nres_x=752\nres_y=480\nfc_x={k[0, 0]}\nfc_y={k[1, 1]}\ncc_x={k[0, 2]}\ncc_y={k[1, 2]}\n"
        )
        text += "".join(f"kc_{n}={v}\n" for n, v in enumerate(LENS))
    return text + "".join(
        f"{name}_{n}={v!r}\n"
        for name, m in (("R", TURN), ("T", 1000 * SHIFT))
        for n, v in enumerate(m.ravel().tolist())
    )


def argoverse2():
    """The two feather files of a log, turned into JSON as the hint says."""
    names = ("ring_front_center", "stereo_front_left", "stereo_front_right")
    lens = {"cx_px": 775.0, "cy_px": 1024.0, "k1": -0.25, "k2": -0.05, "k3": 0.01, "width_px": 1550, "height_px": 2048}
    inside = [
        {"sensor_name": n, "fx_px": 1680.0 + k, "fy_px": 1680.0, **lens} for n, k in zip(names, (90, 0, 1), strict=True)
    ]
    turn = dict(zip(("qw", "qx", "qy", "qz"), (0.5, -0.5, 0.5, -0.5), strict=True))
    outside = [
        {"sensor_name": n, **turn, "tx_m": 1.6, "ty_m": y, "tz_m": 1.4}
        for n, y in zip(names, (0, 0.249, -0.249), strict=True)
    ]
    return {"intrinsics.json": inside, "extrinsics.json": outside}


def kimera():
    files = {}
    for side, k, pose in (("Left", K1, np.eye(4)), ("Right", K2, np.linalg.inv(POSE))):
        files[f"{side}CameraParams.yaml"] = (
            f"%YAML:1.0\ncamera_id: {side.lower()}_cam\nT_BS:\n  cols: 4\n  rows: 4\n  data: "
            f"{[float(v) for v in pose.ravel()]}\nresolution: [752, 480]\ncamera_model: pinhole\n"
            f"intrinsics: [{k[0, 0]}, {k[1, 1]}, {k[0, 2]}, {k[1, 2]}]\ndistortion_model: radial-tangential\n"
            "distortion_coefficients: [-0.28, 0.07, 0.0002, 0.00002]\n"
        )
    return files


def stella():
    lines = [f"  {side}: {np.ravel(m).tolist()}" for side, m in (
        ("K_left", K1), ("K_right", K2), ("D_left", LENS), ("D_right", LENS), ("R_left", R1), ("R_right", R2),
    )]  # fmt: skip
    return (
        f"Camera:\n  setup: stereo\n  model: perspective\n  fx: {P1[0, 0]}\n  fy: {P1[0, 0]}\n  cx: {P1[0, 2]}\n"
        f"  cy: {P1[1, 2]}\n  k1: 0.0\n  cols: 752\n  rows: 480\n  focal_x_baseline: {-P2[0, 3]}\n"
        "StereoRectifier:\n  model: perspective\n" + "\n".join(lines) + "\n"
    )


def okvis():
    """One list in braces a camera, over several rows."""
    cameras = "".join(
        f"  - {{T_SC:\n      {pose.ravel().tolist()},\n      image_dimension: [752, 480],\n"
        "      distortion_coefficients: [-0.28, 0.07, 0.0002, 0.00002],\n      distortion_type: radialtangential,\n"
        f"      focal_length: [{k[0, 0]}, {k[1, 1]}],\n      principal_point: [{k[0, 2]}, {k[1, 2]}]}}\n"
        for k, pose in ((K1, np.eye(4)), (K2, np.linalg.inv(POSE)))
    )
    return f"%YAML:1.0\ncameras:\n{cameras}camera_params:\n  camera_rate: 20\n"


BASELINE = float(np.linalg.norm(SHIFT))
RECTIFIED = float(P1[0, 0])
READ = {
    "numpy arrays printed": ({"rig.txt": "".join(f"{n} = {v!r}\n" for n, v in PLAIN_NAMES.items())}, 460, BASELINE),
    "names 1": (named("camMatLeft distCoefLeft camMatRight distCoefRight rotMat transVec"), 460, BASELINE),
    "names 2": (named("K_cam0 dist_cam0 K_cam1 dist_cam1 R_cam0_to_cam1 T_cam0_to_cam1"), 460, BASELINE),
    "names 3": (named("matrix_left dist_left matrix_right dist_right R_stereo T_stereo"), 460, BASELINE),
    "names 4": (named("CM1 D1 CM2 D2 R T"), 460, BASELINE),
    "centimetres said": (
        {"rig.json": {
            "left": {"intrinsics": K1.tolist()}, "right": {"intrinsics": K2.tolist()}, "baseline_cm": 100 * BASELINE,
            "extrinsics_left_to_right": (POSE * [[1, 1, 1, 100]] * [[1], [1], [1], [0.01]]).tolist(),
        }}, 460, BASELINE,
    ),
    "kitti odometry": ({"calib.txt": kitti_odometry()}, 718.856, (45.38225 + 337.2877) / 718.856),
    "okvis": ({"config.yaml": okvis()}, 460, BASELINE),
    "json with comments": (
        {"rig.json": '{\n  // left\n  "K1": [[460,0,367],[0,460,248],[0,0,1]],\n  "baseline": 0.11,\n}\n'}, 460, 0.11,
    ),
    "kimera": (kimera(), 460, BASELINE),
    "stella_vslam": ({"stereo.yaml": stella()}, 460, BASELINE),
    "ros ost.txt": ({"ost.txt": ost()}, 460, BASELINE),
    "bouguet's report": ({"report.txt": bouguet()}, 460, BASELINE),
    "endoscope": ({"StereoCalibration.ini": endoscope()}, 460, BASELINE),
    "argoverse 2": (argoverse2(), 1680, 0.498),
    "toml over several rows": (
        {"rig.toml": "baseline_m = 0.11\n" + "".join(
            f"[{side}]\nK = [[460.0, 0.0, 367.2],\n     [0.0, 460.5, 248.3],\n     [0.0, 0.0, 1.0]]\n"
            for side in ("left", "right")
        )}, 460, 0.11,
    ),
    "a table": ({"rig.csv": "camera,fx,fy,cx,cy\nleft,460,460,367,248\nright,460,460,367,248\n"}, 460, None),
    "units": ({"rig.txt": "focal length: 700 px\nbaseline: 12 cm\ncx: 640 px\ncy: 360 px\n"}, 700, 0.12),
    "one row": ({"rs.txt": "width: 848, height: 480, ppx: 423.5, ppy: 239.5, fx: 425.1, fy: 425.1\n"}, 425.1, None),
    "booster": (
        {"calib.xml": "<opencv_storage>" + "".join(
            f'<{n} type_id="opencv-matrix"><rows>{r}</rows><cols>{c}</cols><dt>d</dt><data>{d}</data></{n}>'
            for n, r, c, d in (
                ("mtxL", 3, 3, "2400 0 2000 0 2400 1500 0 0 1"), ("mtxR", 3, 3, "2400 0 2100 0 2400 1500 0 0 1"),
                ("baselineLR", 1, 1, "80.5"),
            )
        ) + "</opencv_storage>"}, 2400, 0.0805,
    ),
    "K of four rows": (
        {"K.txt": rows(np.diag([1170, 1170, 1, 1]) + np.outer([647, 483, 0, 0], [0, 0, 1, 0]))}, 1170, None,
    ),
    "Q alone": ({"Q.txt": rows(Q)}, RECTIFIED, BASELINE),
    "spring": ({"intrinsics.txt": "1864 1864 960 540\n" * 20}, 1864, None),
    "robotcar": ({"wide_left.txt": "983.04 983.04 643.6 493.3\n" + rows(np.eye(4))}, 983.04, None),
    "unrealstereo4k": ({"00000.txt": "1600 0 1919 0 1600 1079 0 0 1\n1 0 0 0 0 1 0 0 0 0 1 0\n"}, 1600, None),
    "mvsnet": ({"0_cam.txt": f"extrinsic\n{rows(POSE)}\nintrinsic\n{rows(K1)}\n425 2.5\n"}, 460, None),
    "sintel": ({"frame.cam": struct.pack("<f9d12d", 202021.25, *K1.ravel(), *POSE[:3].ravel())}, 460, None),
    "malaga": (
        {"camera_params.txt": "".join(
            f"[CAMERA_PARAMS_{side}_0]\nresolution = [752 480]\ncx = 367\ncy = 248\nfx = 460\nfy = 460\n"
            for side in ("LEFT", "RIGHT")
        ) + "[CAMERA_PARAMS_LEFT2RIGHT_POSE]\ntranslation_only = [0.11 0 0]\n"
           "rotation_matrix_only = [1 0 0;0 1 0;0 0 1]\n"},
        460, 0.11,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", READ)
def test_what_they_write_is_read(tmp_path, case):
    files, focal, baseline = READ[case]
    found = read_calibration(*written(tmp_path, files))
    matrix = found.raw.matrices[0] if found.raw else found.matrix
    assert matrix[0, 0] == pytest.approx(focal, rel=2e-3)
    assert (found.baseline_m is None) == (baseline is None)
    if baseline is not None:
        assert found.baseline_m == pytest.approx(baseline, rel=2e-3)
    if baseline == BASELINE and found.raw is not None:
        assert found.raw.translation_m == pytest.approx(SHIFT, abs=2e-4)
        assert found.raw.rotation == pytest.approx(TURN, abs=1e-3)


def test_a_principal_point_may_be_counted_from_the_middle(tmp_path):
    """As Metashape does; half a pixel inwards, where OpenCV counts from the middle of the first pixel."""
    text = "<calibration><projection>frame</projection><width>752</width><height>480</height>"
    text += "<f>460</f><cx>-8.3</cx><cy>8.8</cy></calibration>"
    matrix = read_calibration(*written(tmp_path, {"camera.xml": text})).matrix
    assert matrix[:2, 2] == pytest.approx([367.2, 248.3])


@pytest.mark.parametrize(
    ("name", "contents", "cause", "step"),
    [
        ("cam.json", {"intrinsics": [[0.9, 0, 0.5], [0, 1.2, 0.5], [0, 0, 1]]}, "0.9, which is no number", "width"),
        ("transforms.json", {"camera_angle_x": 0.6911, "frames": [
            {"file_path": f"r_{k}", "rotation": 0.01, "transform_matrix": np.eye(4).tolist()} for k in range(2)
        ]}, "field of view of 39.6", "fov_deg=39.6"),
        ("fov.json", {"fov_x": 60.5, "fov_y": 45.2}, "field of view of 60.5", "fov_deg=60.5"),
        ("cameras.bin", b"\1" + bytes(7), "COLMAP", "model_converter"),
        ("cameras.sfm", {"intrinsics": [{"intrinsicId": "1", "focalLength": "22"}]}, "focalLength", "fx fy cx cy"),
    ],
)  # fmt: skip
def test_what_has_no_pixels_tells_the_cause_and_a_step(tmp_path, name, contents, cause, step):
    with pytest.raises(CalibrationError) as error:
        read_calibration(*written(tmp_path, {name: contents}), photos=("r_0", "r_1"))
    assert cause in error.value.message
    assert step in error.value.hint


def test_sizes_of_two_words(tmp_path):
    """ZED X: FHD1200 is another size than FHD."""
    text = "".join(
        f"[{side}_CAM_{size}]\nfx={730 * k}\nfy={730 * k}\ncx={960 * k}\ncy={590 * k}\n"
        for size, k in (("FHD1200", 1), ("SVGA", 0.5))
        for side in ("LEFT", "RIGHT")
    )
    found = read_calibration(*written(tmp_path, {"SN4.conf": text + "[STEREO]\nBaseline=119.9\nCV_FHD1200=0.001\n"}))
    for size, focal in (((1920, 1200), 730), ((960, 600), 365)):
        assert found.fitting(*size).matrix[0, 0] == focal
        assert found.fitting(*size).baseline_m == pytest.approx(0.1199, rel=1e-3)


def test_a_pose_that_is_not_understood_is_named(tmp_path):
    found = read_calibration(*written(tmp_path, named("K1 D1 K2 D2 turn_of_b shift_of_b")))
    assert found.baseline_m is None
    assert "not understood are turn_of_b, shift_of_b" in (found.warning or "")


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN", ".Nan", "nan", ".inf", "-.Inf", "+.INF", "-inf"])
def test_numbers_that_are_none_are_read_as_every_library_writes_them(text):
    value = scalar(text)
    assert isinstance(value, float)
    assert np.isnan(value) == ("n" in text.lower().replace("inf", ""))
    assert (value < 0) == text.startswith("-")


@pytest.mark.parametrize("text", ["\u0131nf", "\u0130nf", "nano", "1.2.3"])
def test_words_that_look_like_numbers_are_words(text):
    assert scalar(text) == text
