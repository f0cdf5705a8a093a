"""Find the photos of a board, and the board in them; what is of no use is told with the reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.apps.journal import Journal
from depthapps.core.color import to_8bit
from depthapps.core.errors import CalibrationError, InputError, param
from depthapps.core.levels import stretched
from depthapps.engine.calibrate.boards import Board, chessboard_in
from depthapps.engine.calibrate.shots import Rejected, Shot, drop_repeated, read_shot
from depthapps.engine.calibrate.solve import FEWEST_SHOTS
from depthapps.io.photos.images import read_image
from depthapps.io.shots import FoundFile, find_files, pair_files

_LOOKED_AT = 3  # photos in which another board is searched; one may be blurred

Photos = dict[str, tuple[Path, ...]]
"""The photos of each shot, left before right, by the name of the shot."""
Size = tuple[int, int]
_Sizes = tuple[Size, ...]  # of the views of a shot
_Read = dict[str, tuple[_Sizes, Shot | Rejected]]  # what was found in the photos that can be read


@dataclass(frozen=True, eq=False)
class BoardPhotos:
    """Shots that show the board.

    shots: those that can be used. size: width and height of their photos. rejected: all others.
    """

    shots: list[Shot]
    size: Size
    rejected: list[Rejected]


def find_photos(left: str, right: str | None) -> tuple[Photos, list[Rejected]]:
    """Find the photos of each shot, and those that belong to none. Raises InputError if there is no shot."""
    if right is None:
        return {_name(file): (file.path,) for file in find_files(left)}, []
    ours, others = find_files(left), find_files(right)
    pairs, alone = pair_files(ours, others)
    if not pairs:
        raise InputError(
            f"none of {len(ours)} left and {len(others)} right photos belong together: "
            f"{_name(ours[0])} and {_name(others[0])}",
            hint="what the stars stand for has to be the same: left01.png and right01.png for 'left*.png' 'right*.png'",
        )
    shared = {file.number for file in ours} & {file.number for file in others}
    reasons = ("the other camera has no photo of that name", "several photos of one camera have that name")
    left_out = [Rejected(_name(file), reasons[file.number in shared]) for file in alone]
    return {_name(one): (one.path, other.path) for one, other in pairs}, left_out


def _name(file: FoundFile) -> str:
    """The name of a photo, with those of its folders that the pattern leaves open: they may tell shots apart."""
    return f"{file.name}{file.path.suffix}"


def find_boards(photos: Photos, board: Board, journal: Journal) -> BoardPhotos:
    """Find the board in every photo, and choose the shots that can be used. Raises CalibrationError if too few can."""
    read: _Read = {}
    rejected: list[Rejected] = []
    for name, paths in journal.steps(photos.items(), len(photos), "corners"):
        try:
            views = [_grey(path) for path in paths]
        except InputError as error:
            rejected.append(Rejected(name, error.message))
            continue
        read[name] = tuple((view.shape[1], view.shape[0]) for view in views), read_shot(name, views, board)
    sizes = _usual_sizes(read)
    shots: list[Shot] = []
    for name, (own, found) in read.items():
        if own != sizes:
            rejected.append(Rejected(name, f"it is {_told(own)}, most are {_told(sizes)}"))
        elif isinstance(found, Shot):
            shots.append(found)
        else:
            rejected.append(found)
    kept, repeated = drop_repeated(shots, sizes[0][0])
    rejected += repeated
    for shot in rejected:
        journal.note(f"{shot.name} is left out: {shot.reason}")
    if len(kept) < FEWEST_SHOTS:
        seen = sum(isinstance(found, Shot) for _, found in read.values())
        raise _too_few(photos, board, seen, len(shots), len(kept), sizes[0])
    return BoardPhotos(kept, sizes[0], rejected)


def _usual_sizes(read: _Read) -> _Sizes:
    """The sizes of the views of most shots that show the board, or of most shots if none does.

    Raises CalibrationError if the two cameras differ in it.
    """
    showing = [sizes for sizes, found in read.values() if isinstance(found, Shot)]
    counted = Counter(showing or [sizes for sizes, _ in read.values()])
    usual = counted.most_common(1)[0][0] if counted else ((1, 1),)
    if len(set(usual)) > 1:
        raise CalibrationError(
            f"the left photos are {_told(usual[:1])}, the right ones {_told(usual[1:])}",
            hint="resize the photos of one camera to the size of the other's, and use these from then on",
        )
    return usual


def _told(sizes: _Sizes) -> str:
    return " and ".join(f"{width}x{height}" for width, height in dict.fromkeys(sizes))


def _too_few(photos: Photos, board: Board, seen: int, sized: int, kept: int, size: Size) -> CalibrationError:
    """The error for too few shots: `seen` of them show the board, `sized` of these at `size`, `kept` of these apart."""
    more = "take more photos, with the board tilted and moved between them"
    least = f"{FEWEST_SHOTS} are the least"
    if sized >= FEWEST_SHOTS:
        where = "one place" if kept == 1 else f"{kept} places"
        return CalibrationError(f"{sized} shots show the board, but it stands at {where} only, {least}", hint=more)
    if seen >= FEWEST_SHOTS:
        return CalibrationError(
            f"{seen} shots show the board, but no more than {sized} at one size, {_told((size,))}; {least}",
            hint="take all photos at one size, with one zoom",
        )
    hint = None if seen == len(photos) else other_board(photos, board)
    if not hint:
        hint = (
            more
            if seen
            else (
                f"is {param('board')} right? 9x6 counts a chessboard's inner corners, charuco:11x8 squares "
                f"(see {param('dictionary')})"
            )
        )
    return CalibrationError(
        f"{seen} of {len(photos)} shots show the board {board.columns}x{board.rows}, {least}", hint=hint
    )


def other_board(photos: Photos, board: Board) -> str | None:
    """The hint that the first photos show another chessboard than the given board, and which; None if they do not."""
    for path in [paths[0] for paths in photos.values()][:_LOOKED_AT]:
        try:
            size = chessboard_in(_grey(path))
        except InputError:
            continue
        if size and (board.dictionary or set(size) != {board.columns, board.rows}):
            shown = f"{size[0]}x{size[1]}"
            return f"{path.name} shows a chessboard of {shown} inner corners: pass {param('board', shown)}"
    return None


def _grey(path: Path) -> NDArray[np.uint8]:
    """A photo in 8-bit grey (H, W), stretched to that range."""
    return np.asarray(cv2.cvtColor(to_8bit(stretched(read_image(path))), cv2.COLOR_RGB2GRAY), np.uint8)
