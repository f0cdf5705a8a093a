"""Compiled loop of the bokeh renderers that scatters light over lens-shaped discs."""

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from depthapps.runtime.inlining import inlined

Floats = NDArray[np.floating]
# The lens is sampled by a grid of this many rows and columns, for occlusion. A row is the bits of one uint32.
_LENS_ROWS = np.iinfo(np.uint32).bits
# CoC: a pixel occludes only what is farther by more than this; less is the same surface. 0.6 to 1.5 measure alike.
OCCLUDER_STEP_PX = 0.7
_WHOLE = np.uint32(0xFFFFFFFF)
# Neighbours in a row may share one disc: one more pixel for every 8 px of radius, up to _LARGEST_GROUP pixels.
_GROUP_RADIUS_PX = 8
_LARGEST_GROUP = 4
_GROUP_STEP_PX = 0.25  # CoC difference within such a group


@nb.njit(error_model="numpy", fastmath={"contract", "arcp", "nsz"})
def _add_span(sums, row, start, end, density, red, green, blue, weight):
    """Add light evenly from x = start to end of one row, as differences for a running sum, with sub-pixel ends."""
    start = max(start, -0.5) + 0.5  # measured from the left edge of pixel 0
    end = min(end, sums.shape[1] - 2.5) + 0.5
    if end <= start or row < 0 or row >= sums.shape[0]:
        return
    at = int(start)
    after = density * (start - at)
    here = density - after
    sums[row, at, 0] += here * red
    sums[row, at, 1] += here * green
    sums[row, at, 2] += here * blue
    sums[row, at, 3] += here * weight
    sums[row, at + 1, 0] += after * red
    sums[row, at + 1, 1] += after * green
    sums[row, at + 1, 2] += after * blue
    sums[row, at + 1, 3] += after * weight
    at = int(end)
    after = density * (end - at)
    here = density - after
    sums[row, at, 0] -= here * red
    sums[row, at, 1] -= here * green
    sums[row, at, 2] -= here * blue
    sums[row, at, 3] -= here * weight
    sums[row, at + 1, 0] -= after * red
    sums[row, at + 1, 1] -= after * green
    sums[row, at + 1, 2] -= after * blue
    sums[row, at + 1, 3] -= after * weight


@nb.njit(error_model="numpy")
def _hide(level, run_end, y, x, c, reach, hidden):
    """Set the bits of `hidden` for the lens cells from which nearer pixels occlude the source (x, y) of CoC c.

    Returns 0 if the source is visible from the whole lens, 2 if from none of it, else 1. Seen through the lens point u,
    a source of CoC c and a nearer one of CoC c' coincide if they are (c' − c)·u apart. A run of pixels therefore hides
    a rectangle of the lens.
    """
    height, width = level.shape
    for row in range(_LENS_ROWS):
        hidden[row] = 0
    found = 0
    middle = 0.5 * _LENS_ROWS + 0.5
    for k in range(2 * reach + 1):  # the middle rows first: they often settle it
        off = (k + 1) // 2 if k % 2 else -(k // 2)
        qy = y + off
        if qy < 0 or qy >= height:
            continue
        away = abs(off) - 0.5
        more = False
        qx, last = max(0, x - reach), min(width - 1, x + reach)
        while qx <= last:
            end = run_end[qy, qx]
            nearer = level[qy, qx] - c
            if nearer > OCCLUDER_STEP_PX and away <= nearer:
                cells = 0.5 * _LENS_ROWS / nearer  # lens cells that one pixel hides
                low, high = (x - end - 0.5) * cells + middle, (x - qx + 0.5) * cells + middle
                j = (-off - 0.5) * cells + middle
                if low < _LENS_ROWS and high > 0 and j < _LENS_ROWS and j + cells > 0:
                    i0, i1 = int(max(low, 0.0)), int(min(high, float(_LENS_ROWS)))
                    j0, j1 = int(max(j, 0.0)), int(min(j + cells, float(_LENS_ROWS)))
                    if i0 < i1:
                        bits = nb.uint32((_WHOLE >> nb.uint32(_LENS_ROWS - (i1 - i0))) << nb.uint32(i0))
                        for row in range(j0, j1):
                            more = more or (hidden[row] & bits) != bits
                            hidden[row] |= bits
            qx = end + 1
        if more:
            found = 2
            for row in range(_LENS_ROWS):
                if hidden[row] != _WHOLE:
                    found = 1
            if found == 2:
                break
    return found


@nb.njit(error_model="numpy")
def _add_lens_row(sums, row, x, c, size, low, high, bits, density, red, green, blue, weight):
    """Add one row of a lens zone to a pixel row, from low to high, without the lens cells whose bits are set.

    size: radius of the zone, relative to the lens. A sharp source (|c| below half a pixel) gives its own pixel the
    visible share.
    """
    sharp = abs(c) < 0.5
    i = 0
    while i < _LENS_ROWS:
        if (bits >> nb.uint32(i)) & nb.uint32(1):
            i += 1
            continue
        first = i
        if bits == 0:
            i = _LENS_ROWS
        while i < _LENS_ROWS and not (bits >> nb.uint32(i)) & nb.uint32(1):
            i += 1
        a, b = max((first * (2.0 / _LENS_ROWS) - 1) / size, low), min((i * (2.0 / _LENS_ROWS) - 1) / size, high)
        if b <= a:
            continue
        if sharp:
            _add_span(sums, row, x - 0.5, x + 0.5, density * (b - a), red, green, blue, weight)
        else:
            _add_span(sums, row, x + min(c * a, c * b), x + max(c * a, c * b), density, red, green, blue, weight)


@nb.njit(error_model="numpy")
def _lens_span(lens, v, shift_x, shift_y):
    """Start and end of the lens opening at height v: its shape `lens`, cut by the unit disc at (shift_x, shift_y)."""
    at = (v + 1) * 0.5 * len(lens) - 0.5
    below = min(max(int(at), 0), len(lens) - 2)
    t = min(max(at - below, 0.0), 1.0)
    low = lens[below, 0] * (1 - t) + lens[below + 1, 0] * t
    high = lens[below, 1] * (1 - t) + lens[below + 1, 1] * t
    if shift_x != 0 or shift_y != 0:
        half = math.sqrt(max(1 - (v - shift_y) ** 2, 0.0))
        low, high = max(low, shift_x - half), min(high, shift_x + half)
    return low, high


@inlined
def _join_alike(color, coc, weight, cone, y, x, most):
    """Join pixel (x, y) with the pixels to its right, `most` pixels in all, as long as their blur is similar.

    Returns how many are joined, x of the centroid of their light, and the sums of their weight and light.
    """
    c, share = float(coc[y, x]), weight[y, x]
    red, green, blue = share * color[y, x, 0], share * color[y, x, 1], share * color[y, x, 2]
    taken, moment = 1, 0.0
    while taken < most:
        at = x + taken
        unlike = weight[y, at] <= 0 or abs(coc[y, at] - c) > _GROUP_STEP_PX
        if unlike or cone[y, at] > coc[y, at] + OCCLUDER_STEP_PX:
            break
        r, g, b = (weight[y, at] * color[y, at, 0], weight[y, at] * color[y, at, 1], weight[y, at] * color[y, at, 2])
        red, green, blue, share = red + r, green + g, blue + b, share + weight[y, at]
        moment += taken * (r + g + b)
        taken += 1
    light = red + green + blue
    return taken, x + (moment / light if light > 0 else 0.5 * (taken - 1)), share, red, green, blue


@inlined
def _add_disc(sums, half_width, radius_steps, y, x, middle, r, red, green, blue, weight):
    """Add light evenly over a disc of radius r around (middle, y); below half a pixel, to the pixel (x, y) alone."""
    step = int(r * radius_steps + 0.5)
    if 2 * step <= radius_steps:
        _add_span(sums, y, x - 0.5, x + 0.5, 1.0, red, green, blue, weight)
        return
    density = (radius_steps / step) ** 2 / math.pi
    for k in range(half_width.shape[1]):
        half = half_width[step, k]
        if half <= 0:
            break
        _add_span(sums, y + k, middle - half, middle + half, density, red, green, blue, weight)
        if k:
            _add_span(sums, y - k, middle - half, middle + half, density, red, green, blue, weight)


@inlined
def _add_opening(
    sums, spans, lens, least_subrows, partly, hidden, y, x, c, r, size, shift_x, shift_y, red, green, blue, weight
):
    """Add light evenly over the lens opening, drawn with radius r around (x, y), without the cells that are hidden.

    c: the CoC; where it is negative, the opening is upside down. partly: 0 if nothing is hidden. size: radius of the
    zone, relative to the lens. shift_x, shift_y: middle of the disc that cuts the opening.
    """
    reach = int(r + 0.5) if r >= 0.5 else 0
    subrows = least_subrows
    # a small disc has few rows, and each would show or hide a large part of the lens
    if partly and reach:
        subrows = max(least_subrows, math.ceil(_LENS_ROWS / (2 * r)))
    rows = (2 * reach + 1) * subrows if reach else _LENS_ROWS
    area = 0.0  # area of the aperture in these rows
    for s in range(rows):
        v = ((s + 0.5) / subrows - reach - 0.5) / r if reach else (s + 0.5) * 2 / rows - 1
        low = high = 0.0
        if abs(v) < 1:
            low, high = _lens_span(lens, v, shift_x, shift_y)
        spans[s, 0], spans[s, 1], spans[s, 2] = low, high, v
        area += max(high - low, 0.0)
    if area <= 0:
        return
    density = 1 / (area * r) if reach else 1 / area
    for s in range(rows):
        # behind the focus the image of the lens is upside down
        of_lens = s if c > 0 else rows - 1 - s
        low, high = spans[of_lens, 0], spans[of_lens, 1]
        if high <= low:
            continue
        bits = np.uint32(0)
        if partly:
            lens_row = int((spans[of_lens, 2] * size + 1) * 0.5 * _LENS_ROWS)
            bits = hidden[min(max(lens_row, 0), _LENS_ROWS - 1)]
        if bits == _WHOLE:
            continue
        signed = 0.0 if not reach else r if c > 0 else -r
        row = y + (s // subrows - reach if reach else 0)
        _add_lens_row(sums, row, x, signed, size, low, high, bits, density, red, green, blue, weight)


@inlined
def _scatter_source(
    color, coc, weight, cone, half_width, radius_steps, lens, whole_disc, least_subrows, zones, cat_eye, y, x, partly,
    hidden, spans, sums,
):  # fmt: skip
    """Scatter the light of the source (x, y), and of neighbours that share its disc; returns how many pixels it took.

    partly: 1 if the lens cells whose bits are set in `hidden` do not see the source, 0 if all see it. The other
    arguments are those of `scatter_rows`.
    """
    c = float(coc[y, x])
    # The photo has already been averaged over the pixel's square. This radius makes disc and square together as wide as
    # the lens's disc.
    radius = math.sqrt(max(c * c - 1 / 3, 0.0))
    shift_x, shift_y = cat_eye[2] * (x - cat_eye[0]), cat_eye[2] * (y - cat_eye[1])
    uncut = whole_disc and shift_x == 0 and shift_y == 0 and not partly
    smallest = radius * zones[len(zones) - 1, 0]
    most = 1
    if uncut and smallest >= _GROUP_RADIUS_PX:
        most = min(1 + int(smallest / _GROUP_RADIUS_PX), _LARGEST_GROUP, coc.shape[1] - x)
    taken, middle, share, red, green, blue = _join_alike(color, coc, weight, cone, y, x, most)
    for zone in range(len(zones)):
        size, light = zones[zone, 0], zones[zone, 1]
        red_, green_, blue_, share_ = red * light, green * light, blue * light, share * light
        if uncut:
            _add_disc(sums, half_width, radius_steps, y, x, middle, radius * size, red_, green_, blue_, share_)
        else:
            _add_opening(
                sums, spans, lens, least_subrows, partly, hidden, y, x, c, radius * size, size, shift_x, shift_y,
                red_, green_, blue_, share_,
            )  # fmt: skip
    return taken


def scatter_rows(
    color: Floats, coc: Floats, weight: Floats, level: Floats, run_end: NDArray[np.integer], cone: Floats,
    highest: Floats, half_width: Floats, radius_steps: int, lens: Floats, whole_disc: int, least_subrows: int,
    zones: Floats, cat_eye: Floats, first_row: int, end_row: int, hidden: NDArray[np.integer], spans: Floats,
    sums: Floats,
) -> None:  # fmt: skip
    """Scatter the light of the sources in rows first_row..end_row over their discs, into `sums`.

    Where the lens is a whole disc, neighbours in a row with a wide and similar blur share one disc, centred on the
    centroid of their light.

    One layer of the scene: color (H, W, 3) linear; coc (H, W), signed radius in px; weight (H, W), 0 where there is no
    source.

    Occlusion, by the surface visible from the centre of the lens: level, run_end (H, W), its CoC in the runs of
    `run_rows`; cone (H, W), from `cone_rows`; highest (H, W), its maximum CoC within the largest radius.

    Aperture: half_width (L, R), half the width of the disc of radius level/radius_steps at k pixel rows from its
    centre. lens (S, 2), start and end of the opening on its rows, in units of its radius. whole_disc: 1 if the opening
    is the unit disc. zones (Z, 2), decreasing radii of concentric openings, and the light of each. cat_eye (3,): x and
    y of the optical axis in px, and the shift of the second disc for each pixel away from it.

    Output: sums (H, W + 2, 4), light and weight as differences along each row. Scratch: hidden (_LENS_ROWS,) and
    spans ((2 · largest radius + 3) · least_subrows or 4 · _LENS_ROWS, 3).
    """
    width = coc.shape[1]
    for y in range(first_row, end_row):
        x, taken = -1, 1
        while x + taken < width:
            x += taken
            taken = 1
            if weight[y, x] <= 0:
                continue
            c = float(coc[y, x])
            partly = 0
            if cone[y, x] > c + OCCLUDER_STEP_PX:
                partly = _hide(level, run_end, y, x, c, int(highest[y, x] - c + 1), hidden)
                if partly == 2:
                    continue
            taken = _scatter_source(
                color, coc, weight, cone, half_width, radius_steps, lens, whole_disc, least_subrows, zones, cat_eye, y,
                x, partly, hidden, spans, sums,
            )  # fmt: skip
