"""What `depthapps mesh` makes of one view, and what it says of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from depthapps.cli.options import RunOptions, SourceOptions
from depthapps.cli.report import Report
from depthapps.cli.source import load_source, save_side_outputs
from depthapps.core.scene import PointCloud, Scene, TriangleMesh
from depthapps.io.models.solids import stl_bytes, threemf_bytes
from depthapps.io.models.viewer import VIEWER_POINTS, viewer_page
from depthapps.io.models.write import Axes, write_cloud, write_mesh
from depthapps.io.outputs import Outputs
from depthapps.mesh.cut import Cut, GridSurface, cut_surface, surface_cloud, textured_mesh
from depthapps.mesh.simplify import WEB, Loss, SimplifyParams, simplify_surface
from depthapps.mesh.solid import Solid, SolidParams, build_solid

LEAST_TOLD = 5e-4  # smaller shares would be told as 0.0 %


@dataclass(frozen=True)
class ModelOptions:
    """What was asked for, apart from where the depth comes from."""

    models: list[Path]
    viewer: Path | None
    points: bool
    web: bool
    max_triangles: int | None
    max_error_pct: float | None
    axes: Axes | None
    size_mm: float
    print_it: bool = False

    @property
    def simplified(self) -> SimplifyParams:
        """The limits given by hand, beside those of the preset."""
        preset = WEB if self.web else SimplifyParams()
        return SimplifyParams(self.max_triangles or preset.max_triangles, self.max_error_pct)

    @property
    def solid(self) -> SolidParams:
        """What a print shall be."""
        params = SolidParams(self.size_mm)
        return replace(params, max_triangles=self.max_triangles) if self.max_triangles else params


def make_single_view(
    options: ModelOptions, source: SourceOptions, run: RunOptions, report: Report, outputs: Outputs
) -> None:
    """A mesh or a cloud of one view, and the page that shows it."""
    loaded = load_source(source, run, report, confidence_matters=True)
    params = options.simplified
    with report.stage("meshing"):
        surface = cut_surface(loaded.scene)
        loss = None
        if options.points:
            model = surface_cloud(surface)
        else:
            model, loss = _simplified(surface, params)
    summary = _told(report, model, surface.cut, loss)
    with report.stage("writing"), outputs:
        for path in options.models:
            if isinstance(model, PointCloud):
                write_cloud(path, model, outputs, options.axes)
            else:
                write_mesh(path, model, outputs, options.axes, web=options.web)
        if options.viewer:
            shown = _for_page(model, loaded.scene, surface, report, options.viewer.name)
            page = viewer_page(shown, loaded.scene.camera, source.image.stem)
            outputs.part(options.viewer).write_text(page, encoding="utf-8")
        save_side_outputs(source, loaded, outputs)
        report.add(megabytes={p.name: round(outputs.part(p).stat().st_size / 1e6, 3) for p in options.models})
    report.say("; ".join(summary))


def make_print(options: ModelOptions, source: SourceOptions, run: RunOptions, report: Report, outputs: Outputs) -> None:
    """A closed solid of one view, in millimetres."""
    loaded = load_source(source, run, report, confidence_matters=True)
    with report.stage("meshing"):
        solid = build_solid(loaded.scene, options.solid)
    summary = tell_solid(report, solid)
    with report.stage("writing"), outputs:
        write_solid(options, solid, outputs)
        save_side_outputs(source, loaded, outputs)
    report.say(summary)


def tell_solid(report: Report, solid: Solid) -> str:
    """A print in one line, and put into the report."""
    extent = [round(float(v), 2) for v in np.ptp(solid.vertices, axis=0)]
    report.add(
        vertices=len(solid.vertices), triangles=len(solid.triangles), extent_mm=extent, watertight=solid.watertight
    )
    closed = "closed" if solid.watertight else "not closed"
    return f"{len(solid.triangles):,} triangles, {closed}, {' x '.join(f'{v:g}' for v in extent)} mm, the base below"


def write_solid(options: ModelOptions, solid: Solid, outputs: Outputs) -> None:
    """Write the files of a print."""
    for path in options.models:
        encode = stl_bytes if path.suffix.lower() == ".stl" else threemf_bytes
        outputs.part(path).write_bytes(encode(solid.vertices, solid.triangles))


def _simplified(surface: GridSurface, params: SimplifyParams) -> tuple[TriangleMesh, Loss | None]:
    if params == SimplifyParams():
        return textured_mesh(surface), None
    triangles, loss = simplify_surface(surface, params)
    return textured_mesh(surface, triangles), loss


def _for_page(
    model: TriangleMesh | PointCloud, scene: Scene, surface: GridSurface, report: Report, name: str
) -> TriangleMesh | PointCloud:
    """The model as a browser can turn it without a GPU: the web preset's triangles, or fewer points."""
    if isinstance(model, PointCloud):
        stride = math.ceil(math.sqrt(surface.depth_m.size / VIEWER_POINTS))
        if stride == 1:
            return model
        report.note(f"{name} shows one of {stride}x{stride} pixels, for the browser's sake")
        return surface_cloud(cut_surface(scene, stride))
    if len(model.triangles) <= (WEB.max_triangles or 0):
        return model
    report.note(f"{name} shows the model as --preset web makes it, for the browser's sake")
    return _simplified(surface, WEB)[0]


def tell_model(
    report: Report, model: TriangleMesh | PointCloud, kept: float, left_out: dict[str, float], confidence: float | None
) -> list[str]:
    """A model in parts of one line, and put into the report.

    kept, left_out by reason: shares of the pixels. confidence: mean over what is kept, None if there is none.
    """
    points = model.points if isinstance(model, PointCloud) else model.vertices
    extent = [round(float(v), 4) for v in np.ptp(points, axis=0)]
    counts = {"vertices": len(points)} | ({} if isinstance(model, PointCloud) else {"triangles": len(model.triangles)})
    shares = {name: round(share, 5) for name, share in left_out.items()}
    report.add(**counts, extent_m=extent, kept=round(kept, 5), left_out=shares)
    told = [
        *(f"{count:,} {what}" for what, count in counts.items()),
        " x ".join(f"{v:.3g}" for v in extent) + " m",
        f"{100 * kept:.1f} % of the pixels",
    ]
    reasons = [f"{100 * share:.1f} % {name}" for name, share in left_out.items() if share >= LEAST_TOLD]
    if reasons:
        told.append(f"left out {', '.join(reasons)}")
    if confidence is not None:
        report.add(confidence=round(confidence, 3))
        told.append(f"confidence {confidence:.2f}")
    return told


def _told(report: Report, model: TriangleMesh | PointCloud, cut: Cut, loss: Loss | None) -> list[str]:
    """The model of one view in parts of one line, and put into the report."""
    reasons = {name: getattr(cut, name) for name in ("unknown", "doubtful", "torn", "islands")}
    told = tell_model(report, model, cut.kept, reasons, cut.confidence)
    if loss is not None:
        report.add(error={"rms": loss.rms, "largest": loss.largest, "lost": loss.lost})
        told.append(f"simplified: depth off by {100 * loss.rms:.2g} % rms, {100 * loss.largest:.2g} % at most")
    return told
