"""What the jobs depend on, beyond what each renderer's own parameters say; free of numpy, as the command line's
help reads its defaults here."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from depthapps.core.choices import DepthKind, Frame, Layout, Preset, Quality, Rectify
from depthapps.core.errors import CalibrationError, InputError, param
from depthapps.io.formats import DEPTH_PNG_SCALE
from depthapps.mesh.params import WEB, PrintParams, SimplifyParams

if TYPE_CHECKING:
    from depthapps.core.camera import Calibration, StereoRig
    from depthapps.engine.network import StereoNetwork

Word = TypeVar("Word", bound=StrEnum)
PathLike = str | os.PathLike[str]


@dataclass(frozen=True, eq=False)
class SceneParams:
    """How photos and maps become a scene.

    Attributes
    ----------
    layout : Layout, optional
        The picture holds both views, side by side or one above the other.
    squeezed : bool
        With `layout`: each view was made half as wide, or half as high, to fit.
    cross_eyed : bool
        With `layout`: the right view comes first.
    depth_kind : DepthKind
        What the numbers of a depth map are.
    depth_scale : float
        Units a metre of whole numbers in depth maps.
    calibration : path, sequence of two paths, Calibration or StereoRig, optional
        The cameras. It comes before what the photo's own file says, and after the values given here by hand.
    focal_px, fov_deg : float, optional
        The focal length in pixels, or the horizontal field of view in degrees; one of them at most.
    baseline_m : float, optional
        The distance of the two lenses, in metres.
    doffs_px : float, optional
        The disparity of infinity, negated: cx_right − cx_left, in pixels.
    rectify : Rectify
        Whether two views are brought onto common rows first.
    frame : Frame
        Whose pixels the scene has once they were.
    matcher : path or StereoNetwork, optional
        A stereo network of one's own: FILE.onnx, with FILE.json beside it; None for the engine.
    quality : Quality
        How much time matching may take.
    """

    layout: Layout | None = None
    squeezed: bool = False
    cross_eyed: bool = False
    depth_kind: DepthKind = DepthKind.METRIC
    depth_scale: float = DEPTH_PNG_SCALE
    calibration: PathLike | Sequence[PathLike] | Calibration | StereoRig | None = None
    focal_px: float | None = None
    fov_deg: float | None = None
    baseline_m: float | None = None
    doffs_px: float | None = None
    rectify: Rectify = Rectify.AUTO
    frame: Frame = Frame.ORIGINAL
    matcher: PathLike | StereoNetwork | None = None
    quality: Quality = Quality.BALANCED

    def __post_init__(self) -> None:
        """Take words for choices, and refuse what contradicts itself."""
        for name, kind in (
            ("depth_kind", DepthKind), ("rectify", Rectify), ("frame", Frame), ("quality", Quality), ("layout", Layout),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, chosen(kind, value, name))
        if self.focal_px is not None and self.fov_deg is not None:
            raise CalibrationError(
                "the focal length was given twice", hint=f"pass either {param('focal_px')} or {param('fov_deg')}"
            )
        if (self.squeezed or self.cross_eyed) and self.layout is None:
            name = "squeezed" if self.squeezed else "cross_eyed"
            raise InputError(
                f"{param(name)} says how views share a picture",
                hint=f"add {param('layout', Layout.SIDE_BY_SIDE)} or {param('layout', Layout.TOP_BOTTOM)}",
            )


def chosen(kind: type[Word], value: str, name: str) -> Word:
    """One of the values of an enumeration of words, by the word. Raises InputError for any other."""
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(kind)
        raise InputError(f"{value!r} is no {name.replace('_', ' ')}", hint=f"it may be {known}") from None


@dataclass(frozen=True)
class ModelParams:
    """What a mesh or a point cloud is made for, and how far it is simplified.

    Attributes
    ----------
    preset : Preset
        FULL keeps a vertex a pixel; WEB keeps 80 000 triangles, and files of at most 5 MB.
    points : bool
        A point cloud instead of a surface.
    max_triangles : int, optional
        Simplify to so many triangles; comes before the preset's number.
    max_error_pct : float, optional
        Simplify while depth stays right to so many percent of itself.
    """

    preset: Preset = Preset.FULL
    points: bool = False
    max_triangles: int | None = None
    max_error_pct: float | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        object.__setattr__(self, "preset", chosen(Preset, self.preset, "preset"))
        if self.preset is Preset.PRINT:
            raise InputError("a print is no mesh", hint="make_print makes one")
        limits = (self.max_triangles, self.max_error_pct)
        if self.points and (self.preset is not Preset.FULL or limits != (None, None)):
            raise InputError(
                "a point cloud has no triangles",
                hint=f"leave {param('preset')}, {param('max_triangles')} and {param('max_error_pct')} out",
            )

    @property
    def simplified(self) -> SimplifyParams:
        """The limits given by hand, beside those of the preset."""
        preset = WEB if self.preset is Preset.WEB else SimplifyParams()
        return SimplifyParams(self.max_triangles or preset.max_triangles, self.max_error_pct)


def print_params(size_mm: float | None, max_triangles: int | None) -> PrintParams:
    """What a print shall be: its longest side in millimetres and its triangles, None for the usual ones."""
    given = {"size_mm": size_mm, "max_triangles": max_triangles}
    return replace(PrintParams(), **{name: value for name, value in given.items() if value is not None})
