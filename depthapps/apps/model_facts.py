"""Describe models and prints: one line for people, facts for programs."""

from __future__ import annotations

import numpy as np

from depthapps.apps.journal import Journal
from depthapps.core.models import PointCloud, PrintableSolid, TriangleMesh
from depthapps.mesh.simplify import Loss
from depthapps.mesh.whole import WholeSurface

LEAST_TOLD = 5e-4  # smaller shares are not mentioned: they would read 0.0 %
Shape = TriangleMesh | PointCloud


def tell_solid(journal: Journal, solid: PrintableSolid, how: str = "the base below") -> str:
    """Describe a print in one line, that ends with `how` it is, and record its facts in the journal."""
    extent = [round(float(v), 2) for v in np.ptp(solid.vertices, axis=0)]
    journal.add(
        vertices=len(solid.vertices), triangles=len(solid.triangles), extent_mm=extent, watertight=solid.watertight
    )
    closed = "closed" if solid.watertight else "not closed"
    return f"{len(solid.triangles):,} triangles, {closed}, {' x '.join(f'{v:g}' for v in extent)} mm, {how}"


def tell_shape(
    journal: Journal, shape: Shape, kept: float, left_out: dict[str, float], confidence: float | None
) -> list[str]:
    """Describe a mesh or a cloud in the parts of one line, and record its facts in the journal.

    kept: share of the pixels on the surface. left_out: the other shares by their reasons. confidence: mean over the
    kept pixels, 0 to 1, None if there is none.
    """
    points = shape.points if isinstance(shape, PointCloud) else shape.vertices
    extent = [round(float(v), 4) for v in np.ptp(points, axis=0)]
    counts = {"vertices": len(points)} | ({} if isinstance(shape, PointCloud) else {"triangles": len(shape.triangles)})
    shares = {name: round(share, 5) for name, share in left_out.items()}
    journal.add(**counts, extent_m=extent, kept=round(kept, 5), left_out=shares)
    told = [
        *(f"{count:,} {what}" for what, count in counts.items()),
        " x ".join(f"{v:.3g}" for v in extent) + " m",
        f"{100 * kept:.1f} % of the pixels",
    ]
    reasons = [f"{100 * share:.1f} % {name}" for name, share in left_out.items() if share >= LEAST_TOLD]
    if reasons:
        told.append(f"left out {', '.join(reasons)}")
    if confidence is not None:
        journal.add(confidence=round(confidence, 3))
        told.append(f"confidence {confidence:.2f}")
    return told


def tell_single_view(journal: Journal, shape: Shape, whole: WholeSurface, loss: Loss | None) -> list[str]:
    """Describe the model of one view in the parts of one line, and record its facts in the journal."""
    cut = whole.front.cut
    reasons = {name: getattr(cut, name) for name in ("blank", "unknown", "doubtful", "far", "torn", "islands")}
    told = tell_shape(journal, shape, cut.kept, reasons, cut.confidence)
    filled = whole.front.made_up is not None
    journal.add(holes="fill" if filled else "keep")
    if filled:
        journal.add(made_up=round(cut.made_up, 5))
        if cut.made_up >= LEAST_TOLD:
            told.append(f"depth of {100 * cut.made_up:.1f} % made up")
    if whole.backs:
        seen, invented = whole.shares()
        journal.add(behind={"photographed": round(seen, 5), "made_up": round(invented, 5)})
        told.append(
            f"continued behind and around it by {100 * (seen + invented):.0f} % more pixels, "
            f"{100 * seen:.1f} % from the second photo, the rest made up"
        )
    if loss is not None:
        journal.add(error={"rms": loss.rms, "largest": loss.largest, "lost": loss.lost})
        told.append(f"simplified: depth off by {100 * loss.rms:.2g} % rms, {100 * loss.largest:.2g} % at most")
    return told
