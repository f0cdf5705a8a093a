"""Matching plans by the memory that there is, less what waits beside it."""

from __future__ import annotations

from depthapps.engine.effort import fusion_tile_px
from depthapps.runtime.budget import limit_memory, memory_left, set_aside

PIXELS = 50_000_000


def test_the_network_takes_smaller_tiles_where_photos_wait_to_be_rectified_back():
    limit_memory("4G")
    try:
        whole = fusion_tile_px(PIXELS)
        with set_aside(8 * PIXELS):
            assert memory_left() == 3_600_000_000
            assert fusion_tile_px(PIXELS) < whole
            with set_aside(PIXELS):
                assert memory_left() == 3_550_000_000
        assert memory_left() == 4_000_000_000
        assert fusion_tile_px(PIXELS) == whole
    finally:
        limit_memory(None)
    with set_aside(1 << 60):  # what is free is measured, and holds nothing that is taken
        assert memory_left() > 0
