"""How large a cost volume matching may fill, by quality and by the memory that there is."""

from __future__ import annotations

from depthapps.core.choices import Quality
from depthapps.runtime.budget import memory_budget, memory_left
from depthapps.runtime.limits import count_cores

# Pixels times disparities that are matched at full size; a larger pair is matched at half its size.
CELLS = {Quality.FAST: 4e8, Quality.BALANCED: 4e8, Quality.BEST: 1e9}
_BYTES_A_CELL = 6  # measured at 6 megapixels; three paths keep rows only
_BYTES_A_CELL_OF_THREE_PATHS = 1
_STRIP_BYTES = 520_000_000  # of the strips in which large views are matched, one a core and direction
# The fusion network takes 1.85 GB for its usual tile with the pixels around it, and 35 bytes a pixel of the pair lie
# beside it: measured at 1, 6 and 50 megapixels. While it looks at the pair at half its size, 20 bytes a pixel of the
# pair itself wait.
TILE_OVERLAP_PX = 64  # of surroundings on each side of a tile
_TILES_PX = (832, 416, 192)
_BYTES_A_TILE_PIXEL, _BYTES_A_FUSED_PIXEL, _BYTES_A_WAITING_PIXEL = 2000, 35, 20
_BYTES_A_PIXEL = 60  # of the pair, its disparity and what is found on the way, there and back if it is rectified
_FIXED_BYTES = 300_000_000  # libraries and the fusion network
_LARGEST_RANGE = 1 / 3  # of the picture's sides: disparities that are searched at most, roughly
_MOST_HALVINGS = 6


def matching_bytes(quality: Quality, pixels: int) -> int:
    """The memory in bytes that matching two views of so many pixels takes at its peak."""
    cells = min(matched_cells(quality, pixels), _searched_cells(pixels))
    volume = min(
        (_BYTES_A_CELL_OF_THREE_PATHS if quality is Quality.FAST else _BYTES_A_CELL) * cells,
        _STRIP_BYTES * 2 * count_cores(),
    )
    most = max(_BYTES_A_PIXEL * pixels + volume, _BYTES_A_WAITING_PIXEL * pixels + _fusion_bytes(pixels // 4))
    if not _is_only_judged(quality, pixels):
        most = max(most, _fusion_bytes(pixels))
    return _FIXED_BYTES + int(most)


def fusion_tile_px(pixels: int) -> int:
    """The side of the tiles in which the fusion network looks at so many pixels: smaller ones if the memory is short.

    What it sees around a pixel near the border of a tile changes with them, and so do a few results.
    """
    left = memory_left() - _FIXED_BYTES - _BYTES_A_FUSED_PIXEL * pixels
    return next((tile for tile in _TILES_PX if _network_bytes(pixels, tile) <= left), _TILES_PX[-1])


def has_small_tiles(quality: Quality, pixels: int) -> bool:
    """Whether the memory is not enough for the network's usual tiles."""
    return fusion_tile_px(pixels // 4 if _is_only_judged(quality, pixels) else pixels) < _TILES_PX[0]


def _searched_cells(pixels: int) -> float:
    return _LARGEST_RANGE * pixels**1.5


def _is_only_judged(quality: Quality, pixels: int) -> bool:
    """Whether the network chooses nothing: at FAST it judges what was matched at full size, at half of that."""
    return quality is Quality.FAST and matched_cells(quality, pixels) >= _searched_cells(pixels)


def _fusion_bytes(pixels: int) -> int:
    return _BYTES_A_FUSED_PIXEL * pixels + _network_bytes(pixels, fusion_tile_px(pixels))


def _network_bytes(pixels: int, tile_px: int) -> int:
    return _BYTES_A_TILE_PIXEL * min(pixels, (tile_px + 2 * TILE_OVERLAP_PX) ** 2)


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
