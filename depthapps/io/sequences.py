"""Read folders of many views: RGB-D as 7-Scenes, TUM RGB-D and Open3D lay it out, and folders of stereo pairs."""

from __future__ import annotations

import bisect
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.errors import InputError
from depthapps.io.formats import IMAGE_SUFFIXES, MAP_SUFFIXES
from depthapps.io.inputs import StrPath, parsing, read_text

TUM_DEPTH_SCALE = 5000.0  # units a metre, by the description of the data set
TUM_MAX_SECONDS = 0.02  # between a colour picture, its depth and its pose, as the script of the data set allows
_POSE_TOLERANCE = 1e-2  # by which R Rᵀ may differ from 1, because poses are printed with few digits


class SequenceFrame(NamedTuple):
    """One view of a sequence. It has either `depth` or `right`.

    Attributes
    ----------
    image : Path
        The picture, or the left view of a pair.
    depth : Path or None
        The depth map of the picture.
    right : Path or None
        The right view of a pair.
    pose : ndarray, (4, 4) float64 or None
        Camera to world, metres; None if unknown.
    """

    image: Path
    depth: Path | None
    right: Path | None
    pose: NDArray[np.floating] | None


@dataclass(frozen=True)
class Sequence:
    """The views of a folder in their order.

    Attributes
    ----------
    kind : str
        The layout of the folder: "7-Scenes", "TUM", "Open3D" or "stereo pairs".
    views : tuple of SequenceFrame
        The views.
    camera_matrix : ndarray, (3, 3) or None
        K of all views, in pixels; None if the folder does not tell.
    depth_scale : float or None
        Units a metre of the depth files; None if the layout does not define it.
    """

    kind: str
    views: tuple[SequenceFrame, ...]
    camera_matrix: NDArray[np.floating] | None = None
    depth_scale: float | None = None

    def camera(self, width: int, height: int) -> Camera | None:
        """The camera of pictures of width x height px; None if the folder does not tell."""
        if self.camera_matrix is None:
            return None
        return Camera.from_matrix(width, height, self.camera_matrix)


def read_sequence(folder: StrPath) -> Sequence:
    """Read what a folder of many views says: its files, poses and camera. Pictures and depth are not read.

    Parameters
    ----------
    folder : str or PathLike
        Its layout is recognised by the names of its files (see Notes).

    Returns
    -------
    Sequence
        The views in their order. Views whose pose is missing or not finite, which is how trackers say that they were
        lost, are left out if others have one.

    Raises
    ------
    InputError
        The folder is not there or has none of the layouts, a view lacks a file, or a file of numbers cannot be read.

    Notes
    -----
    7-Scenes: frame-000000.color.png, .depth.png and .pose.txt, camera-intrinsics.txt. TUM RGB-D: rgb.txt, depth.txt
    and groundtruth.txt. Open3D: folders color and depth, camera_intrinsic.json and trajectory.log. Stereo pairs:
    folders left and right with the same names in both, or NAME_left.png and NAME_right.png; NAME.pose.txt beside the
    left view.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"the sequence {folder} is not a folder", hint="pass the folder that the frames lie in")
    with parsing(folder, "sequence"):
        return _read(folder)


@np.errstate(all="ignore")  # absurd numbers overflow, and are refused for it
def _read(folder: Path) -> Sequence:
    for kind, mark, read in (  # noqa: B007  (kind is used behind the loop)
        ("TUM", "rgb.txt", _read_tum),
        ("7-Scenes", "*.depth.png", _read_7scenes),
        ("Open3D", "depth/*", _read_open3d),
        ("stereo pairs", "left/*", _read_pairs),
        ("stereo pairs", "*_left.*", _read_pairs),
    ):
        if any(path.name[0] != "." for path in folder.glob(mark)):
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


def _read_7scenes(folder: Path) -> tuple[list[SequenceFrame], NDArray | None, float | None]:
    views = []
    for depth in _files(folder, "*.depth.png", MAP_SUFFIXES):
        stem = depth.name.removesuffix(".depth.png")
        image = _picture(folder, f"{stem}.color")
        if image:
            views.append(SequenceFrame(image, depth, None, _pose_file(folder / f"{stem}.pose.txt")))
    return views, _matrix_file(folder / "camera-intrinsics.txt"), None


def _read_tum(folder: Path) -> tuple[list[SequenceFrame], NDArray | None, float | None]:
    colors, depths = _stamped(folder / "rgb.txt"), _stamped(folder / "depth.txt")
    poses = _stamped(folder / "groundtruth.txt") if (folder / "groundtruth.txt").is_file() else []
    views = []
    for time, (name, *_) in colors:
        depth, pose = _nearest(depths, time), _nearest(poses, time)
        if depth:
            matrix = _quaternion_pose([float(v) for v in pose]) if pose else None
            views.append(SequenceFrame(folder / name, folder / depth[0], None, matrix))
    return views, _matrix_file(folder / "camera-intrinsics.txt"), TUM_DEPTH_SCALE


def _read_open3d(folder: Path) -> tuple[list[SequenceFrame], NDArray | None, float | None]:
    depths = _files(folder / "depth", "*", MAP_SUFFIXES)
    pictures = next((folder / name for name in ("color", "image", "rgb") if (folder / name).is_dir()), None)
    colors = _files(pictures, "*", IMAGE_SUFFIXES) if pictures else []
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
            columns = json.loads(read_text(intrinsics[0], "camera matrix"))["intrinsic_matrix"]
            matrix = np.array(columns, float).reshape(3, 3).T  # the file lists it column by column
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            raise InputError(
                f"{intrinsics[0]} has no intrinsic_matrix of nine numbers", hint="Open3D's own file is wanted"
            ) from None
    views = [SequenceFrame(c, d, None, p) for c, d, p in zip(colors, depths, poses, strict=False)]
    return views, None if matrix is None else _checked_matrix(matrix, intrinsics[0]), None


def _read_pairs(folder: Path) -> tuple[list[SequenceFrame], NDArray | None, float | None]:
    if (folder / "left").is_dir():
        lefts = _files(folder / "left", "*", IMAGE_SUFFIXES)
        rights = {p.stem: p for p in _files(folder / "right", "*", IMAGE_SUFFIXES)}
        pairs = [(p, rights.get(p.stem), p.stem) for p in lefts]
    else:
        lefts = _files(folder, "*_left.*", IMAGE_SUFFIXES)
        names = [p.stem.removesuffix("_left") for p in lefts]
        pairs = [(p, _picture(folder, f"{n}_right"), n) for p, n in zip(lefts, names, strict=True)]
    views = []
    for left, right, name in pairs:
        if right is None:
            raise InputError(f"{left} has no right view", hint="both views of a pair carry one name")
        views.append(SequenceFrame(left, None, right, _pose_file(left.parent / f"{name}.pose.txt")))
    return views, None, None


def _files(folder: Path, pattern: str, suffixes: tuple[str, ...]) -> list[Path]:
    """The files of a pattern with one of these suffixes, sorted, without hidden ones such as macOS's ._NAME."""
    found = (p for p in folder.glob(pattern) if p.suffix.lower() in suffixes and p.name[0] != ".")
    return sorted(p for p in found if p.is_file())


def _picture(folder: Path, stem: str) -> Path | None:
    return next((p for s in (".png", ".jpg", ".jpeg") if (p := folder / f"{stem}{s}").is_file()), None)


def _numbers(path: Path) -> NDArray[np.floating]:
    try:
        return np.array(read_text(path, "file of numbers").split(), float)
    except ValueError:
        raise InputError(f"{path} holds what is no number", hint="a matrix in rows of numbers is wanted") from None


def _matrix_file(path: Path) -> NDArray[np.floating] | None:
    """The camera matrix (3, 3) in a file; None if there is no such file."""
    if not path.is_file():
        return None
    return _checked_matrix(_numbers(path), path)


def _checked_matrix(values: NDArray[np.floating], path: Path) -> NDArray[np.floating]:
    values = values.ravel()
    if values.size != 9 or not (np.isfinite(values).all() and values[0] > 0 and values[4] > 0):
        raise InputError(f"{path} is no camera matrix", hint="three rows: fx 0 cx, 0 fy cy, 0 0 1")
    return values.reshape(3, 3)


def _pose_file(path: Path) -> NDArray[np.floating] | None:
    """The pose (4, 4) in a file; None if there is no such file or the tracker was lost."""
    return _checked(_numbers(path), path) if path.is_file() else None


def _checked(values: NDArray[np.floating], path: Path) -> NDArray[np.floating] | None:
    if values.size != 16:
        raise InputError(f"{path} is no pose", hint="four rows of four numbers, camera to world, metres")
    pose = values.reshape(4, 4)
    if not np.isfinite(pose).all():
        return None
    rotation = pose[:3, :3]
    if np.abs(rotation @ rotation.T - np.eye(3)).max() > _POSE_TOLERANCE or np.linalg.det(rotation) < 0:
        raise InputError(f"the pose in {path} is no rigid motion", hint="its upper left must be a rotation")
    return pose


def _log_poses(path: Path) -> list[NDArray | None]:
    """The poses of Open3D's .log: for each view a line of three numbers, then four rows of the matrix."""
    values = _numbers(path)
    if values.size % 19:
        raise InputError(f"{path} is no trajectory", hint="a line of three numbers and four rows for every view")
    return [_checked(block[3:], path) for block in values.reshape(-1, 19)]


def _stamped(path: Path) -> list[tuple[float, list[str]]]:
    """The lines of a TUM file: a time in seconds, and the words behind it."""
    if not path.is_file():
        raise InputError(f"{path} is missing", hint="TUM sequences have rgb.txt and depth.txt")
    lines = [line.split() for line in read_text(path, "TUM file").splitlines() if not line.startswith("#")]
    try:
        entries = [(float(time), rest) for time, *rest in (line for line in lines if line)]
    except ValueError:
        raise InputError(f"{path} has a line without a time", hint="every line starts with its seconds") from None
    if not all(math.isfinite(time) and rest for time, rest in entries):
        raise InputError(f"{path} has a line without a time or without anything behind it", hint="copy it anew")
    return sorted(entries, key=lambda entry: entry[0])


def _nearest(entries: list[tuple[float, list[str]]], time: float) -> list[str] | None:
    """The words of the entry nearest in time; None if none lies within TUM_MAX_SECONDS."""
    if not entries:
        return None
    k = bisect.bisect(entries, time, key=lambda entry: entry[0])
    stamp, rest = min(entries[max(k - 1, 0) : k + 1], key=lambda entry: abs(entry[0] - time))
    return rest if abs(stamp - time) <= TUM_MAX_SECONDS else None


def _quaternion_pose(values: list[float]) -> NDArray[np.floating] | None:
    """A pose tx ty tz qx qy qz qw as a matrix (4, 4); None if the tracker was lost."""
    if len(values) != 7 or not np.isfinite(values).all() or not any(values[3:]):
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
