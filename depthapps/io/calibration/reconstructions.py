"""Bring the reconstructions of OpenSfM and OpenMVG into cameras and frames with the names that the table knows.

Sources: "Geometric Models" and "Dataset Structure" in OpenSfM's documentation; "sfm_data" in OpenMVG's. Both place
photos in a unit of their own, which is the metre only where positions by satellite or a known length have scaled them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from depthapps.core.errors import CalibrationError, brief
from depthapps.io.calibration.names import camera_name

_OPENSFM = ("perspective", "brown", "simple_radial", "radial", "fisheye", "fisheye_opencv")
# OpenMVG's lenses: where their coefficients stand, and which of OpenCV's k1 k2 p1 p2 k3 each of them is.
_OPENMVG = {
    "pinhole": ("", ()), "pinhole_radial_k1": ("disto_k1", (0,)), "pinhole_radial_k3": ("disto_k3", (0, 1, 4)),
    "pinhole_brown_t2": ("disto_t2", (0, 1, 4, 2, 3)), "fisheye": ("fisheye", (0, 1, 2, 3)),
}  # fmt: skip
_REMEDY = "undistort the photos with that program and pass the reconstruction of those"


def is_reconstruction(text: str) -> bool:
    """Whether a text is such a file, by words near its beginning or its end."""
    return '"sfm_data_version"' in text[:1000] or ('"shots"' in text and '"projection_type"' in text)


def as_frames(contents: Any, photos: Sequence[str], name: str) -> Any:
    """The contents of a file, with cameras and frames in place of a reconstruction. Raises CalibrationError.

    photos: the names of the two pictures without suffix; of several reconstructions, the one with both is taken.
    """
    if isinstance(contents, dict) and "sfm_data_version" in contents:
        return _of_openmvg(contents, name)
    found = [r for r in contents if isinstance(r, dict) and "shots" in r] if isinstance(contents, list) else []
    if not found:
        return contents
    wanted = set(map(camera_name, photos))
    return _of_opensfm(max(found, key=lambda r: len(wanted & {_stem(shot) for shot in r["shots"]})), name)


def _of_opensfm(found: dict[str, Any], name: str) -> dict[str, Any]:
    """Focal lengths count longer sides of the picture, principal points too, from its middle; X_camera = R X + t."""
    cameras = {}
    for key, camera in found["cameras"].items():
        kind, width, height = camera["projection_type"], float(camera["width"]), float(camera["height"])
        if kind not in _OPENSFM:
            raise CalibrationError(f"{name} has the camera model {brief(kind)}, which is not understood", hint=_REMEDY)
        side = max(width, height)
        fx = camera.get("focal_x", camera.get("focal")) * side
        fy = camera["focal_y"] * side if "focal_y" in camera else fx
        cx, cy = (camera.get(c, 0.0) * side + (pixels - 1) / 2 for c, pixels in (("c_x", width), ("c_y", height)))
        lens = ("k1", "k2", "k3", "k4") if kind.startswith("fisheye") else ("k1", "k2", "p1", "p2", "k3")
        distortion = [camera.get(k, 0.0) for k in lens]
        cameras[key] = _camera((fx, fy, cx, cy), (width, height), distortion, fisheye="fisheye" in kind)
    poses = (
        (shot, view["camera"], np.asarray(cv2.Rodrigues(np.array(view["rotation"], float))[0]), view["translation"])
        for shot, view in found["shots"].items()
    )
    return _together(cameras, poses, "OpenSfM")


def _of_openmvg(found: dict[str, Any], name: str) -> dict[str, Any]:
    """Lists of a key and a value each; X_camera = R (X - C)."""
    kinds: dict[int, str] = {}  # the first of a kind tells its name and number, the others the number alone
    cameras = {}
    for item in found["intrinsics"]:
        value = item["value"]
        number = int(value.get("polymorphic_id", 0)) & 0x7FFFFFFF  # the upper bit: the name is told
        kind = kinds[number] = value.get("polymorphic_name") or kinds.get(number, "")
        if kind not in _OPENMVG:
            raise CalibrationError(f"{name} has the camera model {brief(kind)}, which is not understood", hint=_REMEDY)
        data = _data(value)
        stored, places = _OPENMVG[kind]
        distortion = np.zeros(4 if kind == "fisheye" else 5)
        distortion[list(places)] = data.get(stored, ())
        focal, size = data["focal_length"], (data["width"], data["height"])
        cameras[item["key"]] = _camera(
            (focal, focal, *data["principal_point"]), size, distortion.tolist(), fisheye=kind == "fisheye"
        )
    places_of = {item["key"]: item["value"] for item in found["extrinsics"]}
    views = [_data(item["value"]) for item in found["views"]]
    poses = (
        (view["filename"], view["id_intrinsic"], (turn := np.array(pose["rotation"], float)), -turn @ pose["center"])
        for view in views
        if (pose := places_of.get(view["id_pose"])) is not None and view["id_intrinsic"] in cameras
    )
    return _together(cameras, poses, "OpenMVG")


def _data(value: dict[str, Any]) -> dict[str, Any]:
    """What a pointer of OpenMVG's points to, with what the program that wrote it keeps a level deeper."""
    data = value["ptr_wrapper"]["data"]
    return {**data.get("value0", {}), **data}


def _stem(photo: str) -> str:
    return camera_name(photo.rpartition("/")[2].rpartition(".")[0])


def _camera(
    pinhole: Sequence[float], size: Sequence[float], distortion: list[float], *, fisheye: bool
) -> dict[str, Any]:
    fx, fy, cx, cy = pinhole
    found: dict[str, Any] = {"K": [[fx, 0, cx], [0, fy, cy], [0, 0, 1]], "width": size[0], "height": size[1]}
    if fisheye or any(distortion):
        found |= {"dist_coeffs": distortion, "distortion_model": "equidistant" if fisheye else "plumb_bob"}
    return found


def _together(cameras: dict[Any, Any], poses: Any, program: str) -> dict[str, Any]:
    """Cameras and frames as COLMAP's tables give them; a frame repeats the numbers of its camera."""
    frames = []
    for photo, camera, turn, shift in poses:
        pose = np.column_stack([np.asarray(turn), np.asarray(shift, float)])
        frames.append({"name": photo, "world_to_camera": pose.tolist(), "reconstructed by": program, **cameras[camera]})
    return {"frames": frames or list(cameras.values())}
