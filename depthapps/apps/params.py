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

from depthapps.core.choices import DepthKind, Frame, Holes, Layout, Preset, Quality, Rectify, chosen
from depthapps.core.errors import CalibrationError, InputError, param
from depthapps.core.rig_limits import ASSUMED_BASELINE_M, check_focal, check_fov, check_rig
from depthapps.io.formats import check_depth_scale
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
    matched_side_px : int, optional
        Where a coarse depth is enough: the longest side, in pixels, of the copies of the two views that are matched.
        The scene keeps its size. None matches the views themselves.
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
    matched_side_px: int | None = None

    def __post_init__(self) -> None:
        """Turn words into choices, and refuse parameters that contradict each other."""
        for name, kind in (
            ("depth_kind", DepthKind), ("rectify", Rectify), ("frame", Frame), ("quality", Quality), ("layout", Layout),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, chosen(kind, value, name))
        self._check_ends()
        check_depth_scale(self.depth_scale)
        if self.matched_side_px is not None and not 1 <= self.matched_side_px < math.inf:
            raise InputError(
                f"copies of {self.matched_side_px:g} px were to be matched, their longest side must be positive",
                hint="change matched_side_px, or leave it out to match the views themselves",
            )
        if self.focal_px is not None and self.fov_deg is not None:
            raise CalibrationError(
                "the focal length was given twice", hint=f"pass either {param('focal_px')} or {param('fov_deg')}"
            )
        if self.focal_px is not None:
            check_focal(self.focal_px, self.focal_px)
        if self.fov_deg is not None:
            check_fov(self.fov_deg)
        check_rig(ASSUMED_BASELINE_M if self.baseline_m is None else self.baseline_m, self.doffs_px or 0)
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
                f"ends of the range, as {' and '.join(map(param, ends))}, belong to maps without a scale of their own",
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
    splats : bool
        Make the points of Gaussian splats: a cloud of all surfaces, with those behind depth edges.
    max_triangles : int, optional
        Simplify to this many triangles; replaces the preset's number.
    max_error_pct : float, optional
        The largest error of depth, in percent of it; the mesh is simplified as far as that allows.
    holes : Holes, optional
        FILL completes depth that is unknown or unsure, and continues surfaces behind depth edges; KEEP leaves holes.
        None fills meshes and splats; a point cloud holds what was measured, and is never filled.
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
    splats: bool = False

    def __post_init__(self) -> None:
        """Refuse parameters that contradict each other."""
        object.__setattr__(self, "preset", chosen(Preset, self.preset, "preset"))
        self._check_holes()
        if self.preset in {Preset.PRINT, Preset.LITHOPHANE}:
            raise InputError("a print is no mesh", hint="make_print makes one")
        if self.max_triangles is not None and not 1 <= self.max_triangles < math.inf:
            found = f"{self.max_triangles:g}" if self.max_triangles else "no"
            raise InputError(f"a mesh of {found} triangles was asked for", hint=f"change {param('max_triangles')}")
        SimplifyParams(max_error_pct=self.max_error_pct)  # refuses what no error can be
        limits = (self.max_triangles, self.max_error_pct)
        if self.points and self.splats:
            raise InputError("a cloud is of points or of splats", hint=f"leave {param('points')} out")
        if (self.points or self.splats) and (self.preset is not Preset.FULL or limits != (None, None)):
            raise InputError(
                f"{'splats have' if self.splats else 'a point cloud has'} no triangles",
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


def print_params(
    size_mm: float | None, max_triangles: int | None, relief: float | None = None, *, lithophane: bool = False
) -> PrintParams:
    """Parameters of a print: longest side in millimetres, most triangles, share of depth; None takes the default."""
    given = {"size_mm": size_mm, "max_triangles": max_triangles, "relief": relief}
    known = {name: value for name, value in given.items() if value is not None}
    return replace(PrintParams(), **known, lithophane=lithophane)
