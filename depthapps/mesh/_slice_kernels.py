"""Compiled loops that look colours up in slices of depth."""

import numpy as np


def look_up_in_slices(slices, filled, coarse, at, first, end, smooth):
    """Write the colours of slices into smooth (H, W, 3) float32 where they have any, for the rows first to end.

    slices: (S, h, w, 3) float32, each a picture `coarse` times smaller; filled: (S,) uint8, which of them have colours.
    at: (H, W) float32, the place of each pixel among the slices, -1 for none. Colours are interpolated linearly between
    slices and within them; cells beyond their ends are those at their ends.
    """
    count, height, width = slices.shape[:3]
    one = np.float32(1)
    for y in range(first, end):
        down = (np.float32(y) + np.float32(0.5)) / np.float32(coarse) - np.float32(0.5)
        top = int(np.floor(down))
        down -= np.float32(top)
        above, below = np.uint64(max(top, 0)), np.uint64(min(top + 1, height - 1))
        for x in range(smooth.shape[1]):
            place = at[y, x]
            if place < 0:
                continue
            lower = min(int(place), count - 2)
            upper_share = place - np.float32(lower)
            lower_share = one - upper_share
            if filled[lower] == 0:
                lower_share = np.float32(0)
            if filled[lower + 1] == 0:
                upper_share = np.float32(0)
            total = lower_share + upper_share
            if total <= 0:
                continue
            right = (np.float32(x) + np.float32(0.5)) / np.float32(coarse) - np.float32(0.5)
            start = int(np.floor(right))
            right -= np.float32(start)
            before, after = np.uint64(max(start, 0)), np.uint64(min(start + 1, width - 1))
            for channel in range(3):
                color = np.float32(0)
                for upper in range(2):
                    share = upper_share if upper else lower_share
                    if share > 0:
                        cells = slices[lower + upper]
                        one_row = cells[above, before, channel] * (one - right) + cells[above, after, channel] * right
                        other_row = cells[below, before, channel] * (one - right) + cells[below, after, channel] * right
                        color += share * (one_row * (one - down) + other_row * down)
                smooth[y, x, channel] = color / total
