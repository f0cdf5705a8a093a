"""What is kept of an opened scene: its depth map as asked for, and the maps beside another result."""

from __future__ import annotations

from pathlib import Path

import cv2

from depthapps.apps.params import PathLike
from depthapps.apps.scene import OpenedScene
from depthapps.apps.side_files import SideFiles, depth_map_kind
from depthapps.core.choices import MapKind
from depthapps.core.color import to_8bit
from depthapps.core.scene import Image
from depthapps.io.formats import DEPTH_PNG_SCALE
from depthapps.io.maps import write_confidence, write_depth, write_disparity
from depthapps.io.outputs import Outputs
from depthapps.io.photos.images import write_image

_ON_ONE_ROW_PX = 3.0  # farther apart two points are a wrong match, not a row that is off


def draw_preview(opened: OpenedScene) -> Image:
    """Draw a scene's depth as a coloured picture with a legend: in metres, or in pixels where metres are a guess.

    Parameters
    ----------
    opened : OpenedScene

    Returns
    -------
    (H, W + legend, 3) uint8 array
        RGB, near red, far blue, unknown grey.
    """
    from depthapps.draw import preview

    if opened.in_metres:
        return preview.render_depth_preview(opened.scene.depth_m)
    return preview.render_disparity_preview(opened.disparity_px)


def write_depth_map(
    path: PathLike, opened: OpenedScene, kind: MapKind | None = None, *, depth_scale: float = DEPTH_PNG_SCALE
) -> None:
    """Write a scene's disparity, depth, or a picture of it.

    Parameters
    ----------
    path : path
        .pfm, .npy, .tif, or 16-bit .png for maps; .png or .jpg for previews.
    opened : OpenedScene
    kind : MapKind, optional
        Pixels, metres or a picture; None takes a picture for .png and .jpg, else disparity.
    depth_scale : float
        Units a metre in a 16-bit PNG of depth.

    Raises
    ------
    OutputError
        The suffix cannot hold it, or the file cannot be written.
    """
    path, kind = Path(path), depth_map_kind(path, kind)
    if kind is MapKind.DISPARITY:
        write_disparity(path, opened.disparity_px)
    elif kind is MapKind.DEPTH:
        write_depth(path, opened.scene.depth_m, depth_scale)
    else:
        write_image(path, draw_preview(opened))


def write_side_files(side: SideFiles, opened: OpenedScene, outputs: Outputs) -> None:
    """Write what is kept of a scene, as parts of `outputs`; `side.check` tells before whether all of it is there."""
    if side.depth:
        write_depth(outputs.part(side.depth), opened.scene.depth_m, side.depth_scale)
    if side.disparity:
        write_disparity(outputs.part(side.disparity), opened.disparity_px)
    if side.confidence and opened.scene.confidence is not None:
        write_confidence(outputs.part(side.confidence), opened.scene.confidence)
    if side.rectified and opened.views:
        pictures = (*opened.views, draw_matched_rows(*opened.views))
        for path, picture in zip(side.rectified_paths, pictures, strict=True):
            write_image(outputs.part(path), picture)


def draw_matched_rows(left: Image, right: Image) -> Image:
    """Two rectified views (H, W, 3) side by side with lines through points that both show, uint8 RGB.

    Where the rows line up, a line runs through the same thing in both views.
    """
    from depthapps.draw.rows import render_rows
    from depthapps.engine.rectify.features import match_features

    matches = match_features(*(cv2.cvtColor(to_8bit(v), cv2.COLOR_RGB2GRAY) for v in (left, right)))
    near = abs(matches.first[:, 1] - matches.second[:, 1]) < _ON_ONE_ROW_PX * matches.pixel_px
    return render_rows(left, right, matches.first[near], matches.second[near])
