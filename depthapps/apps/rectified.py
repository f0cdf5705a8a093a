"""Tell how the rows of two views were brought together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from depthapps.apps.journal import Journal
from depthapps.core.errors import param

if TYPE_CHECKING:
    from depthapps.engine.photo_match import PhotoMatch
    from depthapps.engine.rectify.report import RectificationReport

_WORTH_TELLING = 0.1  # least error of the median distance, as a share: it is more than other errors of photos


def note_rectification(found: PhotoMatch, journal: Journal) -> None:
    """Record how the rows of the views were brought together, and note what the user has to know of it."""
    rows, facts = found.match.rows, {}
    if rows is not None:
        facts = {"vertical_error_px": round(rows.error_px, 3), "row_points": rows.points}
        if rows.wave_px:
            facts["row_wave_px"] = round(rows.wave_px, 2)
            journal.note(
                f"rows wander by {rows.wave_px:.1f} px down the picture, as a rolling shutter in a moving camera makes "
                "them: depth is off there; hold the camera still, or expose for a shorter time"
            )
    elif found.rectification is None:
        journal.note("too few points tell whether the rows of the two views line up: they are matched as they are")
    elif found.report is None:
        journal.note(
            "too few points tell whether the rows of the two views line up: they are matched as the calibration says"
        )
    if found.report is not None:
        facts |= found.report.rounded()
        journal.note(
            f"rectified two photos by {facts['inliers']} of {facts['matches']} points that both show, "
            f"to {facts['vertical_error_px']:.2f} px between rows"
        )
        x, y, _ = found.report.direction
        if abs(y) > abs(x):
            journal.note(f"the second photo was taken from {'below' if y > 0 else 'above'}: matched along columns")
        elif found.report.exchanged:
            journal.note("the second photo was taken from the left: matched the other way round")
        if found.rectification is not None:
            facts["nearer_px"] = round(found.rectification.nearer_px, 1)
        if found.report.contradicted:
            journal.note("much would lie behind infinity: the farthest is taken as far away, and metres are a guess")
        if found.report.focal == "self-calibrated":
            low, high = found.report.focal_range_px
            journal.note(
                f"the focal length, {found.report.focal_px[0]:.0f} px, is estimated from the photos, and lies probably "
                f"between {low:.0f} and {high:.0f} px: {param('focal_px')} if you know it"
            )
        _note_distances(found, found.report, journal)
    elif found.rectification is not None:
        x, y, _ = found.rectification.direction
        if abs(y) > abs(x):
            journal.note(
                f"the calibration puts the second camera {'below' if y > 0 else 'above'}: matched along columns"
            )
    if found.exchanged:
        facts["exchanged"] = True
        journal.note("the second photo was taken from the left: they are matched, and calibrated, the other way round")
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


def _note_distances(found: PhotoMatch, report: RectificationReport, journal: Journal) -> None:
    """Note between which metres the middle distance lies, if infinity is too uncertain to leave that untold."""
    disparity = found.match.disparity_px + found.calibration.doffs_px
    middle_px = float(np.median(disparity[disparity > 0])) if (disparity > 0).any() else 0.0
    if middle_px <= 0:
        return
    unit_px = found.calibration.camera.fx * found.calibration.baseline_m
    low, high = report.infinity_px
    near, far = unit_px / (middle_px - low), unit_px / (middle_px - high) if middle_px > high else math.inf
    at = unit_px / middle_px
    if max(at / near, far / at) > 1 + _WORTH_TELLING:
        end = f"and {far:.2g} m" if far < math.inf else "m and infinitely far"
        journal.note(
            f"what is put at {at:.2g} m may lie anywhere between {near:.2g} {end}: "
            "photos alone tell only weakly how far the cameras turned towards each other"
        )
