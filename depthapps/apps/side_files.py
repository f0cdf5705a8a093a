"""Which files are kept of a scene, by name: checked before anything heavy is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from depthapps.apps.params import PathLike
from depthapps.core.choices import MapKind
from depthapps.core.errors import InputError
from depthapps.io.formats import DEPTH_PNG_SCALE, MAP_SUFFIXES, PREVIEW_SUFFIXES
from depthapps.io.outputs import check_suffix


def depth_map_kind(path: PathLike, kind: MapKind | None = None) -> MapKind:
    """What is written to a path: as asked for, else a preview for pictures and a disparity for the rest.

    Raises OutputError for a suffix that cannot hold it.
    """
    path = Path(path)
    kind = kind or (MapKind.PREVIEW if path.suffix.lower() in PREVIEW_SUFFIXES else MapKind.DISPARITY)
    check_suffix(path, PREVIEW_SUFFIXES if kind is MapKind.PREVIEW else MAP_SUFFIXES, f"a {kind}")
    return kind


@dataclass(frozen=True)
class SideFiles:
    """Files that are kept of a scene beside what is made of it; None for those that are not.

    rectified: the prefix of three pictures, both views as they were matched and both with lines along their rows.
    """

    depth: Path | None = None
    disparity: Path | None = None
    confidence: Path | None = None
    rectified: Path | None = None
    depth_scale: float = DEPTH_PNG_SCALE

    @property
    def rectified_paths(self) -> list[Path]:
        """The left and the right view, and both with lines."""
        prefix = self.rectified
        if prefix is None:
            return []
        return [prefix.with_name(f"{prefix.name}_{name}.png") for name in ("left", "right", "lines")]

    def paths(self) -> list[Path]:
        """All of the files, with their suffixes checked. Raises OutputError."""
        maps = [path for path in (self.depth, self.disparity, self.confidence) if path is not None]
        for path in maps:
            check_suffix(path, MAP_SUFFIXES, "a depth, confidence or disparity map")
        return maps + self.rectified_paths

    def check(self, *, matched: bool) -> None:
        """Refuse to keep what only two views give, where the depth is not matched but given. Raises InputError."""
        missing = None
        if self.rectified is not None:
            missing = "there are no views to rectify"
        elif self.confidence is not None:
            missing = "there is no confidence to save"
        if missing and not matched:
            raise InputError(f"{missing}: the depth was not matched but given", hint="pass a right view instead")
