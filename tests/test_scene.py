"""Cameras and scenes refuse what cannot be, and scale as pictures do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthapps import (
    Calibration,
    CalibrationError,
    Camera,
    InputError,
    LensCamera,
    PhotoPair,
    Scene,
    SecondView,
    StereoPair,
    StereoRig,
    open_scene,
)

sizes = st.integers(2, 5000)
focals = st.floats(10, 1e4)
LENS = LensCamera(Camera.centred(10, 8, 5), (0.1, -0.2, 0.001, 0.0))


@given(sizes, sizes, focals, st.integers(1, 8), st.floats(-0.4, 0.4), st.floats(-0.4, 0.4))
def test_a_scaled_camera_sees_the_same_point_at_the_same_place(width, height, focal, factor, x, y):
    camera = Camera.centred(width, height, focal)
    scaled = camera.scaled_to(width * factor, height * factor)
    for before, after in (
        (camera.fx * x + camera.cx, scaled.fx * x + scaled.cx),
        (camera.fy * y + camera.cy, scaled.fy * y + scaled.cy),
    ):
        assert after + 0.5 == pytest.approx((before + 0.5) * factor, abs=1e-6 * focal * factor)


@given(sizes, sizes, focals, sizes, sizes)
def test_scaling_there_and_back_changes_nothing(width, height, focal, other_width, other_height):
    camera = Camera(width, height, focal, focal * 1.1, width / 3, height / 4)
    back = camera.scaled_to(other_width, other_height).scaled_to(width, height)
    assert np.allclose([back.fx, back.fy, back.cx, back.cy], [camera.fx, camera.fy, camera.cx, camera.cy], rtol=1e-9)


def test_a_camera_and_its_matrix_tell_the_same():
    camera = Camera(640, 480, 500.5, 501.5, 320.25, 240.75)
    assert camera.matrix.tolist() == [[500.5, 0, 320.25], [0, 501.5, 240.75], [0, 0, 1]]
    assert Camera.from_matrix(640, 480, camera.matrix) == camera
    assert LensCamera(camera, (0.1, 0, 0, 0)).coefficients.tolist() == [0.1, 0, 0, 0]
    assert LensCamera(camera).coefficients.tolist() == [0, 0, 0, 0, 0]


def test_a_scaled_rig_keeps_its_lenses_and_its_pose():
    rig = StereoRig(LENS, LensCamera(LENS.pinhole), np.eye(3), np.array([-0.06, 0, 0.08]))
    scaled = rig.scaled_to(20, 16)
    assert scaled.left == LensCamera(LENS.pinhole.scaled_to(20, 16), LENS.distortion)
    assert scaled.right.pinhole.fx == 10
    assert scaled.baseline_m == rig.baseline_m == pytest.approx(0.1)
    assert scaled.rotation is rig.rotation


def test_a_field_of_view_spans_the_picture():
    camera = Camera.from_fov(1000, 500, 90)
    assert camera.fx == camera.fy == pytest.approx(500)
    assert (camera.cx, camera.cy) == (499.5, 249.5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Camera.from_fov(10, 10, 180),
        lambda: Camera.centred(10, 10, 0),
        lambda: Camera.centred(0, 10, 5),
        lambda: Camera(40, 30, 30, 30, 5, float("nan")),
        lambda: Camera(4000, 30, 3000, 30, 5, 1e5),  # far for its height
        lambda: Calibration(Camera.centred(10, 10, 5), 0),
        lambda: Calibration(Camera.centred(10, 10, 5), float("nan")),
        lambda: LensCamera(Camera.centred(10, 10, 5), (0.1, 0.2, 0.3)),
        lambda: LensCamera(Camera.centred(10, 10, 5), (0.1, 0.2, 0.0, float("nan"))),
        lambda: StereoRig(LENS, LENS, np.diag([1.0, 1, -1]), np.array([-0.1, 0, 0])),
        lambda: StereoRig(LENS, LENS, np.eye(3) * 1.1, np.array([-0.1, 0, 0])),
        lambda: StereoRig(LENS, LENS, np.eye(3), np.zeros(3)),
        lambda: StereoRig(LENS, LENS, np.eye(3), np.full((3, 1), -0.1)),
    ],
)
def test_impossible_cameras_are_refused(make):
    with pytest.raises(CalibrationError) as error:
        make()
    assert error.value.hint


def test_parts_of_different_size_are_refused():
    image, camera = np.zeros((4, 6, 3), np.uint8), Camera.centred(6, 4, 5)
    with pytest.raises(InputError, match="left is 6x4 but right is 5x4"):
        StereoPair(image, image[:, :5], Calibration(camera, 0.1))
    with pytest.raises(InputError, match="the first photo is 6x4 but the second is 5x4"):
        PhotoPair(image, image[:, :5], Calibration(camera, 0.1))
    with pytest.raises(InputError, match="6x4 but its depth is 6x3"):
        Scene(image, np.ones((3, 6), np.float32), camera)
    for wrong, size in ((np.ones((3, 6), np.float32), "6x3"), (np.ones((4, 6, 1), np.float32), "4x6x1")):
        with pytest.raises(InputError, match=f"6x4 but its confidence is {size}"):
            Scene(image, np.ones((4, 6), np.float32), camera, confidence=wrong)
    with pytest.raises(CalibrationError, match="camera is 5x4"):
        Scene(image, np.ones((4, 6), np.float32), Camera.centred(5, 4, 5))
    with pytest.raises(InputError, match="no known depth"):
        Scene(image, np.full((4, 6), np.nan, np.float32), camera)


def test_numbers_that_are_not_finite_are_refused():
    image, depth, camera = np.zeros((4, 6, 3), np.float32), np.ones((4, 6), np.float32), Camera.centred(6, 4, 5)
    for wrong in (np.nan, np.inf):
        broken = image.copy()
        broken[1, 2, 0] = wrong
        with pytest.raises(InputError, match="image holds samples that are not finite"):
            Scene(broken, depth, camera)
        with pytest.raises(InputError, match="image holds samples that are not finite"):
            SecondView(broken, camera, np.eye(4))
        with pytest.raises(InputError, match="image holds samples that are not finite"):
            open_scene(broken, depth=depth)
        with pytest.raises(InputError, match="inverse_depth_sigma"):
            Scene(image, depth, camera, wrong)
    with pytest.raises(InputError, match="inverse_depth_sigma"):
        Scene(image, depth, camera, -1.0)
    unsure = np.full((4, 6), 0.5, np.float32)
    unsure[1, 2], unsure[0, 1] = np.nan, np.inf
    confidence = Scene(image, depth, camera, confidence=unsure).confidence
    assert confidence is not None
    assert (confidence[1, 2], confidence[0, 1], confidence[2, 2]) == (0, 1, 0.5)
    with pytest.raises(InputError, match="image is float32 of 4x6"):
        SecondView(depth, camera, np.eye(4))
    assert Scene(image, depth, camera, empty=np.zeros((4, 6), np.uint8)).empty.dtype == np.bool_  # pyright: ignore[reportArgumentType, reportOptionalMemberAccess]
