"""Folders of many views: RGB-D as 7-Scenes, TUM RGB-D and Open3D lay it out, and folders of stereo pairs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.errors import InputError
from depthapps.io.photos.images import IMAGE_SUFFIXES

TUM_DEPTH_SCALE = 5000.0  # units a metre, by the data set's own description
TUM_MAX_SECONDS = 0.02  # between a colour picture, its depth and its pose, as the data set's own script allows
_POSE_TOLERANCE = 1e-2  # of the rotation's orthogonality: poses are printed with few digits


class View(NamedTuple):
    """One view of a sequence: its files, and where its camera stands.

    Either `depth` or `right` is there. pose: (4, 4) float64 camera-to-world, metres; None if unknown.
    """

    image: Path
    depth: Path | None
    right: Path | None
    pose: NDArray[np.floating] | None


@dataclass(frozen=True)
class Sequence:
    """The views of a folder in their order.

    kind: how the folder is laid out. camera_matrix: (3, 3) of all views, None if the folder does not tell.
    depth_scale: units a metre of its depth files, None if the layout does not say.
    """

    kind: str
    views: tuple[View, ...]
    camera_matrix: NDArray[np.floating] | None = None
    depth_scale: float | None = None

    def camera(self, width: int, height: int) -> Camera | None:
        """The camera of pictures of this size."""
        if self.camera_matrix is None:
            return None
        k = self.camera_matrix
        return Camera(width, height, *(float(v) for v in (k[0, 0], k[1, 1], k[0, 2], k[1, 2])))


def read_sequence(folder: Path) -> Sequence:
    """What lies in a folder, recognised by its files' names. Raises InputError when it is no sequence.

    7-Scenes: frame-000000.color.png, .depth.png and .pose.txt, camera-intrinsics.txt. TUM: rgb.txt, depth.txt and
    groundtruth.txt. Open3D: color/, depth/, camera_intrinsic.json and trajectory.log. Pairs: folders left/ and right/
    with the same names in both, or NAME_left.png and NAME_right.png, and NAME.pose.txt beside the left. Views whose
    pose is missing or not finite, which is how trackers say that they were lost, are left out if others have one.
    """
    if not folder.is_dir():
        raise InputError(f"the sequence {folder} is not a folder", hint="pass the folder that the frames lie in")
    for kind, mark, read in (  # noqa: B007  (it is used behind the loop)
        ("TUM", "rgb.txt", _read_tum),
        ("7-Scenes", "*.depth.png", _read_7scenes),
        ("Open3D", "depth/*", _read_open3d),
        ("stereo pairs", "left/*", _read_pairs),
        ("stereo pairs", "*_left.*", _read_pairs),
    ):
        if any(folder.glob(mark)):
            views, matrix, scale = read(folder)
            break
    else:
        raise InputError(
            f"{folder} is no sequence that is known",
            hint="7-Scenes has frame-000000.depth.png, TUM rgb.txt, Open3D a folder depth, pairs left/ and right/",
        )
    known = [view for view in views if view.pose is not None]
    views = known or views
    if not views:
        raise InputError(f"{folder} holds no whole view", hint="every view needs its picture and its depth")
    return Sequence(kind, tuple(views), matrix, scale)


def _read_7scenes(folder: Path) -> tuple[list[View], NDArray | None, float | None]:
    views = []
    for depth in sorted(folder.glob("*.depth.png")):
        stem = depth.name.removesuffix(".depth.png")
        image = _picture(folder, f"{stem}.color")
        if image:
            views.append(View(image, depth, None, _pose_file(folder / f"{stem}.pose.txt")))
    return views, _matrix_file(folder / "camera-intrinsics.txt"), None


def _read_tum(folder: Path) -> tuple[list[View], NDArray | None, float | None]:
    colors, depths = _stamped(folder / "rgb.txt"), _stamped(folder / "depth.txt")
    poses = _stamped(folder / "groundtruth.txt") if (folder / "groundtruth.txt").is_file() else []
    views = []
    for time, (name, *_) in colors:
        depth, pose = _nearest(depths, time), _nearest(poses, time)
        if depth is not None:
            matrix = _quaternion_pose([float(v) for v in pose]) if pose else None
            views.append(View(folder / name, folder / depth[0], None, matrix))
    return views, _matrix_file(folder / "camera-intrinsics.txt"), TUM_DEPTH_SCALE


def _read_open3d(folder: Path) -> tuple[list[View], NDArray | None, float | None]:
    depths = sorted(p for p in (folder / "depth").iterdir() if p.is_file())
    colors = next((sorted((folder / n).iterdir()) for n in ("color", "image", "rgb") if (folder / n).is_dir()), [])
    if len(colors) != len(depths):
        raise InputError(
            f"{folder} has {len(colors)} pictures in color and {len(depths)} maps in depth",
            hint="every picture needs its depth",
        )
    logs = [p for p in (folder / "trajectory.log", folder / "camera_trajectory.log") if p.is_file()]
    poses: list[NDArray | None] = _log_poses(logs[0]) if logs else []
    poses += [None] * (len(colors) - len(poses))
    intrinsics = [p for p in (folder / "camera_intrinsic.json", folder / "intrinsic.json") if p.is_file()]
    matrix = None
    if intrinsics:
        try:
            columns = json.loads(intrinsics[0].read_text(encoding="utf-8"))["intrinsic_matrix"]
            matrix = np.array(columns, float).reshape(3, 3).T  # it stands column after column
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{intrinsics[0]} cannot be read ({error!r})", hint="Open3D's own file is wanted"
            ) from None
    return [View(c, d, None, p) for c, d, p in zip(colors, depths, poses, strict=False)], matrix, None


def _read_pairs(folder: Path) -> tuple[list[View], NDArray | None, float | None]:
    if (folder / "left").is_dir():
        lefts = [p for p in sorted((folder / "left").iterdir()) if p.suffix.lower() in IMAGE_SUFFIXES]
        rights = {p.stem: p for p in (folder / "right").glob("*") if p.suffix.lower() in IMAGE_SUFFIXES}
        pairs = [(p, rights.get(p.stem), p.stem) for p in lefts]
    else:
        lefts = [p for p in sorted(folder.glob("*_left.*")) if p.suffix.lower() in IMAGE_SUFFIXES]
        names = [p.stem.removesuffix("_left") for p in lefts]
        pairs = [(p, _picture(folder, f"{n}_right"), n) for p, n in zip(lefts, names, strict=True)]
    views = []
    for left, right, name in pairs:
        if right is None:
            raise InputError(f"{left} has no right view", hint="both views of a pair carry one name")
        views.append(View(left, None, right, _pose_file(left.parent / f"{name}.pose.txt")))
    return views, None, None


def _picture(folder: Path, stem: str) -> Path | None:
    return next((p for s in (".png", ".jpg", ".jpeg") if (p := folder / f"{stem}{s}").is_file()), None)


def _numbers(path: Path) -> NDArray[np.floating]:
    try:
        return np.array(path.read_text(encoding="utf-8").split(), float)
    except ValueError:
        raise InputError(f"{path} holds what is no number", hint="a matrix in rows of numbers is wanted") from None


def _matrix_file(path: Path) -> NDArray[np.floating] | None:
    """A camera matrix (3, 3) if the file is there."""
    if not path.is_file():
        return None
    values = _numbers(path)
    if values.size != 9 or not (np.isfinite(values).all() and values[0] > 0 and values[4] > 0):
        raise InputError(f"{path} is no camera matrix", hint="three rows: fx 0 cx, 0 fy cy, 0 0 1")
    return values.reshape(3, 3)


def _pose_file(path: Path) -> NDArray[np.floating] | None:
    """A pose (4, 4) if the file is there and its camera was not lost."""
    return _checked(_numbers(path), path) if path.is_file() else None


def _checked(values: NDArray[np.floating], path: Path) -> NDArray[np.floating] | None:
    if values.size != 16:
        raise InputError(f"{path} is no pose", hint="four rows of four numbers, camera to world, metres")
    pose = values.reshape(4, 4)
    if not np.isfinite(pose).all():
        return None
    rotation = pose[:3, :3]
    if np.abs(rotation @ rotation.T - np.eye(3)).max() > _POSE_TOLERANCE or np.linalg.det(rotation) < 0:
        raise InputError(f"the pose in {path} does not turn, it bends", hint="its upper left must be a rotation")
    return pose


def _log_poses(path: Path) -> list[NDArray | None]:
    """Poses of Open3D's .log: a line of three numbers, then four rows, again and again."""
    values = _numbers(path)
    if values.size % 19:
        raise InputError(f"{path} is no trajectory", hint="a line of three numbers and four rows for every view")
    return [_checked(block[3:], path) for block in values.reshape(-1, 19)]


def _stamped(path: Path) -> list[tuple[float, list[str]]]:
    """Lines of a TUM file: time, then the rest in parts."""
    if not path.is_file():
        raise InputError(f"{path} is missing", hint="TUM sequences have rgb.txt and depth.txt")
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    try:
        return [(float(time), rest) for time, *rest in (line for line in lines if line)]
    except ValueError:
        raise InputError(f"{path} has a line without a time", hint="every line starts with its seconds") from None


def _nearest(entries: list[tuple[float, list[str]]], time: float) -> list[str] | None:
    """What was taken nearest to a time, if that is near enough."""
    if not entries:
        return None
    stamp, rest = min(entries, key=lambda entry: abs(entry[0] - time))
    return rest if abs(stamp - time) <= TUM_MAX_SECONDS else None


def _quaternion_pose(values: list[float]) -> NDArray[np.floating] | None:
    """tx ty tz qx qy qz qw -> (4, 4)."""
    if len(values) != 7 or not np.isfinite(values).all():
        return None
    x, y, z, w = np.array(values[3:]) / np.linalg.norm(values[3:])
    pose = np.eye(4)
    pose[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    pose[:3, 3] = values[:3]
    return pose
