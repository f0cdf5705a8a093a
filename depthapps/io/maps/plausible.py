"""Notice depth that cannot be what it is said to be: absurd metres, marks of the sky, maps without a unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthapps.core.choices import DepthKind
from depthapps.core.errors import param
from depthapps.core.scene import FloatMap
from depthapps.io.maps.numbers import RawMap

_HALF_LARGEST = 65504.0  # the largest number of 16-bit floats
_SKY = 1e6  # larger ones are marks: Blender writes 1e10 where a ray hits nothing
# A far plane at a round number, where nothing was drawn: at least this, this much larger than all else, and shared.
_FAR_PLANE, _FAR_TIMES, _FAR_SHARE = 1000.0, 10.0, 1e-3
# Rooms, streets and portraits have the middle of their depth well between these. Aerial photos may not; all that they
# get is a note.
_NEAREST_M, _FARTHEST_M = 0.02, 200.0
_LEAST_SCALED_M = 0.01
_LARGEST_DISPARITY = 0.4  # of the width; half of a picture is hardly ever nearer than that
_FULL = 0.98  # of a range that a map without a unit fills


def largest_is_sky(values: FloatMap) -> NDArray[np.bool_]:
    """Where a map (h, w) of floats marks what is infinitely far."""
    sky = np.isposinf(values) | (values >= _SKY) | (values == np.float32(_HALF_LARGEST))
    rest = values[np.isfinite(values) & ~sky]
    if rest.size == 0 or rest.max() < _FAR_PLANE:
        return sky
    largest = rest.max()
    others = rest[rest < largest]
    if others.size and largest >= _FAR_TIMES * others.max() and rest.size - others.size >= _FAR_SHARE * values.size:
        sky |= values == largest
    return sky


def meant_for_floats(values: FloatMap, scale: float) -> bool:
    """Whether floats (h, w) can be in units of which `scale` are a metre; else they are metres already."""
    known = values[np.isfinite(values) & (values > 0)]
    return known.size == 0 or scale <= 1 or float(np.median(known)) / scale >= _LEAST_SCALED_M


def doubts_of_depth(raw: RawMap, depth_m: FloatMap, *, told: bool, along_rays: bool) -> tuple[str, ...]:
    """Sentences that doubt a depth map (h, w) in metres and name the parameter that would help.

    told: whether the user gave the units a metre.
    """
    known = depth_m[np.isfinite(depth_m)]
    doubts = []
    if known.size:
        middle = float(np.median(known))
        if not _NEAREST_M <= middle <= _FARTHEST_M:
            doubts.append(
                f"{raw.name} has {middle:.3g} m in its middle, which is hard to believe: {param('depth_scale')} tells "
                "how many of its units are a metre, 1000 for millimetres"
            )
        elif not told and _fills_its_range(raw.values):
            affine, inverse = (param("depth_kind", k) for k in (DepthKind.AFFINE, DepthKind.AFFINE_INVERSE))
            doubts.append(
                f"{raw.name} fills its range as maps without a unit do: if bright is near in it, pass {inverse}; if "
                f"bright is far, {affine}"
            )
    if raw.kind is DepthKind.INVERSE:
        doubts.append(
            f"{raw.name} is called a disparity or an inverse in its file: {param('depth_kind', raw.kind)} takes it as "
            f"1/metres, {param('disparity', 'FILE')} as pixels"
        )
    elif raw.kind is DepthKind.DISTANCE and not along_rays:
        doubts.append(f"{raw.name} holds distances along the rays by its name: pass {param('depth_kind', raw.kind)}")
    return tuple(doubts)


def _fills_its_range(values: NDArray) -> bool:
    """Whether a map reaches from 0 to 1, or from 0 to the largest of 16 bits, as if it had been stretched to that."""
    if values.dtype.kind == "f":
        known = values[np.isfinite(values)]
        return bool(known.size) and 0 <= known.min() <= 1 - _FULL and _FULL <= known.max() <= 1
    largest = 65535
    return values.dtype == np.uint16 and values.min() <= (1 - _FULL) * largest and values.max() >= _FULL * largest


def doubts_of_disparity(disparity_px: FloatMap, name: str, width: int) -> tuple[str, ...]:
    """A sentence that doubts disparities (h, w) too large for a picture of `width` pixels."""
    known = disparity_px[np.isfinite(disparity_px)]
    if not known.size or float(np.median(known)) <= _LARGEST_DISPARITY * width:
        return ()
    return (
        f"{name} has {float(np.median(known)):.3g} px in its middle, in a picture {width} px wide: "
        f"{param('disparity_scale')} tells how many of its units are a pixel, 16 for OpenCV's fixed point",
    )
