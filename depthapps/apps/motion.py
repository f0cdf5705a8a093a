"""Move a camera through a scene for a video: on a small ellipse around it, or back while it zooms in."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from depthapps.apps.model import Model
from depthapps.apps.turntable import render_view, turned_about
from depthapps.core.camera import Camera
from depthapps.core.choices import Motion
from depthapps.draw.background import guess_background
from depthapps.mesh.view import NewView

SWING_DEG = 3.0  # to each side: the picture's border needs no more than a tenth of it to be cut off
_NOD = 0.5  # the ellipse's height over its width
_RETREAT = 0.5  # of the distance of what keeps its size: from farther away, much shows that no photo saw
_LARGEST_ZOOM, _STEPS = 1.5, 5  # that hides the model's border, and halvings to find it: to 2 %
_SMALL = 200  # pixels of the longest side of pictures in which the border is looked for
_LEAST_COVERED = 0.995  # share of the border that shows the model
Shot = tuple[Camera, NDArray[np.float64]]  # a camera, and its pose (4, 4)


def moving_frames(
    model: Model, motion: Motion, focus_m: float, size: tuple[int, int], count: int
) -> Iterator[NDArray[np.uint8]]:
    """Render the frames of a loop.

    Parameters
    ----------
    model : Model
        Of one view, with what is behind things filled.
    motion : Motion
        ORBIT: the camera goes around an ellipse and looks at a point ahead. DOLLY_ZOOM: it goes half as far
        away again and zooms in, so that what is at that distance keeps its size and the background comes close.
    focus_m : float
        The distance of that point, above 0.
    size : tuple of two int
        Width and height of the frames in pixels.
    count : int
        How many frames; the last one is followed by the first.

    Yields
    ------
    (H, W, 3) uint8 array
        RGB.

    Notes
    -----
    All frames are zoomed in by the same factor, up to 1.5, so that the border of the model does not show. What it
    leaves free is filled with the background beside it; around what was cut out of its photo it is black.
    """
    camera = model.camera.scaled_to(*size)
    shots = [_shot(camera, motion, focus_m, k / count) for k in range(count)]
    zoom = _zoom_that_hides_the_border(model, shots[:: max(1, count // 8)])
    for shot in shots:
        view = render_view(model, _zoomed(shot[0], zoom), pose=shot[1])
        yield view.image if model.cut_out else _without_holes(view)


def _without_holes(view: NewView) -> NDArray[np.uint8]:
    """The picture (H, W, 3) of a view with the background's colours where the model leaves something free."""
    whole = view.covered == 1
    if whole.all() or not whole.any():
        return view.image
    near = np.where(whole, 1 / view.depth_m, np.float32(0))
    guess = guess_background(view.image.astype(np.float32), whole, near * (1000 / near[whole].mean()))
    return np.where(whole[..., None], view.image, np.rint(guess).astype(np.uint8))


def _shot(camera: Camera, motion: Motion, focus_m: float, phase: float) -> Shot:
    """The camera and its pose at a phase of the loop, 0 to 1."""
    sine, cosine = math.sin(2 * math.pi * phase), math.cos(2 * math.pi * phase)
    if motion is Motion.ORBIT:
        return camera, turned_about(focus_m, SWING_DEG * sine, _NOD * SWING_DEG * cosine)
    back = _RETREAT * (1 - cosine) / 2
    pose = np.eye(4)
    pose[2, 3] = -back * focus_m
    return _zoomed(camera, 1 + back), pose


def _zoomed(camera: Camera, zoom: float) -> Camera:
    return replace(camera, fx=camera.fx * zoom, fy=camera.fy * zoom)


def _zoom_that_hides_the_border(model: Model, shots: list[Shot]) -> float:
    """The least zoom with which all pictures show the model up to their border; the largest one if none does."""
    low, high = 1.0, _LARGEST_ZOOM
    if _all_covered(model, shots, low):
        return low
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if _all_covered(model, shots, middle) else (middle, high)
    return high


def _all_covered(model: Model, shots: list[Shot], zoom: float) -> bool:
    for camera, pose in shots:
        shrink = min(1.0, _SMALL / max(camera.width, camera.height))
        small = camera.scaled_to(max(round(camera.width * shrink), 2), max(round(camera.height * shrink), 2))
        covered = render_view(model, _zoomed(small, zoom), pose=pose).covered
        border = np.concatenate([covered[0], covered[-1], covered[:, 0], covered[:, -1]])
        if border.mean() < _LEAST_COVERED:
            return False
    return True
