"""What `depthapps mesh --sequence` makes of a folder of views."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.cli.models import ModelOptions, tell_solid, write_solid
from depthapps.cli.options import DEPTH_SCALE, RunOptions, SourceOptions
from depthapps.cli.report import Report
from depthapps.cli.source import load_source
from depthapps.errors import InputError
from depthapps.io.depth import read_depth
from depthapps.io.files import Outputs
from depthapps.io.images import read_image
from depthapps.io.models import TEXTURED_SUFFIXES, write_cloud, write_mesh
from depthapps.io.sequences import Sequence, View, read_sequence
from depthapps.io.viewer import viewer_page
from depthapps.mesh.atlas import textured
from depthapps.mesh.fuse import Fused, FuseParams, fuse_views, simplify_mesh
from depthapps.mesh.register import estimate_poses
from depthapps.mesh.shell import build_shell
from depthapps.mesh.simplify import WEB
from depthapps.scene import Camera, PointCloud, Scene, TriangleMesh


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
    """Fuse the views of a folder into one mesh."""
    params = FuseParams(None if voxel_mm is None else voxel_mm / 1000)
    sequence = read_sequence(folder)
    report.add(sequence={"folder": str(folder), "layout": sequence.kind, "views": len(sequence.views)})
    poses: list[NDArray[np.floating] | None] = [view.pose for view in sequence.views]
    tied = ""
    if find_poses or poses[0] is None:
        with report.stage("registering"):
            scenes = _scenes(sequence, sequence.views, source, run, report, "registering")
            found = estimate_poses(scenes)
        poses = list(found.poses)
        lost = sum(pose is None for pose in poses)
        report.add(
            trajectory=[None if p is None else np.round(p, 6).tolist() for p in poses],
            loop_closures=found.closures,
            drift_m=round(found.drift_m, 4),
            views_lost=lost,
        )
        tied = f"; poses found, {found.closures} loop closures took out {found.drift_m:.2g} m of drift"
        if lost:
            report.note(f"{lost} of {len(poses)} views could not be tied to the others and are left out")
    placed = [(view, pose) for view, pose in zip(sequence.views, poses, strict=True) if pose is not None]
    with report.stage("fusing"), report.compiling():
        scenes = _scenes(sequence, tuple(view for view, _ in placed), source, run, report, "fusing")
        fused = fuse_views(zip(scenes, (pose for _, pose in placed), strict=True), params)
        if options.print_it:
            up = -placed[0][1][:3, 1]  # of the first camera, whose Y points down
            solid = build_shell(fused.mesh, up, options.solid)
            summary = tell_solid(report, solid) + tied
            with report.stage("writing"), outputs:
                write_solid(options, solid, outputs)
            report.say(summary)
            return
        mesh, limit = fused.mesh, options.simplified.max_triangles
        if limit is not None:
            mesh = simplify_mesh(mesh, limit)
    summary = _summary(report, mesh, fused) + tied
    with report.stage("texturing"), report.compiling():
        surface = any(path.suffix.lower() in TEXTURED_SUFFIXES for path in options.models) and not options.points
        photographed = textured(mesh, fused.seen_by, fused.voxel_m) if surface else mesh
        shown = _for_page(mesh, photographed, fused) if options.viewer else None
    with report.stage("writing"), outputs:
        for path in options.models:
            if options.points:
                cloud = PointCloud(mesh.vertices, mesh.colors, mesh.normals)
                write_cloud(path, cloud, outputs, options.axes)
            else:
                # vertices are doubled where the texture changes from photo to photo; files without one do not need that
                written = photographed if path.suffix.lower() in TEXTURED_SUFFIXES else mesh
                write_mesh(path, written, outputs, options.axes, web=options.web)
        if options.viewer and shown:
            to_first = np.linalg.inv(placed[0][1]).astype(np.float32)  # the page looks through the first view's camera
            shown = replace(
                shown,
                vertices=shown.vertices @ to_first[:3, :3].T + to_first[:3, 3],
                normals=shown.normals @ to_first[:3, :3].T,
            )
            camera = _first_camera(sequence, source, run, report)
            page = viewer_page(shown, camera, folder.name)
            outputs.part(options.viewer).write_text(page, encoding="utf-8")
        report.add(megabytes={p.name: round(outputs.part(p).stat().st_size / 1e6, 3) for p in options.models})
    report.say(summary)


def _for_page(mesh: TriangleMesh, photographed: TriangleMesh, fused: Fused) -> TriangleMesh:
    """The model as a browser can turn it without a GPU."""
    limit = WEB.max_triangles or 0
    if photographed.texture is not None and len(mesh.triangles) <= limit:
        return photographed
    small = mesh if len(mesh.triangles) <= limit else simplify_mesh(mesh, limit)
    return textured(small, fused.seen_by, fused.voxel_m)


def _summary(report: Report, mesh: TriangleMesh, fused: Fused) -> str:
    """The model in one line, and put into the report."""
    extent = [round(float(v), 4) for v in np.ptp(mesh.vertices, axis=0)]
    left_out = {name: round(getattr(fused.use, name), 5) for name in ("unknown", "doubtful", "far", "torn")}
    report.add(
        vertices=len(mesh.vertices),
        triangles=len(mesh.triangles),
        extent_m=extent,
        voxel_m=fused.voxel_m,
        views_fused=fused.views,
        kept=round(fused.use.kept, 5),
        left_out=left_out,
        specks=round(fused.specks, 5),
    )
    parts = [
        f"{len(mesh.vertices):,} vertices",
        f"{len(mesh.triangles):,} triangles",
        " x ".join(f"{v:.3g}" for v in extent) + " m",
        f"{fused.views} views in voxels of {1000 * fused.voxel_m:.2g} mm",
        f"{100 * fused.use.kept:.1f} % of the pixels",
    ]
    reasons = [f"{100 * share:.1f} % {name}" for name, share in left_out.items() if share >= 5e-4]
    if fused.specks >= 5e-4:
        reasons.append(f"{100 * fused.specks:.1f} % of the triangles as specks")
    if reasons:
        parts.append(f"left out {', '.join(reasons)}")
    if fused.use.confidence is not None:
        report.add(confidence=round(fused.use.confidence, 3))
        parts.append(f"confidence {fused.use.confidence:.2f}")
    return "; ".join(parts)


def _first_camera(sequence: Sequence, source: SourceOptions, run: RunOptions, report: Report) -> Camera:
    return next(_scenes(sequence, sequence.views[:1], source, run, report, "")).camera


def _scenes(
    sequence: Sequence, views: tuple[View, ...], source: SourceOptions, run: RunOptions, report: Report, what: str
) -> Iterator[Scene]:
    """The scenes of the views, one at a time; what was assumed is told with the first."""
    silent = Report("mesh", replace(run, quiet=True, json=False))
    for k, view in enumerate(report.progress(views, len(views), what)):
        yield _scene(sequence, view, source, run, report if k == 0 and what != "" else silent)


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
