"""Flatten the contents of a calibration file into values, each with its meaning in the table and its camera."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthapps.io.calibration.names import (
    GENERIC,
    Row,
    camera_name,
    cameras_between,
    is_side,
    rows_of,
    size_in,
    tokens_of,
)
from depthapps.io.calibration.shapes import AXES, LONGEST_NAME, nested, of_unnamed, with_unit

# What an item of a list is called in it.
_TITLES = (
    "key", "name", "camera_name", "cameraName", "channel", "sensor", "sensor_name", "label", "file_path", "camera",
    "id", "camera_id", "serial", "serial_number", "token",
)  # fmt: skip
_OTHER_SENSORS = {"lidar", "imu", "velo", "velodyne", "radar", "gps", "gyro", "accel", "gyroscope", "accelerometer"}
_MOST_VALUES = 200_000
_LENGTHS = {"mm": "baseline_mm", "cm": "baseline_cm", "m": "baseline_m"}


@dataclass(frozen=True, eq=False)
class Value:
    """One value of a file.

    meaning: the meaning in the table of names. data: its numbers, flat, or a text. camera: the camera it belongs to, ""
    for the rig or the only camera. size: the word for the size of pictures it is for, if the file has several. to: the
    second camera of a pose between two. name: how the file calls it.
    """

    meaning: str
    data: NDArray[np.floating] | str
    camera: str = ""
    size: str = ""
    to: str = ""
    name: str = ""


@dataclass(frozen=True)
class _Place:
    """Where in a file a value stands: names from outside to inside, and what they tell."""

    names: tuple[str, ...] = ()
    camera: str = ""
    size: str = ""
    to: str = ""


@dataclass(frozen=True, eq=False)
class Values:
    """All understood values of a file, the names of the others, and those whose number of values is wrong."""

    found: list[Value]
    others: list[str]
    misfits: list[str]


def flatten(contents: Any) -> Values:
    """Find the values in nested names that the table of names knows."""
    values = Values([], [], [])
    _walk(nested(contents), _Place(), values)
    return values


def _walk(node: Any, place: _Place, values: Values) -> None:
    if len(values.found) + len(values.others) > _MOST_VALUES:
        return
    data = _data(node)
    if data is not None:
        _leaf(data, place, values)
    elif isinstance(node, dict):
        among = sum(_has_camera(child) for child in node.values() if isinstance(child, (dict, list)))
        for key, child in node.items():
            words = set(tokens_of(key))
            if not key and len(node) > 1:  # numbers without a name say nothing beside named ones
                continue
            if words & _OTHER_SENSORS and not words & {"cam", "camera", "cameras"}:
                continue
            if _data(child) is not None:
                _walk(child, replace(place, names=(*place.names, key)), values)
            else:
                _walk(child, _inside(place, key, among > 1 and _has_camera(child)), values)
    elif isinstance(node, list):
        items = [(v[0], v[1]) if _is_pair(v) else (k, v) for k, v in enumerate(node) if isinstance(v, (dict, list))]
        for k, item in items:
            title = str(k) if item is node else _title(item, str(k))
            inside = replace(place, camera=camera_name(title) or title) if len(items) > 1 else place
            _walk(item, inside, values)


def _is_pair(item: Any) -> bool:
    """Whether an item of a list is a name or number and what belongs to it, as OAK-D writes its cameras."""
    return isinstance(item, list) and len(item) == 2 and isinstance(item[0], (str, int)) and isinstance(item[1], dict)


def _title(item: Any, otherwise: str) -> str:
    title = next(
        (item[t] for t in _TITLES if isinstance(item, dict) and isinstance(item.get(t), (str, int))), otherwise
    )
    return re.sub(r".*[/\\]|\.(?:png|jpe?g|tiff?|pgm|bmp)$", "", str(title)[-LONGEST_NAME:], flags=re.IGNORECASE)


def _inside(place: _Place, key: str, is_camera: bool) -> _Place:
    """The place of what stands under a name."""
    camera, to = cameras_between(key)
    if not camera:
        named = camera_name(key)
        sided = named in ("left", "right") and len(tokens_of(key)) <= 3
        if is_camera or sided or (is_side(named) and any(t in GENERIC for t in tokens_of(key))):
            camera = named
    words = tokens_of(key)
    size = size_in(words)[0] if is_camera or len(words) > 2 else ""
    if pixels := re.search(r"\b(\d{3,4})x(\d{3,4})\b", key):
        size = pixels[0]
    return _Place((*place.names, key), camera or place.camera, size or place.size, to or place.to)


def _has_camera(node: Any, deep: int = 0) -> bool:
    """Whether a camera's focal length is somewhere in a mapping or a list of them."""
    if deep > 4:
        return False
    if isinstance(node, dict):
        return any(
            any(row.meaning in _TELLS_A_CAMERA and _counts(value) in row.sizes for row, _ in rows_of(str(key)))
            or (isinstance(value, (dict, list)) and _has_camera(value, deep + 1))
            for key, value in node.items()
        )
    return isinstance(node, list) and any(_has_camera(v, deep + 1) for v in node[:8] if isinstance(v, (dict, list)))


_TELLS_A_CAMERA = ("K", "fx", "intrinsics", "P", "params")


def _counts(value: Any) -> int:
    """How many numbers a value has."""
    data = _data(value)
    return data.size if isinstance(data, np.ndarray) else 0


def _data(node: Any) -> NDArray[np.floating] | str | None:
    """The array or text that a part of the contents is; None for names and lists of them."""
    if isinstance(node, dict):
        small = {str(k).lower(): v for k, v in node.items()}
        if "data" in small and ("rows" in small or "cols" in small):
            flat, rows = _data(small["data"]), small.get("rows")
            if isinstance(flat, np.ndarray) and isinstance(rows, (int, float)) and 1 <= rows <= 4:
                return flat.reshape(int(rows), -1) if flat.size % int(rows) == 0 else flat
            return flat
        if isinstance(small.get("val"), (int, float)):  # calib.io's numbers stand beside whether they were fitted
            return np.array([small["val"]], np.float64)
        for axes in AXES:
            if set(small) == set(axes) and all(isinstance(v, (int, float)) for v in small.values()):
                return np.array([small[a] for a in axes], np.float64)
        return None
    if isinstance(node, str):
        parts = re.split(r"[\s,;\[\]()]+", node.strip().strip("[]();,").strip()) if len(node) < 20_000 else []
        try:
            return np.array([float(p) for p in parts if p]) if parts and "_" not in node and parts[0] else node
        except ValueError:
            return node
    if isinstance(node, (bool, int, float)):
        return np.array([float(node)] if abs(node) < 1e300 else [np.inf])
    if isinstance(node, list):
        if any(isinstance(v, (dict, str)) for v in node[:1]) or _is_pair(node):
            return None
        try:
            return np.array(node, np.float64)
        except (ValueError, TypeError, OverflowError):
            return None
    return np.zeros(0) if node is None else None


def _leaf(data: NDArray[np.floating] | str, place: _Place, values: Values) -> None:
    """Add a value, or its name to those that are not understood."""
    count = 0 if isinstance(data, str) else data.size
    name = ".".join(place.names[-2:])
    if place.names and (between := cameras_between(place.names[-1]))[0]:
        place = replace(place, camera=between[0], to=between[1])
    if not place.names or (count == 0 and not isinstance(data, str)):
        if place.names or isinstance(data, str) or not data.size:
            return None
        place = replace(place, names=("",))
    if place.names[-1] == "" and isinstance(data, np.ndarray):
        return _unnamed(data.ravel(), values)
    hits = list(_candidates(place))
    for row, camera, size in hits:
        if count in row.sizes:
            flat = data if isinstance(data, str) else data.ravel()
            camera = place.camera if place.camera.endswith(f"_{camera}") else camera or place.camera  # stereo_right
            values.found.append(Value(row.meaning, flat, camera, size or place.size, place.to, place.names[-1]))
            return None
    if isinstance(data, str) and (unit := with_unit(data)):
        number, word = unit
        for row, camera, size in hits:
            meaning = _LENGTHS.get(word) if row.meaning == "baseline" else row.meaning if word == "px" else None
            if meaning and 1 in row.sizes:
                values.found.append(Value(meaning, number, camera or place.camera, size or place.size, name=name))
                return None
    if (
        isinstance(data, np.ndarray)
        and data.ndim > 1
        and 1 < len(data) < 9
        and any(data[0].size in row.sizes for row, _, _ in hits)
    ):
        for k, item in enumerate(data):  # one for each camera in a list
            _leaf(item, replace(place, camera=str(k)), values)
        return None
    if isinstance(data, str) and hits and not place.camera and hits[0][0].meaning in _NUMBERS:
        values.misfits.append(f"{place.names[-1]} is {data[:40]!r}, not a number")
    # what only the name above says is no misfit, nor is a single number, nor what may be a pose of another sensor
    wanted = [row for row, _ in rows_of(place.names[-1]) if row.sizes != (0,) and row.meaning in _WANTED]
    plain = len(place.names[-1]) == 1 and not place.camera  # A may be anything, K1 may not
    if wanted and count not in (0, 1, 12, 16) and not plain and len({row.meaning for row in wanted}) == 1:
        shape = "x".join(str(n) for n in np.shape(data)) if np.ndim(data) > 1 else str(count)
        values.misfits.append(f"{place.names[-1]} is {shape}, not {_WANTED[wanted[0].meaning]}")
    values.others.append(name)
    return None


_NUMBERS = {"doffs", "fx", "fy", "cx", "cy", "width", "height"}
_WANTED = {"K": "3x3", "P": "3x4", "R": "3x3", "T": "3 numbers", "R_rect": "3x3", "D": "4, 5, 8, 12 or 14 numbers"}


def _unnamed(numbers: NDArray[np.floating], values: Values) -> None:
    known = of_unnamed(numbers)
    values.found.extend(Value(meaning, part, name=called) for meaning, part, called in known)
    if not known:
        values.misfits.append(
            f"{numbers.size} numbers without names are no camera matrix, which has 9 and ends in 0 0 1; a baseline "
            "may follow"
        )


def _candidates(place: _Place) -> list[tuple[Row, str, str]]:
    """The rows of the table that a value's names fit, best first, with the camera and size that they tell."""
    leaf = place.names[-1]
    parents = place.names[:-1][::-1]
    found = []
    if parents:
        found += [(row, camera, "") for row, camera in rows_of(f"{parents[0]}_{leaf}")]
    found += [(row, camera, "") for row, camera in rows_of(leaf)]
    words = tokens_of(leaf)
    size, others = size_in(words)
    if size:
        found += [(row, camera, size) for row, camera in rows_of("_".join(others))]
    if not camera_name(leaf) or is_side(camera_name(leaf)):  # `left`, `data`, `matrix`: the name above says what it is
        named = camera_name(leaf)
        for parent in parents[:2]:
            found += [(row, camera or named, "") for row, camera in rows_of(parent)]
    return found
