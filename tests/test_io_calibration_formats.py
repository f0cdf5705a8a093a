"""Calibrations as cameras, robots and programs write them: focal length, baseline, its sign and unit, and the lens."""

from __future__ import annotations

import json
import zipfile

import cv2
import numpy as np
import pytest
from numpy.typing import ArrayLike

from depthapps import CalibrationError, Camera, LensCamera, StereoRig, read_calibration, write_calibration

PLAIN = np.eye(3).tolist()
TURN = np.asarray(cv2.Rodrigues(np.array([-0.014, 0.0004, -0.0023]))[0], np.float64)
SHIFT = np.array([-0.11, 0.0004, -0.0009])


def k_of(focal, cx=367.0, cy=248.0):
    return [[focal, 0.0, cx], [0.0, focal, cy], [0.0, 0.0, 1.0]]


def saved(folder, name, contents, encoding="utf-8"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = contents if isinstance(contents, str) else json.dumps(contents)
    path.write_bytes(text.encode(encoding))
    return path


def matrix4(rotation, translation):
    return np.vstack([np.column_stack([rotation, translation]), [0, 0, 0, 1]])


INVERSE = matrix4(TURN.T, -TURN.T @ SHIFT)  # the second camera's axes to the first one's
BODY = matrix4(cv2.Rodrigues(np.array([0.3, 1.2, -0.4]))[0], [0.02, -0.06, 0.01])


def opencv(matrix, blank=" "):
    """A matrix with OpenCV's tag."""
    rows, cols = np.shape(matrix)
    data = ", ".join(f"{v:.10g}" for v in np.ravel(matrix))
    return f"!!opencv-matrix\n   rows: {rows}\n   cols: {cols}\n   dt: d\n   data:{blank}[{data}]\n"


def listed(matrix):
    """A matrix as Kalibr writes it."""
    return "".join("  - [" + ", ".join(f"{v:.10g}" for v in row) + "]\n" for row in matrix)


def check(found, *, fx=460.0, second=461.0, turn: ArrayLike = TURN, shift: ArrayLike = SHIFT, fisheye=False):
    """Whether a rig of the given cameras was read."""
    assert found.raw is not None
    assert [m[0, 0] for m in found.raw.matrices] == pytest.approx([fx, second], rel=1e-4)
    assert found.raw.translation_m == pytest.approx(np.asarray(shift), abs=2e-5)
    assert found.raw.rotation == pytest.approx(np.asarray(turn), abs=2e-4)
    assert found.raw.fisheye == (fisheye, fisheye)
    assert found.baseline_m == pytest.approx(np.linalg.norm(shift), abs=2e-5)


def camchain(
    lens="radtan", model="pinhole", intrinsics="[460, 460, 367, 248]", coefficients="[-0.28, 0.07, 0.0002, 0.0]"
):
    one = (
        "  camera_model: {model}\n  distortion_coeffs: {d}\n  distortion_model: {lens}\n"
        "  intrinsics: {k}\n  resolution: [752, 480]\n"
    )
    second = intrinsics.replace("460", "461")
    return (
        "cam0:\n  cam_overlaps: [1]\n" + one.format(model=model, lens=lens, k=intrinsics, d=coefficients)
        + "cam1:\n  T_cn_cnm1:\n" + listed(matrix4(TURN, SHIFT))
        + one.format(model=model, lens=lens, k=second, d=coefficients)
    )  # fmt: skip


def test_kalibr(tmp_path):
    found = read_calibration(saved(tmp_path, "camchain.yaml", camchain()))
    check(found)
    assert (found.width, found.height) == (752, 480)
    check(read_calibration(saved(tmp_path, "e.yaml", camchain("equidistant"))), fisheye=True)


def test_kalibr_results(tmp_path):
    """Its quaternion is x y z w of the inverse rotation, as in the EuRoC data's own results and camchain."""
    vector = cv2.Rodrigues(TURN)[0].ravel()
    angle = np.linalg.norm(vector)
    q = [*(-np.sin(angle / 2) * vector / angle), np.cos(angle / 2)]
    text = "Calibration results \n====================\nCamera-system parameters:\n"
    for k in (0, 1):
        text += (
            f"cam{k} (/cam{k}/image_raw):\n type: <class 'aslam_cv.DistortedPinholeCameraGeometry'>\n"
            f" distortion: [-0.28 0.07 0.0002 0.00001] +- [0.1 0.1 0.1 0.1]\n"
            f" projection: [{460 + k} 460 367 248] +- [1 1 1 1]\n"
            " reprojection error: [-0.00001, 0.0] +- [0.15, 0.13]\n\n"
        )
    text += (
        f"baseline T_1_0:\n q: [{' '.join(f'{v:.6f}' for v in q)}] +- [0 0 0]\n t: [-0.11 0.0004 -0.0009] +- [0 0 0]\n"
    )
    check(read_calibration(saved(tmp_path, "results.txt", text)))


@pytest.mark.parametrize("blank", ["", " "])
def test_orb_slam2(tmp_path, blank):
    """LEFT.K and so on; R and P tell the pose."""
    lens = np.array([-0.28, 0.07, 0, 0, 0])
    matrices = np.array(k_of(460)), np.array(k_of(461))
    turns = cv2.stereoRectify(matrices[0], lens, matrices[1], lens, (752, 480), TURN, SHIFT[:, None])[:4]
    text = (
        f'%YAML:1.0\n\nCamera.type: "PinHole"\nCamera.fx: {turns[2][0, 0]}\nCamera.fy: {turns[2][0, 0]}\n'
        "Camera.cx: 367\n"
    )
    text += "Camera.cy: 250\nCamera.k1: 0.0\nCamera.bf: 47.9\n# comment\n"
    for k, side in enumerate(("LEFT", "RIGHT")):
        text += f"{side}.height: 480\n{side}.width: 752\n{side}.D: {opencv(lens[None], blank)}"
        text += (
            f"{side}.K: {opencv(k_of(460 + k))}{side}.R:  {opencv(turns[k])}{side}.P:  {opencv(turns[k + 2], blank)}"
        )
    check(read_calibration(saved(tmp_path, "EuRoC.yaml", text)))


def test_orb_slam_rectified(tmp_path):
    text = (
        "%YAML:1.0\nCamera.fx: 718.9\nCamera.fy: 718.9\nCamera.cx: 607\nCamera.cy: 185\nCamera.k1: 0.0\n"
        "Camera.bf: 386.1448\n"
    )
    found = read_calibration(saved(tmp_path, "KITTI.yaml", text + "Camera.width: 1241\nCamera.height: 376\n"))
    assert (found.matrix[0, 0], found.width, found.raw) == (718.9, 1241, None)
    assert found.baseline_m == pytest.approx(0.53713, abs=1e-5)


@pytest.mark.parametrize(("kind", "names"), [("PinHole", "k1 k2 p1 p2"), ("KannalaBrandt8", "k1 k2 k3 k4")])
@pytest.mark.parametrize("first", ["Camera1", "Camera"])
def test_orb_slam3(tmp_path, kind, names, first):
    text = f'%YAML:1.0\nFile.version: "1.0"\nCamera.type: "{kind}"\nCamera.width: 752\nCamera.height: 480\n'
    for k, camera in enumerate((first, "Camera2")):
        text += "".join(
            f"{camera}.{n}: {v}\n" for n, v in zip(("fx", "fy", "cx", "cy"), (460 + k, 460, 367, 248), strict=True)
        )
        text += "".join(
            f"{camera}.{n}: {v}\n" for n, v in zip(names.split(), (0.01, 0.002, 0.001, 0.0002), strict=True)
        )
    name = "Stereo.T_c1_c2" if first == "Camera1" else "Tlr"
    text += f"{name}: {opencv(INVERSE if first == 'Camera1' else INVERSE[:3])}IMU.T_b_c1: {opencv(np.eye(4))}"
    check(read_calibration(saved(tmp_path, "TUM-VI.yaml", text)), fisheye=kind != "PinHole")


@pytest.mark.parametrize("kind", ["PINHOLE", "KANNALA_BRANDT", "MEI"])
def test_vins_names_the_files_of_its_cameras(tmp_path, kind):
    for k in (0, 1):
        f = 460 + k
        parts = {
            "PINHOLE": ("distortion_parameters: k1 -0.28 k2 0.07 p1 0 p2 0",
                f"projection_parameters: fx {f} fy {f} cx 367 cy 248"),
            "KANNALA_BRANDT": (f"projection_parameters: k2 0.01 k3 0.02 k4 0 k5 0 mu {f} mv {f} u0 367 v0 248",),
            "MEI": ("mirror_parameters: xi 1.0", "distortion_parameters: k1 0 k2 0 p1 0 p2 0",
                    f"projection_parameters: gamma1 {2 * f} gamma2 {2 * f} u0 367 v0 248"),
        }[kind]  # fmt: skip
        text = f"%YAML:1.0\n---\nmodel_type: {kind}\ncamera_name: camera\nimage_width: 752\nimage_height: 480\n"
        for part in parts:
            head, *words = part.split()
            text += head + "\n" + "".join(f"   {a}: {b}\n" for a, b in zip(words[::2], words[1::2], strict=True))
        saved(tmp_path, f"cam{k}.yaml", text)
    poses = [BODY, BODY @ INVERSE]
    text = '%YAML:1.0\nimu: 1\nnum_of_cam: 2\ncam0_calib: "cam0.yaml"\ncam1_calib: "cam1.yaml"\n'
    text += "".join(f"body_T_cam{k}: {opencv(pose)}" for k, pose in enumerate(poses))
    path = saved(tmp_path, "config.yaml", text)
    check(read_calibration(path), fisheye=kind != "PINHOLE")
    alone = read_calibration(
        tmp_path / "cam0.yaml", tmp_path / "cam1.yaml"
    )  # two cameras, and nothing of where they stand
    assert (alone.matrix[0, 0], alone.baseline_m) == (pytest.approx(460), None)
    (tmp_path / "cam1.yaml").unlink()
    with pytest.raises(CalibrationError, match=r"names cam1\.yaml, which is not beside it"):
        read_calibration(path)


def test_euroc_has_a_folder_a_camera(tmp_path):
    for k, pose in enumerate((BODY, BODY @ INVERSE)):
        data = ", ".join(f"{v:.10g}" for v in pose.ravel())
        text = (
            f"sensor_type: camera\nT_BS:\n  cols: 4\n  rows: 4\n  data: [{data}]\nrate_hz: 20\nresolution: [752, 480]\n"
        )
        text += f"camera_model: pinhole\nintrinsics: [{460 + k}, 460, 367, 248] #fu, fv, cu, cv\n"
        text += "distortion_model: radial-tangential\ndistortion_coefficients: [-0.28, 0.07, 0.0, 0.0]\n"
        saved(tmp_path, f"cam{k}/sensor.yaml", text)
    one, two = (tmp_path / f"cam{k}/sensor.yaml" for k in (0, 1))
    for given in ((one,), (two,), (two, one)):
        check(read_calibration(*given))


def test_ros_with_opencv_tags(tmp_path):
    lens = np.array([[-0.28, 0.07, 0, 0, 0]])
    matrices = np.array(k_of(460)), np.array(k_of(461))
    turns = cv2.stereoRectify(matrices[0], lens, matrices[1], lens, (752, 480), TURN, SHIFT[:, None])[:4]
    for k, side in enumerate(("left", "right")):
        text = f"%YAML:1.0\n---\nimage_width: 752\nimage_height: 480\ncamera_name: {side}Camera\n"
        text += (
            f"camera_matrix: {opencv(k_of(460 + k))}distortion_model: plumb_bob\n"
            f"distortion_coefficients: {opencv(lens)}"
        )
        text += f"rectification_matrix: {opencv(turns[k])}projection_matrix: {opencv(turns[k + 2])}"
        saved(tmp_path, f"{side}.yaml", text)
    check(read_calibration(tmp_path / "left.yaml"))


def zed():
    sizes = {"2K": (2208, 1400), "FHD": (1920, 1390), "HD": (1280, 700), "VGA": (672, 350)}
    text = "[STEREO]\nBaseline=119.9\nTY=0.5\nTZ=-0.4\n"
    for name, (width, focal) in sizes.items():
        text += f"CV_{name}=0.01\nRX_{name}=0.002\nRZ_{name}=-0.002\n"
        for side in ("LEFT", "RIGHT"):
            text += f"\n[{side}_CAM_{name}]\nfx={focal}\nfy={focal}\ncx={width / 2}\ncy={width * 0.28}\n"
            text += "k1=-0.17\nk2=0.02\np1=0.0001\np2=-0.0001\nk3=0.001\n"
        text += "\n[STEREO]\n"
    return text


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_zed_is_read_at_the_size_of_the_picture(tmp_path, ends):
    found = read_calibration(saved(tmp_path, "SN1.conf", zed().replace("\n", ends)))
    turn = cv2.Rodrigues(np.array([0.002, 0.01, -0.002]))[0]
    for width, height, focal in ((1280, 720, 700), (1920, 1080, 1390), (2208, 1242, 1400), (672, 376, 350)):
        fitting = found.fitting(width, height)
        check(fitting, fx=focal, second=focal, turn=turn, shift=[-0.1199, -0.0005, 0.0004])
        assert fitting.raw is not None
        assert fitting.raw.distortions[0] == (-0.17, 0.02, 0.0001, -0.0001, 0.001)


@pytest.mark.parametrize("fisheye", [0, 1, "Perspective"])
def test_oak_d_counts_centimetres(tmp_path, fisheye):
    def camera(socket, to, shift, focal):
        lens = [0.05, 0.01, 0.001, 0.001] + ([0] * 10 if fisheye == 1 else [-9.3, -5.3, 12.8, -10.1] + [0] * 6)
        where = {
            "rotationMatrix": TURN.tolist() if to == 2 else PLAIN if to >= 0 else [],
            "specTranslation": {"x": -7.5, "y": 0, "z": 0},
            "toCameraSocket": to,
            "translation": dict(zip("xyz", shift, strict=True)),
        }
        return [socket, {"cameraType": fisheye, "distortionCoeff": lens, "extrinsics": where, "height": 800,
                         "intrinsicMatrix": k_of(focal, 640, 400), "width": 1280}]  # fmt: skip

    cameras = [camera(0, -1, (0, 0, 0), 3000), camera(1, 2, SHIFT * 100, 800), camera(2, 0, (3.75, 0, 0), 801)]
    contents = {"boardName": "OAK", "cameraData": cameras, "version": 7,
                "stereoRectificationData": {"leftCameraSocket": 1, "rightCameraSocket": 2}}  # fmt: skip
    found = read_calibration(saved(tmp_path, "calib.json", contents))
    check(found, fx=800, second=801, fisheye=fisheye == 1)


REALSENSE = {"width": 848, "height": 480, "ppx": 423.5, "ppy": 241.5, "fx": 424.1, "fy": 424.1, "coeffs": [0] * 5,
             "model": "distortion.brown_conrady"}  # fmt: skip


def test_realsense(tmp_path):
    where = {"rotation": np.eye(3).ravel().tolist(), "translation": [-0.05, 0, 0]}
    infrared = {"infrared1": REALSENSE, "infrared2": REALSENSE, "extrinsics": where}
    for contents in (infrared, {"left": REALSENSE, "right": REALSENSE, "baseline_mm": 50}):
        found = read_calibration(saved(tmp_path, "rs.json", contents))
        assert (found.matrix[0, 0], found.baseline_m, found.raw) == (424.1, pytest.approx(0.05), None)
    lens = REALSENSE | {"model": "distortion.kannala_brandt4", "coeffs": [-0.007, 0.04, -0.03, 0.006, 0]}
    found = read_calibration(saved(tmp_path, "t265.json", {"fisheye1": lens, "fisheye2": lens, "extrinsics": where}))
    check(found, fx=424.1, second=424.1, turn=PLAIN, shift=[-0.05, 0, 0], fisheye=True)


def test_realsense_enumerated(tmp_path):
    text = "Device info: \n    Name                          :     Intel RealSense D435\n\nIntrinsic Parameters:\n\n"
    for name, width in (
        ("Infrared 1", 848),
        ("Infrared 1", 640),
        ("Infrared 2", 848),
        ("Infrared 2", 640),
        ("Color", 1920),
    ):
        text += (
            f' Intrinsic of "{name}" / {width}x480 / {{Y8}}\n  Width:      \t{width}\n'
            f"  Height:     \t480\n  PPX: \t{width / 2}\n"
        )
        text += (
            f"  PPY: \t241\n  Fx: \t{width / 2}\n  Fy: \t{width / 2}\n  Distortion: \tBrown Conrady\n"
            "  Coeffs: \t0  \t0  \t0  \t0  \t0\n\n"
        )
    for one, two, shift in ((1, 2, -0.05), (2, 1, 0.05)):
        text += (
            f' Extrinsic from "Infrared {one}"\t  To\t  "Infrared {two}" :\n Rotation Matrix:\n'
            "   1  0  0\n   0  1  0\n   0  0  1\n\n"
        )
        text += f" Translation Vector: {shift}  0  0\n\n"
    found = read_calibration(saved(tmp_path, "rs.txt", text))
    assert (found.fitting(640, 480).matrix[0, 0], found.fitting(848, 480).matrix[0, 0]) == (320, 424)
    assert found.baseline_m == pytest.approx(0.05)


def argoverse(name, y, focal):
    where = {"rotation": {"coefficients": [0.5, -0.5, 0.5, -0.5]}, "translation": [1.6, y, 1.3]}
    numbers = {"focal_length_x_px_": focal, "focal_length_y_px_": focal, "focal_center_x_px_": 1232,
               "focal_center_y_px_": 1028, "distortion_coefficients_": [-0.17, 0.12, -0.03]}  # fmt: skip
    return {"key": f"image_raw_{name}", "value": numbers | {"vehicle_SE3_camera_": where}}


def test_argoverse_has_nine_cameras_and_one_stereo_pair(tmp_path):
    names = ("ring_front_left", "ring_front_right", "ring_side_left", "ring_side_right", "ring_front_center")
    cameras = [argoverse(name, 0.2 - k / 10, 1400) for k, name in enumerate(names)]
    cameras += [argoverse("stereo_front_left", 0.15, 3700), argoverse("stereo_front_right", -0.15, 3701)]
    lidar = {"rotation": {"coefficients": [1, 0, 0, 0]}, "translation": [1.3, 0, 1.6]}
    path = saved(tmp_path, "info.json", {"camera_data_": cameras, "vehicle_SE3_down_lidar_": lidar})
    check(read_calibration(path), fx=3700, second=3701, turn=PLAIN, shift=[-0.3, 0, 0])
    found = read_calibration(path, cameras=("image_raw_ring_side_left", "ring_side_right"))
    assert found.matrix[0, 0] == 1400
    with pytest.raises(CalibrationError, match="has no two cameras a and b; it has ring_front_left"):
        read_calibration(path, cameras=("a", "b"))


def nuscenes(y, **more):
    return {
        "translation": [1.5, y, 1.5],
        "rotation": [0.5, -0.5, 0.5, -0.5],
        "camera_intrinsic": k_of(1266, 816, 491),
    } | more


def test_nuscenes_asks_which_cameras(tmp_path):
    table = [nuscenes(y, token=name) for name, y in (("aaa", 0), ("bbb", 0.5), ("ccc", -0.5))]
    table.append({"token": "ddd", "translation": [0, 0, 2], "rotation": [1, 0, 0, 0], "camera_intrinsic": []})
    path = saved(tmp_path, "calibrated_sensor.json", table)
    with pytest.raises(CalibrationError, match=r"names 3 cameras .* aaa, bbb, ccc") as error:
        read_calibration(path)
    assert "cameras='aaa,bbb'" in error.value.hint
    assert read_calibration(path, cameras=("bbb", "ccc")).baseline_m == pytest.approx(1)


def test_colmap_chooses_the_frames_of_the_photos(tmp_path):
    cameras = saved(tmp_path, "cameras.txt", "# Camera list\n1 PINHOLE 752 480 458.6 457.3 367.5 248.5\n")
    rows = "".join(f"{k} 1 0 0 0 {-k / 10} 0 0 1 shots/im{k}.png\n10.5 20.5 -1 30.5 40.5 7\n" for k in range(4))
    saved(tmp_path, "images.txt", "# Image list\n" + rows)
    found = read_calibration(cameras, photos=("im1", "im3"))
    assert (found.matrix[0, 0], found.matrix[0, 2], found.baseline_m) == (458.6, 367.0, pytest.approx(0.2))
    assert "unit of length" in (found.warning or "")
    (tmp_path / "images.txt").unlink()
    assert read_calibration(cameras).baseline_m is None
    saved(tmp_path, "cameras.txt", "1 RAD_TAN_THIN_PRISM_FISHEYE 752 480 1 2 3\n")
    with pytest.raises(CalibrationError, match="camera model RAD_TAN_THIN_PRISM_FISHEYE"):
        read_calibration(cameras)


@pytest.mark.parametrize("release", ["old", "new"])
def test_matlab_lies_on_its_side_in_millimetres(tmp_path, release):
    cameras = {}
    for k in (1, 2):
        matrix = np.array(k_of(459.0 + k))
        shape = {"RadialDistortion": [-0.28, 0.07, 0.01], "TangentialDistortion": [0, 0], "ImageSize": [480, 752]}
        cameras[f"CameraParameters{k}"] = shape | (
            {"IntrinsicMatrix": matrix.T.tolist()} if release == "old" else {"K": matrix.tolist()}
        )
    shift = (SHIFT * 1000).tolist()
    pose = {"Dimensionality": 3, "Translation": shift, "R": TURN.tolist(), "A": matrix4(TURN, shift).tolist()}
    old = {"RotationOfCamera2": TURN.T.tolist(), "TranslationOfCamera2": shift}
    found = read_calibration(
        saved(tmp_path, "rig.json", cameras | (old if release == "old" else {"PoseCamera2": pose}))
    )
    check(found)
    assert (found.width, found.height) == (752, 480)
    assert "millimetres" in (found.warning or "")


def test_matlab_toolbox(tmp_path):
    vector = cv2.Rodrigues(TURN)[0].ravel()
    text = "% Intrinsic parameters\n"
    for k, side in enumerate(("left", "right")):
        text += f"fc_{side} = [ {460 + k} ; 460 ];\ncc_{side} = [ 367 ; 248 ];\nalpha_c_{side} = [ 0.0 ];\n"
        text += f"kc_{side} = [ -0.28 ; 0.07 ; 0.0 ;\n 0.0 ; 0.0 ];\n"
    text += "om = [ " + " ; ".join(f"{v:.8f}" for v in vector) + " ]; % rotation\nT = [ -110.0 ; 0.4 ; -0.9 ];\n"
    check(read_calibration(saved(tmp_path, "Calib_Results_stereo.m", text)))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rc_visard_param.txt", "# Created by gc_stream\ncamera.A=[1081.4 0 640.0; 0 1081.4 480.0; 0 0 1]\n"
         "camera.height=960\n"
         "camera.width=1280\ncamera.gain=0\nrho=173.24\nt=0.1602\n"),
        ("basler.pfs", "# GenApi persistence file (version 3.1.0)\nScan3dFocalLength\t1081.4\nScan3dBaseline\t0.1602\n"
         "Scan3dPrincipalPointU\t640.0\nScan3dPrincipalPointV\t480.0\nWidth\t1280\nHeight\t960\n"
          "ExposureAuto\tContinuous\n"),
        ("stereodemo.json", json.dumps({"width": 1280, "height": 960, "fx": 1081.4, "fy": 1081.4, "cx0": 640,
                                        "cx1": 640, "cy": 480, "baseline_meters": 0.1602})),
        ("camera.json", json.dumps({"extrinsic": {"baseline": 0.1602, "pitch": 0.03}, "size": [1280, 960],
                                    "intrinsic": {"fx": 1081.4, "fy": 1081.4, "u0": 640, "v0": 480}})),
        ("unit.ini", "[camera]\nfx = 1081.4\nfy = 1081.4\ncx = 640\ncy = 480\nwidth = 1280\nheight = 960\n"
         "baseline = 160.2 mm\n"),
        ("Q.json", json.dumps({"Q": [[1, 0, 0, -640], [0, 1, 0, -480], [0, 0, 0, 1081.4], [0, 0, 1 / 0.1602, 0]],
                               "image_size": [1280, 960]})),
    ],
)  # fmt: skip
def test_rectified_pairs(tmp_path, name, text):
    found = read_calibration(saved(tmp_path, name, text))
    assert (found.matrix[0, 0], found.matrix[0, 2], found.width, found.height) == (1081.4, 640, 1280, 960)
    assert found.baseline_m == pytest.approx(0.1602)
    assert found.raw is None


MIDDLEBURY = """cam0=[999.4 0 294.1; 0 999.4 252.9; 0 0 1]
cam1=[999.4 0 326.9; 0 999.4 252.9; 0 0 1]
doffs=32.8
baseline=193.001
width=741
height=497
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    ("old", "new"), [("\n", "\r\n"), ("\n", "\r"), ("=", " = "), ("=", ": "), ("; ", "], ["), (" 0 ", ", 0, ")]
)
def test_encodings_line_ends_and_brackets(tmp_path, encoding, old, new):
    text = MIDDLEBURY.replace("=[", "=[[").replace("1]", "1]]") if new == "], [" else MIDDLEBURY
    found = read_calibration(saved(tmp_path, "calib.txt", text.replace(old, new), encoding))
    assert (found.matrix[0, 0], found.doffs_px, found.baseline_m, found.height) == (999.4, 32.8, 0.193001, 497)


NAMES = (
    "K1 D1 K2 D2 R T", "M1 D1 M2 D2 R T", "cameraMatrix1 distCoeffs1 cameraMatrix2 distCoeffs2 R T", "KL DL KR DR R T",
    "k1 d1 k2 d2 r t", "K_l d_l K_r d_r R t", "Kl Dl Kr Dr R T", "mtxL distL mtxR distR Rot Trns",
        "cam0_K cam0_D cam1_K cam1_D R T",
    "camera_matrix_left dist_coeffs_left camera_matrix_right dist_coeffs_right R T",
        "intrinsic1 distCoeffs1 intrinsic2 distCoeffs2 R T",
    "left_camera_matrix left_distortion right_camera_matrix right_distortion rotation_matrix translation_vector",
    "cameraMatrixL distCoeffL cameraMatrixR distCoeffR rot trans", "M_left D_left M_right D_right Rmat Tvec",
    "cameraMatrix_0 distCoeffs_0 cameraMatrix_1 distCoeffs_1 R T",
        "LeftCameraMatrix LeftDistCoeffs RightCameraMatrix RightDistCoeffs R T",
)  # fmt: skip
LENS = np.array([[-0.28, 0.07, 0, 0, 0.01]])


@pytest.mark.parametrize("form", ["json", "npz", "yml", "xml", "print"])
@pytest.mark.parametrize("names", NAMES)
def test_opencv_names_of_all_spellings(tmp_path, names, form):
    values = (np.array(k_of(460)), LENS, np.array(k_of(461)), LENS, TURN, SHIFT.reshape(3, 1))
    named = dict(zip(names.split(), values, strict=True))
    path = tmp_path / f"rig.{form}"
    if form == "json":
        path.write_text(json.dumps({k: v.tolist() for k, v in named.items()}))
    elif form == "npz":
        np.savez(path, allow_pickle=False, **named)
    elif form == "print":
        path.write_text("\n".join(f"{name} =\n{value}" for name, value in named.items()))
    else:
        storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
        for name, value in named.items():
            storage.write(name, value)
        storage.release()
    check(read_calibration(path))


def test_nested_names(tmp_path):
    one, two = ({"K": k_of(f), "D": LENS[0].tolist()} for f in (460, 461))
    where = {"R": TURN.tolist(), "T": SHIFT.tolist()}
    sides = {"left": k_of(460), "right": k_of(461)}
    lenses = {"left": LENS.tolist(), "right": LENS.tolist()}
    size = {"image_size": [752, 480]}
    for contents in (
        {"left": one, "right": two, "stereo": where} | size,
        {"left": one, "right": two | where} | size,
        {"calibration": {"left_camera": one, "right_camera": two, "extrinsics": where}} | size,
        {"intrinsics": sides, "distortion": lenses, "extrinsics": where} | size,
        {"cameras": [{"name": "left", **one}, {"name": "right", **two}], **where} | size,
        {"K": [k_of(460), k_of(461)], "dist": [LENS[0].tolist()] * 2, **where} | size,
    ):
        found = read_calibration(saved(tmp_path, "rig.json", contents))
        check(found)
        assert found.width == 752


def test_a_positive_translation_of_named_sides_is_the_place_of_the_right_camera(tmp_path):
    contents = {"left": {"K": k_of(460), "D": [0.1, 0, 0, 0]}, "right": {"K": k_of(461), "D": [0.1, 0, 0, 0]}}
    found = read_calibration(saved(tmp_path, "rig.json", contents | {"R": PLAIN, "T": [0.11, 0, 0]}))
    check(found, turn=PLAIN, shift=[-0.11, 0, 0])
    assert "the place of the right camera" in (found.warning or "")


@pytest.mark.parametrize("model", ["omni", "ds", "eucm", "fov"])
def test_rare_lenses_become_the_nearest_equidistant_one(tmp_path, model):
    """Their own projection of a ray, and OpenCV's of the lens that was read, meet in one pixel."""
    angle = np.radians(np.linspace(1, 70, 30))
    s, z = np.sin(angle), np.cos(angle)
    text, radius = {
        "omni": (camchain("radtan", "omni", "[1.2, 460, 460, 367, 248]", "[-0.03, 0.01, 0, 0]"), s / (z + 1.2)),
        "ds": (camchain("none", "ds", "[-0.2, 0.6, 460, 460, 367, 248]", "[]"), s / (0.6 * np.hypot(s,
            z - 0.2) + 0.4 * (z - 0.2))),
        "eucm": (camchain("none", "eucm", "[0.6, 1.1, 460, 460, 367, 248]", "[]"),
            s / (0.6 * np.sqrt(1.1 * s**2 + z**2) + 0.4 * z)),
        "fov": (camchain("fov", coefficients="[0.9]"), np.arctan(2 * np.tan(angle) * np.tan(0.45)) / 0.9),
    }[model]  # fmt: skip
    if model == "omni":
        radius = radius * (1 - 0.03 * radius**2 + 0.01 * radius**4)
    found = read_calibration(saved(tmp_path, "chain.yaml", text))
    rig = found.rig(752, 480)
    assert rig is not None
    assert rig.left.fisheye
    rays = np.column_stack([s, 0 * s, z])[:, None]
    pixels = cv2.fisheye.projectPoints(rays, np.zeros(3), np.zeros(3), rig.left.matrix, rig.left.coefficients)[0]
    assert np.abs(pixels[:, 0, 0] - (460 * radius + 367)).max() < 0.2
    assert "nearest equidistant" in (found.warning or "")


def test_a_fisheye_rig_is_written_and_read(tmp_path):
    lens = LensCamera(Camera.centred(640, 480, 200.0), (0.01, 0.002, 0, 0.001), True)
    write_calibration(tmp_path / "rig.yml", StereoRig(lens, lens, TURN, SHIFT))
    rig = read_calibration(tmp_path / "rig.yml").rig(640, 480)
    assert rig is not None
    assert (rig.left, rig.right) == (lens, lens)
    with pytest.raises(CalibrationError, match="5 distortion coefficients was described, not 4"):
        LensCamera(lens.pinhole, (0.1,) * 5, True)


def big(depth, opening, closing):
    return opening * depth + "1" + closing * depth


@pytest.mark.parametrize(
    ("name", "contents", "cause"),
    [
        ("a.yaml", 'K1: !!python/object/apply:os.system ["touch pwned"]\n', "no calibration"),
        ("a.yaml", "a: &x [1, 2]\nK1: *x\n", "no calibration"),
        ("a.yaml", "%YAML:1.0\nK1: *x\n", "reference"),
        ("a.yaml", big(3000, "[", "]").join(("K: ", "\n")), "nested too deep"),
        ("a.json", big(50_000, "[", "]"), "cannot be read"),
        ("a.json", '{"K1": [[700,0,640],[0,700,360],[0,0,', "ends too early"),
        ("a.xml", '<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><x><K1>&c;</K1></x>', "entities"),
        ("a.xml", "<opencv_storage><K1>", "XML is broken"),
        ("a.txt", "<!doctype html><html><body>Not found</body></html>", "web page"),
        ("a.p", b"\x80\x04\x95abc", "pickle"),
        ("a.mat", b"MATLAB 5.0 MAT-file" + bytes(200), "MATLAB"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "a picture"),
        ("a.npz", b"PK\x03\x04" + bytes(30), "damaged"),
        ("a.yml", "", "is empty"),
        ("a.json", '{"colour": "red", "names": ["x"]}', "it has the names colour"),
        ("a.txt", "1 2 3\n4 5 6\n", "6 numbers without names"),
        ("a.json", '{"K1": [[NaN, 0, 640], [0, 700, 360], [0, 0, 1]]}', "no number"),
        ("a.txt", "1" * 3900 + "x\nK: " + "1" * 3900 + "x\nfx " + "1 " * 1900 + "x", "no calibration"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_told_by_its_cause(tmp_path, name, contents, cause):
    path = tmp_path / name
    path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    with pytest.raises(CalibrationError, match=cause) as error:
        read_calibration(path)
    assert error.value.hint


def test_archives_are_not_unpickled_nor_taken_for_what_they_are_not(tmp_path):
    path = tmp_path / "rig.npz"
    np.savez(path, calibration=np.array({"K1": np.eye(3)}, dtype=object))
    with pytest.raises(CalibrationError, match=r"calibration in rig\.npz holds Python objects"):
        read_calibration(path)
    np.savez(path, left_map_x=np.zeros((480, 640), np.float32), left_map_y=np.zeros((480, 640), np.float32))
    with pytest.raises(CalibrationError, match=r"maps for cv2\.remap"):
        read_calibration(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "hi")
    with pytest.raises(CalibrationError, match=r"without numpy arrays: it holds a\.txt"):
        read_calibration(path)


def test_simplestereo_has_a_size_a_camera(tmp_path):
    contents = {"res1": [752, 480], "res2": [752, 480], "intrinsic1": k_of(460), "intrinsic2": k_of(461), "E": PLAIN,
                "distCoeffs1": LENS.tolist(), "distCoeffs2": LENS.tolist(), "R": TURN.tolist(), "F": PLAIN,
                "T": (1000 * SHIFT[:, None]).tolist(), "reprojectionError": 0.19}  # fmt: skip
    found = read_calibration(saved(tmp_path, "rig.json", contents))
    check(found)
    assert (found.width, found.height) == (752, 480)


def test_frames_of_a_renderer_are_chosen_by_the_photos(tmp_path):
    """Instant-NGP's transforms.json: OpenGL's axes, one lens for all."""
    frames = [{"file_path": f"images/{n}.png", "transform_matrix": matrix4(PLAIN, [x, 0, 0]).tolist()}
              for n, x in (("a", 0), ("b", 0.1), ("c", 0.3))]  # fmt: skip
    lens = {
        "fl_x": 460,
        "fl_y": 460,
        "cx": 367,
        "cy": 248,
        "w": 752,
        "h": 480,
        "k1": -0.28,
        "k2": 0.07,
        "p1": 0,
        "p2": 0,
    }
    path = saved(tmp_path, "transforms.json", lens | {"frames": frames})
    check(read_calibration(path, photos=("b", "c")), second=460, turn=PLAIN, shift=[-0.2, 0, 0])
    with pytest.raises(CalibrationError, match="names 3 cameras"):
        read_calibration(path)
