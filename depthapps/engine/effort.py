"""How large a cost volume matching may fill, by quality and by the memory that there is."""

from __future__ import annotations

from depthapps.core.choices import Quality
from depthapps.runtime.budget import memory_budget

# Pixels times disparities that are matched at full size; a larger pair is matched at half its size.
CELLS = {Quality.FAST: 4e8, Quality.BALANCED: 4e8, Quality.BEST: 1e9}
_BYTES_A_CELL = 6  # measured at 6 megapixels
_BYTES_A_PIXEL = 60  # of the pair, its disparity and what is found on the way
_FIXED_BYTES = 300_000_000  # libraries and the fusion network
_LARGEST_RANGE = 1 / 3  # of the picture's sides: disparities that are searched at most, roughly
_MOST_HALVINGS = 6


def matching_bytes(quality: Quality, pixels: int) -> int:
    """The memory in bytes that matching two views of so many pixels takes at its peak."""
    cells = min(matched_cells(quality, pixels), _LARGEST_RANGE * pixels**1.5)
    return _FIXED_BYTES + _BYTES_A_PIXEL * pixels + int(_BYTES_A_CELL * cells)


def matched_cells(quality: Quality, pixels: int) -> float:
    """The largest cost volume to match: that of the quality, halved until it fits into the memory.

    It is halved, and not cut to what is free to the byte, so that one computer gives one result as far as possible.
    """
    cells, left = CELLS[quality], memory_budget() - _FIXED_BYTES - _BYTES_A_PIXEL * pixels
    for _ in range(_MOST_HALVINGS):
        if _BYTES_A_CELL * cells <= left:
            break
        cells /= 2
    return cells
