"""Compiled loops of the shadow ray tracer, which marches rays through two maps of inverse depth.

The solid is given by 1/Z of its near and far side. In (x, y, w = 1/Z), with x and y in pixels, straight lines stay
straight and planes stay planes. A ray is therefore a line over the picture, and it hits a surface where its w crosses
the surface's w.
"""

import math

import numpy as np
from numpy.typing import NDArray

from depthapps.runtime.inlining import within

FREE, BLOCKED, OUTSIDE, BEHIND = 0, 1, 2, 3

# A ray towards a light behind the camera ends before the camera's plane, at this share of its start's depth.
_NEAR = 0.01
_FAR = 1e4  # length of a ray towards the sun, in multiples of its start's depth
_GOLDEN = math.pi * (3 - math.sqrt(5))


@within
def _march(front, back, right, down, nearest, farthest, tile_bits, x0, y0, w0, x1, y1, w1):
    """Follow a ray from (x0, y0, w0) to (x1, y1, w1) and return what it meets first.

    The ray is tested at each column it crosses, or at each row if it is steep. BLOCKED: it enters the solid (back <= w
    <= front) or crosses linked pixels. Otherwise BEHIND if it passes behind the solid, OUTSIDE if it leaves the picture
    before its end, else FREE. nearest, farthest: the extremes of front and back over tiles of 2**tile_bits pixels a
    side; a ray skips a tile if it passes in front of everything in it, or behind everything.
    """
    height, width = front.shape
    side = 1 << tile_bits
    # a point offset from the surface may project outside the picture
    if not (0 <= x0 <= width - 1 and 0 <= y0 <= height - 1):
        return OUTSIDE
    dx, dy = x1 - x0, y1 - y0
    share = 1.0  # share of the ray that lies inside the picture
    if dx > 0 and x1 > width - 1:
        share = min(share, (width - 1 - x0) / dx)
    elif dx < 0 and x1 < 0:
        share = min(share, -x0 / dx)
    if dy > 0 and y1 > height - 1:
        share = min(share, (height - 1 - y0) / dy)
    elif dy < 0 and y1 < 0:
        share = min(share, -y0 / dy)
    along_x = abs(dx) >= abs(dy)
    if along_x:
        start, run, cross, rise, across = x0, dx, y0, dy, height
    else:
        start, run, cross, rise, across = y0, dy, x0, dx, width
    passed_behind, one = False, np.uint64(1)
    if 1e-6 < abs(run) < 1e9:
        step = 1 if run > 0 else -1
        slope, w_slope = rise / run, (w1 - w0) / run
        end = start + share * run
        i = math.floor(start) + 1 if step > 0 else math.ceil(start) - 1
        last = math.floor(end) if step > 0 else math.ceil(end)
        # known: the previous position was tested. skipped: its whole tile was skipped.
        known, skipped = False, False
        # entered: the previous position was the first on a surface. inside: it was a later one.
        entered, inside = False, False
        was_gap, rate, was_near = 0.0, 0.0, 0
        while (last - i) * step >= 0:
            at = cross + (i - start) * slope
            low = min(max(math.floor(at), 0), across - 1)
            tile_start, tile_end = low & -side, (low & -side) + side  # across; along, a tile ends at `leave`
            leave = (i & -side) + (side - 1 if step > 0 else 0)
            if (leave - last) * step > 0:
                leave = last
            beyond = cross + (leave - start) * slope
            if beyond > tile_end:
                leave = i + step * max(int((tile_end - at) / abs(slope)), 0)
            elif beyond < tile_start:
                leave = i + step * max(int((at - tile_start) / abs(slope)), 0)
            w_first, w_last = w0 + (i - start) * w_slope, w0 + (leave - start) * w_slope
            tile_i, tile_j = np.uint64(i >> tile_bits), np.uint64(low >> tile_bits)
            tile = (tile_j, tile_i) if along_x else (tile_i, tile_j)
            if min(w_first, w_last) > nearest[tile]:
                i, known, skipped = leave + step, False, True
                continue
            if max(w_first, w_last) < farthest[tile]:
                i, known, skipped, passed_behind = leave + step, False, True, True
                continue
            while (leave - i) * step >= 0:
                at, w = cross + (i - start) * slope, w0 + (i - start) * w_slope
                low = min(max(math.floor(at), 0), across - 2)
                part = min(max(at - low, 0.0), 1.0)
                near = low + (1 if part > 0.5 else 0)
                # without a sign: else numba asks each time whether an index is negative and means an end
                u, v, n = np.uint64(i), np.uint64(low), np.uint64(near)
                if along_x:
                    a, b, c, linked = (v, u), (v + one, u), (n, u), down[v, u]
                else:
                    a, b, c, linked = (u, v), (u, v + one), (u, n), right[u, v]
                surface = front[a] + part * (front[b] - front[a]) if linked else front[c]
                gap = w - surface
                behind = gap < 0
                if behind and w >= (back[a] + part * (back[b] - back[a]) if linked else back[c]):
                    return BLOCKED
                whole = False
                if known:
                    m, q = np.uint64(min(i, i - step)), np.uint64(min(near, was_near))
                    o, before = np.uint64(was_near), np.uint64(i - step)
                    if along_x:
                        whole = right[n, m] and right[o, m]
                        whole = whole and (near == was_near or (down[q, u] and down[q, before]))
                    else:
                        whole = down[m, n] and down[m, o]
                        whole = whole and (near == was_near or (right[u, q] and right[before, q]))
                    if whole and behind != (was_gap < 0):
                        return BLOCKED
                    # a surface extends half a pixel beyond the last pixel that shows it
                    if whole and entered and (was_gap < 0) != (1.5 * was_gap - 0.5 * gap < 0):
                        return BLOCKED
                    if not whole and inside and (was_gap < 0) != (was_gap + 0.5 * rate < 0):
                        return BLOCKED
                    rate = gap - was_gap
                passed_behind = passed_behind or behind
                entered, inside, skipped = (known or skipped) and not whole, whole, False
                known, was_gap, was_near = True, gap, near
                i += step
    if passed_behind:
        return BEHIND
    return OUTSIDE if share < 1 else FREE


@within
def _square_to(ax, ay, az):
    """Two unit vectors perpendicular to a unit vector and to each other.

    The first is the cross product with the camera axis that the vector is least along.
    """
    if abs(ax) <= abs(ay) and abs(ax) <= abs(az):
        sx, sy, sz = 0.0, az, -ay
    elif abs(ay) <= abs(az):
        sx, sy, sz = -az, 0.0, ax
    else:
        sx, sy, sz = ay, -ax, 0.0
    norm = max(math.sqrt(sx * sx + sy * sy + sz * sz), 1e-12)
    sx, sy, sz = sx / norm, sy / norm, sz / norm
    return sx, sy, sz, ay * sz - az * sy, az * sx - ax * sz, ax * sy - ay * sx


def see_light(
    front: NDArray[np.floating],
    back: NDArray[np.floating],
    right: NDArray[np.uint8],
    down: NDArray[np.uint8],
    nearest: NDArray[np.floating],
    farthest: NDArray[np.floating],
    tile_bits: int,
    fx: float,
    fy: float,
    cx: float,
    cy: float,
    start: NDArray[np.floating],
    normal: NDArray[np.floating],
    turn: NDArray[np.floating],
    light_x: float,
    light_y: float,
    light_z: float,
    at_infinity: int,
    radius: float,
    samples: int,
    seen: NDArray[np.floating],
    doubt: NDArray[np.floating],
) -> None:
    """Trace rays from each of N points to a light; write the share that arrives and the share that is doubtful.

    samples: rays per point. seen: (N,), share of rays that arrive, in 0..1. doubt: (N,) in 0..1; a ray counts 1 if it
    passes behind something, because the depth there is a guess, and 0.5 if it leaves the picture. start, normal: (N,
    3), camera axes, metres. turn: (N,), radians by which a point's sample pattern is rotated. light_x, light_y,
    light_z: the light's position in metres, or the unit vector to it if at_infinity. radius: of the light's disc, in
    metres, or at unit distance if at_infinity. Samples lie on Vogel's spiral, which gives each an equal area of the
    disc.
    """
    for n in range(len(start)):
        px, py, pz = start[n, 0], start[n, 1], start[n, 2]
        seen[n], doubt[n] = 1.0, 0.0
        if not 0 < pz < math.inf:
            continue
        ax, ay, az = light_x, light_y, light_z
        if not at_infinity:
            ax, ay, az = ax - px, ay - py, az - pz
        length = max(math.sqrt(ax * ax + ay * ay + az * az), 1e-12)
        sx, sy, sz, ox, oy, oz = _square_to(ax / length, ay / length, az / length)
        arrived, unknown = 0, 0.0
        for k in range(samples):
            r = radius * math.sqrt((k + 0.5) / samples)
            p, q = r * math.cos(turn[n] + k * _GOLDEN), r * math.sin(turn[n] + k * _GOLDEN)
            wx, wy, wz = ax + p * sx + q * ox, ay + p * sy + q * oy, az + p * sz + q * oz
            if wx * normal[n, 0] + wy * normal[n, 1] + wz * normal[n, 2] <= 0:
                continue
            t = _FAR * pz if at_infinity else 1.0
            if pz + t * wz < _NEAR * pz:
                t = (1 - _NEAR) * pz / -wz
            ex, ey, ez = px + t * wx, py + t * wy, pz + t * wz
            met = _march(
                front, back, right, down, nearest, farthest, tile_bits,
                fx * px / pz + cx, fy * py / pz + cy, 1 / pz, fx * ex / ez + cx, fy * ey / ez + cy, 1 / ez,
            )  # fmt: skip
            arrived += met != BLOCKED
            if met == BEHIND:
                unknown += 1.0
            elif met == OUTSIDE:
                unknown += 0.5
        seen[n] = arrived / samples
        doubt[n] = unknown / samples


def see_sky(
    front: NDArray[np.floating],
    back: NDArray[np.floating],
    right: NDArray[np.uint8],
    down: NDArray[np.uint8],
    nearest: NDArray[np.floating],
    farthest: NDArray[np.floating],
    tile_bits: int,
    fx: float,
    fy: float,
    cx: float,
    cy: float,
    start: NDArray[np.floating],
    normal: NDArray[np.floating],
    turn: NDArray[np.floating],
    reach: float,
    samples: int,
    seen: NDArray[np.floating],
) -> None:
    """Trace `samples` cosine-weighted rays over the hemisphere of each of N points; write the share that is free.

    seen: (N,) in 0..1. A ray ends at the distance reach times the point's depth. start, normal: (N, 3). turn: (N,),
    radians by which a point's sample pattern is rotated.
    """
    for n in range(len(start)):
        px, py, pz = start[n, 0], start[n, 1], start[n, 2]
        nx, ny, nz = normal[n, 0], normal[n, 1], normal[n, 2]
        sx, sy, sz, ox, oy, oz = _square_to(nx, ny, nz)
        arrived = 0
        for k in range(samples):
            r = math.sqrt((k + 0.5) / samples)
            p, q = r * math.cos(turn[n] + k * _GOLDEN), r * math.sin(turn[n] + k * _GOLDEN)
            up = math.sqrt(1 - r * r)
            length = reach * pz
            ex = px + length * (p * sx + q * ox + up * nx)
            ey = py + length * (p * sy + q * oy + up * ny)
            ez = max(pz + length * (p * sz + q * oz + up * nz), _NEAR * pz)
            met = _march(
                front, back, right, down, nearest, farthest, tile_bits,
                fx * px / pz + cx, fy * py / pz + cy, 1 / pz, fx * ex / ez + cx, fy * ey / ez + cy, 1 / ez,
            )  # fmt: skip
            arrived += met != BLOCKED
        seen[n] = arrived / samples


def complete_rows(
    front: NDArray[np.floating], right: NDArray[np.uint8], centre: float, first: int, end: int,
    back: NDArray[np.floating],
) -> None:  # fmt: skip
    """Estimate the far side `back` (H, W) in rows first..end, by mirroring each linked run of pixels in its middle.

    On entry `back` equals `front`. See `depthapps.shadow.solid.far_side`.
    """
    width = front.shape[1]
    for y in range(first, end):
        i = 0
        while i < width:
            j = i
            while j < width - 1 and right[y, j]:
                j += 1
            rim_left = i > 0 and front[y, i - 1] < front[y, i]
            rim_right = j < width - 1 and front[y, j + 1] < front[y, j]
            if j > i and front[y, i] > 0 and front[y, j] > 0 and (rim_left or rim_right):
                behind_left = front[y, i - 1] if rim_left else front[y, j + 1]
                behind_right = front[y, j + 1] if rim_right else behind_left
                # the visible surface ends half a pixel beyond the centre of its last pixel
                z_sum = 1 / front[y, i] + 1 / front[y, j]
                x_sum = (i - centre - 0.5 * rim_left) / front[y, i] + (j - centre + 0.5 * rim_right) / front[y, j]
                u_before, w_before = 0.0, 0.0
                for k in range(i, j + 1):
                    z = z_sum - 1 / front[y, k]
                    if z <= 0:
                        w_before = 0.0
                        continue
                    u, w = (x_sum - (k - centre) / front[y, k]) / z + centre, 1 / z
                    if w_before > 0:
                        u0, u1, w_at0, w_at1 = (
                            (u, u_before, w, w_before) if u < u_before else (u_before, u, w_before, w)
                        )
                        # min and max get two numbers of one type, because numba needs 15 ms to compile each mixed pair
                        # of types
                        for m in range(math.ceil(max(i + 0.0, u0 - 1e-6)), math.floor(min(j + 0.0, u1 + 1e-6)) + 1):
                            part = (m - u0) / (u1 - u0) if u1 > u0 else 0.0
                            wall = behind_left + (behind_right - behind_left) * (m - i + 1) / (j - i + 2)
                            mirrored = max(w_at0 + part * (w_at1 - w_at0), wall)
                            back[y, m] = min(back[y, m] + 0.0, mirrored)
                    u_before, w_before = u, w
            i = j + 1
