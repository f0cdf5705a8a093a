"""What a command needs of the memory, told before it starts; where that is too much, a faster tier or a refusal."""

from __future__ import annotations

from depthapps.core.choices import Quality
from depthapps.core.errors import InputError, param
from depthapps.engine.effort import matching_bytes
from depthapps.runtime.budget import memory_budget

# Bytes a pixel of the picture at the peak, rounded up from few runs: bokeh and `fast` shadows at 2 and 6 megapixels,
# mesh and other shadows at 2; view and view3d, which take less, as mesh. Beside them stand the libraries. The compiler,
# where loops are not compiled yet, takes some 300 MB more.
_FIXED = 300_000_000
_OPENING = 50
_A_PIXEL = {
    ("depth", Quality.FAST): 50, ("depth", Quality.BALANCED): 50, ("depth", Quality.BEST): 50,
    ("bokeh", Quality.FAST): 60, ("bokeh", Quality.BALANCED): 170, ("bokeh", Quality.BEST): 180,
    ("shadow", Quality.FAST): 170, ("shadow", Quality.BALANCED): 170, ("shadow", Quality.BEST): 170,
    ("mesh", Quality.FAST): 200, ("mesh", Quality.BALANCED): 200, ("mesh", Quality.BEST): 200,
    ("view", Quality.FAST): 200, ("view", Quality.BALANCED): 200, ("view", Quality.BEST): 200,
    ("view3d", Quality.FAST): 200, ("view3d", Quality.BALANCED): 200, ("view3d", Quality.BEST): 200,
}  # fmt: skip
_LOWER = {Quality.BEST: Quality.BALANCED, Quality.BALANCED: Quality.FAST}
_GB = 1e9


def needed_bytes(command: str, quality: Quality, pixels: int, *, matched: bool) -> int:
    """The memory in bytes that a command takes at its peak for a picture of so many pixels.

    matched: two views are matched, and the depth is not given.
    """
    a_pixel = max(_OPENING, _A_PIXEL[command, quality]) * pixels
    return max(_FIXED + a_pixel, matching_bytes(quality, pixels) if matched else 0)


def fitting_quality(command: str, quality: Quality, size: tuple[int, int], *, matched: bool) -> Quality:
    """The quality that was asked for, or the next lower one for which the memory is enough. Raises InputError.

    size: width and height of the picture in pixels.
    """
    fits, budget, pixels = quality, memory_budget(), size[0] * size[1]
    while (needed := needed_bytes(command, fits, pixels, matched=matched)) > budget:
        if fits not in _LOWER:
            raise InputError(
                f"{command} of a picture of {size[0]}x{size[1]} takes about {needed / _GB:.1f} GB of memory, and "
                f"{budget / _GB:.1f} GB may be used",
                hint=f"pass a smaller picture, or {param('max_memory', f'{1.1 * needed / _GB:.1f}G')} where there is "
                "as much",
            )
        fits = _LOWER[fits]
    return fits
