"""Name the files that a scene is made of, and check them before any heavy library is loaded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from depthapps.apps.params import PathLike, SceneParams
from depthapps.core.choices import DepthKind, Layout, Rectify
from depthapps.core.errors import InputError, param
from depthapps.io.formats import MPO_SUFFIXES
from depthapps.io.inputs import check_input, read_bytes

if TYPE_CHECKING:
    from depthapps.core.scene import FloatMap, Image

# Parameters that say what the numbers of a map mean, and the maps that they speak of.
_OF_MAPS = {"depth_kind": ("depth",), "disparity_scale": ("disparity",), "invert": ("depth", "disparity")}


@dataclass(frozen=True, eq=False)
class SceneFiles:
    """A picture, and at most one of a right view, a depth map and a disparity map, each as a path or an array.

    With none of them, the picture's own file has to hold a second view or a depth, or the picture both views; or a
    network guesses the depth.
    """

    image: PathLike | Image
    right: PathLike | Image | None = None
    depth: PathLike | FloatMap | None = None
    disparity: PathLike | FloatMap | None = None

    def named(self) -> dict[str, str]:
        """The path of each file, or "array", as entries for JSON."""
        given = {"image": self.image, "right": self.right, "depth": self.depth, "disparity": self.disparity}
        return {k: str(v) if is_path(v) else "array" for k, v in given.items() if v is not None}

    @property
    def name(self) -> str:
        """The picture's name without its suffix; empty for an array."""
        return Path(self.image).stem if is_path(self.image) else ""

    @property
    def photo_names(self) -> tuple[str, ...]:
        """The names of the two photos without suffix; empty unless both are files."""
        given = self.image, self.right
        return tuple(Path(photo).stem for photo in given if is_path(photo)) if all(map(is_path, given)) else ()

    @property
    def _others(self) -> dict[str, PathLike | Image | FloatMap]:
        """What is given besides the picture, by what it is for."""
        others = {"image": self.right, "depth map": self.depth, "disparity map": self.disparity}
        return {what: other for what, other in others.items() if other is not None}

    def check(self, params: SceneParams, *, picture_only: bool = False) -> None:
        """Refuse files that cannot become a scene, or just a picture, by names and headers alone. Raises InputError."""
        self.check_kinds(params)
        given = self._others
        for what, path in (("image", self.image), *given.items()):
            if is_path(path):
                check_input(Path(path), what)
        if not (given or params.layout or params.depth_network or picture_only):
            self._check_alone()

    def check_kinds(self, params: SceneParams) -> None:
        """Refuse files and parameters that contradict each other, whatever the files hold. Raises InputError."""
        given = self._others
        if len(given) > 1:
            hint = f"pass one of: a right view, {param('depth')}, {param('disparity')}"
            raise InputError("the depth was given twice", hint=hint)
        if params.depth_network is not None and (given or params.layout or params.matcher is not None):
            raise InputError(
                f"{param('depth_network')} guesses the depth of one photo, and more was given",
                hint=f"pass the photo alone, or leave {param('depth_network')} out",
            )
        if params.depth_network is not None and (params.depth_kind is not DepthKind.METRIC or params.invert):
            raise InputError(
                f"{param('depth_kind')} and {param('invert')} are for maps; a network's description says what it gives",
                hint=f'leave them out, and set "gives" and "sign" in the description beside {param("depth_network")}',
            )
        if params.layout and given:
            layouts = ", ".join(param("layout", each) for each in Layout)
            raise InputError(
                "the depth was given twice", hint=f"pass one of: {layouts}, a right view, {param('depth')}"
            )
        if self.depth is not None or self.disparity is not None or params.depth_network is not None:
            refuse_of_pairs(params)
        self._check_use(params)

    def _check_use(self, params: SceneParams) -> None:
        """Refuse parameters of maps and calibrations that were not given. Raises InputError."""
        for name, maps in _OF_MAPS.items():
            if getattr(params, name) != getattr(SceneParams, name) and all(getattr(self, m) is None for m in maps):
                raise InputError(
                    f"{param(name)} says what the numbers of a {' or '.join(maps)} map mean, and there is none",
                    hint=f"add {' or '.join(param(m, 'FILE') for m in maps)}, or leave {param(name)} out",
                )
        if params.cameras and params.calibration is None:
            raise InputError(
                f"{param('cameras')} chooses among the cameras of a calibration, and there is none",
                hint=f"add {param('calibration', 'FILE')}, or leave {param('cameras')} out",
            )

    def _check_alone(self) -> None:
        """Refuse a picture that holds neither a second view nor a depth, and does not look as if it showed two."""
        if is_path(self.image):
            from depthapps.io.photos.describe import describe_contents
            from depthapps.io.photos.pages import number_of_pages
            from depthapps.io.photos.suspect import may_show_twice

            found = describe_contents(self.image)
            if found.has_second_view or found.has_depth:
                return
            data = read_bytes(self.image, "image")
            if (pages := number_of_pages(data)) > 2:
                raise too_many_pages(Path(self.image).name, pages)
            if may_show_twice(data):
                return
            raise only_one_view(Path(self.image).name, found.width, found.height)
        shape = getattr(self.image, "shape", (0, 0))
        raise only_one_view("", shape[1], shape[0])


def refuse_of_pairs(params: SceneParams) -> None:
    """Refuse parameters of two views where there is one. Raises InputError."""
    always = params.rectify is Rectify.ALWAYS
    for name, given in ((param("matcher"), params.matcher is not None), (param("rectify", Rectify.ALWAYS), always)):
        if given:
            raise InputError(f"{name} needs a stereo pair", hint=f"add the right view, or leave {name} out")


def only_one_view(name: str, width: int, height: int, likely: Layout | None = None) -> InputError:
    """The error for a picture without depth; `likely` is how it may hold two views, by what it looks like."""
    if likely is None and width >= 2 * height > 0:
        likely = Layout.SIDE_BY_SIDE
    if likely is None and Path(name).suffix.lower() in MPO_SUFFIXES:
        return InputError(
            f"there is only one view in {name}",
            hint="copy it anew from the camera: programs that edit or send such a file often keep its first view only",
        )
    return InputError(
        f"there is only one view{f', {name},' if name else ''} and no depth for it or in it",
        hint=f"add {param('layout', likely)} if both views are in it"
        if likely
        else f"add the right view, {param('depth', 'FILE')} or {param('disparity', 'FILE')}; "
        f"or {param('depth_network', 'FILE')}, a network that guesses",
    )


def too_many_pages(name: str, pages: int) -> InputError:
    """The error for a file of several pages, of which no two alone are of the largest size."""
    return InputError(
        f"{name} has {pages} pages, and nothing tells which two of them are the views",
        hint="save the page of the left view and that of the right one as a file each, or both as a TIFF of two pages",
    )


def is_path(given: object) -> TypeGuard[PathLike]:
    """Whether a value is a path, and not an array."""
    return isinstance(given, (str, os.PathLike))
