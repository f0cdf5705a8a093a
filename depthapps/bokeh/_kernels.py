"""Compiled loops of the bokeh renderers."""

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

LENS_ROWS = 32  # the lens is seen by a grid of as many rows of as many cells; a row is the bits of one uint32
OCCLUDER_STEP_PX = 0.7  # CoC; what is nearer by less is the same surface. 0.6 to 1.5 measure alike
RADIUS_STEPS = 32  # of a radius, a pixel; half a step moves a disc's edge by 1/64 px
_SUBROWS = 2  # lens rows that a pixel row is the mean of, where the lens is not a whole disc
_WHOLE = np.uint32(0xFFFFFFFF)


@nb.njit(nogil=True, cache=True)
def cone_rows(coc: NDArray[np.floating], out: NDArray[np.floating]) -> None:
    """The largest of C(q') − max(|dx|, |dy|) over all q', (H, W): above C(q), something may hide q from the lens."""
    height, width = coc.shape
    for turn in range(2):  # there and back, as in a chamfer distance
        for row in range(height):
            y = row if turn == 0 else height - 1 - row
            back = -1 if turn == 0 else 1
            for column in range(width):
                x = column if turn == 0 else width - 1 - column
                best = coc[y, x] if turn == 0 else out[y, x]
                if 0 <= x + back < width:
                    best = max(best, out[y, x + back] - 1)
                if 0 <= y + back < height:
                    for nx in range(max(0, x - 1), min(width, x + 2)):
                        best = max(best, out[y + back, nx] - 1)
                out[y, x] = best


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "arcp", "nsz"})
def _add_span(sums, row, start, end, density, light):
    """Light on one row from x = start to end, as differences for a running sum, with the fractions of the ends."""
    start = max(start, -0.5) + 0.5  # measured from the left edge of pixel 0
    end = min(end, sums.shape[1] - 2.5) + 0.5
    if end <= start or row < 0 or row >= sums.shape[0]:
        return
    start_pixel, end_pixel = int(start), int(end)
    start_next, end_next = start - start_pixel, end - end_pixel
    for k in range(4):
        value = density * light[k]
        sums[row, start_pixel, k] += value * (1 - start_next)
        sums[row, start_pixel + 1, k] += value * start_next
        sums[row, end_pixel, k] -= value * (1 - end_next)
        sums[row, end_pixel + 1, k] -= value * end_next


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "arcp", "nsz"})
def _hide(coc, y, x, c, reach, hidden):
    """Set the bits of `hidden` where the lens does not see the source (x, y) of CoC c for nearer pixels; any set?

    Through lens point u a source of CoC c and a nearer one of c' meet when they are (c' − c)·u apart.
    """
    height, width = coc.shape
    hidden[:] = 0
    found = False
    for qy in range(max(0, y - reach), min(height, y + reach + 1)):
        away = abs(qy - y) - 0.5
        for qx in range(max(0, x - reach), min(width, x + reach + 1)):
            nearer = coc[qy, qx] - c
            if nearer <= OCCLUDER_STEP_PX or away > nearer or abs(qx - x) - 0.5 > nearer:
                continue
            cells = 0.5 * LENS_ROWS / nearer  # that a pixel hides
            i = (x - qx - 0.5) * cells + 0.5 * LENS_ROWS + 0.5
            j = (y - qy - 0.5) * cells + 0.5 * LENS_ROWS + 0.5
            if i <= -cells or j <= -cells or i >= LENS_ROWS or j >= LENS_ROWS:
                continue
            i0, i1 = int(max(i, 0.0)), min(int(i + cells), LENS_ROWS)
            j0, j1 = int(max(j, 0.0)), min(int(j + cells), LENS_ROWS)
            if i0 < i1:
                bits = nb.uint32((_WHOLE >> nb.uint32(LENS_ROWS - (i1 - i0))) << nb.uint32(i0))
                for row in range(j0, j1):
                    hidden[row] |= bits
                    found = True
    return found


@nb.njit(nogil=True, cache=True, error_model="numpy")
def _add_lens_row(sums, row, x, c, size, low, high, bits, density, light):
    """One row of a lens of a relative size, from low to high, without the cells whose bits are set, onto a pixel row.

    A sharp source (|c| below half a pixel) gives its own pixel the share that is seen.
    """
    sharp = abs(c) < 0.5
    i = 0
    while i < LENS_ROWS:
        if (bits >> nb.uint32(i)) & nb.uint32(1):
            i += 1
            continue
        first = i
        while i < LENS_ROWS and not (bits >> nb.uint32(i)) & nb.uint32(1):
            i += 1
        a, b = max((first * (2.0 / LENS_ROWS) - 1) / size, low), min((i * (2.0 / LENS_ROWS) - 1) / size, high)
        if b <= a:
            continue
        if sharp:
            _add_span(sums, row, x - 0.5, x + 0.5, density * (b - a), light)
        else:
            _add_span(sums, row, x + min(c * a, c * b), x + max(c * a, c * b), density, light)


@nb.njit(nogil=True, cache=True, error_model="numpy")
def _lens_span(lens, v, shift_x, shift_y):
    """Where the lens begins and ends at height v: rows of `lens`, less what a disc at (shift_x, shift_y) leaves."""
    at = (v + 1) * 0.5 * len(lens) - 0.5
    below = min(max(int(at), 0), len(lens) - 2)
    t = min(max(at - below, 0.0), 1.0)
    low = lens[below, 0] * (1 - t) + lens[below + 1, 0] * t
    high = lens[below, 1] * (1 - t) + lens[below + 1, 1] * t
    if shift_x != 0 or shift_y != 0:
        half = math.sqrt(max(1 - (v - shift_y) ** 2, 0.0))
        low, high = max(low, shift_x - half), min(high, shift_x + half)
    return low, high


@nb.njit(nogil=True, cache=True, error_model="numpy")
def scatter_rows(
    color: NDArray[np.floating],
    coc: NDArray[np.floating],
    weight: NDArray[np.floating],
    occluder: NDArray[np.floating],
    cone: NDArray[np.floating],
    highest: NDArray[np.floating],
    half_width: NDArray[np.floating],
    lens: NDArray[np.floating],
    whole_disc: bool,
    zones: NDArray[np.floating],
    cat_eye: NDArray[np.floating],
    first_row: int,
    end_row: int,
    sums: NDArray[np.floating],
) -> None:
    """Spread the sources of rows first_row..end_row over their discs, into `sums` of those rows and a margin.

    color (H, W, 3), coc (H, W) signed radius in px, weight (H, W), 0 = no source: one layer of the scene. occluder:
    (H, W) CoC of what is seen from the middle of the lens; cone: its `cone_rows`; highest: (H, W) its largest within
    the largest radius; a source is hidden from the parts of the lens that something nearer stands before. half_width:
    (L, R) of the disc of radius level/RADIUS_STEPS in the pixel row k away. lens: (S, 2) begin and end of the
    aperture on its rows, in units of its radius; whole_disc: it is the unit disc. zones: (Z, 2) radii and light
    of concentric apertures. cat_eye: x and y of the optical axis, and the second disc's shift a pixel off it.
    sums: (rows + 2·margin, W + 2, 4), light and weight as differences along each row.
    """
    width = coc.shape[1]
    margin = (len(sums) - (end_row - first_row)) // 2
    hidden = np.zeros(LENS_ROWS, np.uint32)
    light = np.zeros(4, np.float64)
    zone_light = np.zeros(4, np.float64)
    spans = np.zeros((max((2 * margin + 1) * _SUBROWS, LENS_ROWS), 3))
    for y in range(first_row, end_row):
        for x in range(width):
            if weight[y, x] <= 0:
                continue
            c = float(coc[y, x])
            # of the disc that with the pixel's own square is as wide as the lens's: the square is in the photo already
            radius = math.sqrt(max(c * c - 1 / 3, 0.0))
            partly = cone[y, x] > c + OCCLUDER_STEP_PX and _hide(occluder, y, x, c, int(highest[y, x] - c + 1), hidden)
            for k in range(3):
                light[k] = weight[y, x] * color[y, x, k]
            light[3] = weight[y, x]
            shift_x, shift_y = cat_eye[2] * (x - cat_eye[0]), cat_eye[2] * (y - cat_eye[1])
            uncut = whole_disc and shift_x == 0 and shift_y == 0
            for zone in range(len(zones)):
                size, share = zones[zone, 0], zones[zone, 1]
                r = radius * size
                for k in range(4):
                    zone_light[k] = light[k] * share
                if uncut and not partly:
                    level = int(r * RADIUS_STEPS + 0.5)
                    if 2 * level <= RADIUS_STEPS:
                        _add_span(sums, y - first_row + margin, x - 0.5, x + 0.5, 1.0, zone_light)
                        continue
                    density = (RADIUS_STEPS / level) ** 2 / math.pi
                    for k in range(half_width.shape[1]):
                        half = half_width[level, k]
                        if half <= 0:
                            break
                        _add_span(sums, y - first_row + margin + k, x - half, x + half, density, zone_light)
                        if k:
                            _add_span(sums, y - first_row + margin - k, x - half, x + half, density, zone_light)
                    continue
                reach = int(r + 0.5) if r >= 0.5 else 0
                rows = (2 * reach + 1) * _SUBROWS if reach else LENS_ROWS
                area = 0.0  # of the aperture, in these rows
                for s in range(rows):
                    v = ((s + 0.5) / _SUBROWS - reach - 0.5) / r if reach else (s + 0.5) * 2 / rows - 1
                    low = high = 0.0
                    if abs(v) < 1:
                        low, high = _lens_span(lens, v, shift_x, shift_y)
                    spans[s, 0], spans[s, 1], spans[s, 2] = low, high, v
                    area += max(high - low, 0.0)
                if area <= 0:
                    continue
                density = 1 / (area * r) if reach else 1 / area
                for s in range(rows):
                    # behind the focus the picture of the lens is upside down
                    of_lens = spans[s] if c > 0 else spans[rows - 1 - s]
                    if of_lens[1] <= of_lens[0]:
                        continue
                    bits = np.uint32(0)
                    if partly:
                        bits = hidden[min(max(int((of_lens[2] * size + 1) * 0.5 * LENS_ROWS), 0), LENS_ROWS - 1)]
                    if bits == _WHOLE:
                        continue
                    signed = 0.0 if not reach else r if c > 0 else -r
                    row = y - first_row + margin + (s // _SUBROWS - reach if reach else 0)
                    _add_lens_row(sums, row, x, signed, size, of_lens[0], of_lens[1], bits, density, zone_light)


@nb.njit(nogil=True, cache=True, error_model="numpy")
def split_rows(
    color: NDArray[np.floating],
    coc: NDArray[np.floating],
    first_row: int,
    end_row: int,
    step_px: float,
    near_color: NDArray[np.floating],
    near_coc: NDArray[np.floating],
    near_share: NDArray[np.floating],
    far_color: NDArray[np.floating],
) -> None:
    """Rows first_row..end_row: take from pixels just behind a depth edge the light that the near side put into them.

    A pixel on an edge is share·F + (1 − share)·B; F is the mean of the near side's inner pixels around, B of the far
    side's, and the share the projection between them. Where the far side's own texture explains the pixel as well
    it keeps it: the share is shrunk by how far the pixel is from B against ten times the variance of B (3 to 30
    measure alike).
    """
    height, width = coc.shape
    reach = 2
    near, far, square = np.zeros(3), np.zeros(3), np.zeros(3)
    for y in range(first_row, end_row):
        for x in range(width):
            c = coc[y, x]
            nearest = c
            for qy in range(max(0, y - 1), min(height, y + 2)):
                for qx in range(max(0, x - 1), min(width, x + 2)):
                    nearest = max(nearest, coc[qy, qx])
            if nearest - c <= step_px:
                continue
            middle = 0.5 * (nearest + c)
            near[:], far[:], square[:] = 0, 0, 0
            near_sum = far_sum = 0.0
            for qy in range(max(0, y - reach), min(height, y + reach + 1)):
                for qx in range(max(0, x - reach), min(width, x + reach + 1)):
                    before = coc[qy, qx] > middle
                    others = 0
                    for ry in range(max(0, qy - 1), min(height, qy + 2)):
                        for rx in range(max(0, qx - 1), min(width, qx + 2)):
                            others += (coc[ry, rx] > middle) != before
                    trust = 1.0 if others == 0 else 1e-3 / others**2  # mixed pixels only where there are no others
                    if before:
                        near_sum += trust
                        for k in range(3):
                            near[k] += trust * color[qy, qx, k]
                    elif qy != y or qx != x:
                        sum_ = color[qy, qx, 0] + color[qy, qx, 1] + color[qy, qx, 2]
                        trust /= 1 + sum_ * sum_  # another lamp beside is not the background
                        far_sum += trust
                        for k in range(3):
                            far[k] += trust * color[qy, qx, k]
                            square[k] += trust * color[qy, qx, k] ** 2
            if near_sum == 0 or far_sum == 0:
                continue
            along = contrast = own = variance = 0.0
            for k in range(3):
                near[k] /= near_sum
                far[k] /= far_sum
                along += (color[y, x, k] - far[k]) * (near[k] - far[k])
                contrast += (near[k] - far[k]) ** 2
                own += (color[y, x, k] - far[k]) ** 2
                variance += max(square[k] / far_sum - far[k] ** 2, 0.0)
            if contrast < 1e-6:
                continue
            sure = own / (own + 10 * variance + 1e-9)
            share = min(max(along / contrast, 0.0), 1.0) * sure
            if share < 0.002:
                continue
            near_share[y, x], near_coc[y, x] = share, nearest
            for k in range(3):
                behind = far[k] * sure + (1 - sure) * color[y, x, k]
                near_color[y, x, k] = max(color[y, x, k] - (1 - share) * behind, 0.0) / share
                far_color[y, x, k] = behind
