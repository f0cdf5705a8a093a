"""Bring the values of a file together by camera, and choose the two cameras of the pair."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from depthapps.core.errors import CalibrationError, param
from depthapps.io.calibration.names import FISHEYE_WORDS, PINHOLE_WORDS, SIDES, camera_name, tokens_of
from depthapps.io.calibration.values import Value

Views = dict[str, dict[str, Any]]
_OF_A_CAMERA = {
    "K",
    "fx",
    "cx",
    "focal",
    "centre",
    "intrinsics",
    "P",
    "P_rect",
    "params",
    "xi",
    "to world gl",
    "q world",
}
_OF_A_LENS = {"K", "fx", "intrinsics", "focal", "P"}  # a frame has none of its own
# What is said of the rig and is not each camera's.
_OF_THE_RIG = {
    "R", "T", "to right", "to left", "xyzw", "baseline", "baseline_m", "baseline_mm", "baseline_cm", "f_baseline", "Q",
    "doffs", "middlebury", "R transposed", "from world", "to world", "file",
}  # fmt: skip
_VECTORS = {"D", "params"}  # also when they have one number
_MODEL_WORDS = (*FISHEYE_WORDS, *PINHOLE_WORDS, "omni", "mei", "ds", "eucm", "fov", "double")
_MOST_LISTED = 8


def views_of(values: Sequence[Value], size: str = "") -> Views:
    """The values of each camera by their meaning, "" for those of the rig; of several sizes of picture, of this one."""
    views: Views = {"": {}}
    for wanted in ("", size) if size else ("",):
        for value in values:
            if value.size != wanted:
                continue
            camera = views.setdefault(value.camera, {})
            data = value.data
            if value.meaning == "model":
                data = _model(value, str(camera.get("model", "")))
                if data is None:
                    continue
            elif isinstance(data, np.ndarray):
                if not np.isfinite(data).all():
                    raise CalibrationError(
                        f"{value.name} of the calibration holds what is no number",
                        hint="calibrate again, or correct it",
                    )
                data = float(data[0]) if data.size == 1 and value.meaning not in _VECTORS else data
            if value.meaning == "R" and value.to and "R" in camera:
                continue
            camera[value.meaning] = data
            if value.to:
                camera["leads to"] = value.to
    rig = views[""]
    if "R transposed" in rig:
        rig["R"] = np.reshape(rig["R transposed"], (3, 3)).T.ravel()
    for view in views.values():
        if isinstance(view.get("to"), float):
            view["to"] = str(int(view["to"]))
    return views


def _model(value: Value, so_far: str) -> str | None:
    """The words for the lens; None if they are the name of a product."""
    text = str(value.data)
    known = any(word in text.lower() for word in _MODEL_WORDS)
    says_so = {"distortion", "projection", "lens"} & set(tokens_of(value.name))
    return f"{so_far} {text}".strip() if known or says_so else None


def whole(views: Views, camera: str) -> dict[str, Any]:
    """The values of one camera, with what the file says of all cameras."""
    own = views.get(camera, {})
    shared = {k: v for k, v in views[""].items() if k not in _OF_THE_RIG} if camera else views[""]
    of_frame = views.get(str(own["camera of frame"]).removesuffix(".0"), {}) if "camera of frame" in own else {}
    return {**shared, **of_frame, **own}


def cameras_of(views: Views) -> list[str]:
    """The cameras of a file, in its order."""
    framed = [name for name, view in views.items() if "camera of frame" in view and not _OF_A_LENS & set(view)]
    return framed or [name for name, view in views.items() if name and _OF_A_CAMERA & set(view)]


def choose_pair(views: Views, wanted: Sequence[str], photos: Sequence[str], name: str) -> tuple[str, str] | None:
    """The left and the right camera; None if there is only one.

    wanted: the names that the user gave. photos: the names of the two pictures without suffix, which tell among many.
    """
    cameras = cameras_of(views)
    if wanted:
        return _wanted(cameras, wanted, name)
    rig = {**views.get("left", {}), **views.get("right", {}), **views[""]}
    if "left camera" in rig and "right camera" in rig:
        pair = str(int(rig["left camera"])), str(int(rig["right camera"]))
        if set(pair) <= set(cameras):
            return pair
    if len(cameras) == 1 and cameras[0] in ("2", "1", "right") and _OF_A_CAMERA & set(views[""]):
        return "", cameras[0]  # the first camera is called camera, and only the second one has a number
    if len(cameras) < 2:
        return None
    named = [camera_name(photo) for photo in photos]
    if len(named) == 2 and named[0] != named[1] and set(named) <= set(cameras):
        return named[0], named[1]
    by_projection = all("K" not in views[c] and {"P", "P_rect"} & set(views[c]) for c in cameras)
    usual = [("left", "right"), ("02", "03"), ("00", "01"), ("0", "1"), ("1", "2")]
    for pair in ([("2", "3")] if by_projection else []) + usual:  # KITTI's colour cameras before its grey ones
        if set(pair) <= set(cameras):
            return _ordered(views, pair)
    twins = _twins(cameras)
    twins = [pair for pair in twins if re.search("stereo|infra", pair[0])] or twins
    if len(twins) == 1:
        return twins[0]
    if len(cameras) == 2:
        return _ordered(views, (cameras[0], cameras[1]))
    raise CalibrationError(
        f"{name} names {len(cameras)} cameras and not which two took the pictures: {_listed(cameras)}",
        hint=f"name the left and the right one: {param('cameras', f'{cameras[0]},{cameras[1]}')}",
    )


def _wanted(cameras: list[str], wanted: Sequence[str], name: str) -> tuple[str, str]:
    found = [next((c for c in cameras if c in (w.strip(), camera_name(w))), None) for w in wanted]
    if len(found) != 2 or None in found or found[0] == found[1]:
        raise CalibrationError(
            f"{name} has no two cameras {' and '.join(wanted)}; it has {_listed(cameras) or 'one without a name'}",
            hint="name two of those, the left one first, with a comma between them",
        )
    return str(found[0]), str(found[1])


def _listed(cameras: list[str]) -> str:
    more = f" and {len(cameras) - _MOST_LISTED} more" if len(cameras) > _MOST_LISTED else ""
    return ", ".join(cameras[:_MOST_LISTED]) + more


def _twins(cameras: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs whose names differ only in left and right, or in numbers that follow each other.

    A data set may have a camera for each of thousands of photos: names that agree but for one word are looked up.
    """
    firsts: list[tuple[str, tuple[str, ...], str | int]] = []
    alike: dict[tuple[tuple[str, ...], str | int], list[str]] = {}
    for camera in cameras:
        words = tokens_of(camera)
        for k, word in enumerate(words):
            rest, what = (*words[:k], "", *words[k + 1 :]), int(word) if word.isdigit() else SIDES.get(word, "")
            if what != "left":
                alike.setdefault((rest, what), []).append(camera)
            if what == "left" or isinstance(what, int):
                firsts.append((camera, rest, "right" if what == "left" else int(what) + 1))
    return [(one, two) for one, rest, wanted in firsts for two in alike.get((rest, wanted), ())]


def _ordered(views: Views, pair: tuple[str, str]) -> tuple[str, str]:
    """Two cameras, the left one first, as far as their projections tell."""
    shifts = [np.reshape(p, (3, 4)) for c in pair if (p := views[c].get("P", views[c].get("P_rect"))) is not None]
    if len(shifts) == 2 and shifts[0][0, 3] < shifts[1][0, 3]:
        return pair[1], pair[0]
    return pair
