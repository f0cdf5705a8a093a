"""Write an opened scene's depth, disparity and confidence maps, and draw pictures of them."""

from __future__ import annotations

from pathlib import Path

import cv2

from depthapps.apps.journal import Journal, Progress
from depthapps.apps.params import PathLike
from depthapps.apps.scene import OpenedScene
from depthapps.apps.side_files import SideFiles, depth_map_kind
from depthapps.core.choices import MapKind, Unsure, chosen
from depthapps.core.color import to_8bit
from depthapps.core.errors import param
from depthapps.core.scene import Image, check_opened, check_views
from depthapps.io.formats import DEPTH_PNG_SCALE, DISPARITY_PNG_SCALE, HEIC_SUFFIXES
from depthapps.io.maps.write import write_confidence, write_depth, write_disparity, write_inverse_depth
from depthapps.io.outputs import Outputs
from depthapps.io.photos.depth_jpeg import write_dynamic_depth, write_gdepth
from depthapps.io.photos.heif_write import write_portrait_heic
from depthapps.io.photos.images import write_image
from depthapps.surface.tearing import trusted

_ON_ONE_ROW_PX = 3.0  # points whose rows differ by more are a wrong match, not a fault of the rectification


def draw_preview(opened: OpenedScene, unsure: Unsure = Unsure.GREY) -> Image:
    """Draw a scene's depth as a coloured picture with a legend: in metres, or in pixels if metres are a guess.

    Parameters
    ----------
    opened : OpenedScene
    unsure : Unsure
        How depth of low confidence is shown, if the scene has a confidence. The legend ends where sure depth ends.

    Returns
    -------
    (H, W + legend, 3) uint8 array
        RGB: near is red, far is blue, unknown is dark grey, unsure is grey.
    """
    from depthapps.draw import preview

    check_opened(opened)
    grey = chosen(Unsure, unsure, "unsure") is Unsure.GREY and opened.scene.confidence is not None
    sure = trusted(opened.scene) if grey else None
    if opened.in_metres:
        return preview.render_depth_preview(opened.scene.depth_m, sure)
    return preview.render_disparity_preview(opened.disparity_px, sure)


def write_depth_map(
    path: PathLike,
    opened: OpenedScene,
    kind: MapKind | None = None,
    *,
    unsure: Unsure = Unsure.GREY,
    depth_scale: float = DEPTH_PNG_SCALE,
    outputs: Outputs | None = None,
    progress: Progress | None = None,
) -> None:
    """Write a scene's disparity or depth, or a coloured picture of it.

    Parameters
    ----------
    path : path
        .pfm, .npy, .npz, .tif, .exr or 16-bit .png for maps; .png or .jpg for previews.
    opened : OpenedScene
    kind : MapKind, optional
        What the file holds. None writes a preview to .png and .jpg, else disparity.
    unsure : Unsure
        How a preview shows depth of low confidence.
    depth_scale : float
        Units per metre in a 16-bit PNG of depth.
    outputs : Outputs, optional
        The group of files that this one belongs to; all are written or none. None replaces a file of that name.
    progress : callable, optional
        Called with a `Note` if a 16-bit PNG cannot hold all of the map, and with the ends of inverse depth.

    Raises
    ------
    OutputError
        A file of that suffix cannot hold the map, or the file cannot be written.
    InputError
        `opened` is no opened scene.
    """
    check_opened(opened)
    path, kind = Path(path), depth_map_kind(path, kind)
    if kind is MapKind.DISPARITY:
        lost = write_disparity(path, opened.disparity_px, calibration=opened.calibration, outputs=outputs)
        _note_lost(path, lost, kind, depth_scale, progress)
    elif kind is MapKind.DEPTH:
        lost = write_depth(path, opened.scene.depth_m, depth_scale, camera=opened.scene.camera, outputs=outputs)
        _note_lost(path, lost, kind, depth_scale, progress)
    elif kind is MapKind.AFFINE_INVERSE:
        near_m, far_m = write_inverse_depth(path, opened.scene.depth_m, outputs=outputs)
        back = " ".join((param("depth_kind", kind), param("near_m", f"{near_m:.5g}"), param("far_m", f"{far_m:.5g}")))
        Journal(progress).note(f"{path.name} runs from {far_m:.3g} m, black, to {near_m:.3g} m, white: {back} reads it")
    elif kind is MapKind.PREVIEW:
        write_image(path, draw_preview(opened, unsure), outputs=outputs)
    else:
        write = (
            write_dynamic_depth if kind is MapKind.DYNAMIC_DEPTH
            else write_portrait_heic if path.suffix.lower() in HEIC_SUFFIXES
            else write_gdepth
        )  # fmt: skip
        write(path, opened.scene, opened.metadata, in_metres=_is_measured(opened), outputs=outputs)


def _is_measured(opened: OpenedScene) -> bool:
    """Whether the metres of a scene rest neither on an assumption nor on a network that guesses from one photo."""
    guessed = opened.params is not None and opened.params.depth_network is not None
    return opened.in_metres and not guessed and not {"scale", "range"} & set(opened.calibration.assumed)


def _note_lost(path: Path, lost: float, kind: MapKind, depth_scale: float, progress: Progress | None) -> None:
    """Note the share of known pixels that a 16-bit PNG could not hold, and which formats hold them."""
    if lost <= 0:
        return
    held = (
        f"depths up to {65534 / depth_scale:.3g} m, in steps of {1 / depth_scale:.3g} m" if kind is MapKind.DEPTH
        else f"disparities from 0 to {65534 / DISPARITY_PNG_SCALE:.3g} px"
    )  # fmt: skip
    other = f", or another {param('depth_scale')}" if kind is MapKind.DEPTH else ""
    Journal(progress).note(
        f"{path.name} holds {held}: {100 * lost:.3g} % of the pixels are unknown in it; .npy, .tif and .pfm hold "
        f"all{other}"
    )


def write_side_files(
    side: SideFiles, opened: OpenedScene, outputs: Outputs, *, progress: Progress | None = None
) -> None:
    """Write the maps and views that are kept of a scene, as parts of `outputs`.

    `side.check`, called before, has refused what the scene does not have. progress: called with a `Note` if a 16-bit
    PNG cannot hold all of a map.
    """
    if side.depth:
        write_depth_map(
            side.depth, opened, MapKind.DEPTH, depth_scale=side.depth_scale, outputs=outputs, progress=progress
        )
    if side.disparity:
        write_depth_map(side.disparity, opened, MapKind.DISPARITY, outputs=outputs, progress=progress)
    if side.confidence and opened.scene.confidence is not None:
        write_confidence(side.confidence, opened.scene.confidence, outputs=outputs)
    if side.rectified and opened.views:
        pictures = (*opened.views, draw_matched_rows(*opened.views))
        for path, picture in zip(side.rectified_paths, pictures, strict=True):
            write_image(path, picture, outputs=outputs)


def draw_matched_rows(left: Image, right: Image) -> Image:
    """Draw two rectified views side by side, with lines through points that both show.

    If the rows line up, each line passes the same point in both views.

    Parameters
    ----------
    left, right : (H, W, 3) array
        The views, RGB of one size.

    Returns
    -------
    (h, 2w, 3) uint8 array
        RGB, at most 2400 pixels wide.

    Raises
    ------
    InputError
        They are no two pictures of one size and type.
    """
    from depthapps.draw.rows import render_rows
    from depthapps.engine.rectify.features import match_features

    check_views("left", left, "right", right)
    matches = match_features(*(cv2.cvtColor(to_8bit(v), cv2.COLOR_RGB2GRAY) for v in (left, right)))
    near = abs(matches.first[:, 1] - matches.second[:, 1]) < _ON_ONE_ROW_PX * matches.pixel_px
    return render_rows(left, right, matches.first[near], matches.second[near])
