"""Read a calibration: bring the files that belong together into one set of values, and make a calibration of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from depthapps.core.errors import CalibrationError
from depthapps.io.calibration.contents import decimal_comma_in, read_contents
from depthapps.io.calibration.file import CalibrationFile
from depthapps.io.calibration.names import camera_name
from depthapps.io.calibration.reconstructions import as_frames
from depthapps.io.calibration.rig import calibration_of
from depthapps.io.calibration.values import Values, flatten
from depthapps.io.calibration.views import cameras_of, views_of
from depthapps.io.inputs import StrPath, check_input, parsing

# Words in the names of two files, or of the folders they stand in, that belong together.
_TWO_CAMERAS = (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT"), ("cam0", "cam1"), ("cam1", "cam2"))
_TWO_PARTS = (("intrinsics", "extrinsics"), ("intrinsic", "extrinsic"), ("cameras", "images"))
_OF_ONE_CAMERA = {"K", "fx", "intrinsics", "focal", "P"}


def read_calibration(
    first: StrPath, *others: StrPath, cameras: Sequence[str] = (), photos: Sequence[str] = ()
) -> CalibrationFile:
    """Read a calibration, whatever program wrote it.

    Parameters
    ----------
    first, *others : str or PathLike
        One file, or the two files of a pair: left.yaml and right.yaml of ROS, or intrinsics.yml and extrinsics.yml of
        OpenCV's sample. Of such a pair one is enough if the other stands beside it.
    cameras : sequence of two str, optional
        The names of the left and the right camera, for a file of more than two.
    photos : sequence of two str, optional
        The names of the two pictures without suffix, which choose among the cameras or frames of a file.

    Returns
    -------
    CalibrationFile
        What the file says; its methods give the camera and the rig for pictures of a size.

    Raises
    ------
    InputError
        A file is not there.
    CalibrationError
        A file is of no known format, or says what no camera can be.

    Notes
    -----
    Text in YAML, JSON, XML, INI, `name: numbers` or tables, and .npz. Names and shapes of the values tell what they
    mean, not the program that wrote them; `names.py` lists them.
    """
    given = [check_input(path, "calibration") for path in (first, *others)]
    if len(given) > 2:
        raise CalibrationError(f"{len(given)} calibration files were given", hint="a pair has one or two")
    with parsing(given[0], "calibration"):
        return _read(given, cameras, photos)


@np.errstate(all="ignore")  # absurd numbers overflow, and are refused for it
def _read(given: list[Path], cameras: Sequence[str], photos: Sequence[str]) -> CalibrationFile:
    main = given[0]
    values = _values(main, photos)
    second = given[1] if len(given) == 2 else _beside(main) if not _is_whole(values) else None
    name = main.name
    if second is not None:
        values, name = _joined(main, values, second, _values(second)), f"{main.name} and {second.name}"
        if main.name == second.name:
            name = f"{main.parent.name}/{main.name} and {second.parent.name}/{second.name}"
    try:
        return calibration_of(values, name, cameras, photos)
    except CalibrationError as problem:
        told = next((t for path in (main, second) if path and (t := decimal_comma_in(path))), "")
        if not told:
            raise
        hint = f"its decimal commas look like those between numbers: write points, {told.replace(',', '.')} for {told}"
        raise CalibrationError(problem.raw_message, hint=hint) from None


def _values(path: Path, photos: Sequence[str] = ()) -> Values:
    """The values of a file, and those of the files of single cameras that it names."""
    values = flatten(as_frames(read_contents(path), photos, path.name))
    for link in [v for v in values.found if v.meaning == "file" and isinstance(v.data, str)]:
        other = path.with_name(Path(str(link.data)).name)  # never outside of the file's own folder
        if not other.is_file():
            raise CalibrationError(
                f"{path.name} names {other.name}, which is not beside it", hint=f"put {other.name} into the same folder"
            )
        of_camera = flatten(read_contents(other))
        values.found.extend(replace(v, camera=link.camera) for v in of_camera.found if v.meaning != "file")
        values.misfits.extend(of_camera.misfits)
    return values


def _is_whole(values: Values) -> bool:
    """Whether a file describes two cameras and where they stand, so that no second file is needed."""
    known = {v.meaning for v in values.found}
    poses = {"T", "P", "P_rect", "to right", "to left", "from previous", "from world", "to world", "Q", "to world 7"}
    placed = known & {*poses, "to world gl", "baseline", "baseline_m", "baseline_mm", "baseline_cm", "f_baseline"}
    rectified = set() if "T" in known else {"P"}  # extrinsics.yml has P1 and P2 too, but not the cameras as built
    cameras = {v.camera for v in values.found if v.meaning in _OF_ONE_CAMERA - {"P"} | rectified}
    return bool(placed) and (len(cameras) > 1 or bool(known & {"Q", "baseline", "baseline_m", "f_baseline"}))


def _beside(path: Path) -> Path | None:
    """The other file of a pair, if it stands beside this one, or in the folder beside, under the name that fits."""
    for mine, other in (pair for both in (*_TWO_CAMERAS, *_TWO_PARTS) for pair in (both, both[::-1])):
        if mine in path.name and (partner := path.with_name(path.name.replace(mine, other))).is_file():
            return partner
    for mine, other in (pair for both in _TWO_CAMERAS for pair in (both, both[::-1])):
        folder = path.absolute().parent
        if folder.name == mine and (partner := folder.with_name(other) / path.name).is_file():
            return partner
    return None


def _joined(main: Path, one: Values, second: Path, two: Values) -> Values:
    """The values of two files: of a camera each, or of one rig in two parts."""
    alone = [
        not cameras_of(views_of(v.found)) and bool(_OF_ONE_CAMERA & {x.meaning for x in v.found}) for v in (one, two)
    ]
    if all(alone):
        names = [camera_name(path.stem) for path in (main, second)]
        if names[0] == names[1]:
            names = [camera_name(path.absolute().parent.name) for path in (main, second)]
        if names[0] == names[1] or "" in names:
            names = ["0", "1"]
        if names[0] > names[1] and all(n in ("left", "right") or n.isdigit() for n in names):
            names, one, two = names[::-1], two, one
        one, two = (
            Values([replace(v, camera=name) for v in values.found], values.others, values.misfits)
            for values, name in zip((one, two), names, strict=True)
        )
    return Values([*one.found, *two.found], one.others + two.others, one.misfits + two.misfits)
