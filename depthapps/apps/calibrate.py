"""Calibrate a camera or a stereo rig from photos of a flat board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.apps.camera import camera_facts
from depthapps.apps.journal import JobResult, Journal, Progress
from depthapps.core.camera import LensCamera, StereoRig
from depthapps.core.color import to_8bit
from depthapps.core.errors import CalibrationError, InputError, param
from depthapps.core.levels import stretched
from depthapps.core.scene import Image
from depthapps.draw.coverage import draw_corners, draw_lines
from depthapps.engine.calibrate.boards import Board, chessboard_in
from depthapps.engine.calibrate.checks import Rectifier, coverage, epipolar_errors_px
from depthapps.engine.calibrate.shots import Rejected, Shot, drop_repeated, read_shot
from depthapps.engine.calibrate.solve import FEWEST_SHOTS, Solution, solve
from depthapps.io.photos.images import read_image
from depthapps.io.shots import find_shots, pair_shots

_UNSURE = 0.01  # of the focal length: if its standard deviation is larger, more shots are advised
_THIN = 0.6  # of the picture: advise more shots if less has corners; distortion is strongest at the rim, often left out
_SAME_PX = 0.1  # corners are found to a few hundredths of a pixel, and cameras side by side see them far apart
_MILLIMETRES_FROM = 1.0  # metres of a square: boards that a room holds have smaller ones
_LOOKED_AT = 3  # photos in which another board is searched; one may be blurred

_Photos = dict[str, tuple[Path, ...]]
_Size = tuple[int, int]


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
        The right camera's photos. Two photos are a pair if their names have the same text in place of the star. None
        for one camera.
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
        Fewer than three shots can be used, or they contradict each other.

    Notes
    -----
    Zhang's calibration (2000) by OpenCV. Shots whose pose contradicts most others (Rousseeuw 1984), and outliers of
    the residual, are left out. More distortion coefficients are used if they lower the residual enough.
    """
    journal = Journal(progress)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # bad files are told in our own words, once
    photos, alone = _find_photos(left, right)
    rejected = [Rejected(path.name, "the other camera has no photo of that name") for path in alone]
    if board.square_m >= _MILLIMETRES_FROM:
        meant = param("square_m", f"{board.square_m / 1000:g}")
        journal.note(f"the board's squares are {board.square_m:g} m wide; if millimetres are meant, pass {meant}")
    shots, size, unusable = _find_boards(photos, board, journal)
    kept, repeated = drop_repeated(shots, size[0] if size else 1)
    rejected += unusable + repeated
    for shot in rejected:
        journal.note(f"{shot.name} is left out: {shot.reason}")
    if len(kept) < FEWEST_SHOTS or size is None:
        raise CalibrationError(
            f"{len(kept)} of {len(photos)} shots show the board {board.columns}x{board.rows}, "
            f"{FEWEST_SHOTS} are the least",
            hint=_hint_for_board(photos, board, len(kept)),
        )
    if right is not None:
        _refuse_one_camera(kept)
    with journal.stage("calibration"):
        solution = solve(kept, board, size)
    for shot in solution.rejected:
        journal.note(f"{shot.name} is left out: {shot.reason}")
    rejected += solution.rejected
    journal.add(shots=len(photos), used=len(solution.used), rejected={shot.name: shot.reason for shot in rejected})
    _tell(solution, size, journal)
    return Calibrated(
        cameras=solution.cameras,
        rig=solution.rig,
        rms_px=solution.rms_px,
        residuals_px={r.name: r.residual_px for r in solution.residuals},
        solution=solution,
        photos=photos,
        size=size,
        **journal.told,
    )


def _find_photos(left: str, right: str | None) -> tuple[_Photos, list[Path]]:
    """Find the photos of each shot, by the name of the shot, and the photos without a partner."""
    if right is None:
        return {path.name: (path,) for path in find_shots(left).values()}, []
    pairs, alone = pair_shots(find_shots(left), find_shots(right))
    return {one.name: (one, other) for one, other in pairs}, alone


def _find_boards(photos: _Photos, board: Board, journal: Journal) -> tuple[list[Shot], _Size | None, list[Rejected]]:
    """Find the board's corners in every photo, the photos' size, and the shots that cannot be used."""
    shots: list[Shot] = []
    rejected: list[Rejected] = []
    size: _Size | None = None
    for name, paths in journal.steps(photos.items(), len(photos), "corners"):
        try:
            views = [_grey(path) for path in paths]
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
    return shots, size, rejected


def _refuse_one_camera(shots: Sequence[Shot]) -> None:
    """Raise CalibrationError if the two photos of every shot are of one camera."""
    if all(shot.moved_px() < _SAME_PX for shot in shots):
        raise CalibrationError(
            "both cameras see the board at the same place in every shot: the photos are of one camera",
            hint=f"pass each camera's own photos: {param('left', 'left*.jpg')} {param('right', 'right*.jpg')}",
        )


def _hint_for_board(photos: _Photos, board: Board, kept: int) -> str:
    """What to do where too few photos show the board: the chessboard that the first ones show, if it is another one."""
    if kept == len(photos):
        return "take more photos, with the board tilted and moved between them"
    for path in [paths[0] for paths in photos.values()][:_LOOKED_AT]:
        try:
            size = chessboard_in(_grey(path))
        except InputError:
            continue
        if size and (board.dictionary or set(size) != {board.columns, board.rows}):
            shown = f"{size[0]}x{size[1]}"
            return f"{path.name} shows a chessboard of {shown} inner corners: pass {param('board', shown)}"
    return (
        f"is {param('board')} right? 9x6 counts a chessboard's inner corners, charuco:11x8 squares "
        f"(see {param('dictionary')})"
    )


def _grey(path: Path) -> NDArray[np.uint8]:
    """A photo in 8-bit grey (H, W), stretched to that range."""
    return np.asarray(cv2.cvtColor(to_8bit(stretched(read_image(path))), cv2.COLOR_RGB2GRAY), np.uint8)


def _tell(solution: Solution, size: _Size, journal: Journal) -> None:
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
