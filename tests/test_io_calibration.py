"""Calibration files of the kinds that people have."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthapps import CalibrationError, InputError, read_calibration

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
    assert np.array_equal(found.matrix, [[999.421, 0, 294.182], [0, 998.5, 252.932], [0, 0, 1]])
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
    assert (found.matrix[0, 0], found.matrix[0, 2], found.width) == (700, 320, 640)
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
    assert (found.matrix[0, 0], found.matrix[1, 1], found.doffs_px) == (500, 505, 0)
    assert found.baseline_m == pytest.approx(0.1)
    assert found.warning is None
    assert found.raw is None
    write_storage(tmp_path / "b.yml", **{f"{letter}1": matrix, "D1": np.array([[0.1, 0, 0, 0, 0]])})
    found = read_calibration(tmp_path / "b.yml")
    assert found.baseline_m is None
    assert "distortion" in (found.warning or "")


LEFT_MATRIX = np.array([[500.0, 0, 310], [0, 505, 230], [0, 0, 1]])
RIGHT_MATRIX = np.array([[510.0, 0, 330], [0, 512, 245], [0, 0, 1]])
LEFT_LENS, RIGHT_LENS = np.array([[-0.3, 0.1, 0.001, -0.002, 0.01]]), np.array([[-0.28, 0.09, 0, 0]])
ROTATION = cv2.Rodrigues(np.array([0.02, -0.05, 0.01]))[0]
TRANSLATION = np.array([[-0.12], [0.003], [-0.004]])


def check_rig(rig, scale=1.0):
    """Whether a rig is the one of the constants above."""
    assert rig is not None
    assert rig.left.pinhole.fx == pytest.approx(500 * scale)
    assert rig.right.pinhole.fy == pytest.approx(512 * scale)
    assert rig.right.pinhole.cx == pytest.approx((330 + 0.5) * scale - 0.5)
    assert rig.left.distortion == pytest.approx(LEFT_LENS.ravel())
    assert rig.right.distortion == pytest.approx(RIGHT_LENS.ravel())
    assert np.allclose(rig.rotation, ROTATION, atol=1e-6)
    assert np.allclose(rig.translation_m, TRANSLATION.ravel(), atol=1e-6)


@pytest.mark.parametrize("letter", ["K", "M"])
@pytest.mark.parametrize("suffix", [".yml", ".xml", ".json"])
def test_opencv_rig(tmp_path, letter, suffix):
    path = tmp_path / f"rig{suffix}"
    write_storage(path, **{f"{letter}1": LEFT_MATRIX, "D1": LEFT_LENS, f"{letter}2": RIGHT_MATRIX, "D2": RIGHT_LENS},
                  R=ROTATION, T=TRANSLATION, image_width=640, image_height=480)  # fmt: skip
    found = read_calibration(path)
    check_rig(found.rig(640, 480))
    check_rig(found.rig(1280, 960), 2)
    assert found.warning is None
    wider = found.rig(640, 480, baseline_m=0.24)
    assert wider is not None
    assert np.allclose(wider.translation_m, TRANSLATION.ravel() * 0.24 / np.linalg.norm(TRANSLATION))
    with pytest.raises(CalibrationError, match="640x480 but the picture is 640x500"):
        found.rig(640, 500)


def test_opencv_sample_writes_two_files(tmp_path):
    intrinsics, extrinsics = tmp_path / "intrinsics.yml", tmp_path / "extrinsics.yml"
    write_storage(intrinsics, M1=LEFT_MATRIX, D1=LEFT_LENS, M2=RIGHT_MATRIX, D2=RIGHT_LENS)
    assert read_calibration(intrinsics).raw is None
    turn_left, turn_right, project_left, project_right, *_ = cv2.stereoRectify(
        LEFT_MATRIX, LEFT_LENS, RIGHT_MATRIX, RIGHT_LENS, (640, 480), ROTATION, TRANSLATION
    )
    write_storage(extrinsics, R=ROTATION, T=TRANSLATION, R1=turn_left, R2=turn_right,
                  P1=project_left, P2=project_right)  # fmt: skip
    for given in ([intrinsics], [extrinsics], [intrinsics, extrinsics], [extrinsics, intrinsics]):
        found = read_calibration(*given)
        check_rig(found.rig(640, 480))
        assert found.matrix[0, 0] == pytest.approx(project_left[0, 0])
        assert found.baseline_m == pytest.approx(np.linalg.norm(TRANSLATION))
    intrinsics.rename(tmp_path / "cameras.yml")
    check_rig(read_calibration(tmp_path / "cameras.yml", extrinsics).rig(640, 480))


@pytest.mark.parametrize(("factor", "word"), [(1000, "millimetres"), (20, "squares")])
def test_translations_of_an_unlikely_unit_are_pointed_out(tmp_path, factor, word):
    write_storage(tmp_path / "a.yml", K1=LEFT_MATRIX, K2=RIGHT_MATRIX, R=ROTATION, T=TRANSLATION * factor)
    found = read_calibration(tmp_path / "a.yml")
    assert word in (found.warning or "")
    rig = found.rig(640, 480)
    assert rig is not None
    assert rig.baseline_m == pytest.approx(np.linalg.norm(TRANSLATION) * (1 if word == "millimetres" else factor))


def test_a_missing_part_of_a_rig_is_named(tmp_path):
    write_storage(tmp_path / "a.yml", K1=LEFT_MATRIX, K2=RIGHT_MATRIX, R=ROTATION)
    with pytest.raises(CalibrationError, match="R but no T"):
        read_calibration(tmp_path / "a.yml")
    write_storage(tmp_path / "b.yml", K1=LEFT_MATRIX[:2])
    with pytest.raises(CalibrationError, match="is 2x3, not 3x3"):
        read_calibration(tmp_path / "b.yml")
    write_storage(tmp_path / "c.yml", K2=RIGHT_MATRIX, R=ROTATION, T=TRANSLATION)
    with pytest.raises(CalibrationError, match="no camera matrix of its left camera"):
        read_calibration(tmp_path / "c.yml")


CAMERA_INFO = """image_width: 640
image_height: 480
camera_name: {name}
camera_matrix:
  rows: 3
  cols: 3
  data: {matrix}
distortion_model: {model}
distortion_coefficients:
  rows: 1
  cols: 5
  data: {lens}
rectification_matrix:
  rows: 3
  cols: 3
  data: {rotation}
projection_matrix:
  rows: 3
  cols: 4
  data: {projection}
"""


def camera_infos(folder, names=("left.yaml", "right.yaml"), model="plumb_bob", layout=str):
    """The constants above as two camera_info files; layout prints a list."""
    turns_and_projections = cv2.stereoRectify(
        LEFT_MATRIX, LEFT_LENS, RIGHT_MATRIX, RIGHT_LENS, (640, 480), ROTATION, TRANSLATION
    )[:4]
    for k, (name, matrix, lens) in enumerate(
        zip(names, (LEFT_MATRIX, RIGHT_MATRIX), (LEFT_LENS, RIGHT_LENS), strict=True)
    ):
        values = {
            "matrix": matrix,
            "lens": lens,
            "rotation": turns_and_projections[k],
            "projection": turns_and_projections[k + 2],
        }
        lists = {key: layout(value.ravel().tolist()) for key, value in values.items()}
        (folder / name).write_text(CAMERA_INFO.format(name=name, model=model, **lists))
    return [folder / name for name in names]


def block(values):
    """A YAML list with a line each."""
    return "".join(f"\n  - {value}" for value in values)


@pytest.mark.parametrize("layout", [str, block])
def test_ros_camera_infos(tmp_path, layout):
    left, right = camera_infos(tmp_path, layout=layout)
    for given in ([left], [right], [left, right], [right, left]):
        found = read_calibration(*given)
        check_rig(found.rig(640, 480))
        assert found.baseline_m == pytest.approx(np.linalg.norm(TRANSLATION))
        assert (found.width, found.doffs_px) == (640, pytest.approx(0))
        assert found.camera(640, 480).fx == pytest.approx(LEFT_MATRIX[0, 0])
        assert found.camera(640, 480, rectified=True).fx == found.matrix[0, 0] != pytest.approx(LEFT_MATRIX[0, 0])


def test_one_camera_info_alone_is_one_camera(tmp_path):
    (path, _) = camera_infos(tmp_path, names=("a.yaml", "b.yaml"))
    found = read_calibration(path)
    assert (found.raw, found.baseline_m) == (None, None)
    assert "lens distortion" in (found.warning or "")


def test_camera_infos_that_are_no_pair(tmp_path):
    left, right = camera_infos(tmp_path)
    right.write_text(left.read_text())
    with pytest.raises(CalibrationError, match="no baseline"):
        read_calibration(left)
    left.write_text(left.read_text().replace("projection_matrix", "projections_matrix").replace("P:", ""))
    camera_infos(tmp_path, model="equidistant")
    with pytest.raises(CalibrationError, match="fisheye lens with 5"):
        read_calibration(left)
    camera_infos(tmp_path)
    left.write_text(left.read_text().replace("rectification_matrix:", "something:"))
    with pytest.raises(CalibrationError, match="no rectification_matrix"):
        read_calibration(left)


KITTI = """P0: 700 0 600 0 0 700 170 0 0 0 1 0
P1: 700 0 600 -378 0 700 170 0 0 0 1 0
P2: 7.0e+02 0 6.0e+02 4.2e+01 0 700 170 0.2 0 0 1 0.003
P3: 700 0 610 -336 0 700 170 2.2 0 0 1 0.003
Tr: 1 2 3
"""


def test_kitti(tmp_path):
    path = tmp_path / "calib.txt"
    path.write_text(KITTI)
    found = read_calibration(path)
    assert (found.matrix[0, 0], found.matrix[0, 2], found.matrix[1, 2]) == (700, 600, 170)
    assert found.baseline_m == pytest.approx(378 / 700)
    assert found.doffs_px == 10
    path.write_text("\n".join(KITTI.splitlines()[:2]))  # a file of the grey cameras
    assert read_calibration(path).baseline_m == pytest.approx(0.54)
    path.write_text("\n".join(KITTI.splitlines()[:1]))
    assert read_calibration(path).baseline_m is None


def test_kitti_raw(tmp_path):
    path = tmp_path / "calib_cam_to_cam.txt"
    lines = KITTI.replace("P2:", "P_rect_02:").replace("P3:", "P_rect_03:").splitlines()[2:4]
    path.write_text("calib_time: 09-Jan-2012 13:57:47\ncorner_dist: 9.9e-02\nS_rect_02: 1242 375\n" + "\n".join(lines))
    found = read_calibration(path)
    assert (found.width, found.height, found.matrix[0, 0]) == (1242, 375, 700)
    assert found.baseline_m == pytest.approx(0.54)


KITTI_RAW = """S_02: 1.392000e+03 5.120000e+02
K_02: 960 0 695 0 957 224 0 0 1
D_02: -0.37 0.2 0.001 0.002 -0.07
R_02: 1 0 0 0 1 0 0 0 1
T_02: 0.06 0 0
S_03: 1392 512
K_03: 903 0 695 0 901 224 0 0 1
D_03: -0.36 0.18 0 0 -0.05
R_03: 0.99995 0 0.0099998 0 1 0 -0.0099998 0 0.99995
T_03: -0.47 0 0
"""
KITTI_RECTIFIED = """S_rect_02: 1242 375
P_rect_02: 721 0 609 44 0 721 172 0 0 0 1 0
P_rect_03: 721 0 609 -340 0 721 172 0 0 0 1 0
"""


@pytest.mark.parametrize("rectified", ["", KITTI_RECTIFIED])
def test_kitti_raw_cameras_as_they_are(tmp_path, rectified):
    path = tmp_path / "calib_cam_to_cam.txt"
    path.write_text("calib_time: 09-Jan-2012\n" + KITTI_RAW + rectified)
    found = read_calibration(path)
    rig = found.rig(1392, 512)
    assert rig is not None
    assert (rig.left.pinhole.fx, rig.right.pinhole.fy, rig.left.distortion[0]) == (960, 901, -0.37)
    assert found.camera(1392, 512).fx == 960
    # a point through the second camera's own pose is the same as by way of the first
    point = np.array([0.3, -0.2, 4.0])  # in camera 0's axes
    turn = np.array([[0.99995, 0, 0.0099998], [0, 1, 0], [-0.0099998, 0, 0.99995]])
    first = point + np.array([0.06, 0, 0])
    second = turn @ point + np.array([-0.47, 0, 0])
    assert rig.rotation @ first + rig.translation_m == pytest.approx(second, abs=1e-4)
    if rectified:  # the pictures of the drives that people have
        assert found.rig(1242, 375) is None
        assert found.camera(1242, 375).fx == 721
        assert found.baseline_m == pytest.approx(384 / 721)


def test_kitti_raw_without_a_pose_says_so(tmp_path):
    path = tmp_path / "calib_cam_to_cam.txt"
    path.write_text(KITTI_RAW.replace("T_03", "X_03"))
    with pytest.raises(CalibrationError, match="no T of the camera 03"):
        read_calibration(path)


@pytest.mark.parametrize("text", ["700 0 320 0 701 240 0 0 1\n0.063\n", "700.0 0 320\n0 701 240\n0 0 1.0\n0.063"])
def test_k_txt(tmp_path, text):
    path = tmp_path / "K.txt"
    path.write_text(text)
    found = read_calibration(path)
    assert np.array_equal(found.matrix, [[700, 0, 320], [0, 701, 240], [0, 0, 1]])
    assert found.baseline_m == 0.063
    path.write_text(text.replace("0.063", ""))
    assert read_calibration(path).baseline_m is None
    path.write_text("1 2 3 4 5 6 7 8 9 10")
    with pytest.raises(CalibrationError, match="no camera matrix"):
        read_calibration(path)


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
    (tmp_path / "a.txt").write_bytes(b"\x01\x02\x00\x80\x07")
    with pytest.raises(InputError, match="not a text file"):
        read_calibration(tmp_path / "a.txt")
