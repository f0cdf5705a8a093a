"""Make a textured mesh, a point cloud or a printable solid of a scene; write it to files."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthapps.apps.journal import JobResult, Journal, Progress
from depthapps.apps.model_facts import Shape, tell_single_view, tell_solid
from depthapps.apps.params import ModelParams, PathLike
from depthapps.core.camera import Camera
from depthapps.core.choices import Axes, Preset
from depthapps.core.errors import InputError, param
from depthapps.core.models import PointCloud, PrintableSolid, TriangleMesh
from depthapps.core.scene import Image, Scene, check_scene
from depthapps.io.formats import TEXTURED_SUFFIXES
from depthapps.io.models.glb import Viewpoint
from depthapps.io.models.write import write_cloud, write_mesh, write_solid
from depthapps.io.outputs import Outputs
from depthapps.mesh.cut import cut_surface, surface_cloud
from depthapps.mesh.lithophane import build_lithophane
from depthapps.mesh.params import WEB, PrintParams
from depthapps.mesh.printing import build_printable_solid
from depthapps.mesh.whole import WholeSurface, whole_cloud, whole_mesh, whole_surface

PAGE_POINTS = 400_000  # of a cloud on a page: 8 MB, which a laptop without a GPU loads in about a second and turns


@dataclass(frozen=True, eq=False, kw_only=True)
class Model(JobResult):
    """A mesh or a point cloud, with the versions of it that textured files and pages show.

    Attributes
    ----------
    shape : TriangleMesh or PointCloud
        In metres, in the camera's axes, or for a scan in the axes of its world.
    camera : Camera
        The camera from which a page looks at the start, and which a .glb holds.
    pose : (4, 4) float64 array
        From that camera's axes to those of `shape`.
    web : bool
        Whether a .glb or .usdz is kept small: at most 5 MB, if its triangles leave room for that.
    cut_out : bool
        Whether parts of its photo are transparent, where there is nothing of the shape.
    make_textured : callable
        Makes the shape for file formats that have a texture; called when the first such file is written.
    make_page : callable
        Makes a shape that a browser can show without a GPU, in the axes of `camera`, and text that says how it differs
        from the model, "" if it does not.
    """

    shape: Shape
    camera: Camera
    pose: NDArray[np.floating] = field(default_factory=lambda: np.eye(4))
    web: bool = False
    cut_out: bool = False
    make_textured: Callable[[], Shape]
    make_page: Callable[[], tuple[Shape, str]]

    def _repr_html_(self) -> str:
        """Show the model in a notebook as a page that turns it."""
        from depthapps.apps.view import framed, make_page

        return framed(make_page(self))

    @property
    def mesh(self) -> TriangleMesh:
        """The shape, where it is a mesh. Raises InputError for a point cloud."""
        if isinstance(self.shape, PointCloud):
            raise InputError("the model is a point cloud, not a mesh", hint=f"leave {param('points')} out")
        return self.shape

    @property
    def cloud(self) -> PointCloud:
        """The shape, where it is a point cloud. Raises InputError for a mesh."""
        if isinstance(self.shape, TriangleMesh):
            raise InputError("the model is a mesh, not a point cloud", hint=f"pass {param('points', True)}")
        return self.shape

    @cached_property
    def textured(self) -> Shape:
        """The shape for file formats that have a texture."""
        return self.make_textured()

    @cached_property
    def for_page(self) -> tuple[Shape, str]:
        """The shape for a page, and text that says how it differs from the model, "" if it does not."""
        return self.make_page()


@dataclass(frozen=True, eq=False, kw_only=True)
class Print(JobResult):
    """A printable solid: `solid` is a watertight body in millimetres that stands on its base."""

    solid: PrintableSolid


def make_model(scene: Scene, params: ModelParams | None = None, *, progress: Progress | None = None) -> Model:
    """Make a textured mesh without holes, or a point cloud of the visible surface, torn at depth edges.

    Parameters
    ----------
    scene : Scene
    params : ModelParams, optional
        What the model is for, and how far it is simplified.
    progress : callable, optional
        Called with every `Note` and `Stage` as they happen.

    Returns
    -------
    Model

    Raises
    ------
    InputError
        No surface is left.

    Notes
    -----
    Every pixel is a vertex. The mesh is torn at depth discontinuities, where two neighbouring depths do not lie on one
    sloping surface. Small islands are left out. Where depth is unknown or its confidence is low, it is completed from
    what is sure around it, and behind depth edges the far surface is continued; `TriangleMesh.made_up` tells where. To
    simplify, edges are collapsed in the order of the quadric error that each adds (Garland and Heckbert 1997), in image
    coordinates and 1/Z, in which every plane of the scene is a plane.
    """
    check_scene(scene)
    params, journal = params or ModelParams(), Journal(progress)
    with journal.stage("meshing"):
        whole = whole_surface(scene, fill=params.fills_holes, turn_deg=params.turn_of(scene))
        loss = None
        if params.points:
            shape = surface_cloud(whole.front)
        elif params.splats:
            shape = whole_cloud(whole)
        else:
            shape, loss = whole_mesh(whole, params.simplified)
    summary = tell_single_view(journal, shape, whole, loss)
    return Model(
        shape=shape,
        camera=scene.camera,
        web=params.preset is Preset.WEB,
        cut_out=scene.empty is not None,
        make_textured=lambda: shape,
        make_page=lambda: _for_page(shape, scene, whole),
        summary="; ".join(summary),
        **journal.told,
    )


def make_print(scene: Scene | Image, params: PrintParams | None = None, *, progress: Progress | None = None) -> Print:
    """Make a closed solid with a base from a scene, or a plate that shows its photo before a lamp, for 3D printing.

    Parameters
    ----------
    scene : Scene or (H, W, 3) array
        For a lithophane a picture is enough, see `Image`, as it needs no depth.
    params : PrintParams, optional
        The longest side in millimetres, the most triangles of the front, and which of the two.
    progress : callable, optional
        Called with every `Note` and `Stage` as they happen.

    Returns
    -------
    Print

    Raises
    ------
    InputError
        No surface is left, or that size is too small to print it.
    """
    journal = Journal(progress)
    if params is not None and params.lithophane:
        with journal.stage("meshing"):
            plate = build_lithophane(scene.image if isinstance(scene, Scene) else scene, params)
        return Print(solid=plate, summary=tell_solid(journal, plate, "thin where it is bright"), **journal.told)
    check_scene(scene)
    assert isinstance(scene, Scene)
    with journal.stage("meshing"):
        solid = build_printable_solid(scene, params)
    journal.add(holes="fill")
    summary = f"{tell_solid(journal, solid)}; holes closed by what is behind them"
    return Print(solid=solid, summary=summary, **journal.told)


def write_model(
    paths: PathLike | Sequence[PathLike],
    model: Model | Print,
    *,
    axes: Axes | None = None,
    outputs: Outputs | None = None,
) -> None:
    """Write a model or a print to files, each in the format of its suffix.

    Parameters
    ----------
    paths : path or sequence of paths
        .glb, .usdz, .obj, .ply, .stl for meshes; .glb, .ply for point clouds; .stl, .3mf for prints.
    model : Model or Print
    axes : Axes, optional
        Where Y and Z point; None takes what programs expect of each format.
    outputs : Outputs, optional
        The group of files that these belong to; all are written or none. None replaces files that exist.

    Raises
    ------
    OutputError
        A file cannot be written, or its format cannot hold the model.
    InputError
        `model` is neither.
    """
    if not isinstance(model, Model | Print):
        raise InputError(f"a Model is wanted, {type(model).__name__} was given", hint="make_model makes one")
    paths = [Path(p) for p in ([paths] if isinstance(paths, (str, os.PathLike)) else paths)]
    if outputs is None:
        with Outputs([], overwrite=True) as group:
            return write_model(paths, model, axes=axes, outputs=group)
    for path in paths:
        if isinstance(model, Print):
            write_solid(path, model.solid, outputs=outputs)
            continue
        shape = model.textured if path.suffix.lower() in TEXTURED_SUFFIXES else model.shape
        viewpoint = Viewpoint(model.camera, model.pose)
        if isinstance(shape, PointCloud):
            write_cloud(path, shape, axes=axes, viewpoint=viewpoint, outputs=outputs)
        else:
            write_mesh(path, shape, axes=axes, web=model.web, viewpoint=viewpoint, outputs=outputs)
    return None


def _for_page(shape: Shape, scene: Scene, whole: WholeSurface) -> tuple[Shape, str]:
    """Make the shape for a page, with the web preset's triangles or fewer points, and say how it differs."""
    if isinstance(shape, PointCloud):
        stride = math.ceil(math.sqrt(whole.front.depth_m.size / PAGE_POINTS))
        if stride == 1:
            return shape, ""
        return surface_cloud(cut_surface(scene, stride)), f"shows one of {stride}x{stride} pixels"
    if len(shape.triangles) <= (WEB.max_triangles or 0):
        return shape, ""
    return whole_mesh(whole, WEB)[0], f"shows the model as {param('preset', Preset.WEB)} makes it"
