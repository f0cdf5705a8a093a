"""Tell how the rows of two views were brought together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from depthapps.apps.journal import Journal
from depthapps.core.errors import param

if TYPE_CHECKING:
    from depthapps.engine.match_photos import PhotoMatch


def note_rectification(found: PhotoMatch, journal: Journal) -> None:
    """Record how the rows of the views were brought together, and note what the user has to know of it."""
    rows, facts = found.match.rows, {}
    if rows is not None:
        facts = {"vertical_error_px": round(rows.error_px, 3), "row_points": rows.points}
    if found.report is not None:
        facts |= found.report.rounded()
        journal.note(
            f"rectified two photos by {facts['inliers']} of {facts['matches']} points that both show, "
            f"to {facts['vertical_error_px']:.2f} px between rows"
        )
        if found.report.exchanged:
            journal.note("the second photo was taken from the left: matched the other way round")
        if found.rectification is not None and found.rectification.nearer_px:
            facts["nearer_px"] = round(found.rectification.nearer_px, 1)
            journal.note(
                "much would lie behind infinity: the farthest is taken as infinitely far, and metres are a guess"
            )
        if found.report.focal == "self-calibrated":
            journal.note(f"the focal length, {found.report.focal_px[0]:.0f} px, is what fits the two photos best")
    if found.rectification is not None and found.rectification.inverted:
        journal.note(
            "the calibration's T is taken as the place of the second camera: read as OpenCV's, all is behind it"
        )
    how = "estimated" if found.report else "calibrated" if found.rectification else "none"
    offset = found.match.row_offset
    if offset is not None and (offset.twist or offset.bend):
        journal.note(
            "the rows of the second photo were bent until they line up; columns, and so metres, stay as calibrated: "
            f"{param('rectify', 'always')} estimates how far the cameras turn towards each other"
        )
    facts["row_offset_px"] = 0.0 if offset is None else round(offset.constant, 3)
    journal.add(rectification={"method": how, **facts})
