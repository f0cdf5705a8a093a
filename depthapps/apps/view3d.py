"""Show a scene to both eyes: two views in one picture or file, an animation that goes between them, a quilt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.apps.journal import JobResult, Journal, Progress
from depthapps.apps.model import Model, make_model
from depthapps.apps.motion import moving_frames
from depthapps.apps.params import TURN_DEG, ModelParams, PathLike
from depthapps.apps.scene import OpenedScene
from depthapps.apps.shrink import shrunk
from depthapps.apps.view3d_params import QUILT, QUILT_PLACES, View3DParams, cut_by_window
from depthapps.core.camera import Calibration
from depthapps.core.choices import Frame, Motion, StereoStyle
from depthapps.core.color import to_8bit
from depthapps.core.errors import InputError, param
from depthapps.core.filling import fill_background
from depthapps.core.scene import FloatMap, Image, StereoPair, check_opened, refuse_tiny
from depthapps.draw.new_views import ViewSource
from depthapps.draw.stereo import common_box, draw_stereo
from depthapps.io.formats import HEIC_SUFFIXES, MPO_SUFFIXES, VIDEO_SUFFIXES, VIEW3D_SUFFIXES
from depthapps.io.outputs import Outputs, check_suffix
from depthapps.io.photos.heif_write import write_spatial
from depthapps.io.photos.images import write_image
from depthapps.io.photos.metadata import Metadata
from depthapps.io.photos.mpo import write_mpo
from depthapps.io.video import write_video

_PERIOD_S = {2: 0.5}  # of a loop of two pictures; slower ones do not look solid
_LONGER_PERIOD_S = 1.2
_SHORTEST_S = 3.0  # of a wiggle as .mp4, which most players show once, where the others go on and on
_MOTION_FPS = 24.0
_BORDER = 0.05  # of the width at each side, in which nothing may stand before the window
_NEAREST_PERCENT = 99.0  # a few pixels of wrong depth do not move the window
_AROUND_PX = 2  # pixels on each side of the one that the user named


@dataclass(frozen=True, eq=False, kw_only=True)
class View3D(JobResult):
    """Two views of a scene, and where the window lies through which both eyes see it.

    Attributes
    ----------
    pair : StereoPair
        The whole views, of one size.
    disparity_px : (H, W) float32 array
        Disparity of the left view; NaN where unknown.
    window_px : int
        The disparity of what lies in the plane of the screen.
    params : View3DParams
    model : Model, optional
        What other motions than the sweep between the photos are made of.
    """

    pair: StereoPair
    disparity_px: FloatMap
    window_px: int
    params: View3DParams
    model: Model | None = None

    def views(self, places: Sequence[float]) -> list[Image]:
        """Show the scene through the window from places on the line through both cameras: 0 is left, 1 is right."""
        source = ViewSource(self.pair.left, self.disparity_px, self.pair.right)
        starts = [round(self.window_px * (1 - place)) for place in places]
        width = self.pair.left.shape[1] - (max(starts) - min(starts))
        if width < 2:
            raise InputError("the window is farther before the scene than the views are wide", hint="move it back")
        shown = []
        for place, start in zip(places, starts, strict=True):
            view = self.pair.left if place == 0 else self.pair.right if place == 1 else source.at(place)
            shown.append(view[:, start - min(starts) :][:, :width])
        return shown[::-1] if self.params.swap else shown


def make_view3d(opened: OpenedScene, params: View3DParams | None = None, *, progress: Progress | None = None) -> View3D:
    """Choose what both eyes see of a scene, and where the window is.

    Parameters
    ----------
    opened : OpenedScene
        Two photos, opened with the frame "rectified"; or a photo with a depth, whose second view is made.
    params : View3DParams, optional
    progress : callable, optional
        Called with every `Note` and `Stage` as they happen.

    Returns
    -------
    View3D

    Raises
    ------
    InputError
        The scene is in the frame of the photo as it was taken, or the pixel of the convergence lies outside.

    Notes
    -----
    The photos themselves are shown where there are two. The window is set by cutting strips off the outer sides of the
    views; no pixel is computed anew.
    """
    params, journal = params or View3DParams(), Journal(progress)
    check_opened(opened)
    refuse_tiny(opened.scene.image, "seen in depth")
    left, disparity, calibration = opened.scene.image, opened.disparity_px, opened.calibration
    right = None if opened.views is None else opened.views[1]
    if opened.views is None and params.motion is Motion.SWEEP:
        journal.note("there is one photo: the second view is made from its depth")
    if opened.views is not None and not np.array_equal(opened.views[0], left):
        if np.array_equal(opened.views[1], left):
            raise InputError("the second photo was taken from the left", hint="name the left photo first")
        hint = f"open it with {param('frame', Frame.RECTIFIED)}"
        raise InputError("the photos were rectified, and the scene was not", hint=hint)
    if right is None or params.eye_distance != 1:
        right = ViewSource(left, disparity, right).at(params.eye_distance)
        left, disparity = to_8bit(left), disparity * np.float32(params.eye_distance)
        calibration = _farther(calibration, params.eye_distance)
    box = common_box(left, right)
    corner = box[1].start, box[0].start
    side = params.view_size_px or max(left.shape)
    pair, disparity, scale = _reduced(left[box], right[box], disparity[box], calibration, corner, side)
    window = _window_px(disparity, pair.calibration, params, corner, scale)
    height, width = pair.left.shape[:2]
    width = max(width - cut_by_window(window, params.style), 0)  # writers refuse what the window cuts whole
    told = f"{width}x{height} px a view through the window, which is at a disparity of {window} px"
    model = None
    if params.motion is not Motion.SWEEP:
        model = _model_for_motion(opened, params, journal, progress)
        width, height = _frame_size(model, params)  # the whole picture, as no window cuts it
        told = f"a loop of {params.frames} pictures, {width}x{height} px"
    journal.add(window_px=window, view_size=[width, height])
    return View3D(
        pair=pair, disparity_px=disparity, window_px=window, params=params, model=model, summary=told, **journal.told
    )


def write_view3d(
    path: PathLike, shown: View3D, metadata: Metadata | None = None, *, outputs: Outputs | None = None
) -> None:
    """Write what both eyes see; the suffix and `shown.params.style` choose the form.

    Parameters
    ----------
    path : path
        .jpg, .png or .tif for a picture of that style; .mpo for both views; .heic for a spatial photo; .gif, .webp or
        .mp4 for an animation.
    shown : View3D
    metadata : Metadata, optional
        EXIF and colour profile of the photo.
    outputs : Outputs, optional
        The group of files that this one belongs to; None replaces a file of that name.

    Raises
    ------
    InputError
        A motion other than the sweep was to be written as a picture, or the window cuts all of the views.
    OutputError
        The file cannot be written, or its suffix is of no such format.
    MissingExtraError
        The file is HEIC and pillow-heif is not installed.
    """
    path, params = Path(path), shown.params
    check_suffix(path, VIEW3D_SUFFIXES, "a stereo view")
    suffix, calibration = path.suffix.lower(), shown.pair.calibration
    if shown.model is not None and suffix not in VIDEO_SUFFIXES:
        raise InputError(f"the motion {params.motion} is for animations, not for {suffix}", hint="write a .webp")
    plain = metadata and replace(metadata, alpha=None)  # its opacity is that of one view
    if suffix in HEIC_SUFFIXES:
        pair, shift_px = _parallel(shown)
        write_spatial(path, pair, plain, shift_px=shift_px, outputs=outputs)
    elif suffix in MPO_SUFFIXES:
        left, right = shown.views((0, 1))
        write_mpo(path, left, right, calibration.baseline_m, plain, outputs=outputs)
    elif suffix in VIDEO_SUFFIXES and shown.model is not None:
        size = _frame_size(shown.model, params)
        frames = moving_frames(shown.model, params.motion, _focus_m(shown), size, params.frames)
        write_video(path, frames, _MOTION_FPS, outputs=outputs)
    elif suffix in VIDEO_SUFFIXES:
        forth = [to_8bit(view) for view in shown.views(np.linspace(0, 1, params.frames).tolist())]
        frames = forth + forth[-2:0:-1]
        period_s = _PERIOD_S.get(len(frames), _LONGER_PERIOD_S)
        again = math.ceil(_SHORTEST_S / period_s) if suffix == ".mp4" and len(frames) in _PERIOD_S else 1
        write_video(path, again * frames, len(frames) / period_s, outputs=outputs)
    else:
        write_image(path, _picture(shown), plain, outputs=outputs)


def _farther(calibration: Calibration, times: float) -> Calibration:
    """The calibration of two cameras that are so many times as far apart."""
    return replace(calibration, baseline_m=calibration.baseline_m * times, doffs_px=calibration.doffs_px * times)


def _model_for_motion(opened: OpenedScene, params: View3DParams, journal: Journal, progress: Progress | None) -> Model:
    """A model of a scene that is as large as the views."""
    longest = max(opened.scene.depth_m.shape)
    small = shrunk(opened, max(1.0, longest / (params.view_size_px or longest)))
    model = make_model(small.scene, ModelParams(turn_deg=TURN_DEG), progress=progress)
    journal.seconds |= model.seconds
    journal.note("what no photo shows is made up")
    return model


def _frame_size(model: Model, params: View3DParams) -> tuple[int, int]:
    """Width and height of the pictures that a moving camera takes of a model."""
    camera = model.camera
    shrink = min(1.0, (params.view_size_px or math.inf) / max(camera.width, camera.height))
    return max(round(camera.width * shrink), 1), max(round(camera.height * shrink), 1)


def _focus_m(shown: View3D) -> float:
    """The distance, in metres, of what an orbit looks at, and of what keeps its size in a dolly zoom."""
    params, calibration = shown.params, shown.pair.calibration
    if params.convergence_m is not None:
        return params.convergence_m
    around = params.motion is Motion.ORBIT and params.convergence_px is None
    disparity = float(np.nanmedian(shown.disparity_px)) if around else shown.window_px
    away = max(disparity + calibration.doffs_px, 0.5)  # half a pixel from infinity
    return calibration.camera.fx * calibration.baseline_m / away


def _parallel(shown: View3D) -> tuple[StereoPair, float]:
    """The views cut so that what is infinitely far lies at one place in both, as in an iPhone's photo.

    Returns them, and the disparity of the window in them.
    """
    calibration = shown.pair.calibration
    infinity = -round(calibration.doffs_px)
    left, right = replace(shown, window_px=infinity).views((0, 1))
    camera = replace(calibration.camera, width=left.shape[1], cx=calibration.camera.cx - max(infinity, 0))
    cut = replace(calibration, camera=camera, doffs_px=calibration.doffs_px + infinity)
    return StereoPair(left, right, cut), shown.window_px - infinity


def _picture(shown: View3D) -> NDArray[np.uint8]:
    """One picture (h, w, 3) of the style."""
    style = shown.params.style
    if style is StereoStyle.QUILT:
        columns, rows = QUILT
        views = [to_8bit(v) for v in shown.views(np.linspace(*QUILT_PLACES, columns * rows).tolist())]
        # the leftmost view stands at the bottom left, the rightmost one at the top right
        return np.vstack([np.hstack(views[k : k + columns]) for k in range(0, columns * rows, columns)][::-1])
    if style is StereoStyle.RGBD:
        disparity = fill_background(shown.disparity_px)
        near = np.rint((disparity - disparity.min()) / max(float(np.ptp(disparity)), 1e-6) * 255).astype(np.uint8)
        return np.hstack([to_8bit(shown.pair.left), near[..., None].repeat(3, axis=2)])
    left, right = shown.views((0, 1))
    return draw_stereo(left, right, style)


def _reduced(
    left: Image, right: Image, disparity_px: FloatMap, calibration: Calibration, corner: tuple[int, int], side: int
) -> tuple[StereoPair, FloatMap, float]:
    """Views cut at a corner (x, y) and made smaller, so that their longest side has at most `side` pixels.

    Returns them with their disparity and the factor by which they are smaller.
    """
    camera, (height, width) = calibration.camera, left.shape[:2]
    camera = replace(camera, width=width, height=height, cx=camera.cx - corner[0], cy=camera.cy - corner[1])
    calibration = replace(calibration, camera=camera)
    if max(height, width) <= side:
        return StereoPair(left, right, calibration), disparity_px, 1.0
    scale = side / max(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    scale = size[0] / width
    small = [np.asarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA)) for view in (left, right)]
    # no disparity between two surfaces comes in
    disparity = np.asarray(cv2.resize(disparity_px, size, interpolation=cv2.INTER_NEAREST_EXACT)) * np.float32(scale)
    calibration = replace(calibration, camera=camera.scaled_to(*size), doffs_px=calibration.doffs_px * scale)
    return StereoPair(small[0], small[1], calibration), disparity, scale


def _window_px(
    disparity_px: FloatMap, calibration: Calibration, params: View3DParams, corner: tuple[int, int], scale: float
) -> int:
    """The disparity in whole pixels of what lies in the plane of the screen."""
    height, width = disparity_px.shape
    if params.convergence_m is not None:
        camera = calibration.camera
        away = camera.fx * calibration.baseline_m / params.convergence_m - calibration.doffs_px
        return round(min(away, width))  # nothing is left of views that a window so near cuts
    if params.convergence_px is not None:
        x, y = (round((at - c) * scale) for at, c in zip(params.convergence_px, corner, strict=True))
        if not (0 <= x < width and 0 <= y < height):
            raise InputError(f"the pixel {params.convergence_px} lies outside of the views", hint="give X,Y inside")
        around = disparity_px[max(y - _AROUND_PX, 0) : y + _AROUND_PX + 1, max(x - _AROUND_PX, 0) : x + _AROUND_PX + 1]
    else:
        strip = max(round(_BORDER * width), 1)
        around = np.hstack([disparity_px[:, :strip], disparity_px[:, -strip:]])
        if not np.isfinite(around).any():  # then nothing at all stands before the window
            around = disparity_px
    known = around[np.isfinite(around)]
    if not known.size:
        raise InputError("there is no known depth where the window should be", hint="give it as a depth in metres")
    return round(float(np.percentile(known, 50 if params.convergence_px else _NEAREST_PERCENT)))
