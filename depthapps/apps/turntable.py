"""Look at a model from new places: single pictures, and a video that turns it to and fro."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from depthapps.apps.journal import Journal, Progress
from depthapps.apps.model import Model, make_model
from depthapps.apps.params import TURN_DEG
from depthapps.core.camera import Camera
from depthapps.core.errors import InputError, brief
from depthapps.core.models import TriangleMesh
from depthapps.core.scene import Scene, check_scene
from depthapps.io.sizes import check_pixels
from depthapps.mesh.view import NewView, draw_mesh, drawable

TURNTABLE_FRAMES = 96  # four seconds at 24 frames a second: slow enough to look behind things
TURNTABLE_PX = 1920  # the longest side of a frame, what most screens show and all phones play


def render_view(
    model: Model | TriangleMesh | Scene,
    camera: Camera,
    size: tuple[int, int] | None = None,
    *,
    pose: NDArray[np.floating] | None = None,
    background: tuple[int, int, int] = (0, 0, 0),
) -> NewView:
    """Render what a camera sees of a model.

    Parameters
    ----------
    model : Model, TriangleMesh or Scene
        Of a scene the model is made first, as `make_model` makes it; to render several views, make it once.
    camera : Camera
    size : tuple of two int, optional
        Width and height of the picture in pixels; None takes the camera's.
    pose : (4, 4) array, optional
        From the axes of the new camera to those of the model, in metres; None looks from where the photo was taken.
    background : tuple of three int
        sRGB colour, 0 to 255, of what the model leaves free.

    Returns
    -------
    NewView
        The picture, anti-aliased; the depth of each pixel; and how much of it shows the model.

    Raises
    ------
    InputError
        The model is a point cloud, the size is not positive or more than the memory holds, the pose is no rotation and
        place, or the background is no colour.

    Notes
    -----
    Triangles are drawn with a depth buffer and perspective-correct texture coordinates, with 2 x 2 samples a pixel that
    are averaged in linear light. No light is added, as the photo has its own in it.
    """
    if size is not None:
        if not min(size) >= 1:
            raise InputError(f"a picture of {size[0]}x{size[1]} px was asked for", hint="sizes are positive")
        camera = camera.scaled_to(*size)
    check_pixels(camera.width, camera.height, "the view")
    if pose is not None and not _is_pose(np.asarray(pose)):
        raise InputError("the pose is no rotation and place", hint="pass a (4, 4) matrix whose last row is 0 0 0 1")
    if len(background) != 3 or not all(0 <= part <= 255 for part in background):
        raise InputError(f"{brief(background)} is no colour", hint="pass red, green and blue, each from 0 to 255")
    if not isinstance(model, Model | TriangleMesh):
        check_scene(model)
        model = make_model(model)
    return draw_mesh(model.mesh if isinstance(model, Model) else model, camera, pose, background)


def turntable(
    model: Model,
    turn_deg: float = TURN_DEG,
    frames: int = TURNTABLE_FRAMES,
    *,
    longest_px: int = TURNTABLE_PX,
    progress: Progress | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """Render the frames of a video that turns a model to the right, to the left, and back to where it began.

    Parameters
    ----------
    model : Model
        Of one view.
    turn_deg : float
        How far it is turned to either side, in degrees.
    frames : int
        How many frames; played in a loop, the last one is followed by the first.
    longest_px : int
        The longest side of a frame; pictures are not enlarged, and a note tells if they are reduced.
    progress : callable, optional
        Called with a `Stage` after every frame.

    Yields
    ------
    (H, W, 3) uint8 array
        RGB, of the size of the model's camera or less; `write_video` takes them.

    Notes
    -----
    The model turns about the point at its median depth in the middle of the picture. The angle follows a sine, which
    has no jerk at the turning points, and passes every place twice, so half of the frames are drawn.
    """
    if not isinstance(model, Model):
        raise InputError(f"a Model is wanted, {type(model).__name__} was given", hint="make_model makes one")
    if frames < 1:
        raise InputError(f"a video of {frames} frames was asked for", hint="96 are four seconds")
    if longest_px < 1:
        raise InputError(f"frames of {longest_px} px were asked for", hint="sizes are positive")
    if not math.isfinite(turn_deg):
        raise InputError(f"a model turned by {turn_deg} degrees was asked for", hint=f"{TURN_DEG:g} is usual")
    journal, camera, mesh = Journal(progress), model.camera, drawable(model.mesh)
    share = longest_px / max(camera.width, camera.height)
    if share < 1:
        camera = camera.scaled_to(max(round(share * camera.width), 1), max(round(share * camera.height), 1))
        journal.note(f"the frames of the turning model are reduced to {camera.width}x{camera.height} px")
    seen = draw_mesh(mesh, camera).depth_m
    middle_m = float(np.median(seen[np.isfinite(seen)])) if np.isfinite(seen).any() else 1.0
    angles = np.round(turn_deg * np.sin(2 * math.pi * np.arange(frames) / frames), 9) + 0.0  # no -0
    left = Counter(angles.tolist())
    drawn: dict[float, NDArray[np.uint8]] = {}
    for angle in journal.steps(angles.tolist(), frames, "turning"):
        if angle not in drawn:
            drawn[angle] = draw_mesh(mesh, camera, turned_about(middle_m, angle)).image
        left[angle] -= 1
        yield drawn[angle] if left[angle] else drawn.pop(angle)


def turned_about(depth_m: float, yaw_deg: float, pitch_deg: float = 0.0) -> NDArray[np.float64]:
    """The pose (4, 4) of a camera that is moved around the point at a depth ahead, and still looks at it.

    yaw_deg: to the left of the point when positive. pitch_deg: above it when positive.
    """
    (s, c), (t, d) = ((math.sin(a), math.cos(a)) for a in (math.radians(yaw_deg), math.radians(pitch_deg)))
    turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ np.array([[1, 0, 0], [0, d, t], [0, -t, d]])
    pose, middle = np.eye(4), np.array([0, 0, depth_m])
    pose[:3, :3], pose[:3, 3] = turn, middle - turn @ middle
    return pose


def _is_pose(pose: NDArray[np.floating]) -> bool:
    if pose.shape != (4, 4) or not np.isfinite(pose).all():
        return False
    return np.allclose(pose[3], (0, 0, 0, 1)) and np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-4)
