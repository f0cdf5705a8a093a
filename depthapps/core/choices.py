"""Define the choices that users make by name: enumerations whose values are the words of the command line.

This module does not import numpy or OpenCV, because the command line's help is built from it and must start fast.
"""

from enum import StrEnum
from typing import TypeVar

from depthapps.core.errors import InputError, brief

Word = TypeVar("Word", bound=StrEnum)


class Quality(StrEnum):
    """How much time a result may take; every stage of a job follows the same setting."""

    FAST = "fast"
    BALANCED = "balanced"
    BEST = "best"


class Layout(StrEnum):
    """How one picture holds two views: the left view is on the left side, or on top, or is the red one."""

    SIDE_BY_SIDE = "side-by-side"
    TOP_BOTTOM = "top-bottom"
    ANAGLYPH = "anaglyph"


class DepthKind(StrEnum):
    """What the numbers of a depth map are.

    METRIC: metres along the camera's axis. DISTANCE: metres along the ray of each pixel. INVERSE: 1/metres.
    AFFINE_INVERSE: inverse depth of unknown scale and offset, as monocular networks give it; larger is nearer. AFFINE:
    depth of unknown scale and offset; larger is farther. REVERSED_Z: the z-buffer of a renderer such as Unity or
    Unreal, 1 at its near plane and 0 at its far one.
    """

    METRIC = "metric"
    DISTANCE = "distance"
    INVERSE = "inverse"
    AFFINE_INVERSE = "affine-inverse"
    AFFINE = "affine"
    REVERSED_Z = "reversed-z"


class Rectify(StrEnum):
    """Whether two views are rectified onto common rows: only if they are not yet, never, or always."""

    AUTO = "auto"
    NEVER = "never"
    ALWAYS = "always"


class Frame(StrEnum):
    """The pixel grid of a result: that of the first photo as it was taken, or of its rectified version."""

    ORIGINAL = "original"
    RECTIFIED = "rectified"


class MapKind(StrEnum):
    """What a depth file holds.

    DISPARITY: pixels. DEPTH: metres. AFFINE_INVERSE: inverse depth from 0, far, to 1, near, as monocular networks give
    it and as programs take it that animate photos. PREVIEW: a coloured picture with a legend. PORTRAIT: the photo with
    its depth inside, as phones store portraits: GDepth in JPEG, Apple's auxiliary picture in HEIC. DYNAMIC_DEPTH: the
    same in the later form of Android.
    """

    DISPARITY = "disparity"
    DEPTH = "depth"
    AFFINE_INVERSE = "affine-inverse"
    PREVIEW = "preview"
    PORTRAIT = "portrait"
    DYNAMIC_DEPTH = "dynamic-depth"


class StereoStyle(StrEnum):
    """How one picture shows a scene to both eyes.

    SIDE_BY_SIDE, TOP_BOTTOM: both views in full size, the left one at the left or on top; HALF_: each made half as
    wide, or half as high. CROSS_EYED: the right view at the left, to look at with crossed eyes. ANAGLYPH: red-cyan
    glasses, with Dubois' colours; _OPTIMIZED: without red that flickers; _GREY: without colours. GREEN_MAGENTA: those
    glasses. INTERLACED: rows for the left and the right eye by turns, for polarised screens. QUILT: many views in a
    grid, for Looking Glass displays. RGBD: the photo, and its depth beside it.
    """

    SIDE_BY_SIDE = "side-by-side"
    HALF_SIDE_BY_SIDE = "half-side-by-side"
    TOP_BOTTOM = "top-bottom"
    HALF_TOP_BOTTOM = "half-top-bottom"
    CROSS_EYED = "cross-eyed"
    ANAGLYPH = "anaglyph"
    ANAGLYPH_OPTIMIZED = "anaglyph-optimized"
    ANAGLYPH_GREY = "anaglyph-grey"
    GREEN_MAGENTA = "green-magenta"
    INTERLACED = "interlaced"
    QUILT = "quilt"
    RGBD = "rgbd"


class Motion(StrEnum):
    """How the camera of an animation moves.

    SWEEP: from the left photo to the right one and back. ORBIT: around a small ellipse, and looks at one point.
    DOLLY_ZOOM: back, and zooms in as much, so that one distance keeps its size.
    """

    SWEEP = "sweep"
    ORBIT = "orbit"
    DOLLY_ZOOM = "dolly-zoom"


class Unsure(StrEnum):
    """How a preview shows depth that is likely wrong: grey, or in the colours of its depth."""

    GREY = "grey"
    KEEP = "keep"


class Show(StrEnum):
    """What is drawn instead of a refocused picture: the radius of the blur, what is in focus, or the depth."""

    COC = "coc"
    FOCUS = "focus"
    DEPTH = "depth"


class Preset(StrEnum):
    """What a model is for: all of its detail, a web page, a printer, or a lamp behind a printed plate."""

    FULL = "full"
    WEB = "web"
    PRINT = "print"
    LITHOPHANE = "lithophane"


class Holes(StrEnum):
    """What a model has where its depth is not known: surfaces that are made up, or holes."""

    FILL = "fill"
    KEEP = "keep"


class Axes(StrEnum):
    """Where Y and Z of a model point: down and forward as in cameras, or up and backward as in 3D viewers."""

    CAMERA = "camera"
    VIEWER = "viewer"


class PageMode(StrEnum):
    """What one does with a scene on its page, and in which of these it opens."""

    REFOCUS = "refocus"
    RELIGHT = "relight"
    TURN = "turn"
    MEASURE = "measure"


class TurnStyle(StrEnum):
    """How a page that turns a scene draws it."""

    SURFACE = "surface"
    POINTS = "points"
    WIRES = "wires"


class LightKind(StrEnum):
    """The kind of a light: a sun, a lamp that shines all around, or a lamp with a beam."""

    DIRECTIONAL = "directional"
    POINT = "point"
    SPOT = "spot"


def chosen(kind: type[Word], value: str, name: str) -> Word:
    """Find the member of an enumeration by its word. Raises InputError for an unknown word."""
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(kind)
        raise InputError(f"{brief(value)} is no {name.replace('_', ' ')}", hint=f"it may be {known}") from None
