"""Calibrate a camera or a stereo rig from photos of a flat board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from depthapps.apps.board_photos import BoardPhotos, Photos, Size, find_boards, find_photos, other_board
from depthapps.apps.camera import camera_facts
from depthapps.apps.journal import JobResult, Journal, Progress
from depthapps.core.camera import LensCamera, StereoRig
from depthapps.core.errors import CalibrationError, InputError, param
from depthapps.core.scene import Image
from depthapps.draw.coverage import draw_corners, draw_lines
from depthapps.engine.calibrate.boards import Board
from depthapps.engine.calibrate.checks import Rectifier, coverage, epipolar_errors_px
from depthapps.engine.calibrate.shots import Shot
from depthapps.engine.calibrate.solve import Solution, solve
from depthapps.io.photos.images import read_image

_UNSURE = 0.01  # of the focal length: if its standard deviation is larger, more shots are advised
_THIN = 0.6  # of the picture: advise more shots if less has corners; distortion is strongest at the rim, often left out
_SAME_PX = 0.1  # corners are found to a few hundredths of a pixel, and cameras side by side see them far apart
_MILLIMETRES_FROM = 1.0  # metres of a square: boards that a room holds have smaller ones


@dataclass(frozen=True, eq=False, kw_only=True)
class Calibrated(JobResult):
    """Cameras measured from photos of a board.

    Attributes
    ----------
    cameras : tuple of LensCamera
        One camera, or the left and the right one.
    rig : StereoRig, optional
        Both cameras and the rigid transform between them; None for one camera.
    rms_px : float
        Reprojection error of the board's corners, root mean square in pixels.
    residuals_px : dict
        The same for each shot by its name, one number for each view.
    solution : Solution
        What was solved: also the uncertainty of the focal lengths, and the shots used and rejected.
    photos : dict
        The photos of every shot by its name, also of those that were not used.
    size : tuple of int
        Width and height of the photos in pixels.
    """

    cameras: tuple[LensCamera, ...]
    rig: StereoRig | None
    rms_px: float
    residuals_px: dict[str, tuple[float, ...]]
    solution: Solution
    photos: dict[str, tuple[Path, ...]]
    size: tuple[int, int]

    def draw_coverage(self) -> Image:
        """Draw where corners were seen, with a panel for each view and a colour for each shot: (H, W, 3) uint8 RGB."""
        shots = self.solution.used
        return draw_corners([[shot.views[k].px for shot in shots] for k in range(len(shots[0].views))], self.size)

    def draw_example(self) -> Image:
        """Draw the first shot rectified, with lines along rows, which pass the same points in both views.

        Returns (H, W, 3) uint8 RGB. Raises InputError for one camera.
        """
        if self.rig is None:
            raise InputError("an example shows a pair, there is one camera only", hint="calibrate two")
        rectifier = Rectifier.of(self.rig)
        views = [read_image(path) for path in self.photos[self.solution.used[0].name]]
        return draw_lines(rectifier.picture(views[0], 0), rectifier.picture(views[1], 1))


def calibrate_cameras(left: str, right: str | None, board: Board, *, progress: Progress | None = None) -> Calibrated:
    """Calibrate a stereo rig, or one camera, from photos of a chessboard or a ChArUco board.

    Parameters
    ----------
    left : str
        The left camera's photos: a pattern such as "left*.jpg", or a folder.
    right : str, optional
        The right camera's photos. Two photos are a pair if their names have the same text in place of the stars, which
        may stand for folders: "shots/*/left.png". None for one camera.
    board : Board
        The board: `Board.parse("9x6", square_m=0.025)`.
    progress : callable, optional
        Called with every `Note` and `Stage` as they happen. The notes tell which shots are left out, and why.

    Returns
    -------
    Calibrated

    Raises
    ------
    InputError
        No photo matches.
    CalibrationError
        Fewer than three shots can be used, they contradict each other, or do not tell the focal length, as where the
        board is never tilted; or the two cameras' photos differ in size.

    Notes
    -----
    Zhang's calibration (2000) by OpenCV. Shots whose pose contradicts most others (Rousseeuw 1984), and outliers of
    the residual, are left out. More distortion coefficients are used if they lower the residual enough.
    """
    journal = Journal(progress)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # bad files are told in our own words, once
    photos, rejected = find_photos(left, right)
    for shot in rejected:
        journal.note(f"{shot.name} is left out: {shot.reason}")
    if board.square_m >= _MILLIMETRES_FROM:
        meant = param("square_m", f"{board.square_m / 1000:g}")
        journal.note(f"the board's squares are {board.square_m:g} m wide; if millimetres are meant, pass {meant}")
    found = find_boards(photos, board, journal)
    if right is not None:
        _refuse_one_camera(found.shots)
    with journal.stage("calibration"):
        solution = _solve(found, photos, board)
    for shot in solution.rejected:
        journal.note(f"{shot.name} is left out: {shot.reason}")
    rejected += [*found.rejected, *solution.rejected]
    journal.add(shots=len(photos), used=len(solution.used), rejected={shot.name: shot.reason for shot in rejected})
    _tell(solution, found.size, journal)
    return Calibrated(
        cameras=solution.cameras,
        rig=solution.rig,
        rms_px=solution.rms_px,
        residuals_px={r.name: r.residual_px for r in solution.residuals},
        solution=solution,
        photos=photos,
        size=found.size,
        **journal.told,
    )


def _solve(found: BoardPhotos, photos: Photos, board: Board) -> Solution:
    """Calibrate; where that fails since the photos show a larger chessboard, of which any part was found, say so."""
    try:
        return solve(found.shots, board, found.size)
    except CalibrationError as error:
        shown = None if board.dictionary else other_board(photos, board)
        if shown is None:
            raise
        raise CalibrationError(error.raw_message, hint=shown) from error


def _refuse_one_camera(shots: Sequence[Shot]) -> None:
    """Raise CalibrationError if the two photos of every shot are of one camera."""
    if all(shot.moved_px() < _SAME_PX for shot in shots):
        raise CalibrationError(
            "both cameras see the board at the same place in every shot: the photos are of one camera",
            hint=f"pass each camera's own photos: {param('left', 'left*.jpg')} {param('right', 'right*.jpg')}",
        )


def _tell(solution: Solution, size: Size, journal: Journal) -> None:
    """Record the calibration and its quality as facts and notes."""
    views = ("left", "right")[: len(solution.cameras)]
    covered = coverage(solution.used, size)
    journal.add(
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
        facts, told = _rig_facts(solution, solution.rig)
        journal.add(**facts)
        summary += f"; {told}"
        if solution.rig.translation_m[0] > 0:
            journal.note(
                "the right camera stands to the left of the left one: "
                f"are {param('left')} and {param('right')} exchanged?"
            )
    journal.note(summary)
    for view, camera, sigma, share in zip(views, solution.cameras, solution.focal_sigma_px, covered, strict=True):
        journal.note(
            f"{view}: focal length {camera.pinhole.fx:.1f} ± {sigma:.1f} px, "
            f"corners in {100 * share:.0f} % of the picture"
        )
        if sigma > _UNSURE * camera.pinhole.fx:
            journal.note(f"the {view} focal length is unsure: add shots with the board tilted by 20° to 45°")
        if share < _THIN:
            journal.note(f"the {view} lens is unsure where no corner was seen: add shots with the board there")


def _rig_facts(solution: Solution, rig: StereoRig) -> tuple[dict[str, Any], str]:
    """Describe the rig and how well its rows line up, as facts and in words."""
    before, after = epipolar_errors_px(solution.used, Rectifier.of(rig))
    facts = {
        "baseline_m": round(rig.baseline_m, 6),
        "rotation": rig.rotation.round(8).tolist(),
        "translation_m": rig.translation_m.round(6).tolist(),
        "epipolar_error_px": {"before": round(before, 4), "after": round(after, 4)},
    }
    return facts, (
        f"baseline {1000 * rig.baseline_m:.1f} mm; rows are {before:.2f} px apart as taken, "
        f"{after:.2f} px once rectified"
    )
