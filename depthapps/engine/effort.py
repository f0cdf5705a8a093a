"""How large a cost volume matching may fill, by quality and by the memory that there is."""

from __future__ import annotations

from depthapps.core.choices import Quality
from depthapps.runtime.budget import memory_budget
from depthapps.runtime.limits import count_cores

# Pixels times disparities that are matched at full size; a larger pair is matched at half its size.
CELLS = {Quality.FAST: 4e8, Quality.BALANCED: 4e8, Quality.BEST: 1e9}
_BYTES_A_CELL = 6  # measured at 6 megapixels; three paths keep rows only
_BYTES_A_CELL_OF_THREE_PATHS = 1
_STRIP_BYTES = 520_000_000  # of the strips in which large views are matched, one a core and direction
# The fusion network takes 1.85 GB for a tile, and 32 bytes a pixel lie around it: measured at 1, 6 and 50 megapixels.
_NETWORK_BYTES, _TILE_PIXELS, _BYTES_A_FUSED_PIXEL = 1_850_000_000, 900_000, 32
_BYTES_A_PIXEL = 60  # of the pair, its disparity and what is found on the way
_FIXED_BYTES = 300_000_000  # libraries and the fusion network
_LARGEST_RANGE = 1 / 3  # of the picture's sides: disparities that are searched at most, roughly
_MOST_HALVINGS = 6


def matching_bytes(quality: Quality, pixels: int) -> int:
    """The memory in bytes that matching two views of so many pixels takes at its peak."""
    searched = _LARGEST_RANGE * pixels**1.5
    cells, fast = min(matched_cells(quality, pixels), searched), quality is Quality.FAST
    volume = min((_BYTES_A_CELL_OF_THREE_PATHS if fast else _BYTES_A_CELL) * cells, _STRIP_BYTES * 2 * count_cores())
    # a small pair at FAST is only judged by the network, at half its size
    fused = pixels / 4 if fast and cells == searched else pixels
    network = _NETWORK_BYTES * min(1, fused / _TILE_PIXELS)
    most = max(_BYTES_A_PIXEL * pixels + volume, _BYTES_A_FUSED_PIXEL * pixels + network)
    return _FIXED_BYTES + int(most)


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
