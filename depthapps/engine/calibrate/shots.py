"""Choose the photos of a board that calibration can use, and give the reason for each rejected one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthapps.engine.calibrate.boards import Board, Corners, align_order, find_corners, in_a_plane

_SAME_POSE = 0.005  # share of the width: a shot whose corners moved less since another shot adds no information


@dataclass(frozen=True, eq=False)
class Shot:
    """The board's corners in the pictures taken at one moment: the left camera's, then the right one's if any."""

    name: str
    views: tuple[Corners, ...]

    def moved_px(self) -> float:
        """How far the corners that both views see lie apart, in the mean."""
        ids = self.shared_ids()
        one, other = (view.of(ids).px for view in self.views)
        return float(np.linalg.norm(one - other, axis=1).mean())

    def shared_ids(self) -> NDArray[np.int64]:
        """The ids of the corners found in all views."""
        ids = self.views[0].ids
        for view in self.views[1:]:
            ids = np.intersect1d(ids, view.ids)
        return ids


@dataclass(frozen=True)
class Rejected:
    """A shot that is not used, and the reason."""

    name: str
    reason: str


def read_shot(name: str, pictures: Sequence[NDArray[np.uint8]], board: Board) -> Shot | Rejected:
    """Find the board in the grey pictures (H, W) taken at one moment, left before right."""
    found = [find_corners(picture, board) for picture in pictures]
    seen = [view for view in found if view is not None]
    if len(seen) < len(found):
        sides = ("left", "right") if len(found) == 2 else ("",)
        missing = " and ".join(s for s, view in zip(sides, found, strict=True) if view is None)
        return Rejected(name, f"the board was not found{f' in the {missing} view' if missing else ''}")
    if len(seen) == 2:
        seen[1] = align_order(board, *seen)
    shot = Shot(name, tuple(seen))
    if not in_a_plane(board, shot.shared_ids()):
        return Rejected(name, "the two views share too few corners")
    return shot


def drop_repeated(shots: Sequence[Shot], width: int) -> tuple[list[Shot], list[Rejected]]:
    """Drop shots in which the board had not moved since an earlier shot; pictures are `width` px wide."""
    kept: list[Shot] = []
    rejected: list[Rejected] = []
    for shot in shots:
        twin = next((other for other in kept if _shift_px(shot, other) < _SAME_POSE * width), None)
        if twin is None:
            kept.append(shot)
        else:
            rejected.append(Rejected(shot.name, f"the board is at the same place as in {twin.name}"))
    return kept, rejected


def _shift_px(one: Shot, other: Shot) -> float:
    """Mean motion px of the shared corners between two shots, in the view where it is larger; inf if few are shared."""
    shifts = []
    for a, b in zip(one.views, other.views, strict=True):
        ids = np.intersect1d(a.ids, b.ids)
        if len(ids) < min(len(a.ids), len(b.ids)) / 2:
            return np.inf
        shifts.append(float(np.linalg.norm(a.of(ids).px - b.of(ids).px, axis=1).mean()))
    return max(shifts)
