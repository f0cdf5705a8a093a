"""From the source options to a scene: the way in that all commands share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from depthapps.cli.options import BUILTIN, RunOptions, SourceOptions
from depthapps.cli.report import Report
from depthapps.engine.network import NetworkDescription, StereoNetwork
from depthapps.engine.pipeline import DISPARITY_SIGMA, match_pair
from depthapps.errors import CalibrationError, InputError
from depthapps.geometry import depth_from_disparity, disparity_from_depth
from depthapps.io.calibration import read_calibration
from depthapps.io.depth import MAP_SUFFIXES, read_depth, read_disparity, write_confidence, write_depth, write_disparity
from depthapps.io.exif import read_focal_px
from depthapps.io.files import Outputs, check_input, check_suffix
from depthapps.io.images import read_image
from depthapps.io.network import read_network
from depthapps.scene import ASSUMED_BASELINE_M, ASSUMED_FOV_DEG, Calibration, Camera, FloatMap, Scene, StereoPair


@dataclass(frozen=True, eq=False)
class Source:
    """A scene, its calibration, and its disparity (H, W) px in the frame of the left view."""

    scene: Scene
    calibration: Calibration
    disparity_px: FloatMap


def side_outputs(options: SourceOptions) -> list[Path]:
    """The files that --save-depth, --save-disparity and --save-confidence ask for, with their suffixes checked."""
    wanted = (options.save_depth, options.save_disparity, options.save_confidence)
    paths = [p for p in wanted if p is not None]
    for path in paths:
        check_suffix(path, MAP_SUFFIXES, "a depth, confidence or disparity map")
    if options.save_confidence and options.right is None:
        raise InputError(
            "there is no confidence to save: the depth was not matched but given", hint="pass a right view instead"
        )
    return paths


def save_side_outputs(options: SourceOptions, source: Source, outputs: Outputs) -> None:
    """Write what --save-depth, --save-disparity and --save-confidence ask for."""
    if options.save_depth:
        write_depth(outputs.part(options.save_depth), source.scene.depth_m, options.depth_scale)
    if options.save_disparity:
        write_disparity(outputs.part(options.save_disparity), source.disparity_px)
    if options.save_confidence and source.scene.confidence is not None:
        write_confidence(outputs.part(options.save_confidence), source.scene.confidence)


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
    given = [f for f in (options.right, options.depth, options.disparity) if f is not None]
    if not given:
        raise InputError(
            f"there is only one view, {options.image.name}, and no depth for it",
            hint="add the right view, or --depth FILE or --disparity FILE",
        )
    if options.matcher != BUILTIN and options.right is None:
        raise InputError("--matcher needs a stereo pair", hint="add the right view, or leave --matcher out")
    if len(given) > 1:
        raise InputError("the depth was given twice", hint="pass one of: a right view, --depth, --disparity")
    for path, what in ((options.right, "image"), (options.depth, "depth map"), (options.disparity, "disparity map")):
        if path is not None:
            check_input(path, what)

    with report.stage("reading"):
        with ThreadPoolExecutor(2) as pool:  # decoding is most of the time that a small pair takes to read
            image, *others = pool.map(read_image, [p for p in (options.image, options.right) if p is not None])
        right = others[0] if others else None
        height, width = image.shape[:2]
        calibration = _calibration(options, width, height, report)
        depth = read_depth(options.depth, options.depth_scale) if options.depth else None
        disparity = read_disparity(options.disparity) if options.disparity else None
    if depth is not None:  # metric already: the baseline has no part in it
        calibration = replace(calibration, assumed=tuple(a for a in calibration.assumed if a != "baseline"))
    _tell(options, calibration, report, camera_matters=camera_matters or depth is None)

    inverse_depth_sigma, confidence = 0.0, None
    if right is not None:
        pair = StereoPair(image, right, calibration)
        with report.stage("matching"):
            wanted = confidence_matters or options.save_confidence is not None
            found = match_pair(pair, run.quality, _network(options), confidence=wanted)
        disparity, confidence = found.disparity_px, found.confidence
        report.add(matcher=options.matcher, disparity_range_px=[round(v, 1) for v in found.range_px])
        if confidence is not None:
            report.add(mean_confidence=round(float(confidence.mean()), 3))
        inverse_depth_sigma = DISPARITY_SIGMA * width / (calibration.camera.fx * calibration.baseline_m)
    if depth is None:
        assert disparity is not None
        depth = depth_from_disparity(disparity, calibration)
    scene = Scene(image, depth, calibration.camera, inverse_depth_sigma, confidence)
    if disparity is None:
        disparity = disparity_from_depth(depth, calibration)
    known = depth[np.isfinite(depth)]
    report.add(depth_range_m=[round(float(known.min()), 4), round(float(known.max()), 4)])
    return Source(scene, calibration, disparity)


def _network(options: SourceOptions) -> StereoNetwork | None:
    """The network that --matcher names; None for the matcher built in."""
    if options.matcher == BUILTIN:
        return None
    model, entries = read_network(Path(options.matcher))
    return StereoNetwork(model, NetworkDescription.from_json(entries))


def _calibration(options: SourceOptions, width: int, height: int, report: Report) -> Calibration:
    """By hand before the file, the file before EXIF, EXIF before the assumption."""
    file = read_calibration(options.calibration) if options.calibration else None
    if file and file.warning:
        report.note(file.warning)
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
        camera = replace(file.camera(width, height), fx=by_hand.fx, fy=by_hand.fy) if file else by_hand
    elif file:
        camera = file.camera(width, height)
    elif focal_px := read_focal_px(options.image, width, height):
        camera = Camera.centred(width, height, focal_px)
    else:
        camera = Camera.from_fov(width, height, ASSUMED_FOV_DEG)
        assumed.append("focal length")

    baseline = options.baseline if options.baseline is not None else file and file.baseline_m
    if baseline is None:
        baseline = ASSUMED_BASELINE_M
        assumed.append("baseline")
    if options.doffs is not None:
        doffs = options.doffs
    else:
        doffs = (file.doffs_px or 0.0) * (width / (file.width or width)) if file else 0.0
    return Calibration(camera, baseline, doffs, tuple(assumed))


def _tell(options: SourceOptions, calibration: Calibration, report: Report, *, camera_matters: bool) -> None:
    """Put inputs and calibration into the report, and say once what was assumed."""
    camera = calibration.camera
    files = {k: getattr(options, k) for k in ("image", "right", "depth", "disparity", "calibration")}
    report.add(
        inputs={k: str(v) for k, v in files.items() if v is not None},
        size=[camera.width, camera.height],
        calibration={
            "fx_px": round(camera.fx, 3),
            "fy_px": round(camera.fy, 3),
            "cx_px": round(camera.cx, 3),
            "cy_px": round(camera.cy, 3),
            "baseline_m": calibration.baseline_m,
            "doffs_px": calibration.doffs_px,
            "assumed": list(calibration.assumed),
        },
    )
    texts = {
        "focal length": f"a field of view of {ASSUMED_FOV_DEG:g}° (--fov)",
        "baseline": f"a baseline of {1000 * ASSUMED_BASELINE_M:g} mm (--baseline)",
    }
    if calibration.assumed and camera_matters:
        report.note(
            f"no calibration: assuming {' and '.join(texts[a] for a in calibration.assumed)}; metres are a guess"
        )
