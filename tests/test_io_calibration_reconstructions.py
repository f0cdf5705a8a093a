"""Calibrations from reconstructions of OpenSfM and OpenMVG."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from test_io_calibration_formats import BODY, SHIFT, TURN, check, matrix4, saved

from depthapps import read_calibration
from depthapps.core.errors import CalibrationError


def opensfm(lens, shots):
    posed = {
        name: {"camera": "v2 phone 752 480", "rotation": cv2.Rodrigues(pose[:3, :3])[0].ravel().tolist(),
               "translation": pose[:3, 3].tolist(), "orientation": 1, "gps_position": [0.0, 0.0, 2.0]}
        for name, pose in shots.items()
    }  # fmt: skip
    camera = {"width": 752, "height": 480, **lens}
    return {"cameras": {"v2 phone 752 480": camera}, "shots": posed, "points": {"1": {"coordinates": [1.0, 2.0, 3.0]}}}


def openmvg(kinds, poses):
    def pointed(number, name, data):
        first = {"polymorphic_name": name} if number >> 31 else {}
        return {"polymorphic_id": number, **first, "ptr_wrapper": {"id": number, "data": data}}

    size = {"width": 752, "height": 480}
    pinhole = {**size, "principal_point": [367.0, 248.0]}
    views = [
        {"local_path": "", "filename": f"im{k}.jpg", **size, "id_view": k, "id_intrinsic": min(k, 1), "id_pose": k}
        for k in range(4)
    ]
    lenses = [
        pointed(2**31 + 1 if k == 0 else 1, kinds[0], {**pinhole, "focal_length": 460.0 + k, **kinds[1]})
        for k in range(2)
    ]
    places = [{"rotation": p[:3, :3].tolist(), "center": (-p[:3, :3].T @ p[:3, 3]).tolist()} for p in poses]
    return {
        "sfm_data_version": "0.3", "root_path": "photos",
        "views": [{"key": k, "value": {"polymorphic_id": 2**30, **pointed(1, "", v)}} for k, v in enumerate(views)],
        "intrinsics": [{"key": k, "value": value} for k, value in enumerate(lenses)],
        "extrinsics": [{"key": k, "value": value} for k, value in enumerate(places)],
        "structure": [], "control_points": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lens", "distortion"),
    [
        ({"projection_type": "perspective", "focal": 460 / 752, "k1": -0.1, "k2": 0.02}, (-0.1, 0.02, 0, 0, 0)),
        (
            {"projection_type": "brown", "focal_x": 460 / 752, "focal_y": 460 / 752, "c_x": -8.5 / 752,
             "c_y": 8.5 / 752, "k1": -0.1, "k2": 0.02, "p1": 0.001, "p2": 0.002, "k3": 0.003},
            (-0.1, 0.02, 0.001, 0.002, 0.003),
        ),
        ({"projection_type": "fisheye", "focal": 460 / 752, "k1": -0.1, "k2": 0.02}, (-0.1, 0.02, 0, 0)),
    ],
)  # fmt: skip
def test_opensfm_gives_the_cameras_of_two_photos(tmp_path, lens, distortion):
    second = matrix4(TURN, SHIFT)
    shots = {"a1.jpg": BODY, "a2.jpg": matrix4(np.eye(3), [9, 9, 9]), "a3.jpg": second @ BODY}
    other = opensfm(lens, {"b1.jpg": np.eye(4), "b2.jpg": np.eye(4)})
    path = saved(tmp_path, "reconstruction.json", [other, opensfm(lens, shots)])
    found = read_calibration(path, photos=("a1", "a3"))
    check(found, second=460, fisheye=lens["projection_type"] == "fisheye")
    assert found.raw is not None
    assert found.raw.distortions[0] == pytest.approx(distortion)
    middle = (367.0, 248.0) if "c_x" in lens else (375.5, 239.5)
    assert found.matrix[:2, 2] == pytest.approx(middle)
    assert (found.width, found.height) == (752, 480)
    assert "OpenSfM's unit of length" in (found.warning or "")


@pytest.mark.parametrize(
    ("kinds", "distortion"),
    [
        (("pinhole", {}), ()),
        (("pinhole_radial_k3", {"disto_k3": [-0.1, 0.02, 0.003]}), (-0.1, 0.02, 0, 0, 0.003)),
        (("pinhole_brown_t2", {"disto_t2": [-0.1, 0.02, 0.003, 0.1, 0.2]}), (-0.1, 0.02, 0.1, 0.2, 0.003)),
        (("fisheye", {"fisheye": [-0.1, 0.02, 0.003, 0.004]}), (-0.1, 0.02, 0.003, 0.004)),
    ],
)
def test_openmvg_gives_the_cameras_of_two_photos(tmp_path, kinds, distortion):
    poses = [BODY, matrix4(np.eye(3), [9, 9, 9]), matrix4(TURN, SHIFT) @ BODY]  # the fourth photo was not placed
    path = saved(tmp_path, "sfm_data.json", openmvg(kinds, poses))
    found = read_calibration(path, photos=("im0", "im2"))
    check(found, fisheye=kinds[0] == "fisheye")
    assert found.raw is not None
    assert found.raw.distortions[1] == pytest.approx(distortion)
    assert found.matrix[:2, 2] == pytest.approx((367.0, 248.0))
    assert "OpenMVG's unit of length" in (found.warning or "")


def test_spherical_cameras_of_reconstructions_are_refused(tmp_path):
    shots = {"a1.jpg": np.eye(4), "a2.jpg": BODY}
    for name, contents in (
        ("reconstruction.json", [opensfm({"projection_type": "spherical"}, shots)]),
        ("sfm_data.json", openmvg(("spherical", {}), [np.eye(4), BODY])),
    ):
        with pytest.raises(CalibrationError, match="camera model 'spherical'") as error:
            read_calibration(saved(tmp_path, name, contents), photos=("a1", "a2"))
        assert "undistort" in error.value.hint
