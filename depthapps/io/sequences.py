"""Read folders of many views: RGB-D as 7-Scenes, TUM RGB-D and Open3D lay it out, and folders of stereo pairs."""

from __future__ import annotations

import bisect
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.errors import InputError
from depthapps.io.formats import IMAGE_SUFFIXES, MAP_SUFFIXES
from depthapps.io.inputs import StrPath, parsing, read_text
from depthapps.io.poses import checked_matrix, quaternion_pose, read_log, read_matrix, read_pose

TUM_DEPTH_SCALE = 5000.0  # units a metre, by the description of the data set
TUM_MAX_SECONDS = 0.02  # between a colour picture, its depth and its pose, as the script of the data set allows
_DEPTHS_OF_7SCENES = "*.depth.[pP][nN][gG]"


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
    left_out : mapping of str to int
        How many further views the folder has that are left out, by what they lack, such as "a pose".
    """

    kind: str
    views: tuple[SequenceFrame, ...]
    camera_matrix: NDArray[np.floating] | None = None
    depth_scale: float | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)

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
        The views in their order. Views without a picture, a depth map or a left view are left out; so are views whose
        pose is missing or not finite, which is how trackers say that they were lost, if others have one. `left_out`
        counts them.

    Raises
    ------
    InputError
        The folder is not there, has none of the layouts or no whole view; a left view has no right one; in Open3D's
        layout there are more pictures than depth maps, or fewer; or a file of numbers cannot be read.

    Notes
    -----
    7-Scenes: frame-000000.color.png, .depth.png and .pose.txt, camera-intrinsics.txt. TUM RGB-D: rgb.txt, depth.txt
    and groundtruth.txt. Open3D: folders color and depth, camera_intrinsic.json and trajectory.log. Stereo pairs:
    folders left and right with the same names in both, or NAME_left.png and NAME_right.png; NAME.pose.txt beside the
    left view. Pictures may be .png, .jpg or .tif, in any letter case; of several with one name, the first of these.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"the sequence {folder} is not a folder", hint="pass the folder that the frames lie in")
    with parsing(folder, "sequence"):
        return _read(folder)


@np.errstate(all="ignore")  # absurd numbers overflow, and are refused for it
def _read(folder: Path) -> Sequence:
    for mark, read in (
        ("rgb.txt", _read_tum),
        (_DEPTHS_OF_7SCENES, _read_7scenes),
        ("depth/*", _read_open3d),
        ("left/*", _read_pairs),
        ("*_left.*", _read_pairs),
    ):
        if any(path.name[0] != "." for path in folder.glob(mark)):
            sequence = read(folder)
            break
    else:
        raise InputError(
            f"{folder} is no sequence that is known",
            hint="7-Scenes has frame-000000.depth.png, TUM rgb.txt, Open3D a folder depth, pairs left/ and right/",
        )
    if not sequence.views:
        raise InputError(f"{folder} holds no whole view", hint="every view needs its picture and its depth")
    known = tuple(view for view in sequence.views if view.pose is not None) or sequence.views
    left_out = {**sequence.left_out, "a pose": len(sequence.views) - len(known)}
    return replace(sequence, views=known, left_out={what: count for what, count in left_out.items() if count})


def _read_7scenes(folder: Path) -> Sequence:
    depths = {p.name[: -len(".depth.png")]: p for p in _files(folder, _DEPTHS_OF_7SCENES, MAP_SUFFIXES)}
    pictures = _pictures(folder, ".color")
    views = [
        SequenceFrame(pictures[name], depth, None, read_pose(folder / f"{name}.pose.txt"))
        for name, depth in depths.items()
        if name in pictures
    ]
    left_out = {"a picture": len(depths) - len(views), "a depth map": len(pictures) - len(views)}
    return Sequence("7-Scenes", tuple(views), read_matrix(folder / "camera-intrinsics.txt"), left_out=left_out)


def _read_tum(folder: Path) -> Sequence:
    colors, depths = _stamped(folder / "rgb.txt"), _stamped(folder / "depth.txt")
    path_of_poses = folder / "groundtruth.txt"
    poses = _stamped(path_of_poses) if path_of_poses.is_file() else []
    views = []
    for time, (name, *_) in colors:
        depth, pose = _nearest(depths, time), _nearest(poses, time)
        if depth:
            matrix = quaternion_pose(pose, path_of_poses) if pose else None
            views.append(SequenceFrame(folder / name, folder / depth[0], None, matrix))
    left_out = {"a depth map": len(colors) - len(views)}
    return Sequence("TUM", tuple(views), read_matrix(folder / "camera-intrinsics.txt"), TUM_DEPTH_SCALE, left_out)


def _read_open3d(folder: Path) -> Sequence:
    depths = _files(folder / "depth", "*", MAP_SUFFIXES)
    pictures = next((folder / name for name in ("color", "image", "rgb") if (folder / name).is_dir()), None)
    colors = _files(pictures, "*", IMAGE_SUFFIXES) if pictures else []
    if len(colors) != len(depths):
        raise InputError(
            f"{folder} has {len(colors)} pictures in color and {len(depths)} maps in depth",
            hint="every picture needs its depth",
        )
    logs = [p for p in (folder / "trajectory.log", folder / "camera_trajectory.log") if p.is_file()]
    poses: list[NDArray | None] = read_log(logs[0]) if logs else []
    poses += [None] * (len(colors) - len(poses))
    views = [SequenceFrame(c, d, None, p) for c, d, p in zip(colors, depths, poses, strict=False)]
    intrinsics = [p for p in (folder / "camera_intrinsic.json", folder / "intrinsic.json") if p.is_file()]
    return Sequence("Open3D", tuple(views), _intrinsic(intrinsics[0]) if intrinsics else None)


def _intrinsic(path: Path) -> NDArray[np.floating]:
    """The camera matrix (3, 3) in Open3D's JSON."""
    try:
        columns = json.loads(read_text(path, "camera matrix"))["intrinsic_matrix"]
        matrix = np.array(columns, float).reshape(3, 3).T  # the file lists it column by column
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise InputError(
            f"{path} has no intrinsic_matrix of nine numbers", hint="Open3D's own file is wanted"
        ) from None
    return checked_matrix(matrix, path)


def _read_pairs(folder: Path) -> Sequence:
    if (folder / "left").is_dir():
        lefts, rights = _pictures(folder / "left"), _pictures(folder / "right")
    else:
        lefts, rights = _pictures(folder, "_left"), _pictures(folder, "_right")
    views = []
    for name, left in lefts.items():
        right = rights.get(name)
        if right is None:
            raise InputError(f"{left} has no right view", hint="both views of a pair carry one name")
        views.append(SequenceFrame(left, None, right, read_pose(left.parent / f"{name}.pose.txt")))
    return Sequence("stereo pairs", tuple(views), left_out={"a left view": len(rights) - len(views)})


def _files(folder: Path, pattern: str, suffixes: tuple[str, ...]) -> list[Path]:
    """The files of a pattern with one of these suffixes, sorted, without hidden ones such as macOS's ._NAME."""
    found = (p for p in folder.glob(pattern) if p.suffix.lower() in suffixes and p.name[0] != ".")
    return sorted(p for p in found if p.is_file())


def _pictures(folder: Path, ending: str = "") -> dict[str, Path]:
    """The pictures NAME + ending of a folder by NAME, sorted; of several for a NAME, the first of IMAGE_SUFFIXES."""
    found = [path for path in _files(folder, "*", IMAGE_SUFFIXES) if path.stem.endswith(ending)]
    found.sort(key=lambda path: IMAGE_SUFFIXES.index(path.suffix.lower()), reverse=True)
    named = {path.stem.removesuffix(ending): path for path in found}  # a later one replaces an earlier one
    return dict(sorted(named.items(), key=lambda item: item[1]))


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
