"""Define the pictures that belong together: two photos as taken, a rectified pair, a picture with its depth.

Pictures are RGB; integer samples are sRGB-encoded, float samples are linear light. Pixel centres lie at integer
coordinates, lengths are metres. NaN is the only value for "unknown".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Calibration, Camera
from depthapps.core.errors import CalibrationError, InputError, NoDepthError

FloatMap = NDArray[np.floating]
"""A map (H, W) float32 of one value a pixel."""
Image = NDArray[np.integer | np.floating]
"""A picture (H, W, 3) RGB: uint8 or uint16 sRGB, or float32 linear light."""

_NEAREST_M, _FARTHEST_M = 1e-6, 1e9
_LEAST_SIDE = 16  # pixels of two views; features and blocks that are compared have up to as many
_SAMPLE_TYPES = ("uint8", "uint16", "float32")


@dataclass(frozen=True, eq=False)
class PhotoPair:
    """Two photos as they were taken, by hand or by an unrectified rig: their rows need not line up.

    first, second: (H, W, 3) RGB of one size and type, see `Image`. calibration: what is known or assumed of the camera
    that took the first photo, and of its distance to the second; if the photos are rectified, the geometry of both.
    """

    first: Image
    second: Image
    calibration: Calibration

    def __post_init__(self) -> None:
        """Refuse two photos that cannot belong together."""
        check_views("the first photo", self.first, "the second", self.second)


@dataclass(frozen=True, eq=False)
class StereoPair:
    """Two rectified views: a point lies on the same row in both.

    left, right: (H, W, 3) RGB of one size and type, see `Image`. calibration: their geometry.
    """

    left: Image
    right: Image
    calibration: Calibration

    def __post_init__(self) -> None:
        """Refuse two views that cannot belong together."""
        check_views("left", self.left, "right", self.right)


def check_views(name: str, image: Image, other_name: str, other: Image) -> None:
    """Raise InputError for what are no pictures, and for two that cannot be matched, as they are unlike or tiny."""
    check_picture(image)
    check_picture(other)
    _refuse_unlike(name, image, other_name, other)
    refuse_tiny(image)


def refuse_tiny(view: Image, done: str = "matched") -> None:
    """Raise InputError for a view that is smaller than what matching compares; done: what it is too small for."""
    height, width = view.shape[:2]
    if min(height, width) < _LEAST_SIDE:
        raise InputError(
            f"the views are {width}x{height}, too small to be {done}",
            hint=f"both sides of a photo are {_LEAST_SIDE} pixels long at least",
        )


def _refuse_unlike(name: str, image: Image, other_name: str, other: Image) -> None:
    """Raise InputError for two pictures of different sizes or sample types."""
    (h, w), (oh, ow) = image.shape[:2], other.shape[:2]
    if (h, w) != (oh, ow):
        on_its_side = (h, w) == (ow, oh)
        raise InputError(
            f"{name} is {w}x{h} but {other_name} is {ow}x{oh}",
            hint="turn one of them by 90 degrees" if on_its_side else "pass two views of one size, from the same rig",
        )
    if image.dtype != other.dtype:
        raise InputError(
            f"{name} has samples of {image.dtype} but {other_name} of {other.dtype}",
            hint="convert one to the other's type",
        )


@dataclass(frozen=True, eq=False)
class SecondView:
    """Another photo of a scene: what the scene's own picture cannot see, this one may.

    image: (H, W, 3) RGB of the scene's sample type, undistorted. camera: its camera. from_scene: (4, 4) float64, from
    the axes of the scene's camera to those of this one, in metres.
    """

    image: Image
    camera: Camera
    from_scene: NDArray[np.floating]

    def __post_init__(self) -> None:
        """Refuse what is no picture."""
        check_picture(self.image)


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture with its depth and camera: the only input of bokeh, shadows and meshes.

    image: (H, W, 3) RGB, see `Image`.
    depth_m: (H, W) float32, metres along +Z; NaN, 0 or less = unknown, +inf = infinitely far. Less than a micrometre is
    unknown too, and a million kilometres are infinitely far: such numbers come from damaged files, and overflow.
    camera: the camera of both.
    inverse_depth_sigma: standard deviation of the error of 1/Z, in 1/m, that the depth's source has; 0 if not known.
    confidence: (H, W) float32 in 0..1, the probability that the depth is right, 0 where it is given as NaN; None if its
    source does not tell.
    second: the other photo of a stereo pair; None if there is none.
    empty: (H, W) bool, pixels that show no surface at all, as transparent ones; None if there are none.
    """

    image: Image
    depth_m: FloatMap
    camera: Camera
    inverse_depth_sigma: float = 0.0
    confidence: FloatMap | None = None
    second: SecondView | None = None
    empty: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        """Refuse parts that do not fit together."""
        check_picture(self.image)
        h, w = self.image.shape[:2]
        for what, values in (("depth", self.depth_m), ("confidence", self.confidence), ("mask", self.empty)):
            if values is not None and values.shape != (h, w):
                raise InputError(
                    f"the image is {w}x{h} but its {what} is {_size(values)}",
                    hint=f"pass a {what} map of the image's own size",
                )
        if (self.camera.width, self.camera.height) != (w, h):
            raise CalibrationError(
                f"the image is {w}x{h} but its camera is {self.camera.width}x{self.camera.height}",
                hint="scale the calibration to the image with Camera.scaled_to",
            )
        for name in ("depth_m", "confidence"):  # compiled loops read rows of float32
            if (values := getattr(self, name)) is not None:
                object.__setattr__(self, name, np.ascontiguousarray(values, np.float32))
        if self.confidence is not None and not np.isfinite(self.confidence).all():
            object.__setattr__(self, "confidence", np.nan_to_num(self.confidence, nan=0.0, posinf=1.0, neginf=0.0))
        if not 0 <= self.inverse_depth_sigma < np.inf:
            raise InputError(
                f"the depth's inverse_depth_sigma is {self.inverse_depth_sigma:g}", hint="it is 0 if it is not known"
            )
        if self.empty is not None:
            object.__setattr__(self, "empty", np.asarray(self.empty, np.bool_))
        near, far = self.depth_m < _NEAREST_M, (self.depth_m > _FARTHEST_M) & np.isfinite(self.depth_m)
        if near.any() or far.any():
            known = np.where(far, np.float32(np.inf), self.depth_m)
            object.__setattr__(self, "depth_m", np.where(near, np.float32(np.nan), known))
        if not np.isfinite(self.depth_m).any():
            raise NoDepthError("the depth map holds no known depth at all", hint="check its units, scale and file")

    def _repr_png_(self) -> bytes:
        """Show in a notebook the picture, and beside it 1/Z, brighter where it is nearer; unknown depth is black."""
        from depthapps.core.color import png_bytes, to_8bit

        near = 1 / np.where(self.depth_m > 0, self.depth_m, np.float32(np.inf))
        grey = np.rint(255 * near / max(float(np.percentile(near, 99.5)), 1e-9)).clip(0, 255).astype(np.uint8)
        return png_bytes(np.hstack([to_8bit(self.image), np.repeat(grey[..., None], 3, axis=-1)]))


def check_picture(image: Image) -> None:
    """Raise InputError for what is none of the pictures that `Image` describes."""
    check_array(image, "a picture", "image")
    if image.ndim != 3 or image.shape[2] != 3 or not image.size or str(image.dtype) not in _SAMPLE_TYPES:
        raise InputError(
            f"the image is {image.dtype} of {'x'.join(map(str, image.shape))}",
            hint="pass RGB (H, W, 3): uint8 or uint16 in sRGB, or float32 in linear light",
        )
    if image.dtype == np.float32 and not np.isfinite(image).all():
        raise InputError(
            "the image holds samples that are not finite", hint="put a number where it has NaN or infinity"
        )


def check_array(values: object, what: str, held: str) -> None:
    """Refuse what is no array, such as the result of a job that holds one as `held`. Raises InputError."""
    if not isinstance(values, np.ndarray):
        hint = f"pass its .{held}" if hasattr(values, held.partition("[")[0]) else "pass an array"
        raise InputError(f"{what} is wanted, {type(values).__name__} was given", hint=hint)


def check_map(values: NDArray, what: str, held: str) -> None:
    """Refuse what is no map (H, W) of numbers, such as the result of a job that holds one as `held`.

    Raises InputError.
    """
    check_array(values, what, held)
    if values.ndim != 2 or not values.size or values.dtype.kind not in "buif":
        raise InputError(
            f"{what} is wanted, {values.dtype} of {'x'.join(map(str, values.shape)) or 'no size'} was given",
            hint="pass numbers (H, W), one for each pixel",
        )


def _size(values: NDArray) -> str:
    """Size of a map as text, width first as for pictures if it has two dimensions."""
    return "x".join(map(str, values.shape[1::-1] if values.ndim == 2 else values.shape))


def check_scene(scene: object) -> None:
    """Refuse what is no scene, such as the opened scene that holds one. Raises InputError."""
    if not isinstance(scene, Scene):
        hint = "pass its .scene" if hasattr(scene, "scene") else "open_scene makes one"
        raise InputError(f"a Scene is wanted, {type(scene).__name__} was given", hint=hint)


def check_opened(opened: object) -> None:
    """Refuse what is no opened scene, such as the scene in one. Raises InputError."""
    if not isinstance(getattr(opened, "scene", None), Scene):
        raise InputError(
            f"an OpenedScene is wanted, {type(opened).__name__} was given", hint="pass what open_scene returned"
        )
