"""From patterns of photos to a calibration, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import cv2

from depthapps.cli.report import Report, camera_facts
from depthapps.core.color import to_8bit
from depthapps.core.errors import CalibrationError, InputError
from depthapps.engine.calibrate.boards import Board
from depthapps.engine.calibrate.checks import Rectifier, coverage, epipolar_errors_px
from depthapps.engine.calibrate.shots import Rejected, Shot, drop_repeated, read_shot
from depthapps.engine.calibrate.solve import FEWEST_SHOTS, Solution, solve
from depthapps.io.photos.images import read_image
from depthapps.io.shots import find_shots, pair_shots

_UNSURE = 0.01  # of the focal length: what one deviation of it is in a calibration that should be taken anew
_THIN = 0.6  # of the picture's parts; a lens bends most where corners are usually missing

Photos = dict[str, tuple[Path, ...]]
Size = tuple[int, int]


def calibrate_shots(left: str, right: str | None, board: Board, report: Report) -> tuple[Photos, Size, Solution]:
    """Find the photos, the board in them, and the cameras; says which shots are left out, and why.

    Returns the photos by the name of their shot, their size, and the calibration. Raises InputError.
    """
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # bad files are told in our own words, once
    photos, alone = _photos(left, right)
    rejected = [Rejected(path.name, "the other camera has no photo of that name") for path in alone]
    shots: list[Shot] = []
    size: Size | None = None
    with report.stage("corners"):
        for name, paths in report.progress(photos.items(), len(photos), "looking for the board"):
            try:
                views = [cv2.cvtColor(to_8bit(read_image(path)), cv2.COLOR_RGB2GRAY) for path in paths]
            except InputError as error:
                rejected.append(Rejected(name, error.message))
                continue
            sizes = {(view.shape[1], view.shape[0]) for view in views}
            size = size or sizes.copy().pop()
            if sizes != {size}:
                found = " and ".join(f"{w}x{h}" for w, h in sorted(sizes))
                rejected.append(Rejected(name, f"it is {found}, the first photo is {size[0]}x{size[1]}"))
                continue
            shot = read_shot(name, views, board)  # pyright: ignore[reportArgumentType]
            (shots if isinstance(shot, Shot) else rejected).append(shot)  # pyright: ignore[reportArgumentType]
    kept, repeated = drop_repeated(shots, size[0] if size else 1)
    rejected += repeated
    for shot in rejected:
        report.note(f"{shot.name} is left out: {shot.reason}")
    if len(kept) < FEWEST_SHOTS or size is None:
        raise CalibrationError(
            f"{len(kept)} of {len(photos)} shots show the board {board.columns}x{board.rows}, "
            f"{FEWEST_SHOTS} are the least",
            hint="is --board right? 9x6 counts a chessboard's inner corners, charuco:11x8 squares (see --dictionary)",
        )
    with report.stage("calibration"):
        solution = solve(kept, board, size)
    for shot in solution.rejected:
        report.note(f"{shot.name} is left out: {shot.reason}")
    rejected += solution.rejected
    report.add(shots=len(photos), used=len(solution.used), rejected={shot.name: shot.reason for shot in rejected})
    return photos, size, solution


def _photos(left: str, right: str | None) -> tuple[Photos, list[Path]]:
    if right is None:
        return {path.name: (path,) for path in find_shots(left).values()}, []
    pairs, alone = pair_shots(find_shots(left), find_shots(right))
    return {one.name: (one, other) for one, other in pairs}, alone


def tell(solution: Solution, size: Size, report: Report) -> None:
    """Say what was found and what it is worth, as a table on stderr and as data for --json."""
    views = ("left", "right")[: len(solution.cameras)]
    covered = coverage(solution.used, size)
    report.table(
        ["shot", *(f"{view} px" for view in views)],
        [[r.name, *(f"{v:.2f}" for v in r.residual_px)] for r in solution.residuals],
    )
    report.add(
        size=list(size),
        rms_px=round(solution.rms_px, 4),
        residuals_px={r.name: [round(v, 4) for v in r.residual_px] for r in solution.residuals},
        coverage=[round(share, 3) for share in covered],
        cameras={
            view: camera_facts(camera.pinhole)
            | {"focal_sigma_px": round(sigma, 3), "distortion": [round(c, 6) for c in camera.distortion]}
            for view, camera, sigma in zip(views, solution.cameras, solution.focal_sigma_px, strict=True)
        },
    )
    summary = f"residual {solution.rms_px:.2f} px over {len(solution.used)} shots"
    if solution.rig:
        before, after = epipolar_errors_px(solution.used, Rectifier.of(solution.rig))
        report.add(
            baseline_m=round(solution.rig.baseline_m, 6),
            rotation=solution.rig.rotation.round(8).tolist(),
            translation_m=solution.rig.translation_m.round(6).tolist(),
            epipolar_error_px={"before": round(before, 4), "after": round(after, 4)},
        )
        summary += (
            f"; baseline {1000 * solution.rig.baseline_m:.1f} mm; rows are {before:.2f} px apart as taken, "
            f"{after:.2f} px once rectified"
        )
        if solution.rig.translation_m[0] > 0:
            report.note("the right camera stands to the left of the left one: are --left and --right exchanged?")
    report.note(summary)
    for view, camera, sigma, share in zip(views, solution.cameras, solution.focal_sigma_px, covered, strict=True):
        report.note(
            f"{view}: focal length {camera.pinhole.fx:.1f} ± {sigma:.1f} px, "
            f"corners in {100 * share:.0f} % of the picture"
        )
        if sigma > _UNSURE * camera.pinhole.fx:
            report.note(f"the {view} focal length is unsure: add shots with the board tilted by 20° to 45°")
        if share < _THIN:
            report.note(f"the {view} lens is unsure where no corner was seen: add shots with the board there")
