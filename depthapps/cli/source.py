"""From the source options to a scene: the way in that all commands share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from depthapps.cli.given import Given, inverse_to_depth, read_given
from depthapps.cli.options import BUILTIN, RunOptions, SourceOptions
from depthapps.cli.report import Report, camera_facts
from depthapps.cli.views import rectified_paths, save_rectified, tell_rectification
from depthapps.core.errors import CalibrationError, StereoError, SwappedViewsError
from depthapps.core.geometry import depth_from_disparity, disparity_from_depth
from depthapps.core.scene import (
    ASSUMED_BASELINE_M,
    ASSUMED_FOV_DEG,
    Calibration,
    Camera,
    FloatMap,
    Image,
    Scene,
    StereoPair,
)
from depthapps.engine.rectify.modes import Rectify
from depthapps.io.calibration.file import CalibrationFile
from depthapps.io.calibration.read import read_calibration
from depthapps.io.maps import (
    ASSUMED_FAR_M,
    ASSUMED_NEAR_M,
    MAP_SUFFIXES,
    write_confidence,
    write_depth,
    write_disparity,
)
from depthapps.io.network import read_network
from depthapps.io.outputs import Outputs, check_suffix
from depthapps.io.photos.metadata import Metadata, focal_px
from depthapps.surface.lift import lift_to_image

if TYPE_CHECKING:  # the engine is loaded where there is something to match
    from depthapps.engine.match_photos import PhotoMatch
    from depthapps.engine.network import StereoNetwork


_LARGEST_KEPT = (32 << 20) - 4096 * 4  # bytes; glibc's own limit, less what it puts before an array
_LAST_UNTURNED = 4  # of EXIF's orientations; the others exchange rows and columns


@dataclass(frozen=True, eq=False)
class Source:
    """A scene, its calibration, its disparity (H, W) px in the frame of the left view, and its photo's metadata.

    depth_is_given: whether the depth was read and not computed from disparities, so that no assumption is in it.
    views: the rectified views that were matched, None where nothing was.
    """

    scene: Scene
    calibration: Calibration
    disparity_px: FloatMap
    metadata: Metadata
    depth_is_given: bool
    views: tuple[Image, Image] | None = None


def side_outputs(options: SourceOptions) -> list[Path]:
    """The files that --save-depth, --save-disparity and --save-confidence ask for, with their suffixes checked."""
    wanted = (options.save_depth, options.save_disparity, options.save_confidence)
    paths = [p for p in wanted if p is not None]
    for path in paths:
        check_suffix(path, MAP_SUFFIXES, "a depth, confidence or disparity map")
    if options.save_rectified is not None:
        paths += rectified_paths(options.save_rectified)
    return paths


def save_side_outputs(options: SourceOptions, source: Source, outputs: Outputs) -> None:
    """Write what --save-depth, --save-disparity and --save-confidence ask for."""
    if options.save_depth:
        write_depth(outputs.part(options.save_depth), source.scene.depth_m, options.depth_scale)
    if options.save_disparity:
        write_disparity(outputs.part(options.save_disparity), source.disparity_px)
    if options.save_confidence and source.scene.confidence is not None:
        write_confidence(outputs.part(options.save_confidence), source.scene.confidence)
    if options.save_rectified and source.views is not None:
        save_rectified(options, source.views, outputs)


def load_source(
    options: SourceOptions,
    run: RunOptions,
    report: Report,
    *,
    camera_matters: bool = True,
    confidence_matters: bool = False,
) -> Source:
    """Read the picture and read or compute its depth; says what was assumed.

    camera_matters: whether the command uses the camera's focal length; a stereo pair always does. confidence_matters:
    whether it uses the confidence, which then is in the scene if the depth is matched.
    """
    _keep_freed_memory()
    with report.stage("reading"):
        given = read_given(options)
        file = read_calibration(*options.calibration) if options.calibration else None
        calibration = _calibration(options, given, file, report)
    contents, depth, disparity = given.contents, given.depth_m, given.disparity_px
    depth_is_given = depth is not None or contents.inverse_m is not None
    _tell(options, calibration, report, camera_matters=camera_matters or not depth_is_given or not contents.scaled)

    image, views, inverse_depth_sigma, confidence = given.photo.image, None, 0.0, None
    if given.right is not None:
        from depthapps.engine.match import DISPARITY_SIGMA

        if given.right_size is not None:
            here = f"{image.shape[1]}x{image.shape[0]}"
            there = f"{given.right_size[0]}x{given.right_size[1]}"
            report.note(f"the second photo, {there}, is brought to the first one's size, {here}")
        with report.stage("matching"):
            photos = _match(options, run, given, file, calibration, confidence=confidence_matters)
        image, calibration, views, found = photos.image, photos.calibration, photos.views, photos.match
        disparity, confidence = found.disparity_px, found.confidence
        report.add(
            matcher=options.matcher,
            calibration=_facts(calibration),
            size=[image.shape[1], image.shape[0]],
            disparity_range_px=[round(v, 1) for v in found.range_px],
        )
        tell_rectification(photos, report)
        if options.doffs and photos.rectification is not None:
            report.note("--doffs is not used: where infinity lies was found while the photos were rectified")
        if confidence is not None:
            report.add(mean_confidence=round(float(confidence.mean()), 3))
        width = calibration.camera.width
        inverse_depth_sigma = DISPARITY_SIGMA * width / (calibration.camera.fx * calibration.baseline_m)
    elif contents.inverse_m is not None:
        with report.stage("lifting"):
            # what phones and networks give as large as the photo they have enlarged
            depth = inverse_to_depth(lift_to_image(contents.inverse_m, given.photo.image, blurred=given.enlarged))
        inverse_depth_sigma = contents.sigma_m
    if depth is None:
        assert disparity is not None
        depth = depth_from_disparity(disparity, calibration)
    scene = Scene(image, depth, calibration.camera, inverse_depth_sigma, confidence)
    if disparity is None:
        disparity = disparity_from_depth(depth, calibration)
    known = depth[np.isfinite(depth)]
    report.add(depth_range_m=[round(float(known.min()), 4), round(float(known.max()), 4)])
    return Source(scene, calibration, disparity, given.photo.metadata, depth_is_given, views)


def _keep_freed_memory() -> None:
    """Let glibc keep what arrays give back, up to 64 MB, instead of asking the system for zeroed pages each time.

    It learns so itself from the largest array that was ever freed, up to 32 MB; one that is never written to costs
    nothing. On small pictures the pages otherwise take as long as the work: 0.1 s of a shadow's 0.4.
    """
    np.empty(_LARGEST_KEPT, np.uint8)


def _match(
    options: SourceOptions,
    run: RunOptions,
    given: Given,
    file: CalibrationFile | None,
    calibration: Calibration,
    *,
    confidence: bool,
) -> PhotoMatch:
    """The two views matched, rectified before as the options and the calibration file want it."""
    from depthapps.engine.match_photos import match_photos

    assert given.right is not None
    pair = StereoPair(given.photo.image, given.right, calibration)
    height, width = given.photo.image.shape[:2]
    apart = options.right is not None or options.side_by_side or options.top_bottom
    rig = file.rig(width, height, options.baseline) if file else None
    try:
        return match_photos(
            pair,
            run.quality,
            _network(options),
            rectify=options.rectify,
            frame=options.frame,
            rig=rig,
            # what a 3D camera writes has the left view first; held on its side, its views lie above each other
            order_known=not apart and given.photo.metadata.orientation <= _LAST_UNTURNED,
            infinity_known=file is not None or options.doffs is not None,
            confidence=confidence or options.save_confidence is not None,
            second_focal_px=_second_focal_px(options, given, file),
        )
    except SwappedViewsError as error:
        if options.right is not None:
            raise
        hint = "if the right view comes first in it, add --cross-eyed; if the cameras converge, --doffs"
        raise SwappedViewsError(error.message, hint=hint) from None
    except StereoError as error:
        if rig is None or options.rectify is Rectify.NEVER:
            raise
        hint = "the calibration is of views as the cameras took them: pass --rectify never if these are rectified"
        raise StereoError(error.message, hint=hint) from None


def _second_focal_px(options: SourceOptions, given: Given, file: CalibrationFile | None) -> float | None:
    """The second photo's own focal length, where the first one's comes from EXIF too: a zoom may have moved."""
    if given.right_metadata is None or file or options.focal_px is not None or options.fov is not None:
        return None
    height, width = given.photo.image.shape[:2]
    if given.contents.camera or not focal_px(given.photo.metadata, width, height):
        return None
    return focal_px(given.right_metadata, width, height)


def _network(options: SourceOptions) -> StereoNetwork | None:
    """The network that --matcher names; None for the matcher built in."""
    if options.matcher == BUILTIN:
        return None
    from depthapps.engine.network import NetworkDescription, StereoNetwork

    model, entries = read_network(Path(options.matcher))
    return StereoNetwork(model, NetworkDescription.from_json(entries))


def _calibration(options: SourceOptions, given: Given, file: CalibrationFile | None, report: Report) -> Calibration:
    """By hand before the calibration file, that before the picture's own, EXIF before the assumption."""
    height, width = given.photo.image.shape[:2]
    own = given.contents
    if file and file.warning:
        report.note(file.warning)
    rectified = options.rectify is Rectify.NEVER
    if file and file.rig(width, height) and rectified:
        report.note("the calibration is of views as the cameras took them; these are taken as rectified already")
    if options.focal_px is not None and options.fov is not None:
        raise CalibrationError("the focal length was given twice", hint="pass either --focal-px or --fov")
    assumed: list[str] = []
    if options.focal_px is not None or options.fov is not None:
        by_hand = (
            Camera.centred(width, height, options.focal_px)
            if options.focal_px is not None
            else Camera.from_fov(width, height, options.fov or 0)
        )
        # a hand-given focal length leaves the file's principal point alone
        camera = (
            replace(file.camera(width, height, rectified=rectified), fx=by_hand.fx, fy=by_hand.fy) if file else by_hand
        )
    elif file:
        camera = file.camera(width, height, rectified=rectified)
    elif own.camera:
        camera = own.camera
    elif exif_focal_px := focal_px(given.photo.metadata, width, height):
        camera = Camera.centred(width, height, exif_focal_px)
    else:
        camera = Camera.from_fov(width, height, ASSUMED_FOV_DEG)
        assumed.append("focal length")

    baseline = options.baseline if options.baseline is not None else (file and file.baseline_m) or own.baseline_m
    if given.depth_m is not None or own.inverse_m is not None:  # depth already: the baseline has no part in it
        if own.inverse_m is not None and not own.scaled:
            assumed.append("scale" if options.depth is None else "range")
        baseline = baseline or ASSUMED_BASELINE_M
    elif baseline is None:
        baseline = ASSUMED_BASELINE_M
        assumed.append("baseline")
    if options.doffs is not None:
        doffs = options.doffs
    else:
        doffs = (file.doffs_px or 0.0) * (width / (file.width or width)) if file else own.doffs_px
    return Calibration(camera, baseline, doffs, tuple(assumed))


def _tell(options: SourceOptions, calibration: Calibration, report: Report, *, camera_matters: bool) -> None:
    """Put inputs and calibration into the report, and say once what was assumed."""
    camera = calibration.camera
    files = {k: getattr(options, k) for k in ("image", "right", "depth", "disparity")}
    calibrations = {"calibration": [str(path) for path in options.calibration]} if options.calibration else {}
    report.add(
        inputs={k: str(v) for k, v in files.items() if v is not None} | calibrations,
        size=[camera.width, camera.height],
        calibration=_facts(calibration),
    )
    texts = {
        "focal length": f"a field of view of {ASSUMED_FOV_DEG:g}° (--fov)",
        "baseline": f"a baseline of {1000 * ASSUMED_BASELINE_M:g} mm (--baseline)",
        "range": f"depths from {ASSUMED_NEAR_M:g} to {ASSUMED_FAR_M:g} m",
        "scale": "the numbers of the depth inside the photo, which has no unit, to be metres",
    }
    if calibration.assumed and camera_matters:
        report.note(
            f"no calibration: assuming {' and '.join(texts[a] for a in calibration.assumed)}; metres are a guess"
        )


def _facts(calibration: Calibration) -> dict[str, Any]:
    """The calibration for the JSON object."""
    return camera_facts(calibration.camera) | {
        "baseline_m": calibration.baseline_m,
        "doffs_px": calibration.doffs_px,
        "assumed": list(calibration.assumed),
    }
