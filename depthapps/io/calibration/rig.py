"""Make a calibration of what is known of two cameras: as built, rectified, or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import CalibrationError, param
from depthapps.io.calibration.file import CalibrationFile, RawRig, clean_rotation, in_metres
from depthapps.io.calibration.lenses import Lens, lens_of
from depthapps.io.calibration.names import SIZES
from depthapps.io.calibration.poses import Pose, pose_between
from depthapps.io.calibration.refusals import WANTED, listed, no_calibration, only_a_view
from depthapps.io.calibration.values import Values
from depthapps.io.calibration.views import Views, choose_pair, views_of, whole

_UNITS = (("baseline_m", 1.0), ("baseline_mm", 0.001), ("baseline_cm", 0.01))
_LEAST_FOCAL_PX = 8.0  # a view of 90 degrees, 16 pixels wide


def calibration_of(
    values: Values, name: str, wanted: Sequence[str] = (), photos: Sequence[str] = ()
) -> CalibrationFile:
    """Make a calibration of a file's values, one for each size of picture that it knows. Raises CalibrationError."""
    if values.misfits:
        raise CalibrationError(
            f"{name}: {values.misfits[0]}",
            hint="is it another program's file, or cut? correct the numbers or their name",
        )
    sizes = sorted({v.size for v in values.found if v.size}, key=lambda size: -np.prod(_pixels(size)))
    found: list[CalibrationFile] = []
    alone: list[CalibrationFile] = []
    for size in sizes or [""]:
        views = views_of(values.found, size)
        pair = None
        try:
            pair = choose_pair(views, wanted, photos, name)
            one = _of_pair(views, pair, name) if pair else _of_one(views, name)
        except CalibrationError:
            if len(sizes) < 2:
                raise
            continue
        if one is None:
            continue
        width, height = _pixels(size) if size else (None, None)
        if pair and one.baseline_m is None and values.others:
            unknown = f"nothing in {name} tells how the cameras stand; not understood are {listed(values.others)}"
            one = replace(one, warning="; ".join(filter(None, (one.warning, unknown))))
        (found if pair else alone).append(replace(one, width=one.width or width, height=one.height or height))
    found = found or alone
    if not found:
        raise no_calibration(values, name)
    return replace(found[0], others=tuple(found[1:]))


def _pixels(size: str) -> tuple[int, int]:
    if size in SIZES:
        return SIZES[size]
    width, _, height = size.partition("x")
    return int(width), int(height)


def _of_one(views: Views, name: str) -> CalibrationFile | None:
    """The calibration of one camera, or of a rectified pair whose cameras are alike; None without a focal length."""
    view = next((whole(views, c) for c in views if c and "K" in views[c]), views[""])
    if len(views) > 1 and "" in views:
        view = {**{k: v for c in views.values() for k, v in c.items()}, **view}
    cameras = [camera for camera in views if camera and "K" in views[camera]]
    apart = {"baseline", "T"}.intersection(views[""])
    # the cameras of Middlebury, whose files have doffs, are cam0 and cam1; K1 elsewhere is the left one
    if (cameras in (["2"], ["right"]) and apart) or (cameras in (["1"], ["right"]) and "doffs" in views[""]):
        raise CalibrationError(
            f"{name} describes a pair and has no camera matrix of its left camera", hint=f"is it whole? {WANTED}"
        )
    lens = lens_of(view, name)
    width, height = _size(view, lens)
    if "P" in view and "K1" not in view:
        projection = _projection(view, "P", name)
        shift = -projection[0, 3] / projection[0, 0]
        warning = f"{name} describes one camera's lens distortion, which is not used" if lens and lens[1] else None
        return CalibrationFile(projection, width, height, shift if shift > 0 else None, None, warning)
    if lens is None and "Q" in view:
        return _of_q(view, width, height, name)
    if lens is None:
        return None
    baseline, unit = _baseline(view, lens[0], name)
    if baseline is None and "T" in view:
        shift, unit = in_metres(np.asarray(view["T"]), name)
        baseline = float(np.linalg.norm(shift)) or None
    doffs = float(view["doffs"]) if "doffs" in view else None
    warning = f"{name} describes lens distortion of one camera, which is not used" if any(lens[1]) else None
    return CalibrationFile(_checked(lens[0], name), width, height, baseline, doffs, warning or unit)


def _of_q(view: Mapping[str, Any], width: int | None, height: int | None, name: str) -> CalibrationFile:
    """From the matrix that OpenCV's reprojectImageTo3D takes."""
    q = np.reshape(view["Q"], (4, 4))
    if not q[3, 2]:
        raise CalibrationError(f"Q in {name} has no baseline", hint="the fourth row of Q begins 0 0 -1/Tx")
    matrix = np.array([[q[2, 3], 0, -q[0, 3]], [0, q[2, 3], -q[1, 3]], [0, 0, 1]])
    shift, unit = in_metres(np.array([abs(1 / q[3, 2]), 0, 0]), name)
    return CalibrationFile(_checked(matrix, name), width, height, float(shift[0]), float(q[3, 3] / q[3, 2]), unit)


def _of_pair(views: Views, pair: tuple[str, str], name: str) -> CalibrationFile | None:
    """The calibration of two cameras."""
    left, right = (whole(views, camera) for camera in pair)
    lenses = lens_of(left, name), lens_of(right, name)
    key = "P_rect" if "P_rect" in left and "P_rect" in right else "P"
    projections = [_projection(v, key, name) for v in (left, right)] if key in left and key in right else None
    if projections is None and None in lenses:
        missing = pair[0 if lenses[0] is None else 1]
        if "fov" in left:
            raise only_a_view(float(left["fov"]), name)
        raise CalibrationError(
            f"{name} has no camera matrix of the camera {missing}", hint=f"add K, or fx fy cx cy, of it; {WANTED}"
        )
    pose, note = _pose(views, pair, projections, name)
    raw = _raw(lenses, pose) if pose is not None else None
    sizes = [_size(v, lens) for v, lens in zip((left, right), lenses, strict=True)]
    if all(size[0] for size in sizes) and sizes[0] != sizes[1]:
        raise CalibrationError(
            f"the left camera has {sizes[0][0]}x{sizes[0][1]} px but the right one {sizes[1][0]}x{sizes[1][1]}",
            hint="pass the calibration of one rig, made for pictures of one size",
        )
    width, height = sizes[0]
    unit = None
    if key == "P_rect" and projections is not None:  # pictures as taken have another size, S
        rectified = left.get("S_rect")
        raw = replace(raw, size=(width, height)) if raw and rectified is not None and width and height else None
        width, height = (int(v) for v in rectified) if rectified is not None else (None, None)
    if projections is not None:
        one, two = projections
        shift, unit = in_metres(np.array([two[0, 3] / two[0, 0] - one[0, 3] / one[0, 0], 0, 0]), name)
        baseline: float | None = abs(float(shift[0])) or (float(np.linalg.norm(pose[1])) if pose else None)
        if not baseline:
            raise CalibrationError(
                f"{name} names no baseline: P[0,3] is {one[0, 3]:g} in both projections, and no T",
                hint="the right camera's projection has -fx times the baseline as its fourth number",
            )
    else:
        assert lenses[0] is not None
        assert lenses[1] is not None
        one, two = _checked(lenses[0][0], name), _checked(lenses[1][0], name)
        baseline, unit = (float(np.linalg.norm(pose[1])), None) if pose else _baseline(views[""], one, name)
    if pose is None and projections is None:
        raw, note = _without_pose(views, lenses, baseline, name)
    raw = None if raw is None or raw.is_rectified() else raw
    doffs = float(views[""]["doffs"]) if "doffs" in views[""] else float(two[0, 2] - one[0, 2])
    notes = [n for n in (note, unit, *(lens[3] for lens in lenses if lens and raw)) if n]
    return CalibrationFile(one, width, height, baseline, doffs, "; ".join(dict.fromkeys(notes)) or None, raw)


def _raw(lenses: tuple[Lens | None, Lens | None], pose: Pose) -> RawRig | None:
    left, right = lenses
    if left is None or right is None:
        return None
    return RawRig((left[0], right[0]), (left[1], right[1]), *pose, fisheye=(left[2], right[2]))


def _without_pose(
    views: Views, lenses: tuple[Lens | None, Lens | None], baseline: float | None, name: str
) -> tuple[RawRig | None, str | None]:
    """Two cameras of which only the distance is known, or not even that."""
    distorted = any(lens is not None and (any(lens[1]) or lens[2]) for lens in lenses)
    turned = [camera for camera, view in views.items() if "R" in view and "T" not in view]
    if turned and baseline is None:
        whose = f" of the camera {turned[0]}" if turned[0] else ""
        raise CalibrationError(
            f"{name} has R but no T{whose}: where the cameras stand is not told",
            hint="a rig is K1 D1 K2 D2 R T; extrinsics.yml may stand beside it",
        )
    if baseline is None:
        return None, f"{name} describes lens distortion of single cameras, which is not used" if distorted else None
    if distorted:
        return _raw(lenses, (np.eye(3), np.array([-baseline, 0.0, 0.0]))), None
    return None, None


def _pose(
    views: Views, pair: tuple[str, str], projections: list[NDArray[np.floating]] | None, name: str
) -> tuple[Pose | None, str | None]:
    """The pose of the right camera with T in metres, and a note of what was guessed; None if the file does not tell."""
    rig = views[""]
    left, right = (views.get(camera, {}) for camera in pair)
    if any(f"zed {axis}" in rig for axis in ("rx", "cv", "ry", "rz")) and "baseline" in rig:
        turn = np.array([rig.get("zed rx", 0), rig.get("zed cv", rig.get("zed ry", 0)), rig.get("zed rz", 0)])
        shift = np.array([rig["baseline"], rig.get("zed ty", 0), rig.get("zed tz", 0)]) / -1000
        return (clean_rotation(turn, f"RX CV RZ in {name}"), shift), None
    rectifying = [view.get("R_rect", view.get("R") if "T" not in view else None) for view in (left, right)]
    posed = {c: {k: v for k, v in view.items() if k != "R" or "T" in view or not c} for c, view in views.items()}
    pose, note = pose_between(posed, *pair), None
    if pose is not None and np.linalg.norm(pose[1]) > 0:
        if set(pair) == {"left", "right"} and _looks_wrong(pose):
            other = pose_between(posed, *pair, turned=True)
            if other is not None and not _looks_wrong(other):
                pose, note = other, f"T in {name} is taken as the place of the right camera, because it points right"
        shift, unit = in_metres(pose[1], name)
        if told := next((rig[key] * metres for key, metres in _UNITS if key in rig), None):  # its unit is written out
            shift, unit = pose[1] * (abs(told) / np.linalg.norm(pose[1])), None
        if program := left.get("program", "COLMAP" if "q world" in left else ""):
            unit = f"{program}'s unit of length is taken as the metre; pass {param('baseline_m')} if it is not"
        return (pose[0], shift), note or unit
    if projections is not None and (rectifying[0] is None) != (rectifying[1] is None):
        raise CalibrationError(
            f"{name} has no rectification_matrix (R) of the camera {pair[0 if rectifying[0] is None else 1]}",
            hint="is it a whole ROS camera_info file? K D R P of both cameras belong together",
        )
    apart = _rectified_baseline(rig, projections, name)
    if apart and all(r is not None and np.size(r) == 9 for r in rectifying) and "P_rect" not in left:
        # X_rectified = R X in each camera, and the rectified cameras stand a baseline apart along X
        one, two = (clean_rotation(np.reshape(np.asarray(r), (3, 3)), f"R in {name}") for r in rectifying)
        return (two.T @ one, two.T @ np.array([apart, 0, 0])), None
    if pose is not None and not apart and not any("baseline" in key for key in rig):
        raise CalibrationError(
            f"{name} puts both cameras into one place: T is 0", hint="was the pair calibrated? calibrate it anew"
        )
    return None, None


def _rectified_baseline(rig: Mapping[str, Any], projections: list[NDArray[np.floating]] | None, name: str) -> float:
    """T[0] in metres of the rectified cameras, by their projections or by the rectified camera of the file; or 0."""
    if projections is not None:
        p, q = projections
        return float(in_metres(np.array([q[0, 3] / q[0, 0] - p[0, 3] / p[0, 0], 0, 0]), name)[0][0])
    lens = lens_of(rig, name)
    return -(_baseline(rig, lens[0], name)[0] or 0.0) if lens else 0.0


def _looks_wrong(pose: Pose) -> bool:
    """Whether a pose puts the right camera to the left of the left one."""
    centre = -pose[0].T @ pose[1]
    return bool(centre[0] < 0 and abs(centre[0]) > np.abs(centre[1:]).max())


def _baseline(view: Mapping[str, Any], matrix: NDArray[np.floating], name: str) -> tuple[float | None, str | None]:
    """The baseline in metres from a number of its own, and a note of what was guessed."""
    told = next((key for key in (*(key for key, _ in _UNITS), "baseline") if key in view), None)
    if told is not None and not float(view[told]):
        raise CalibrationError(f"{name} has a baseline of 0 m", hint="it is the distance of the two lenses")
    for key, metres in _UNITS:
        if key in view:
            return abs(float(view[key])) * metres, None
    if "baseline" in view:
        value = abs(float(view["baseline"]))
        if "middlebury" in view or "doffs" in view:  # Middlebury's unit is the millimetre
            return value / 1000, None
        found, unit = in_metres(np.array([value, 0, 0]), name)
        return float(found[0]), unit
    if "f_baseline" in view:
        return abs(float(view["f_baseline"])) / float(matrix[0, 0]), None
    return None, None


def _size(view: Mapping[str, Any], lens: Lens | None) -> tuple[int | None, int | None]:
    """Width and height; of two numbers in an unknown order, the one that puts the principal point into the middle."""
    if "width" in view and "height" in view:
        sides = float(view["width"]), float(view["height"])
    elif "size" in view:
        sides = float(view["size"][0]), float(view["size"][1])
        centre = lens[0][:2, 2] if lens else np.array(sides) / 2
        off = [float(np.abs(centre / np.maximum(s, 1) - 0.5).sum()) for s in (sides, sides[::-1])]
        sides = sides[::-1] if off[1] < off[0] - 0.02 else sides
    else:
        return None, None
    if not all(0 < side < 1e6 for side in sides):
        return None, None
    return int(sides[0]), int(sides[1])


def _projection(view: Mapping[str, Any], key: str, name: str) -> NDArray[np.floating]:
    return _checked(np.reshape(view[key], (3, 4)), name)


def _checked(matrix: NDArray[np.floating], name: str) -> NDArray[np.floating]:
    if 0 < matrix[0, 0] < _LEAST_FOCAL_PX:
        raise CalibrationError(
            f"{name} has a focal length of {matrix[0, 0]:g}, which is no number of pixels: it may be counted in widths "
            "of the picture",
            hint=f"multiply fx and cx by the picture's width and fy and cy by its height; or pass {param('focal_px')}",
        )
    if not (matrix[0, 0] > 0 and matrix[1, 1] > 0):
        raise CalibrationError(
            f"{name} is of a camera that was not calibrated: its focal length is {matrix[0, 0]:g}",
            hint="calibrate it, or pass the file of a calibrated camera",
        )
    return matrix
