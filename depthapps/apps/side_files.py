"""Name the map files that a command saves beside its result, and check them before any heavy library is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from depthapps.apps.params import PathLike
from depthapps.core.choices import MapKind, chosen
from depthapps.core.errors import InputError, OutputError, param
from depthapps.io.formats import (
    DEPTH_PNG_SCALE,
    DYNAMIC_DEPTH_SUFFIXES,
    INVERSE_SUFFIXES,
    MAP_SUFFIXES,
    PORTRAIT_SUFFIXES,
    PREVIEW_SUFFIXES,
)
from depthapps.io.outputs import check_suffix

# the files that can hold what is no map of numbers, and what it is called in messages
_HOLDS = {
    MapKind.PREVIEW: (PREVIEW_SUFFIXES, "a preview"),
    MapKind.AFFINE_INVERSE: (INVERSE_SUFFIXES, "a map of affine-inverse"),
    MapKind.PORTRAIT: (PORTRAIT_SUFFIXES, "a portrait"),
    MapKind.DYNAMIC_DEPTH: (DYNAMIC_DEPTH_SUFFIXES, "a photo with Dynamic Depth"),
}


def depth_map_kind(path: PathLike, kind: MapKind | None = None) -> MapKind:
    """Choose what is written to a path: `kind` if given, else a preview for .png and .jpg and disparity for the rest.

    Raises OutputError for a suffix whose format cannot hold it.
    """
    path = Path(path)
    kind = (
        chosen(MapKind, kind, "kind")
        if kind
        else (MapKind.PREVIEW if path.suffix.lower() in PREVIEW_SUFFIXES else MapKind.DISPARITY)
    )
    suffixes, what = _HOLDS.get(kind, (MAP_SUFFIXES, f"a {kind}"))
    check_suffix(path, suffixes, what)
    return kind


@dataclass(frozen=True)
class SideFiles:
    """Maps of a scene that are saved beside a command's result; None for those that are not.

    depth, disparity, confidence: paths of the maps. rectified: path prefix of three pictures: the left and the right
    view as they were matched, and both with lines along their rows. depth_scale: units per metre in a 16-bit PNG.
    """

    depth: Path | None = None
    disparity: Path | None = None
    confidence: Path | None = None
    rectified: Path | None = None
    depth_scale: float = DEPTH_PNG_SCALE

    @property
    def rectified_paths(self) -> list[Path]:
        """Paths of the left view, the right view, and both with lines; empty if not saved. Raises OutputError."""
        prefix = self.rectified
        if prefix is None:
            return []
        if not prefix.name:
            raise OutputError(
                f"{prefix} is a folder, and no beginning of a name",
                hint=f"such as {param('save_rectified', 'pair')}, which makes pair_left.png and others",
            )
        return [prefix.with_name(f"{prefix.name}_{name}.png") for name in ("left", "right", "lines")]

    def paths(self) -> list[Path]:
        """Paths of all files, after a check of their suffixes. Raises OutputError."""
        maps = [path for path in (self.depth, self.disparity, self.confidence) if path is not None]
        for path in maps:
            check_suffix(path, MAP_SUFFIXES, "a depth, confidence or disparity map")
        return maps + self.rectified_paths

    def check(self, *, matched: bool) -> None:
        """Refuse files that need two matched views if the depth was given instead. Raises InputError."""
        missing = None
        if self.rectified is not None:
            missing = "there are no views to rectify"
        elif self.confidence is not None:
            missing = "there is no confidence to save"
        if missing and not matched:
            raise InputError(f"{missing}: the depth was not matched but given", hint="pass a right view instead")
