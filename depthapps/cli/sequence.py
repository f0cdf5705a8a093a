"""What `depthapps mesh --sequence` makes of a folder of views."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.cli.models import LEAST_TOLD, ModelOptions, tell_model, tell_solid, write_solid
from depthapps.cli.options import DEPTH_SCALE, RunOptions, SourceOptions
from depthapps.cli.report import Report
from depthapps.cli.source import load_source
from depthapps.core.errors import InputError
from depthapps.core.scene import PointCloud, Scene, TriangleMesh
from depthapps.io.maps import read_depth
from depthapps.io.models.viewer import VIEWER_POINTS, viewer_page
from depthapps.io.models.write import TEXTURED_SUFFIXES, write_cloud, write_mesh
from depthapps.io.outputs import Outputs
from depthapps.io.photos.images import read_image
from depthapps.io.sequences import Sequence, View, read_sequence
from depthapps.mesh.simplify import WEB
from depthapps.scan.atlas import textured
from depthapps.scan.fuse import Fused, FuseParams, distances_m, fuse_views, simplify_mesh
from depthapps.scan.paint import PlacedView
from depthapps.scan.register import estimate_poses, trajectory_errors
from depthapps.scan.shell import build_shell

ERROR_SAMPLES = 50_000  # vertices of the whole mesh that tell how far off a simplified one is
Pose = NDArray[np.floating]  # (4, 4) camera to world


def make_sequence(
    folder: Path,
    voxel_mm: float | None,
    find_poses: bool,
    options: ModelOptions,
    source: SourceOptions,
    run: RunOptions,
    report: Report,
    outputs: Outputs,
) -> None:
    """Fuse the views of a folder into one mesh, cloud or print."""
    params = FuseParams(None if voxel_mm is None else voxel_mm / 1000)
    sequence = read_sequence(folder)
    report.add(sequence={"folder": str(folder), "layout": sequence.kind, "views": len(sequence.views)})
    poses: tuple[Pose | None, ...] = tuple(view.pose for view in sequence.views)
    tied: list[str] = []
    if find_poses or poses[0] is None:
        poses, tied = _found_poses(sequence, source, run, report)
    placed = [(view, pose) for view, pose in zip(sequence.views, poses, strict=True) if pose is not None]
    with report.stage("fusing"):
        scenes = _scenes(sequence, tuple(view for view, _ in placed), source, run, report, "fusing")
        fused = fuse_views(zip(scenes, (pose for _, pose in placed), strict=True), params)
    if fused.color_camera:
        report.add(color_camera={k: round(v, 4) for k, v in asdict(fused.color_camera).items()})
        report.note(
            "the pictures did not lie on their depth; their colours told where they belong, and they were moved"
        )
    if options.print_it:
        with report.stage("meshing"):
            solid = build_shell(fused.mesh, -placed[0][1][:3, 1], options.solid)  # the first camera's Y points down
        summary = [tell_solid(report, solid), *tied]
        with report.stage("writing"), outputs:
            write_solid(options, solid, outputs)
    else:
        with report.stage("meshing"):
            mesh, limit = fused.mesh, options.simplified.max_triangles
            mesh = mesh if limit is None else simplify_mesh(mesh, limit)
        model = PointCloud(mesh.vertices, mesh.colors, mesh.normals) if options.points else mesh
        summary = [*_told(report, model, fused), *tied]
        with report.stage("texturing"):
            # vertices are doubled where the texture changes from photo to photo; files without one do not need that
            wanted = any(path.suffix.lower() in TEXTURED_SUFFIXES for path in options.models) and not options.points
            photographed = textured(mesh, fused.seen_by, fused.voxel_m) if wanted else mesh
            shown = _for_page(model, photographed, fused) if options.viewer else None
        with report.stage("writing"), outputs:
            for path in options.models:
                if isinstance(model, PointCloud):
                    write_cloud(path, model, outputs, options.axes)
                else:
                    written = photographed if path.suffix.lower() in TEXTURED_SUFFIXES else mesh
                    write_mesh(path, written, outputs, options.axes, web=options.web)
            if options.viewer and shown:
                first = fused.seen_by[0]  # which the page looks through
                page = viewer_page(_seen_from(shown, first), first.camera, folder.name)
                outputs.part(options.viewer).write_text(page, encoding="utf-8")
            report.add(megabytes={p.name: round(outputs.part(p).stat().st_size / 1e6, 3) for p in options.models})
    report.say("; ".join(summary))


def _found_poses(
    sequence: Sequence, source: SourceOptions, run: RunOptions, report: Report
) -> tuple[tuple[Pose | None, ...], list[str]]:
    """The poses of the views, found from them, and what there is to say of that."""
    with report.stage("registering"):
        found = estimate_poses(_scenes(sequence, sequence.views, source, run, report, "registering"))
    lost = sum(pose is None for pose in found.poses)
    report.add(
        trajectory=[None if p is None else np.round(p, 6).tolist() for p in found.poses],
        loop_closures=found.closures,
        drift_m=round(found.drift_m, 4),
        views_lost=lost,
    )
    if lost:
        report.note(f"{lost} of {len(found.poses)} views could not be tied to the others and are left out")
    told = [f"poses found, {found.closures} loop closures took out {found.drift_m:.2g} m of drift"]
    off_m = trajectory_errors(found.poses, (view.pose for view in sequence.views))
    if off_m.size:
        rms, largest = float(np.sqrt(np.mean(off_m**2))), float(off_m.max())
        report.add(trajectory_error_m={"rms": round(rms, 4), "largest": round(largest, 4)})
        told.append(f"{rms:.2g} m rms and {largest:.2g} m at most from the folder's own poses")
    return found.poses, told


def _for_page(model: TriangleMesh | PointCloud, photographed: TriangleMesh, fused: Fused) -> TriangleMesh | PointCloud:
    """The model as a browser can turn it without a GPU."""
    if isinstance(model, PointCloud):
        every = math.ceil(len(model.points) / VIEWER_POINTS)
        return PointCloud(model.points[::every], model.colors[::every], model.normals[::every])
    limit = WEB.max_triangles or 0
    if photographed.texture is not None and len(model.triangles) <= limit:
        return photographed
    return textured(simplify_mesh(model, limit), fused.seen_by, fused.voxel_m)


def _seen_from(model: TriangleMesh | PointCloud, view: PlacedView) -> TriangleMesh | PointCloud:
    """A model in the axes of a view's camera."""
    turn, shift = view.to_camera[:3, :3].astype(np.float32), view.to_camera[:3, 3].astype(np.float32)
    if isinstance(model, PointCloud):
        return replace(model, points=model.points @ turn.T + shift, normals=model.normals @ turn.T)
    return replace(model, vertices=model.vertices @ turn.T + shift, normals=model.normals @ turn.T)


def _told(report: Report, model: TriangleMesh | PointCloud, fused: Fused) -> list[str]:
    """The model in parts of one line, and put into the report."""
    report.add(voxel_m=fused.voxel_m, views_fused=fused.views, specks=round(fused.specks, 5))
    use, reasons = fused.use, {name: getattr(fused.use, name) for name in ("unknown", "doubtful", "far", "torn")}
    told = tell_model(report, model, use.kept, reasons, use.confidence)
    told.append(f"{fused.views} views in voxels of {1000 * fused.voxel_m:.2g} mm")
    if fused.specks >= LEAST_TOLD:
        told.append(f"{100 * fused.specks:.1f} % of the triangles were specks")
    if isinstance(model, TriangleMesh) and len(model.triangles) < len(fused.mesh.triangles):
        whole = fused.mesh.vertices
        off_mm = 1000 * distances_m(whole[:: math.ceil(len(whole) / ERROR_SAMPLES)], model)
        rms, largest = float(np.sqrt(np.mean(off_mm**2))), float(off_mm.max())
        report.add(error_mm={"rms": round(rms, 4), "largest": round(largest, 3)})
        told.append(f"simplified: off by {rms:.2g} mm rms, {largest:.2g} mm at most")
    return told


def _scenes(
    sequence: Sequence, views: tuple[View, ...], source: SourceOptions, run: RunOptions, report: Report, what: str
) -> Iterator[Scene]:
    """The scenes of the views, one at a time; what was assumed is told with the first."""
    silent = Report("mesh", replace(run, quiet=True, json=False))
    for k, view in enumerate(report.progress(views, len(views), what)):
        yield _scene(sequence, view, source, run, report if k == 0 else silent)


def _scene(sequence: Sequence, view: View, source: SourceOptions, run: RunOptions, report: Report) -> Scene:
    if view.depth is None:
        options = replace(source, image=view.image, right=view.right)
        return load_source(options, run, report, confidence_matters=True).scene
    scale = source.depth_scale if source.depth_scale != DEPTH_SCALE else sequence.depth_scale or DEPTH_SCALE
    by_hand = any(v is not None for v in (source.calibration, source.focal_px, source.fov))
    if sequence.camera_matrix is None or by_hand:
        options = replace(source, image=view.image, depth=view.depth, depth_scale=scale)
        return load_source(options, run, report).scene
    image, depth = read_image(view.image), read_depth(view.depth, scale)
    height, width = depth.shape
    if image.shape[:2] != depth.shape:
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))
    camera = sequence.camera(width, height)
    if camera is None or not (0 < camera.cx < width and 0 < camera.cy < height):
        raise InputError(
            f"the camera of the sequence does not fit its depth of {width}x{height}", hint="give -c or --focal-px"
        )
    return Scene(image, depth, camera)
