"""Scan a scene: fuse the many views of it in a folder into one model or one printable solid."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthapps.apps.journal import JobResult, Journal, Progress
from depthapps.apps.model import PAGE_POINTS, Model, Print
from depthapps.apps.model_facts import LEAST_TOLD, Shape, tell_shape, tell_solid
from depthapps.apps.params import ModelParams, PathLike, SceneParams
from depthapps.apps.sequence_scenes import SequenceScenes
from depthapps.core.choices import DepthKind, Preset
from depthapps.core.errors import InputError, param
from depthapps.core.models import PointCloud, TriangleMesh
from depthapps.io.scratch import temporary_folder
from depthapps.io.sequences import Sequence, read_sequence
from depthapps.mesh.params import WEB, PrintParams
from depthapps.scan.atlas import textured
from depthapps.scan.fuse import Fused, distances_m, fuse_views, simplify_mesh
from depthapps.scan.holes import close_small_holes
from depthapps.scan.paint import PlacedView
from depthapps.scan.params import FuseParams
from depthapps.scan.register import estimate_poses, trajectory_errors
from depthapps.scan.shell import build_shell

# How far, in metres, the middle of the views may be from the origin of their poses before that is moved. Surfaces are
# kept and written in float32. Its steps are 0.06 mm at a kilometre, an eighth of the smallest voxel, and 0.25 m in UTM.
FARTHEST_M = 1000.0
# Parameters of the two views of a pair, and of their disparity; frames with a depth have no use for them.
_OF_PAIRS = ("matcher", "cameras", "baseline_m", "doffs_px", "disparity_scale", "rectify", "frame")
ERROR_SAMPLES = 50_000  # vertices of the full mesh at which the error of a simplified one is measured
Pose = NDArray[np.floating]  # (4, 4) camera to world


@dataclass(frozen=True, eq=False, kw_only=True)
class Scan(JobResult):
    """Many views fused into one surface.

    Attributes
    ----------
    fused : Fused
        The surface in world axes, and the views that its colours come from.
    poses : tuple of (4, 4) float64 arrays
        The pose of each view, camera to world; None for views that could not be registered to the others.
    origin_m : (3,) float64 array
        Where the origin of these world axes lies in those of the poses that were read or found. It is 0 unless these
        are kilometres away from 0, as in UTM coordinates; then it is in the midst of the views, at whole metres.
    """

    fused: Fused
    poses: tuple[Pose | None, ...]
    origin_m: NDArray[np.floating]


def scan_folder(
    folder: PathLike,
    params: FuseParams | None = None,
    scene_params: SceneParams | None = None,
    *,
    find_poses: bool = False,
    progress: Progress | None = None,
) -> Scan:
    """Fuse the views in a folder: RGB-D frames or stereo pairs, with or without their poses.

    Parameters
    ----------
    folder : path
        In the layout of 7-Scenes, TUM RGB-D or Open3D, or pairs in left/ and right/ or NAME_left and NAME_right.
    params : FuseParams, optional
        The size of the voxels that views are fused in, and the depth beyond which pixels are left out.
    scene_params : SceneParams, optional
        Calibration, depth scale and matching of each view.
    find_poses : bool
        Estimate the poses from the views, even if the folder holds them.
    progress : callable, optional
        Called with every `Note` and `Stage` as they happen.

    Returns
    -------
    Scan

    Raises
    ------
    InputError
        The folder is no sequence, or its views make no common surface.

    Notes
    -----
    Poses are estimated from matched features with RANSAC, refined by coloured ICP (Park, Zhou and Koltun 2017), and
    optimised in a pose graph that can reject wrong loop closures (Choi, Zhou and Koltun 2015). The views are fused in a
    truncated signed distance field (Curless and Levoy 1996). If the poses lie kilometres away from 0, the origin is
    moved into their midst, and a note tells where it is; see `Scan.origin_m`.
    """
    scene_params, journal = scene_params or SceneParams(), Journal(progress)
    sequence = _opened(folder, scene_params, journal)
    poses: tuple[Pose | None, ...] = tuple(view.pose for view in sequence.views)
    find_poses, summary = find_poses or poses[0] is None, ""
    with temporary_folder() as folder_of_scenes:
        scenes = SequenceScenes(sequence, scene_params, journal, folder_of_scenes if find_poses else None)
        if find_poses:
            poses, summary = _found_poses(sequence, scenes, journal)
        poses, origin_m = _near_zero(poses)
        placed = {k: pose for k, pose in enumerate(poses) if pose is not None}
        fused = fuse_views(((scene, placed[k]) for k, scene in scenes.of(list(placed), "fusing")), params)
    _tell_fused(journal, fused, len(placed.keys() | scenes.empty), origin_m)
    return Scan(fused=fused, poses=poses, origin_m=origin_m, summary=summary, **journal.told)


def _tell_fused(journal: Journal, fused: Fused, placed: int, origin_m: NDArray[np.floating]) -> None:
    """Tell what was changed while `placed` views were fused: the origin, views that were left out, pictures."""
    if origin_m.any():
        journal.add(origin_m=origin_m.tolist())
        at = ", ".join(f"{v:.0f}" for v in origin_m)
        journal.note(
            f"the poses lie so far from 0 that files would lose millimetres: the model's 0 is at {at} m in their axes"
        )
    if fused.views < placed:
        journal.note(f"{placed - fused.views} of {placed} views have no depth to fuse and are left out")
    if fused.color_camera:
        journal.add(color_camera={k: round(v, 4) for k, v in asdict(fused.color_camera).items()})
        journal.note(
            "the pictures did not lie on their depth; their colours told where they belong, and they were moved"
        )


def model_of_scan(scan: Scan, params: ModelParams | None = None, *, progress: Progress | None = None) -> Model:
    """Make the mesh or the point cloud of a scan, with a texture made of the views' pictures.

    Parameters
    ----------
    scan : Scan
    params : ModelParams, optional
        What the model is for, and how far it is simplified; `max_error_pct` has to be None.
    progress : callable, optional
        Called with every `Note` and `Stage` as they happen.

    Returns
    -------
    Model

    Notes
    -----
    Each triangle shows a piece of the photo that sees it best, and neighbouring triangles take the same photo where
    they can (Waechter et al. 2014). Colour steps that are left at seams between two photos are spread into both.
    """
    params, journal, fused = params or ModelParams(), Journal(progress), scan.fused
    if params.max_error_pct is not None:
        raise InputError("a scan is simplified by its triangles", hint=f"leave {param('max_error_pct')} out")
    if params.turn_deg:
        raise InputError("a scan has no picture to be turned from", hint=f"leave {param('turn_deg')} out")
    with journal.stage("meshing"):
        limit = params.simplified.max_triangles
        mesh = close_small_holes(fused.mesh, fused.voxel_m) if params.fills_holes else fused.mesh
        closed = len(mesh.vertices) - len(fused.mesh.vertices)  # a hole takes one new vertex
        mesh = mesh if limit is None else simplify_mesh(mesh, limit)
    shape = PointCloud(mesh.vertices, mesh.colors, mesh.normals) if params.points else mesh
    journal.add(holes="fill" if params.fills_holes else "keep", holes_closed=closed)
    summary = _tell_scan(journal, shape, fused)
    if closed:
        summary.append(f"{closed:,} small holes closed")

    @cache
    def photographed() -> Shape:
        """Add the texture; it doubles vertices at seams between photos."""
        return shape if isinstance(shape, PointCloud) else textured(shape, fused.seen_by, fused.voxel_m)

    return Model(
        shape=shape,
        camera=fused.seen_by[0].camera,  # a page looks from there
        pose=np.linalg.inv(fused.seen_by[0].to_camera),
        web=params.preset is Preset.WEB,
        make_textured=photographed,
        make_page=lambda: (_seen_from(_for_page(shape, photographed, fused), fused.seen_by[0]), ""),
        summary="; ".join([*summary, *([scan.summary] if scan.summary else [])]),
        **journal.told,
    )


def print_of_scan(scan: Scan, params: PrintParams | None = None, *, progress: Progress | None = None) -> Print:
    """Make a closed shell of a scan's surface that stands on a plate, for 3D printing.

    Parameters
    ----------
    scan : Scan
    params : PrintParams, optional
        The longest side in millimetres, and the most triangles.
    progress : callable, optional
        Called with every `Note` and `Stage` as they happen.

    Returns
    -------
    Print
    """
    journal = Journal(progress)
    first = next(pose for pose in scan.poses if pose is not None)
    with journal.stage("meshing"):
        solid = build_shell(scan.fused.mesh, -first[:3, 1], params)  # the first camera's Y points down
    summary = [tell_solid(journal, solid), *([scan.summary] if scan.summary else [])]
    return Print(solid=solid, summary="; ".join(summary), **journal.told)


def _opened(folder: PathLike, params: SceneParams, journal: Journal) -> Sequence:
    """Read a folder of views, refuse parameters that its views have no use for, and tell which views are left out."""
    if params.depth_kind is not DepthKind.METRIC:
        raise InputError("the depth of a sequence is metric", hint=f"leave {param('depth_kind')} out")
    if params.depth_network is not None:
        raise InputError("the views of a sequence have depths or pairs", hint=f"leave {param('depth_network')} out")
    sequence = read_sequence(Path(folder))
    # the cameras of a calibration are needed to choose the one of the pictures
    no_use = [name for name in _OF_PAIRS if name != "cameras" or params.calibration is None]
    if sequence.views[0].depth and any(getattr(params, name) != getattr(SceneParams, name) for name in no_use):
        names = ", ".join(map(param, no_use))
        raise InputError(f"a sequence of RGB-D frames takes none of {names}", hint="leave them out")
    used = len(sequence.views)
    journal.add(sequence={"folder": str(folder), "layout": sequence.kind, "views": used})
    if sequence.left_out:
        whole = used + sum(sequence.left_out.values())
        lacks = ", ".join(f"{count} without {what}" for what, count in sequence.left_out.items())
        journal.note(f"{used} of {whole} views are used: {lacks}")
    return sequence


def _near_zero(poses: tuple[Pose | None, ...]) -> tuple[tuple[Pose | None, ...], NDArray[np.floating]]:
    """Move the origin of poses into their midst if that is farther than FARTHEST_M; also return where it lies."""
    places = np.sort([pose[:3, 3] for pose in poses if pose is not None], axis=0)
    if not len(places) or np.abs(middle := places[len(places) // 2]).max() <= FARTHEST_M:
        return poses, np.zeros(3)
    origin, shift = np.rint(middle), np.eye(4)
    shift[:3, 3] = -origin
    return tuple(None if pose is None else shift @ pose for pose in poses), origin


def _found_poses(sequence: Sequence, scenes: SequenceScenes, journal: Journal) -> tuple[tuple[Pose | None, ...], str]:
    """Estimate the poses of the views, and describe the result in words."""
    every = range(len(sequence.views))
    found = estimate_poses(scene for _, scene in scenes.of(list(every), "registering"))
    of_known = iter(found.poses)
    poses = tuple(None if k in scenes.empty else next(of_known) for k in every)
    lost = sum(pose is None for pose in found.poses)
    journal.add(
        trajectory=[None if p is None else np.round(p, 6).tolist() for p in poses],
        loop_closures=found.closures,
        drift_m=round(found.drift_m, 4),
        views_lost=lost,
    )
    if lost:
        journal.note(f"{lost} of {len(found.poses)} views could not be tied to the others and are left out")
    told = f"poses found, {found.closures} loop closures took out {found.drift_m:.2g} m of drift"
    off_m = trajectory_errors(poses, (view.pose for view in sequence.views))
    if off_m.size:
        rms, largest = float(np.sqrt(np.mean(off_m**2))), float(off_m.max())
        journal.add(trajectory_error_m={"rms": round(rms, 4), "largest": round(largest, 4)})
        told += f"; {rms:.2g} m rms and {largest:.2g} m at most from the folder's own poses"
    return poses, told


def _for_page(shape: Shape, photographed: Callable[[], Shape], fused: Fused) -> Shape:
    """Reduce a scan to what a browser can show without a GPU."""
    if isinstance(shape, PointCloud):
        every = math.ceil(len(shape.points) / PAGE_POINTS)
        return PointCloud(shape.points[::every], shape.colors[::every], shape.normals[::every])
    limit = WEB.max_triangles or 0
    if len(shape.triangles) <= limit:
        return photographed()
    return textured(simplify_mesh(shape, limit), fused.seen_by, fused.voxel_m)


def _seen_from(shape: Shape, view: PlacedView) -> Shape:
    """Transform a mesh or a cloud from world axes into the axes of a view's camera."""
    turn, shift = view.to_camera[:3, :3].astype(np.float32), view.to_camera[:3, 3].astype(np.float32)
    if isinstance(shape, PointCloud):
        return replace(shape, points=shape.points @ turn.T + shift, normals=shape.normals @ turn.T)
    return replace(shape, vertices=shape.vertices @ turn.T + shift, normals=shape.normals @ turn.T)


def _tell_scan(journal: Journal, shape: Shape, fused: Fused) -> list[str]:
    """Describe a scan in the parts of one line, and record its facts in the journal."""
    journal.add(voxel_m=fused.voxel_m, views_fused=fused.views, specks=round(fused.specks, 5))
    use, reasons = fused.use, {name: getattr(fused.use, name) for name in ("unknown", "doubtful", "far", "torn")}
    told = tell_shape(journal, shape, use.kept, reasons, use.confidence)
    told.append(f"{fused.views} views in voxels of {1000 * fused.voxel_m:.2g} mm")
    if fused.specks >= LEAST_TOLD:
        told.append(f"{100 * fused.specks:.1f} % of the triangles were specks")
    if isinstance(shape, TriangleMesh) and len(shape.triangles) < len(fused.mesh.triangles):
        whole = fused.mesh.vertices
        off_mm = 1000 * distances_m(whole[:: math.ceil(len(whole) / ERROR_SAMPLES)], shape)
        rms, largest = float(np.sqrt(np.mean(off_mm**2))), float(off_mm.max())
        journal.add(error_mm={"rms": round(rms, 4), "largest": round(largest, 3)})
        told.append(f"simplified: off by {rms:.2g} mm rms, {largest:.2g} mm at most")
    return told
