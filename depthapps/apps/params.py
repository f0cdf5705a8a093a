"""Parameters of the jobs: how a scene is opened, and what a model is made for.

The parameters of bokeh, shadows and meshes are defined beside these. This module does not import numpy, because the
command line's help reads the defaults from here and must start fast.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from depthapps.core.choices import DepthKind, Frame, Holes, Layout, Preset, Quality, Rectify, StereoStyle, chosen
from depthapps.core.errors import CalibrationError, InputError, param
from depthapps.mesh.params import WEB, PrintParams, SimplifyParams

if TYPE_CHECKING:
    from depthapps.core.camera import Calibration, StereoRig
    from depthapps.core.scene import Scene
    from depthapps.engine.depth_network import DepthNetwork
    from depthapps.engine.network import StereoNetwork
    from depthapps.io.calibration.file import CalibrationFile

_KINDS_WITH_ENDS = (DepthKind.AFFINE_INVERSE, DepthKind.AFFINE, DepthKind.REVERSED_Z)
PathLike = str | os.PathLike[str]
TURN_DEG = 15.0  # about what the second photo of a pair shows of what is behind things, and what a slow pan takes
SMALLEST_VIEW = 64  # pixels: an icon
QUILT = 8, 6  # columns and rows, which Looking Glass displays of all sizes take
_QUILT_SIDE = 4096  # pixels of a quilt, a texture that every display takes
_ANIMATION_SIDE = {".gif": 800, ".webp": 1200, ".mp4": 1920}  # pixels: a few MB of a GIF; a web page; a screen
# What players of stereo pictures take from the end of a name; iw3 writes the same.
_NAMES = {
    StereoStyle.SIDE_BY_SIDE: "_LRF_Full_SBS",
    StereoStyle.HALF_SIDE_BY_SIDE: "_LR",
    StereoStyle.TOP_BOTTOM: "_TBF_fulltb",
    StereoStyle.HALF_TOP_BOTTOM: "_TB",
    StereoStyle.CROSS_EYED: "_RLF_cross",
    StereoStyle.ANAGLYPH: "_redcyan",
}


@dataclass(frozen=True, eq=False)
class SceneParams:
    """How photos and maps become a scene.

    Attributes
    ----------
    layout : Layout, optional
        How the picture holds both views: beside or above each other, or as an anaglyph; None if it holds one view.
    squeezed : bool
        With `layout`: each view was made half as wide, or half as high, to fit into the picture.
    cross_eyed : bool
        With `layout`: the right view is on the left side, or on top.
    depth_kind : DepthKind
        What the numbers of a depth map mean.
    depth_scale : float, optional
        Units per metre in depth maps; None takes 1000 for whole numbers and 1 for floats.
    disparity_scale : float, optional
        Units per pixel in disparity maps; None takes 256 for 16 bits, 16 for int16, and 1 for floats.
    invert : bool
        The map's numbers run the other way than `depth_kind` says, or a disparity map's are smaller where it is nearer:
        what is left to the largest whole number, or the negative of a float.
    near_m, far_m : float, optional
        The depths of the two ends of an affine map; the near and the far plane of a z-buffer, whose far plane is
        infinitely far if none is given.
    calibration : path, sequence of two paths, Calibration, StereoRig or CalibrationFile, optional
        The cameras. It replaces what the photo's own file says; the four values below replace what it says.
    cameras : pair of str
        The names that the left and the right camera have in a calibration of more than two.
    focal_px, fov_deg : float, optional
        The focal length in pixels, or the horizontal field of view in degrees; one of them at most.
    baseline_m : float, optional
        The distance between the two lenses in metres.
    doffs_px : float, optional
        The negative of the disparity at infinity, in pixels: cx_right − cx_left.
    rectify : Rectify
        Whether two views are first rectified, so that a point lies on the same row in both.
    frame : Frame
        The pixel grid of the scene if the views were rectified.
    matcher : path or StereoNetwork, optional
        Your own stereo network: FILE.onnx with FILE.json beside it; None for the built-in matcher.
    depth_network : path or DepthNetwork, optional
        Your own network that guesses the depth of one photo: FILE.onnx with FILE.json beside it.
    quality : Quality
        How much time matching may take.
    """

    layout: Layout | None = None
    squeezed: bool = False
    cross_eyed: bool = False
    depth_kind: DepthKind = DepthKind.METRIC
    depth_scale: float | None = None
    disparity_scale: float | None = None
    invert: bool = False
    near_m: float | None = None
    far_m: float | None = None
    calibration: PathLike | Sequence[PathLike] | Calibration | StereoRig | CalibrationFile | None = None
    cameras: tuple[str, ...] = ()
    focal_px: float | None = None
    fov_deg: float | None = None
    baseline_m: float | None = None
    doffs_px: float | None = None
    rectify: Rectify = Rectify.AUTO
    frame: Frame = Frame.ORIGINAL
    matcher: PathLike | StereoNetwork | None = None
    depth_network: PathLike | DepthNetwork | None = None
    quality: Quality = Quality.BALANCED

    def __post_init__(self) -> None:
        """Turn words into choices, and refuse parameters that contradict each other."""
        for name, kind in (
            ("depth_kind", DepthKind), ("rectify", Rectify), ("frame", Frame), ("quality", Quality), ("layout", Layout),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, chosen(kind, value, name))
        self._check_ends()
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

    def _check_ends(self) -> None:
        """Refuse ends of a depth map whose kind has none, and ends that are none."""
        ends = {name: v for name in ("near_m", "far_m") if (v := getattr(self, name)) is not None}
        if ends and self.depth_kind not in _KINDS_WITH_ENDS and self.depth_network is None:
            kinds = ", ".join(param("depth_kind", kind) for kind in _KINDS_WITH_ENDS)
            raise InputError(
                f"{' and '.join(map(param, ends))} belong to maps without a scale of their own",
                hint=f"add one of {kinds}, or leave them out",
            )
        if not all(0 < v < math.inf for v in ends.values()) or not (self.near_m or 0) < (self.far_m or math.inf):
            raise InputError(
                f"depths between {' and '.join(f'{v:g}' for v in ends.values())} m were given for the ends of a map",
                hint=f"{param('near_m')} is positive and smaller than {param('far_m')}",
            )


@dataclass(frozen=True)
class ModelParams:
    """What a mesh or a point cloud is for, and how far it is simplified.

    Attributes
    ----------
    preset : Preset
        FULL keeps one vertex a pixel; WEB keeps 80 000 triangles, and files of at most 5 MB.
    points : bool
        Make a point cloud instead of a mesh.
    max_triangles : int, optional
        Simplify to this many triangles; replaces the preset's number.
    max_error_pct : float, optional
        The largest error of depth, in percent of it; the mesh is simplified as far as that allows.
    holes : Holes, optional
        FILL completes depth that is unknown or unsure, and continues surfaces behind depth edges; KEEP leaves holes.
        None fills meshes; a point cloud holds what was measured, and is never filled.
    turn_deg : float, optional
        How far the model can be turned, in degrees from 0 to 45, before gaps open behind depth edges that were filled.
        None takes TURN_DEG if the scene has a second photo, and 0 otherwise: what is behind things is then a guess.
    """

    preset: Preset = Preset.FULL
    points: bool = False
    max_triangles: int | None = None
    max_error_pct: float | None = None
    holes: Holes | None = None
    turn_deg: float | None = None

    def __post_init__(self) -> None:
        """Refuse parameters that contradict each other."""
        object.__setattr__(self, "preset", chosen(Preset, self.preset, "preset"))
        self._check_holes()
        if self.preset is Preset.PRINT:
            raise InputError("a print is no mesh", hint="make_print makes one")
        if self.max_triangles is not None and self.max_triangles < 1:
            raise InputError("a mesh of no triangles was asked for", hint=f"change {param('max_triangles')}")
        limits = (self.max_triangles, self.max_error_pct)
        if self.points and (self.preset is not Preset.FULL or limits != (None, None)):
            raise InputError(
                "a point cloud has no triangles",
                hint=f"leave {param('preset')}, {param('max_triangles')} and {param('max_error_pct')} out",
            )

    def _check_holes(self) -> None:
        """Refuse holes to be filled where none can be, and a turn that no picture has enough around itself for."""
        if self.holes is not None:
            object.__setattr__(self, "holes", chosen(Holes, self.holes, "holes"))
        if self.points and (self.holes is Holes.FILL or self.turn_deg):
            raise InputError(
                "a point cloud holds what was measured, and no holes of it are filled",
                hint=f"leave {param('holes')} and {param('turn_deg')} out",
            )
        if self.turn_deg is not None and not 0 <= self.turn_deg <= 45:
            raise InputError(
                f"a turn of {self.turn_deg:g} degrees was asked for",
                hint=f"{param('turn_deg')} lies between 0 and 45",
            )
        if self.turn_deg and self.holes is Holes.KEEP:
            raise InputError(
                f"{param('turn_deg')} tells what is filled, and holes are to be kept",
                hint=f"leave {param('turn_deg')} or {param('holes')} out",
            )

    @property
    def fills_holes(self) -> bool:
        """Whether holes are filled."""
        return self.holes is Holes.FILL or (self.holes is None and not self.points)

    def turn_of(self, scene: Scene) -> float:
        """How far surfaces of a scene are continued behind depth edges, as degrees of a turn."""
        if self.turn_deg is None:
            return TURN_DEG if scene.second is not None else 0.0
        return self.turn_deg

    @property
    def simplified(self) -> SimplifyParams:
        """The limits given here, completed by those of the preset."""
        preset = WEB if self.preset is Preset.WEB else SimplifyParams()
        return SimplifyParams(self.max_triangles or preset.max_triangles, self.max_error_pct)


def print_params(size_mm: float | None, max_triangles: int | None, relief: float | None = None) -> PrintParams:
    """Parameters of a print: longest side in millimetres, most triangles, share of depth; None takes the default."""
    given = {"size_mm": size_mm, "max_triangles": max_triangles, "relief": relief}
    return replace(PrintParams(), **{name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True)
class View3DParams:
    """How a scene is shown to both eyes.

    Attributes
    ----------
    style : StereoStyle
        How one picture shows both views; other files than pictures have a form of their own.
    convergence_m : float, optional
        The depth, in metres, that lies in the plane of the screen.
    convergence_px : pair of float, optional
        The pixel of the left view whose depth lies there. None for both: what is nearest at the left and right border,
        so that the frame cuts nothing that stands before it.
    view_size_px : int, optional
        The longest side of a view in pixels, 64 or more; views are never enlarged. None keeps their size;
        `usual_view_size` tells what is usual for a file.
    swap : bool
        Exchange the eyes.
    views : int
        The views in which an animation goes from left to right, 2 or more; 2 are the photos themselves.
    """

    style: StereoStyle = StereoStyle.SIDE_BY_SIDE
    convergence_m: float | None = None
    convergence_px: tuple[float, float] | None = None
    view_size_px: int | None = None
    swap: bool = False
    views: int = 2

    def of_smaller(self, times: int) -> View3DParams:
        """The same parameters for a scene whose sides are `times` shorter."""
        at = self.convergence_px
        return self if at is None else replace(self, convergence_px=tuple((v + 0.5) / times - 0.5 for v in at))

    def __post_init__(self) -> None:
        """Turn words into choices, and refuse numbers that show nothing."""
        object.__setattr__(self, "style", chosen(StereoStyle, self.style, "style"))
        if self.convergence_m is not None and self.convergence_px is not None:
            raise InputError("the convergence was given twice", hint="give a depth or a pixel")
        if self.convergence_m is not None and not self.convergence_m > 0:
            raise InputError(
                f"a depth of {self.convergence_m:g} m is not before the camera", hint="give metres above 0"
            )
        if self.view_size_px is not None and self.view_size_px < SMALLEST_VIEW:
            raise InputError(f"a view of {self.view_size_px} px shows nothing", hint=f"give {SMALLEST_VIEW} or more")
        if self.views < 2:
            raise InputError("one view does not move", hint=f"give 2 or more as {param('views')}")


def usual_view_size(suffix: str, style: StereoStyle) -> int | None:
    """The longest side of a view in pixels that is usual in files of a suffix; None for the view's own."""
    if suffix.lower() in _ANIMATION_SIDE:
        return _ANIMATION_SIDE[suffix.lower()]
    return _QUILT_SIDE // max(QUILT) if style is StereoStyle.QUILT else None


def player_name(name: str, style: StereoStyle, aspect: float = 1.0) -> str:
    """A file's name without suffix that tells a player its style. aspect: width over height of a view, for quilts."""
    if style is StereoStyle.QUILT:
        return f"{name}_qs{QUILT[0]}x{QUILT[1]}a{aspect:.2f}"
    return name + _NAMES.get(style, f"_{style}")
