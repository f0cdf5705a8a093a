"""Where cameras stand to each other: from the poses a file gives, by way of other cameras, a body or the world."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthapps.io.calibration.file import clean_rotation

Pose = tuple[NDArray[np.floating], NDArray[np.floating]]  # R (3, 3) and t (3,): X_there = R X_here + t
WORLD = "the world"
_FLIP = np.diag([1.0, -1.0, -1.0])  # OpenGL's axes to OpenCV's
_CENTIMETRES = 0.01  # OAK-D's unit


def pose_between(views: Mapping[str, Mapping[str, Any]], left: str, right: str, *, turned: bool = False) -> Pose | None:
    """The pose X_right = R X_left + t by the shortest way from pose to pose; None if no way leads there.

    turned: read R and T as the place of a camera, where they are usually the way of a point into it.
    """
    edges: dict[str, list[tuple[str, Pose]]] = {}
    for here, there, pose in _edges(views, left, right, turned):
        edges.setdefault(here, []).append((there, pose))
        edges.setdefault(there, []).append((here, inverse(pose)))
    todo: deque[tuple[str, Pose]] = deque([(left, (np.eye(3), np.zeros(3)))])
    seen = {left}
    while todo:
        here, so_far = todo.popleft()
        if here == right:
            return so_far
        for there, pose in edges.get(here, ()):
            if there not in seen:
                seen.add(there)
                todo.append((there, after(pose, so_far)))
    return None


def inverse(pose: Pose) -> Pose:
    """The pose the other way."""
    return pose[0].T, -pose[0].T @ pose[1]


def after(second: Pose, first: Pose) -> Pose:
    """The pose that leads through `first`, then through `second`."""
    return second[0] @ first[0], second[0] @ first[1] + second[1]


def _edges(views: Mapping[str, Mapping[str, Any]], left: str, right: str, turned: bool) -> list[tuple[str, str, Pose]]:
    """All poses of a file: from where, to where, and how."""
    found = []
    rig = views.get("", {})
    for view in (rig, views.get(left, {}), views.get(right, {})):
        if "to right" in view:
            found.append((left, right, _of_matrix(view["to right"])))
        if "to left" in view:
            found.append((right, left, _of_matrix(view["to left"])))
    if "T" in rig and not all("T" in views.get(camera, {}) for camera in (left, right)):
        pose = _rotation(rig["R"]) if "R" in rig else np.eye(3), np.asarray(rig["T"])
        found.append((right, left, pose) if turned else (left, right, pose))
    for camera, view in views.items():
        if camera:
            found += _own(camera, view, views, turned)
    posed = {end for edge in found for end in edge[:2]}
    if right in posed and left not in posed and WORLD in posed:
        found.append((WORLD, left, (np.eye(3), np.zeros(3))))  # the first camera is where the others are counted from
    return found


def _own(camera: str, view: Mapping[str, Any], views: Mapping[str, Any], turned: bool) -> list[tuple[str, str, Pose]]:
    """The poses that stand with one camera."""
    found = []
    if "from world" in view:
        found.append((WORLD, camera, _of_matrix(view["from world"])))
    if "to world" in view:
        found.append((camera, WORLD, _of_matrix(view["to world"])))
    if "to world 7" in view:
        x = np.asarray(view["to world 7"])
        found.append((camera, WORLD, (of_quaternion(*x[[6, 3, 4, 5]]), x[:3])))
    if "to world gl" in view:
        rotation, place = _of_matrix(view["to world gl"])
        found.append((camera, WORLD, (rotation @ _FLIP, place)))
    if "from previous" in view and camera.isdigit():
        found.append((str(int(camera) - 1), camera, _of_matrix(view["from previous"])))
    if "q world" in view and "t world" in view:
        found.append((WORLD, camera, (of_quaternion(*view["q world"]), np.asarray(view["t world"]))))
    if "T" in view and "to" in view:
        to = str(view["to"])
        if to in views and "R" in view:
            found.append((camera, to, (_rotation(view["R"]), np.asarray(view["T"]) * _CENTIMETRES)))
    elif "T" in view and "leads to" in view:
        turn = of_quaternion(*np.asarray(view["xyzw"])[[3, 0, 1, 2]]).T if "xyzw" in view else None
        turn = turn if turn is not None else _rotation(view["R"]) if "R" in view else np.eye(3)
        found.append((camera, view["leads to"], (turn, np.asarray(view["T"]))))
    elif "T" in view and "R" in view:
        pose = _rotation(view["R"]), np.asarray(view["T"])
        # robots write a camera's place and its quaternion; matrices are written as OpenCV's
        found.append((camera, WORLD, pose) if (len(view["R"]) == 4) != turned else (WORLD, camera, pose))
    elif "T" in view:
        pose = np.eye(3), np.asarray(view["T"])
        found.append((camera, WORLD, pose) if turned else (WORLD, camera, pose))
    return found


def _of_matrix(values: Any) -> Pose:
    matrix = np.reshape(values, (-1, 4))
    return clean_rotation(matrix[:3, :3], "a pose's rotation"), matrix[:3, 3].copy()


def _rotation(values: Any) -> NDArray[np.floating]:
    """A rotation (3, 3) from nine numbers, a rotation vector, or a quaternion w x y z."""
    values = np.asarray(values, np.float64)
    if values.size == 4:
        return of_quaternion(*values)
    return clean_rotation(values.reshape(3, 3) if values.size == 9 else values, "R")


def of_quaternion(w: float, x: float, y: float, z: float) -> NDArray[np.floating]:
    """The rotation (3, 3) of a quaternion (Hamilton's)."""
    w, x, y, z = np.array([w, x, y, z]) / max(float(np.linalg.norm([w, x, y, z])), 1e-12)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
