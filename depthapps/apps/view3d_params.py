"""Parameters of what is shown to both eyes.

This module does not import numpy, because the command line's help reads the defaults from here and must start fast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from depthapps.core.choices import Motion, StereoStyle, chosen
from depthapps.core.errors import InputError, param

SMALLEST_VIEW = 64  # pixels: an icon
FARTHEST_EYES = 4.0  # distances of the photos: from farther outside, little of what is seen was in a photo
MOTION_VIEWS = 72  # three seconds at 24 frames a second
_MOST_SWEPT = 61  # views of a sweep: to and fro in 1.2 seconds, these are 100 pictures a second, more than is seen
QUILT = 8, 6  # columns and rows, which Looking Glass displays of all sizes take
# A quilt spans twice the distance of the photos: farther outside, too much shows that neither photo saw.
QUILT_PLACES = -0.5, 1.5
_QUILT_SIDE = 4096  # pixels of a quilt, a texture that every display takes
_ANIMATION_SIDE = {".gif": 800, ".webp": 1200, ".mp4": 1920}  # pixels: a few MB of a GIF; a web page; a screen
# Where the photos themselves are shown, depth only tells where the window lies. In six real pairs and one of 12
# megapixels it lies within 0.4 px of where views matched at their own size put it, in pixels of a view of 800.
_MATCHED_FOR_WINDOW = 1200
_MATCHED_A_PIXEL = 2  # pixels of a side that are matched for one of a view that is made from the depth
# What players of stereo pictures take from the end of a name; iw3 writes the same.
_NAMES = {
    StereoStyle.SIDE_BY_SIDE: "_LRF_Full_SBS",
    StereoStyle.HALF_SIDE_BY_SIDE: "_LR",
    StereoStyle.TOP_BOTTOM: "_TBF_fulltb",
    StereoStyle.HALF_TOP_BOTTOM: "_TB",
    StereoStyle.CROSS_EYED: "_RLF_cross",
    StereoStyle.ANAGLYPH: "_redcyan",
}


@dataclass(frozen=True)
class View3DParams:
    """How a scene is shown to both eyes.

    Attributes
    ----------
    style : StereoStyle
        How one picture shows both views; other files than pictures have a form of their own.
    convergence_m : float, optional
        The depth, in metres, that lies in the plane of the screen.
    convergence_px : pair of float, optional
        The pixel of the left view whose depth lies there. None for both: what is nearest at the left and right border,
        so that the frame cuts nothing that stands before it.
    view_size_px : int, optional
        The longest side of a view in pixels, 64 or more; views are never enlarged. None keeps their size;
        `usual_view_size` tells what is usual for a file.
    swap : bool
        Exchange the eyes.
    views : int, optional
        The views in which an animation goes from left to right, 2 to 61; 2, the default, are the photos themselves.
        Of other motions, the pictures of a loop; MOTION_VIEWS by default.
    eye_distance : float
        How far the eyes are apart, in distances of the two photos, above 0 and at most 4. Unless it is 1, the right
        view is made from the depth.
    motion : Motion
        How the camera of an animation moves.
    """

    style: StereoStyle = StereoStyle.SIDE_BY_SIDE
    convergence_m: float | None = None
    convergence_px: tuple[float, float] | None = None
    view_size_px: int | None = None
    swap: bool = False
    views: int | None = None
    eye_distance: float = 1.0
    motion: Motion = Motion.SWEEP

    def of_smaller(self, times: int) -> View3DParams:
        """The same parameters for a scene whose sides are `times` shorter."""
        at = self.convergence_px
        return self if at is None else replace(self, convergence_px=tuple((v + 0.5) / times - 0.5 for v in at))

    def __post_init__(self) -> None:
        """Turn words into choices, and refuse numbers that show nothing."""
        object.__setattr__(self, "style", chosen(StereoStyle, self.style, "style"))
        object.__setattr__(self, "motion", chosen(Motion, self.motion, "motion"))
        if self.convergence_m is not None and self.convergence_px is not None:
            raise InputError("the convergence was given twice", hint="give a depth or a pixel")
        if self.convergence_m is not None and not self.convergence_m > 0:
            raise InputError(
                f"a depth of {self.convergence_m:g} m is not before the camera", hint="give metres above 0"
            )
        at = self.convergence_px
        if at is not None and (len(at) != 2 or not all(map(math.isfinite, at))):
            raise InputError(f"the pixel {self.convergence_px} is no place", hint="give X,Y inside of the left view")
        if self.view_size_px is not None and self.view_size_px < SMALLEST_VIEW:
            raise InputError(f"a view of {self.view_size_px} px shows nothing", hint=f"give {SMALLEST_VIEW} or more")
        if self.frames < 2:
            raise InputError("one view does not move", hint=f"give 2 or more as {param('views')}")
        if self.motion is Motion.SWEEP and self.frames > _MOST_SWEPT:
            raise InputError(f"a sweep over {self.frames} views was asked for", hint=f"{_MOST_SWEPT} are the most")
        if not 0 < self.eye_distance <= FARTHEST_EYES:
            raise InputError(
                f"eyes {self.eye_distance:g} times as far apart as the photos were asked for",
                hint=f"{param('eye_distance')} lies above 0 and is at most {FARTHEST_EYES:g}",
            )
        eyes = (self.eye_distance, self.swap, self.convergence_m, at)
        if self.style is StereoStyle.RGBD and eyes != (1, False, None, None):
            raise InputError(
                f"the style {self.style} shows one view, whole",
                hint=f"leave the convergence, {param('eye_distance')} and {param('swap')} out",
            )
        if self.motion is not Motion.SWEEP and (self.eye_distance != 1 or self.swap):
            raise InputError(
                f"one eye sees the motion {self.motion}",
                hint=f"leave {param('eye_distance')} and {param('swap')} out",
            )

    @property
    def matched_side_px(self) -> int | None:
        """How large two photos need to be matched for these views, as `SceneParams.matched_side_px`."""
        drawn = self.frames > 2 or self.eye_distance != 1 or self.style in (StereoStyle.QUILT, StereoStyle.RGBD)
        if not drawn:
            return _MATCHED_FOR_WINDOW
        return self.view_size_px and max(_MATCHED_A_PIXEL * self.view_size_px, _MATCHED_FOR_WINDOW)

    @property
    def frames(self) -> int:
        """The views in which an animation goes from left to right, or the pictures of another motion's loop."""
        if self.views is not None:
            return self.views
        return 2 if self.motion is Motion.SWEEP else MOTION_VIEWS


def usual_view_size(suffix: str, style: StereoStyle) -> int | None:
    """The longest side of a view in pixels that is usual in files of a suffix; None for the view's own."""
    if suffix.lower() in _ANIMATION_SIDE:
        return _ANIMATION_SIDE[suffix.lower()]
    return _QUILT_SIDE // max(QUILT) if style is StereoStyle.QUILT else None


def player_name(name: str, style: StereoStyle, aspect: float = 1.0) -> str:
    """A file's name without suffix that tells a player its style. aspect: width over height of a view, for quilts."""
    if style is StereoStyle.QUILT:
        return f"{name}_qs{QUILT[0]}x{QUILT[1]}a{aspect:.2f}"
    return name + _NAMES.get(style, f"_{style}")


def cut_by_window(window_px: int, style: StereoStyle) -> int:
    """How many pixels narrower a style's views get, so that they are seen through a window at that disparity."""
    if style is StereoStyle.RGBD:
        return 0  # one view, whole
    places = QUILT_PLACES if style is StereoStyle.QUILT else (0, 1)
    starts = [round(window_px * (1 - place)) for place in places]
    return max(starts) - min(starts)
