"""Compiled loops of mesh simplification: edge collapses on an indexed triangle mesh.

Corner k of triangle t has the number 3t + k. A quadric (10,) is the upper triangle of the symmetric 4x4 matrix Q of
Garland and Heckbert (1997), row by row; p^T Q p with p = (x, y, z, 1) is a weighted sum of squared distances.
"""

import numpy as np

from depthapps.runtime.inlining import within

THINNEST = 0.02  # height over longest side; a collapse may not make a triangle thinner, which would shade badly
# Lowest cosine of the angle between a triangle's normals before and after a collapse: the check against triangles
# that turn over is Garland and Heckbert's.
TURN = 0.2


@within
def _ring(vertex, triangles, head, following, after, before):
    """Fill `after` and `before` (R,) with the next and the previous vertex in each triangle around a vertex.

    Returns the number of these triangles, or −1 if there are more than R.
    """
    count = 0
    corner = head[vertex]
    while corner >= 0:
        t, k = corner // 3, corner % 3
        if count == len(after):
            return -1
        after[count] = triangles[t, (k + 1) % 3]
        before[count] = triangles[t, (k + 2) % 3]
        count += 1
        corner = following[corner]
    return count


@within
def _held(values, count, wanted):
    """Whether the first `count` values contain `wanted`."""
    for i in range(count):  # noqa: SIM110  (numba is slow at generators)
        if values[i] == wanted:
            return True
    return False


@within
def _add_plane(quadric, weight, a, b, c, d):
    """Add `weight` times the squared distance from the plane a x + b y + c z + d = 0 to a quadric (10,)."""
    quadric[0] += weight * a * a
    quadric[1] += weight * a * b
    quadric[2] += weight * a * c
    quadric[3] += weight * a * d
    quadric[4] += weight * b * b
    quadric[5] += weight * b * c
    quadric[6] += weight * b * d
    quadric[7] += weight * c * c
    quadric[8] += weight * c * d
    quadric[9] += weight * d * d


def add_quadrics(points, shape, heights, triangles, head, following, border_weight, rings, quadrics) -> None:
    """Add to the quadric of every vertex the planes of its triangles and of its border edges.

    The plane of a border edge holds the edge and is perpendicular to the edge's triangle. The plane of a triangle is
    weighted by the triangle's area, that of a border edge by border_weight times the edge's length.

    points: (V, 3). heights: 0 for points in space. 1 for a height field, where the third column of `points` is a height
    over the first two: distances are then vertical and a share of the triangle's mean height, areas are those in the
    (x, y) plane. shape: (V, 3), `points` for points in space; for a height field `points` with a third column of 0.
    quadrics: (V, 10), which is changed. rings: (2, R) int32 work space.
    """
    after, before = rings[0], rings[1]
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x, y, z, _ = _normal(i, j, k, points)
        area = 0.5 * np.sqrt(x * x + y * y + z * z)
        if area == 0:
            continue
        if heights:
            area = 0.5 * abs(z)
            norm = z * (points[i, 2] + points[j, 2] + points[k, 2]) / 3
            a, b, c = x / norm, y / norm, z / norm
        else:
            a, b, c = 0.5 * x / area, 0.5 * y / area, 0.5 * z / area
        d = -(a * points[i, 0] + b * points[i, 1] + c * points[i, 2])
        for corner in range(3):
            v, u = triangles[t, corner], triangles[t, (corner + 1) % 3]
            _add_plane(quadrics[v], area, a, b, c, d)
            count = _ring(v, triangles, head, following, after, before)
            if _held(before, count, u):
                continue
            ex, ey, ez = (shape[u, 0] - shape[v, 0]), (shape[u, 1] - shape[v, 1]), (shape[u, 2] - shape[v, 2])
            length = np.sqrt(ex * ex + ey * ey + ez * ez)
            if heights:
                p, q, r = ey / length, -ex / length, 0.0
            else:
                p, q, r = (ey * c - ez * b) / length, (ez * a - ex * c) / length, (ex * b - ey * a) / length
            s = -(p * shape[v, 0] + q * shape[v, 1] + r * shape[v, 2])
            _add_plane(quadrics[v], border_weight * length, p, q, r, s)
            _add_plane(quadrics[u], border_weight * length, p, q, r, s)


def hold_places(points, triangles, weight, quadrics) -> None:
    """Add area · weight (V,) · d² for a move by d to each quadric (V, 10); the area is that around the vertex."""
    for t in range(len(triangles)):
        a, b, c, _ = _normal(triangles[t, 0], triangles[t, 1], triangles[t, 2], points)
        area = 0.5 * np.sqrt(a * a + b * b + c * c)
        for corner in range(3):
            v = triangles[t, corner]
            share = area * weight[v]
            x, y, z = points[v, 0], points[v, 1], points[v, 2]
            quadrics[v, 0] += share
            quadrics[v, 3] -= share * x
            quadrics[v, 4] += share
            quadrics[v, 6] -= share * y
            quadrics[v, 7] += share
            quadrics[v, 8] -= share * z
            quadrics[v, 9] += share * (x * x + y * y + z * z)


@within
def _distance(q, point):
    """Evaluate a quadric (10,) at a point: the weighted sum of its squared distances from the planes."""
    x, y, z = point[0], point[1], point[2]
    return (
        x * (q[0] * x + 2 * (q[1] * y + q[2] * z + q[3]))
        + y * (q[4] * y + 2 * (q[5] * z + q[6]))
        + z * (q[7] * z + 2 * q[8])
        + q[9]
    )


@within
def _cost(quadrics, v, u, points):
    """Quadric error of collapsing vertex v into vertex u."""
    return _distance(quadrics[v], points[u]) + _distance(quadrics[u], points[u])


@within
def _normal(a, b, c, shape):
    """Normal of a triangle, twice its area long, and the square of its longest side."""
    x1, y1, z1 = shape[b, 0] - shape[a, 0], shape[b, 1] - shape[a, 1], shape[b, 2] - shape[a, 2]
    x2, y2, z2 = shape[c, 0] - shape[a, 0], shape[c, 1] - shape[a, 1], shape[c, 2] - shape[a, 2]
    longest = max(
        x1 * x1 + y1 * y1 + z1 * z1, x2 * x2 + y2 * y2 + z2 * z2, (x1 - x2) ** 2 + (y1 - y2) ** 2 + (z1 - z2) ** 2
    )
    return y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2, longest


@within
def _allowed(v, u, after, before, count, triangles, head, following, shape, after_u, before_u):
    """Whether v may collapse into its neighbour u: no triangle flips or gets too thin, the mesh stays manifold."""
    shared = 0
    for i in range(count):
        a, b = after[i], before[i]
        if u in (a, b):
            shared += 1
            continue
        x0, y0, z0, longest0 = _normal(v, a, b, shape)
        x, y, z, longest = _normal(u, a, b, shape)
        area, area0 = np.sqrt(x * x + y * y + z * z), np.sqrt(x0 * x0 + y0 * y0 + z0 * z0)
        if area < THINNEST * longest and area * longest0 <= area0 * longest:
            return False
        if x * x0 + y * y0 + z * z0 < TURN * area * area0:
            return False
    # The link condition: the only neighbours that v and u have in common are the third corners of the triangles they
    # share. Each neighbour of u is counted once: as the corner after u, or at one end of a border as the one before u.
    count_u = _ring(u, triangles, head, following, after_u, before_u)
    common = 0
    for i in range(count_u):
        first, second = after_u[i], before_u[i]
        common += _held(after, count, first) or _held(before, count, first)
        if not _held(after_u, count_u, second):
            common += _held(after, count, second) or _held(before, count, second)
    if count_u < 0 or common != shared + 1:
        return count_u >= 0 and common == shared
    # One more common neighbour is allowed where v, u and it bound a hole of three edges: the collapse closes the hole.
    if not _on_border(u, after, before, count):
        return False
    for i in range(count):
        for third in (after[i], before[i]):
            if third != u and _on_border(third, after, before, count) and _on_border(third, after_u, before_u, count_u):
                return True
    return False


@within
def _on_border(neighbour, after, before, count):
    """Whether the edge to a neighbour has a triangle on one side only."""
    return _held(after, count, neighbour) != _held(before, count, neighbour)


def find_collapses(
    first, end, rings, tried, prices, triangles, head, following, points, shape, quadrics, costs, targets, stale
) -> None:
    """Find the cheapest allowed collapse of each stale vertex in first..end-1.

    costs: (V,) is set to the quadric error, targets: (V,) to the neighbour that the vertex collapses into. The cost is
    inf where no collapse is allowed, and for a vertex of more than R triangles. stale: (V,), 1 where the cost is out
    of date; set to 0. Work space: rings (4, R) int32, tried (2R,) int32, prices (2R,).
    """
    after, before, after_u, before_u = rings[0], rings[1], rings[2], rings[3]
    for v in range(first, end):
        if not stale[v]:
            continue
        stale[v] = 0
        costs[v] = np.inf
        count = _ring(v, triangles, head, following, after, before)
        if count < 1:
            continue
        starts, ends = 0, 0  # border edges that leave and that enter the vertex
        for i in range(count):
            starts += not _held(before, count, after[i])
            ends += not _held(after, count, before[i])
        if starts != ends or starts > 1:  # not a manifold: surfaces touch at this vertex
            continue
        candidates = 0
        for i in range(count):
            if starts == 0 or not _held(before, count, after[i]):
                prices[candidates] = _cost(quadrics, v, after[i], points)
                tried[candidates] = after[i]
                candidates += 1
            if starts and not _held(after, count, before[i]):
                prices[candidates] = _cost(quadrics, v, before[i], points)
                tried[candidates] = before[i]
                candidates += 1
        for _ in range(candidates):
            best = 0
            for i in range(1, candidates):
                if prices[i] < prices[best]:
                    best = i
            if prices[best] == np.inf:
                break
            if _allowed(v, tried[best], after, before, count, triangles, head, following, shape, after_u, before_u):
                costs[v], targets[v] = prices[best], tried[best]
                break
            prices[best] = np.inf


def collapse(
    limit, count, rings, triangles, head, following, points, shape, quadrics, costs, targets, stale, touched, gone
) -> None:
    """Collapse vertices that cost at most `limit` into their targets until `count` triangles are removed.

    Each vertex takes part in one collapse per call, because a collapse changes the quadrics of its two ends and so
    makes their costs wrong. touched: (V,), all 0 at the start, 1 for such ends. A vertex beside a collapse may still
    take part in another; whether that one is allowed is checked again just before it. triangles: removed rows are set
    to −1. gone: (1,), set to the number of removed triangles. rings: (4, R) int32 work space.
    """
    after, before, after_u, before_u = rings[0], rings[1], rings[2], rings[3]
    gone[0] = 0
    for v in range(len(costs)):
        if gone[0] >= count:
            break
        u = targets[v]
        if not costs[v] <= limit or touched[v] or touched[u]:
            continue
        ring = _ring(v, triangles, head, following, after, before)
        if not _allowed(v, u, after, before, ring, triangles, head, following, shape, after_u, before_u):
            stale[v] = 1
            continue
        corner = head[v]
        while corner >= 0:
            upcoming = following[corner]
            t = corner // 3
            if u in (triangles[t, 0], triangles[t, 1], triangles[t, 2]):
                for k in range(3):  # remove the triangle from the lists of its other two vertices
                    if 3 * t + k != corner:
                        _unlink(3 * t + k, triangles[t, k], head, following)
                triangles[t, 0] = triangles[t, 1] = triangles[t, 2] = -1
                gone[0] += 1
            else:
                triangles[t, corner % 3] = u
                following[corner] = head[u]
                head[u] = corner
            corner = upcoming
        head[v] = -1
        costs[v] = np.inf
        for k in range(10):
            quadrics[u, k] += quadrics[v, k]
        touched[v] = touched[u] = 1
        corner = head[u]
        while corner >= 0:
            t = corner // 3
            for k in range(3):
                stale[triangles[t, k]] = 1
            corner = following[corner]


@within
def _unlink(corner, vertex, head, following):
    """Remove a corner from the linked list of a vertex."""
    if head[vertex] == corner:
        head[vertex] = following[corner]
        return
    at = head[vertex]
    while following[at] != corner:
        at = following[at]
    following[at] = following[corner]
