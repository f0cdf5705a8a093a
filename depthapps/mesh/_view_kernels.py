"""Compiled loops that draw a coloured mesh from a new place: its vertices, the nearest triangles, their colours."""

import math

import numpy as np
from numpy.typing import NDArray

_EDGE = 1e-4  # tolerance, as a share of a triangle's height: a point this far outside an edge still counts as on it


def project_vertices(
    vertices: NDArray[np.floating],
    view: NDArray[np.floating],
    first: int,
    end: int,
    points: NDArray[np.floating],
) -> None:
    """Project vertices first..end: x and y in samples and 1/Z into points (V, 3); NaN behind the camera.

    vertices: (V, 3). view: (3, 4), from homogeneous vertices to homogeneous samples.
    """
    for n in range(first, end):
        x, y, z = vertices[n, 0] + 0.0, vertices[n, 1] + 0.0, vertices[n, 2] + 0.0
        depth = view[2, 0] * x + view[2, 1] * y + view[2, 2] * z + view[2, 3]
        share = 1 / depth if depth > 0 else np.nan
        points[n, 0] = (view[0, 0] * x + view[0, 1] * y + view[0, 2] * z + view[0, 3]) * share
        points[n, 1] = (view[1, 0] * x + view[1, 1] * y + view[1, 2] * z + view[1, 3]) * share
        points[n, 2] = share


def nearest_rows(
    points: NDArray[np.floating],
    triangles: NDArray[np.int32],
    first: int,
    end: int,
    inverse: NDArray[np.floating],
    nearest: NDArray[np.int32],
) -> None:
    """Find the nearest triangle at the samples of rows first..end.

    points: (V, 3), x and y in samples and 1/Z; NaN behind the camera. triangles: (T, 3). inverse: (H, W), the largest
    1/Z so far, 0 where there is nothing. nearest: (H, W), its triangle's number.
    """
    width, low, high = inverse.shape[1], first + 0.0, end - 1.0
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ay, by, cy = points[a, 1] + 0.0, points[b, 1] + 0.0, points[c, 1] + 0.0
        top, bottom = math.ceil(max(min(min(ay, by), cy), low)), math.floor(min(max(max(ay, by), cy), high))
        if not top <= bottom:
            continue
        ax, bx, cx = points[a, 0] + 0.0, points[b, 0] + 0.0, points[c, 0] + 0.0
        left, right = math.ceil(max(min(min(ax, bx), cx), 0.0)), math.floor(min(max(max(ax, bx), cx), width - 1.0))
        twice = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if not left <= right or not abs(twice) > 0:
            continue
        share = 1 / twice
        an, bn, cn = points[a, 2] + 0.0, points[b, 2] - points[a, 2], points[c, 2] - points[a, 2]
        s_x, s_y, r_x, r_y = (cy - ay) * share, (ax - cx) * share, (ay - by) * share, (bx - ax) * share
        for y in range(top, bottom + 1):
            s, r = (left - ax) * s_x + (y - ay) * s_y, (left - ax) * r_x + (y - ay) * r_y
            for x in range(left, right + 1):
                if s >= -_EDGE and r >= -_EDGE and s + r <= 1 + _EDGE:
                    value = np.float32(an + s * bn + r * cn)
                    if value > inverse[y, x]:
                        inverse[y, x] = value
                        nearest[y, x] = t
                s += s_x
                r += r_x


def shade_rows(
    points: NDArray[np.floating],
    triangles: NDArray[np.int32],
    traits: NDArray[np.floating],
    texture: NDArray[np.floating],
    nearest: NDArray[np.int32],
    background: NDArray[np.floating],
    samples: int,
    first: int,
    end: int,
    color: NDArray[np.floating],
    covered: NDArray[np.floating],
) -> None:
    """Average the colours of samples x samples samples into each pixel of rows first..end, free ones as background.

    traits: (V, 3), of each vertex its colour, or its place in the texture in texels (the third is not used).
    texture: (h, w, 3) linear light; of no rows where vertices have colours. nearest: (samples · H, samples · W), -1
    where there is nothing. background: (3,) linear light. color: (H, W, 3), linear light. covered: (H, W), share of the
    samples that meet the mesh.
    """
    height, width = texture.shape[0], texture.shape[1]
    for y in range(first, end):
        for x in range(color.shape[1]):
            red, green, blue, met = 0.0, 0.0, 0.0, 0.0
            for k in range(samples * samples):
                j, i = y * samples + k // samples, x * samples + k % samples
                t = nearest[j, i]
                if t < 0:
                    continue
                a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
                ax, ay = points[a, 0] + 0.0, points[a, 1] + 0.0
                bx, by = points[b, 0] - ax, points[b, 1] - ay
                cx, cy = points[c, 0] - ax, points[c, 1] - ay
                share = 1 / (bx * cy - cx * by)
                s = ((i - ax) * cy - (j - ay) * cx) * share
                r = ((j - ay) * bx - (i - ax) * by) * share
                # over the picture, traits divided by Z are linear, and so is 1/Z
                wa, wb, wc = (1 - s - r) * points[a, 2], s * points[b, 2], r * points[c, 2]
                total = 1 / (wa + wb + wc)
                wa, wb, wc = wa * total, wb * total, wc * total
                u = wa * traits[a, 0] + wb * traits[b, 0] + wc * traits[c, 0]
                v = wa * traits[a, 1] + wb * traits[b, 1] + wc * traits[c, 1]
                if height == 0:
                    red, green = red + u, green + v
                    blue += wa * traits[a, 2] + wb * traits[b, 2] + wc * traits[c, 2]
                else:
                    u, v = min(max(u, 0.0), width - 1.0), min(max(v, 0.0), height - 1.0)
                    m, n = min(int(u), max(width - 2, 0)), min(int(v), max(height - 2, 0))
                    m2, n2 = min(m + 1, width - 1), min(n + 1, height - 1)
                    u, v = u - m, v - n
                    w00, w01, w10, w11 = (1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v
                    red += w00 * texture[n, m, 0] + w01 * texture[n, m2, 0]
                    red += w10 * texture[n2, m, 0] + w11 * texture[n2, m2, 0]
                    green += w00 * texture[n, m, 1] + w01 * texture[n, m2, 1]
                    green += w10 * texture[n2, m, 1] + w11 * texture[n2, m2, 1]
                    blue += w00 * texture[n, m, 2] + w01 * texture[n, m2, 2]
                    blue += w10 * texture[n2, m, 2] + w11 * texture[n2, m2, 2]
                met += 1
            share, free = 1.0 / (samples * samples), samples * samples - met
            covered[y, x] = met * share
            color[y, x, 0] = (red + free * background[0]) * share
            color[y, x, 1] = (green + free * background[1]) * share
            color[y, x, 2] = (blue + free * background[2]) * share
