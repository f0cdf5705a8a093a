"""From two views to a match: the rectification that the options ask for, what is told of it, and its pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from depthapps.cli.options import SourceOptions
from depthapps.cli.report import Report
from depthapps.core.color import to_8bit
from depthapps.core.scene import Image
from depthapps.draw.rows import render_rows
from depthapps.io.outputs import Outputs
from depthapps.io.photos.images import write_image

if TYPE_CHECKING:
    from depthapps.engine.match_photos import PhotoMatch

_ON_ONE_ROW_PX = 3.0  # farther apart two points are a wrong match, not a row that is off


def rectified_paths(prefix: Path) -> list[Path]:
    """The three files of --save-rectified: left and right view, and both with lines."""
    return [prefix.with_name(f"{prefix.name}_{name}.png") for name in ("left", "right", "lines")]


def save_rectified(options: SourceOptions, views: tuple[Image, Image], outputs: Outputs) -> None:
    """Write what --save-rectified asks for."""
    from depthapps.engine.rectify.features import match_features

    assert options.save_rectified is not None
    left, right = views
    matches = match_features(*(cv2.cvtColor(to_8bit(v), cv2.COLOR_RGB2GRAY) for v in views))
    near = abs(matches.first[:, 1] - matches.second[:, 1]) < _ON_ONE_ROW_PX * matches.pixel_px
    lines = render_rows(left, right, matches.first[near], matches.second[near])
    for path, picture in zip(rectified_paths(options.save_rectified), (left, right, lines), strict=True):
        write_image(outputs.part(path), picture)


def tell_rectification(found: PhotoMatch, report: Report) -> None:
    """Put what was done about the rows into the report, and say what the user has to know."""
    rows, facts = found.match.rows, dict[str, Any]()
    if rows is not None:
        facts = {"vertical_error_px": round(rows.error_px, 3), "row_points": rows.points}
    if found.report is not None:
        facts |= found.report.rounded()
        report.note(
            f"rectified two photos by {facts['inliers']} of {facts['matches']} points that both show, "
            f"to {facts['vertical_error_px']:.2f} px between rows"
        )
        if found.report.exchanged:
            report.note("the second photo was taken from the left: matched the other way round")
        if found.rectification is not None and found.rectification.nearer_px:
            facts["nearer_px"] = round(found.rectification.nearer_px, 1)
            report.note(
                "much would lie behind infinity: the farthest is taken as infinitely far, and metres are a guess"
            )
        if found.report.focal == "self-calibrated":
            report.note(f"the focal length, {found.report.focal_px[0]:.0f} px, is what fits the two photos best")
    how = "estimated" if found.report else "calibrated" if found.rectification else "none"
    offset = found.match.row_offset
    facts["row_offset_px"] = 0.0 if offset is None else round(offset.constant, 3)
    report.add(rectification={"method": how, **facts})
