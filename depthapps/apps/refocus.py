"""Refocus a scene: one picture with a shallow depth of field, or a video in which the focus moves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from depthapps.apps.journal import JobResult, Journal, Progress
from depthapps.bokeh.focus import Focus, find_focus
from depthapps.bokeh.lens import signed_coc
from depthapps.bokeh.params import BokehParams
from depthapps.bokeh.render import blur
from depthapps.bokeh.sweep import focus_pull
from depthapps.core.choices import Quality, Show, chosen
from depthapps.core.color import png_bytes
from depthapps.core.errors import InputError
from depthapps.core.scene import FloatMap, Image, Scene, check_scene


@dataclass(frozen=True, eq=False, kw_only=True)
class Refocused(JobResult):
    """A refocused picture.

    Attributes
    ----------
    image : (H, W, 3) array
        RGB, of the scene's own size and sample type; or the drawing that was asked for, uint8.
    coc_px : (H, W) float32 array
        Radius of the circle of confusion in pixels: positive before the focus, negative behind it.
    focus : Focus
        The depth in focus in metres, and the place in the picture that it was taken from.
    """

    image: Image
    coc_px: FloatMap
    focus: Focus

    def _repr_png_(self) -> bytes:
        """Show the picture in a notebook."""
        return png_bytes(self.image)


def refocus(
    scene: Scene,
    params: BokehParams | None = None,
    quality: Quality = Quality.BALANCED,
    *,
    show: Show | None = None,
    progress: Progress | None = None,
) -> Refocused:
    """Blur what is out of focus, as a fast lens does.

    Parameters
    ----------
    scene : Scene
    params : BokehParams, optional
        The lens, and where it is focused: a pixel, a box, the subject ("auto"), or a depth in metres.
    quality : Quality
        FAST blurs three depth layers and composes them; BALANCED fills in the background behind near things; BEST finds
        which parts of the lens see each pixel.
    show : Show, optional
        Draw the radius of the blur, the parts in focus, or the depth, instead of the refocused picture.
    progress : callable, optional
        Called with every `Note` and `Stage` as they happen.

    Returns
    -------
    Refocused

    Raises
    ------
    InputError
        The focus lies outside the picture, or its depth is unknown.

    Notes
    -----
    The radius of a thin lens' circle of confusion is linear in 1/z: c = f_px · f / (2N) · (1/z − 1/z_focus). Each pixel
    is spread over its own circle (Potmesil and Chakravarty 1981), in linear light.

    Examples
    --------
    >>> import depthapps as da
    >>> near = da.refocus(opened.scene, da.BokehParams(focus_px="auto", f_number=1.4))  # doctest: +SKIP
    >>> da.write_image("near.jpg", near.image, opened.metadata)  # doctest: +SKIP
    """
    check_scene(scene)
    quality, show = chosen(Quality, quality, "quality"), chosen(Show, show, "show") if show else None
    params, journal = params or BokehParams(), Journal(progress)
    with journal.stage("rendering"):
        focus = find_focus(scene, params)
        if focus.place is not None and params.focus_px == "auto":
            what = "the subject is" if focus.stands_out else "nothing stands out; in focus is the middle,"
            x, y = focus.place[:2]
            journal.note(f"{what} at {x:g},{y:g}, {focus.depth_m:.3g} m away")
        coc = signed_coc(scene, params, focus.depth_m)
        image = blur(scene.image, coc, params, quality) if show is None else _drawn(scene, coc, show)
    journal.add(focus_m=round(focus.depth_m, 4), largest_blur_px=round(float(abs(coc).max()), 2))
    journal.add(focus_px=[round(float(v), 1) for v in focus.place] if focus.place else None)
    return Refocused(image=image, coc_px=coc, focus=focus, **journal.told)


def _drawn(scene: Scene, coc: FloatMap, show: Show) -> Image:
    """Draw the blur, the focus or the depth instead of the refocused picture."""
    from depthapps.draw.focus import show_coc, show_focus
    from depthapps.draw.preview import render_depth_preview

    if show is Show.DEPTH:
        return render_depth_preview(scene.depth_m)
    return show_coc(coc) if show is Show.COC else show_focus(scene.image, coc)


def refocus_sweep(
    scene: Scene,
    near_m: float,
    far_m: float,
    frames: int,
    params: BokehParams | None = None,
    quality: Quality = Quality.BALANCED,
    *,
    progress: Progress | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """Render the frames of a focus pull, in which the focus moves from one depth to another.

    Parameters
    ----------
    scene : Scene
    near_m, far_m : float
        The depths in focus at the first and at the last frame, in metres.
    frames : int
        Number of frames.
    params : BokehParams, optional
        The lens; the focus in it is not used.
    quality : Quality
    progress : callable, optional
        Called with a `Stage` after every frame.

    Yields
    ------
    (H, W, 3) uint8 array
        RGB; `write_video` takes them.

    Notes
    -----
    The focus moves evenly in 1/Z, and slowly at both ends. The aperture does not change: without an f-number it is the
    one that gives the wanted strongest blur at the two ends.
    """
    check_scene(scene)
    quality = chosen(Quality, quality, "quality")
    if not (0 < near_m < math.inf and 0 < far_m < math.inf and frames >= 1):
        raise InputError(
            f"{frames} frames from {near_m:g} to {far_m:g} m were asked for",
            hint="give two positive distances in metres, and at least one frame",
        )
    pull = focus_pull(scene, replace(params or BokehParams(), focus_px=None), (near_m, far_m), frames, quality)
    yield from Journal(progress).steps(pull, frames, "rendering")
