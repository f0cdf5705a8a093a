"""What a page holds: a photo in layers with its camera, or a model; and what its user can take away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.choices import PageMode, TurnStyle
from depthapps.core.models import PointCloud, TriangleMesh
from depthapps.core.scene import FloatMap

LARGEST_OFFSET = 0.05


@dataclass(frozen=True)
class PageLens:
    """The lens that a page shows first, of 50 mm on a sensor of 36 mm.

    f_number: positive. focus_px: the pixel (x, y) of the page's photo in focus; None if only the distance is known.
    focus_inverse: 1/Z in focus in 1/m, None where it is that of the pixel. blades: of the aperture, 0 if round.
    highlights: strength of clipped lamps.
    """

    f_number: float
    focus_px: tuple[float, float] | None
    focus_inverse: float | None = None
    blades: int = 0
    highlights: float = 1.0


@dataclass(frozen=True)
class PageLight:
    """The light that a page shows first.

    lamp: whether it is a lamp, or else a sun. at: where the lamp is in metres, or the way towards the sun, in the
    camera's axes. size: diameter of the lamp in metres, or of the sun in degrees. color: linear red, green and blue,
    the largest 1. intensity: brightness, 1 is as bright as the photo. ambient: light from the sky.
    """

    lamp: bool
    at: tuple[float, float, float]
    size: float
    color: tuple[float, float, float]
    intensity: float
    ambient: float


@dataclass(frozen=True, eq=False)
class PageHidden:
    """A layer behind what a photo shows, as maps of its size.

    color: (H, W, 3) uint8 sRGB. inverse_m: (H, W) float32, 1/Z in 1/m, NaN where there is no layer. continued: (H, W),
    where it belongs to no layer before it; elsewhere it lies close behind one.
    """

    color: NDArray[np.uint8]
    inverse_m: FloatMap
    continued: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PagePhoto:
    """A photo with its depth, as a page shows it. All maps have the size of the photo.

    Attributes
    ----------
    image : (H, W, 3) uint8 array
        sRGB.
    inverse_m : (H, W) float32 array
        1/Z in 1/m without holes; 0 where infinitely far.
    confidence : (H, W) float32 array
        How sure the depth is, 0 to 1; NaN where the depth is unknown and `inverse_m` is filled in.
    hidden : pair of PageHidden
        What lies behind near things, and behind the near parts of that.
    normals : (H, W, 3) float32 array
        Unit normals of the surface, facing the camera.
    solid_inverse_m : (H, W) float32 array
        1/Z in 1/m of the near side of what casts shadows, without noise; 0 where nothing does.
    thickness : (H, W) float32 array
        1/Z of the far side of it over 1/Z of the near side, 0 to 1.
    offset : (H, W) float32 array
        How far above the surface rays to a light start, as a share of its depth, 0 to LARGEST_OFFSET.
    lamps : (H, W, 3) float32 array
        Hue of clipped lamps, largest channel 1, times the share by which a spot looks like a lamp; 0 elsewhere.
    camera : Camera
    sigma : float
        Standard deviation of the error of 1/Z, in 1/m.
    in_metres : bool
        Whether the depth is in metres, and does not rest on an assumed camera.
    baseline_m : float, optional
        The distance of the two lenses, which sets the scale of the depth; None if the depth was given.
    lens : PageLens
        The lens that the page shows first.
    light : PageLight, optional
        The light that it shows first; None for the usual sun.
    full_width : int
        Width in pixels of the photo that `image` was made from.
    """

    image: NDArray[np.uint8]
    inverse_m: FloatMap
    confidence: FloatMap
    hidden: tuple[PageHidden, PageHidden]
    normals: NDArray[np.floating]
    solid_inverse_m: FloatMap
    thickness: FloatMap
    offset: FloatMap
    lamps: NDArray[np.floating]
    camera: Camera
    sigma: float
    in_metres: bool
    baseline_m: float | None
    lens: PageLens
    light: PageLight | None
    full_width: int


@dataclass(frozen=True, eq=False)
class PageModel:
    """A model in the axes of the camera from which the page first shows it."""

    shape: TriangleMesh | PointCloud
    camera: Camera


@dataclass(frozen=True)
class Recipe:
    """How the page's scene is opened again, for commands and lines of Python that the page shows.

    command: arguments that follow `depthapps bokeh` and the like, as a shell takes them; python: an expression that
    gives an `OpenedScene`. Each is empty where it is not known.
    """

    command: str = ""
    python: str = ""


@dataclass(frozen=True, eq=False)
class PageContents:
    """All that a page holds. title: plain text, which the page escapes. mode: in which it opens."""

    what: PagePhoto | PageModel
    title: str
    mode: PageMode
    style: TurnStyle = TurnStyle.SURFACE
    recipe: Recipe = Recipe()
