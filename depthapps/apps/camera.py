"""Find the camera of a picture: from the parameters, else from the calibration, the photo's own file, or a guess."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from depthapps.apps.inputs import Given
from depthapps.apps.journal import Journal
from depthapps.apps.params import SceneParams
from depthapps.core.camera import ASSUMED_FOV_DEG, Calibration, Camera, StereoRig
from depthapps.core.choices import Frame, Rectify
from depthapps.core.errors import CalibrationError, param
from depthapps.core.rig_limits import ASSUMED_BASELINE_M
from depthapps.io.calibration.file import MILLIMETRES_FROM, CalibrationFile
from depthapps.io.calibration.read import read_calibration
from depthapps.io.maps.meaning import ASSUMED_FAR_M, ASSUMED_NEAR_M
from depthapps.io.photos.metadata import focal_px

# Share of a side. Shifted sensors and crops of the rectified pair stay below; a calibration at half the size has 0.25.
_ASIDE = 0.2
_ASSUMED = {
    "focal length": f"a field of view of {ASSUMED_FOV_DEG:g}° ({param('fov_deg')})",
    "baseline": f"a baseline of {1000 * ASSUMED_BASELINE_M:g} mm ({param('baseline_m')})",
    "range": f"depths from {ASSUMED_NEAR_M:g} to {ASSUMED_FAR_M:g} m ({param('near_m')}, {param('far_m')})",
    "scale": "the numbers of the depth inside the photo, which has no unit, to be metres",
}


@dataclass(frozen=True, eq=False)
class Cameras:
    """What is known of the cameras of a pair, or of the camera of one photo.

    calibration: the geometry of the pair once it is rectified. rig: the cameras before that, if the photos still
    have to be rectified by them. infinity_known: whether a file or doffs_px tells where infinity is. second_focal_px:
    focal length of the second photo in pixels, if both come from EXIF: a zoom may have moved between the two photos.
    """

    calibration: Calibration
    rig: StereoRig | None = None
    infinity_known: bool = False
    second_focal_px: float | None = None


def calibration_files(calibration: Any) -> tuple[Path, ...]:
    """The paths given as a calibration; empty if there is none, or if it is an object."""
    if isinstance(calibration, (str, os.PathLike)):
        return (Path(calibration),)
    if isinstance(calibration, Sequence):
        return tuple(Path(path) for path in calibration)
    return ()


def find_cameras(params: SceneParams, given: Given, journal: Journal, photos: Sequence[str] = ()) -> Cameras:
    """Combine what parameters, calibration and photo tell of the cameras. Raises CalibrationError.

    photos: the names of the two photos without suffix, which choose among the cameras of a calibration.
    """
    height, width = given.photo.image.shape[:2]
    file = _read(params, photos)
    file = file.fitting(width, height) if file else None
    by_hand = params.focal_px is not None or params.fov_deg is not None
    second = None
    if given.right_metadata and not file and not by_hand and not given.contents.camera:
        known = focal_px(given.photo.metadata, width, height)
        second = focal_px(given.right_metadata, width, height) if known else None
    return Cameras(
        _calibration(params, given, file, journal),
        file.rig(width, height, params.baseline_m) if file else None,
        file is not None or params.doffs_px is not None,
        second,
    )


def _read(params: SceneParams, photos: Sequence[str]) -> CalibrationFile | None:
    """What a calibration says, given as paths or as an object. Raises CalibrationError."""
    calibration = params.calibration
    if calibration is None or isinstance(calibration, CalibrationFile):
        return calibration
    if isinstance(calibration, StereoRig):
        return CalibrationFile.of_rig(calibration)
    if isinstance(calibration, Calibration):
        return CalibrationFile.of_calibration(calibration)
    files = calibration_files(calibration)
    if not files:
        raise CalibrationError(
            f"{param('calibration')} is a {type(calibration).__name__}",
            hint="pass a path, two paths, a Calibration, a StereoRig, or what read_calibration returned",
        )
    return read_calibration(*files, cameras=params.cameras, photos=photos)


def _calibration(params: SceneParams, given: Given, file: CalibrationFile | None, journal: Journal) -> Calibration:
    """The geometry of the pair, with assumptions for what nothing tells."""
    height, width = given.photo.image.shape[:2]
    if file and file.warning:
        journal.note(file.warning)
    if file and file.rig(width, height) and params.rectify is Rectify.NEVER:
        journal.note("the calibration is of views as the cameras took them; these are taken as rectified already")
    if file and not file.width and _is_aside(file, width, height):
        journal.note(
            f"the calibration's principal point, ({file.matrix[0, 2]:.0f}, {file.matrix[1, 2]:.0f}) px, is far from "
            f"the middle of the {width}x{height} picture: is it of pictures of another size?"
        )
    bent = file and file.raw and any(file.raw.fisheye) and file.rig(width, height)
    if bent and params.rectify is not Rectify.NEVER and params.frame is Frame.ORIGINAL:
        straight = param("frame", Frame.RECTIFIED)
        journal.note(
            f"the lens is a fisheye, and the result keeps its bent lines; models need straight ones: {straight}"
        )
    if params.baseline_m is not None and params.baseline_m > MILLIMETRES_FROM:
        meant = param("baseline_m", f"{params.baseline_m / 1000:g}")
        journal.note(f"the photos were taken {params.baseline_m:g} m apart; if millimetres are meant, pass {meant}")
    camera = _camera(params, given, file)
    assumed = [] if camera else ["focal length"]
    camera = camera or Camera.from_fov(width, height, ASSUMED_FOV_DEG)
    own = given.contents
    baseline = params.baseline_m if params.baseline_m is not None else (file and file.baseline_m) or own.baseline_m
    if given.has_depth:  # so the baseline is not used
        if given.has_inverse and not own.scaled:
            assumed.append("range" if given.apart else "scale")
        baseline = baseline or ASSUMED_BASELINE_M
    elif baseline is None:
        baseline = ASSUMED_BASELINE_M
        assumed.append("baseline")
    if params.doffs_px is not None:
        doffs = params.doffs_px
    else:
        doffs = (file.doffs_px or 0.0) * (width / (file.width or width)) if file else own.doffs_px
    return Calibration(camera, baseline, doffs, tuple(assumed))


def _is_aside(file: CalibrationFile, width: int, height: int) -> bool:
    """Whether the principal point is farther from the middle of the picture than lenses are mounted."""
    cx, cy = file.matrix[0, 2], file.matrix[1, 2]
    return abs((cx + 0.5) / width - 0.5) > _ASIDE or abs((cy + 0.5) / height - 0.5) > _ASIDE


def _camera(params: SceneParams, given: Given, file: CalibrationFile | None) -> Camera | None:
    """The camera from the parameters, the calibration, the photo's own file or its EXIF; None if none of them tells."""
    height, width = given.photo.image.shape[:2]
    of_file = file.camera(width, height, rectified=params.rectify is Rectify.NEVER) if file else None
    if params.focal_px is not None or params.fov_deg is not None:
        by_hand = (
            Camera.centred(width, height, params.focal_px)
            if params.focal_px is not None
            else Camera.from_fov(width, height, params.fov_deg or 0)
        )
        # a focal length given as a parameter replaces the file's, but not its principal point
        return replace(of_file, fx=by_hand.fx, fy=by_hand.fy) if of_file else by_hand
    if of_file or given.contents.camera:
        return of_file or given.contents.camera
    exif_focal_px = focal_px(given.photo.metadata, width, height)
    return Camera.centred(width, height, exif_focal_px) if exif_focal_px else None


def note_assumptions(calibration: Calibration, journal: Journal) -> None:
    """Note what had to be assumed because there is no calibration."""
    if calibration.assumed:
        assumed = " and ".join(_ASSUMED[each] for each in calibration.assumed)
        missing = "no calibration: " if {"focal length", "baseline"} & set(calibration.assumed) else ""
        journal.note(f"{missing}assuming {assumed}; metres are a guess")


def camera_facts(camera: Camera) -> dict[str, Any]:
    """A camera as entries for JSON."""
    return {
        "fx_px": round(camera.fx, 3),
        "fy_px": round(camera.fy, 3),
        "cx_px": round(camera.cx, 3),
        "cy_px": round(camera.cy, 3),
    }


def calibration_facts(calibration: Calibration) -> dict[str, Any]:
    """A calibration as entries for JSON."""
    return camera_facts(calibration.camera) | {
        "baseline_m": calibration.baseline_m,
        "doffs_px": calibration.doffs_px,
        "assumed": list(calibration.assumed),
    }
