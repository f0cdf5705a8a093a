"""Settle the depth in focus: a depth in metres, a point, a box, or the subject found in the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from depthapps.bokeh.params import BokehParams
from depthapps.bokeh.subject import find_subject
from depthapps.core.errors import InputError, param
from depthapps.core.scene import FloatMap, Scene

_WINDOW_PX = 2  # a focus point takes the median of 5x5 pixels


@dataclass(frozen=True)
class Focus:
    """The depth in focus, and where it was taken from.

    Attributes
    ----------
    depth_m : float
        The depth in focus, in metres.
    place : tuple of float, optional
        The pixel (x, y) or box (x0, y0, x1, y1) that the depth was taken from; None if it was given in metres.
    stands_out : bool
        Whether `place` is a subject that was searched for and found.
    """

    depth_m: float
    place: tuple[float, ...] | None = None
    stands_out: bool = False


def find_focus(scene: Scene, params: BokehParams) -> Focus:
    """Find the depth in focus, and where it was taken from. This is the only place where the focus is decided.

    Raises InputError if there is no known depth at that place, or if it lies outside the picture.
    """
    if params.focus_depth_m is not None:
        return Focus(params.focus_depth_m)
    height, width = scene.depth_m.shape
    subject = find_subject(scene) if params.focus_px == "auto" else None
    at = subject if params.focus_px == "auto" else params.focus_px
    at = at or ((width - 1) / 2, (height - 1) / 2)
    return Focus(_depth_in(scene.depth_m, at), at, subject is not None)


def _depth_in(depth_m: FloatMap, at: tuple[float, ...]) -> float:
    """Median depth in metres of the known pixels around a point (x, y) or in a box (x0, y0, x1, y1)."""
    height, width = depth_m.shape
    x0, y0, x1, y1 = (round(v) for v in (at if len(at) == 4 else (*at, *at)))
    if x0 > x1 or y0 > y1:
        raise InputError(
            f"the box {','.join(f'{v:g}' for v in at)} in focus has no inside",
            hint="give its top left and its bottom right corner: X0,Y0,X1,Y1",
        )
    if not (x0 >= 0 and x1 < width and y0 >= 0 and y1 < height):
        raise InputError(
            f"the focus {','.join(f'{v:g}' for v in at)} lies outside the picture of {width}x{height}",
            hint=f"x runs from 0 to {width - 1}, y from 0 to {height - 1}",
        )
    reach = _WINDOW_PX if len(at) == 2 else 0
    around = depth_m[max(0, y0 - reach) : y1 + reach + 1, max(0, x0 - reach) : x1 + reach + 1]
    known = around[np.isfinite(around)]
    if not known.size:
        raise InputError(
            f"the depth at the focus {','.join(f'{v:g}' for v in at)} is unknown or infinite",
            hint=f"choose another point, or give {param('focus_depth_m')} in metres",
        )
    return float(np.median(known))
