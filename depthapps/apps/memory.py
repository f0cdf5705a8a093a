"""What a command needs of the memory, told before it starts; where that is too much, a faster tier or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from depthapps.core.choices import Quality
from depthapps.core.errors import InputError, param
from depthapps.engine.effort import matching_bytes
from depthapps.runtime.budget import memory_budget, size_text

# Bytes a pixel of the picture at the peak, measured at 1, 6 and 12.6 megapixels with a depth that was given, shadow and
# view3d at 50 as well; mesh, with its holes filled, at 1, 2 and 6, and as splats at 1, 2.5 and 5. Beside them stand the
# libraries; the compiler, where loops are not compiled yet, takes some 200 MB.
_FIXED = 300_000_000
_OPENING = 31
_A_PIXEL = {
    ("depth", Quality.FAST): 31, ("depth", Quality.BALANCED): 31, ("depth", Quality.BEST): 31,
    ("bokeh", Quality.FAST): 85, ("bokeh", Quality.BALANCED): 180, ("bokeh", Quality.BEST): 190,
    ("shadow", Quality.FAST): 170, ("shadow", Quality.BALANCED): 100, ("shadow", Quality.BEST): 100,
    ("mesh", Quality.FAST): 475, ("mesh", Quality.BALANCED): 475, ("mesh", Quality.BEST): 475,
    ("view", Quality.FAST): 150, ("view", Quality.BALANCED): 150, ("view", Quality.BEST): 150,
    ("view3d", Quality.FAST): 95, ("view3d", Quality.BALANCED): 95, ("view3d", Quality.BEST): 95,
}  # fmt: skip
NOTHING: Mapping[str, int] = MappingProxyType({})
PAGE = MappingProxyType({"view": 2048**2})  # a page's photo is made smaller, while the opened one is still there
_SMALLER = (1, 2, 4, 8)  # how many times shorter the sides of a scene may become that is too large otherwise
_SHRINKABLE = ("bokeh", "shadow", "mesh", "view3d")
_LOWER = {Quality.BEST: Quality.BALANCED, Quality.BALANCED: Quality.FAST}
_GB = 1e9


def needed_bytes(
    command: str,
    quality: Quality,
    pixels: int,
    *,
    matched: bool,
    matched_px: int | None = None,
    times: int = 1,
    beside: Mapping[str, int] = NOTHING,
) -> int:
    """The memory in bytes that a command takes at its peak for a picture of so many pixels.

    matched: two views are matched, and the depth is not given; matched_px: in copies of so many pixels. times: how many
    times shorter the sides of the scene are made once it is open. beside: other commands whose work is done as well,
    and of how many pixels at most; `PAGE` for a page.
    """
    opening, peaks = _OPENING * pixels, [0]
    if command == "view":
        beside = PAGE
    else:
        peaks.append(max(opening, _A_PIXEL[command, quality] * pixels // times**2))
    for other, most in beside.items():
        peaks.append(opening + _A_PIXEL[other, quality] * min(pixels, most))
    if matched:
        small = pixels if matched_px is None else min(matched_px, pixels)
        peaks.append(matching_bytes(quality, small) + _OPENING * (pixels - small) - _FIXED)
    return _FIXED + max(peaks)


def fitting(
    command: str,
    quality: Quality,
    size: tuple[int, int],
    *,
    matched: bool,
    matched_px: int | None = None,
    shrinkable: bool = True,
    beside: Mapping[str, int] = NOTHING,
) -> tuple[Quality, int]:
    """The quality and the `times` of `needed_bytes` that the memory is enough for: lower quality first. As below."""
    refusal: InputError | None = None
    for times in _SMALLER if shrinkable and command in _SHRINKABLE else _SMALLER[:1]:
        try:
            fits = fitting_quality(
                command, quality, size, matched=matched, matched_px=matched_px, times=times, beside=beside
            )
            return fits, times
        except InputError as error:
            refusal = refusal or error
    assert refusal is not None
    raise refusal


def fitting_quality(
    command: str,
    quality: Quality,
    size: tuple[int, int],
    *,
    matched: bool,
    matched_px: int | None = None,
    times: int = 1,
    beside: Mapping[str, int] = NOTHING,
) -> Quality:
    """The quality that was asked for, or the next lower one for which the memory is enough. Raises InputError.

    size: width and height of the picture in pixels.
    """
    fits, budget, pixels = quality, memory_budget(), size[0] * size[1]
    known = {"matched": matched, "matched_px": matched_px, "times": times, "beside": beside}
    while (needed := needed_bytes(command, fits, pixels, **known)) > budget:
        if fits not in _LOWER:
            raise InputError(
                f"{command} of a picture of {size[0]}x{size[1]} takes about {needed / _GB:.1f} GB of memory, and "
                f"{budget / _GB:{'.1f' if budget >= _GB else '.2g'}} GB may be used",
                hint=f"pass a smaller picture, or {param('max_memory', size_text(1.1 * needed))} where there is "
                "as much",
            )
        fits = _LOWER[fits]
    return fits
